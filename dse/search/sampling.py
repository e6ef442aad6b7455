"""Random mappings of a mapspace, many at a time."""

from __future__ import annotations

import numpy as np

from dse.model.nest import Bools, Frame, Ints, NestBatch
from dse.specification.problem import Problem

__all__ = ["prime_factors", "sample_nests", "within_fanouts"]


def prime_factors(number: int) -> dict[int, int]:
    """{prime: exponent} of a positive number."""
    factors: dict[int, int] = {}
    divisor = 2
    while divisor * divisor <= number:
        while number % divisor == 0:
            factors[divisor] = factors.get(divisor, 0) + 1
            number //= divisor
        divisor += 1
    if number > 1:
        factors[number] = factors.get(number, 0) + 1
    return factors


def sample_nests(frame: Frame, problem: Problem, count: int, generator: np.random.Generator) -> NestBatch:
    """`count` mappings: every ordered factorisation of every bound is equally likely, and every loop order.

    At a level with a two-dimensional mesh a dimension is unrolled along one axis, drawn at random. Neither fan-outs nor
    capacities are looked at: `within_fanouts` and `dse.model.validity.fits` tell which mappings belong to the mapspace.
    """
    levels, dimensions = frame.levels, len(problem.bounds)
    spatial_levels = [level for level, fan in enumerate(frame.architecture.fanouts) if max(fan) > 1]
    slots = levels + len(spatial_levels)
    factors = np.ones((count, slots, dimensions), np.int64)
    for dimension, bound in enumerate(problem.bounds):
        for prime, exponent in prime_factors(bound).items():
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
    return NestBatch(temporal, spatial, permutation, spatial_permutation, along_x.sum(axis=2))


def _compositions(total: int, parts: int, count: int, generator: np.random.Generator) -> Ints:
    """(count, parts): uniformly random ways to write `total` as an ordered sum, by stars and bars."""
    bars = np.sort(generator.random((count, total + parts - 1)).argsort(axis=1)[:, : parts - 1], axis=1)
    edges = np.concatenate(
        [np.full((count, 1), -1), bars, np.full((count, 1), total + parts - 1)], axis=1, dtype=np.int64
    )
    return np.diff(edges, axis=1) - 1


def within_fanouts(frame: Frame, nests: NestBatch) -> Bools:
    """Mappings whose spatial factors keep to the fan-out of each level along each axis."""
    inside = np.ones(len(nests), np.bool_)
    for level, (fan_x, fan_y) in enumerate(frame.architecture.fanouts):
        mapped_x = nests.fanout_x[:, level]
        inside &= (mapped_x <= fan_x) & (nests.fanout[:, level] // mapped_x <= fan_y)
    return inside
