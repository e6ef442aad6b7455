"""Timeloop's ways to search, as CoSA's evaluation used them (ISCA 2021, section V): `random` and `hybrid`.

Both draw tilings at random. `random` takes the best of a few valid mappings; `hybrid` also explores the loop orders of
every valid tiling one after the other and stops of its own accord.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dse.model.cost import CostBatch, cost_nests
from dse.model.nest import Bools, Floats, Frame, Ints, NestBatch
from dse.model.result import Evaluation
from dse.model.validity import fits
from dse.search.sampling import sample_nests, within_fanouts
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

__all__ = ["FIGURES", "SearchResult", "hybrid_search", "random_search"]

SAMPLES_AT_ONCE = 20_000

FIGURES: dict[str, Callable[[CostBatch], Floats]] = {
    "latency": lambda costs: costs.latency_cycles.astype(np.float64),
    "energy": lambda costs: costs.energy_pj,
    "edp": lambda costs: costs.energy_pj * costs.latency_cycles,
}
"""What an objective minimises, per mapping of a batch."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The best mapping that was found (None: no sample was valid), and the work it took.

    `samples` counts mappings drawn or derived, `evaluations` those that were valid and costed.
    """

    mapping: Mapping | None
    evaluation: Evaluation | None
    samples: int
    evaluations: int


class _Best:
    """The best valid mapping so far; ties go to the first."""

    def __init__(self, frame: Frame, objective: str) -> None:
        self.frame, self.figure = frame, FIGURES[objective]
        self.value = np.inf
        self.costs: CostBatch | None = None
        self.row = 0

    def offer(self, nests: NestBatch) -> int:
        """Cost valid mappings; the number of the one that became the best, or -1."""
        costs = cost_nests(self.frame, nests)
        values = np.where(costs.valid, self.figure(costs), np.inf)
        row = int(values.argmin())
        if values[row] >= self.value:
            return -1
        self.value, self.costs, self.row = float(values[row]), costs, row
        return row

    def result(self, samples: int, evaluations: int) -> SearchResult:
        if self.costs is None:
            return SearchResult(None, None, samples, evaluations)
        mapping = self.costs.nests.mapping(self.row, self.frame)
        return SearchResult(mapping, self.costs.evaluation(self.row), samples, evaluations)


def random_search(
    architecture: Architecture,
    problem: Problem,
    mapspace: Mapspace,
    objective: str,
    valid_mappings: int = 5,
    max_samples: int = 20_000_000,
    seed: int = 0,
) -> SearchResult:
    """The best of the first few valid mappings among random ones."""
    frame = Frame.plain(architecture, problem, mapspace.keep)
    generator = np.random.default_rng(seed)
    best = _Best(frame, objective)
    samples = evaluations = 0
    while evaluations < valid_mappings and samples < max_samples:
        drawn, valid = _draw(frame, problem, generator)
        wanted = np.flatnonzero(valid)[: valid_mappings - evaluations]
        if len(wanted):
            best.offer(drawn[wanted])
        evaluations += len(wanted)
        complete = evaluations == valid_mappings
        samples += int(wanted[-1]) + 1 if complete else len(drawn)
    return best.result(samples, evaluations)


def hybrid_search(
    architecture: Architecture,
    problem: Problem,
    mapspace: Mapspace,
    objective: str,
    valid_mappings: int = 16_000,
    patience: int = 16_000,
    orders_per_tiling: int = 64,
    max_samples: int = 100_000_000,
    seed: int = 0,
) -> SearchResult:
    """Random tilings, each with its loop orders explored in lexicographic order.

    Ends after `valid_mappings` evaluations, or after `patience` evaluations without a better mapping, as Timeloop's own
    victory condition does. At most `orders_per_tiling` orders of a tiling are tried, so that one tiling does not use up
    the search.
    """
    frame = Frame.plain(architecture, problem, mapspace.keep)
    generator = np.random.default_rng(seed)
    best = _Best(frame, objective)
    samples = evaluations = stale = 0
    while evaluations < valid_mappings and stale < patience and samples < max_samples:
        drawn, valid = _draw(frame, problem, generator)
        samples += len(drawn)
        for row in np.flatnonzero(valid).tolist():
            if evaluations >= valid_mappings or stale >= patience:
                break
            limit = min(orders_per_tiling, valid_mappings - evaluations)
            orders = _loop_orders(drawn[row : row + 1], limit)
            improved = best.offer(orders)
            samples += len(orders) - 1
            evaluations += len(orders)
            stale = len(orders) - 1 - improved if improved >= 0 else stale + len(orders)
    return best.result(samples, evaluations)


def _draw(frame: Frame, problem: Problem, generator: np.random.Generator) -> tuple[NestBatch, Bools]:
    nests = sample_nests(frame, problem, SAMPLES_AT_ONCE, generator)
    return nests, within_fanouts(frame, nests) & fits(frame, nests)


def _loop_orders(nest: NestBatch, limit: int) -> NestBatch:
    """The first `limit` loop orders of one tiling: outer levels change fastest, loops of bound 1 stay behind."""
    levels = nest.temporal.shape[1]
    choices = [_level_orders(nest, level) for level in range(levels)]
    counts = [len(orders) for orders in choices]
    total = min(limit, int(np.prod([float(count) for count in counts])))
    permutation = np.empty((total, *nest.permutation.shape[1:]), np.int64)
    index = np.arange(total)
    for level in range(levels - 1, -1, -1):
        permutation[:, level] = choices[level][index % counts[level]]
        index //= counts[level]
    repeated = nest[np.zeros(total, np.int64)]
    return NestBatch(repeated.temporal, repeated.spatial, permutation, repeated.spatial_permutation, repeated.split)


def _level_orders(nest: NestBatch, level: int, limit: int = 64) -> Ints:
    """(order, dimension): loop orders of one level, lexicographic, at most `limit`."""
    factors = nest.temporal[0, level]
    moving = [d for d in range(len(factors)) if factors[d] > 1]
    still = [d for d in range(len(factors)) if factors[d] == 1]
    orders = []
    for position, order in enumerate(itertools.permutations(moving)):
        if position == limit:
            break
        orders.append([*order, *still])
    return np.array(orders, np.int64)
