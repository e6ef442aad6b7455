"""Fronts of points and the area below them, by moocore."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["hypervolume", "non_dominated"]


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
    """The area that the points dominate below `reference`, in the unit of their product."""
    import moocore  # noqa: PLC0415

    known = points[~np.isnan(points).any(axis=1)]
    return float(moocore.hypervolume(known, ref=reference)) if len(known) else 0.0
