"""The objectives latency, energy and edp: the evaluator's own figures, with a proven bound."""

from __future__ import annotations

import time
from typing import ClassVar

from dse.proof import Prover
from dse.scheduler.options import Schedule, ScheduleOptions
from dse.specification.architecture import Architecture
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

__all__ = ["ProvenMethod"]


class ProvenMethod:
    """Asks a Prover, which keeps the compiled programs of the last layers."""

    default_solver: ClassVar[str] = "HIGHS"

    def __init__(self, options: ScheduleOptions) -> None:
        """Raises InputError for a solver that gives no bounds, ToolError for one that is not installed."""
        self.options = options
        self._prover = Prover(options.solver or self.default_solver)

    def schedule(self, architecture: Architecture, problem: Problem, mapspace: Mapspace) -> Schedule:
        """The best mapping found within the gap and the time limit, and the bound."""
        options = self.options
        start = time.perf_counter()
        proof = self._prover.prove(
            architecture, problem, mapspace, options.objective, options.gap, options.time_limit_seconds
        )
        return Schedule(
            objective=options.objective,
            solver=proof.solver,
            termination=proof.termination,
            mapping=proof.mapping,
            evaluation=proof.evaluation,
            value=proof.value,
            lower_bound=proof.lower_bound,
            gap=proof.gap,
            solve_seconds=proof.solve_seconds,
            total_seconds=time.perf_counter() - start,
            error=proof.culprit,
        )
