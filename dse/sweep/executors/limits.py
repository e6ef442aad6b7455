"""What one point may use before it is ended from outside, and the errors that say so.

A solver keeps to its time limit only where it looks at the clock, and to no limit of memory at all.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from dse.errors import ToolError
from dse.specification.scheduling import ScheduleOptions
from dse.sweep.task import Task

__all__ = ["Limits", "OutOfMemoryError", "OutOfTimeError", "WorkerDiedError", "machine_memory_bytes", "shared_limits"]

_SHARE_OF_MEMORY = 0.9  # the rest is for the driver, Ray and whatever else runs on the machine


class WorkerDiedError(ToolError):
    """The reason of a point whose process ended by itself or was ended by others, each time that it was tried."""


class OutOfTimeError(ToolError):
    """The reason of a point that was ended because it went on far beyond its time limit."""


class OutOfMemoryError(ToolError):
    """The reason of a point that was ended because its process held more memory than its share."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one point; `memory_bytes` None: an even share of the machine's memory for each of its processors.

    `grace_seconds` is added to what the point's own limits allow: for loading the solvers, compiling a program, and a
    busy machine.
    """

    memory_bytes: int | None = None
    grace_seconds: float = 60.0

    def seconds(self, task: Task) -> float:
        """Wall-clock seconds that a point of the task may take.

        The scheduler's time limit counts twice: it bounds the search, and what comes before and after it (a program's
        compilation, orders of loops, a last solve that began just in time) takes time of its own.
        """
        options = json.loads(task.options)
        limit: float = options.get("time_limit_seconds", ScheduleOptions().time_limit_seconds)
        return 2 * limit + (task.timeloop.seconds if task.timeloop is not None else 0.0) + self.grace_seconds

    def bytes(self) -> int:
        """Resident bytes that the process of a point may hold."""
        if self.memory_bytes is not None:
            return self.memory_bytes
        return round(_SHARE_OF_MEMORY * machine_memory_bytes() / (os.cpu_count() or 1))


def shared_limits(workers: int) -> Limits:
    """Limits for so many workers that have this machine to themselves."""
    return Limits(memory_bytes=round(_SHARE_OF_MEMORY * machine_memory_bytes() / workers))


def machine_memory_bytes(own_group: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> int:
    """Memory of this machine, or less where a control group (a container, a job of a batch system) allows less."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    try:
        groups = [line.split(":", 2)[2] for line in own_group.read_text().splitlines() if line.startswith("0::")]
    except OSError:
        groups = []
    for group in groups:
        place = root / group.lstrip("/")
        for folder in (place, *place.parents):
            if not folder.is_relative_to(root):
                break
            try:
                limits.append(int((folder / "memory.max").read_text()))
            except (OSError, ValueError):  # no such file (version 1, the root), or "max"
                continue
    return min(limits)
