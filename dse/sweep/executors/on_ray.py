"""Ray's workers, on this machine alone or on a cluster.

Every loss of a worker or a node is this side's to see: Ray retries nothing by itself, and a task that was lost is
submitted again, a few times as a whole and then point by point.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import secrets
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, chdir, contextmanager, redirect_stdout
from functools import cache, partial
from pathlib import Path
from types import TracebackType
from typing import Any

from dse.errors import ToolError
from dse.sweep.executors.credentials import token_settings
from dse.sweep.executors.executor import Executor
from dse.sweep.executors.guard import guarded
from dse.sweep.executors.limits import Limits, WorkerDiedError, shared_limits
from dse.sweep.executors.scratch import scratch_folder
from dse.sweep.executors.supervisor import Run, Supervisor
from dse.sweep.program import program_name
from dse.sweep.task import Result, Task, failure, run_task

__all__ = ["RayExecutor", "ray_executor"]

_LOOPBACK = "127.0.0.11"  # Ray replaces 127.0.0.1 by the machine's own address, and would listen on the network
_OBJECT_STORE_BYTES = 100 * 2**20  # tasks and results are small
_TRIES = 4
_STARTS = 3
_TASKS_PER_WORKER = 4
_SECONDS_BETWEEN_COUNTS = 2.0
_SECONDS_WITHOUT_HEAD = 30.0
_SECONDS_FOR_PROCESSORS = 30.0
_COLOUR = re.compile("\x1b\\[[0-9;]*m")  # of Ray's tracebacks
_LOCAL_SETTINGS = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_memory_monitor_refresh_ms": "0",  # the supervisors watch the memory, and know which point it is that needs it
}


class RayExecutor:
    """Runs tasks as plain Ray tasks of one processor each."""

    def __init__(
        self, ray: Any, limits: Limits, run: Run, workers: int | None = None, scratch: str | None = None
    ) -> None:
        """`workers` None: as many as the cluster has processors, at any time. `scratch` is a folder of all workers."""
        self._ray = ray
        self._remote = ray.remote(_run_on_worker).options(num_cpus=1, max_retries=0)
        self._arguments = (run, limits, scratch, program_name())
        self._running: dict[Any, tuple[Task, int]] = {}
        self._fixed = workers
        self._counted = workers or 0
        self._count_again = 0.0
        self._head = _Head(ray.get_runtime_context().gcs_address)

    @property
    def workers(self) -> int:
        if self._fixed is None and time.monotonic() >= self._count_again:
            if self._head.answers():
                self._counted = int(self._ray.cluster_resources().get("CPU", 0))
            self._count_again = time.monotonic() + _SECONDS_BETWEEN_COUNTS
        return max(1, self._counted)  # where all nodes are gone, tasks wait for the next one

    @property
    def window(self) -> int:
        return _TASKS_PER_WORKER * self.workers

    @property
    def running(self) -> int:
        return len(self._running)

    def submit(self, task: Task) -> None:
        self._submit(task, 1)

    def _submit(self, task: Task, tries: int) -> None:
        self._running[self._remote.remote(task, *self._arguments)] = (task, tries)

    def next_results(self) -> list[Result]:
        ready: list[Any] = []
        while not ready:
            ready, _ = self._ray.wait(list(self._running), num_returns=1, timeout=_SECONDS_BETWEEN_COUNTS)
            if not ready:
                self._head.answers()
        (reference,) = ready
        task, tries = self._running.pop(reference)
        try:
            results: list[Result] = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:  # no point's fault: those are results
            if isinstance(error.cause, ToolError | ImportError):
                raise ToolError(f"the workers cannot run the sweep: {error.cause}") from error
            return self._lost(task, tries, error.cause, _COLOUR.sub("", str(error)))
        except self._ray.exceptions.RayError as error:
            return self._lost(task, tries, WorkerDiedError(f"its worker was lost {_TRIES} times: {error}"), str(error))
        return results

    def _lost(self, task: Task, tries: int, error: BaseException, trace: str) -> list[Result]:
        """Submit again what did not come back; the failure of a point that never does."""
        if tries < _TRIES:
            self._submit(task, tries + 1)
            return []
        if len(task.points) > 1:
            for single in task.split():
                self._submit(single, 1)
            return []
        return [failure(task, error, trace)]


class HeadLostError(ToolError):
    """Raised where a cluster's head does not answer any more."""


class _Head:
    """The head of a cluster, without which nothing goes on: Ray itself ends the process a minute after it is gone."""

    def __init__(self, address: str) -> None:
        host, _, port = address.rpartition(":")
        self._place = host, int(port)
        self._silent_since: float | None = None

    def answers(self) -> bool:
        """Whether the head is there. Raises HeadLostError where it has not been for a while."""
        try:
            with socket.create_connection(self._place, timeout=_SECONDS_BETWEEN_COUNTS):
                self._silent_since = None
                return True
        except OSError as error:
            now = time.monotonic()
            self._silent_since = self._silent_since or now
            if now - self._silent_since > _SECONDS_WITHOUT_HEAD:
                host, port = self._place
                raise HeadLostError(
                    f"the head of the cluster, {host}:{port}, is gone: the same command goes on"
                ) from error
            return False


def _run_on_worker(task: Task, run: Run, limits: Limits, scratch: str | None, program: str) -> list[Result]:
    """What a Ray worker does. Raises ToolError where this machine has another version of the project."""
    if program_name() != program:
        raise ToolError(f"{os.uname().nodename} has {program_name()}, and the sweep is of {program}")
    return _supervisor(run, limits, scratch).run_task(task)


@cache
def _supervisor(run: Run, limits: Limits, scratch: str | None) -> Supervisor:
    """The supervisor of a worker process, with its child; both last until the process ends, and no folder is held."""
    return Supervisor(run, limits, None if scratch is None else Path(scratch))


@contextmanager
def ray_executor(
    workers: int, address: str | None = None, limits: Limits | None = None, run: Run = run_task
) -> Iterator[Executor]:
    """An executor on Ray: `workers` processes on this machine, or the cluster at `address`.

    A local Ray is of this sweep alone: it has its own folder for temporary files, its own ports and its own secret, so
    sweeps side by side do not meet. The secret matters because Ray's workers listen on all interfaces, whatever address
    they are given. `limits` of a point are by default an even share of the memory. Raises ToolError where Ray does not
    start or the cluster does not answer, InputError where others may read the cluster's token.
    """
    with ExitStack() as stack:
        folder = None
        if address is None:
            scratch = stack.enter_context(scratch_folder())
            folder = str(scratch)
            limits = limits or shared_limits(workers)
            settings = _LOCAL_SETTINGS | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _secret()}
            settings |= stack.enter_context(guarded(scratch))
        else:
            settings = token_settings()
        stack.enter_context(_environment(settings))
        import ray  # noqa: PLC0415

        stack.push(partial(_disconnect, ray))
        # Ray prints there that a worker was lost, which is dealt with; standard output is for the sweep's results.
        stack.enter_context(redirect_stdout(stack.enter_context(Path(os.devnull).open("w", encoding="utf-8"))))
        if address is None:
            _start(ray, workers, folder)
        else:
            _connect(ray, workers, address, folder)
            _wait_for_processors(ray, address)
        yield RayExecutor(ray, limits or Limits(), run, workers if address is None else None, folder)


def _start(ray: Any, workers: int, folder: str | None) -> None:
    """A Ray of our own. Ray gives itself 30 seconds to start, which a busy machine exceeds: it gets another chance."""
    for tries in range(1, _STARTS + 1):
        try:
            _connect(ray, workers, None, folder)
        except ToolError:
            if tries == _STARTS:
                raise
            ray.shutdown()
        else:
            return


def _connect(ray: Any, workers: int, address: str | None, folder: str | None) -> None:
    terminate = signal.getsignal(signal.SIGTERM)
    common = {"log_to_driver": False, "logging_level": logging.ERROR, "ignore_reinit_error": False}
    with ExitStack() as stack:
        stack.push(partial(_refused, address))
        stack.enter_context(chdir("/"))  # Ray adds the working folder to where workers look for modules
        if address is None:
            ray.init(
                address="local",
                num_cpus=workers,
                num_gpus=0,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE_BYTES,
                _node_ip_address=_LOOPBACK,
                _temp_dir=f"{folder}/r",  # Ray opens it to everyone; the folder around it stays closed
                **common,
            )
        else:
            _look_for_head(address)
            ray.init(address=address, **common)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminate)  # Ray puts its own handler there, which ends with a stack trace


def _disconnect(
    ray: Any, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
) -> None:
    """Leave Ray. Where its head is gone, Ray would wait for it and then end the process with a status of its own."""
    if isinstance(error, HeadLostError):
        atexit.register(_end_without_ray)  # the last to be registered is the first to run
    else:
        ray.shutdown()


def _end_without_ray() -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(HeadLostError.exit_status)


def _refused(
    address: str | None, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
) -> None:
    """Say what any error of `ray.init` means: it has classes for few, and raises Exception itself for a slow start."""
    if not isinstance(error, Exception):
        return
    place = "on this machine" if address is None else f"at {address}"
    reason = str(error).strip() or type(error).__name__
    hint = "" if address is None else " (does the cluster run there, and is this its token, in RAY_AUTH_TOKEN?)"
    raise ToolError(f"Ray cannot be used {place}: {reason}{hint}") from error


def _look_for_head(address: str) -> None:
    """Raises OSError where nothing listens there: Ray itself would try for a quarter of an hour."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        return  # `auto`, or a scheme of Ray's
    deadline = time.monotonic() + _SECONDS_WITHOUT_HEAD
    while True:
        try:
            socket.create_connection((host.rpartition("/")[2], int(port)), timeout=_SECONDS_BETWEEN_COUNTS).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)
        else:
            return


def _wait_for_processors(ray: Any, address: str) -> None:
    """A cluster that is just starting has none for a moment. Raises ToolError where it stays so."""
    deadline = time.monotonic() + _SECONDS_FOR_PROCESSORS
    while ray.cluster_resources().get("CPU", 0) < 1:
        if time.monotonic() > deadline:
            raise ToolError(f"the cluster at {address} has no CPU to run on")
        time.sleep(0.5)


@cache
def _secret() -> str:
    """One secret for all of a process: Ray reads it once."""
    return secrets.token_hex(32)


@contextmanager
def _environment(settings: dict[str, str]) -> Iterator[None]:
    """Set environment variables, which workers inherit; variables that the user has set stay as they are."""
    added = {name: value for name, value in settings.items() if name not in os.environ}
    os.environ.update(added)
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)
