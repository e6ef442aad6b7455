"""Fronts of points in two or three dimensions, and the area or volume that they dominate, by moocore."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dse.specification.goals import Goals

__all__ = ["dominated_share", "hypervolume", "non_dominated", "reference_costs"]

_REFERENCE = 1.1


def non_dominated(points: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Which rows no other row dominates: is at most as large everywhere and smaller somewhere.

    Rows with NaN are never on the front and dominate nothing; equal rows are on it together.
    """
    import moocore  # noqa: PLC0415  (a second to load)

    known = ~np.isnan(points).any(axis=1)
    front = np.zeros(len(points), dtype=np.bool_)
    if known.any():
        front[known] = moocore.is_nondominated(points[known], keep_weakly=True)
    return front


def hypervolume(points: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]) -> float:
    """The area or volume that the points dominate below `reference`, in the unit of their product."""
    import moocore  # noqa: PLC0415

    known = points[~np.isnan(points).any(axis=1)]
    return float(moocore.hypervolume(known, ref=reference)) if len(known) else 0.0


def reference_costs(goals: Goals, worst: Sequence[float]) -> tuple[float, ...]:
    """The reference point in costs: the study's own, else 1.1 times the largest cost of each objective."""
    if goals.reference:
        return tuple(objective.value(goals.reference[objective.name]) for objective in goals.chosen)
    return tuple(_REFERENCE * cost for cost in worst)


def dominated_share(costs: npt.NDArray[np.float64], reference: Sequence[float]) -> float:
    """The share of the box from the origin to `reference` that the rows of `costs` dominate, 0 to 1."""
    if not len(costs):
        return 0.0
    return hypervolume(costs / reference, np.ones(len(reference)))
