"""The searches that CoSA was evaluated against (ISCA 2021, section V): `random` and Timeloop's `hybrid`.

Both draw tilings at random. `random` takes the best of a few valid mappings; `hybrid` explores the loop orders of every
valid tiling one after the other and stops of its own accord.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from dse.model.cost import CostBatch, cost_nests
from dse.model.nest import Bools, Floats, Frame, Ints, NestBatch
from dse.model.result import Evaluation
from dse.model.validity import fits
from dse.search.feasibility import why_nothing_fits
from dse.search.membership import within_fanouts
from dse.search.sampling import sample_nests
from dse.search.tilings import Tilings
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

__all__ = ["FIGURES", "SearchResult", "hybrid_search", "random_search"]

FIGURES: dict[str, Callable[[CostBatch], Floats]] = {
    "latency": lambda costs: costs.latency_cycles.astype(np.float64),
    "energy": lambda costs: costs.energy_pj,
    "edp": lambda costs: costs.energy_pj * costs.latency_cycles,
}
"""What an objective minimises, per mapping of a batch."""

_FIRST_DRAW = 1_000
_LARGEST_DRAW = 20_000


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best mapping that was found (None: no sample was valid), and the work it took.

    `samples` counts the mappings that were looked at, valid or not; `evaluations` those among them that were valid and
    costed. What was drawn or costed ahead in a batch, after the search had ended, is in neither.
    """

    mapping: Mapping | None
    evaluation: Evaluation | None
    samples: int
    evaluations: int


class _Best:
    """The best valid mapping so far; ties go to the first."""

    def __init__(self, frame: Frame, figure: Callable[[CostBatch], Floats]) -> None:
        self.frame, self.figure = frame, figure
        self.value = np.inf
        self.mapping: Mapping | None = None
        self.evaluation: Evaluation | None = None

    def cost(self, nests: NestBatch) -> tuple[CostBatch, Floats]:
        """Costs, and the figure of every mapping: infinite where it is not valid."""
        costs = cost_nests(self.frame, nests)
        return costs, np.where(costs.valid, self.figure(costs), np.inf)

    def keep(self, costs: CostBatch, values: Floats) -> None:
        """Take the least of some values where it is less than the best so far."""
        row = int(values.argmin())
        if values[row] < self.value:
            self.value = float(values[row])
            self.mapping = costs.nests.mapping(row, self.frame)
            self.evaluation = costs.evaluation(row)

    def result(self, samples: int, evaluations: int) -> SearchResult:
        return SearchResult(self.mapping, self.evaluation, samples, evaluations)


def random_search(
    architecture: Architecture,
    problem: Problem,
    mapspace: Mapspace,
    objective: str,
    valid_mappings: int = 5,
    max_samples: int = 20_000_000,
    seed: int = 0,
) -> SearchResult:
    """The best of the first few valid mappings among random ones. `objective`: a key of FIGURES."""
    frame = Frame.plain(architecture, problem, mapspace.keep)
    best = _Best(frame, FIGURES[objective])
    samples = evaluations = 0
    for drawn, valid in _draws(frame, problem, mapspace, max_samples, (seed,)):
        wanted = np.flatnonzero(valid)[: valid_mappings - evaluations]
        if len(wanted):
            costs, values = best.cost(drawn[wanted])
            best.keep(costs, values)
            evaluations += len(wanted)
        if evaluations == valid_mappings:
            samples += int(wanted[-1]) + 1
            break
        samples += len(drawn)
    return best.result(samples, evaluations)


def hybrid_search(
    architecture: Architecture,
    problem: Problem,
    mapspace: Mapspace,
    objective: str,
    searchers: int = 32,
    patience: int = 500,
    max_samples: int = 1_000_000,
    seed: int = 0,
) -> SearchResult:
    """The best of several searchers, each with random tilings and all loop orders of each in a fixed sequence.

    A searcher ends after `patience` valid mappings in a row that are not better than its own best, or after drawing
    `max_samples` tilings. So at least `searchers` × `patience` mappings are costed, 16,000 with CoSA's 32 threads and
    Timeloop's default of 500. The orders of a tiling may outnumber the patience: then a searcher sees few tilings, as
    Timeloop's threads do.
    Timeloop: src/search/hybrid.cpp:IncrementRecursive_, src/mapspaces/uber.cpp:InitPruned,
    src/applications/mapper/mapper-thread.cpp:Run. Bypasses are given and sides of a mesh drawn with the tiling.
    """
    frame = Frame.plain(architecture, problem, mapspace.keep)
    best = _Best(frame, FIGURES[objective])
    samples = evaluations = 0
    for searcher in range(searchers):
        own_best, stale = np.inf, 0
        draws = _draws(frame, problem, mapspace, max_samples, (seed, searcher))
        for orders, drawn in _ordered(draws, mapspace, patience):
            if orders is None:
                samples += int(drawn.sum())
                break
            costs, values = best.cost(orders)
            ended, own_best, stale = _walk(values, own_best, stale, patience)
            best.keep(costs, values[:ended])
            samples += int(drawn[:ended].sum())
            evaluations += int(np.isfinite(values[:ended]).sum())
            if stale == patience:
                break
    return best.result(samples, evaluations)


def _walk(values: Floats, best: float, stale: int, patience: int) -> tuple[int, float, int]:
    """(mappings looked at, best value, valid ones since it) after going on through `values`, until patience is out."""
    least = np.minimum.accumulate(np.concatenate([[best], values]))
    improves = values < least[:-1]
    counted = np.cumsum(np.isfinite(values) & ~improves)
    # Valid mappings since the last improvement: those counted so far less those counted up to it.
    since: Ints = counted - np.maximum.accumulate(np.where(improves, counted, -stale))
    over = np.flatnonzero(since >= patience)
    ended = int(over[0]) + 1 if len(over) else len(values)
    return ended, float(least[ended]), int(since[ended - 1])


def _draws(
    frame: Frame, problem: Problem, mapspace: Mapspace, samples: int, seed: tuple[int, ...]
) -> Iterator[tuple[NestBatch, Bools]]:
    """`samples` random mappings in batches of growing size, each with whether it belongs to the mapspace and fits.

    None where it is plain that there is no valid mapping.
    """
    if why_nothing_fits(frame.architecture, problem, mapspace) is not None:
        return
    tilings = Tilings(frame.architecture, problem, mapspace)
    # The problem is part of the seed, so that layers with factors in common do not share their luck.
    generator = np.random.default_rng([*seed, *problem.bounds, *problem.coefficients])
    size = _FIRST_DRAW
    while samples > 0:
        # Cut off after drawing, so that a larger budget goes on with the same mappings.
        nests = sample_nests(frame, problem, size, generator, tilings)[:samples]
        yield nests, within_fanouts(frame, nests) & fits(frame, nests)
        samples -= len(nests)
        size = min(2 * size, _LARGEST_DRAW)


def _ordered(
    draws: Iterator[tuple[NestBatch, Bools]], mapspace: Mapspace, at_once: int
) -> Iterator[tuple[NestBatch | None, Ints]]:
    """All loop orders of the valid mappings of some draws, one mapping after the other, in batches of some `at_once`.

    With each order the samples that it stands for: 1, and with the first of a mapping the invalid ones drawn before.
    At the end of the draws None, with the invalid ones after the last mapping.
    """
    batches: list[NestBatch] = []
    counts: list[Ints] = []
    rejected = 0
    for nests, valid in draws:
        last = -1
        for row in np.flatnonzero(valid).tolist():
            rejected += row - last - 1
            last = row
            for orders in _loop_orders(nests[row : row + 1], mapspace, at_once):
                samples = np.ones(len(orders), np.int64)
                samples[0] += rejected
                rejected = 0
                batches.append(orders)
                counts.append(samples)
                if sum(map(len, counts)) >= at_once:
                    yield _joined(batches), np.concatenate(counts)
                    batches, counts = [], []
        rejected += len(nests) - last - 1
    if batches:
        yield _joined(batches), np.concatenate(counts)
    yield None, np.array([rejected])


def _joined(batches: list[NestBatch]) -> NestBatch:
    return NestBatch(
        np.concatenate([nests.temporal for nests in batches]),
        np.concatenate([nests.spatial for nests in batches]),
        np.concatenate([nests.permutation for nests in batches]),
        np.concatenate([nests.spatial_permutation for nests in batches]),
        np.concatenate([nests.split for nests in batches]),
    )


def _loop_orders(nest: NestBatch, mapspace: Mapspace, at_once: int) -> Iterator[NestBatch]:
    """All loop orders of one tiling that the mapspace allows, inner levels changing fastest, in batches of `at_once`.

    Loops of bound 1 stand aside, and those of the innermost level as they are: nothing is kept inside of it.
    """
    temporal = nest.temporal[0]
    constraints = [mapspace.loop_constraint(level, spatial=False) for level in range(len(temporal))]
    fixed = [list(own.permutation) if own is not None else [] for own in constraints]
    moving: list[list[int]] = [[]]
    moving += [
        [dimension for dimension in np.flatnonzero(factors > 1).tolist() if dimension not in first]
        for factors, first in zip(temporal[1:], fixed[1:], strict=True)
    ]
    total = math.prod(math.factorial(len(dimensions)) for dimensions in moving)
    for start in range(0, total, at_once):
        numbers = range(start, min(start + at_once, total))
        permutation = np.repeat(nest.permutation, len(numbers), axis=0)
        repeat = 1
        for level, dimensions in enumerate(moving):
            if len(dimensions) < 2:
                continue
            still = [d for d in range(temporal.shape[1]) if d not in dimensions and d not in fixed[level]]
            count = math.factorial(len(dimensions))
            wanted = [number // repeat % count for number in numbers]
            orders = {index: fixed[level] + _order(dimensions, index) + still for index in set(wanted)}
            permutation[:, level] = [orders[index] for index in wanted]
            repeat *= count
        same = nest[np.zeros(len(numbers), np.int64)]
        yield NestBatch(same.temporal, same.spatial, permutation, same.spatial_permutation, same.split)


def _order(items: list[int], index: int) -> list[int]:
    """The permutation of `items` with that index in lexicographic order."""
    left, order = list(items), []
    for place in range(len(items), 0, -1):
        position, index = divmod(index, math.factorial(place - 1))
        order.append(left.pop(position))
    return order
