"""The two back ends that prove bounds, each believed only as far as its own statistics go.

What CVXPY calls the outcome of a limit differs between them, and once is an all-zero point called a solution; a point
counts only where the solver itself says that it is feasible, and a bound even where there is none. Every solve runs on
one thread with a fixed seed.
"""

from __future__ import annotations

import importlib.util
import math
import time
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import cvxpy as cp
from cvxpy import settings

from dse.errors import InputError, ToolError
from dse.specification.fields import nearest

__all__ = ["BACK_ENDS", "BackEnd", "Outcome", "back_end"]

_INFEASIBLE = (settings.INFEASIBLE, settings.INFEASIBLE_INACCURATE, settings.INFEASIBLE_OR_UNBOUNDED)
_SOLVED = (settings.OPTIMAL, settings.OPTIMAL_INACCURATE, settings.USER_LIMIT)


@dataclass(frozen=True, slots=True)
class Outcome:
    """`bound`: nothing costs less (infinite: nothing is left below the cut-off). `solved`: a point was found."""

    bound: float
    solved: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class BackEnd:
    """A solver: the module that it needs, its options for (absolute gap, seconds), how its statistics are read."""

    name: str
    module: str
    options: Callable[[float, float], Mapping[str, Any]]
    read: Callable[[Any], tuple[float, bool]]

    def require(self) -> None:
        """Raise ToolError, which says what to install, where the solver is not there."""
        if importlib.util.find_spec(self.module) is None:
            raise ToolError(f"the solver {self.name} is not installed: pip install {self.module}")

    def solve(self, problem: cp.Problem, gap: float, seconds: float) -> Outcome:
        """Minimise to an absolute gap or until the time is up. Raises ToolError where the solver fails."""
        start = time.perf_counter()
        try:
            with warnings.catch_warnings():
                # CVXPY calls a gap that was reached inaccurate; the statistics tell the outcomes apart.
                warnings.filterwarnings("ignore", message="Solution may be inaccurate", category=UserWarning)
                problem.solve(solver=self.name, **self.options(gap, max(seconds, 0.01)))
        except cp.error.SolverError as error:
            elapsed = time.perf_counter() - start
            if elapsed < 0.9 * seconds:
                raise ToolError(f"the solver {self.name} failed: {error}") from error
            return Outcome(-math.inf, solved=False, seconds=elapsed)  # SCIP at its limit without a solution
        elapsed = time.perf_counter() - start
        if problem.status in _INFEASIBLE:  # every variable is bounded on both sides, so that nothing is unbounded
            return Outcome(math.inf, solved=False, seconds=elapsed)
        if problem.status not in _SOLVED:
            raise ToolError(f"the solver {self.name} ended with status {problem.status}")
        bound, solved = self.read(problem.solver_stats.extra_stats)
        believable = math.isfinite(bound) and abs(bound) < 1e19
        return Outcome(bound if believable else -math.inf, solved, elapsed)


def _highs_options(gap: float, seconds: float) -> Mapping[str, Any]:
    return {
        "time_limit": seconds,
        "threads": 1,
        "random_seed": 0,
        "mip_rel_gap": 0.0,
        "mip_abs_gap": gap,
        "mip_allow_restart": False,  # restarts took 40 % of the time and fixed few variables
    }


def _scip_options(gap: float, seconds: float) -> Mapping[str, Any]:
    parameters = {"limits/time": seconds, "limits/absgap": gap, "parallel/maxnthreads": 1, "lp/threads": 1}
    return {"scip_params": parameters}


BACK_ENDS: Mapping[str, BackEnd] = {
    own.name: own
    for own in (
        # primal_solution_status 2: feasible. Without a solution CVXPY hands out a vector of zeros.
        BackEnd("HIGHS", "highspy", _highs_options, lambda s: (float(s.mip_dual_bound), s.primal_solution_status == 2)),
        BackEnd("SCIP", "pyscipopt", _scip_options, lambda s: (float(s["model"].getDualbound()), True)),
    )
}


def back_end(name: str) -> BackEnd:
    """The solver of that name. Raises InputError for one that is unknown or proves nothing."""
    if name in BACK_ENDS:
        return BACK_ENDS[name]
    if name in cp.settings.SOLVERS:
        raise InputError(f"the solver {name} proves nothing here: it gives no bound when it stops; use HIGHS or SCIP")
    raise InputError(f'unknown solver "{name}"{nearest(name, BACK_ENDS)}')
