"""What no schedules of a network go below, from what is proven of its layers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["LayerBound", "network_bound"]

Floats = npt.NDArray[np.float64]

_SLOPES = 400
_ROUNDING = 1e-9
_UNCERTAIN = 1e-14  # of a sum, by its rounding


@dataclass(frozen=True, slots=True)
class LayerBound:
    """A layer that occurs `count` times: no mapping of it is below `lower_bound` in the objective of its schedule.

    None where that is not known. Of a product, `least_cycles` and `least_energy_pj` bound the factors, 0: not known.
    """

    count: float
    lower_bound: float | None
    least_cycles: float = 0.0
    least_energy_pj: float = 0.0


def network_bound(objective: str, layers: Sequence[LayerBound]) -> float | None:
    """A bound on cycles, pJ or pJ × cycles of the whole network; None where a layer's is not known, or means none.

    Cycles and energies add up. Their product is bounded by `_least_product`.
    """
    known = [(layer, layer.lower_bound) for layer in layers if layer.lower_bound is not None]
    if len(known) < len(layers):
        return None
    match objective:
        case "latency" | "energy":
            return math.fsum(layer.count * bound for layer, bound in known)
        case "edp":
            return _least_product(known)
        case _:
            return None


def _least_product(layers: Sequence[tuple[LayerBound, float]]) -> float:
    """(Σ E)(Σ T) at least, where every layer has E · T ≥ b, T ≥ t and E ≥ e.

    By Cauchy and Schwarz it is (Σ √b)². With t and e above 0, the sums (X, Y) = (Σ T, Σ E) lie above the line
    Y + λ X = Σ min(E + λ T) for every slope λ > 0. The product, quasi-concave, is smallest at a corner of what a family
    of such lines bounds: where two neighbours meet, or touch what they bound.
    """
    count = np.array([layer.count for layer, _ in layers])
    product = np.array([bound for _, bound in layers])
    plain = float((count * np.sqrt(product)).sum()) ** 2
    fastest = np.array([layer.least_cycles for layer, _ in layers], np.float64)
    cheapest = np.array([layer.least_energy_pj for layer, _ in layers], np.float64)
    if not (product.min(initial=1.0) > 0 and fastest.min(initial=1.0) > 0 and cheapest.min(initial=1.0) > 0):
        return plain
    slowest = np.maximum(fastest, product / cheapest)
    lowest, highest = (product / slowest**2).min(), (product / fastest**2).max()
    slopes = np.geomspace(lowest, max(highest, 2.0 * lowest), _SLOPES)
    cycles = np.clip(np.sqrt(product / slopes[:, None]), fastest, slowest)
    energies = np.maximum(cheapest, product / cycles)
    x, y = cycles @ count, energies @ count
    # From (x0, y0) along its own line, neighbours meet after u cycles; sums of unlike sizes make u a little uncertain.
    shorter, steps = np.maximum(-np.diff(x), 0.0), np.diff(slopes)
    meeting = (slopes[1:] * shorter - np.diff(y)) / steps
    error = _UNCERTAIN * (slopes[1:] * x[:-1] + y[1:]) / steps
    ends = np.clip([meeting - error, meeting + error], 0.0, shorter)
    corners = (x[:-1] - ends) * (y[:-1] + slopes[:-1] * ends)
    least = min(float((x * y).min()), float(corners.min()))
    return max(plain, least * (1.0 - _ROUNDING))
