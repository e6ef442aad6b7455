"""The solvers behind one façade: how each is called, limited and believed.

What CVXPY calls the outcome of a limit differs between solvers (and once is an all-zero point called a solution), so
a Status is read from each solver's own statistics. Every solver runs on one thread with its fixed default seed, and
with another one where that ends in an error.
"""

from __future__ import annotations

import ctypes
import importlib.util
import math
import os
import sys
import threading
import time
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from enum import Enum
from typing import Any

import cvxpy as cp

from dse.errors import InputError, ToolError
from dse.specification.fields import nearest

__all__ = ["HIGHS_TRUSTED", "SOLVERS", "SolveStats", "Solver", "Status", "solver_named"]


_INFINITY = 1e19  # from here on SCIP means that it knows nothing
_SEEDS = range(3)  # HiGHS may call its own optimum an error, where a row is overstepped a hair more than it tolerates


class Status(Enum):
    """How a solve ended."""

    OPTIMAL = "optimal"  # proven, within the gap that was asked for
    LIMIT = "limit"  # stopped at the time limit with a solution
    LIMIT_WITHOUT_SOLUTION = "limit without solution"
    INFEASIBLE = "infeasible"

    @property
    def has_solution(self) -> bool:
        return self in (Status.OPTIMAL, Status.LIMIT)


@dataclass(frozen=True, slots=True)
class SolveStats:
    """Outcome of one solve. `seconds` includes CVXPY's own time.

    `bound`: no solution is better; None where the solver gives none. It can be there without a solution.
    """

    solver: str
    status: Status
    objective: float | None
    bound: float | None
    seconds: float
    nodes: int | None


@dataclass(frozen=True)
class Solver(ABC):
    """A back end: what it needs and can do. Subclasses translate limits and outcomes."""

    name: str
    module: str
    package: str
    proves_bounds: bool  # gives a bound when it stops early
    absolute_gap: bool  # can stop at a gap; otherwise it goes on to the optimum
    prints: bool = False  # on standard output, whatever it is told
    seeds: range = _SEEDS  # what is tried, one after the other, while it ends in an error

    @property
    def available(self) -> bool:
        return importlib.util.find_spec(self.module) is not None

    def require(self) -> None:
        """Raise ToolError, which says what to install, where the solver is not there."""
        if not self.available:
            raise ToolError(f"the solver {self.name} is not installed: pip install {self.package}")

    def solve(
        self, problem: cp.Problem, gap: float, seconds: float, tolerance: float = 1e-6, *, proving: bool = False
    ) -> SolveStats:
        """Minimise to an absolute `gap` (in units of the objective) or until the time is up.

        `tolerance` is by how much a row may be overstepped, where the solver can be told. `proving`: a good solution is
        known and cut off, so that the solver had better not look for others. Raises ToolError where the solver is not
        installed or fails.
        """
        self.require()
        start = time.perf_counter()
        failure: Exception | None = None
        for seed in self.seeds:
            left = max(seconds - (time.perf_counter() - start), 0.01)
            options = self.options(gap, left, tolerance, proving=proving, seed=seed)
            try:
                with warnings.catch_warnings(), _SILENCE if self.prints else nullcontext():
                    # CVXPY calls a gap that was reached inaccurate; `read` tells the outcomes apart.
                    warnings.filterwarnings("ignore", message="Solution may be inaccurate", category=UserWarning)
                    problem.solve(solver=self.name, **options)
            except cp.error.SolverError as error:
                # How CVXPY reports a limit that was reached without a solution, and real failures too.
                elapsed = time.perf_counter() - start
                if elapsed >= 0.9 * seconds:
                    return SolveStats(self.name, Status.LIMIT_WITHOUT_SOLUTION, None, None, elapsed, None)
                failure = error
            else:
                return self.read(problem, time.perf_counter() - start)
        raise ToolError(f"the solver {self.name} failed: {failure}") from failure

    @abstractmethod
    def options(self, gap: float, seconds: float, tolerance: float, *, proving: bool, seed: int) -> Mapping[str, Any]:
        """Arguments of `Problem.solve`."""

    @abstractmethod
    def read(self, problem: cp.Problem, seconds: float) -> SolveStats:
        """Statistics of a solve that CVXPY accepted."""

    def _without_solution(self, problem: cp.Problem, seconds: float) -> SolveStats:
        if problem.status in (cp.INFEASIBLE, cp.INFEASIBLE_INACCURATE, cp.settings.INFEASIBLE_OR_UNBOUNDED):
            # Every variable is bounded on both sides, so nothing is unbounded.
            return SolveStats(self.name, Status.INFEASIBLE, None, None, seconds, None)
        if problem.status == cp.USER_LIMIT:
            return SolveStats(self.name, Status.LIMIT_WITHOUT_SOLUTION, None, None, seconds, None)
        raise ToolError(f"the solver {self.name} ended with status {problem.status}")


# A program has about a hundred columns and a good relaxation, so that SCIP's defaults spend most of the time on work
# that pays off on large ones. Chosen on ResNet-50 on variants of Simba, with three seeds of the solver each: one tells
# little, as the number of nodes differs by a third from seed to seed.
_SCIP_SMALL: Mapping[str, Any] = {
    "presolving/maxrestarts": 0,
    "heuristics/randrounding/freq": -1,
    "heuristics/shifting/freq": -1,
    "heuristics/intshifting/freq": -1,
    "heuristics/alns/freq": -1,
    "heuristics/clique/freq": -1,
    "heuristics/farkasdiving/freq": -1,
    "heuristics/locks/freq": -1,
    "heuristics/trysol/freq": -1,
    "heuristics/undercover/freq": -1,
    "separating/maxroundsroot": 12,
    "separating/aggregation/maxroundsroot": 5,
    "separating/aggregation/maxtriesroot": 50,
    "separating/aggregation/maxaggrs": 2,
    "separating/gomory/maxroundsroot": 5,
    "branching/relpscost/initcand": 8,
    "branching/relpscost/inititer": 5,
    "branching/preferbinary": True,  # what is chosen (orders, extents) decides more than how many factors go where
    "conflict/enable": False,
}


class _Scip(Solver):
    def options(self, gap: float, seconds: float, tolerance: float, *, proving: bool, seed: int) -> Mapping[str, Any]:
        limits = {"limits/time": seconds, "limits/absgap": gap, "parallel/maxnthreads": 1, "lp/threads": 1}
        # SCIP would take an interrupt for itself, and hand out what it has as if its time were up.
        return {
            "scip_params": {**_SCIP_SMALL, **limits, "misc/catchctrlc": False, "randomization/randomseedshift": seed}
        }

    def read(self, problem: cp.Problem, seconds: float) -> SolveStats:
        if problem.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
            return self._without_solution(problem, seconds)
        model = problem.solver_stats.extra_stats["model"]
        # CVXPY says "optimal_inaccurate" for the time limit and for a gap that was reached alike.
        limited = model.getStatus() not in ("optimal", "gaplimit")
        status = Status.LIMIT if limited else Status.OPTIMAL
        # The bound is on cost @ x alone: these programs have no constant that CVXPY would add to the value.
        bound = _believable(float(model.getDualbound()))
        return SolveStats(self.name, status, float(problem.value), bound, seconds, model.getNTotalNodes())


# HiGHS 1.12 calls one in a thousand programs with a mapping fixed optimal at a point that is not, by up to seven bits.
# Without the aggregator of its presolve (kPresolveRuleAggregator, bit 12) it was right on all 2,692 that were tried.
HIGHS_TRUSTED: Mapping[str, Any] = {"presolve_rule_off": 1 << 12}
"""Options without which HiGHS is not to be believed."""


class _Highs(Solver):
    def options(self, gap: float, seconds: float, tolerance: float, *, proving: bool, seed: int) -> Mapping[str, Any]:
        return {
            "time_limit": seconds,
            "threads": 1,
            "random_seed": seed,
            **HIGHS_TRUSTED,
            "mip_rel_gap": 0.0,
            "mip_abs_gap": gap,
            "mip_feasibility_tolerance": tolerance,
            "mip_allow_restart": False,  # restarts took 40 % of the time of small programs and fixed few variables
            # These heuristics take half of the time.
            "mip_heuristic_run_rins": not proving,
            "mip_heuristic_run_rens": not proving,
            "mip_heuristic_run_root_reduced_cost": not proving,
            "mip_heuristic_run_feasibility_jump": not proving,
        }

    def read(self, problem: cp.Problem, seconds: float) -> SolveStats:
        if problem.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE, cp.USER_LIMIT):
            return self._without_solution(problem, seconds)
        info = problem.solver_stats.extra_stats
        bound = _believable(float(info.mip_dual_bound))
        nodes = int(info.mip_node_count)
        if info.primal_solution_status != 2:  # 2: feasible. Without an incumbent CVXPY hands out a vector of zeros.
            return SolveStats(self.name, Status.LIMIT_WITHOUT_SOLUTION, None, bound, seconds, nodes)
        status = Status.OPTIMAL if problem.status == cp.OPTIMAL else Status.LIMIT
        return SolveStats(self.name, status, float(problem.value), bound, seconds, nodes)


class _GlpkMi(Solver):
    def options(self, gap: float, seconds: float, tolerance: float, *, proving: bool, seed: int) -> Mapping[str, Any]:
        # Only direct arguments reach GLPK: nested options are dropped in silence. It knows no absolute gap.
        return {"tm_lim": max(1, int(seconds * 1000))}

    def read(self, problem: cp.Problem, seconds: float) -> SolveStats:
        if problem.status not in (cp.OPTIMAL, cp.OPTIMAL_INACCURATE):
            return self._without_solution(problem, seconds)
        value = float(problem.value)
        if problem.status == cp.OPTIMAL:
            return SolveStats(self.name, Status.OPTIMAL, value, value, seconds, None)
        return SolveStats(self.name, Status.LIMIT, value, None, seconds, None)


class _Silence:
    """Keeps what C code prints off the standard output, which is for answers, while any thread is inside."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._output = -1

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if self._inside == 1 and sys.stdout is not None:  # None: the process was started without one
                sys.stdout.flush()
                self._output = os.dup(1)
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, 1)
                os.close(nowhere)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside and self._output >= 0:
                ctypes.CDLL(None).fflush(None)
                os.dup2(self._output, 1)
                os.close(self._output)
                self._output = -1


_SILENCE = _Silence()


def _believable(bound: float) -> float | None:
    """A bound, or None where the solver's infinity stands for it."""
    return bound if math.isfinite(bound) and abs(bound) < _INFINITY else None


SOLVERS: Mapping[str, Solver] = {
    solver.name: solver
    for solver in (
        _Scip("SCIP", "pyscipopt", "pyscipopt", proves_bounds=True, absolute_gap=True),
        _GlpkMi("GLPK_MI", "cvxopt", "cvxopt", proves_bounds=False, absolute_gap=False, seeds=range(1)),
        # 1.12 left a line of its developers in: "transformNewIntegerFeasibleSolution tmpSolver.run();".
        _Highs("HIGHS", "highspy", "highspy", proves_bounds=True, absolute_gap=True, prints=True),
    )
}


def solver_named(name: str) -> Solver:
    """The back end of that name. Raises InputError for an unknown one."""
    if name not in SOLVERS:
        raise InputError(f'unknown solver "{name}"{nearest(name, SOLVERS)}')
    return SOLVERS[name]
