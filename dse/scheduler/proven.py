"""The objectives latency, energy and edp: the evaluator's own figures, with a proven bound."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import ClassVar

from dse.errors import InputError, ToolError
from dse.proof import Proof, Prover
from dse.proof.latency import least_cycles
from dse.proof.rounding import least_energy_pj
from dse.proof.structure import Structure
from dse.scheduler.cosa.method import CosaMethod
from dse.scheduler.options import Schedule, ScheduleOptions
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

__all__ = ["ProvenMethod"]

_COSA_SECONDS = 2.0


class ProvenMethod:
    """Asks a Prover, which keeps the compiled programs of the last layers."""

    default_solver: ClassVar[str] = "HIGHS"

    def __init__(self, options: ScheduleOptions) -> None:
        """Raises InputError for a solver that gives no bounds, ToolError for one that is not installed."""
        self.options = options
        self._prover = Prover(options.solver or self.default_solver)
        cosa = replace(options, objective="cosa", solver=None, time_limit_seconds=_COSA_SECONDS, latency_factor=None)
        self._cosa = CosaMethod(cosa)

    def schedule(self, architecture: Architecture, problem: Problem, mapspace: Mapspace) -> Schedule:
        """The best mapping found within the gap and the time limit, and the bound."""
        options = self.options
        start = time.perf_counter()
        proof = self._proof(architecture, problem, mapspace)
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
            evaluations=proof.evaluations,
            least_cycles=least_cycles(architecture, problem, mapspace),
            least_energy_pj=least_energy_pj(architecture, Structure.of(architecture, problem, mapspace, "energy")),
            error=proof.culprit,
        )

    def _proof(self, architecture: Architecture, problem: Problem, mapspace: Mapspace) -> Proof:
        options = self.options
        if options.latency_factor is None:
            return self._prove(architecture, problem, mapspace, options.objective)
        fastest = self._fastest(architecture, problem, mapspace)
        if fastest.evaluation is None:
            return fastest
        most_cycles = math.floor(options.latency_factor * fastest.evaluation.latency_cycles)
        return self._prover.prove(
            architecture,
            problem,
            mapspace,
            "energy",
            options.gap,
            options.time_limit_seconds,
            lambda: fastest.mapping,
            most_cycles,
        )

    def _fastest(self, architecture: Architecture, problem: Problem, mapspace: Mapspace) -> Proof:
        return self._prove(architecture, problem, mapspace, "latency")

    def _prove(self, architecture: Architecture, problem: Problem, mapspace: Mapspace, objective: str) -> Proof:
        return self._prover.prove(
            architecture,
            problem,
            mapspace,
            objective,
            self.options.gap,
            self.options.time_limit_seconds,
            lambda: self._start(architecture, problem, mapspace),
        )

    def _start(self, architecture: Architecture, problem: Problem, mapspace: Mapspace) -> Mapping | None:
        """CoSA's mapping, where its solver is there and takes the layer: another start."""
        try:
            return self._cosa.schedule(architecture, problem, mapspace).mapping
        except (InputError, ToolError):
            return None
