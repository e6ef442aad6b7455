"""Templates: the shipped ones by default, values that follow from parameters, and every fault with its line."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.specification.architecture import parse_architecture
from dse.specification.document import Document, parse_document
from dse.specification.mapspace import parse_mapspace
from dse.specification.problem import CNN_LAYER
from dse.specification.template import load_architecture, load_template, parse_template

TEMPLATES = Path(__file__).resolve().parents[2] / "arch_templates"
EXPECTED: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parent / "data" / "architectures.yaml").read_text(encoding="utf-8")
)
SMALL = """
variables:
  rows: 4
  columns: rows * 2
  kib: 1
arch:
  arithmetic: {instances: rows * columns, meshX: columns, word-bits: 8}
  storage:
    - {name: Buffer, entries: kib * 1024, instances: rows, meshX: 1, word-bits: 8}
    - {name: DRAM, technology: DRAM, instances: 1, word-bits: 8}
"""


def faults_of(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse_template(parse_document(text, "t.yaml")).instantiate()
    return [str(fault) for fault in caught.value.faults]


@pytest.mark.parametrize("name", EXPECTED)
def test_default_of_a_shipped_template_is_the_published_architecture(name: str) -> None:
    expected = {key: value for key, value in EXPECTED[name].items() if key != "keep"}
    architecture, data = load_template(TEMPLATES / f"{name}.yaml").instantiate()
    assert architecture == parse_architecture(Document({"arch": expected}), expected)
    mapspace = parse_mapspace(Document({}), data, architecture, CNN_LAYER)
    kept = {
        level.name: [space.name for space, flag in zip(CNN_LAYER.data_spaces, flags, strict=True) if flag]
        for level, flags in zip(architecture.storage, mapspace.keep, strict=True)
    }
    assert kept == EXPECTED[name]["keep"]


@given(rows=st.integers(1, 64), kib=st.integers(1, 1024))
def test_expressions_follow_the_parameters(rows: int, kib: int) -> None:
    template = parse_template(parse_document(SMALL, "t.yaml"))
    architecture, _ = template.instantiate({"rows": rows, "kib": kib})
    assert architecture.arithmetic.instances == 2 * rows * rows
    assert architecture.storage[0].entries == 1024 * kib
    assert template.values({"rows": rows})["columns"] == 2 * rows


def test_a_parameter_may_replace_an_expression() -> None:
    template = parse_template(parse_document(SMALL, "t.yaml"))
    assert template.instantiate({"columns": 4})[0].arithmetic.instances == 16


def test_quotients_that_are_whole_read_as_integers() -> None:
    template = parse_template(parse_document(SMALL.replace("rows * 2", "rows / 2"), "t.yaml"))
    assert template.values()["columns"] == 2
    assert isinstance(template.values()["columns"], int)


def test_a_file_without_variables_is_an_architecture() -> None:
    text = SMALL[SMALL.index("arch:") :].replace("rows * columns", "32").replace("columns", "8")
    text = text.replace("kib * 1024", "1024").replace("rows", "4")
    assert load_architecture(parse_document(text, "t.yaml")) == load_architecture(parse_document(SMALL, "t.yaml"))


def test_faults_of_variables_are_all_reported() -> None:
    text = SMALL.replace("rows: 4", "rows: true").replace("rows * 2", "later + 1").replace("kib: 1", "kib: 1 +")
    assert faults_of(text) == [
        "t.yaml:3: variables.rows: expected a number or an expression, got True",
        't.yaml:4: variables.columns: "later + 1" needs later, which no line above defines',
        't.yaml:5: variables.kib: "1 +" is no arithmetic expression',
    ]


def test_faults_of_values_show_the_expression_and_its_value() -> None:
    text = SMALL.replace("kib * 1024", "kib / 3").replace("rows * columns", "rows * colums")
    first, second = faults_of(text)
    assert first.startswith('t.yaml:7: arch.arithmetic.instances: unknown variable "colums"')
    assert second.startswith(
        't.yaml:9: arch.storage[0].entries: expected an integer of at least 0, got "kib / 3" = 0.3'
    )


def test_unknown_parameter_names_the_nearest_variable() -> None:
    template = parse_template(parse_document(SMALL, "t.yaml"))
    with pytest.raises(InputError, match=r't\.yaml:2: variables: unknown variable "row"; did you mean "rows"\?'):
        template.instantiate({"row": 1})


def test_fan_outs_that_do_not_divide_are_refused() -> None:
    template = parse_template(parse_document(SMALL.replace("instances: rows, meshX: 1", "instances: 3"), "t.yaml"))
    with pytest.raises(InputError, match=r"t\.yaml:9: arch\.storage\[0\]\.\w+: the fan-out of Buffer does not divide"):
        template.instantiate()


def test_template_file_has_no_other_keys(tmp_path: Path) -> None:
    path = tmp_path / "t.yaml"
    path.write_text(SMALL + "variable: {}\n", encoding="utf-8")
    with pytest.raises(InputError, match='unknown key; did you mean "variables"'):
        load_template(path)


def test_missing_architecture_is_a_fault() -> None:
    with pytest.raises(InputError, match="the key arch is missing"):
        parse_template(parse_document("variables: {a: 1}", "t.yaml"))
