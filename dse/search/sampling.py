"""Random mappings of a mapspace, many at a time."""

from __future__ import annotations

import numpy as np

from dse.integers import prime_factors
from dse.model.nest import Frame, Ints, NestBatch
from dse.search.tilings import Tilings
from dse.specification.mapspace import LoopConstraint
from dse.specification.problem import Problem

__all__ = ["sample_nests"]


def sample_nests(
    frame: Frame, problem: Problem, count: int, generator: np.random.Generator, tilings: Tilings | None = None
) -> NestBatch:
    """`count` mappings: every ordered factorisation of every bound is equally likely, and every loop order.

    At a level with a two-dimensional mesh a dimension is unrolled along one axis, drawn at random. Where the mapspace
    constrains loops, `tilings` says to what, and all mappings keep to it. Neither fan-outs nor capacities are looked
    at: `dse.search.membership` and `dse.model.validity.fits` tell which mappings belong to the mapspace and fit. Raises
    ValueError where a bound has no factorisation at all.
    """
    levels, dimensions = frame.levels, len(problem.bounds)
    spatial_levels = [level for level, fan in enumerate(frame.architecture.fanouts) if max(fan) > 1]
    slots = levels + len(spatial_levels)
    factors = np.ones((count, slots, dimensions), np.int64)
    for dimension, bound in enumerate(problem.bounds):
        if tilings is not None and dimension in tilings.constrained:
            columns = [spatial_levels.index(n.level) + levels if n.spatial else n.level for n in tilings.nests]
            factors[:, columns, dimension] = tilings.sample(dimension, count, generator)
            continue
        for prime, exponent in prime_factors(bound):
            factors[:, :, dimension] *= prime ** _compositions(exponent, slots, count, generator)
    temporal = factors[:, :levels]
    spatial = np.ones_like(temporal)
    spatial[:, spatial_levels] = factors[:, levels:]
    permutation = generator.random((count, levels, dimensions)).argsort(axis=2)
    along_x = np.ones((count, levels, dimensions), np.bool_)
    for level in spatial_levels:
        fan_x, fan_y = frame.architecture.fanouts[level]
        if fan_y > 1:
            along_x[:, level] = generator.random((count, dimensions)) < 0.5 if fan_x > 1 else False
    # Dimensions along X come first, in random order on either axis.
    spatial_permutation = (generator.random((count, levels, dimensions)) + ~along_x).argsort(axis=2)
    nests = NestBatch(temporal, spatial, permutation, spatial_permutation, along_x.sum(axis=2))
    for own in () if tilings is None else tilings.loops:
        _constrain_order(own, nests, frame.architecture.fanouts[own.level], generator)
    return nests


def _constrain_order(
    own: LoopConstraint, nests: NestBatch, fan: tuple[int, int], generator: np.random.Generator
) -> None:
    """Bring the loops of a constraint's permutation to the inside, and lay loops along the axes that it leaves."""
    orders, factors = (nests.spatial_permutation, nests.spatial) if own.spatial else (nests.permutation, nests.temporal)
    dimensions = orders.shape[2]
    place = orders[:, own.level].argsort(axis=1)
    if own.rooms() is not None and min(fan) == 1:  # dimensions without a loop go to the axis without fan-out
        place += dimensions * ((factors[:, own.level] > 1) == (fan[0] == 1))
    place[:, own.permutation] = np.arange(-len(own.permutation), 0)
    orders[:, own.level] = place.argsort(axis=1)
    if own.split is not None:
        nests.split[:, own.level] = own.split
    elif own.spatial and own.permutation and min(fan) > 1:
        nests.split[:, own.level] = generator.integers(0, dimensions + 1, len(nests))


def _compositions(total: int, parts: int, count: int, generator: np.random.Generator) -> Ints:
    """(count, parts): uniformly random ways to write `total` as an ordered sum, by stars and bars."""
    bars = np.sort(generator.random((count, total + parts - 1)).argsort(axis=1)[:, : parts - 1], axis=1)
    edges = np.concatenate(
        [np.full((count, 1), -1), bars, np.full((count, 1), total + parts - 1)], axis=1, dtype=np.int64
    )
    return np.diff(edges, axis=1) - 1
