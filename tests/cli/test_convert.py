"""`dse convert`, and files in Timeloop's later formats given to the other commands."""

import json
import textwrap
from itertools import pairwise
from pathlib import Path

import pytest

from dse.cli import main
from dse.specification.study import TEMPLATES, shipped_files

SIMBA = str(shipped_files(TEMPLATES)["simba"])
DATA = Path(__file__).resolve().parents[1] / "specification" / "formats" / "data"
LAYER = "problem: {R: 3, S: 3, P: 14, Q: 14, C: 32, K: 64, N: 1}\n"


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    status = main(list(words))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_a_template_goes_through_all_formats(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = run(capsys, "convert", SIMBA, "--to", "v0.1", "--set", "pe_count=4")
    assert (first[0], first[2]) == (0, "")
    (tmp_path / "v0.1.yaml").write_text(first[1])
    for source, target in pairwise(["v0.1", "v0.3", "v0.4", "v0.1"]):
        output = tmp_path / f"{target}.yaml"
        status, out, _ = run(
            capsys, "convert", str(tmp_path / f"{source}.yaml"), "--to", target, "--output", str(output)
        )
        assert (status, out) == (0, ""), target
    written = (tmp_path / "v0.1.yaml").read_text()
    assert written.replace("type: bypass", "type: datatype").count("target:") == first[1].count("target:")
    assert written.partition("mapspace:")[0] == first[1].partition("mapspace:")[0]


def test_files_in_v04_are_validated_scheduled_and_evaluated(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    architecture, layer, mapping = str(DATA / "eyeriss_like_v04.yaml"), tmp_path / "l.yaml", tmp_path / "m.yaml"
    layer.write_text(LAYER)
    status, out, _ = run(capsys, "validate", architecture)
    assert status == 0
    assert "template with the variables sum_bits, global_cycle_seconds; by default 6 storage levels, 168 MACs" in out
    call = ["schedule", architecture, str(layer), "--objective", "cosa", "--json", "--output", str(mapping)]
    status, out, err = run(capsys, *call)
    assert status == 0, err
    status, again, err = run(capsys, "evaluate", architecture, str(layer), str(mapping), "--json")
    assert status == 0, err
    assert json.loads(again)["cycles"] == json.loads(out)["cycles"]
    assert json.loads(again)["energy_pJ"] == json.loads(out)["energy_pJ"]


def test_a_batch_takes_trees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    local = [
        {"name": "Memory", "class": "DRAM", "attributes": {"width": 16, "word-bits": 16}},
        {"name": "mac", "class": "intmac", "attributes": {"datawidth": 16}},
    ]
    tree = {"version": 0.3, "subtree": [{"name": "chip", "local": local}]}
    point = {"arch": tree, "problem": {"shape": "gemm-ABZ", "M": 2, "N": 2, "K": 2}}
    point["mapping"] = [{"target": "Memory", "type": "temporal", "factors": "M=2 N=2 K=2"}]
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps(point))
    status, out, _ = run(capsys, "evaluate", "--batch", str(path))
    assert status == 0
    assert json.loads(out)["cycles"] == 8


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--set", "pe_count"], '--set: expected NAME=NUMBER, got "pe_count"'),
        (["--set", "pes=4"], 'simba.yaml:7: variables: unknown variable "pes"; allowed: accumulation_entries, '),
        (["--to", "v0.9"], "'v0.9' is not one of 'v0.1', 'v0.3', 'v0.4'"),
        (["--output", "/nowhere/at/all.yaml"], "/nowhere/at/all.yaml: cannot be written: No such file"),
    ],
)
def test_wrong_calls(words: list[str], expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "convert", SIMBA, "--to", "v0.4", *words)
    assert status == 2
    assert expected in err


def test_only_architectures_are_converted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "m.yaml").write_text("mapping: []\n")
    status, _, err = run(capsys, "convert", SIMBA, str(tmp_path / "m.yaml"), "--to", "v0.3")
    assert status == 2
    assert "m.yaml:1: mapping: is no part of an architecture: not converted" in err


def test_parts_in_files_of_their_own_are_validated_together(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parts = {
        "arch": """
            architecture:
              version: 0.4
              nodes:
                - !Component {name: Memory, class: DRAM, attributes: {width: 16}}
                - !Container {name: Column, spatial: {meshX: 2}}
                - !Component {name: Buffer, class: SRAM, attributes: {depth: 64, width: 16}}
                - !Component {name: mac, class: compute}
        """,
        "problem": "problem: {shape: gemm-ABZ, M: 2, N: 2, K: 2}",
        "constraints": "constraints: {targets: [{target: Column, type: spatial, factors: [M=2]}]}",
        "mapping": """
            mapping:
              - {target: Memory, type: temporal, factors: [N=2, K=2]}
              - {target: Column, type: spatial, factors: [M=2]}
        """,
    }
    for name, text in parts.items():
        (tmp_path / f"{name}.yaml").write_text(textwrap.dedent(text))
    status, out, err = run(capsys, "validate", *(str(tmp_path / f"{name}.yaml") for name in parts))
    assert (status, err) == (0, "")
    assert "constraints.yaml: mapspace that fits the architecture" in out
    assert "mapping.yaml: mapping of the problem onto the architecture" in out
    status, out, _ = run(capsys, "validate", str(tmp_path / "arch.yaml"))
    assert (status, "architecture of 2 storage levels, 2 MACs" in out) == (0, True)
    text = (tmp_path / "mapping.yaml").read_text().replace("target: Column", "target: Colunm")
    (tmp_path / "mapping.yaml").write_text(text)
    status, _, err = run(capsys, "validate", *(str(tmp_path / f"{name}.yaml") for name in parts))
    assert status == 2
    assert "mapping.yaml:4: mapping[1].target: unknown storage level" in err


def test_constraints_of_later_formats_may_stand_beside_v01(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.yaml").write_text(
        "mapspace_constraints: {targets: [{target: Buffer, type: temporal, factors_only: []}]}\n"
        "arch: {arithmetic: {instances: 1}, storage: [{name: Buffer, instances: 1, entries: 64},\n"
        "  {name: DRAM, instances: 1, technology: DRAM}]}\n"
    )
    (tmp_path / "l.yaml").write_text("problem: {shape: gemm-ABZ, M: 2, N: 2, K: 2}")
    call = ["schedule", str(tmp_path / "c.yaml"), str(tmp_path / "l.yaml"), "--objective", "cosa", "--json"]
    status, out, err = run(capsys, *call)
    assert status == 0, err
    (directive,) = [d for d in json.loads(out)["mapping"] if (d["target"], d["type"]) == ("Buffer", "temporal")]
    assert directive["factors"] == "M=1 N=1 K=1"
