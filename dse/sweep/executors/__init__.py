"""Where tasks run: in this process's care, or in that of Ray's workers on one machine or a cluster.

An executor takes tasks and gives their results in the order in which they end. The points themselves are scheduled in
child processes, one to a worker, which the worker watches: a point that crashes its process, or overruns its time or
its memory, is recorded as a result with the reason, and the points beside it are none the worse.
"""

from __future__ import annotations

from dse.sweep.executors.executor import Executor, TaskQueue
from dse.sweep.executors.limits import Limits
from dse.sweep.executors.on_ray import RayExecutor, ray_executor
from dse.sweep.executors.serial import SerialExecutor, serial_executor

__all__ = ["Executor", "Limits", "RayExecutor", "SerialExecutor", "TaskQueue", "ray_executor", "serial_executor"]
