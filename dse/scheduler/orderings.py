"""Which of the loop orders that cost the same in the log domain is cheapest in the evaluator."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np

from dse.model import Evaluation, evaluate_many
from dse.scheduler.decode import encode
from dse.scheduler.program import Program, Row
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping

__all__ = ["best_order"]

_ALL_ORDERS_UP_TO = 4  # loops at one level: 24 orders
_TOLERANCE = 1e-9  # of the objective, which is a sum of a few hundred at most


def best_order(program: Program, architecture: Architecture, mapping: Mapping, cost: Row) -> tuple[Mapping, Evaluation]:
    """The mapping with the loop orders of least EDP among those with no higher objective, and its evaluation.

    One level after the other, outermost first. The log domain does not see windows of the input that slide along an
    innermost loop, nor which of the orders of equal reuse serves neighbours better; the evaluator does.
    """
    best = mapping
    (evaluation,) = evaluate_many([(architecture, program.structure.problem, best)])
    limit = float(cost @ encode(program, mapping)) + _TOLERANCE
    for level in reversed(range(program.structure.levels)):
        candidates = [
            candidate
            for order in _orders(best, level)
            if (candidate := _with_order(best, level, order)) != best
            and float(cost @ encode(program, candidate)) <= limit
        ]
        points = [(architecture, program.structure.problem, candidate) for candidate in candidates]
        costs = evaluate_many(points)
        edps = [cost.edp if cost.valid else np.inf for cost in costs]
        if edps and min(edps) < evaluation.edp:
            chosen = int(np.argmin(edps))
            best, evaluation = candidates[chosen], costs[chosen]
    return best, evaluation


def _orders(mapping: Mapping, level: int) -> list[tuple[int, ...]]:
    """Orders of a level's loops, innermost first: all where they are few, else every choice of the innermost one."""
    own = mapping.levels[level]
    loops = [dimension for dimension in own.permutation if own.temporal[dimension] > 1]
    if len(loops) <= _ALL_ORDERS_UP_TO:
        return list(permutations(loops))
    return [(first, *(loop for loop in loops if loop != first)) for first in loops]


def _with_order(mapping: Mapping, level: int, order: tuple[int, ...]) -> Mapping:
    own = mapping.levels[level]
    rest = tuple(dimension for dimension in own.permutation if dimension not in order)
    levels = list(mapping.levels)
    levels[level] = replace(own, permutation=(*order, *rest))
    return Mapping(tuple(levels))
