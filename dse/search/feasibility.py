"""Why a mapspace can hold no valid mapping, as far as that can be told without a search."""

from __future__ import annotations

import math

from dse.search.tilings import Nest, Tilings
from dse.specification.architecture import Architecture
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

__all__ = ["why_nothing_fits"]


def why_nothing_fits(architecture: Architecture, problem: Problem, mapspace: Mapspace) -> str | None:
    """The first of these that proves that no mapping is valid, innermost level first; None where none does.

    A bound that the constraints leave no factorisation; spatial factors beyond a fan-out; a level without room for the
    smallest tiles of the data spaces that it keeps. Without constraints a mapping fits wherever the answer is None:
    that with all loops outermost.
    """
    tilings = Tilings(architecture, problem, mapspace)
    for dimension in tilings.impossible:
        return _no_factorisation(problem, tilings, dimension)
    for nest in tilings.nests:
        reason = _beyond_fanout(problem, mapspace, tilings, nest) if nest.spatial else None
        if reason is not None:
            return reason
    return _no_room(architecture, problem, mapspace, tilings)


def _no_factorisation(problem: Problem, tilings: Tilings, dimension: int) -> str:
    name, bound = problem.shape.dimensions[dimension], problem.bounds[dimension]
    said: list[str] = []
    for nest in tilings.nests:
        low, high = tilings.range_at(nest, dimension)
        where = _where(tilings, nest)
        if low > high:
            return f"{name}={low} is asked for {where}, where at most {high} is allowed"
        if low == high:
            said.append(f"{name}={low} {where}")
        elif high < bound:
            said.append(f"{name}<={high} {where}")
    return f"the constraints leave the bound {bound} of {name} no factorisation: {', '.join(said)}"


def _where(tilings: Tilings, nest: Nest) -> str:
    return f"{'spatial' if nest.spatial else 'temporal'} at {tilings.architecture.storage[nest.level].name}"


def _beyond_fanout(problem: Problem, mapspace: Mapspace, tilings: Tilings, nest: Nest) -> str | None:
    own = mapspace.loop_constraint(nest.level, spatial=True)
    fan_x, fan_y = tilings.architecture.fanouts[nest.level]
    position = tilings.nests.index(nest)
    least = {d: tilings.allowed(d)[position][0] for d in sorted(tilings.constrained)}
    for axis, fan in (("x", fan_x), ("y", fan_y), (None, fan_x * fan_y)):
        chosen = {
            dimension: size
            for dimension, size in least.items()
            if size > 1 and (axis is None or (own is not None and own.axis_of(dimension) == axis))
        }
        if math.prod(chosen.values()) > fan:
            factors = " ".join(f"{problem.shape.dimensions[d]}={size}" for d, size in chosen.items())
            along = f" along {axis.upper()}" if axis else ""
            return f"{_where(tilings, nest)}, the factors {factors} exceed the fan-out of {fan}{along}"
    return None


def _no_room(architecture: Architecture, problem: Problem, mapspace: Mapspace, tilings: Tilings) -> str | None:
    spaces = problem.shape.data_spaces
    outermost = len(architecture.storage) - 1
    for level, storage in enumerate(architecture.storage):
        kept = [space for space, keeps in enumerate(mapspace.keep[level]) if keeps]
        least = tuple(tilings.least_inside(level, dimension) for dimension in range(len(problem.bounds)))
        smallest = Problem(problem.shape, least, problem.coefficients)
        words = [smallest.words(spaces[space]) for space in kept]
        if storage.effective_entries is not None and sum(words) > storage.effective_entries:
            parts = " + ".join(f"{spaces[space].name} {own}" for space, own in zip(kept, words, strict=True))
            what = "the layer's data" if level == outermost else "the smallest tiles"
            held = " that the constraints allow" if level < outermost and max(least) > 1 else ""
            return (
                f"{storage.name} is too small: {what}{held} need {parts} words, "
                f"its capacity is {storage.effective_entries}"
            )
    return None
