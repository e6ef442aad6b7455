"""What a user asks of the scheduler. Light to import: the solvers themselves are `dse.scheduler`'s."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from dse.errors import InputError

__all__ = ["OBJECTIVES", "SOLVERS", "TRAFFIC_MODELS", "CosaWeights", "ScheduleOptions"]

OBJECTIVES = ("cosa", "latency", "energy", "edp")
SOLVERS = ("SCIP", "GLPK_MI", "HIGHS")
TRAFFIC_MODELS = ("energy", "published")


@dataclass(frozen=True, slots=True)
class CosaWeights:
    """Weights of CoSA's objective: −utilization · Σ log2 tiles + compute · log2 cycles + traffic · Σ log2 words.

    `traffic_model` says what the words of a level count: "energy" weighs every transfer by its estimated part of the
    energy, from the architecture; "published" is CoSA's own hand-weighted sum around the global buffer.
    The numbers are CoSA's (src/cosa/cosa.py: util_factor, compute_factor, traffic_factor).
    """

    utilization: float = 0.1
    compute: float = 10.0
    traffic: float = 1.0
    traffic_model: str = "energy"

    def __post_init__(self) -> None:
        for name in ("utilization", "compute", "traffic"):
            value = getattr(self, name)
            if not math.isfinite(value) or value < 0:
                raise InputError(f"weight {name}: expected a finite number of at least 0, got {value}")
        if self.traffic_model not in TRAFFIC_MODELS:
            raise InputError(f'traffic model: expected one of {", ".join(TRAFFIC_MODELS)}, got "{self.traffic_model}"')


@dataclass(frozen=True, slots=True)
class ScheduleOptions:
    """How to schedule. `gap` is a ratio (0.01: at most 1 % above the bound), `solver` None the objective's default.

    `latency_factor`, for the objective energy alone: mappings take at most so many times the cycles of the fastest one.
    """

    objective: str = "edp"
    solver: str | None = None
    gap: float = 0.01
    time_limit_seconds: float = 60.0
    weights: CosaWeights = field(default_factory=CosaWeights)
    latency_factor: float | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.gap) or self.gap < 0:
            raise InputError(f"gap: expected a finite number of at least 0, got {self.gap}")
        if not math.isfinite(self.time_limit_seconds) or self.time_limit_seconds <= 0:
            raise InputError(f"time limit: expected a number of seconds above 0, got {self.time_limit_seconds}")
        if self.latency_factor is not None and self.objective != "energy":
            raise InputError(f"latency factor: it goes with the objective energy, got {self.objective}")
        if self.latency_factor is not None and not 1.0 <= self.latency_factor < math.inf:
            raise InputError(f"latency factor: expected a finite number of at least 1, got {self.latency_factor}")
