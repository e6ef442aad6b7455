import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dse.cli import main

REPOSITORY = Path(__file__).resolve().parents[2]
SIMBA = str(REPOSITORY / "arch_templates" / "simba.yaml")
PROBLEM = {"shape": "cnn-layer", "R": 1, "S": 1, "P": 14, "Q": 14, "C": 32, "K": 48, "N": 1}
ARCH = {
    "arithmetic": {"instances": 4},
    "storage": [
        {"name": "Buffer", "entries": 64, "instances": 1},
        {"name": "DRAM", "technology": "DRAM", "instances": 1},
    ],
}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """run("schedule", ...) -> (exit status, standard output, standard error)."""

    def call(*words: object) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def problem(tmp_path: Path) -> Path:
    path = tmp_path / "problem.yaml"
    path.write_text(yaml.safe_dump({"problem": PROBLEM}))
    return path


def test_json_has_the_keys_of_the_contract(run: Run, problem: Path) -> None:
    status, output, error = run("schedule", problem, SIMBA, "--objective", "cosa", "--json")
    assert (status, error) == (0, "")
    answer: dict[str, Any] = json.loads(output)
    keys = "valid mapping cycles energy_pJ edp objective value lower_bound gap termination solver solve_seconds"
    assert {*keys.split(), "total_seconds"} <= set(answer)
    assert answer["edp"] == answer["cycles"] * answer["energy_pJ"]
    assert (answer["objective"], answer["solver"]) == ("cosa", "SCIP")
    assert answer["termination"] in ("optimal", "gap_reached")
    assert answer["lower_bound"] <= answer["value"]
    assert answer["gap"] == pytest.approx(answer["value"] / answer["lower_bound"] - 1)


def test_written_mapping_costs_what_was_said(run: Run, problem: Path, tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    words = ("schedule", SIMBA, problem, "--objective", "cosa", "--solver", "HIGHS", "--output", mapping, "--json")
    _, output, _ = run(*words)
    status, costs, _ = run("evaluate", mapping, SIMBA, problem, "--json")
    assert status == 0
    assert json.loads(costs)["cycles"] == json.loads(output)["cycles"]
    assert json.loads(costs)["energy_pJ"] == json.loads(output)["energy_pJ"]


def test_text_shows_nest_and_figures(run: Run, problem: Path) -> None:
    status, output, _ = run("schedule", problem, SIMBA, "--objective", "cosa")
    assert status == 0
    for word in ("GlobalBuffer", "for K in", "latency", "energy", "objective    cosa", "solver       SCIP"):
        assert word in output


def test_batch_goes_on_after_bad_lines(run: Run, tmp_path: Path) -> None:
    tiny = {**ARCH, "storage": [{**ARCH["storage"][0], "entries": 2}, ARCH["storage"][1]]}  # type: ignore[dict-item]
    lines = [
        json.dumps({"id": "good", "arch": ARCH, "problem": PROBLEM}),
        "{",
        json.dumps({"id": "wrong", "arch": ARCH, "problem": {**PROBLEM, "K": 0}, "mapspace": None}),
        json.dumps({"arch": ARCH}),
        json.dumps({"id": 7, "arch": tiny, "problem": PROBLEM}),
        json.dumps({"id": "last", "arch": ARCH, "problem": PROBLEM, "mapspace": {"constraints": []}}),
    ]
    batch, answers = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    batch.write_text("\n".join(lines) + "\n")
    status, _, _ = run("schedule", "--batch", batch, "--output", answers, "--objective", "cosa")
    assert status == 0
    read = [json.loads(line) for line in answers.read_text().splitlines()]
    assert [answer["valid"] for answer in read] == [True, False, False, False, False, True]
    assert [answer.get("id") for answer in read] == ["good", None, "wrong", None, 7, "last"]
    assert "problem.K: expected a positive integer, got 0" in read[2]["error"]
    assert read[4]["termination"] == "infeasible"
    assert read[0]["mapping"] == read[5]["mapping"]


def test_exit_statuses(run: Run, problem: Path, tmp_path: Path) -> None:
    tiny = tmp_path / "tiny.yaml"
    tiny.write_text(yaml.safe_dump({"arch": ARCH}).replace("entries: 64", "entries: 2"))
    status, _, error = run("schedule", tiny, problem, "--objective", "cosa")
    assert status == 1
    assert error.startswith("infeasible: Buffer is too small")
    assert run("schedule", problem, "--objective", "cosa")[0] == 2
    assert run("schedule", SIMBA, problem, "--objective", "cosa", "--gap", "-1")[0] == 2
    assert run("schedule", SIMBA, problem, "--objective", "cosa", "--solver", "NONE")[0] == 2
    assert run("schedule", tmp_path / "missing.yaml", "--objective", "cosa")[0] == 2
    assert run("schedule", "--batch", tmp_path / "missing.jsonl", "--objective", "cosa")[0] == 2
    assert run("schedule", "--objective", "cosa")[0] == 2
