"""How sure a front is: what the proven gap of every variant leaves open.

A schedule of `latency`, `energy` or `edp` comes with a bound b <= f, below which no mapping brings that figure. So a
schedule that is better in cycles and in energy than the one found has at least r = b / f of its cycles (`latency`), of
its energy (`energy`), or of both (`edp`: with T' <= T, E' <= E and T' E' >= b, neither falls below r times itself).
The figure that the objective does not look at counts as measured. `cosa` bounds its own objective alone: then nothing
is proven, and nothing is said.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from dse.report.front import costs, non_dominated
from dse.report.totals import Total
from dse.specification.goals import Goals

__all__ = ["PROVEN", "Certainty", "Standing", "best_costs", "certainty_of"]

PROVEN = ("latency", "energy", "edp")
"""Objectives of schedules that bound a figure of the evaluator."""

_AT_ONCE = 2048
_MOST_RIVALS = 8
Costs = npt.NDArray[np.float64]


class Standing(StrEnum):
    """Where a variant stands in a study."""

    FRONT = "front"  # on it; what is proven keeps it there, or nothing is proven
    OPEN = "open"  # on it, but a better schedule of another variant could push it off
    CONTENDER = "contender"  # dominated, but a better schedule could bring it onto the front
    DOMINATED = "dominated"
    OVER_BUDGET = "over budget"
    PRUNED = "pruned"
    REFUSED = "no architecture"
    INCOMPLETE = "incomplete"


@dataclass(frozen=True, slots=True)
class Certainty:
    """`standings` has one entry per total; `rivals` says of open and contending ones with which others they contend."""

    standings: tuple[Standing, ...]
    rivals: dict[int, tuple[int, ...]]
    proven: bool


def best_costs(totals: Iterable[Total], goals: Goals, objective: str) -> Costs:
    """(totals, objectives): the least costs that the proven gaps leave possible; those found if nothing is proven."""
    rows = [_best(total, goals, objective) for total in totals]
    return np.array(rows, dtype=np.float64).reshape(-1, len(goals.objectives))


def _best(total: Total, goals: Goals, objective: str) -> tuple[float, ...]:
    figures = total.figures
    if figures is None or total.over_budget:
        return (np.nan,) * len(goals.objectives)
    ratio = 1.0 if total.value is None or total.lower_bound is None else total.lower_bound / total.value
    cycles = {figures.cycles, figures.cycles * ratio} if objective in ("latency", "edp") else {figures.cycles}
    energies = {figures.energy_pj, figures.energy_pj * ratio} if objective in ("energy", "edp") else {figures.energy_pj}
    # At a corner each, as not every cost grows with both: power falls as cycles grow.
    corners = [
        goals.costs(replace(figures, cycles=latency, energy_pj=energy_pj))
        for latency, energy_pj in itertools.product(cycles, energies)
    ]
    return tuple(map(min, zip(*corners, strict=True)))


def certainty_of(totals: Sequence[Total], goals: Goals, objective: str) -> Certainty:
    """Where every total of a group stands."""
    found = costs(totals, goals)
    best = best_costs(totals, goals, objective)
    front = non_dominated(found)
    proven = objective in PROVEN and any(total.gap is not None for total in totals)
    standings = [_standing(total, bool(flag)) for total, flag in zip(totals, front, strict=True)]
    rivals: dict[int, tuple[int, ...]] = {}
    if proven:
        of_front = np.flatnonzero(front).tolist()
        for index in of_front:
            beating = np.flatnonzero(_dominate(best, found[index]))
            beating = beating[beating != index]
            if len(beating):
                standings[index] = Standing.OPEN
                rivals[index] = tuple(beating[:_MOST_RIVALS].tolist())
        for index in _entering(best, found[of_front], np.flatnonzero(~front & ~np.isnan(found).any(axis=1))):
            standings[index] = Standing.CONTENDER
            above = np.array(of_front)[_dominate(found[of_front], found[index])]
            rivals[index] = tuple(above[:_MOST_RIVALS].tolist())
    return Certainty(tuple(standings), rivals, proven)


def _dominate(points: Costs, point: Costs) -> npt.NDArray[np.bool_]:
    """Which rows are at most as large as `point` everywhere and smaller somewhere; none with NaN."""
    return np.asarray(np.all(points <= point, axis=1) & np.any(points < point, axis=1))


def _entering(best: Costs, front: Costs, others: npt.NDArray[np.intp]) -> list[int]:
    """Which of the others are dominated by no point of the front at their best."""
    entering: list[int] = []
    for start in range(0, len(others), _AT_ONCE):
        part = others[start : start + _AT_ONCE]
        at_best = best[part, None, :]
        beaten = np.any(np.all(front <= at_best, axis=2) & np.any(front < at_best, axis=2), axis=1)
        entering += part[~beaten].tolist()
    return entering


def _standing(total: Total, on_front: bool) -> Standing:
    if on_front:
        return Standing.FRONT
    if total.over_budget:
        return Standing.OVER_BUDGET
    if total.complete:
        return Standing.DOMINATED
    if total.pruned:
        return Standing.PRUNED
    return Standing.REFUSED if total.missing[0].startswith("no valid architecture") else Standing.INCOMPLETE
