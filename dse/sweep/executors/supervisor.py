"""A worker's half of scheduling: hands points to a child process, watches it, and says what came of each point."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import dse
from dse.errors import ToolError
from dse.sweep.executors.limits import Limits, OutOfMemoryError, OutOfTimeError, WorkerDiedError
from dse.sweep.task import Result, Task, failure

__all__ = ["Run", "Supervisor"]

Run = Callable[[Task], list[Result]]
"""What a child does with a task of one point; it is named to the child, so it stands in a module."""

_SINGLE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
_SECRETS = "RAY_AUTH_"
_TRIES = 3
"""How often a point is tried whose process dies: others may have killed it (the kernel, where memory is short)."""

_SECONDS_TO_START = 120.0
_SECONDS_BETWEEN_LOOKS = 0.2
_LOG_BYTES = 4000


class Supervisor:
    """Runs tasks point by point in a child process, which is made anew where it had to be ended.

    To be used from one thread, which lives as long as the supervisor: the child dies with it.
    """

    def __init__(self, run: Run, limits: Limits, scratch: Path | None = None) -> None:
        """`scratch` is where temporary files of the child go (None: where the system puts them)."""
        self._run = run
        self._limits = limits
        self._scratch = scratch
        self._child: _Child | None = None

    def run_task(self, task: Task) -> list[Result]:
        """One result a point; a point that had to be ended is a failure that says why.

        Raises ToolError where this machine cannot start the child.
        """
        results: list[Result] = []
        done = tries = 0
        while done < len(task.points):
            rest = replace(task, points=task.points[done:])
            child = self._child = self._child or _Child(self._scratch)
            try:
                for answer in child.answers(self._run, rest, self._limits):
                    results += answer
                    done += 1
                    tries = 0
                return results
            except OutOfTimeError as error:
                reason: ToolError = error
                final = True
            except OutOfMemoryError as error:
                reason, final = error, not child.served  # what earlier points have left is not this one's doing
            except WorkerDiedError as error:
                tries += 1
                reason, final = error, tries == _TRIES
            log = child.log()
            self.close()
            if final:
                results.append(failure(replace(task, points=task.points[done : done + 1]), reason, log))
                done += 1
                tries = 0
        return results

    def close(self) -> None:
        """End the child at once, whatever it is doing."""
        if self._child is not None:
            self._child.end()
            self._child = None


class _Child:
    """A process that schedules points, and the socket to it."""

    def __init__(self, scratch: Path | None) -> None:
        self.served = 0
        self._log = os.memfd_create("log")  # the process's messages, in no folder
        fcntl.fcntl(self._log, fcntl.F_SETFL, os.O_APPEND)
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                # -P: a module that stands in the working folder is none of ours
                [sys.executable, "-P", "-m", f"{__package__}.child", str(theirs.fileno()), str(os.getpid())],
                pass_fds=(theirs.fileno(),),
                env=_environment(scratch),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._log,
                start_new_session=True,  # Ctrl-C is for the driver, which ends the child
            )
        self._connection = Connection(ours.detach())
        self._statistics = Path(f"/proc/{self._process.pid}/statm")

    def answers(self, run: Run, task: Task, limits: Limits) -> Iterator[list[Result]]:
        """The results of each point.

        Raises one of the errors of `limits`, after which the child is of no more use; ToolError where none can start.
        """
        seconds, memory_bytes = limits.seconds(task), limits.bytes()
        try:
            if not self.served:
                self._wait_for_start()
            self._connection.send((run, task))
            for _ in task.points:
                self._wait(seconds, memory_bytes)
                results: list[Result] = self._connection.recv()
                self.served += 1
                os.truncate(self._log, 0)
                yield results
        except (EOFError, ConnectionError) as error:
            raise WorkerDiedError(f"its process {_manner(self._process.wait())}, {_TRIES} times") from error

    def _wait_for_start(self) -> None:
        """Until the child is there. Raises ToolError where it does not come to that, which is no point's fault."""
        if not self._connection.poll(_SECONDS_TO_START):
            raise WorkerDiedError(f"its process did not start within {_SECONDS_TO_START:g} s, {_TRIES} times")
        try:
            self._connection.recv()
        except EOFError:
            status = self._process.wait()
            if status < 0:
                raise
            lines = self.log().strip().splitlines() or [f"status {status}"]
            reason = next((line for line in reversed(lines) if "Error" in line), lines[-1])
            raise ToolError(f"no process to schedule in can be started: {reason}") from None

    def _wait(self, seconds: float, memory_bytes: int) -> None:
        """Until the next answer is there. Raises OutOfTimeError or OutOfMemoryError where it takes too much."""
        deadline = time.monotonic() + seconds
        while not self._connection.poll(_SECONDS_BETWEEN_LOOKS):
            if time.monotonic() > deadline:
                raise OutOfTimeError(f"ended from outside after {seconds:g} s, far beyond its time limit")
            held = self._held_bytes()
            if held > memory_bytes:
                raise OutOfMemoryError(
                    f"ended from outside: it held {held / 2**20:,.0f} MiB of memory, "
                    f"more than the {memory_bytes / 2**20:,.0f} MiB of a worker"
                )

    def log(self) -> str:
        """The end of what the process has written about the last point."""
        size = os.fstat(self._log).st_size
        return os.pread(self._log, _LOG_BYTES, max(0, size - _LOG_BYTES)).decode(errors="replace")

    def end(self) -> None:
        """Kill the process, with what it may have started in its group."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._connection.close()
        os.close(self._log)

    def _held_bytes(self) -> int:
        try:
            return int(self._statistics.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        except (OSError, IndexError):  # it has just ended
            return 0


def _environment(scratch: Path | None) -> dict[str, str]:
    """This process's environment without Ray's secrets; one thread for each solver unless the user says otherwise."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SECRETS)}
    paths = [str(Path(dse.__file__).resolve().parent.parent), kept.get("PYTHONPATH", "")]
    added = {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    if scratch is not None:
        added["TMPDIR"] = str(scratch)
    return _SINGLE_THREAD | kept | added


def _manner(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"
