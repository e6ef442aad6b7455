"""What a sweep survives: kills at any moment, a second driver, a full disk, missing rights, damage; and growth."""

import io
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dse.errors import InputError
from dse.report.export import columns_of, layer_rows, variant_rows, write_rows
from dse.report.totals import StudyTotals
from dse.sweep.driver import SweepCounts, run_sweep
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import plan_study
from dse.sweep.progress import Progress
from dse.sweep.reading import read_study
from tests.processes import Family, wait_until
from tests.sweep.quick import quick_executor, quick_sweep

ROOT = Path(__file__).resolve().parents[2]
STUDY = """study:
  name: durable
  template: simba
  parameters:
    pe_count: [4, 8, 12, 16]
    global_buffer_kib: {range: [1, 25, 1]}
  constraints: [pe_count * global_buffer_kib != 48]
  networks: [first.yaml, second.yaml]
  objective: cosa
"""
POINTS = 96 * 5


def layers(name: str, *sizes: int) -> str:
    listed = [f"{{name: l{k}, problem: {{R: 1, S: 1, P: 1, Q: 1, C: 8, K: {k}, N: 1}}}}" for k in sizes]
    return f"network: {{name: {name}, layers: [{', '.join(listed)}]}}\n"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """96 variants × 5 distinct problems."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "first.yaml").write_text(layers("first", 1, 2, 3, 4))
    (folder / "second.yaml").write_text(layers("second", 4, 5))
    (folder / "study.yaml").write_text(STUDY)
    return folder / "study.yaml"


def exports(folder: Path) -> dict[str, bytes]:
    """All that `dse export` can say of a folder."""
    found: dict[str, bytes] = {}
    with read_study(folder) as stored:
        for level in ("layer", "variant"):
            for file_format in ("csv", "jsonl", "parquet"):
                file = io.BytesIO()
                rows = layer_rows(stored) if level == "layer" else variant_rows(StudyTotals(stored))
                write_rows(rows, file_format, columns_of(stored.plan, level), stored.plan, file)
                found[f"{level}.{file_format}"] = file.getvalue()
    return found


def start(study: Path, output: Path, seconds: float, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.sweep.quick", str(study), str(output), str(seconds)]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload,no-any-return]


def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(study: Path, tmp_path: Path) -> None:
    run, whole = tmp_path / "run", tmp_path / "whole"
    assert quick_sweep(study, whole) == SweepCounts(total=POINTS, stored_before=0, ran=POINTS)
    chance = random.Random(5)
    stored = 0

    def rows() -> int:
        return len(StudyFolder(run).read_results()) if (run / "results.sqlite").exists() else 0

    for kill in range(6):
        with start(study, run, 0.008) as process:
            if kill % 2:  # while it works; else at any moment, its start as well
                assert wait_until(lambda least=stored: rows() > least, 60)  # type: ignore[misc]
            time.sleep(chance.uniform(0.0, 0.3 if kill % 2 else 1.5))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
        assert rows() >= stored
        stored = rows()
    with read_study(run) as half:
        assert 0 < len(half) <= 96
    assert 0 < stored < POINTS
    assert quick_sweep(study, run) == SweepCounts(total=POINTS, stored_before=stored, ran=POINTS - stored)
    assert exports(run) == exports(whole)


def test_a_second_driver_is_refused_while_the_first_runs(study: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    with start(study, run, 0.05) as process:
        assert wait_until((run / "results.sqlite").exists, 60)
        with pytest.raises(InputError, match=f"another sweep is writing here \\(process {process.pid} on "):
            quick_sweep(study, run)
        assert process.poll() is None
        process.kill()
    assert quick_sweep(study, run).total == POINTS


def test_a_disk_that_is_full_ends_the_sweep_and_loses_nothing(study: Path, tmp_path: Path) -> None:
    """The limit is one of file sizes: what SQLite is told by a disk without room, and by a quota, is the same."""
    run, whole = tmp_path / "run", tmp_path / "whole"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    with start(study, run, 0.001, preexec_fn=limit) as process:
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert err.startswith(f"dse: {run / 'results.sqlite'}: cannot be written: ")
    assert err.endswith("; what was stored before stays, and the same command goes on there\n")
    stored = len(StudyFolder(run).read_results())
    assert 0 < stored < POINTS
    assert quick_sweep(study, run).stored_before == stored
    quick_sweep(study, whole)
    assert exports(run) == exports(whole)


@contextmanager
def without_rights(folder: Path) -> Iterator[None]:
    """The folder is read-only, for root as well, who gives his rights up for a while."""
    files = [folder, *folder.iterdir()]
    modes = {path: path.stat().st_mode for path in files}
    for path in files:
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
        for path, mode in modes.items():
            path.chmod(mode)


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A folder that other users may enter as well."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_read_only_folder_is_refused_and_can_be_read(study: Path, open_path: Path) -> None:
    study = shutil.copytree(study.parent, open_path / "study") / study.name
    run, empty = open_path / "run", open_path / "empty"
    empty.mkdir()
    quick_sweep(study, run)
    before = exports(run)
    with without_rights(empty), pytest.raises(InputError, match="empty: cannot be written to: Permission denied"):
        quick_sweep(study, empty)
    with without_rights(empty), pytest.raises(InputError, match="new: cannot be written to: Permission denied"):
        quick_sweep(study, empty / "new")
    assert list(empty.iterdir()) == []
    with without_rights(run):
        with pytest.raises(InputError, match="run: cannot be written to: Permission denied"):
            quick_sweep(study, run)
        assert exports(run) == before


def test_what_a_kill_left_in_the_log_is_read_from_a_read_only_folder(study: Path, open_path: Path) -> None:
    run = open_path / "run"
    with start(study, run, 0.004) as process:
        assert wait_until(lambda: (run / "results.sqlite-wal").exists() and StudyFolder(run).read_results(), 60)
        time.sleep(0.5)
        process.kill()
    with without_rights(run):
        read_only = exports(run)
    assert len(StudyFolder(run).read_results()) > 0
    assert exports(run) == read_only


def test_a_damaged_store_is_mended_and_the_sweep_goes_on(study: Path, tmp_path: Path) -> None:
    run, whole = tmp_path / "run", tmp_path / "whole"
    for folder in (run, whole):
        quick_sweep(study, folder)
    store = run / "results.sqlite"
    store.write_bytes(store.read_bytes()[: store.stat().st_size // 2])
    with pytest.raises(InputError, match=r"results.sqlite: cannot be read .*saves what is readable"):
        exports(run)
    stream = io.StringIO()
    from dse.specification.study import load_study  # noqa: PLC0415

    sweep = plan_study(load_study(study))
    counts = run_sweep(sweep, StudyFolder(run), quick_executor, Progress(stream, quiet=True))
    assert 0 < counts.stored_before < POINTS
    assert counts.ran == POINTS - counts.stored_before
    assert f": {counts.stored_before} of its results were readable and stay" in stream.getvalue()
    assert exports(run) == exports(whole)


@pytest.mark.parametrize(
    ("old", "new", "added"),
    [
        ("[4, 8, 12, 16]", "[2, 4, 8, 12, 16]", 24 * 5),
        ("range: [1, 25, 1]", "range: [1, 26, 1]", 4 * 5),
        ("    pe_count: [4, 8", "    lanes_per_pe: [4, 8]\n    pe_count: [4, 8", 96 * 5),
        ("  constraints: [pe_count * global_buffer_kib != 48]\n", "", 4 * 5),
        ("second.yaml]", "second.yaml, third.yaml]", 96 * 2),
        ("first.yaml", "longer.yaml", 96),
    ],
)
def test_a_study_that_grew_computes_what_is_new_and_ends_as_one_in_one_go(
    study: Path, tmp_path: Path, old: str, new: str, added: int
) -> None:
    run, whole = tmp_path / "run", tmp_path / "whole"
    quick_sweep(study, run)
    study.with_name("third.yaml").write_text(layers("third", 5, 6, 7))
    study.with_name("longer.yaml").write_text(layers("first", 1, 2, 3, 4, 9))
    assert old in STUDY
    study.write_text(STUDY.replace(old, new))
    counts = quick_sweep(study, run)
    assert (counts.stored_before, counts.ran) == (POINTS, added)
    quick_sweep(study, whole)
    assert exports(run) == exports(whole)
    study.write_text(STUDY)
    with pytest.raises(InputError, match="holds another study"):
        quick_sweep(study, run)


@pytest.mark.soak
def test_fifty_kills_of_a_real_sweep(study: Path, tmp_path: Path) -> None:
    """SIGKILL at random moments of `dse sweep` on two workers; no process is left, and the exports are equal."""
    run, whole = tmp_path / "run", tmp_path / "whole"
    study.write_text(STUDY.replace("[4, 8, 12, 16]", "{range: [4, 400, 4]}"))
    sweep = [sys.executable, "-m", "dse", "sweep", str(study), "--no-cache", "--workers", "2", "--quiet", "--output"]
    chance = random.Random(50)
    family = Family()
    stored = 0

    def rows() -> int:
        return len(StudyFolder(run).read_results()) if run.exists() else 0

    for kill in range(50):
        with subprocess.Popen([*sweep, str(run)], env=family.environment(), stdout=subprocess.DEVNULL) as process:
            if kill % 2:  # while it works; else at any moment, its start and end as well
                wait_until(lambda least=stored: rows() > least, 60)  # type: ignore[misc]
            time.sleep(chance.uniform(0.0, 3.0 if kill % 2 else 8.0))
            process.kill()
        assert family.gone(), family.command_lines()
        found = rows()
        assert found >= stored
        stored = found
    for folder in (run, whole):
        subprocess.run([*sweep, str(folder)], env=family.environment(), stdout=subprocess.DEVNULL, check=True)
    assert family.gone()
    assert 0 < stored < rows()  # work was left at the last kill
    assert exports(run) == exports(whole)
