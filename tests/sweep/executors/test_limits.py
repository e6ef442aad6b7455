"""Limits of a point: its own time limit, and a share of the memory that this machine or its container has."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from dse.sweep.executors.limits import Limits, machine_memory_bytes, shared_limits
from dse.sweep.task import Task


def test_time_follows_the_time_limit_of_the_scheduler(task_of: Callable[..., Task]) -> None:
    assert Limits(grace_seconds=10).seconds(task_of("a", time_limit_seconds=30)) == 70
    default = replace(task_of("a"), options='{"objective": "edp", "weights": {}}')
    assert Limits(grace_seconds=10).seconds(default) == 130


def test_memory_is_shared_among_the_workers() -> None:
    assert shared_limits(3).bytes() * 3 < machine_memory_bytes()
    assert 0 < Limits().bytes() <= machine_memory_bytes()
    assert Limits(memory_bytes=5).bytes() == 5


def test_a_container_may_have_less_memory_than_the_machine(tmp_path: Path) -> None:
    group = tmp_path / "cgroup"
    group.write_text("0::/user.slice/job\n")
    root = tmp_path / "fs"
    (root / "user.slice" / "job").mkdir(parents=True)
    whole = machine_memory_bytes(group, root)
    (root / "user.slice" / "job" / "memory.max").write_text("max\n")
    assert machine_memory_bytes(group, root) == whole
    (root / "user.slice" / "memory.max").write_text("1048576\n")
    assert machine_memory_bytes(group, root) == 1048576
    assert machine_memory_bytes(tmp_path / "none", root) == whole
