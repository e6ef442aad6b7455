"""A sweep whose schedules are made up in no time, through the real driver, store and cache.

    python tests/sweep/quick.py STUDY OUTPUT [SECONDS_A_POINT [CACHE]]

runs it until it ends or is killed. What it says of a point follows from its key alone.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from dse.errors import DseError
from dse.specification.study import load_study
from dse.sweep.driver import SweepCounts, run_sweep
from dse.sweep.executors import Executor, TaskQueue
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import plan_study
from dse.sweep.progress import Progress
from dse.sweep.task import Result

__all__ = ["made_up", "quick_executor", "quick_sweep"]


def made_up(key: str) -> Result:
    """Cycles and energy that trade off a little; one point in sixteen has no mapping."""
    chance = int(key[:8], 16)
    cycles, seconds = 100 + chance % 900, 1e-4 * (chance % 7)
    if chance % 16 == 3:
        return Result(key, "infeasible", "cosa", "embedded", "SCIP", error="nothing fits", total_seconds=seconds)
    energy_pj = 1e6 / cycles + (chance >> 16) / 7
    return Result(
        key, "optimal", "cosa", "embedded", "SCIP", 1.5, None, None, cycles, energy_pj, 0.5,
        mapping='[{"target":"DRAM"}]', solve_seconds=seconds, total_seconds=seconds,
    )  # fmt: skip


class _QuickExecutor(TaskQueue):
    workers = 2
    window = 8

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def next_results(self) -> list[Result]:
        task = self._waiting.pop()  # not in the order of submission
        time.sleep(self._seconds * len(task.points))
        return [made_up(key) for key, _, _ in task.points]


@contextmanager
def quick_executor(seconds: float = 0.0) -> Iterator[Executor]:
    """An executor that takes so long for a point."""
    yield _QuickExecutor(seconds)


def quick_sweep(study: Path, output: Path, seconds: float = 0.0, cache: Path | None = None) -> SweepCounts:
    """Run a study into a folder."""
    sweep = plan_study(load_study(study))
    folder = StudyFolder(output)
    progress = Progress(quiet=True, file=folder.progress_file)
    return run_sweep(sweep, folder, partial(quick_executor, seconds), progress, cache_folder=cache)


if __name__ == "__main__":
    _, study, output, *rest = sys.argv
    try:
        print(quick_sweep(Path(study), Path(output), *map(float, rest[:1]), *map(Path, rest[1:])))
    except DseError as error:
        sys.exit(f"dse: {error}")
