"""Rows of the program that hold loops to the mapspace's constraints: factors, limits and mesh axes.

What stands innermost is not here: the program's runs of idle loops are those that a permutation leaves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dse.integers import exponent
from dse.scheduler.cosa.factors import largest_product, log_limit
from dse.specification.mapspace import LoopConstraint

if TYPE_CHECKING:
    from dse.scheduler.cosa.program import Program

__all__ = ["constraint_rows"]

Rows = Iterator[npt.NDArray[np.float64]]


def constraint_rows(program: Program) -> tuple[list[npt.NDArray[np.float64]], list[npt.NDArray[np.float64]]]:
    """(forms that are 0, forms that are at most 0) for every constraint on loops of the program's structure."""
    equal: list[npt.NDArray[np.float64]] = []
    below: list[npt.NDArray[np.float64]] = []
    for own in program.structure.loops:
        kinds = ("x", "y") if own.spatial else ("temporal",)
        columns = {
            slot.kind: column
            for column, slot in enumerate(program.structure.slots)
            if slot.level == own.level and slot.kind in kinds
        }
        if not columns:
            continue  # no fan-out: all spatial factors are 1
        for dimension in sorted(program.active):
            equal += _exact(program, own, dimension, columns)
            below += _at_most(program, own, dimension, columns)
        if own.spatial:
            below += _along_axes(program, own, columns)
    return equal, below


def _counts(program: Program, dimension: int, columns: Mapping[str, int]) -> Iterator[tuple[int, int, list[int]]]:
    """(prime, multiplicity, indices of the counts in some slots) of every prime factor of a dimension."""
    for position, factor in enumerate(program.structure.factors):
        if factor.dimension == dimension:
            yield factor.prime, factor.multiplicity, [int(program.count[position, c]) for c in columns.values()]


def _exact(program: Program, own: LoopConstraint, dimension: int, columns: Mapping[str, int]) -> Rows:
    least, _ = own.range_of(dimension, program.structure.problem.bounds[dimension])
    if own.factors[dimension] is not None:
        for prime, _, indices in _counts(program, dimension, columns):
            yield program.row(((index, 1.0) for index in indices), -exponent(least, prime))
    axis = own.axis_of(dimension)
    other = {kind: column for kind, column in columns.items() if axis is not None and kind != axis}
    if other:
        for _, _, indices in _counts(program, dimension, other):
            yield program.row((index, 1.0) for index in indices)


def _at_most(program: Program, own: LoopConstraint, dimension: int, columns: Mapping[str, int]) -> Rows:
    bound = program.structure.problem.bounds[dimension]
    _, largest = own.range_of(dimension, bound)
    if own.factors[dimension] is None and largest < bound:
        counts = _counts(program, dimension, columns)
        logs = [(index, math.log2(prime)) for prime, _, indices in counts for index in indices]
        yield program.row(logs, -log_limit(largest_product((bound,), largest)))


def _along_axes(program: Program, own: LoopConstraint, columns: Mapping[str, int]) -> Rows:
    """Of the spatial permutation, what stands before `split` lies along X and the rest along Y."""
    free = sorted(program.active - set(own.permutation))
    rooms = own.rooms()
    if own.split is None and len(columns) == 2:
        # What follows a dimension along Y lies along Y as well; a dimension without a loop is on either side.
        chain = [program.axis[dimension, own.level] for dimension in own.permutation if dimension in program.active]
        ends = [program.axis[dimension, own.level] for dimension in free] if chain else []
        for before, after in (*pairwise(chain), *((chain[-1], end) for end in ends)):
            yield program.row([(before, 1.0), (after, -1.0)])
    elif rooms is not None and len(columns) == 2:
        along_y = program.row((program.axis[dimension, own.level], 1.0) for dimension in free)
        yield along_y - program.row(constant=rooms[1])
        yield program.row(constant=len(free) - rooms[0]) - along_y
    elif rooms is not None:
        for dimension in free:
            for _, multiplicity, indices in _counts(program, dimension, columns):
                unrolled = program.unrolled[dimension, own.level]
                yield program.row([*((index, 1.0) for index in indices), (unrolled, -float(multiplicity))])
        room = rooms["xy".index(next(iter(columns)))]
        yield program.row(((program.unrolled[dimension, own.level], 1.0) for dimension in free), -room)
