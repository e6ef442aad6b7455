"""Where tasks run: in this process, or in Ray's workers on one machine or a cluster.

An executor takes tasks and gives their results in the order in which they end. A task that raises or whose worker dies
is run again point by point; a point that fails alone is recorded as a result with the reason.
"""

from __future__ import annotations

import logging
import os
import re
import secrets
import shutil
import signal
import tempfile
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from typing import Any, Protocol

from dse.errors import ToolError
from dse.sweep.task import Result, Task, failure, run_task

__all__ = ["Executor", "RayExecutor", "SerialExecutor", "ray_executor", "serial_executor"]

_SINGLE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"
)
_LOOPBACK = "127.0.0.11"  # Ray replaces 127.0.0.1 by the machine's own address, and would listen on the network
_OBJECT_STORE_BYTES = 100 * 2**20  # tasks and results are small
_RETRIES = 3
_COLOUR = re.compile("\x1b\\[[0-9;]*m")  # of Ray's tracebacks


class Executor(Protocol):
    """Runs tasks. `window` is how many may wait or run at once, `workers` how many run."""

    workers: int
    window: int

    @property
    def running(self) -> int:
        """Tasks that have not ended."""
        ...

    def submit(self, task: Task) -> None: ...

    def next_results(self) -> list[Result]:
        """Wait for the next task that ends; its results, none where its points are run again one by one."""
        ...


class SerialExecutor:
    """Runs each task when its results are asked for, in this process."""

    workers = 1
    window = 1

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool
        self._waiting: list[Task] = []

    @property
    def running(self) -> int:
        return len(self._waiting)

    def submit(self, task: Task) -> None:
        self._waiting.append(task)

    def next_results(self) -> list[Result]:
        task = self._waiting.pop(0)
        future = self._pool.submit(run_task, task)  # a future keeps whatever the task raises
        error = future.exception()
        if error is None:
            return future.result()
        return _after_failure(self, task, error, "".join(traceback.format_exception(error)))


class RayExecutor:
    """Runs tasks as plain Ray tasks, which Ray retries when a worker or its node dies."""

    def __init__(self, ray: Any, workers: int) -> None:
        self.workers = workers
        self.window = 4 * workers
        self._ray = ray
        self._run = ray.remote(run_task).options(num_cpus=1, max_retries=_RETRIES)
        self._running: dict[Any, Task] = {}

    @property
    def running(self) -> int:
        return len(self._running)

    def submit(self, task: Task) -> None:
        self._running[self._run.remote(task)] = task

    def next_results(self) -> list[Result]:
        (reference,), _ = self._ray.wait(list(self._running), num_returns=1)
        task = self._running.pop(reference)
        try:
            results: list[Result] = self._ray.get(reference)
        except self._ray.exceptions.RayTaskError as error:
            return _after_failure(self, task, error.cause, _COLOUR.sub("", str(error)))
        except self._ray.exceptions.RayError as error:
            return _after_failure(self, task, error, str(error))
        return results


def _after_failure(executor: Executor, task: Task, error: BaseException, trace: str) -> list[Result]:
    if len(task.points) > 1:
        for single in task.split():
            executor.submit(single)
        return []
    return [failure(task, error, trace)]


@contextmanager
def serial_executor() -> Iterator[Executor]:
    """An executor without Ray."""
    with _environment(_SINGLE_THREAD), ThreadPoolExecutor(max_workers=1) as pool:
        yield SerialExecutor(pool)


@contextmanager
def ray_executor(workers: int, address: str | None = None) -> Iterator[Executor]:
    """An executor on Ray: `workers` processes on this machine, or the cluster at `address`.

    A local Ray is of this sweep alone: it has its own folder for temporary files, its own ports and its own secret, so
    sweeps side by side do not meet. The secret matters because Ray's workers listen on all interfaces, whatever address
    they are given. Raises ToolError where Ray does not start or the cluster does not answer.
    """
    folder = tempfile.mkdtemp(prefix="dse-") if address is None else None
    settings = _SINGLE_THREAD | {"RAY_USAGE_STATS_ENABLED": "0", "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"}
    if address is None:
        settings |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": _secret()}
    try:
        with _environment(settings):
            import ray  # noqa: PLC0415

            try:
                _connect(ray, workers, address, folder)
                count = workers if address is None else int(ray.cluster_resources().get("CPU", 0))
                if count < 1:
                    raise ToolError(f"the cluster at {address} has no CPU to run on")
                yield RayExecutor(ray, count)
            finally:
                ray.shutdown()
    finally:
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)


def _connect(ray: Any, workers: int, address: str | None, folder: str | None) -> None:
    terminate = signal.getsignal(signal.SIGTERM)
    common = {"log_to_driver": False, "logging_level": logging.ERROR, "ignore_reinit_error": False}
    try:
        if address is None:
            ray.init(
                address="local",
                num_cpus=workers,
                num_gpus=0,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE_BYTES,
                _node_ip_address=_LOOPBACK,
                _temp_dir=folder,
                **common,
            )
        else:
            ray.init(address=address, runtime_env={"env_vars": _SINGLE_THREAD}, **common)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        place = "on this machine" if address is None else f"at {address}"
        raise ToolError(f"Ray cannot be used {place}: {str(error).strip() or type(error).__name__}") from error
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, terminate)  # Ray puts its own handler there, which ends with a stack trace


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
