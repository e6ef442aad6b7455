"""Sweeps whose costs come from timeloop-model: recorded outputs replayed, and the real program where there is one."""

import os
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dse.cli import main
from dse.errors import ToolError
from dse.specification.study import load_study
from dse.sweep.driver import run_sweep
from dse.sweep.executors import serial_executor
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import plan_study
from dse.sweep.progress import Progress
from dse.sweep.task import FAILED, REFUSED, Result
from dse.timeloop import TimeloopEvaluator

QUIET = Progress(quiet=True)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study of two variants of so few mappings that every one is recorded."""
    folder = shutil.copytree(Path(__file__).parent / "data" / "study", tmp_path / "study")
    return folder / "study.yaml"


def rows(study: Path, folder: Path, evaluator: str, timeloop: TimeloopEvaluator | None = None) -> dict[int, Result]:
    """Results of a sweep by variant, without what differs from run to run."""
    sweep = plan_study(replace(load_study(study), evaluator=evaluator), timeloop)
    run_sweep(sweep, StudyFolder(folder), serial_executor, QUIET)
    results = StudyFolder(folder).read_results()
    return {
        point.variant: replace(results[point.key], key="", solve_seconds=None, total_seconds=None)
        for point in sweep.points()
    }


def comparable(result: Result) -> dict[str, object]:
    """A row without the evaluator's name; energies may differ in their last digits."""
    figures = {"energy_pj": result.energy_pj, "value": result.value, "gap": result.gap}
    plain = replace(result, evaluator=None, energy_pj=None, value=None, gap=None)
    return {"row": plain} | {name: pytest.approx(figure, rel=1e-9) for name, figure in figures.items()}


@pytest.mark.parametrize("objective", ["cosa", "edp"])
def test_rows_equal_those_of_the_embedded_evaluator(
    study: Path, tmp_path: Path, timeloop: Path, objective: str
) -> None:
    study.write_text(study.read_text().replace("edp", objective))
    program = TimeloopEvaluator(timeloop)
    embedded = rows(study, tmp_path / "embedded", "embedded")
    real = rows(study, tmp_path / "real", "timeloop", program)
    assert len(real) == 2
    assert [result.evaluator for result in real.values()] == [f"timeloop {program.version}"] * 2
    assert [result.evaluator for result in embedded.values()] == ["embedded"] * 2
    for variant, result in real.items():
        assert result.valid
        assert result.mapping == embedded[variant].mapping
        if program.version == "019f107":  # others count otherwise
            assert result.lower_bound is not None
            assert comparable(result) == comparable(embedded[variant])


def test_figures_and_bounds_are_of_the_version_that_runs(
    study: Path, tmp_path: Path, program: Callable[[str], Path], replay: Path
) -> None:
    """A program that counts otherwise gives the row its own costs; bounds proven for 019f107 do not hold there."""
    fewer = 'sed -i "/<fills>/,/<.fills>/s/<item>4</<item>2</" timeloop-model.map+stats.xml'
    path = program("exit 1")
    path.write_text(f'#!/bin/sh\n{shlex.quote(str(replay))} "$@" && {fewer}\n')
    evaluator = TimeloopEvaluator(path)
    assert evaluator.name == "timeloop 4cf6d4c"
    for result in rows(study, tmp_path / "run", "timeloop", evaluator).values():
        assert (result.valid, result.evaluator, result.termination) == (True, "timeloop 4cf6d4c", "feasible")
        assert (result.lower_bound, result.gap) == (None, None)
        assert result.value == (result.cycles or 0) * (result.energy_pj or 0.0)


@pytest.mark.parametrize(
    ("script", "termination", "error_type", "reason"),
    [
        ("echo 'ERROR: couldn'\"'\"'t map level Buffer: too big' >&2; exit 1", REFUSED, None, "level Buffer: too big"),
        (
            "echo 'ERROR: what is this' >&2; exit 1",
            REFUSED,
            None,
            "refuses the input: what is this",
        ),
        ("kill -ABRT $$", FAILED, "TimeloopError", "crashed (SIGABRT)"),
        ("exec sleep 60", FAILED, "TimeloopError", "stopped after the time limit of 3 s"),
    ],
)
def test_what_timeloop_does_not_answer_is_the_row_s_failure_and_the_sweep_goes_on(
    study: Path,
    tmp_path: Path,
    program: Callable[[str], Path],
    replay: Path,
    script: str,
    termination: str,
    error_type: str | None,
    reason: str,
) -> None:
    path = program(f'grep -q "entries: 4$" arch.yaml || exec {shlex.quote(str(replay))} "$@"\n{script}')
    evaluator = TimeloopEvaluator(path, seconds=3)
    first, second = rows(study, tmp_path / "run", "timeloop", evaluator).values()
    assert second.valid
    assert (first.termination, first.error_type, first.evaluator) == (termination, error_type, "timeloop 019f107")
    assert reason in (first.error or "")
    assert first.mapping is not None  # what to ask timeloop-model about
    assert (first.cycles, first.energy_pj, first.value, first.gap) == (None, None, None, None)
    # Only what may end otherwise is tried again.
    sweep = plan_study(load_study(study), TimeloopEvaluator(replay))
    counts = run_sweep(sweep, StudyFolder(tmp_path / "run"), serial_executor, QUIET, retry_failed=True)
    assert counts.ran == (1 if termination == FAILED else 0)
    left = [result for result in StudyFolder(tmp_path / "run").read_results().values() if not result.valid]
    assert len(left) == 1 - counts.ran


def test_the_call_decides_over_the_study(
    study: Path, tmp_path: Path, replay: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = ["sweep", str(study), "--workers", "1", "--quiet", "--output"]
    program = ["--timeloop", str(replay)]
    assert main([*sweep, str(tmp_path / "real"), *program]) == 0
    assert "objective edp, costs by timeloop 019f107. 2 of 2 variants complete" in capsys.readouterr().out
    assert main([*sweep, str(tmp_path / "embedded"), "--evaluator", "embedded"]) == 0
    capsys.readouterr()
    before = {path: path.read_bytes() for path in tmp_path.glob("*/*") if path.is_file()}
    for folder, options, words in (
        ("real", ["--evaluator", "embedded"], "this one has the evaluator embedded, not timeloop 019f107"),
        ("embedded", program, "this one has the evaluator timeloop 019f107, not embedded"),
    ):
        assert main([*sweep, str(tmp_path / folder), *options]) == 2
        assert f"holds another study ({words})" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in tmp_path.glob("*/*") if path.is_file()} == before
    assert main([*sweep, str(tmp_path / "other"), *program, "--evaluator", "embedded"]) == 2
    assert "--timeloop goes with --evaluator timeloop" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_without_timeloop_nothing_runs(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("TIMELOOP_DIR", raising=False)
    assert main(["sweep", str(study), "--output", str(tmp_path / "run")]) == 3
    out, err = capsys.readouterr()
    assert (out, "timeloop-model was not found" in err, os.fspath(tmp_path) in err) == ("", True, True)
    assert not (tmp_path / "run").exists()
    with pytest.raises(ToolError, match="was not found"):
        plan_study(load_study(study))
