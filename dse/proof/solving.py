"""One solve of a program, believed only as far as the solver's own statistics go."""

from __future__ import annotations

import math
import time
import warnings
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
from cvxpy import settings

from dse.errors import ToolError
from dse.scheduler.solvers import Solver

__all__ = ["Outcome", "solve"]

_INFEASIBLE = (settings.INFEASIBLE, settings.INFEASIBLE_INACCURATE, settings.INFEASIBLE_OR_UNBOUNDED)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`bound`: nothing costs less (infinite: nothing is left below the cut-off). `solved`: a point was found."""

    bound: float
    solved: bool
    seconds: float


def solve(problem: cp.Problem, solver: Solver, gap: float, seconds: float) -> Outcome:
    """Minimise to an absolute gap or until the time is up.

    At its limit a solver has a bound even where it has no solution; that is what tells this from the façade's `solve`.
    Raises ToolError where the solver fails.
    """
    start = time.perf_counter()
    try:
        with warnings.catch_warnings():
            # CVXPY calls a gap that was reached inaccurate; the statistics tell the outcomes apart.
            warnings.filterwarnings("ignore", message="Solution may be inaccurate", category=UserWarning)
            problem.solve(solver=solver.name, **_options(solver, gap, max(seconds, 0.01)))
    except cp.error.SolverError as error:
        elapsed = time.perf_counter() - start
        if elapsed < 0.9 * seconds:
            raise ToolError(f"the solver {solver.name} failed: {error}") from error
        return Outcome(-math.inf, solved=False, seconds=elapsed)  # SCIP at its limit without a solution
    elapsed = time.perf_counter() - start
    if problem.status in _INFEASIBLE:  # every variable is bounded on both sides, so that nothing is unbounded
        return Outcome(math.inf, solved=False, seconds=elapsed)
    if problem.status not in (settings.OPTIMAL, settings.OPTIMAL_INACCURATE, settings.USER_LIMIT):
        raise ToolError(f"the solver {solver.name} ended with status {problem.status}")
    statistics = problem.solver_stats.extra_stats
    if solver.name == "SCIP":
        return Outcome(_finite(statistics["model"].getDualbound()), solved=True, seconds=elapsed)
    # HiGHS without a solution hands out a vector of zeros; 2 says that the solution is feasible.
    return Outcome(_finite(statistics.mip_dual_bound), statistics.primal_solution_status == 2, elapsed)


def _options(solver: Solver, gap: float, seconds: float) -> dict[str, Any]:
    options = dict(solver.options(gap, seconds))
    if solver.name == "HIGHS":
        # Restarts cost these programs 40 % of their time: few variables are fixed at the root.
        options["mip_allow_restart"] = False
    return options


def _finite(bound: float) -> float:
    return float(bound) if math.isfinite(bound) and abs(bound) < 1e19 else -math.inf
