"""Every mapping of a tiny mapspace, costed one by one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations, product

import numpy as np

from dse.integers import divisors
from dse.model import evaluate_nests
from dse.model.nest import Frame, Ints, NestBatch
from dse.proof.structure import Structure
from dse.specification.architecture import Architecture

__all__ = ["optimum"]


def optimum(architecture: Architecture, structure: Structure, most_cycles: float = np.inf) -> float:
    """The least cost (cycles, pJ or their product) over all factors, axes and orders that each level's mesh allows.

    Mappings that take more than `most_cycles` are left out.
    """
    frame = Frame.plain(architecture, structure.problem, structure.keep)
    best = np.inf
    chunk: list[tuple[Ints, Ints, Ints, Ints, Ints]] = []

    def flush() -> float:
        if not chunk:
            return np.inf
        nests = NestBatch(*(np.array(part) for part in zip(*chunk, strict=True)))
        chunk.clear()
        lowest = np.inf
        for costs in evaluate_nests(frame, nests):
            cost = np.ones(len(costs))
            if structure.objective in ("latency", "edp"):
                cost = cost * costs.latency_cycles
            if structure.objective != "latency":
                cost = cost * costs.energy_pj
            valid = costs.valid & (costs.latency_cycles <= most_cycles)
            if valid.any():
                lowest = min(lowest, float(cost[valid].min()))
        return lowest

    for factors in _factors(structure):
        for orders in _orders(structure, factors):
            chunk.append(orders)
        if len(chunk) > 4000:
            best = min(best, flush())
    return min(best, flush())


def _splits(bound: int, slots: int) -> Iterator[tuple[int, ...]]:
    if slots == 1:
        yield (bound,)
        return
    for first in divisors(bound):
        for rest in _splits(bound // first, slots - 1):
            yield (first, *rest)


def _factors(structure: Structure) -> Iterator[Ints]:
    """(level, kind t x y, dimension) of all factorisations that keep to the mesh."""
    slots = [
        (level, kind)
        for level in range(structure.levels)
        for kind in range(3)
        if kind == 0 or structure.fanouts[level][kind - 1] > 1
    ]
    bounds = structure.problem.bounds
    for choice in product(*(list(_splits(bound, len(slots))) for bound in bounds)):
        factors = np.ones((structure.levels, 3, len(bounds)), np.int64)
        for dimension, split in enumerate(choice):
            for (level, kind), factor in zip(slots, split, strict=True):
                factors[level, kind, dimension] = factor
        fitting = np.all(factors[:, 1:].prod(axis=2) <= np.array(structure.fanouts))
        if fitting and not np.any((factors[:, 1] > 1) & (factors[:, 2] > 1)):
            yield factors


def _arrangements(loops: list[int], every: int) -> list[tuple[int, ...]]:
    rest = tuple(d for d in range(every) if d not in loops)
    return [order + rest for order in permutations(loops)]


def _orders(structure: Structure, factors: Ints) -> Iterator[tuple[Ints, Ints, Ints, Ints, Ints]]:
    """All orders of the loops that are there."""
    dimensions = factors.shape[2]
    temporal = [_arrangements(np.flatnonzero(level[0] > 1).tolist(), dimensions) for level in factors]
    spatial = []
    for level in factors:
        along_y = np.flatnonzero(level[2] > 1).tolist()
        along_x = np.flatnonzero(level[1] > 1).tolist()
        idle = tuple(d for d in range(dimensions) if d not in along_x + along_y)
        spatial.append([(x + idle + y) for x in permutations(along_x) for y in permutations(along_y)])
    split = np.array([dimensions - int((level[2] > 1).sum()) for level in factors])
    for orders in product(*temporal):
        for spatial_orders in product(*spatial):
            yield factors[:, 0], factors[:, 1] * factors[:, 2], np.array(orders), np.array(spatial_orders), split
