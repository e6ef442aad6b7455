"""First mappings from the linear relaxation: its optimum rounded, and again as one decision after the other is fixed.

A dive takes some tens of linear programs, each a few milliseconds from the last basis.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator

import numpy as np

from dse.proof.linear import Floats, Ints, Linear
from dse.proof.program import Program

__all__ = ["dive", "rounded"]

_WHOLE = 1e-6
_VIOLATION = 1e-2
_ROUNDS = 2


def rounded(program: Program, point: Floats) -> Floats:
    """A point with whole counts and one class of orders a level, near the given one. It may break rows."""
    result = point.copy()
    structure, chosen = program.structure, program.orders.chosen
    for row, factor in enumerate(structure.factors):
        own = np.array([_column(program.decisions.counts[row, slot].column) for slot in structure.slots])
        whole = np.floor(point[own] + _WHOLE)
        left = factor.multiplicity - int(whole.sum())
        most = np.argsort(whole - point[own], kind="stable")[: max(left, 0)]
        whole[most] += 1.0
        result[own] = whole
    for level in {level for level, _ in chosen}:
        own = np.array([_column(form.column) for (at, _), form in chosen.items() if at == level])
        result[own] = np.arange(len(own)) == np.argmax(point[own])
    return result


def dive(linear: Linear, program: Program, point: Floats, deadline: float) -> Iterator[Floats]:
    """Points of the relaxation while one decision after the other is fixed: orders, then counts, then all the rest.

    The one with the largest fraction is next, and is rounded up. Stops when `time.perf_counter` passes the deadline.
    The relaxation keeps the bounds of the last point, and bounds nothing any more.
    """
    lower, upper = linear.rows.lower, linear.rows.upper
    orders, counts = (
        np.array([_column(form.column) for form in forms], np.int64)
        for forms in (program.orders.chosen.values(), program.decisions.counts.values())
    )
    changed: dict[int, tuple[float, float]] = {}
    for columns in (orders, counts, np.flatnonzero(program.assembly.integer)):
        while (column := _next(columns, point)) is not None and time.perf_counter() < deadline:
            value = point[column]
            low, high = changed.get(column, (lower[column], upper[column]))
            found = None
            for bounds in ((float(math.ceil(value)), high), (low, float(math.floor(value)))):
                changed[column] = bounds
                linear.limit(column, *bounds)
                found = linear.solve(_VIOLATION, _ROUNDS)
                if found is not None:
                    break
            if found is None:
                break
            point = found.point
            yield point


def _next(columns: Ints, point: Floats) -> int | None:
    """The variable to fix next; None: all are whole."""
    if not len(columns):
        return None
    values = point[columns]
    fraction = values - np.floor(values)
    fraction[(fraction < _WHOLE) | (fraction > 1.0 - _WHOLE)] = -1.0
    best = int(np.argmax(fraction))
    return int(columns[best]) if fraction[best] > 0 else None


def _column(column: Ints) -> int:
    return int(column[0]) - 1
