"""dse evaluate with timeloop-model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dse.cli import main
from dse.model import evaluate
from dse.timeloop import write_inputs


@pytest.fixture
def files(points, tmp_path):
    """Writes a point as files and gives their paths as arguments."""
    return lambda name: [str(path) for path in write_inputs(tmp_path / name, *points[name])]


def batch(tmp_path: Path, points, names) -> list[str]:
    lines = []
    for name in names:
        architecture, problem, mapping = points[name]
        mapping_data = mapping.directives(architecture, problem.shape)
        lines.append(
            {"id": name, "arch": architecture.to_dict(), "problem": problem.to_dict(), "mapping": mapping_data}
        )
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return ["evaluate", "--batch", str(tmp_path / "in.jsonl"), "--output", str(tmp_path / "out.jsonl")]


def answers(tmp_path: Path) -> list[dict]:
    return [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]


def test_json_names_the_evaluator(files, points, replay, capsys) -> None:
    call = ["evaluate", *files("strided"), "--timeloop", str(replay), "--json"]
    assert main([*call, "--evaluator", "timeloop"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer.pop("evaluator") == "timeloop 019f107"
    assert answer["cycles"] == evaluate(*points["strided"]).latency_cycles
    assert main(call) == 0
    assert json.loads(capsys.readouterr().out).keys() == answer.keys()


def test_a_readable_answer_and_an_invalid_one(files, replay, capsys) -> None:
    assert main(["evaluate", *files("strided"), "--evaluator", "timeloop", "--timeloop", str(replay)]) == 0
    assert "cycles" in capsys.readouterr().out
    assert main(["evaluate", *files("too-large"), "--evaluator", "timeloop", "--timeloop", str(replay)]) == 1
    assert capsys.readouterr().err.strip() == (
        "invalid: couldn't map level Cell: mapped tile size 139 exceeds buffer capacity 64"
    )


def test_compare(files, points, program, replay, capsys) -> None:
    for name in ("strided", "too-large"):
        assert main(["evaluate", *files(name), "--compare", "--timeloop", str(replay)]) == 0
        assert capsys.readouterr().out.startswith("equal: embedded and timeloop 019f107 agree")
    more = program(f'"{replay}" "$@" && sed -i "/<updates>/,/<.updates>/s/<item>0</<item>7</" *.xml; exit')
    assert main(["evaluate", *files("strided"), "--compare", "--timeloop", str(more)]) == 1
    shown = capsys.readouterr().out
    assert "Scratchpad Weights updates" in shown
    assert main(["evaluate", *files("strided"), "--compare", "--timeloop", str(more), "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["equal"] is False
    assert {"quantity": "Scratchpad Weights updates", "embedded": 0, "timeloop": 7} in answer["differences"]
    assert answer["embedded"]["valid"] is answer["timeloop"]["valid"] is True


def test_batch(points, replay, tmp_path) -> None:
    names = ["strided", "too-large", "random-mesh-attention-0"]
    call = batch(tmp_path, points, names)
    assert main([*call, "--evaluator", "timeloop", "--timeloop", str(replay)]) == 0
    by_timeloop = answers(tmp_path)
    assert [answer["id"] for answer in by_timeloop] == names
    assert {answer["evaluator"] for answer in by_timeloop} == {"timeloop 019f107"}
    assert main(call) == 0
    for one, other in zip(by_timeloop, answers(tmp_path), strict=True):
        assert [one[key] for key in ("valid", "id")] == [other[key] for key in ("valid", "id")]
        assert one.get("cycles") == other.get("cycles")
    assert main([*call, "--compare", "--timeloop", str(replay)]) == 0
    equal = {"equal": True, "differences": [], "evaluator": "timeloop 019f107"}
    assert answers(tmp_path) == [{"id": name} | equal for name in names]


def test_a_batch_goes_on_after_a_crash_and_says_so(points, program, replay, tmp_path) -> None:
    path = program(f'grep -q "name: rows" problem.yaml && kill -ABRT $$; exec "{replay}" "$@"')
    call = batch(tmp_path, points, ["neighbours", "strided"])
    assert main([*call, "--evaluator", "timeloop", "--timeloop", str(path)]) == 3
    crashed, fine = answers(tmp_path)
    assert crashed["failed"] is True
    assert crashed["valid"] is False
    assert "SIGABRT" in crashed["error"]
    assert fine["valid"] is True


def test_refused_points_of_a_batch_are_invalid(points, program, tmp_path) -> None:
    call = batch(tmp_path, points, ["neighbours"])
    path = program("echo 'ERROR: bad conversion, at line: 2' >&2; exit 1")
    assert main([*call, "--evaluator", "timeloop", "--timeloop", str(path)]) == 0
    (answer,) = answers(tmp_path)
    assert answer["valid"] is False
    assert "bad conversion" in answer["error"]


def test_a_missing_program_ends_with_status_3(files, points, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.delenv("TIMELOOP_DIR", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    for call in (["evaluate", *files("strided")], batch(tmp_path, points, ["strided"])):
        for option in (["--evaluator", "timeloop"], ["--compare"]):
            assert main([*call, *option]) == 3
            shown = capsys.readouterr()
            assert shown.out == ""
            assert "timeloop-model was not found" in shown.err
            assert "https://github.com/NVlabs/timeloop" in shown.err


def test_write_files_writes_what_runs_by_hand(files, points, tmp_path, capsys) -> None:
    folder = tmp_path / "by hand"
    assert main(["evaluate", *files("strided"), "--write-files", str(folder)]) == 0
    again = write_inputs(tmp_path / "again", *points["strided"])
    assert [(folder / path.name).read_text() for path in again] == [path.read_text() for path in again]
    assert main(["evaluate", "--batch", "x", "--write-files", str(folder)]) == 2
