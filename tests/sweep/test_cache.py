"""The cache of schedules: what one study computed another takes, whatever happened to the file, and nothing else."""

import io
import multiprocessing
import os
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from dse.specification.study import load_study
from dse.sweep.cache import ScheduleCache, default_cache_folder
from dse.sweep.driver import run_sweep
from dse.sweep.executors import serial_executor
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import Sweep, plan_study
from dse.sweep.progress import Progress
from dse.sweep.task import FAILED, Result
from tests.sweep.quick import quick_executor

QUIET = Progress(quiet=True)


def result(key: str, **changes: object) -> Result:
    return replace(Result(key, "optimal", "cosa", cycles=7, energy_pj=0.1, mapping="[]"), **changes)


def never(text: str) -> None:
    raise AssertionError(text)


@pytest.fixture
def sweep(small_study: Path) -> Sweep:
    return plan_study(load_study(small_study))


def test_another_study_takes_what_it_shares_and_computes_the_rest(sweep: Sweep, tmp_path: Path) -> None:
    cache, first, second = tmp_path / "cache", StudyFolder(tmp_path / "first"), StudyFolder(tmp_path / "second")
    assert run_sweep(sweep, first, serial_executor, QUIET, cache_folder=cache).cached == 0
    text = (
        Path(sweep.study.document.file).read_text().replace("name: small", "name: other").replace("[4, 8]", "[8, 16]")
    )
    other = Path(sweep.study.document.file).with_name("other.yaml")
    other.write_text(text)
    stream = io.StringIO()
    counts = run_sweep(plan_study(load_study(other)), second, serial_executor, Progress(stream), cache_folder=cache)
    assert (counts.total, counts.cached, counts.ran) == (12, 6, 6)
    assert "12/12 schedules (100 %)" in stream.getvalue()
    assert ", 6 from the cache" in stream.getvalue()
    shared = first.read_results().keys() & second.read_results().keys()
    assert len(shared) == 6
    for key in shared:
        assert first.read_results()[key] == second.read_results()[key]
    later = replace(sweep, plan=replace(sweep.plan, program="dse 99"))
    third = StudyFolder(tmp_path / "third")
    assert run_sweep(later, third, quick_executor, QUIET, cache_folder=cache).cached == 0  # another program's


def test_failures_and_answers_without_a_mapping_are_not_kept(tmp_path: Path) -> None:
    with ScheduleCache(tmp_path, "dse 1", never) as cache:
        cache.add([
            result("a"),
            result("b", termination=FAILED, error="gone"),
            result("c", termination="infeasible", error="nothing fits", mapping=None),
        ])  # fmt: skip
    with ScheduleCache(tmp_path, "dse 1", never) as cache:
        assert cache.results(["a", "b", "c", "d"]) == {"a": result("a")}


def test_a_row_that_changed_is_not_used_and_is_replaced(tmp_path: Path) -> None:
    with ScheduleCache(tmp_path, "dse 1", never) as cache:
        cache.add([result("a"), result("b")])
    connection = sqlite3.connect(tmp_path / "schedules-3.sqlite")
    with connection:
        connection.execute("UPDATE result SET cycles = 6 WHERE key = 'a'")
    connection.close()
    with ScheduleCache(tmp_path, "dse 1", never) as cache:
        assert cache.results(["a", "b"]) == {"b": result("b")}
        cache.add([result("a")])
    with ScheduleCache(tmp_path, "dse 1", never) as cache:
        assert cache.results(["a", "b"]).keys() == {"a", "b"}


def write_many(folder: Path, writer: int) -> None:
    with ScheduleCache(folder, "dse 1", never) as cache:
        for number in range(300):
            cache.add([result(f"{writer} {number}"), result(f"shared {number}")])


def test_many_processes_write_at_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=write_many, args=(tmp_path, writer)) for writer in range(4)]
    for process in writers:
        process.start()
    for process in writers:
        process.join()
        assert process.exitcode == 0
    wanted = [f"{writer} {number}" for writer in (0, 1, 2, 3, "shared") for number in range(300)]
    with ScheduleCache(tmp_path, "dse 1", never) as cache:
        assert cache.results(wanted) == {key: result(key) for key in wanted}


@pytest.mark.parametrize("damage", ["not a folder", "not a database"])
def test_a_cache_that_cannot_be_used_is_a_notice(sweep: Sweep, tmp_path: Path, damage: str) -> None:
    cache = tmp_path / "cache"
    if damage == "not a folder":
        cache.write_text("x")
    else:
        cache.mkdir()
        (cache / "schedules-3.sqlite").write_bytes(os.urandom(10_000))
    stream = io.StringIO()
    folder = StudyFolder(tmp_path / "run")
    counts = run_sweep(sweep, folder, quick_executor, Progress(stream, quiet=True), cache_folder=cache)
    assert (counts.ran, counts.cached) == (12, 0)
    reason = "File exists" if damage == "not a folder" else "file is not a database"
    assert stream.getvalue() == f"the cache of schedules in {cache} is not used: {reason}\n"


def test_default_folder_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_cache_folder() == tmp_path / "dse"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for ignored in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", ignored)
        assert default_cache_folder() == tmp_path / "home" / ".cache" / "dse"


def test_folder_is_for_the_user_alone(tmp_path: Path) -> None:
    with ScheduleCache(tmp_path / "cache", "dse 1", never):
        pass
    assert (tmp_path / "cache").stat().st_mode & 0o777 == 0o700
