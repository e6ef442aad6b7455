"""What a front may be about: each objective with its unit, its sense and its formula.

Every objective is compared by its *cost*, which is at least 0 and better small. Where more is better the cost is the
reciprocal, which is a natural quantity itself: the time of an operation (throughput), its energy (TOPS/W), cycles per
cycle of an array that is always busy (utilization).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = [
    "OBJECTIVES",
    "OPERATIONS_PER_MAC",
    "QUANTITIES",
    "Figures",
    "Objective",
    "Quantity",
    "combined",
    "geometric_mean",
]

OPERATIONS_PER_MAC = 2
"""A multiplication and an addition, as throughputs are counted in the literature."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a network costs on a variant, or several networks together; what all objectives follow from.

    Cycles and energy are sums over layers. `mac_units` and `area_um2` are the variant's, None where they are not known.
    """

    cycles: float
    energy_pj: float
    macs: float
    mac_units: int | None = None
    area_um2: float | None = None


def combined(networks: Sequence[Figures], weights: Sequence[float], combine: str) -> Figures:
    """Several networks on one variant as one: weighted sums, or weighted geometric means (`combine`).

    With geometric means the mean of each objective is the objective of the means: all are products of powers of the
    four figures.
    """
    mean = weighted_sum if combine == "sum" else geometric_mean
    return Figures(
        mean([own.cycles for own in networks], weights),
        mean([own.energy_pj for own in networks], weights),
        mean([own.macs for own in networks], weights),
        networks[0].mac_units,
        networks[0].area_um2,
    )


def weighted_sum(values: Sequence[float], weights: Sequence[float]) -> float:
    """Σ w v; a whole number where all of these are."""
    return sum(weight * value for weight, value in zip(weights, values, strict=True))


def geometric_mean(values: Sequence[float], weights: Sequence[float]) -> float:
    """exp(Σ w ln v / Σ w); 0 where a value is 0."""
    if min(values) <= 0:
        return 0.0
    logs = math.fsum(weight * math.log(value) for value, weight in zip(values, weights, strict=True))
    return math.exp(logs / math.fsum(weights))


@dataclass(frozen=True, slots=True)
class Objective:
    """One thing to weigh against others.

    `column` names its values in tables, `unit` is "" for ratios. `cost(figures, clock_mhz)` is NaN where the figures
    lack what it needs. `monotone`: bounds on cycles and energy bound the cost.
    """

    name: str
    column: str
    unit: str
    formula: str
    cost: Callable[[Figures, float], float]
    maximise: bool = False
    monotone: bool = True

    def value(self, cost: float) -> float:
        """The objective in its unit from its cost, and the other way round; infinite where the reciprocal is of 0."""
        if not self.maximise:
            return cost
        return 1.0 / cost if cost else math.inf

    @property
    def label(self) -> str:
        """`latency [cycles]`."""
        words = {"edp": "EDP", "tops_per_watt": "energy efficiency"}.get(self.name, self.name)
        return f"{words} [{self.unit}]" if self.unit else words


def _edp(own: Figures, clock_mhz: float) -> float:
    return own.cycles * own.energy_pj


def _area(own: Figures, clock_mhz: float) -> float:
    return math.nan if own.area_um2 is None else own.area_um2


def _power(own: Figures, clock_mhz: float) -> float:
    return own.energy_pj / own.cycles * clock_mhz * 1e-6


def _idleness(own: Figures, clock_mhz: float) -> float:
    return math.nan if own.mac_units is None or not own.macs else own.cycles * own.mac_units / own.macs


def _nanoseconds_per_operation(own: Figures, clock_mhz: float) -> float:
    return own.cycles / clock_mhz * 1e3 / (OPERATIONS_PER_MAC * own.macs) if own.macs else math.nan


def _picojoules_per_operation(own: Figures, clock_mhz: float) -> float:
    return own.energy_pj / (OPERATIONS_PER_MAC * own.macs) if own.macs else math.nan


OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("latency", "cycles", "cycles", "Σ cycles", lambda own, clock_mhz: own.cycles),
        Objective("energy", "energy_pJ", "pJ", "Σ energy", lambda own, clock_mhz: own.energy_pj),
        Objective("edp", "edp", "pJ cycles", "energy × latency", _edp),
        Objective("area", "area_um2", "um2", "MACs + buffers + network, from the architecture", _area),
        Objective("power", "power_w", "W", "energy / time", _power, monotone=False),
        Objective("utilization", "utilization", "", "MACs / (cycles × MAC units)", _idleness, maximise=True),
        Objective("throughput", "throughput_gops", "GOP/s", "2 MACs / time", _nanoseconds_per_operation, maximise=True),
        Objective(
            "tops_per_watt", "tops_per_watt", "TOPS/W", "2 MACs / energy", _picojoules_per_operation, maximise=True
        ),
    )
}
"""Name -> objective."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """An objective in a unit that budgets may use: its value × `factor(clock_mhz)`."""

    objective: Objective
    factor: Callable[[float], float]

    def value(self, figures: Figures, clock_mhz: float) -> float:
        """NaN where the figures lack what it needs."""
        objective = self.objective
        return objective.value(objective.cost(figures, clock_mhz)) * self.factor(clock_mhz)


def _times(factor: float) -> Callable[[float], float]:
    return lambda clock_mhz: factor


QUANTITIES: dict[str, Quantity] = {
    name: Quantity(OBJECTIVES[objective], factor)
    for name, objective, factor in (
        ("latency_cycles", "latency", _times(1.0)),
        ("latency_us", "latency", lambda clock_mhz: 1.0 / clock_mhz),
        ("latency_ms", "latency", lambda clock_mhz: 1e-3 / clock_mhz),
        ("latency_s", "latency", lambda clock_mhz: 1e-6 / clock_mhz),
        ("energy_pj", "energy", _times(1.0)),
        ("energy_uj", "energy", _times(1e-6)),
        ("energy_mj", "energy", _times(1e-9)),
        ("energy_j", "energy", _times(1e-12)),
        ("edp_pj_cycles", "edp", _times(1.0)),
        ("edp_js", "edp", lambda clock_mhz: 1e-18 / clock_mhz),
        ("area_um2", "area", _times(1.0)),
        ("area_mm2", "area", _times(1e-6)),
        ("power_mw", "power", _times(1e3)),
        ("power_w", "power", _times(1.0)),
        ("utilization", "utilization", _times(1.0)),
        ("throughput_gops", "throughput", _times(1.0)),
        ("throughput_tops", "throughput", _times(1e-3)),
        ("tops_per_watt", "tops_per_watt", _times(1.0)),
    )
}
"""Name with its unit -> what a budget limits. `mj` is millijoules."""
