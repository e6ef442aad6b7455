"""The store: what was added is read back, twice added is once stored, and a kill loses nothing committed."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.sweep.store import ResultStore, VariantRow, read_results
from dse.sweep.task import FAILED, Result

PROGRAM = "dse 1"
finite = st.floats(allow_nan=False, allow_infinity=False)
results = st.builds(
    Result,
    key=st.text("0123456789abcdef", min_size=4, max_size=4),
    termination=st.sampled_from(["optimal", "infeasible", FAILED]),
    objective=st.just("cosa"),
    solver=st.none() | st.just("SCIP"),
    value=st.none() | finite,
    cycles=st.none() | st.integers(0, 2**62),
    energy_pj=st.none() | finite,
    mapping=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    error=st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
)


@given(batches=st.lists(st.lists(results, max_size=5), max_size=5))
def test_the_first_result_of_a_key_is_read_back_exactly(
    batches: list[list[Result]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("store") / "results.sqlite"
    expected: dict[str, Result] = {}
    with ResultStore(path, PROGRAM) as store:
        for batch in batches:
            store.add(batch)
            for result in batch:
                expected.setdefault(result.key, result)
        assert store.count() == len(expected)
        assert store.results([*expected, "none"]) == expected
    assert read_results(path) == expected


def test_no_file_is_no_results(tmp_path: Path) -> None:
    assert read_results(tmp_path / "results.sqlite") == {}


def test_a_reader_sees_what_is_committed_while_a_sweep_writes(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with ResultStore(path, PROGRAM) as store:
        store.add([Result("a", "optimal", "cosa")])
        store.commit()
        store.add([Result(f"b{number}", "optimal", "cosa") for number in range(200)])  # more than waits for a commit
        assert len(read_results(path)) == 201
    assert sorted(file.name for file in tmp_path.iterdir()) == ["results.sqlite"]


def test_failures_can_be_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with ResultStore(path, "another program") as store:
        store.add([Result("another program's", FAILED, "cosa", error="x")])
    with ResultStore(path, PROGRAM) as store:
        store.add([Result("a", FAILED, "cosa", error="x"), Result("b", "infeasible", "cosa", error="y")])
        assert [result.key for result in store.failures()] == ["a"]
        assert store.forget_failures() == 1
        assert store.count() == 1
    assert read_results(path).keys() == {"b", "another program's"}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
variant_rows = st.builds(
    VariantRow,
    parameters=st.sampled_from(["{}", '{"a":1}', '{"a":2.5}']),
    digests=st.dictionaries(texts, texts, max_size=3),
    status=st.sampled_from([None, "pruned", "refused"]),
    reason=st.none() | texts,
    bounds=st.lists(st.tuples(st.integers(0, 2**60), finite), max_size=3).map(tuple),
    beaten_by=st.none() | texts,
    workload=st.none() | texts,
)


@given(rows=st.lists(variant_rows, max_size=8))
def test_the_last_row_of_a_variant_is_read_back_exactly(
    rows: list[VariantRow], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("store") / "results.sqlite"
    with ResultStore(path, "another program") as store:
        store.add_variants([VariantRow("{}", reason="of the other program")])
    with ResultStore(path, PROGRAM) as store:
        store.add_variants(rows)
        expected = {row.parameters: row for row in rows}
        assert store.variant_rows([*expected, "none"]) == expected
        assert {row.parameters: row for row in store.variants()} == expected


def test_a_row_that_changed_on_the_disk_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with ResultStore(path, PROGRAM) as store:
        store.add([Result("a", "optimal", "cosa", cycles=7)])
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE result SET cycles = 6")
    connection.close()
    with pytest.raises(InputError, match="the row 'a' is not as it was written"):
        read_results(path)


@pytest.mark.parametrize("content", ["not a database, but long enough to have a header of its own", ""])
def test_a_file_that_is_no_store_is_an_input_error(tmp_path: Path, content: str) -> None:
    path = tmp_path / "results.sqlite"
    path.write_text(content)
    with pytest.raises(InputError, match="store of results"):
        read_results(path)


def test_journal_is_a_synchronised_write_ahead_log(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    with ResultStore(path, PROGRAM):
        connection = sqlite3.connect(path)
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()


def test_a_killed_writer_loses_nothing_committed(tmp_path: Path) -> None:
    path = tmp_path / "results.sqlite"
    code = (
        "import os, signal, sys; from pathlib import Path\n"
        "from dse.sweep.store import ResultStore; from dse.sweep.task import Result\n"
        "store = ResultStore(Path(sys.argv[1]), 'dse 1')\n"
        "store.add([Result(str(n), 'optimal', 'cosa') for n in range(150)])\n"
        "store.add([Result('uncommitted', 'optimal', 'cosa')])\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert done.returncode == -9
    assert {str(number) for number in range(150)} <= read_results(path).keys()


def test_a_store_has_its_tables_from_the_first_moment(tmp_path: Path) -> None:
    """A process looks for it all the time while others are made."""
    code = (
        "import sys; from pathlib import Path\n"
        "from dse.sweep.store import ResultStore\n"
        "for number in range(200):\n"
        "    with ResultStore(Path(sys.argv[1]) / f'{number}.sqlite', 'dse 1'): pass\n"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) as process:
        for number in range(200):
            path = tmp_path / f"{number}.sqlite"
            while not path.exists() and process.poll() is None:
                pass
            assert read_results(path) == {}
    assert process.returncode == 0
