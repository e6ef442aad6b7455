"""What a worker does: schedules one problem on a few variants, and says what came of each."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from dse.specification.architecture import Architecture
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

if TYPE_CHECKING:
    from dse.scheduler import Schedule, Scheduler

__all__ = ["FAILED", "Result", "Task", "failure", "run_task", "scheduler_for"]

FAILED = "failed"
"""The termination of a point whose worker raised an error or died; `error_type` says which."""


@dataclass(frozen=True, slots=True)
class Result:
    """The outcome of one point, as it is stored. `mapping` is Timeloop's list of directives as JSON.

    `error` is the reason where there is no valid mapping; figures are None then. `error_type` and `traceback` are set
    where that reason is an error and not an answer.
    """

    key: str
    termination: str
    objective: str
    solver: str | None = None
    value: float | None = None
    lower_bound: float | None = None
    gap: float | None = None
    cycles: int | None = None
    energy_pj: float | None = None
    utilization: float | None = None
    area_um2: float | None = None
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

    @property
    def objective(self) -> str:
        objective: str = json.loads(self.options)["objective"]
        return objective

    def split(self) -> list[Task]:
        """The same work in tasks of one point."""
        return [Task(self.options, self.problem, (point,)) for point in self.points]


@lru_cache(maxsize=1)
def scheduler_for(options: str) -> Scheduler:
    """The scheduler for options in JSON; a worker process keeps one with its compiled programs."""
    from dse.scheduler import CosaWeights, ScheduleOptions, Scheduler  # noqa: PLC0415

    given: dict[str, Any] = json.loads(options)
    return Scheduler(ScheduleOptions(**(given | {"weights": CosaWeights(**given["weights"])})))


def run_task(task: Task) -> list[Result]:
    """Schedule every point of a task. Errors are the executor's to record."""
    scheduler = scheduler_for(task.options)
    return [
        _result(key, scheduler.schedule(architecture, task.problem, mapspace), architecture, task.problem)
        for key, architecture, mapspace in task.points
    ]


def _result(key: str, schedule: Schedule, architecture: Architecture, problem: Problem) -> Result:
    result = Result(
        key,
        schedule.termination,
        schedule.objective,
        solver=schedule.solver,
        lower_bound=schedule.lower_bound,
        solve_seconds=schedule.solve_seconds,
        total_seconds=schedule.total_seconds,
    )
    evaluation, mapping = schedule.evaluation, schedule.mapping
    if schedule.error is not None or mapping is None or evaluation is None:
        return replace(result, error=schedule.error or f"no mapping was found ({schedule.termination})")
    return replace(
        result,
        value=schedule.value,
        gap=schedule.gap,
        cycles=evaluation.latency_cycles,
        energy_pj=evaluation.energy_pj,
        utilization=evaluation.utilization,
        area_um2=evaluation.area_um2,
        mapping=json.dumps(mapping.directives(architecture, problem.shape), separators=(",", ":")),
    )


def failure(key: str, objective: str, error: BaseException, traceback: str) -> Result:
    """The result of a point whose worker raised `error`."""
    reason = str(error).strip() or "no message"
    return Result(key, FAILED, objective, error=reason, error_type=type(error).__name__, traceback=traceback)
