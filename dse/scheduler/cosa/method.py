"""The objective `cosa`: CoSA's weighted sum of logarithms, as one small program a layer.

Huang et al., "CoSA: Scheduling by Constrained Optimization for Spatial Accelerators", ISCA 2021.
docs/cosa.md has the formulation and what differs from the published one.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from typing import ClassVar

from dse.errors import InputError, ToolError
from dse.scheduler.cosa.decode import encode, mapping_of, overflow
from dse.scheduler.cosa.factors import Structure
from dse.scheduler.cosa.orderings import best_order
from dse.scheduler.cosa.program import Program
from dse.scheduler.cosa.repair import overflow_cut, shrunk
from dse.scheduler.cosa.traffic import cosa_cost
from dse.scheduler.options import Schedule, ScheduleOptions
from dse.search.feasibility import why_nothing_fits
from dse.solvers import SolveStats, Status, solver_named
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

__all__ = ["CosaMethod"]

_CACHED_PROGRAMS = 96  # some 10 MB each: four meshes of a network of 24 layers
_OPTIMAL_GAP = 1e-6  # the word optimal stands for at most this, as a ratio
_ROW_TOLERANCE = 1e-9  # so that the solvers agree on the objective to 1e-6
_SOLVER_TOLERANCE = 1e-6  # by which a solver may overstep rows, and so its bound
_NOTHING_FITS = "no mapping keeps to the fan-outs, the capacities and the mapspace's constraints on loops all at once"
_NOTHING_FOUND = "every mapping found exceeds a capacity, and the mapspace's constraints on loops forbid to shrink it"


class CosaMethod:
    """Solves, checks, cuts off or repairs what overflows, and picks among equal loop orders."""

    default_solver: ClassVar[str] = "SCIP"

    def __init__(self, options: ScheduleOptions) -> None:
        self.options = options
        self.solver = solver_named(options.solver or self.default_solver)
        self._programs: OrderedDict[Structure, Program] = OrderedDict()

    def program(self, structure: Structure) -> Program:
        """The compiled program of a structure, from the cache of those used last."""
        program = self._programs.pop(structure, None) or Program(structure)
        self._programs[structure] = program
        if len(self._programs) > _CACHED_PROGRAMS:
            self._programs.popitem(last=False)
        return program

    def schedule(self, architecture: Architecture, problem: Problem, mapspace: Mapspace) -> Schedule:
        """The mapping of least objective.

        Raises InputError where a level demands a least utilization, which is no constraint here, and ToolError where
        the solver fails.
        """
        start = time.perf_counter()
        for level in architecture.storage:
            if level.min_utilization > 0:
                raise InputError(f"{level.name}: a schedule cannot be asked for a min-utilization")
        structure = Structure.of(architecture, problem, mapspace)
        reason = why_nothing_fits(architecture, problem, mapspace)
        if reason is not None:
            return self._failed("infeasible", reason, 0.0, start)
        program = self.program(structure)
        cost = cosa_cost(program.variables, architecture, self.options.weights)
        program.set_parameters(architecture, cost)
        mapping, stats, seconds = self._solve(program, architecture)
        if stats.status is Status.INFEASIBLE:
            return self._failed("infeasible", _NOTHING_FITS, seconds, start)
        if mapping is None and stats.status is Status.OPTIMAL:
            return self._failed("feasible", _NOTHING_FOUND, seconds, start)
        if mapping is None:
            limit = self.options.time_limit_seconds
            return self._failed("time_limit", f"no mapping was found within {limit:g} s", seconds, start)
        mapping, evaluation = best_order(program.variables, architecture, mapping, cost)
        if not evaluation.valid:
            return self._failed("feasible", f"the mapping found does not fit: {evaluation.error}", seconds, start)
        value = float(cost @ encode(program.variables, mapping))
        bound = None if stats.bound is None else min(stats.bound + float(cost[-1]) - _SOLVER_TOLERANCE, value)
        return Schedule(
            objective="cosa",
            solver=self.solver.name,
            termination=self._termination(value, bound, stats),
            mapping=mapping,
            evaluation=evaluation,
            value=value,
            lower_bound=bound,
            gap=None if bound is None or bound <= 0 else value / bound - 1,
            solve_seconds=seconds,
            total_seconds=time.perf_counter() - start,
            evaluations=1,
        )

    def _solve(self, program: Program, architecture: Architecture) -> tuple[Mapping | None, SolveStats, float]:
        """(mapping whose tiles fit, statistics of the last solve, seconds of all solves).

        Where several data spaces share a buffer, the program bounds their sum by tangents from below: a solution that
        overflows is cut off and the program solved again, a few times; at last, its tiles are shrunk.
        """
        gap = math.log2(1.0 + self.options.gap)
        limit = self.options.time_limit_seconds
        cuts: list[tuple[dict[tuple[int, int], float], float]] = []
        seconds = 0.0
        mapping: Mapping | None = None
        while True:
            stats = self.solver.solve(program.problem, gap, limit - seconds, _ROW_TOLERANCE)
            seconds += stats.seconds
            if stats.status is Status.INFEASIBLE:
                if not program.structure.loops:
                    raise ToolError(f"the solver {stats.solver} calls a feasible problem infeasible")
                return None, stats, seconds
            if stats.status.has_solution:
                mapping = mapping_of(program.variables, program.solution())
            if mapping is None:
                return None, stats, seconds
            level = overflow(architecture, program.structure, mapping)
            if level is None:
                return mapping, stats, seconds
            shared = sum(program.structure.keep[level]) > 1
            if stats.status is not Status.OPTIMAL or not shared or len(cuts) == program.spare_cuts or seconds >= limit:
                return shrunk(architecture, program.structure, mapping), stats, seconds
            cuts.append(overflow_cut(program.structure, architecture, mapping, level))
            program.set_cuts(cuts)

    def _termination(self, value: float, bound: float | None, stats: SolveStats) -> str:
        if bound is None:
            return "time_limit" if stats.status is Status.LIMIT else "feasible"
        distance = value - bound
        if distance <= math.log2(1.0 + _OPTIMAL_GAP) + _SOLVER_TOLERANCE:
            return "optimal"
        if distance <= math.log2(1.0 + self.options.gap) + 2 * _SOLVER_TOLERANCE:
            return "gap_reached"
        return "time_limit" if stats.status is Status.LIMIT else "feasible"

    def _failed(self, termination: str, error: str, seconds: float, start: float) -> Schedule:
        return Schedule(
            objective="cosa",
            solver=self.solver.name,
            termination=termination,
            solve_seconds=seconds,
            total_seconds=time.perf_counter() - start,
            error=error,
        )
