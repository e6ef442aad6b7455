"""Which mappings belong to a mapspace."""

from __future__ import annotations

import numpy as np

from dse.model.nest import Bools, Frame, Ints, NestBatch
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping
from dse.specification.mapspace import LoopConstraint, Mapspace
from dse.specification.problem import Problem

__all__ = ["allows", "within_fanouts", "within_mapspace"]


def allows(architecture: Architecture, problem: Problem, mapspace: Mapspace, mapping: Mapping) -> bool:
    """Whether a mapping keeps to a mapspace and to the fan-outs. Capacities are not looked at."""
    frame = Frame.of(architecture, problem, mapping)
    nests = NestBatch.of([mapping])
    return bool((within_fanouts(frame, nests) & within_mapspace(frame, mapspace, nests))[0])


def within_fanouts(frame: Frame, nests: NestBatch) -> Bools:
    """Mappings whose spatial factors keep to the fan-out of each level along each axis."""
    inside = np.ones(len(nests), np.bool_)
    for level, (fan_x, fan_y) in enumerate(frame.architecture.fanouts):
        mapped_x = nests.fanout_x[:, level]
        inside &= (mapped_x <= fan_x) & (nests.fanout[:, level] // mapped_x <= fan_y)
    return inside


def within_mapspace(frame: Frame, mapspace: Mapspace, nests: NestBatch) -> Bools:
    """Mappings with the bypass pattern of a mapspace that keep to its constraints on loops."""
    inside = np.full(len(nests), frame.keep == mapspace.keep)
    bounds = nests.tiles[:, -1]
    for own in mapspace.loops:
        factors = (nests.spatial if own.spatial else nests.temporal)[:, own.level]
        for dimension in range(factors.shape[1]):
            wanted, limit = own.factors[dimension], own.limits[dimension]
            if wanted is not None:
                bound = bounds[:, dimension]
                inside &= factors[:, dimension] == (np.minimum(wanted, bound) if wanted else bound)
            if limit is not None:
                inside &= factors[:, dimension] <= limit
        order = (nests.spatial_permutation if own.spatial else nests.permutation)[:, own.level]
        place = order.argsort(axis=1)
        inside &= _stand_innermost(own.permutation, np.where(factors > 1, place, -1))
        if own.split is not None:
            inside &= _keep_to_split(own, factors > 1, place < nests.split[:, own.level, None])
    return inside


def _stand_innermost(permutation: tuple[int, ...], place: Ints) -> Bools:
    """Whether some loops stand in their order inside all others; `place` (mapping, dimension) is -1 without a loop."""
    inside = np.ones(len(place), np.bool_)
    last = np.full(len(place), -1)
    for dimension in permutation:
        own = place[:, dimension]
        inside &= (own < 0) | (own > last)
        last = np.maximum(last, own)
    for dimension in set(range(place.shape[1])) - set(permutation):
        inside &= (place[:, dimension] < 0) | (place[:, dimension] > last)
    return inside


def _keep_to_split(constraint: LoopConstraint, unrolled: Bools, along_x: Bools) -> Bools:
    """Whether loops lie along the axes that `split` gives them; dimensions without a loop fill either axis."""
    inside = np.ones(len(unrolled), np.bool_)
    for dimension in range(unrolled.shape[1]):
        axis = constraint.axis_of(dimension)
        if axis is not None:
            inside &= ~unrolled[:, dimension] | (along_x[:, dimension] == (axis == "x"))
    rooms = constraint.rooms()
    if rooms is not None:
        free = [d for d in range(unrolled.shape[1]) if d not in constraint.permutation]
        inside &= (unrolled & along_x)[:, free].sum(axis=1) <= rooms[0]
        inside &= (unrolled & ~along_x)[:, free].sum(axis=1) <= rooms[1]
    return inside
