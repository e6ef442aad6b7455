"""The process in which points are scheduled: `python -m dse.sweep.executors.child SOCKET PARENT`.

It answers one point after another over the socket that it has inherited, and ends with its parent, however that ends.
"""

from __future__ import annotations

import faulthandler
import resource
import sys
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from dse.processes import die_with
from dse.sweep.task import Result, Task, failure

__all__ = ["main"]

_FIRST_TO_BE_KILLED = "1000"  # proc(5), oom_score_adj


def main(socket: int, parent: int) -> None:
    """Say that it is there, then answer (function, task) with the results of each point, until the socket is closed."""
    die_with(parent)
    faulthandler.enable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a crash leaves no file
    with suppress(OSError):  # a container may show /proc as read-only
        Path("/proc/self/oom_score_adj").write_text(_FIRST_TO_BE_KILLED)
    # A future keeps whatever the task raises, so that every error becomes a result.
    with Connection(socket) as connection, ThreadPoolExecutor(max_workers=1) as pool:
        connection.send(None)
        while True:
            try:
                run, task = connection.recv()
            except EOFError:
                return
            for point in task.split():
                connection.send(_answer(pool, run, point))


def _answer(pool: ThreadPoolExecutor, run: Callable[[Task], list[Result]], task: Task) -> list[Result]:
    future = pool.submit(run, task)
    error = future.exception()
    if error is None:
        return future.result()
    return [failure(task, error, "".join(traceback.format_exception(error)))]


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
