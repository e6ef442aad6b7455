"""Rows of the program that hold loops to the mapspace's constraints: factors, limits and mesh axes.

What stands innermost is not here: the program's runs of idle loops are those that a permutation leaves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise

from dse.integers import exponent
from dse.scheduler.cosa.factors import largest_product, log_limit
from dse.scheduler.cosa.variables import Row, Variables
from dse.specification.mapspace import LoopConstraint

__all__ = ["constraint_rows"]

Rows = Iterator[Row]


def constraint_rows(variables: Variables) -> tuple[list[Row], list[Row]]:
    """(forms that are 0, forms that are at most 0) for every constraint on loops of the variables' structure."""
    equal: list[Row] = []
    below: list[Row] = []
    for own in variables.structure.loops:
        kinds = ("x", "y") if own.spatial else ("temporal",)
        columns = {
            slot.kind: column
            for column, slot in enumerate(variables.structure.slots)
            if slot.level == own.level and slot.kind in kinds
        }
        if not columns:
            continue  # no fan-out: all spatial factors are 1
        for dimension in sorted(variables.active):
            equal += _exact(variables, own, dimension, columns)
            below += _at_most(variables, own, dimension, columns)
        if own.spatial:
            below += _along_axes(variables, own, columns)
    return equal, below


def _counts(variables: Variables, dimension: int, columns: Mapping[str, int]) -> Iterator[tuple[int, int, list[int]]]:
    """(prime, multiplicity, indices of the counts in some slots) of every prime factor of a dimension."""
    for position, factor in enumerate(variables.structure.factors):
        if factor.dimension == dimension:
            yield factor.prime, factor.multiplicity, [int(variables.count[position, c]) for c in columns.values()]


def _exact(variables: Variables, own: LoopConstraint, dimension: int, columns: Mapping[str, int]) -> Rows:
    least, _ = own.range_of(dimension, variables.structure.problem.bounds[dimension])
    if own.factors[dimension] is not None:
        for prime, _, indices in _counts(variables, dimension, columns):
            yield variables.row(((index, 1.0) for index in indices), -exponent(least, prime))
    axis = own.axis_of(dimension)
    other = {kind: column for kind, column in columns.items() if axis is not None and kind != axis}
    if other:
        for _, _, indices in _counts(variables, dimension, other):
            yield variables.row((index, 1.0) for index in indices)


def _at_most(variables: Variables, own: LoopConstraint, dimension: int, columns: Mapping[str, int]) -> Rows:
    bound = variables.structure.problem.bounds[dimension]
    _, largest = own.range_of(dimension, bound)
    if own.factors[dimension] is None and largest < bound:
        counts = _counts(variables, dimension, columns)
        logs = [(index, math.log2(prime)) for prime, _, indices in counts for index in indices]
        yield variables.row(logs, -log_limit(largest_product((bound,), largest)))


def _along_axes(variables: Variables, own: LoopConstraint, columns: Mapping[str, int]) -> Rows:
    """Of the spatial permutation, what stands before `split` lies along X and the rest along Y."""
    free = sorted(variables.active - set(own.permutation))
    rooms = own.rooms()
    if own.split is None and len(columns) == 2:
        # What follows a dimension along Y lies along Y as well; a dimension without a loop is on either side.
        chain = [variables.axis[dimension, own.level] for dimension in own.permutation if dimension in variables.active]
        ends = [variables.axis[dimension, own.level] for dimension in free] if chain else []
        for before, after in (*pairwise(chain), *((chain[-1], end) for end in ends)):
            yield variables.row([(before, 1.0), (after, -1.0)])
    elif rooms is not None and len(columns) == 2:
        along_y = variables.row((variables.axis[dimension, own.level], 1.0) for dimension in free)
        yield along_y - variables.row(constant=rooms[1])
        yield variables.row(constant=len(free) - rooms[0]) - along_y
    elif rooms is not None:
        for dimension in free:
            for _, multiplicity, indices in _counts(variables, dimension, columns):
                unrolled = variables.unrolled[dimension, own.level]
                yield variables.row([*((index, 1.0) for index in indices), (unrolled, -float(multiplicity))])
        room = rooms["xy".index(next(iter(columns)))]
        yield variables.row(((variables.unrolled[dimension, own.level], 1.0) for dimension in free), -room)
