"""The driver: every point gets a result, in this process and on Ray alike, and nothing that was stored runs again."""

import io
import shutil
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dse.errors import InputError
from dse.specification.space import Variant
from dse.specification.study import load_study
from dse.sweep.driver import SweepCounts, run_sweep
from dse.sweep.executors import Executor, ray_executor, serial_executor
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import Point, Sweep, plan_study
from dse.sweep.progress import Progress, format_seconds
from dse.sweep.reading import read_study
from dse.sweep.store import ResultStore
from dse.sweep.strategies import GridStrategy
from dse.sweep.task import FAILED, Result
from tests.conftest import write_small_study
from tests.sweep.quick import quick_executor

QUIET = Progress(quiet=True)


def without_times(results: dict[str, Result]) -> dict[str, Result]:
    return {key: replace(result, solve_seconds=None, total_seconds=None) for key, result in results.items()}


def by_problem(sweep: Sweep) -> list[Point]:
    return sorted(sweep.points(), key=lambda point: point.problem)


def variants_of(sweep: Sweep) -> dict[int, Variant]:
    return {variant.number: variant for variant in sweep.study.space.variants()}


@pytest.fixture
def sweep(small_study: Path) -> Sweep:
    return plan_study(load_study(small_study))


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small study, run once for all tests."""
    study = write_small_study(tmp_path_factory.mktemp("once"))
    folder = StudyFolder(study.with_name("finished"))
    counts = run_sweep(plan_study(load_study(study)), folder, serial_executor, QUIET)
    assert counts == SweepCounts(total=12, stored_before=0, ran=12)
    return folder.path


@pytest.fixture
def finished(finished_once: Path, tmp_path: Path) -> StudyFolder:
    """A copy of it, to be changed at will."""
    return StudyFolder(shutil.copytree(finished_once, tmp_path / "finished"))


def test_every_point_has_a_valid_result(sweep: Sweep, finished: StudyFolder) -> None:
    results = finished.read_results()
    assert results.keys() == {point.key for point in sweep.points()}
    for result in results.values():
        assert result.valid
        assert result.cycles is not None
        assert result.mapping is not None
        assert result.solver == "SCIP"
        assert result.total_seconds is not None


def test_a_second_run_starts_nothing(sweep: Sweep, finished: StudyFolder) -> None:
    def forbidden() -> Iterator[Executor]:
        raise AssertionError("an executor was started")

    counts = run_sweep(sweep, finished, forbidden, QUIET)  # type: ignore[arg-type]
    assert counts == SweepCounts(total=12, stored_before=12, ran=0)


def test_only_what_is_missing_runs(sweep: Sweep, finished: StudyFolder, tmp_path: Path) -> None:
    everything = finished.read_results()
    stored = dict(list(everything.items())[:5])
    folder = StudyFolder(tmp_path / "half")
    with folder.claimed(sweep.plan), ResultStore(folder.store_file, sweep.plan.program) as store:
        store.add(stored.values())
    assert run_sweep(sweep, folder, serial_executor, QUIET) == SweepCounts(total=12, stored_before=5, ran=7)
    assert without_times(folder.read_results()) == without_times(everything)


def test_another_program_starts_anew_and_leaves_what_is_stored(sweep: Sweep, finished: StudyFolder) -> None:
    earlier = finished.read_results()
    later = replace(sweep, plan=replace(sweep.plan, program="dse 99 (source 0123456789ab)"))
    stream = io.StringIO()
    counts = run_sweep(later, finished, serial_executor, Progress(stream, quiet=True), retry_failed=True)
    assert counts == SweepCounts(total=12, stored_before=0, ran=12)
    assert stream.getvalue() == (
        f"{finished.path} was made by {sweep.plan.program}, this is dse 99 (source 0123456789ab): "
        "the results of the other program stay stored and are not used\n"
    )
    assert finished.read_plan().program == later.plan.program
    results = finished.read_results()
    assert len(results) == 24
    assert results.items() >= earlier.items()
    new = [replace(results[point.key], key="") for point in later.points()]
    old = [replace(results[point.key], key="") for point in sweep.points()]
    assert without_times(dict(zip(earlier, new, strict=True))) == without_times(dict(zip(earlier, old, strict=True)))
    assert run_sweep(sweep, finished, serial_executor, QUIET).ran == 0  # the first program finds its own again


def test_an_error_in_a_worker_is_a_result_and_can_be_tried_again(
    sweep: Sweep, finished: StudyFolder, tmp_path: Path
) -> None:
    points = by_problem(sweep)
    variants = variants_of(sweep)
    broken = replace(sweep.task(points[:3], variants), options='{"solver": "NONE", "weights": {}, "objective": "cosa"}')
    with serial_executor() as executor:
        executor.submit(broken)
        failures = executor.next_results()
        assert executor.running == 0
    assert [result.key for result in failures] == [point.key for point in points[:3]]
    for result in failures:
        assert result.termination == FAILED
        assert result.error_type == "InputError"
        assert 'unknown solver "NONE"' in (result.error or "")
        assert "Traceback" in (result.traceback or "")
    folder = StudyFolder(tmp_path / "failed")
    with folder.claimed(sweep.plan), ResultStore(folder.store_file, sweep.plan.program) as store:
        store.add(failures)
    assert run_sweep(sweep, folder, serial_executor, QUIET).ran == 9
    assert sum(not result.valid for result in folder.read_results().values()) == 3
    assert run_sweep(sweep, folder, serial_executor, QUIET, retry_failed=True).ran == 3
    assert without_times(folder.read_results()) == without_times(finished.read_results())


def test_a_study_that_cannot_be_scheduled_makes_no_folder(small_study: Path, tmp_path: Path) -> None:
    sweep = plan_study(load_study(small_study))
    unknown = replace(sweep, plan=replace(sweep.plan, options=dict(sweep.plan.options) | {"solver": "NONE"}))
    with pytest.raises(InputError, match='unknown solver "NONE"'):
        run_sweep(unknown, StudyFolder(tmp_path / "run"), serial_executor, QUIET)
    assert not (tmp_path / "run").exists()


def test_ray_gives_the_same_results(sweep: Sweep, finished: StudyFolder, tmp_path: Path) -> None:
    folder = StudyFolder(tmp_path / "on_ray")
    assert run_sweep(sweep, folder, lambda: ray_executor(2), QUIET).ran == 12
    assert without_times(folder.read_results()) == without_times(finished.read_results())


def test_progress_counts_and_ends_with_a_full_line() -> None:
    stream = io.StringIO()
    progress = Progress(stream)
    progress.start(12, 4)
    progress.wave(known=4, pruned=0, dropped=2)
    progress.advance(6, 1)
    progress.finish()
    first, last = stream.getvalue().splitlines()
    assert first == "12 schedules, 4 of them stored already"
    assert last.startswith("10/10 schedules (100 %), 1 without a mapping, 0 s in all")


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.4, "0 s"), (59.4, "59 s"), (59.6, "1 min 00 s"), (3661, "1 h 01 min"), (200, "3 min 20 s")],
)
def test_seconds_read_well(seconds: float, expected: str) -> None:
    assert format_seconds(seconds) == expected


MILLION = """study:
  name: million
  template: simba
  parameters:
    pe_count: {range: [0, 999, 1]}
    global_buffer_kib: {range: [1, 1000, 1]}
  constraints: [pe_count != 1]
  networks: [second.yaml]
  objective: cosa
  search: {budget: {points: 1048}, prune: false}
"""


def test_a_million_variants_start_at_once_and_take_no_memory(small_study: Path, tmp_path: Path) -> None:
    """The first thousand are no architecture, the second thousand are left out, of the others the first come."""
    study = small_study.with_name("million.yaml")
    study.write_text(MILLION)
    start = time.process_time()
    tracemalloc.start()
    sweep = plan_study(load_study(study))
    assert sweep.plan.grid.size == 10**6
    assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    tracemalloc.stop()
    assert time.process_time() - start < 20
    folder = StudyFolder(tmp_path / "run")
    assert run_sweep(sweep, folder, quick_executor, QUIET).ran == 48
    study.write_text(MILLION.replace("1048", "2072"))
    assert run_sweep(plan_study(load_study(study)), folder, quick_executor, QUIET).ran == 1024
    assert folder.plan_file.stat().st_size < 30_000
    with read_study(folder) as stored:
        looked_at = list(stored)
    assert len(looked_at) == 1000 + 1072
    assert [variant.row.status for variant in looked_at] == ["refused"] * 1000 + [None] * 1072
    assert "expected a positive integer" in (looked_at[0].row.reason or "")
    assert looked_at[1000].variant.name == "v002000"
    assert all(result is not None for variant in looked_at[1000:] for result in variant.results)


def test_a_grid_asks_for_everything_once() -> None:
    for size, problems in [(1, 1), (1000, 24), (5000, 1), (77, 500)]:
        grid = GridStrategy(size, problems)
        asked: list[int] = []
        while wave := grid.ask():
            asked += wave
        assert asked == list(range(size))
