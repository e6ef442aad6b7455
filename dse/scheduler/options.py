"""What a user asks of the scheduler, and what it answers."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from dse.errors import InputError
from dse.model import Evaluation
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping
from dse.specification.problem import Problem

__all__ = ["OBJECTIVES", "TRAFFIC_MODELS", "CosaWeights", "Schedule", "ScheduleOptions"]

OBJECTIVES = ("cosa", "latency", "energy", "edp")
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
    """How to schedule. `gap` is a ratio (0.01: at most 1 % above the bound), `solver` None the objective's default."""

    objective: str = "edp"
    solver: str | None = None
    gap: float = 0.01
    time_limit_seconds: float = 60.0
    weights: CosaWeights = field(default_factory=CosaWeights)

    def __post_init__(self) -> None:
        if not math.isfinite(self.gap) or self.gap < 0:
            raise InputError(f"gap: expected a finite number of at least 0, got {self.gap}")
        if not math.isfinite(self.time_limit_seconds) or self.time_limit_seconds <= 0:
            raise InputError(f"time limit: expected a number of seconds above 0, got {self.time_limit_seconds}")


@dataclass(frozen=True, slots=True)
class Schedule:
    """A mapping with its cost and what is known about its distance from the optimum, or why there is none.

    `value` and `lower_bound` are in the unit of the objective: cycles, pJ, pJ × cycles, or the weighted sum of
    logarithms of `cosa`. `termination` is one of optimal, gap_reached, time_limit, feasible, infeasible; with
    time_limit the mapping may be missing.
    """

    objective: str
    solver: str
    termination: str
    mapping: Mapping | None = None
    evaluation: Evaluation | None = None
    value: float | None = None
    lower_bound: float | None = None
    gap: float | None = None
    solve_seconds: float = 0.0
    total_seconds: float = 0.0
    error: str | None = None

    @property
    def valid(self) -> bool:
        return self.mapping is not None and self.evaluation is not None and self.evaluation.valid

    def to_dict(self, architecture: Architecture, problem: Problem) -> dict[str, Any]:
        """The object that `dse schedule --json` prints."""
        if self.mapping is None or self.evaluation is None or not self.valid:
            answer: dict[str, Any] = {"valid": False, "error": self.error}
        else:
            answer = {
                "valid": True,
                "mapping": self.mapping.directives(architecture, problem.shape),
                "cycles": self.evaluation.latency_cycles,
                "energy_pJ": self.evaluation.energy_pj,
                "edp": self.evaluation.edp,
                "utilization": self.evaluation.utilization,
            }
        return answer | {
            "objective": self.objective,
            "value": self.value,
            "lower_bound": self.lower_bound,
            "gap": self.gap,
            "termination": self.termination,
            "solver": self.solver,
            "solve_seconds": round(self.solve_seconds, 6),
            "total_seconds": round(self.total_seconds, 6),
        }
