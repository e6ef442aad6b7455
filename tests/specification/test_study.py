"""Studies: what they expand to, and every way to write one wrongly."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.scheduler import SOLVERS as SOLVERS_BY_NAME
from dse.scheduler.scheduler import METHODS
from dse.specification.document import parse_document
from dse.specification.scheduling import OBJECTIVES, SOLVERS, CosaWeights
from dse.specification.study import WEIGHTS, Study, load_study, parse_study

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
STUDY = """study:
  name: s
  template: simba
  parameters: PARAMETERS
  networks: [alexnet]
"""


def study_with(parameters: str, more: str = "") -> Study:
    return parse_study(parse_document(STUDY.replace("PARAMETERS", parameters) + more, "s.yaml"), Path())


def faults_of(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_study(parse_document(text, "s.yaml"), Path())
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_study_is_valid_and_named_after_its_file(path: Path) -> None:
    assert load_study(path).name == path.stem


def test_shipped_studies_have_the_promised_size() -> None:
    resnet50 = load_study(EXPERIMENTS / "simba_resnet50.yaml")
    assert (resnet50.variant_count or 0) >= 36
    assert len(resnet50.networks[0].layers) == 24
    smoke = load_study(EXPERIMENTS / "smoke.yaml")
    assert (smoke.variant_count or 0) * len(smoke.networks[0].layers) >= 60


def test_choices_are_those_of_the_scheduler() -> None:
    assert set(OBJECTIVES) == set(METHODS)
    assert set(SOLVERS) == set(SOLVERS_BY_NAME)
    assert {*WEIGHTS, "traffic_model"} == {field.name for field in fields(CosaWeights)}


def test_variants_are_all_combinations_in_the_order_of_the_file() -> None:
    study = study_with("{pe_count: [4, 8], global_buffer_kib: {powers_of_two: [32, 128]}}")
    values = [tuple(variant.parameters.values()) for variant in study.space.variants()]
    assert values == [(4, 32), (4, 64), (4, 128), (8, 32), (8, 64), (8, 128)]
    assert [variant.name for variant in study.space.variants()] == ["v0", "v1", "v2", "v3", "v4", "v5"]
    assert study.parameters == ("pe_count", "global_buffer_kib")
    assert list(study.space.variants())[5].architecture.storage[4].entries == 128 * 1024


@settings(max_examples=25)
@given(start=st.integers(1, 50), count=st.integers(0, 20), step=st.integers(1, 9), beyond=st.integers(0, 8))
def test_range_includes_a_stop_that_a_step_hits(start: int, count: int, step: int, beyond: int) -> None:
    stop = start + count * step + min(beyond, step - 1)
    study = study_with(f"{{global_buffer_kib: {{range: [{start}, {stop}, {step}]}}}}")
    values = [variant.parameters["global_buffer_kib"] for variant in study.space.variants()]
    assert values == list(range(start, stop + 1, step))


def test_constraints_see_all_variables_of_the_template() -> None:
    study = study_with(
        "{pe_count: [4, 8, 16]}", "  constraints: [mac_count <= 512, pe_count != 4 or lanes_per_pe > 8]\n"
    )
    assert [variant.parameters["pe_count"] for variant in study.space.variants()] == [8]


def test_paths_are_relative_to_the_study(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text("problem: {R: 1, S: 1, P: 1, Q: 1, C: 2, K: 2, N: 1}")
    text = STUDY.replace("PARAMETERS", "{pe_count: [4]}").replace("alexnet", "net.yaml")
    (tmp_path / "s.yaml").write_text(text)
    assert load_study(tmp_path / "s.yaml").networks[0].macs == 4


def test_one_fault_hides_no_other() -> None:
    found = faults_of(
        """study:
  name: s
  templat: simba
  template: simbaa
  parameters:
    pe_count: []
    a: [1, x]
    b: {range: [4, 1, 1]}
    c: {powers_of_two: [3, 8]}
    d: {power_of_two: [1, 2]}
    e: {range: [1, 2]}
    f: [1, 1]
    g: 3
  constraints: ["1 +", 7]
  networks: [resnet5, foo.yaml, 3]
  objective: speed
  scheduler: {solver: GUROBI, gap: -1, time_limit: 0, weights: {trafic: 1, traffic: -3}}
  evaluator: magic
"""
    )
    expected = [
        's.yaml:4: study.template: unknown template "simbaa"; did you mean "simba"?',
        "s.yaml:6: study.parameters.pe_count: expected at least one value: the sweep is empty",
        's.yaml:7: study.parameters.a: expected numbers, got "x"',
        "s.yaml:8: study.parameters.b: range: [4, 1, 1] is empty",
        "s.yaml:9: study.parameters.c: powers_of_two: 3 is no power of two",
        's.yaml:10: study.parameters.d.power_of_two: unknown key; did you mean "powers_of_two"?',
        "s.yaml:11: study.parameters.e: expected range: [start, stop, step], three numbers, got [1, 2]",
        "s.yaml:12: study.parameters.f: 1 stands twice",
        "s.yaml:13: study.parameters.g: expected a list of numbers, {range: [start, stop, step]}",
        's.yaml:14: study.constraints[0]: "1 +" is no arithmetic expression',
        "s.yaml:14: study.constraints[1]: expected a comparison such as mac_count <= 4096, got 7",
        's.yaml:15: study.networks[0]: unknown network "resnet5"; did you mean "resnet50"?',
        "s.yaml:15: study.networks[1]: there is no file foo.yaml",
        "s.yaml:15: study.networks[2]: expected the name or the path of a network, got 3",
        's.yaml:16: study.objective: expected one of cosa, latency, energy, edp, got "speed"',
        's.yaml:17: study.scheduler.solver: expected one of SCIP, GLPK_MI, HIGHS, got "GUROBI"',
        "s.yaml:17: study.scheduler.gap: expected a number of at least 0, got -1",
        "s.yaml:17: study.scheduler.time_limit: expected a number above 0, got 0",
        "s.yaml:17: study.scheduler.weights.traffic: expected a number of at least 0, got -3",
        's.yaml:17: study.scheduler.weights.trafic: unknown key; did you mean "traffic"?',
        "s.yaml:18: study.evaluator: expected one of ",
        's.yaml:3: study.templat: unknown key; did you mean "template"?',
    ]
    assert len(found) == len(expected)
    for fault, beginning in zip(found, expected, strict=True):
        assert fault.startswith(beginning)


def test_unknown_parameters_and_variables_are_named() -> None:
    first, second = faults_of(
        STUDY.replace("PARAMETERS", "{pe_cout: [4]}") + "  constraints: [pe_count <= 4, lanes < 9]\n"
    )
    assert first.startswith(
        "s.yaml:4: study.parameters.pe_cout: the template has no variable of this name; did you mean"
    )
    assert second.startswith('s.yaml:6: study.constraints[1]: the template has no variable "lanes"')


@pytest.mark.parametrize("parameters", ["{}", "{pe_count: []}", "", "[4]"])
def test_empty_sweep_is_refused(parameters: str) -> None:
    (fault,) = faults_of(STUDY.replace("PARAMETERS", parameters))
    assert fault.startswith("s.yaml:4: study.parameters")


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        ("[pe_count > 9]", 's.yaml:6: study.constraints[0]: "pe_count > 9" refuses every one of the 2 variants'),
        (
            "[pe_count > 4, pe_count < 8]",
            "s.yaml:6: study.constraints: together they refuse every one of the 2 variants",
        ),
        (
            "[pe_count * 2]",
            's.yaml:6: study.constraints[0]: expected a comparison such as mac_count <= 4096, got "pe_count * 2" = 8',
        ),
        ("[1 / (pe_count - 4) > 0]", 's.yaml:6: study.constraints[0]: "1 / (pe_count - 4) > 0" divides by zero'),
    ],
)
def test_constraints_that_leave_nothing_or_say_nothing(constraints: str, expected: str) -> None:
    text = STUDY.replace("PARAMETERS", "{pe_count: [4, 8]}") + f"  constraints: {constraints}\n"
    assert faults_of(text) == [expected]


def test_variants_that_are_no_architecture_are_a_fault_that_says_what_to_do() -> None:
    text = STUDY.replace("PARAMETERS", "{pe_count: [4, -1], lanes_per_pe: [8, 2.5]}")
    found = faults_of(text)
    assert len(found) == 2
    assert found[0].startswith(
        "s.yaml:4: study.parameters: 1 of 4 variants are no valid architecture; pe_count=4 lanes"
    )
    assert "arch.storage[1].cluster-size: expected a positive integer" in found[0]
    assert found[1].endswith("(leave such values out with a constraint)")


def test_fan_outs_that_do_not_divide_can_be_left_out_by_a_constraint(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text(
        """variables: {rows: 4, banks: 2}
arch:
  arithmetic: {instances: rows * 4, word-bits: 8}
  storage:
    - {name: Buffer, entries: 1024, instances: banks, word-bits: 8}
    - {name: DRAM, technology: DRAM, instances: 1, word-bits: 8}
"""
    )
    text = STUDY.replace("simba", "t.yaml").replace("PARAMETERS", "{rows: [2, 3], banks: [2, 8]}")
    (tmp_path / "s.yaml").write_text(text)
    with pytest.raises(InputError, match=r"1 of 4 variants .* rows=3 banks=8: .*the fan-out of Buffer does not divide"):
        load_study(tmp_path / "s.yaml")
    (tmp_path / "s.yaml").write_text(text + "  constraints: [rows * 4 % banks == 0]\n")
    assert load_study(tmp_path / "s.yaml").variant_count == 3


def test_faults_of_template_and_network_files_come_along(tmp_path: Path) -> None:
    (tmp_path / "t.yaml").write_text("variables: {a: 1}\narch: {arithmetic: {instances: -1}, storage: 3}\n")
    (tmp_path / "n.yaml").write_text("network: {name: n, layers: [{name: a, problem: {R: 0}}]}\n")
    (tmp_path / "s.yaml").write_text(
        "study: {name: s, template: t.yaml, parameters: {a: [1]}, networks: [n.yaml, none], objectiv: edp}\n"
    )
    with pytest.raises(InputError) as caught:
        load_study(tmp_path / "s.yaml")
    assert {Path(fault.file).name for fault in caught.value.faults} == {"t.yaml", "n.yaml", "s.yaml"}
    assert len(caught.value.faults) >= 4


def test_a_huge_product_is_refused() -> None:
    values = "{range: [1, 1001, 1]}"
    names = ("pe_count", "global_buffer_kib", "weight_buffer_kib", "accumulation_entries")
    (fault,) = faults_of(STUDY.replace("PARAMETERS", "{" + ", ".join(f"{name}: {values}" for name in names) + "}"))
    assert fault == "s.yaml:4: study.parameters: 1,004,006,004,001 variants, more than 1,000,000,000,000"


def test_whole_numbers_are_one_value_however_they_are_written() -> None:
    study = study_with("{pe_count: [4.0, 8]}")
    assert [repr(variant.parameters["pe_count"]) for variant in study.space.variants()] == ["4", "8"]
    (fault,) = faults_of(STUDY.replace("PARAMETERS", "{pe_count: [4.0, 4]}"))
    assert fault == "s.yaml:4: study.parameters.pe_count: 4 stands twice"
