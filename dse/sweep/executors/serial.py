"""One worker, in the care of this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dse.sweep.executors.executor import Executor
from dse.sweep.executors.limits import Limits, shared_limits
from dse.sweep.executors.scratch import scratch_folder
from dse.sweep.executors.supervisor import Run, Supervisor
from dse.sweep.task import Result, Task, run_task

__all__ = ["SerialExecutor", "serial_executor"]


class SerialExecutor:
    """Runs each task when its results are asked for."""

    workers = 1
    window = 1

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._waiting: list[Task] = []

    @property
    def running(self) -> int:
        return len(self._waiting)

    def submit(self, task: Task) -> None:
        self._waiting.append(task)

    def next_results(self) -> list[Result]:
        return self._supervisor.run_task(self._waiting.pop(0))


@contextmanager
def serial_executor(limits: Limits | None = None, run: Run = run_task) -> Iterator[Executor]:
    """An executor without Ray; `limits` of a point are by default all of this machine's memory."""
    with scratch_folder() as folder:
        supervisor = Supervisor(run, limits or shared_limits(1), folder)
        try:
            yield SerialExecutor(supervisor)
        finally:
            supervisor.close()
