"""One worker, in the care of this process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dse.sweep.executors.executor import Executor, TaskQueue
from dse.sweep.executors.limits import Limits, shared_limits
from dse.sweep.executors.scratch import scratch_folder
from dse.sweep.executors.supervisor import Run, Supervisor
from dse.sweep.task import Result, run_task

__all__ = ["SerialExecutor", "serial_executor"]


class SerialExecutor(TaskQueue):
    """Runs each task when its results are asked for."""

    def __init__(self, supervisor: Supervisor) -> None:
        super().__init__()
        self._supervisor = supervisor

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
