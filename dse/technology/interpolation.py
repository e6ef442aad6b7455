"""Between the points of a table: straight lines on logarithmic scales."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

from dse.technology.component import OutsideTableError

__all__ = ["interpolated", "weights"]


def weights(grid: Sequence[float], at: float, extrapolate: bool, what: str) -> list[tuple[int, float]]:
    """(position in `grid`, weight) of the points that a value lies between, on a logarithmic scale; one at a point.

    `grid` rises. Beyond its ends, the line through the last two points goes on if `extrapolate`. Raises
    OutsideTableError otherwise; `what` names the quantity with its unit.
    """
    if at <= 0 or not (extrapolate or grid[0] <= at <= grid[-1]):
        raise OutsideTableError(f"{what} {at:g} lies outside {grid[0]:g} to {grid[-1]:g}")
    right = min(max(bisect_right(grid, at), 1), len(grid) - 1)
    if len(grid) == 1 or grid[right - 1] == at:
        return [(0 if len(grid) == 1 else right - 1, 1.0)]
    if grid[right] == at:
        return [(right, 1.0)]
    share = math.log(at / grid[right - 1]) / math.log(grid[right] / grid[right - 1])
    return [(right - 1, 1.0 - share), (right, share)]


def interpolated(
    grid: Sequence[float], values: Sequence[float], at: float, extrapolate: bool = False, what: str = "the value"
) -> float:
    """The value at `at`, where `values` stand at the points of `grid`, all positive; exact there, monotone as they are.

    Raises OutsideTableError as `weights` does.
    """
    parts = weights(grid, at, extrapolate, what)
    if len(parts) == 1:
        return values[parts[0][0]]
    return math.exp(math.fsum(weight * math.log(values[position]) for position, weight in parts))
