"""timeloop-model as an evaluator: recorded outputs replayed, and the real program where it is installed."""

from __future__ import annotations

import os
import pickle
import re
import tempfile
import time
from pathlib import Path

import pytest

from dse.errors import InputError, ToolError
from dse.model import Evaluation, evaluate
from dse.timeloop import TimeloopError, TimeloopEvaluator, differences


def counted_otherwise(version: str, quantity: str) -> bool:
    """Whether a version is known to differ from 019f107 here: 4cf6d4c fills less, and has other networks."""
    return version == "4cf6d4c" and re.search(r"fills|energy|cycles|utilization", quantity) is not None


def test_equals_the_embedded_evaluator(point_name, points, timeloop) -> None:
    architecture, problem, mapping = points[point_name]
    evaluator = TimeloopEvaluator(timeloop)
    answer = evaluator.evaluate(architecture, problem, mapping)
    found = differences(evaluate(architecture, problem, mapping), answer, architecture)
    assert [each for each in found if not counted_otherwise(evaluator.version, each.quantity)] == []
    assert answer.evaluator == f"timeloop {evaluator.version}"
    assert answer.to_dict()["evaluator"] == answer.evaluator


def test_recorded_points_exercise_every_figure(points, replay) -> None:
    evaluator = TimeloopEvaluator(replay)
    answers = [outcome for outcome in evaluator.evaluate_many(points.values()) if isinstance(outcome, Evaluation)]
    assert len(answers) == len(points)
    valid = [answer for answer in answers if answer.valid]
    levels = [level for answer in valid for level in answer.levels]
    assert 5 < len(valid) < len(answers)
    assert any(level.network_energy_pj > 0 for level in levels)
    assert any(level.latency_cycles > answer.compute_cycles for answer in valid for level in answer.levels)
    assert any(not level.data_spaces for level in levels)
    assert any(answer.area_um2 for answer in valid)
    assert {answer.area_um2 is None for answer in valid} == {True, False}


def test_figures_of_a_mapping_counted_by_hand(points, timeloop) -> None:
    evaluator = TimeloopEvaluator(timeloop)
    answer = evaluator.evaluate(*points["probe"])
    buffer, memory = answer.levels
    # 2 × 4 products. Of the results, two words go to the buffer and back twice; their first reads bring nothing.
    assert (answer.latency_cycles, answer.compute_cycles, answer.utilization) == (8, 8, 1.0)
    assert answer.arithmetic_energy_pj == 8.0
    assert (memory.data_spaces["Matrix"].reads, memory.data_spaces["Vector"].reads) == (8, 4)
    result = memory.data_spaces["Result"]
    assert (result.reads, result.fills, result.updates) == (2, 0, 4)
    assert memory.energy_pj == 200 * (8 + 4 + 2 + 4)  # 12.5 pJ a bit
    result = buffer.data_spaces["Result"]
    assert (result.reads, result.updates, result.tile_words) == (6, 8, 1)
    assert result.fills == {"019f107": 4, "4cf6d4c": 2}[evaluator.version]


def test_recognises_the_version(replay, program) -> None:
    assert TimeloopEvaluator(replay).version == "019f107"
    fewer = f'"{replay}" "$@" && sed -i "/<fills>/,/<.fills>/s/<item>4</<item>%d</" *.xml; exit'
    path = program("exit 1")
    for fills, version in ((2, "4cf6d4c"), (3, "unknown")):
        path.write_text(f"#!/bin/sh\n{fewer % fills}\n" + "#" * fills)
        assert TimeloopEvaluator(path).version == version


def test_survives_pickling(points, replay) -> None:
    evaluator = pickle.loads(pickle.dumps(TimeloopEvaluator(replay, seconds=5)))
    assert evaluator.evaluate(*points["strided"]).valid
    assert evaluator.seconds == 5


def test_many_points_keep_their_order_and_their_failures(points, replay, program) -> None:
    path = program(f'grep -q "name: rows" problem.yaml && kill -ABRT $$; exec "{replay}" "$@"')
    evaluator = TimeloopEvaluator(path)
    outcomes = list(evaluator.evaluate_many(points.values(), processes=3))
    single = TimeloopEvaluator(replay)
    for point, outcome in zip(points.values(), outcomes, strict=True):
        if point[1].shape.name == "rows":
            assert isinstance(outcome, TimeloopError)
            assert "crashed (SIGABRT)" in str(outcome)
        else:
            assert outcome == single.evaluate(*point)


@pytest.mark.parametrize(
    ("script", "error", "told"),
    [
        ("echo 'Assertion `x > 0 failed.' >&2; kill -ABRT $$", TimeloopError, r"crashed \(SIGABRT\): .*Assertion"),
        ("kill -SEGV $$", TimeloopError, r"crashed \(SIGSEGV\)$"),
        ("(kill -SEGV $$); exit 139", TimeloopError, r"crashed \(SIGSEGV\)$"),
        ("echo WARNING: odd >&2; echo no memory >&2; exit 5", TimeloopError, "failed with exit status 5: no memory$"),
        ("exit 0", TimeloopError, r"wrote no timeloop-model\.map\+stats\.xml"),
        ("echo 'ERROR: key not found: K, at line: 3' >&2; exit 1", InputError, "refuses the input: key not found: K"),
    ],
)
def test_tells_failures_apart(script, error, told, points, program) -> None:
    evaluator = TimeloopEvaluator(program(script))
    with pytest.raises(error, match=told):
        evaluator.evaluate(*points["strided"])


@pytest.mark.parametrize(
    ("name", "error", "told"),
    [
        ("no-library", ToolError, r"lacks a library \(LD_LIBRARY_PATH\?\): .*libtimeloop-model.so"),
        ("unknown-shape", ToolError, "does not find its problem shapes: set TIMELOOP_DIR"),
        ("no-yaml", TimeloopError, "crashed .SIGABRT.: .*YAML::ParserException"),
        ("no-arch", TimeloopError, "crashed .SIGABRT.: .*Assertion"),
    ],
)
def test_tells_recorded_failures_apart(name, error, told, points, program, recordings, tmp_path) -> None:
    recorded = recordings[name]
    (tmp_path / "messages").write_text(recorded.stderr)
    end = f"kill -{-recorded.status} $$" if recorded.status < 0 else f"exit {recorded.status}"
    evaluator = TimeloopEvaluator(program(f'cat "{tmp_path}/messages" >&2; {end}'))
    with pytest.raises(ToolError, match=told) as caught:
        evaluator.evaluate(*points["strided"])
    assert type(caught.value) is error
    assert caught.value.exit_status == 3


def test_a_missing_library_is_found_at_once(program, tmp_path) -> None:
    path = program("")
    path.write_text("#!/bin/sh\necho 'timeloop-model: error while loading shared libraries: libx.so' >&2; exit 127\n")
    with pytest.raises(ToolError, match="lacks a library"):
        TimeloopEvaluator(path)


def test_a_file_that_is_no_program(tmp_path) -> None:
    path = tmp_path / "timeloop-model"
    path.write_bytes(b"\x00\x01\x02")
    path.chmod(0o755)
    with pytest.raises(ToolError, match="cannot be started: Exec format error"):
        TimeloopEvaluator(path)


def test_stops_at_the_time_limit_with_all_its_children(points, program, tmp_path) -> None:
    evaluator = TimeloopEvaluator(program(f'sleep 60 & echo $! >"{tmp_path}/child"; wait'), seconds=5)
    evaluator.seconds = 0.5
    begin = time.monotonic()
    with pytest.raises(TimeloopError, match=r"stopped after the time limit of 0\.5 s"):
        evaluator.evaluate(*points["strided"])
    assert time.monotonic() - begin < 30
    child = Path("/proc", (tmp_path / "child").read_text().strip(), "status")
    for _ in range(100):
        if not child.exists() or "State:\tZ" in child.read_text():
            break
        time.sleep(0.05)
    else:
        pytest.fail("a child of timeloop-model still runs")


@pytest.mark.parametrize(
    ("file", "damage", "told"),
    [
        ("map+stats.xml", "head -n 200", "not well-formed XML"),
        ("map+stats.xml", "sed s/topology_/topo_/", "the XML has no engine/topology_"),
        ("map+stats.xml", "sed s/Buffer/Bulwark/", "the levels MAC, Registers, Scratchpad, Bulwark, Memory"),
        ("map+stats.xml", r"sed 's:<reads>:<gone>:;s:</reads>:</gone>:'", "0 entries of reads"),
        ("map+stats.xml", "sed 's/<energy_>[^<]*/<energy_>1e12/'", "the parts add up to"),
        ("map+stats.xml", "sed 's/<energy_>[^<]*/<energy_>much/'", 'energy_ is "much", no number'),
        ("map+stats.xml", "sed 's/<slowdown>/<!ENTITY/'", "declares entities"),
        ("stats.txt", "sed 's/^Cycles: .*/Cycles: 5/'", "the total says 5"),
        ("stats.txt", "grep -v ^Cycles", "no totals"),
        ("stats.txt", "sed 's/ Area / Arena /'", "0 areas for 5 levels"),
    ],
)
def test_refuses_damaged_outputs(file, damage, told, points, program, replay) -> None:
    path = program(
        f'"{replay}" "$@" && {damage} timeloop-model.{file} >damaged && mv damaged timeloop-model.{file}; exit'
    )
    evaluator = TimeloopEvaluator(path)
    with pytest.raises(TimeloopError, match=re.escape(told)):
        evaluator.evaluate(*points["strided"])


def test_leaves_nothing_behind(points, program, replay, tmp_path, monkeypatch) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    TimeloopEvaluator(replay).evaluate(*points["strided"])
    with pytest.raises(TimeloopError):
        TimeloopEvaluator(program("exit 2")).evaluate(*points["strided"])
    assert list(scratch.iterdir()) == []
    with pytest.raises(TimeloopError) as caught:
        TimeloopEvaluator(program("exit 2"), keep_failures=True).evaluate(*points["strided"])
    (kept,) = scratch.iterdir()
    assert f"the files of this call are kept in {kept}" in str(caught.value)
    assert {"arch.yaml", "problem.yaml", "mapping.yaml"} <= {path.name for path in kept.iterdir()}


def test_the_environment_cannot_change_the_model(points, program, replay, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("TIMELOOP_DISABLE_LINK_TRANSFERS", "1")
    monkeypatch.setenv("ENABLE_FIRST_READ_ELISION", "0")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/libraries")
    monkeypatch.setenv("TIMELOOP_DIR", str(tmp_path / "shapes"))
    path = program(f'env >"{tmp_path}/environment"; exec "{replay}" "$@"')
    (path.parent / "libtimeloop-model.so").touch()

    def seen() -> dict[str, str]:
        TimeloopEvaluator(path).evaluate(*points["strided"])
        lines = (tmp_path / "environment").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line)

    environment = seen()
    assert not environment.keys() & {"TIMELOOP_DISABLE_LINK_TRANSFERS", "ENABLE_FIRST_READ_ELISION", "TIMELOOP_DIR"}
    assert environment["LD_LIBRARY_PATH"] == f"/opt/libraries{os.pathsep}{path.parent}"
    for place in (tmp_path / "shapes", tmp_path):  # where the variable says, but first beside the program
        (place / "problem-shapes").mkdir(parents=True)
        assert seen()["TIMELOOP_DIR"] == str(place)
