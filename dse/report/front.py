"""Pareto fronts of latency and energy, by moocore."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt

from dse.report.totals import Total

__all__ = ["OBJECTIVES", "costs", "hypervolume", "non_dominated", "on_front"]

OBJECTIVES = ("cycles", "energy_pJ")
"""What a front is about; less of each is better."""


def costs(totals: Iterable[Total]) -> npt.NDArray[np.float64]:
    """(number of totals, 2): cycles and pJ of complete totals, NaN of others."""
    flat = (figure for total in totals for figure in _figures(total))
    return np.fromiter(flat, dtype=np.float64).reshape(-1, len(OBJECTIVES))


def _figures(total: Total) -> tuple[float, float]:
    if total.cycles is None or total.energy_pj is None:
        return (np.nan, np.nan)
    return (total.cycles, total.energy_pj)


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


def on_front(totals: Collection[Total]) -> list[bool]:
    """Which totals are on the front of cycles and energy; incomplete ones are not."""
    return [bool(flag) for flag in non_dominated(costs(totals))]


def hypervolume(points: npt.NDArray[np.float64], reference: npt.NDArray[np.float64]) -> float:
    """The area that the points dominate below `reference`, in the unit of their product."""
    import moocore  # noqa: PLC0415

    known = points[~np.isnan(points).any(axis=1)]
    return float(moocore.hypervolume(known, ref=reference)) if len(known) else 0.0
