"""What a worker does: schedules one problem on a few variants, and says what came of each.

The embedded evaluator guides the search for every mapping. What a mapping costs in the end is the embedded evaluator's
answer, or that of `timeloop-model`.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dse.errors import InputError
from dse.specification.architecture import Architecture
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem
from dse.specification.scheduling import CosaWeights, ScheduleOptions
from dse.specification.version import DEFAULT_VERSION

if TYPE_CHECKING:
    from dse.model import Evaluation
    from dse.scheduler import Schedule, Scheduler
    from dse.timeloop import TimeloopEvaluator

__all__ = ["FAILED", "REFUSED", "Result", "Task", "failure", "run_task", "scheduler_for"]

FAILED = "failed"
"""The termination of a point whose worker raised an error or died, or on whose mapping `timeloop-model` crashed or took
too long; `error_type` says which. Another try may end otherwise."""

REFUSED = "refused"
"""The termination of a point whose mapping `timeloop-model` finds invalid, or whose files it does not accept."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one point, as it is stored. `mapping` is Timeloop's list of directives as JSON.

    `breakdown` is what the cost is made of, as `Breakdown` writes it. `evaluator` names what costed the mapping.
    `error` is the reason where there is no cost; figures are None then. `error_type` and `traceback` are set where that
    reason is an error and not an answer.
    """

    key: str
    termination: str
    objective: str
    evaluator: str | None = None
    solver: str | None = None
    value: float | None = None
    lower_bound: float | None = None
    least_cycles: int | None = None
    least_energy_pj: float | None = None
    gap: float | None = None
    cycles: int | None = None
    energy_pj: float | None = None
    utilization: float | None = None
    area_um2: float | None = None
    breakdown: str | None = None
    mapping: str | None = None
    error: str | None = None
    error_type: str | None = None
    traceback: str | None = None
    solve_seconds: float | None = None
    total_seconds: float | None = None

    @property
    def valid(self) -> bool:
        return self.error is None


@dataclass(frozen=True, slots=True)
class Task:
    """One problem on several variants, so that one compiled program serves them all; points are (key, variant)."""

    options: str
    problem: Problem
    points: tuple[tuple[str, Architecture, Mapspace], ...]
    timeloop: TimeloopEvaluator | None = None

    @property
    def evaluator(self) -> str:
        """What is recorded with every result."""
        return "embedded" if self.timeloop is None else self.timeloop.name

    @property
    def objective(self) -> str:
        objective: str = json.loads(self.options)["objective"]
        return objective

    def split(self) -> list[Task]:
        """The same work in tasks of one point."""
        return [replace(self, points=(point,)) for point in self.points]


@lru_cache(maxsize=4)
def scheduler_for(options: str) -> Scheduler:
    """The scheduler for options in JSON; a worker process keeps the last ones with their compiled programs."""
    from dse.scheduler import Scheduler  # noqa: PLC0415  (seconds to load)

    given: dict[str, Any] = json.loads(options)
    return Scheduler(ScheduleOptions(**(given | {"weights": CosaWeights(**given["weights"])})))


def run_task(task: Task) -> list[Result]:
    """Schedule every point of a task. Errors are the executor's to record."""
    scheduler = scheduler_for(task.options)
    results = []
    for key, architecture, mapspace in task.points:
        schedule = scheduler.schedule(architecture, task.problem, mapspace)
        results.append(_result(key, schedule, architecture, task))
    return results


def _result(key: str, schedule: Schedule, architecture: Architecture, task: Task) -> Result:
    result = Result(
        key,
        schedule.termination,
        schedule.objective,
        task.evaluator,
        solver=schedule.solver,
        lower_bound=schedule.lower_bound,
        least_cycles=schedule.least_cycles,
        least_energy_pj=schedule.least_energy_pj,
        solve_seconds=schedule.solve_seconds,
        total_seconds=schedule.total_seconds,
    )
    evaluation, mapping = schedule.evaluation, schedule.mapping
    if schedule.error is not None or mapping is None or evaluation is None:
        return replace(result, error=schedule.error or f"no mapping was found ({schedule.termination})")
    directives = mapping.directives(architecture, task.problem.shape)
    result = replace(result, mapping=json.dumps(directives, separators=(",", ":")))
    if task.timeloop is None:
        return _costed(replace(result, value=schedule.value, gap=schedule.gap), evaluation)
    start = time.perf_counter()
    answer = _answer_of_timeloop(task.timeloop, result, schedule, architecture, task.problem)
    return replace(answer, total_seconds=schedule.total_seconds + time.perf_counter() - start)


def _costed(result: Result, evaluation: Evaluation) -> Result:
    from dse.model.breakdown import Breakdown  # noqa: PLC0415  (the package loads NumPy)

    return replace(
        result,
        cycles=evaluation.latency_cycles,
        energy_pj=evaluation.energy_pj,
        utilization=evaluation.utilization,
        area_um2=evaluation.area_um2,
        breakdown=Breakdown.of(evaluation).to_json(),
    )


def _answer_of_timeloop(
    timeloop: TimeloopEvaluator, result: Result, schedule: Schedule, architecture: Architecture, problem: Problem
) -> Result:
    """The result with what `timeloop-model` says of the mapping, be it that it fails.

    Bounds are proven for the embedded evaluator, which counts as one version of Timeloop does: they stand only where
    the program counts as that version and says the same of this mapping.
    """
    from dse.timeloop import RELATIVE_TOLERANCE, TimeloopError  # noqa: PLC0415  (it loads NumPy)

    if schedule.mapping is None:
        raise ValueError("there is no mapping to evaluate")
    try:
        evaluation = timeloop.evaluate(architecture, problem, schedule.mapping)
    except TimeloopError as error:
        return replace(result, termination=FAILED, error=str(error), error_type=type(error).__name__)
    except InputError as error:
        return replace(result, termination=REFUSED, error=str(error))
    if evaluation.error is not None:
        return replace(result, termination=REFUSED, error=f"timeloop-model refuses the mapping: {evaluation.error}")
    values = {"latency": evaluation.latency_cycles, "energy": evaluation.energy_pj, "edp": evaluation.edp}
    if schedule.objective not in values:  # `cosa`, whose value is of its program and no evaluator's
        return _costed(replace(result, value=schedule.value, gap=schedule.gap), evaluation)
    value, bound = float(values[schedule.objective]), schedule.lower_bound
    result = _costed(replace(result, value=value), evaluation)
    same = schedule.value is not None and math.isclose(value, schedule.value, rel_tol=RELATIVE_TOLERANCE)
    if bound is None or not same or timeloop.version != DEFAULT_VERSION.commit:
        return replace(result, termination="feasible", lower_bound=None)
    bound = min(bound, value)  # the two sum energies in orders of their own
    return replace(result, lower_bound=bound, gap=value / bound - 1.0)


def failure(task: Task, error: BaseException, traceback: str) -> Result:
    """The result of a task of one point whose worker raised `error`."""
    ((key, _, _),) = task.points
    reason = str(error).strip() or "no message"
    return Result(
        key,
        FAILED,
        task.objective,
        task.evaluator,
        error=reason,
        error_type=type(error).__name__,
        traceback=traceback,
    )
