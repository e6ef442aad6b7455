"""Pareto fronts of latency and energy."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import numpy.typing as npt

from dse.fronts import hypervolume, non_dominated
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


def on_front(totals: Collection[Total]) -> list[bool]:
    """Which totals are on the front of cycles and energy; incomplete ones are not."""
    return [bool(flag) for flag in non_dominated(costs(totals))]
