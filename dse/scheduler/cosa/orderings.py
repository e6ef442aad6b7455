"""Which of the loop orders that cost the same in the log domain is cheapest in the evaluator."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations, product

import numpy as np

from dse.model import Evaluation
from dse.model.cost import cost_nests
from dse.model.nest import Frame, NestBatch
from dse.scheduler.cosa.decode import saved_log
from dse.scheduler.cosa.variables import Row, Variables
from dse.specification.architecture import Architecture
from dse.specification.mapping import LevelMapping, Mapping

__all__ = ["best_order"]

_ALL_ORDERS_UP_TO = 4  # loops at one level: 24 orders
_MOST_CANDIDATES = 128
_TOLERANCE = 1e-9  # of the objective, which is a sum of a few hundred at most


def best_order(
    variables: Variables, architecture: Architecture, mapping: Mapping, cost: Row
) -> tuple[Mapping, Evaluation]:
    """The mapping with the loop orders of least EDP among those with no higher objective, and its evaluation.

    The log domain does not see windows of the input that slide along an innermost loop, nor which of the orders of
    equal reuse serves neighbours better; the evaluator does. Where there are too many combinations, inner levels keep
    their order.
    """
    choices: list[list[LevelMapping]] = []
    number = 1
    for level in reversed(range(variables.structure.levels)):
        equal = _equal_orders(variables, mapping, cost, level)
        if number * len(equal) > _MOST_CANDIDATES:
            equal = [mapping.levels[level]]
        number *= len(equal)
        choices.insert(0, equal)
    candidates = [Mapping(levels) for levels in product(*choices)]
    frame = Frame.of(architecture, variables.structure.problem, mapping)  # of all of them: they differ in order alone
    costs = cost_nests(frame, NestBatch.of(candidates))
    chosen = int(np.argmin(np.where(costs.valid, costs.energy_pj * costs.latency_cycles, np.inf)))
    return candidates[chosen], costs.evaluation(chosen)


def _equal_orders(variables: Variables, mapping: Mapping, cost: Row, level: int) -> list[LevelMapping]:
    """A level with its own order and with those others that do not raise the objective.

    What a level's order saves does not depend on the orders of other levels, only on which loops they have.
    """
    own = mapping.levels[level]
    limit = _order_cost(variables, mapping, cost, level) + _TOLERANCE
    result = [own]
    for order in _orders(own, variables.structure.innermost(level)):
        rest = tuple(dimension for dimension in own.permutation if dimension not in order)
        candidate = replace(own, permutation=(*order, *rest))
        levels = (*mapping.levels[:level], candidate, *mapping.levels[level + 1 :])
        if candidate not in result and _order_cost(variables, Mapping(levels), cost, level) <= limit:
            result.append(candidate)
    return result


def _orders(own: LevelMapping, innermost: tuple[int, ...]) -> list[tuple[int, ...]]:
    """Orders of a level's loops, innermost first: all where they are few, else every choice of the innermost one.

    Those of `innermost` stay where they are.
    """
    given = tuple(dimension for dimension in innermost if own.temporal[dimension] > 1)
    loops = [dimension for dimension in own.permutation if own.temporal[dimension] > 1 and dimension not in given]
    if len(loops) <= _ALL_ORDERS_UP_TO:
        return [(*given, *order) for order in permutations(loops)]
    return [(*given, first, *(loop for loop in loops if loop != first)) for first in loops]


def _order_cost(variables: Variables, mapping: Mapping, cost: Row, level: int) -> float:
    """The part of the objective that the order of one level's loops decides."""
    saving = {(space, child): index for (space, child, own, _), index in variables.saved.items() if own == level}
    return sum(
        float(cost[index]) * saved_log(variables.structure, mapping, space, child, level)
        for (space, child), index in saving.items()
    )
