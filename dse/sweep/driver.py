"""The driver: asks a strategy for variants wave by wave, has what is not stored yet scheduled, and stores it.

A wave runs to its end before the strategy hears of it and the next one is asked. Within a wave, points are handed out
in chunks of one problem, in whatever order the workers take them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dse.specification.space import RefusedVariant, Variant
from dse.sweep.cache import ScheduleCache
from dse.sweep.chunks import Chunks, Pace
from dse.sweep.executors import Executor
from dse.sweep.folder import StudyFolder
from dse.sweep.judge import Judge, mac_units_of
from dse.sweep.plan import Point, Sweep
from dse.sweep.progress import Progress
from dse.sweep.salvage import mend_store
from dse.sweep.search import Search
from dse.sweep.store import ResultStore, VariantRow
from dse.sweep.strategies import GridStrategy, LayerCost, NetworkCost, Pruner, Pruning, VariantOutcome
from dse.sweep.task import Result, Task, scheduler_for
from dse.sweep.trajectory import Trajectory

__all__ = ["SweepCounts", "run_sweep"]


@dataclass(frozen=True, slots=True)
class SweepCounts:
    """Points of a sweep: all of the variants that it asked for, results stored before it, and those that it ran.

    Points of equal content count one by one in `total`. `pruned` are points that proofs saved, `cached` those that the
    cache had.
    """

    total: int
    stored_before: int
    ran: int
    pruned: int = 0
    cached: int = 0


def run_sweep(
    sweep: Sweep,
    folder: StudyFolder,
    executor: Callable[[], AbstractContextManager[Executor]],
    progress: Progress,
    retry_failed: bool = False,
    search: Search | None = None,
    cache_folder: Path | None = None,
) -> SweepCounts:
    """Schedule every point that the search (default: the whole grid, nothing pruned) asks for and that has no result.

    `executor` is started only where there is work. Variants that were pruned before are scheduled where nothing is
    pruned now.
    Schedules that are in the cache are taken from there, and new ones put there.
    Results of another program stay stored, and the progress says that they are not used. Raises InputError where the
    folder cannot be used, ToolError where a solver or Ray is missing. An interrupt leaves what has ended on disk.
    """
    plan = sweep.plan
    made_by = folder.made_by(plan)
    if made_by != plan.program:
        scheduler_for(sweep.options)  # where a solver or an objective is missing, no folder is made or changed
    search = search or Search(sweep, prune=False)
    pruner = search.pruner
    with ExitStack() as stack:
        stack.enter_context(folder.claimed(plan))
        mended = mend_store(folder.store_file)
        if mended is not None:
            progress.notice(mended)
        store = stack.enter_context(ResultStore(folder.store_file, plan.program))
        cache = stack.enter_context(ScheduleCache(cache_folder, plan.program, progress.notice))
        if made_by not in (None, plan.program):
            progress.notice(
                f"{folder.path} was made by {made_by}, this is {plan.program}: "
                "the results of the other program stay stored and are not used"
            )
        if retry_failed:
            store.forget_failures()
        before = store.count()
        strategy = search.strategy(partial(_settled, sweep, store), store)
        trajectory = Trajectory(folder.path / "search.csv", plan.goals)
        planned = plan.variant_count if isinstance(strategy, GridStrategy) and plan.variant_count else strategy.planned
        progress.start(planned * len(plan.problems) * (1 + len(plan.operating_options)), before)
        waves = _Waves(sweep, store, cache, progress, pruner, lambda: stack.enter_context(executor()))
        while numbers := strategy.ask():
            outcomes = waves.run(numbers)
            strategy.tell(outcomes)
            trajectory.tell(outcomes)
            if pruner is not None:
                pruner.tell(outcomes)
        trajectory.write()
        progress.finish()
    return SweepCounts(waves.points, before, waves.ran, waves.pruned, waves.cached)


def _settled(sweep: Sweep, store: ResultStore, numbers: Sequence[int]) -> bool:
    """Whether some combinations have all that they can have: results, or the reason why there are none."""
    plan = sweep.plan
    texts = {number: plan.grid.text(number) for number in numbers}
    rows = store.variant_rows(texts.values())
    if any(texts[number] not in rows and sweep.study.space.variant(number) is not None for number in numbers):
        return False
    shapes = {problem.shape for problem in plan.problems}
    scheduled = [row for row in rows.values() if row.status is None]
    if any(row.workload != plan.workload for row in rows.values() if row.status == "pruned"):
        return False
    if any(not shapes <= row.digests.keys() for row in scheduled):
        return False
    keys = {point.key for row in scheduled for point in plan.points(0, row.digests)}
    return store.stored(keys) == len(keys)


class _Waves:
    """Runs waves of variants; `start` starts the executor, once there is something to run."""

    def __init__(
        self,
        sweep: Sweep,
        store: ResultStore,
        cache: ScheduleCache,
        progress: Progress,
        pruner: Pruner | None,
        start: Callable[[], Executor],
    ) -> None:
        self.points = self.ran = self.pruned = self.cached = 0
        self._sweep = sweep
        self._plan = sweep.plan
        self._judge = Judge(sweep.plan)
        self._store = store
        self._cache = cache
        self._progress = progress
        self._pruner = pruner
        self._start = start
        self._executor: Executor | None = None
        self._pace = Pace()

    def run(self, numbers: Sequence[int]) -> list[VariantOutcome]:
        """Have every point of the variants scheduled that has no result, and say what came of each variant."""
        wave = _Wave(self._sweep, numbers)
        rows = self._rows(wave)
        points = {
            number: self._plan.points(number, row.digests)
            for number, row in rows.items()
            if row is not None and row.status is None
        }
        found = self._store.results(point.key for of_variant in points.values() for point in of_variant)
        if self._pruner is not None:
            lacking = [number for number in points if any(point.key not in found for point in points[number])]
            self._leave_out(self._pruner.prune([wave.variant(number) for number in lacking]), rows, points)
        self._store.add_variants(row for number, row in rows.items() if row is not None and wave.is_new(number, row))
        self._store.commit()  # whoever reads the folder sees which variants are being scheduled
        self._count(rows, points, found)
        everything = range(len(self._plan.problems))
        passed: set[int] = set()
        for problems in [everything] if self._pruner is None else self._pruner.steps(len(numbers)):
            if self._pruner is not None and passed:
                self._abandon(self._pruner, passed, rows, points, found)
            wanted = {
                point.key: point
                for of_variant in points.values()
                for point in of_variant
                if point.key not in found and point.problem in problems
            }
            found |= self._from_cache(wanted)
            pending = [point for key, point in wanted.items() if key not in found]
            if pending:
                found |= self._schedule(sorted(pending, key=lambda point: point.problem), wave)
            passed |= {*problems}
        outcomes = [self._outcome(number, rows[number], points.get(number), found) for number in numbers]
        self._operate(wave, outcomes, points)
        return outcomes

    def _operate(self, wave: _Wave, outcomes: Sequence[VariantOutcome], points: Mapping[int, list[Point]]) -> None:
        """Have the operating points of the complete variants scheduled that have no result."""
        plan = self._plan
        complete = [own.number for own in outcomes if own.status == "complete"]  # over budget too: others may not be
        planned = sum(own.status != "excluded" or plan.variant_count is None for own in outcomes)
        every = len(plan.problems) * len(plan.operating_options)
        self._progress.wave(known=0, pruned=0, dropped=(planned - len(complete)) * every)
        for label, options in plan.operating_options.items():
            wanted = {
                (key := plan.operating_key(point.key, label)): replace(point, key=key)
                for number in complete
                for point in points[number]
            }
            found = self._store.results(wanted)
            every = len(complete) * len(plan.problems)
            self.points += every
            self._progress.wave(known=every - len(wanted) + len(found), pruned=0, dropped=0)
            missing = {key: point for key, point in wanted.items() if key not in found}
            found |= self._from_cache(missing)
            pending = [point for key, point in missing.items() if key not in found]
            if pending:
                self._schedule(sorted(pending, key=lambda point: point.problem), wave, options)

    def _leave_out(
        self,
        prunings: Mapping[int, Pruning],
        rows: dict[int, VariantRow | None],
        points: dict[int, list[Point]],
    ) -> None:
        for number, pruning in prunings.items():
            rows[number] = replace(
                rows[number] or VariantRow(self._plan.grid.text(number)),
                status="pruned",
                bounds=tuple((bound.latency_cycles, bound.energy_pj) for bound in pruning.bounds),
                beaten_by=None if pruning.beaten_by is None else self._plan.grid.text(pruning.beaten_by),
                reason=pruning.reason,
                workload=self._plan.workload,
            )
            del points[number]

    def _abandon(
        self,
        pruner: Pruner,
        passed: Collection[int],
        rows: dict[int, VariantRow | None],
        points: dict[int, list[Point]],
        found: Mapping[str, Result],
    ) -> None:
        """Leave variants unfinished that cannot enter the front, by the problems of the steps that have passed.

        Others may be known already, as after an interrupt: they must not change what is decided.
        """
        known = {
            number: {
                point.problem: LayerCost(result.cycles, result.energy_pj)
                for point in of_variant
                if point.problem in passed
                and (result := found[point.key]).cycles is not None
                and result.energy_pj is not None
            }
            for number, of_variant in points.items()
            if any(point.key not in found for point in of_variant)
        }
        prunings = pruner.abandon(known)
        saved = sum(point.key not in found for number in prunings for point in points[number])
        self._leave_out(prunings, rows, points)
        self._store.add_variants(row for number in prunings if (row := rows[number]) is not None)
        self.pruned += saved
        self._progress.wave(known=0, pruned=saved, dropped=0)

    def _from_cache(self, keys: Iterable[str]) -> dict[str, Result]:
        """Schedules of other studies, taken when it is their turn: they change nothing but the time it takes."""
        found = self._cache.results(keys)
        self._store.add(found.values())
        self.cached += len(found)
        self._progress.cached(len(found))
        return found

    def _rows(self, wave: _Wave) -> dict[int, VariantRow | None]:
        """What is known of each variant of the wave; None where a constraint leaves it out."""
        texts = {number: self._plan.grid.text(number) for number in wave.numbers}
        wave.stored = self._store.variant_rows(texts.values())
        shapes = {problem.shape for problem in self._plan.problems}
        rows: dict[int, VariantRow | None] = {}
        for number, text in texts.items():
            row = wave.stored.get(text)
            if row is not None and row.status == "pruned" and not self._stands(row):
                row = None
            if row is None or (row.status is None and not shapes <= row.digests.keys()):
                row = self._looked_at(wave, number, text)
            rows[number] = row
        return rows

    def _stands(self, row: VariantRow) -> bool:
        """Whether a variant that was pruned stays so: not where all are asked for, or of other networks."""
        return self._pruner is not None and row.workload == self._plan.workload

    def _looked_at(self, wave: _Wave, number: int, text: str) -> VariantRow | None:
        made = wave.make(number)
        if made is None:
            return None
        if isinstance(made, RefusedVariant):
            return VariantRow(text, status="refused", reason=made.reason)
        return VariantRow(text, self._sweep.digests(made))

    def _count(
        self, rows: Mapping[int, VariantRow | None], points: Mapping[int, list[Point]], found: Mapping[str, object]
    ) -> None:
        """Note what of the wave needs no schedule."""
        problems = len(self._plan.problems)
        pruned = [
            point.key
            for number, row in rows.items()
            if row is not None and row.status == "pruned"
            for point in self._plan.points(number, row.digests)
        ]
        done = self._store.results(pruned)  # before the variant was left unfinished
        saved = sum(key not in done for key in pruned)
        self.points += len(points) * problems + len(pruned)
        self.pruned += saved
        keys = [point.key for of_variant in points.values() for point in of_variant]
        repeated = len(keys) - len(set(keys)) + sum(key in found for key in set(keys)) + len(pruned) - saved
        excluded = problems * sum(row is None for row in rows.values())
        refused = problems * sum(row is not None and row.status == "refused" for row in rows.values())
        if self._plan.variant_count is not None:
            excluded = 0  # they were never counted
        self._progress.wave(known=repeated, pruned=saved, dropped=excluded + refused)

    def _schedule(self, pending: list[Point], wave: _Wave, options: str | None = None) -> dict[str, Result]:
        """Keep the executor's window full until all points have a result, storing results as they arrive."""
        if self._executor is None:
            scheduler_for(self._sweep.options)
            self._executor = self._start()
        executor = self._executor
        chunks = Chunks(pending, executor.workers, self._pace)
        found: dict[str, Result] = {}
        while len(found) < len(pending):
            while executor.running < executor.window and (points := chunks.next_chunk()):
                executor.submit(self._task(points, wave, options))
            results = executor.next_results()
            self._store.add(results)
            self._cache.add(results)
            self._pace.learn(results)
            self._progress.advance(len(results), sum(not result.valid for result in results))
            self.ran += len(results)
            found |= {result.key: replace(result, mapping=None, traceback=None) for result in results}
        return found

    def _task(self, points: Sequence[Point], wave: _Wave, options: str | None) -> Task:
        return self._sweep.task(points, {point.variant: wave.variant(point.variant) for point in points}, options)

    def _outcome(
        self,
        number: int,
        row: VariantRow | None,
        points: Sequence[Point] | None,
        results: Mapping[str, Result],
    ) -> VariantOutcome:
        if row is None:
            return VariantOutcome(number, "excluded")
        if row.status == "pruned":
            return VariantOutcome(number, "pruned", pruning=self._pruning(row))
        if row.status == "refused" or points is None:
            return VariantOutcome(number, "refused")
        problems: list[LayerCost] = []
        units = area = None
        for point in points:
            result = results[point.key]
            units, area = mac_units_of(result, self._plan.problems[point.problem].macs), result.area_um2
            if result.cycles is None or result.energy_pj is None:
                return VariantOutcome(number, "incomplete")
            problems.append(LayerCost(result.cycles, result.energy_pj))
        costs = tuple(
            NetworkCost(
                sum(layer.count * problems[layer.problem].latency_cycles for layer in network.layers),
                math.fsum(layer.count * problems[layer.problem].energy_pj for layer in network.layers),
            )
            for network in self._plan.networks
        )
        compared = self._judge.costs(self._judge.groups(costs, units, area))
        return VariantOutcome(number, "complete", costs, None, tuple(problems), compared, units, area)

    def _pruning(self, row: VariantRow) -> Pruning:
        bounds = tuple(NetworkCost(cycles, energy_pj) for cycles, energy_pj in row.bounds)
        beaten_by = None if row.beaten_by is None else self._plan.grid.read(row.beaten_by)
        if beaten_by is None and row.reason is None:
            raise ValueError(f"{row.parameters} was pruned by a variant that the study does not have")
        return Pruning(bounds, beaten_by, row.reason)


class _Wave:
    """The variants of a wave, made when they are needed, and what was stored of them before."""

    def __init__(self, sweep: Sweep, numbers: Sequence[int]) -> None:
        self.numbers = numbers
        self.stored: dict[str, VariantRow] = {}
        self._space = sweep.study.space
        self._made: dict[int, Variant | RefusedVariant | None] = {}

    def make(self, number: int) -> Variant | RefusedVariant | None:
        if number not in self._made:
            self._made[number] = self._space.variant(number)
        return self._made[number]

    def variant(self, number: int) -> Variant:
        made = self.make(number)
        if not isinstance(made, Variant):
            raise TypeError(f"combination {number} is no variant")
        return made

    def is_new(self, number: int, row: VariantRow) -> bool:
        return self.stored.get(row.parameters) != row
