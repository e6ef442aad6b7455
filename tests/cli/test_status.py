"""`dse status` of a folder: before, during and after a sweep, with failures by reason and the front so far."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from dse.cli import main
from dse.report.status import StudyStatus, render_status, study_status
from dse.specification.study import load_study
from dse.sweep.driver import run_sweep
from dse.sweep.executors import Executor
from dse.sweep.folder import StudyFolder
from dse.sweep.heartbeat import Heartbeat, read_heartbeat, write_heartbeat
from dse.sweep.plan import plan_study
from dse.sweep.progress import Progress
from dse.sweep.task import FAILED, Result, Task
from tests.processes import wait_until


class Quick:
    """An executor whose points cost what their place says; every third has no mapping."""

    workers = 1
    window = 4

    def __init__(self) -> None:
        self._waiting: list[Task] = []
        self._count = 0

    @property
    def running(self) -> int:
        return len(self._waiting)

    def submit(self, task: Task) -> None:
        self._waiting.append(task)

    def next_results(self) -> list[Result]:
        return [self._result(key) for key, _, _ in self._waiting.pop(0).points]

    def _result(self, key: str) -> Result:
        self._count += 1
        good = Result(key, "optimal", "cosa", cycles=self._count, energy_pj=100.0 - self._count, area_um2=2.0)
        if self._count == 3:
            error = f"it held {self._count} MiB"
            return Result(key, FAILED, "cosa", error=error, error_type="OutOfMemoryError")
        if self._count in (6, 7):
            return Result(key, "infeasible", "cosa", error=f"buffer {self._count}00 is too small")
        return good


@contextmanager
def quick() -> Iterator[Executor]:
    yield Quick()


@pytest.fixture
def folder(small_study: Path, tmp_path: Path) -> StudyFolder:
    folder = StudyFolder(tmp_path / "run")
    progress = Progress(quiet=True, file=folder.progress_file)
    run_sweep(plan_study(load_study(small_study)), folder, quick, progress)
    return folder


def test_failures_are_counted_by_reason_and_the_front_is_that_of_complete_variants(folder: StudyFolder) -> None:
    status = study_status(folder)
    assert (status.study, status.running, status.variants, status.pruned) == ("small", False, 6, 0)
    assert status.heartbeat is not None
    assert status.heartbeat.finished
    assert (status.heartbeat.total, status.heartbeat.done, status.heartbeat.without_mapping) == (12, 12, 3)
    first, second = status.failures
    assert (first.count, first.termination) == (2, "infeasible")
    assert first.example in ("buffer 600 is too small", "buffer 700 is too small")
    assert (second.count, second.termination, second.example) == (1, FAILED, "OutOfMemoryError: it held 3 MiB")
    assert status.complete == len(status.front) == 3
    cycles = [point.cycles for point in status.front]
    assert cycles == sorted(cycles)
    text = render_status(status)
    assert text.startswith("small: finished 0 s ago\n  12/12 schedules (100 %), 3 without a mapping; 12 run in 0 s")
    assert "Without a mapping (3):" in text
    assert f"{first.example} (v" in text
    assert "The Pareto front of these:" in text


def test_json_holds_the_same(folder: StudyFolder, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", str(folder.path), "--json"]) == 0
    assert StudyStatus.from_dict(json.loads(capsys.readouterr().out)) == study_status(folder)


def test_a_sweep_on_another_machine_is_known_by_its_last_sign(folder: StudyFolder) -> None:
    beat = read_heartbeat(folder.progress_file)
    assert beat is not None
    write_heartbeat(folder.progress_file, replace(beat, host="elsewhere", finished=False, updated=beat.updated - 90))
    status = study_status(folder)
    assert status.running is None
    assert render_status(status).startswith("small: on elsewhere, last heard of 1 min 3")


def test_a_sweep_that_runs_and_one_that_was_killed(
    small_study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_study.write_text(small_study.read_text().replace("[32, 64, 128]", "{range: [16, 512, 16]}"))
    run = tmp_path / "run"
    command = [
        sys.executable,
        "-m",
        "dse",
        "sweep",
        str(small_study),
        "--output",
        str(run),
        "--workers",
        "1",
        "--quiet",
        "--no-cache",
        "--no-prune",
    ]
    with subprocess.Popen(command) as sweep:
        assert wait_until(lambda: (beat := read_heartbeat(run / "progress.json")) and beat.ran > 2, 180)
        assert main(["status", str(run)]) == 0
        shown = capsys.readouterr().out
        assert shown.startswith(f"small: running as process {sweep.pid} on {os.uname().nodename}\n")
        assert " left\n" in shown
        sweep.send_signal(signal.SIGKILL)
    assert main(["status", str(run)]) == 0
    assert "not running; it stopped" in capsys.readouterr().out


def test_what_is_no_sweep(tmp_path: Path, capsys: pytest.CaptureFixture[str], folder: StudyFolder) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["status", str(tmp_path / "empty")]) == 2
    assert "holds no study" in capsys.readouterr().err
    folder.progress_file.write_text("[1]")
    assert main(["status", str(folder.path)]) == 2
    assert "progress.json: was not written by dse sweep" in capsys.readouterr().err
    folder.progress_file.unlink()
    assert study_status(folder).heartbeat is None
    assert render_status(study_status(folder)).startswith("small: not running\n")


def test_a_heartbeat_is_whole_or_absent(tmp_path: Path) -> None:
    beat = Heartbeat(10, 4, 3, 1, 0, 2.0, 3.0, 1.5)
    assert read_heartbeat(tmp_path / "progress.json") is None
    write_heartbeat(tmp_path / "progress.json", beat)
    assert read_heartbeat(tmp_path / "progress.json") == beat
    write_heartbeat(
        tmp_path / "missing" / "progress.json", beat
    )  # a disk that cannot be written is the store's to report
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]
