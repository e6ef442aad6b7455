"""What the driver of a sweep asks of an executor."""

from __future__ import annotations

from typing import Protocol

from dse.sweep.task import Result, Task

__all__ = ["Executor", "TaskQueue"]


class Executor(Protocol):
    """Runs tasks. Every point of a task that was submitted ends as exactly one result."""

    @property
    def workers(self) -> int:
        """Tasks that run at once. It follows the nodes that join a cluster or leave it."""
        ...

    @property
    def window(self) -> int:
        """Tasks that may wait or run at once, so that no worker waits for the driver."""
        ...

    @property
    def running(self) -> int:
        """Tasks that have not ended."""
        ...

    def submit(self, task: Task) -> None: ...

    def next_results(self) -> list[Result]:
        """Wait for the next task that ends; its results, none where it is run again.

        Raises ToolError where no worker can run any task.
        """
        ...


class TaskQueue:
    """The part of an executor that keeps tasks until their results are asked for."""

    workers = 1
    window = 1

    def __init__(self) -> None:
        self._waiting: list[Task] = []

    @property
    def running(self) -> int:
        return len(self._waiting)

    def submit(self, task: Task) -> None:
        self._waiting.append(task)
