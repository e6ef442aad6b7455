"""The best mapping of a mapspace, and a proof of how far from optimal it can be at most."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dse.errors import InputError
from dse.model import Evaluation, evaluate
from dse.proof.diving import dive, rounded
from dse.proof.linear import Linear
from dse.proof.points import mapping_of
from dse.proof.program import Program
from dse.proof.rounding import exact_cycles, rounded_down, trivial_bound
from dse.proof.search import Candidate, Search
from dse.proof.structure import CAPPED, Structure
from dse.search.feasibility import why_nothing_fits
from dse.solvers import Solver, Status, solver_named
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

__all__ = ["OBJECTIVES", "Proof", "Prover", "prove"]

OBJECTIVES = ("latency", "energy", "edp")

_MARGIN = 1.5e-4  # log2: what a solver's tolerances may take off a bound
_FINEST = 6e-4  # log2: no solve aims below this gap
_MOST_ROUNDS = 12
_SHARE = 0.3  # of the gap that was asked for: that much below the best mapping a solve looks for others
_WIDE, _WIDE_SHARE = 0.01, 0.9  # log2 of a gap beyond which a proof is worth more than a better mapping
_SMALL, _SMALL_SHARE = 300, 0.1  # programs of at most so many variables are proven to a finer gap in about the time
_LARGE = 550  # variables; beyond, a solver takes seconds to find a good mapping
_FAR = 0.12  # log2: where the best mapping is further above the bound, a solve looks for better ones first
_WANDERINGS = 12  # random changes that local search starts from anew
_STARTS = 2  # rounded mappings that local search starts from
_VIOLATION = 1e-4  # of a sum, in the linear relaxation
_ANY = 1e3  # log2 of a cost above that of any mapping


@dataclass(frozen=True, slots=True)
class Proof:
    """The answer. `value` and `lower_bound` are in cycles, pJ or pJ × cycles.

    `lower_bound` holds for every valid mapping with perfect factors, the mapspace's bypass pattern, any loop orders and
    spatial factors within each level's own fan-out. `termination`: optimal, gap_reached, time_limit, feasible (the
    program cannot prove the gap that was asked for) or infeasible; then `culprit` names the data spaces and the level
    that do not fit, or what else leaves no mapping. `evaluations` counts the mappings that were costed.
    """

    mapping: Mapping | None
    evaluation: Evaluation | None
    value: float | None
    lower_bound: float | None
    termination: str
    solver: str
    seconds: float
    solve_seconds: float = 0.0
    evaluations: int = 0
    culprit: str | None = None

    @property
    def gap(self) -> float | None:
        """value / lower_bound − 1."""
        return None if self.value is None or not self.lower_bound else self.value / self.lower_bound - 1.0


def prove(
    architecture: Architecture,
    problem: Problem,
    mapspace: Mapspace,
    objective: str,
    gap: float,
    time_limit_seconds: float,
    solver: str | None = None,
) -> Proof:
    """One layer on one architecture. Use a Prover for many variants: it keeps compiled programs."""
    return Prover(solver).prove(architecture, problem, mapspace, objective, gap, time_limit_seconds)


class Prover:
    """Proves with one solver, and keeps the programs of the last layers compiled."""

    def __init__(self, solver: str | None = None, programs: int = 32) -> None:
        """Raises InputError for a solver that gives no bounds, ToolError for one that is not installed."""
        self.solver: Solver = solver_named(solver or "HIGHS")
        if not self.solver.proves_bounds:
            reason = "it gives no bound when it stops; use HIGHS or SCIP"
            raise InputError(f"the solver {self.solver.name} proves nothing here: {reason}")
        self.solver.require()
        self._programs: OrderedDict[Structure, Program] = OrderedDict()
        self._most = programs

    def _program(self, structure: Structure) -> Program:
        program = self._programs.pop(structure, None) or Program(structure)
        self._programs[structure] = program
        if len(self._programs) > self._most:
            self._programs.popitem(last=False)
        return program

    def prove(
        self,
        architecture: Architecture,
        problem: Problem,
        mapspace: Mapspace,
        objective: str,
        gap: float,
        time_limit_seconds: float,
        other_start: Callable[[], Mapping | None] = lambda: None,
        most_cycles: int | None = None,
    ) -> Proof:
        """The best mapping that was found within the limits, and the bound.

        Where the gap stays open, the search also starts from the mapping that `other_start` gives. With `most_cycles`,
        energy is minimised over the mappings that take no longer; then the search begins with the mapping of
        `other_start`, which has to be one of them.

        Raises InputError for an unknown objective, ToolError where the solver fails.
        """
        if objective not in OBJECTIVES:
            raise InputError(f'objective "{objective}": expected one of {", ".join(OBJECTIVES)}')
        if most_cycles is not None and objective != "energy":
            raise InputError(f'objective "{objective}": cycles are limited for energy alone')
        start = time.perf_counter()
        structure = Structure.of(architecture, problem, mapspace, objective if most_cycles is None else CAPPED)
        search = Search(architecture, structure, math.inf if most_cycles is None else most_cycles)
        culprit = why_nothing_fits(architecture, problem, mapspace)
        if culprit is not None:
            return self._nothing("infeasible", start, culprit)
        program = self._program(structure)
        program.set_architecture(architecture)
        first = search.outermost()
        if most_cycles is not None:
            program.limit_cycles(exact_cycles(architecture, structure, most_cycles))
            first = min([first, *search.given(other_start())], key=lambda own: own.log_cost)
        run = _Run(self.solver, program, search, gap, start + time_limit_seconds)
        best, log_bound = run.close(*run.begin(first))
        if log_bound < math.inf and best.log_cost - log_bound - _MARGIN > run.tolerance:
            # Starts of another kind: the deadline may pass by a descent or two.
            best = run.descend([best, *search.given(other_start()), *search.scattered()])
            best = search.wander(best, _WANDERINGS, max(run.deadline, time.perf_counter() + 0.3))
        if not math.isfinite(best.log_cost):
            if log_bound == math.inf:
                reason = (
                    "no factors satisfy the constraints of the mapspace and fit" if mapspace.loops else "nothing fits"
                )
                return self._nothing("infeasible", start, reason)
            return self._nothing("time_limit", start, f"no mapping was found within {time_limit_seconds:g} s")
        mapping = search.mapping(best)
        evaluation = evaluate(architecture, problem, mapping)
        value = _value(evaluation, objective)
        bound = max(rounded_down(architecture, structure, log_bound), trivial_bound(architecture, structure))
        bound = min(bound, value)
        proven = value / bound - 1.0 if bound > 0 else math.inf
        late = time.perf_counter() >= start + time_limit_seconds
        open_end = "time_limit" if late else "feasible"  # feasible: the relaxation itself is no tighter
        termination = "optimal" if proven < 1e-6 else "gap_reached" if proven <= gap else open_end
        seconds = time.perf_counter() - start
        name, evaluations = self.solver.name, search.evaluations
        return Proof(mapping, evaluation, value, bound, termination, name, seconds, run.solve_seconds, evaluations)

    def _nothing(self, termination: str, start: float, culprit: str) -> Proof:
        """The answer where there is no mapping."""
        seconds = time.perf_counter() - start
        return Proof(None, None, None, None, termination, self.solver.name, seconds, culprit=culprit)


def _value(evaluation: Evaluation, objective: str) -> float:
    if objective == "latency":
        return float(evaluation.latency_cycles)
    return evaluation.energy_pj if objective == "energy" else evaluation.edp


class _Run:
    """The rounds of solving and refining for one layer."""

    def __init__(self, solver: Solver, program: Program, search: Search, gap: float, deadline: float) -> None:
        self.solver, self.program, self.search = solver, program, search
        self.deadline = deadline
        self.tolerance = max(math.log2(1.0 + gap) - 2 * _MARGIN, _FINEST)
        self.solve_seconds = 0.0

    def begin(self, best: Candidate) -> tuple[Candidate, float]:
        """(the best mapping found by rounding, log2 of the bound) of the linear relaxation, whose tangents are kept."""
        program, search = self.program, self.search
        start = time.perf_counter()
        theta = np.asarray(program.theta.value)
        linear = Linear(program.rows, theta)
        solution = linear.solve(_VIOLATION)
        self.solve_seconds += time.perf_counter() - start
        program.start_tangents()
        program.touch(linear.term, linear.at)
        if solution is None:
            return best, -math.inf  # the program says whether there is a point
        fixed, slope = linear.lagrangian(solution.multipliers)
        bound = fixed + float(slope @ theta)
        points = [solution.point, *dive(linear, program, solution.point, self.deadline)]
        every = np.arange(len(program.terms))
        program.touch(every, points[-1][program.rows.log])
        found = search.cheapest([mapping_of(program, rounded(program, point)) for point in points], _STARTS)
        if found:
            best = min(best, self.descend(found), key=lambda own: own.log_cost)
        if program.size > _LARGE and _FAR < best.log_cost - bound < math.inf:
            best = search.wander(best, _WANDERINGS, self.deadline)
        return best, min(bound, best.log_cost)

    def close(self, best: Candidate, bound: float) -> tuple[Candidate, float]:
        """(the best mapping, log2 of the bound) once the gap is closed, the time is up or nothing improves."""
        program, search = self.program, self.search
        small = program.size <= _SMALL
        wide = self.tolerance >= _WIDE
        share = _SMALL_SHARE if small else _WIDE_SHARE if wide else _SHARE
        # A small program is solved down to the cut-off, unless its gap is wide and the time saved worth more.
        enough = 1.01 * share * self.tolerance if small and not wide else self.tolerance
        hunting = True
        for _ in range(_MOST_ROUNDS):
            left = self.deadline - time.perf_counter()
            if left <= 0 or bound == math.inf or best.log_cost - bound <= enough:
                break
            # Nothing is left below the cut-off: then the gap is closed.
            cutoff = min(best.log_cost - share * self.tolerance, _ANY)
            program.cutoff.value = cutoff
            far = hunting and best.log_cost - bound > _FAR
            gap = _FAR / 2 if far else self.tolerance / 4
            outcome = self.solver.solve(program.problem, gap, left, proving=not far)
            self.solve_seconds += outcome.seconds
            infeasible = outcome.status is Status.INFEASIBLE
            proven = math.inf if infeasible else -math.inf if outcome.bound is None else outcome.bound
            if infeasible and math.isfinite(best.log_cost):
                proven = cutoff
            before, bound = bound, max(bound, min(proven, cutoff if math.isfinite(best.log_cost) else math.inf))
            point = program.solution() if outcome.status.has_solution else None
            if point is None:
                break
            program.add_tangents(point)
            found = search.polish(search.candidate(mapping_of(program, point)))
            if found.log_cost - bound > self.tolerance:
                found = search.improve(found, self.deadline)
            if found.log_cost < best.log_cost:
                best = found
            elif far:
                hunting = False
            elif (
                math.isfinite(best.log_cost)
                and bound < before + self.tolerance / 8
                and program.exact_cost(point) < bound + self.tolerance / 8
            ):
                break  # the relaxation itself is not tighter
        return best, bound - _MARGIN

    def descend(self, starts: list[Candidate]) -> Candidate:
        """The best that local search finds from some candidates, of which there is one at least."""
        deadline = max(self.deadline, time.perf_counter() + 0.3)
        return min((self.search.improve(start, deadline) for start in starts), key=lambda own: own.log_cost)
