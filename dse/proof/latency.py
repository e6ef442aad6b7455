"""A bound on latency in closed form: the MACs that a layer can keep busy, and the words that have to move at least."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from itertools import product

import numpy as np
import numpy.typing as npt

from dse.integers import divisors
from dse.specification.architecture import Architecture
from dse.specification.mapspace import LoopConstraint, Mapspace
from dse.specification.problem import DataSpace, Problem

__all__ = ["least_cycles", "least_words", "most_parallel"]

Fanouts = tuple[tuple[int, int], ...]
Ints = npt.NDArray[np.int64]
_MOST_STATES = 200_000


def least_cycles(architecture: Architecture, problem: Problem, mapspace: Mapspace) -> int:
    """No valid mapping takes fewer cycles.

    Each MAC in use does one operation a cycle. Every word of a data space crosses the outermost level that keeps it at
    least once: it is read there, or updated where it is a result. A word an instance is taken off for what Timeloop
    rounds.
    """
    cycles = -(-problem.macs // most_parallel(problem.bounds, architecture.fanouts, mapspace))
    for index, level in enumerate(architecture.storage):
        read = written = 0
        for space, own in enumerate(problem.shape.data_spaces):
            if max(kept for kept, flags in enumerate(mapspace.keep) if flags[space]) == index:
                words = max(least_words(problem, own) - level.instances, 0)
                read, written = (read, written + words) if own.read_write else (read + words, written)
        for words, bandwidth in (
            (read, level.read_bandwidth),
            (written, level.write_bandwidth),
            (read + written, level.shared_bandwidth),
        ):
            if bandwidth is not None:
                cycles = max(cycles, math.ceil(words / (bandwidth * level.instances) * (1.0 - 1e-9)))
    return cycles


def least_words(problem: Problem, space: DataSpace) -> int:
    """Words of a data space that every mapping uses, at least: along an axis, as many as its longest dimension has."""
    axes = [[term.dimension for term in axis if problem.bounds[term.dimension] > 1] for axis in space.axes]
    moving = [dimension for axis in axes for dimension in axis]
    if len(set(moving)) < len(moving):  # a dimension moves several axes: a diagonal
        return max((problem.bounds[dimension] for dimension in moving), default=1)
    return math.prod(max(problem.bounds[dimension] for dimension in axis) for axis in axes if axis)


@lru_cache(maxsize=65536)
def most_parallel(bounds: tuple[int, ...], fanouts: Fanouts, mapspace: Mapspace) -> int:
    """The largest number of MACs that any mapping of the mapspace uses, exact where the temporal loops are free.

    `bounds` has one entry a dimension, `fanouts` the (X, Y) of each level. A dimension is unrolled along one axis of a
    level. Where the constraints leave nothing, or the choices are too many to list, it is the number of all MACs.
    """
    slots = [(level, axis) for level, fan in enumerate(fanouts) for axis in (0, 1) if fan[axis] > 1]
    room = np.array([fanouts[level][axis] for level, axis in slots], np.int64)
    if not slots:
        return 1
    everything = int(room.prod())
    used = np.ones((1, len(slots)), np.int64)
    for dimension, bound in enumerate(bounds):
        choices = np.array(list(_choices(dimension, bound, slots, fanouts, mapspace)), np.int64)
        if len(choices) * len(used) > _MOST_STATES or not len(choices):
            return everything
        used = (used[:, None, :] * choices.reshape(1, -1, len(slots))).reshape(-1, len(slots))
        used = np.unique(used[(used <= room).all(axis=1)], axis=0)
        if not len(used):
            return everything
    return int(used.prod(axis=1).max())


def _choices(
    dimension: int, bound: int, slots: list[tuple[int, int]], fanouts: Fanouts, mapspace: Mapspace
) -> Iterator[tuple[int, ...]]:
    """Spatial factors of a dimension, one a slot."""
    held = {own.level: own for own in mapspace.loops if own.spatial}
    for factors in _splits(bound, [fanouts[level][axis] for level, axis in slots]):
        by_level: dict[int, list[tuple[int, int]]] = {}
        for (level, axis), factor in zip(slots, factors, strict=True):
            by_level.setdefault(level, []).append((axis, factor))
        if all(_allowed(dimension, bound, own, held.get(level)) for level, own in by_level.items()):
            yield factors


def _allowed(dimension: int, bound: int, factors: list[tuple[int, int]], held: LoopConstraint | None) -> bool:
    """Whether a level may have these (axis, factor) of a dimension."""
    axes = [axis for axis, factor in factors if factor > 1]
    if len(axes) > 1:
        return False
    if held is None:
        return True
    factor = max(factor for _, factor in factors)
    least, largest = held.range_of(dimension, bound)
    if not least <= factor <= largest:
        return False
    return not axes or held.axis_of(dimension) in (None, "xy"[axes[0]])


def _splits(bound: int, limits: list[int]) -> Iterator[tuple[int, ...]]:
    """Factors within limits whose product divides a bound."""
    options = [[factor for factor in divisors(bound) if factor <= limit] for limit in limits]
    for factors in product(*options):
        left = bound
        for factor in factors:
            if left % factor:
                break
            left //= factor
        else:
            yield factors
