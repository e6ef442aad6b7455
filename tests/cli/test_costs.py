"""The source of costs on the command line, in batches and through a sweep; warnings of units mixed up."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from dse.cli import main
from dse.cli.costs import warn_of_sources
from dse.specification.costs import costs_from_text
from dse.specification.document import Document, load_documents
from dse.specification.mapping import parse_mapping
from dse.specification.problem import parse_problem
from dse.specification.study import load_study
from dse.specification.template import load_architecture
from dse.sweep.plan import plan_study
from dse.timeloop import write_inputs

ARCH: dict[str, Any] = {
    "arithmetic": {"name": "MAC", "instances": 8, "word-bits": 16},
    "storage": [
        {"name": "Registers", "instances": 8, "entries": 64},
        {"name": "Buffer", "instances": 1, "entries": 4096, "block-size": 4},
        {"name": "DRAM", "instances": 1, "technology": "DRAM", "block-size": 4},
    ],
}
PROBLEM: dict[str, Any] = {"shape": "cnn-layer", "R": 3, "S": 1, "P": 8, "Q": 1, "C": 4, "K": 8, "N": 1}
MAPPING: list[dict[str, Any]] = [
    {"target": "Registers", "type": "temporal", "factors": "R=3 C=2", "permutation": "RC"},
    {"target": "Buffer", "type": "spatial", "factors": "K=8"},
    {"target": "Buffer", "type": "temporal", "factors": "P=8"},
    {"target": "DRAM", "type": "temporal", "factors": "C=2"},
]
POINT = {"arch": ARCH, "problem": PROBLEM, "mapping": MAPPING}

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Call the command line: (exit status, standard output, standard error)."""

    def call(*arguments: object) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        output = capsys.readouterr()
        assert "Traceback" not in output.err
        return status, output.out, output.err

    return call


@pytest.fixture
def point(tmp_path: Path) -> Path:
    """The point as one file."""
    path = tmp_path / "point.yaml"
    path.write_text(yaml.safe_dump(POINT))
    return path


def test_an_answer_names_its_source_unless_it_is_the_default(run: Run, point: Path) -> None:
    default = json.loads(run("evaluate", point, "--json")[1])
    assert "costs" not in default
    assert json.loads(run("evaluate", point, "--json", "--costs", "pat")[1]) == default
    status, output, errors = run("evaluate", point, "--json", "--costs", "cacti,node_nm=22")
    answer = json.loads(output)
    assert (status, errors, answer["costs"]) == (0, "", "cacti 22 nm, LPDDR4")
    assert answer["cycles"] == default["cycles"]
    assert answer["energy_pJ"] < default["energy_pJ"]
    assert answer["area_um2"] > 0
    assert "costs        cacti 22 nm, LPDDR4" in run("evaluate", point, "--costs", "cacti,node_nm=22")[1]
    schedule = json.loads(run("schedule", point, "--objective", "cosa", "--json", "--costs", "cacti,node_nm=22")[1])
    assert schedule["costs"] == "cacti 22 nm, LPDDR4"


def test_a_file_or_a_line_of_a_batch_may_choose(run: Run, point: Path, tmp_path: Path) -> None:
    own = {"source": "cacti", "node_nm": 7, "dram": "HBM2"}
    (tmp_path / "costs.yaml").write_text(yaml.safe_dump({"costs": own}))
    answer = json.loads(run("evaluate", point, tmp_path / "costs.yaml", "--json")[1])
    lines = [POINT, POINT | {"costs": own}, POINT | {"costs": {"source": "cacti", "node_nm": 90}}]
    (tmp_path / "in.jsonl").write_text("\n".join(map(json.dumps, lines)))
    run("evaluate", "--batch", tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl")
    default, chosen, refused = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert "costs" not in default
    assert chosen == answer
    assert refused["valid"] is False
    assert "a node in nm of 90 lies outside 7 to 45" in refused["error"]
    run("evaluate", "--batch", tmp_path / "in.jsonl", "--output", tmp_path / "out.jsonl", "--costs", "cacti")
    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert {answer["costs"] for answer in answers} == {"cacti 45 nm, LPDDR4"}


def test_what_cannot_be_had_ends_with_status_2(run: Run, point: Path) -> None:
    assert run("evaluate", point, "--costs", "cactus") == (
        2,
        "",
        'dse: --costs: costs.source: expected one of pat, cacti, table, accelergy, got "cactus"\n',
    )
    status, _, errors = run("schedule", point, "--costs", "table,file=missing.yaml")
    assert (status, errors) == (2, "dse: missing.yaml: cannot be read: No such file or directory\n")


def test_units_mixed_up_are_warned_of_and_nothing_changes(run: Run, tmp_path: Path) -> None:
    storage = [ARCH["storage"][0], ARCH["storage"][1] | {"vector-access-energy": 20000.0}, ARCH["storage"][2]]
    path = tmp_path / "point.yaml"
    path.write_text(yaml.safe_dump(POINT | {"arch": ARCH | {"storage": storage}}, sort_keys=False))
    status, output, errors = run("evaluate", path, "--json")
    assert status == 0
    assert errors.startswith(f"warning: {path}:")
    assert "arch.storage[1]: an access to 64 bits of Buffer is taken to cost 20000 pJ" in errors
    buffer = json.loads(output)["levels"][1]
    words = buffer["tensors"]["Weights"]
    assert words["energy_pJ"] == 20000 * sum(-(-words[count] // 4) for count in ("reads", "fills", "updates"))
    assert "warning" in run("validate", path)[2]


def test_timeloop_reads_the_same_figures(tmp_path: Path) -> None:
    document = Document(POINT)
    architecture = load_architecture(document, costs_from_text("cacti,node_nm=22"))
    problem = parse_problem(document, PROBLEM)
    mapping = parse_mapping(document, MAPPING, architecture, problem)
    again = load_architecture(load_documents(write_inputs(tmp_path, architecture, problem, mapping)))
    assert again.arithmetic.energy_pj == architecture.arithmetic.energy_pj
    for own, read in zip(architecture.storage, again.storage, strict=True):
        energies = (own.read_energy_pj, own.fill_energy_pj, own.update_energy_pj)
        assert (read.read_energy_pj, read.fill_energy_pj, read.update_energy_pj) == energies
        assert read.area_um2 == pytest.approx(own.area_um2, rel=1e-7)  # Timeloop keeps areas in single precision


STUDY = """
study:
  name: costs
  template: arch.yaml
  parameters: {kib: [8]}
  networks: [layer.yaml]
  objective: cosa
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    storage = [ARCH["storage"][0], ARCH["storage"][1] | {"entries": "kib * 512"}, ARCH["storage"][2]]
    arch = ARCH | {"storage": storage}
    (tmp_path / "arch.yaml").write_text(yaml.safe_dump({"variables": {"kib": 8}, "arch": arch}))
    (tmp_path / "layer.yaml").write_text(yaml.safe_dump({"problem": PROBLEM}))
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def keys(path: Path, costs: str) -> list[str]:
    path.write_text(STUDY + costs)
    return [point.key for point in plan_study(load_study(path)).points()]


def test_results_are_stored_by_the_figures_whatever_their_source(study: Path) -> None:
    default = keys(study, "")
    assert keys(study, "  costs: {source: pat}") == default
    assert keys(study, "  costs: {source: cacti}") != default
    own = "  costs: {storage: {Buffer: {read_energy_pj: 5, write_energy_pj: %s}}}"
    assert keys(study, own % 6) == keys(study, own % "5 + 1")
    assert keys(study, own % 6) != keys(study, own % 7) != default


def test_a_sweep_records_the_source_and_holds_to_it(run: Run, study: Path, tmp_path: Path) -> None:
    study.write_text(STUDY + "  costs: {source: cacti, node_nm: 22}")
    call = ("sweep", study, "--output", tmp_path / "out", "--workers", "1", "--no-cache", "--quiet")
    status, output, _ = run(*call)
    assert status == 0
    assert "energies and areas from cacti 22 nm, LPDDR4" in output
    assert json.loads((tmp_path / "out" / "study.json").read_text())["costs"]["label"] == "cacti 22 nm, LPDDR4"
    assert json.loads(run("pareto", tmp_path / "out", "--json")[1])["costs"] == "cacti 22 nm, LPDDR4"
    rows = list(csv.DictReader(run("export", tmp_path / "out", "--format", "csv")[1].splitlines()))
    assert [row["costs"] for row in rows] == ["cacti 22 nm, LPDDR4"]
    assert float(rows[0]["area_um2"]) > 0
    study.write_text(STUDY + "  costs: {source: cacti, node_nm: 7}")
    status, _, errors = run(*call)
    assert status == 2
    assert "costs.node_nm 7, not 22" in errors


def test_studies_of_different_sources_are_compared_with_a_warning(
    capsys: pytest.CaptureFixture[str], study: Path
) -> None:
    plans = []
    for costs in ("", "  costs: {source: pat}", "  costs: {source: cacti}"):
        study.write_text(STUDY + costs)
        plans.append(plan_study(load_study(study)).plan)
    warn_of_sources(plans[:2])
    assert capsys.readouterr().err == ""
    warn_of_sources(plans)
    assert capsys.readouterr().err == (
        "warning: energies and areas come from different sources: pat; cacti 45 nm, LPDDR4\n"
    )
