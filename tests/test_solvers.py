import ctypes
import warnings
from dataclasses import replace

import cvxpy as cp
import numpy as np
import pytest

from dse.errors import InputError, ToolError
from dse.scheduler import ScheduleOptions, Scheduler
from dse.solvers import _SILENCE, SOLVERS, Solver, Status, solver_named

each_solver = pytest.mark.parametrize("solver", list(SOLVERS.values()), ids=list(SOLVERS))


def _market_split(rows: int, columns: int, slack: bool) -> cp.Problem:
    """Split customers into halves that match every total (Cornuéjols and Dawande, 1998): far too hard at this size.

    With slack any split is a solution, of which none is soon proven best; without it none is found.
    """
    weights = np.random.default_rng(7).integers(0, 100, (rows, columns)).astype(float)
    x = cp.Variable(columns, boolean=True)
    over, under = (cp.Variable(rows, bounds=[0, 1e4 if slack else 0]) for _ in range(2))
    balance = weights @ x + under - over == np.floor(weights.sum(axis=1) / 2)
    return cp.Problem(cp.Minimize(cp.sum(over + under)), [balance])


@each_solver
def test_optimum_and_bound(solver: Solver) -> None:
    x = cp.Variable(3, integer=True, bounds=[0, 5])
    problem = cp.Problem(cp.Maximize(np.array([3.0, 5.0, 2.0]) @ x), [np.array([2.0, 4.0, 1.5]) @ x <= 11.2])
    stats = solver.solve(cp.Problem(cp.Minimize(-problem.objective.expr), problem.constraints), 0.0, 10.0)
    assert stats.status is Status.OPTIMAL
    assert stats.solver == solver.name
    assert stats.objective == pytest.approx(-16.0)
    assert stats.bound == pytest.approx(-16.0)


@each_solver
def test_infeasible(solver: Solver) -> None:
    x = cp.Variable(2, integer=True, bounds=[0, 5])
    stats = solver.solve(cp.Problem(cp.Minimize(cp.sum(x)), [2 * x[0] + 2 * x[1] == 5]), 0.0, 10.0)
    assert stats.status is Status.INFEASIBLE
    assert stats.objective is None


@each_solver
def test_time_limit_with_a_solution(solver: Solver) -> None:
    stats = solver.solve(_market_split(5, 50, slack=True), 0.0, 0.7)
    assert stats.status is Status.LIMIT
    assert stats.objective is not None
    assert stats.objective > 0
    assert (stats.bound is not None) == solver.proves_bounds
    assert stats.bound is None or stats.bound <= stats.objective


@each_solver
def test_time_limit_without_a_solution(solver: Solver) -> None:
    stats = solver.solve(_market_split(7, 60, slack=False), 0.0, 0.7)
    assert stats.status is Status.LIMIT_WITHOUT_SOLUTION
    assert stats.objective is None


@pytest.mark.parametrize("solver", [own for own in SOLVERS.values() if own.absolute_gap], ids=lambda own: own.name)
def test_absolute_gap_counts_as_reached(solver: Solver) -> None:
    stats = solver.solve(_market_split(3, 30, slack=True), 1e4, 20.0)
    assert stats.status is Status.OPTIMAL
    assert stats.objective is not None
    assert stats.bound is not None
    assert stats.objective - stats.bound <= 1e4


def test_a_solver_that_is_not_installed_says_what_to_install() -> None:
    missing = replace(SOLVERS["SCIP"], name="NONE", module="no_such_module", package="no-such-package")
    assert not missing.available
    with pytest.raises(ToolError, match="NONE is not installed: pip install no-such-package") as raised:
        missing.solve(_market_split(2, 5, slack=True), 0.0, 1.0)
    assert raised.value.exit_status == 3


@each_solver
def test_a_solve_leaves_no_warnings(solver: Solver) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        solver.solve(_market_split(4, 40, slack=True), 0.0, 0.3)


@each_solver
@pytest.mark.parametrize("errors", [1, 2, 9])
def test_an_error_is_tried_again_with_another_seed(
    solver: Solver, errors: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[dict[str, object]] = []
    solve = cp.Problem.solve

    def failing(problem: cp.Problem, **options: object) -> object:
        calls.append(options)
        if len(calls) <= errors:
            raise cp.error.SolverError("an error")
        return solve(problem, **options)

    monkeypatch.setattr(cp.Problem, "solve", failing)
    x = cp.Variable(2, integer=True, bounds=[0, 5])
    problem = cp.Problem(cp.Minimize(-x[0] - x[1]), [x[0] + 2 * x[1] <= 7])
    if errors >= len(solver.seeds):
        with pytest.raises(ToolError, match=f"the solver {solver.name} failed: an error"):
            solver.solve(problem, 0.0, 10.0)
        assert len(calls) == len(solver.seeds)
    else:
        assert solver.solve(problem, 0.0, 10.0).objective == pytest.approx(-6.0)
        assert len(calls) == errors + 1
    assert all(calls[0] | {"time_limit": 0} != other | {"time_limit": 0} for other in calls[1:])


def test_what_solvers_print_is_not_on_standard_output(capfd: pytest.CaptureFixture[str]) -> None:
    c = ctypes.CDLL(None)
    with _SILENCE:
        with _SILENCE:  # as of two threads
            c.printf(b"HighsMipSolverData\n")
        c.printf(b"HighsMipSolverData\n")
    c.printf(b"answer\n")
    c.fflush(None)
    assert capfd.readouterr().out == "answer\n"


def test_unknown_names_are_input_errors() -> None:
    with pytest.raises(InputError, match='did you mean "HIGHS"'):
        solver_named("HIGH")
    with pytest.raises(InputError, match='unknown solver "CPLEX"'):
        Scheduler(ScheduleOptions("cosa", solver="CPLEX"))
    with pytest.raises(InputError, match='objective "speed" is not known'):
        Scheduler(ScheduleOptions("speed"))


@pytest.mark.parametrize("option", [{"gap": -0.1}, {"gap": float("nan")}, {"time_limit_seconds": 0.0}])
def test_senseless_options_are_input_errors(option: dict[str, float]) -> None:
    with pytest.raises(InputError, match="expected a"):
        replace(ScheduleOptions("cosa"), **option)  # type: ignore[arg-type]
