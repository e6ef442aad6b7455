"""A point that crashes, hangs or eats memory is ended from outside and recorded; its neighbours do not notice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dse.errors import ToolError
from dse.sweep.executors.limits import Limits
from dse.sweep.executors.supervisor import Run, Supervisor
from dse.sweep.task import FAILED, Result, Task, run_task

MIB = 2**20
LIMITS = Limits(memory_bytes=300 * MIB, grace_seconds=1.0)


@pytest.fixture
def supervisor(misbehave: Run) -> Iterator[Supervisor]:
    supervisor = Supervisor(misbehave, LIMITS)
    yield supervisor
    supervisor.close()


def outcome(result: Result) -> tuple[str, str | None]:
    return result.termination, result.error_type


FINE = ("optimal", None)


def test_points_share_a_process_and_come_in_order(supervisor: Supervisor, task_of: Callable[..., Task]) -> None:
    results = supervisor.run_task(task_of("a", "b")) + supervisor.run_task(task_of("c"))
    assert [result.key for result in results] == ["a", "b", "c"]
    (process,) = {result.solver for result in results}
    assert process != str(os.getpid())


def test_a_crash_is_one_failed_point(supervisor: Supervisor, task_of: Callable[..., Task]) -> None:
    first, crashed, last = supervisor.run_task(task_of("a", "crash", "b"))
    assert outcome(first) == outcome(last) == FINE
    assert outcome(crashed) == (FAILED, "WorkerDiedError")
    assert crashed.error == "its process was ended by SIGSEGV, 3 times"
    assert "Segmentation fault" in (crashed.traceback or "")
    assert "misbehaving.py" in (crashed.traceback or "")


def test_a_point_whose_process_others_kill_is_tried_again(
    supervisor: Supervisor, task_of: Callable[..., Task], tmp_path: Path
) -> None:
    results = supervisor.run_task(task_of("a", f"killed once {tmp_path / 'killed'}", "b"))
    assert [outcome(result) for result in results] == [FINE] * 3
    assert results[0].solver != results[1].solver == results[2].solver


def test_a_point_that_ignores_its_time_limit_is_ended(supervisor: Supervisor, task_of: Callable[..., Task]) -> None:
    start = time.monotonic()
    first, endless, last = supervisor.run_task(task_of("a", "hang", "b", time_limit_seconds=0.5))
    assert time.monotonic() - start < 30
    assert outcome(first) == outcome(last) == FINE
    assert outcome(endless) == (FAILED, "OutOfTimeError")
    assert endless.error == "ended from outside after 2 s, far beyond its time limit"


def test_a_point_that_overruns_its_memory_is_ended(supervisor: Supervisor, task_of: Callable[..., Task]) -> None:
    first, greedy, last = supervisor.run_task(task_of("a", "hold 600", "b"))
    assert outcome(first) == outcome(last) == FINE
    assert outcome(greedy) == (FAILED, "OutOfMemoryError")
    assert "more than the 300 MiB of a worker" in (greedy.error or "")


def test_memory_that_earlier_points_have_left_is_no_fault_of_a_point(
    supervisor: Supervisor, task_of: Callable[..., Task]
) -> None:
    results = supervisor.run_task(task_of("hold 100 a", "hold 100 b", "hold 100 c", "d"))
    assert [outcome(result) for result in results] == [FINE] * 4


def test_an_error_is_recorded_and_its_process_goes_on(supervisor: Supervisor, task_of: Callable[..., Task]) -> None:
    first, wrong, last = supervisor.run_task(task_of("a", "raise", "b"))
    assert outcome(wrong) == (FAILED, "ArithmeticError")
    assert wrong.error == "no such figure"
    assert "in point" in (wrong.traceback or "")
    assert first.solver == last.solver


def test_a_real_solver_beyond_its_memory(task_of: Callable[..., Task]) -> None:
    """No limit of this size lets a solver load, so the point fails with the reason."""
    supervisor = Supervisor(run_task, Limits(memory_bytes=60 * MIB))
    (result,) = supervisor.run_task(task_of("key"))
    supervisor.close()
    assert outcome(result) == (FAILED, "OutOfMemoryError")


def test_the_child_knows_no_secret_and_one_thread(
    supervisor: Supervisor, task_of: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAY_AUTH_TOKEN", "0123456789abcdef" * 4)
    (result,) = supervisor.run_task(task_of("environment"))
    names = (result.error or "").split()
    assert "OMP_NUM_THREADS" in names
    assert not [name for name in names if name.startswith("RAY_AUTH")]


def test_modules_of_the_working_folder_are_not_run(
    supervisor: Supervisor, task_of: Callable[..., Task], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ctypes", "click", "numpy", "yaml", "dse"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('code of the folder was run')\n")
    monkeypatch.chdir(tmp_path)
    assert [outcome(result) for result in supervisor.run_task(task_of("a"))] == [FINE]


def test_where_no_child_can_start_no_point_is_blamed(
    supervisor: Supervisor, task_of: Callable[..., Task], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(ToolError, match=r"no process to schedule in can be started: .*encodings"):
        supervisor.run_task(task_of("a"))


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_child_ends_with_its_parent(number: signal.Signals, misbehave: Run, tmp_path: Path) -> None:
    """The parent is killed while a point spins in its child."""
    spin = (
        "import os, sys; from dse.processes import die_with\n"
        "die_with(int(sys.argv[1])); print(os.getpid(), flush=True)\n"
        "while True: pass\n"
    )
    script = f"import os, subprocess, sys; subprocess.run([sys.executable, '-c', {spin!r}, str(os.getpid())])"
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert Path(f"/proc/{child}").exists()
        parent.send_signal(number)
        parent.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not Path(f"/proc/{child}").exists()
