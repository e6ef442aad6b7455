"""Damaged stores: recognised whatever was damaged, and nothing is lost but what stood there."""

import random
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from dse.sweep.salvage import damage_of, mend_store
from dse.sweep.store import ResultStore, VariantRow, read_results
from dse.sweep.task import Result

ROWS = 1500
PAGE = 4096


def make_store(path: Path) -> dict[str, Result]:
    """A store of some hundred pages; a row in ten needs pages of its own."""
    keys = [sha256(str(number).encode()).hexdigest() for number in range(ROWS)]
    results = [
        Result(
            key, "optimal", "cosa", cycles=number, value=number / 7, mapping="m" * (9000 if number % 10 == 0 else 700)
        )
        for number, key in enumerate(keys)
    ]
    with ResultStore(path, "dse 1") as store:
        store.add(results)
        store.add_variants(VariantRow(f'{{"a":{number}}}', {"shape": "digest"}) for number in range(100))
    return dict(zip(keys, results, strict=True))


def truncated(content: bytes, chance: random.Random) -> bytes:
    return content[: chance.randrange(1, len(content))]


def without_first_page(content: bytes, chance: random.Random) -> bytes:
    return chance.randbytes(PAGE) + content[PAGE:]


def with_a_broken_page(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(1, len(content) // PAGE) * PAGE
    return content[:start] + chance.randbytes(PAGE) + content[start + PAGE :]


def with_zeros(content: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(content))
    return content[:start] + bytes(len(content[start : start + 300])) + content[start + 300 :]


def with_a_changed_byte_in_a_mapping(content: bytes, chance: random.Random) -> bytes:
    start = content.index(b"m" * 600, chance.randrange(len(content) // 2)) + 300
    return content[:start] + b"n" + content[start + 1 :]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("damage", "lost"),
    [
        (truncated, None),
        (without_first_page, 0),
        (with_a_broken_page, 10),
        (with_zeros, 10),
        (with_a_changed_byte_in_a_mapping, 1),
    ],
)
def test_all_but_what_was_damaged_is_saved(
    tmp_path: Path, damage: Callable[[bytes, random.Random], bytes], lost: int | None, seed: int
) -> None:
    path = tmp_path / "results.sqlite"
    everything = make_store(path)
    content = path.read_bytes()
    broken = damage(content, random.Random(seed))
    path.write_bytes(broken)
    reason = damage_of(path)
    if reason is None:  # what was damaged holds nothing
        assert read_results(path) == everything
        return
    mended = mend_store(path)
    assert mended is not None
    assert mended.startswith(f"{path} was damaged ({reason}): ")
    assert mended.endswith("the damaged file is kept as results.damaged-1.sqlite")
    saved = read_results(path)
    assert f": {len(saved)} of its results were readable" in mended
    assert saved.items() <= everything.items()
    if lost is None:
        assert len(saved) >= 0.85 * ROWS * (len(broken) - 2 * PAGE) / len(content) - 30
    else:
        assert len(saved) >= ROWS - lost
    assert (tmp_path / "results.damaged-1.sqlite").read_bytes() == broken
    assert sorted(file.name for file in tmp_path.iterdir()) == ["results.damaged-1.sqlite", "results.sqlite"]
    assert damage_of(path) is None
    assert mend_store(path) is None
    with ResultStore(path, "dse 1") as store:
        store.add(everything.values())
    assert read_results(path) == everything


def test_the_log_of_a_kill_is_saved_too(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with ResultStore(path, "dse 1") as store:
        store.add([Result("a", "optimal", "cosa")])
        store.commit()
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.add([Result("b", "optimal", "cosa")])
        store.commit()
        connection.close()
        left = tmp_path / "left"
        left.mkdir()
        for file in tmp_path.glob("results.sqlite*"):
            (left / file.name).write_bytes(file.read_bytes())
    killed = left / "results.sqlite"
    killed.write_bytes(b"\0" * 100 + killed.read_bytes()[100:])
    assert "damaged" in (mend_store(killed) or "")
    assert read_results(killed).keys() == {"a", "b"}
    assert damage_of(killed) is None


def test_an_empty_file_and_damage_after_damage(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    for number in (1, 2):
        path.write_bytes(b"")
        assert "was damaged (it is empty): 0 of its results" in (mend_store(path) or "")
        assert (tmp_path / f"results.damaged-{number}.sqlite").exists()
    assert read_results(path) == {}
    assert mend_store(tmp_path / "none.sqlite") is None


def test_stores_of_one_format_share_their_first_page(tmp_path: Path) -> None:
    """But for counts of pages and changes, whatever they hold: that is what a broken first page is mended with."""
    make_store(tmp_path / "full.sqlite")
    with ResultStore(tmp_path / "empty.sqlite", "dse 2"):
        pass
    pages = [bytearray((tmp_path / name).read_bytes()[:PAGE]) for name in ("full.sqlite", "empty.sqlite")]
    for page in pages:
        del page[92:96], page[24:40]
    assert pages[0] == pages[1]
    connection = sqlite3.connect(tmp_path / "full.sqlite")
    assert connection.execute("PRAGMA page_size").fetchone() == (PAGE,)
    connection.close()
