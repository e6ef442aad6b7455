"""What the scheduler answers, beside what a user asks of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dse.model import Evaluation
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping
from dse.specification.problem import Problem
from dse.specification.scheduling import OBJECTIVES, TRAFFIC_MODELS, CosaWeights, ScheduleOptions

__all__ = ["OBJECTIVES", "TRAFFIC_MODELS", "CosaWeights", "Schedule", "ScheduleOptions"]


@dataclass(frozen=True, slots=True)
class Schedule:
    """A mapping with its cost and what is known about its distance from the optimum, or why there is none.

    `value` and `lower_bound` are in the unit of the objective: cycles, pJ, pJ × cycles, or the weighted sum of
    logarithms of `cosa`. `termination` is one of optimal, gap_reached, time_limit, feasible, infeasible; with
    time_limit the mapping may be missing. `evaluations`: how many mappings were costed by the evaluator. No mapping
    takes less than `least_cycles` and `least_energy_pj`, whatever the objective; None where nothing is proven.
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
    evaluations: int = 0
    least_cycles: int | None = None
    least_energy_pj: float | None = None
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
            "evaluations": self.evaluations,
        }
