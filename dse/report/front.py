"""Pareto fronts of the objectives of a study."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dse.fronts import dominated_share, hypervolume, non_dominated, reference_costs
from dse.report.totals import Total
from dse.specification.goals import Goals
from dse.specification.objectives import Objective

__all__ = [
    "Volume",
    "costs",
    "hypervolume",
    "non_dominated",
    "objective_value",
    "on_front",
    "volume_of",
]

_DEFAULT = Goals()


def costs(totals: Iterable[Total], goals: Goals = _DEFAULT) -> npt.NDArray[np.float64]:
    """(number of totals, number of objectives): what fronts compare, less is better.

    NaN for totals that are incomplete, exceed a budget of their study or lack what an objective needs.
    """
    nothing = (np.nan,) * len(goals.objectives)
    flat = (cost for total in totals for cost in _costs(total, goals) or nothing)
    return np.fromiter(flat, dtype=np.float64).reshape(-1, len(goals.objectives))


def _costs(total: Total, goals: Goals) -> tuple[float, ...]:
    return () if total.figures is None or total.over_budget else goals.costs(total.figures)


def on_front(totals: Collection[Total], goals: Goals = _DEFAULT) -> list[bool]:
    """Which totals are on the front; those that cannot be compared are not."""
    return [bool(flag) for flag in non_dominated(costs(totals, goals))]


def objective_value(total: Total, objective: Objective, goals: Goals = _DEFAULT) -> float | None:
    """An objective of a total in its unit; None where it is not known."""
    if total.figures is None:
        return None
    value = objective.value(objective.cost(total.figures, goals.clock_mhz))
    return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Volume:
    """The hypervolume of a front: the share of the box from the origin to `reference` (in units of the objectives)."""

    share: float
    reference: tuple[float, ...]
    goals: Goals

    def __str__(self) -> str:
        bounds = (
            f"{objective.name} {'>=' if objective.maximise else '<='} {value:.4g} {objective.unit}".rstrip()
            for objective, value in zip(self.goals.chosen, self.reference, strict=True)
        )
        return f"hypervolume {self.share:.4f} of the box with {', '.join(bounds)}"


def volume_of(totals: Iterable[Total], goals: Goals) -> Volume | None:
    """The hypervolume of some totals in their costs; None where none of them can be compared."""
    points = costs(totals, goals)
    points = points[~np.isnan(points).any(axis=1)]
    if not len(points):
        return None
    reference = reference_costs(goals, [float(worst) for worst in points.max(axis=0)])
    values = tuple(objective.value(cost) for objective, cost in zip(goals.chosen, reference, strict=True))
    return Volume(dominated_share(points, reference), values, goals)
