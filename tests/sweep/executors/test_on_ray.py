"""Ray on this machine: points that go wrong, workers that are killed, and nothing left behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dse.sweep.executors import Executor, Limits, ray_executor
from dse.sweep.executors.credentials import token_settings
from dse.sweep.executors.supervisor import Run
from dse.sweep.task import FAILED, Result, Task
from tests.processes import Family, wait_until

MIB = 2**20
WORKER = "ray::_run_on_worker"


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The system's folder for temporary files while a test runs; `tmp_path` lies too deep for Ray's sockets."""
    folder = Path(tempfile.mkdtemp(prefix="t-"))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    shutil.rmtree(folder)


def drained(executor: Executor) -> dict[str, Result]:
    results: list[Result] = []
    while executor.running:
        results += executor.next_results()
    by_key = {result.key: result for result in results}
    assert len(by_key) == len(results)
    return by_key


def test_every_point_ends_as_one_result_whatever_happens(
    misbehave: Run, task_of: Callable[..., Task], temporary: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = Family()
    for name, value in family.environment().items():
        monkeypatch.setenv(name, value)
    for name in ("click", "dse", "numpy", "yaml"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('code of the working folder was run')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("dse.sweep.executors.on_ray._TRIES", 2)
    limits = Limits(memory_bytes=300 * MIB, grace_seconds=1.0)
    with ray_executor(2, limits=limits, run=misbehave) as executor:
        assert (executor.workers, executor.window) == (2, 8)
        executor.submit(task_of("a", "crash", "b", f"killed once {tmp_path / 'first'}"))
        executor.submit(task_of("c", "raise", "hold 600", "d"))
        executor.submit(task_of("e", "hang", "f", time_limit_seconds=0.5))
        executor.submit(task_of("g"))
        results = drained(executor)
        assert {key.split()[0]: result.error_type for key, result in results.items() if not result.valid} == {
            "crash": "WorkerDiedError",
            "raise": "ArithmeticError",
            "hold": "OutOfMemoryError",
            "hang": "OutOfTimeError",
        }
        assert len(results) == 12

        executor.submit(task_of(f"leave {tmp_path / 'started'}", "sleep 1", "h", time_limit_seconds=30))
        assert wait_until((tmp_path / "started").exists, 180)
        for worker in family.members(WORKER):
            os.kill(worker, signal.SIGKILL)
        assert [result.error for result in drained(executor).values()] == [None] * 3

        executor.submit(task_of("i", "end worker", "j"))  # no supervisor is left to tell which point it was
        results = drained(executor)
        assert {key: result.error_type for key, result in results.items()} == {
            "i": None,
            "end worker": "WorkerDiedError",
            "j": None,
        }
        assert results["end worker"].termination == FAILED
        assert "its worker was lost 2 times" in (results["end worker"].error or "")

        token = os.environ["RAY_AUTH_TOKEN"]
        assert len(token) == 64
        assert token not in family.command_lines()
        (folder,) = temporary.glob("dse-*")
        assert folder.stat().st_mode & 0o777 == 0o700
        written = [path for path in folder.rglob("*") if path.is_file()]
        assert written
        assert not [path for path in written if token.encode() in path.read_bytes()]
    assert family.gone()
    assert not list(temporary.iterdir())


def test_a_driver_that_is_killed_or_interrupted_leaves_no_process_and_no_folder(
    small_study: Path, tmp_path: Path, temporary: Path
) -> None:
    small_study.write_text(small_study.read_text().replace("[32, 64, 128]", "{range: [16, 512, 16]}"))
    family = Family()
    run = tmp_path / "run"
    sweep = [
        sys.executable,
        "-m",
        "dse",
        "sweep",
        str(small_study),
        "--output",
        str(run),
        "--no-cache",
        "--no-prune",
        "--quiet",
        "--workers",
    ]
    with subprocess.Popen([*sweep, "2"], env=family.environment()) as driver:
        assert wait_until(lambda: family.members(WORKER), 180)
        assert list(temporary.glob("dse-*"))
        time.sleep(1)
        driver.kill()
    assert family.gone()
    assert not list(temporary.iterdir())
    with subprocess.Popen([*sweep, "1"], env=family.environment()) as driver:
        assert wait_until(lambda: family.members(f"{sys.executable} -P -m dse.sweep.executors.child"), 180)
        driver.send_signal(signal.SIGINT)
        assert driver.wait() == 130
    assert family.gone()
    assert not list(temporary.iterdir())


def test_a_token_that_others_can_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], small_study: Path
) -> None:
    from dse.cli import main  # noqa: PLC0415

    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    assert token_settings() == {}
    token = tmp_path / ".ray" / "auth_token"
    token.parent.mkdir()
    token.write_text("secret")
    token.chmod(0o644)
    sweep = ["sweep", str(small_study), "--output", str(tmp_path / "run"), "--address", "127.0.0.99:1"]
    assert main(sweep) == 2
    assert capsys.readouterr().err.endswith(f"dse: {token}: others can read this token: chmod 600 {token}\n")
    token.chmod(0o600)
    assert token_settings() == {"RAY_AUTH_MODE": "token"}
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "missing"))
    assert main(sweep) == 2
    assert "missing: cannot be read as Ray's token: No such file or directory" in capsys.readouterr().err
