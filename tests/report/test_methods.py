"""The comparison of random search, hybrid search, CoSA's objective and proven schedules."""

import json
import math
import runpy
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from dse.errors import InputError
from dse.report.method_tables import compared_layers, geometric_mean, render_methods
from dse.report.methods import METHODS, TARGETS, Effort, Outcome, OutcomeFile, jobs_for, problem_name, run_job
from dse.specification.document import Document
from dse.specification.mapspace import parse_mapspace
from dse.specification.network import Layer, Network, load_network
from dse.specification.problem import CNN_LAYER, Problem
from dse.specification.template import load_template

ROOT = Path(__file__).resolve().parents[2]
EFFORT = Effort(gap=0.05, time_limit_seconds=20, searchers=3, patience=40)
TINY = """network:
  name: tiny
  layers:
    - {name: pointwise, count: 2, problem: {R: 1, S: 1, P: 4, Q: 4, C: 8, K: 16, N: 1}}
    - {name: dense, count: 1, problem: {R: 1, S: 1, P: 1, Q: 1, C: 16, K: 30, N: 1}}
    - {name: again, count: 3, problem: {R: 1, S: 1, P: 4, Q: 4, C: 8, K: 16, N: 1}}
"""
FIRST, SECOND = (Problem(CNN_LAYER, (1, 1, P, P, 8, 8, 1), (1, 1, 1, 1)) for P in (4, 5))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("networks") / "tiny.yaml"
    path.write_text(TINY)
    return path


def outcome(method: str, target: str, latency: int, energy: float, bound: float | None = None) -> Outcome:
    return Outcome(problem_name(FIRST), method, target, "ended", latency, energy, bound, 1.0, 10, 5)


def test_every_method_on_tiny_layers(tiny: Path) -> None:
    template = load_template(ROOT / "arch_templates" / "simba.yaml")
    architecture, pattern = template.instantiate()
    mapspace = parse_mapspace(Document({"mapspace": pattern}), pattern, architecture, CNN_LAYER)
    network = load_network(tiny)
    jobs = jobs_for(layer.problem for layer in network.layers)
    # Two distinct layers, three methods for three targets and `cosa` once.
    assert len(jobs) == len({job.key for job in jobs}) == 2 * (3 * 3 + 1)
    outcomes = {job.key: run_job(job, architecture, mapspace, EFFORT) for job in jobs}
    for layer in compared_layers(network, outcomes):
        assert layer.complete
        for target in TARGETS:
            for method in METHODS:
                distance = layer.distance(method, target)
                assert distance is not None
                assert distance >= 1
            proven = layer.outcomes["proven"][target]
            if proven.termination in {"optimal", "gap_reached"}:
                assert (layer.distance("proven", target) or math.inf) <= 1.05
            assert layer.outcomes["random"][target].evaluations == 5
            assert (layer.outcomes["hybrid"][target].evaluations or 0) >= 3 * 41
    for job in jobs:
        if job.method in {"random", "hybrid"}:
            own = outcomes[job.key]
            assert replace(run_job(job, architecture, mapspace, EFFORT), cpu_seconds=own.cpu_seconds) == own
    table = render_methods([network], outcomes)
    assert table.count("\n| pointwise |") == table.count("\n| dense |") == 1
    assert "nan" not in table


def test_an_interrupted_file_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "runs" / "outcomes.jsonl"
    first, second = outcome("random", "edp", 10, 2.0), outcome("cosa", "cosa", 5, 1.0)
    file = OutcomeFile(path, {"gap": 0.01})
    file.add(first)
    file.add(second)
    whole = path.read_text()
    path.write_text(whole[:-20])
    again = OutcomeFile(path, {"gap": 0.01})
    assert again.outcomes == {first.key: first}
    again.add(second)
    assert path.read_text() == whole


def test_a_file_of_other_conditions_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.jsonl"
    OutcomeFile(path, {"gap": 0.01}).add(outcome("random", "edp", 10, 2.0))
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"outcomes\.jsonl:1: holds results for \{'gap': 0\.01\}"):
        OutcomeFile(path, {"gap": 0.02})
    path.write_bytes(before + b'{"problem": "x"}\n')
    with pytest.raises(InputError, match=r"outcomes\.jsonl:3: expected an outcome"):
        OutcomeFile(path, {"gap": 0.01})


def test_gains_and_distances_are_ratios() -> None:
    network = Network("one", "", (Layer("only", 1, FIRST),))
    outcomes = {
        own.key: own
        for target in TARGETS
        for own in (
            outcome("random", target, 100, 40.0),
            outcome("hybrid", target, 50, 20.0),
            outcome("cosa", "cosa", 25, 10.0),
            outcome("proven", target, 20, 8.0, {"latency": 19.0, "energy": 8.0, "edp": 150.0}[target]),
        )
    }
    (layer,) = compared_layers(network, outcomes)
    assert layer.gain("cosa", "hybrid", "latency") == 2
    assert layer.gain("proven", "random", "edp") == 25
    assert layer.distance("cosa", "edp") == pytest.approx(250 / 150)
    table = render_methods([network, network], outcomes)
    assert "| one | 1 | 2 | 4 | 5 | 2 | 4 | 5 | 4 | 16 | 25 |" in table
    assert "| all, distinct | 1 | 2 | 4 | 5 |" in table
    assert "| latency | 1.5 | 2 | 2.5 | 0 of 1 |" in table


def test_a_layer_without_a_mapping_is_named_and_left_out() -> None:
    network = Network("two", "", (Layer("lost", 1, FIRST), Layer("found", 1, SECOND)))
    names = [problem_name(FIRST), problem_name(SECOND)]
    outcomes = {
        own.key: own
        for name in names
        for method in METHODS
        for target in (("cosa",) if method == "cosa" else TARGETS)
        for own in (replace(outcome(method, target, 10, 1.0), problem=name),)
    }
    lost = outcomes[names[0], "cosa", "cosa"]
    outcomes[lost.key] = replace(lost, latency_cycles=None, energy_pj=None)
    table = render_methods([network], outcomes)
    assert table.startswith("Left out, since a method found no mapping: lost.\n")
    assert "\n| found |" in table
    assert "\n| lost |" not in table


def test_geometric_mean() -> None:
    assert geometric_mean([2.0, 8.0]) == pytest.approx(4)
    assert math.isnan(geometric_mean([]))


def test_the_script_writes_its_table_and_does_nothing_twice(tiny: Path, tmp_path: Path) -> None:
    script = runpy.run_path(str(ROOT / "experiments" / "cosa_table.py"))["main"]
    options = ["--output", str(tmp_path), "--gap", "0.05", "--searchers", "1", "--workers", "1"]
    first, second = (CliRunner().invoke(script, [str(tiny), *options]) for _ in range(2))
    assert first.exit_code == 0
    assert first.stdout.strip() == (tmp_path / "table.md").read_text().strip()
    lines = (tmp_path / "outcomes.jsonl").read_text().splitlines()
    assert len(lines) == 1 + 20
    assert json.loads(lines[0])["conditions"]["searchers"] == 1
    assert (second.stdout, second.stderr) == (first.stdout, "")
    refused = CliRunner().invoke(script, [str(tiny), *options, "--seed", "1"])
    assert refused.exit_code == 2
    assert "holds results for" in refused.stderr
