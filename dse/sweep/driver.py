"""The driver: hands out what is not stored yet, in chunks, and stores what comes back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby

from dse.sweep.executors import Executor
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import Point, Sweep
from dse.sweep.progress import Progress
from dse.sweep.store import ResultStore
from dse.sweep.task import Result, Task, scheduler_for

__all__ = ["SweepCounts", "run_sweep"]

_CHUNK_SECONDS = 1.0  # well above what it costs to hand out a task, and short enough to balance the workers
_FIRST_CHUNK = 2
_LARGEST_CHUNK = 64


@dataclass(frozen=True, slots=True)
class SweepCounts:
    """Points of a sweep: all of them, those stored before it, those that it ran."""

    total: int
    stored_before: int
    ran: int


def run_sweep(
    sweep: Sweep,
    folder: StudyFolder,
    executor: Callable[[], AbstractContextManager[Executor]],
    progress: Progress,
    retry_failed: bool = False,
) -> SweepCounts:
    """Schedule every point of the sweep that has no result yet. `executor` is started only where there is work.

    Results of another program stay stored, and the progress says that they are not used. Raises InputError where the
    folder cannot be used, ToolError where a solver or Ray is missing. An interrupt leaves what has ended on disk.
    """
    plan = sweep.plan
    made_by = folder.made_by(plan)
    if made_by != plan.program:
        scheduler_for(sweep.options)  # where a solver or an objective is missing, no folder is made or changed
    with folder.claimed(plan), ResultStore(folder.store_file) as store:
        if made_by not in (None, plan.program):
            progress.notice(
                f"{folder.path} was made by {made_by}, this is {plan.program}: "
                "the results of the other program stay stored and are not used"
            )
        wanted = {point.key: point for point in plan.points()}
        if retry_failed:
            store.forget_failures(wanted)
        done = store.keys() & wanted.keys()
        pending = [point for key, point in wanted.items() if key not in done]
        counts = SweepCounts(len(wanted), len(done), len(pending))
        progress.start(counts.total, counts.stored_before)
        if pending:
            scheduler_for(sweep.options)
            with executor() as started:
                _drain(started, _Chunks(sweep, pending, started.workers), store, progress)
        progress.finish()
    return counts


def _drain(executor: Executor, chunks: _Chunks, store: ResultStore, progress: Progress) -> None:
    """Keep the window full until all points have a result, storing results as they arrive."""
    unfinished = chunks.unfinished
    while unfinished:
        while executor.running < executor.window and (task := chunks.next_task()) is not None:
            executor.submit(task)
        results = executor.next_results()
        store.add(results)
        unfinished -= len(results)
        chunks.learn(results)
        progress.advance(len(results), sum(not result.valid for result in results))


class _Chunks:
    """Cuts the points into tasks of one problem, so large that each is worth handing out."""

    def __init__(self, sweep: Sweep, pending: list[Point], workers: int) -> None:
        self.unfinished = len(pending)
        self._sweep = sweep
        self._workers = workers
        self._waiting = [list(points) for _, points in groupby(pending, key=lambda point: point.problem)]
        self._waiting.reverse()  # taken from the end
        self._left = len(pending)
        self._seconds = 0.0
        self._measured = 0

    def learn(self, results: list[Result]) -> None:
        """Note how long points take."""
        for result in results:
            if result.total_seconds is not None:
                self._seconds += result.total_seconds
                self._measured += 1

    def next_task(self) -> Task | None:
        """The next chunk; None where all points have been handed out."""
        if not self._waiting:
            return None
        points = self._waiting[-1]
        chunk, rest = points[: self._size()], points[self._size() :]
        if rest:
            self._waiting[-1] = rest
        else:
            self._waiting.pop()
        self._left -= len(chunk)
        return self._sweep.task(chunk)

    def _size(self) -> int:
        if not self._measured:
            return _FIRST_CHUNK
        size = round(_CHUNK_SECONDS * self._measured / max(self._seconds, 1e-9))
        fair = -(-self._left // (2 * self._workers))  # the last chunks shrink, so that all workers end together
        return max(1, min(size, fair, _LARGEST_CHUNK))
