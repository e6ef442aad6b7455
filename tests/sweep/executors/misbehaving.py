"""Stands in for scheduling where a test needs points that go wrong: what a point does is its key.

The child processes of the executors import this module by its name.
"""

import os
import signal
import time
from pathlib import Path

from dse.sweep.task import Result, Task

HELD = []


def run(task: Task) -> list[Result]:
    """One valid result a point; `solver` holds the process that made it."""
    return [point(key) for key, _, _ in task.points]


def point(key: str) -> Result:
    match key.split():
        case ["crash", *_]:
            signal.raise_signal(signal.SIGSEGV)
        case ["killed", "once", file, *_]:
            if not Path(file).exists():
                Path(file).touch()
                os.kill(os.getpid(), signal.SIGKILL)
        case ["end", "worker", *_]:
            os.kill(os.getppid(), signal.SIGKILL)
            time.sleep(60)
        case ["hang", *_]:
            while True:
                sum(range(10**6))
        case ["hold", mebibytes, *_]:
            HELD.append(b"x" * (int(mebibytes) * 2**20))
            time.sleep(0.5)
        case ["raise", *_]:
            raise ArithmeticError("no such figure")
        case ["leave", file, *_]:
            Path(file).touch()
        case ["sleep", seconds, *_]:
            time.sleep(float(seconds))
        case ["environment", *_]:
            return Result(key, "optimal", "cosa", error=" ".join(sorted(os.environ)))
    return Result(key, "optimal", "cosa", solver=str(os.getpid()), cycles=1, energy_pj=1.0)
