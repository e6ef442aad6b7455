"""Mappings: Timeloop's directives, their shorthands, and what is refused."""

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.specification.architecture import parse_architecture
from dse.specification.document import Document, parse_document
from dse.specification.mapping import Mapping, parse_mapping, read_factors, read_permutation
from dse.specification.problem import CNN_LAYER, Problem
from tests.strategies import Point, points

ARCHITECTURE = parse_architecture(
    Document({}),
    {
        "arithmetic": {"instances": 8},
        "storage": [
            {"name": "Registers", "instances": 8, "entries": 64},
            {"name": "Buffer", "instances": 1, "entries": 4096},
            {"name": "DRAM", "instances": 1, "technology": "DRAM"},
        ],
    },
)
PROBLEM = Problem(CNN_LAYER, (3, 1, 8, 1, 4, 8, 1), (1, 1, 1, 1))
DIRECTIVES: list[dict[str, Any]] = [
    {"target": "Registers", "type": "temporal", "factors": "R=3 C=2", "permutation": "RC"},
    {"target": "Buffer", "type": "spatial", "factors": "K=8", "permutation": "K", "split": 1},
    {"target": "Buffer", "type": "temporal", "factors": "P=8", "permutation": "PQ"},
    {"target": "DRAM", "type": "temporal", "factors": "C=2"},
    {"target": "Buffer", "type": "bypass", "keep": ["Inputs", "Outputs"], "bypass": ["Weights"]},
]


def parse(data: Any) -> Mapping:
    return parse_mapping(Document({"mapping": data}), data, ARCHITECTURE, PROBLEM)


def faults(data: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse(data)
    return [str(fault) for fault in caught.value.faults]


def changed(index: int, **changes: Any) -> list[dict[str, Any]]:
    data = [dict(entry) for entry in DIRECTIVES]
    data[index] |= changes
    return data


def test_directives() -> None:
    registers, buffer, dram = parse(DIRECTIVES).levels
    assert registers.temporal == (3, 1, 1, 1, 2, 1, 1)
    assert registers.permutation == (0, 4, 1, 2, 3, 5, 6)
    assert buffer.spatial == (1, 1, 1, 1, 1, 8, 1)
    assert (buffer.spatial_permutation, buffer.split) == ((5, 0, 1, 2, 3, 4, 6), 1)
    assert buffer.keep == (False, True, True)
    assert dram.keep == (True, True, True)
    assert dram.permutation == tuple(range(7))


@pytest.mark.parametrize("text", ["K4 C=2", "K=4 C 2", " K 4;C==2 ", "C2\tK = 4", "K=4,4 C=2"])
def test_spellings_of_factors(text: str) -> None:
    assert read_factors(text, CNN_LAYER.dimensions) == ((1, 1, 1, 1, 2, 4, 1), None)


def test_factor_zero_is_the_full_bound() -> None:
    assert parse(changed(1, factors="K0")) == parse(DIRECTIVES)


def test_empty_texts_are_no_loops() -> None:
    data = [*changed(0, factors="R=3 C=2 K=8 P=8"), {"target": "DRAM", "type": "temporal", "factors": ""}]
    data[1] |= {"factors": "", "permutation": ""}
    data[2]["factors"] = ""
    data[3]["factors"] = "C=2"
    assert parse(data[:4]).levels[1].spatial == (1,) * 7


@settings(max_examples=60)
@given(points())
def test_what_is_written_reads_as_the_same_mapping(point: Point) -> None:
    architecture, problem, mapping = point
    directives = mapping.directives(architecture, problem.shape)
    assert parse_mapping(Document({}), directives, architecture, problem) == mapping
    reread = yaml.safe_load(yaml.safe_dump(directives))
    assert parse_mapping(Document({}), reread, architecture, problem) == mapping


@pytest.mark.parametrize(
    ("index", "changes", "message"),
    [
        (0, {"target": "Register"}, 'target: unknown storage level "Register"; did you mean "Registers"?'),
        (0, {"target": 7}, "target: unknown storage level 7"),
        (0, {"target": None}, "target: unknown storage level nothing"),
        (0, {"target": ["Buffer"]}, "target: unknown storage level a list"),
        (0, {"type": "temporary"}, 'type: expected one of temporal, spatial, bypass, datatype, got "temporary"'),
        (0, {"type": None}, "mapping[0].type: expected"),
        (0, {"factor": "R=3"}, 'factor: unknown key; did you mean "factors"?'),
        (0, {"split": 3}, "split: unknown key"),
        (0, {"factors": 3}, "factors: expected a text, got 3"),
        (0, {"factors": "R=three"}, 'factors: expected factors such as "K=4 C=2", got "R=three"'),
        (0, {"factors": "R=-3"}, 'got "R=-3"'),
        (0, {"factors": "R=1.5"}, 'got "R=1.5"'),
        (0, {"factors": "R=3 X=2"}, 'factors: unknown dimension "X"'),
        (0, {"factors": "R=3 R=1"}, "factors: dimension R stands twice"),
        (0, {"factors": "R=3 C=2,1"}, "factors: C=2,1: imperfect factors are not supported"),
        (0, {"factors": "R=" + "9" * 5000}, "factors: expected factors"),
        (0, {"permutation": "RX"}, 'permutation: unknown dimension "X"'),
        (0, {"permutation": "RRC"}, "permutation: dimension R stands twice"),
        (0, {"permutation": 3}, "permutation: expected a text, got 3"),
        (0, {"no_temporal_reuse": ["Weight"]}, 'unknown data space "Weight"; did you mean "Weights"?'),
        (1, {"target": "DRAM"}, "target: DRAM has no fan-out"),
        (1, {"split": -1}, "split: expected an integer of at least 0, got -1"),
        (1, {"split": "X"}, 'split: expected an integer of at least 0, got "X"'),
        (4, {"keep": "Inputs"}, 'keep: expected a list of data spaces, got "Inputs"'),
        (4, {"keep": [["Inputs"]]}, "keep: unknown data space"),
        (4, {"bypass": [3]}, "bypass: unknown data space"),
    ],
)
def test_each_fault_names_its_key(index: int, changes: dict[str, Any], message: str) -> None:
    found = faults(changed(index, **changes))
    assert found[0].startswith(f"mapping[{index}]")
    assert any(message in fault for fault in found)
    assert all(len(fault) < 250 for fault in found)


@pytest.mark.parametrize("data", [None, {}, "mapping", [3], [["target"]]])
def test_no_mapping(data: object) -> None:
    assert all(fault.startswith("mapping") for fault in faults(data))


def test_products_are_compared_in_timeloops_words() -> None:
    reason = "which is not equal to the dimension size of the workload"
    assert faults(changed(2, factors="P=4 K=2")) == [
        f"mapping: product of all factors of dimension P is 4, {reason} 8.",
        f"mapping: product of all factors of dimension K is 16, {reason} 8.",
    ]
    assert faults([]) == [
        f"mapping: product of all factors of dimension {name} is 1, {reason} {bound}."
        for name, bound in (("R", 3), ("P", 8), ("C", 4), ("K", 8))
    ]


def test_a_file_with_four_faults_reports_four_with_their_lines() -> None:
    text = """\
mapping:
- {target: Registres, type: temporal, factors: R=3}
- target: Buffer
  type: spatial
  factors: K8 Z2
- target: DRAM
  type: temporal
  permutation: KK
- {target: DRAM, type: bypass, kept: [Weights]}
"""
    document = parse_document(text, "m.yaml")
    with pytest.raises(InputError) as caught:
        parse_mapping(document, document.data["mapping"], ARCHITECTURE, PROBLEM)
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [("m.yaml", line) for line in (2, 5, 8, 9)]


@pytest.mark.parametrize("text", ["K=1 " * 40 + "!", "K  1 " * 40 + "!", "K=" * 500, "K" + " " * 2000 + "!"])
def test_a_malformed_text_is_refused_at_once(text: str) -> None:
    """A pattern that backtracks would not end on these."""
    _, wrong = read_factors(text, CNN_LAYER.dimensions)
    assert wrong is not None


@given(st.text("KCRkx=,; 0123\n", max_size=30))
def test_any_text_is_factors_or_a_fault(text: str) -> None:
    factors, wrong = read_factors(text, CNN_LAYER.dimensions)
    assert len(factors) == 7
    assert wrong is None or "\n" not in wrong


@given(st.permutations(CNN_LAYER.dimensions), st.integers(0, 7))
def test_missing_dimensions_follow_in_their_order(order: list[str], count: int) -> None:
    permutation, wrong = read_permutation(" ".join(order[:count]), CNN_LAYER.dimensions)
    assert wrong is None
    assert sorted(permutation) == list(range(7))
    assert [CNN_LAYER.dimensions[d] for d in permutation[:count]] == order[:count]
    assert list(permutation[count:]) == sorted(permutation[count:])
