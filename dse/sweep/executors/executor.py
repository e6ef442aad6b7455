"""What the driver of a sweep asks of an executor."""

from __future__ import annotations

from typing import Protocol

from dse.sweep.task import Result, Task

__all__ = ["Executor"]


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
