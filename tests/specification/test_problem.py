"""Problems: layers, any einsum, and what is refused."""

import math
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from dse.errors import InputError
from dse.specification.document import Document
from dse.specification.problem import CNN_LAYER, GROUPED_CONVOLUTION, Problem, Term, parse_problem
from tests.strategies import SHAPES, problems

LAYER = {"shape": "cnn-layer", "R": 3, "S": 3, "P": 56, "Q": 28, "C": 64, "K": 32, "N": 2, "Wstride": 2, "Hdilation": 2}


def matmul(**changes: Any) -> dict[str, Any]:
    shape: dict[str, Any] = {
        "name": "matmul",
        "dimensions": ["M", "N", "K"],
        "coefficients": [{"name": "Step", "default": 2}],
        "data-spaces": [
            {"name": "A", "projection": [[["M", "Step"]], [["K"]]]},
            {"name": "B", "projection": [[["K"]], [["N"]]]},
            {"name": "Z", "projection": [[["M"]], [["N"]]], "read-write": True},
        ],
    }
    return {"shape": shape | changes, "M": 4, "N": 5, "K": 6}


def parse(data: Any) -> Problem:
    return parse_problem(Document({"problem": data}), data)


def faults(data: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse(data)
    return [str(fault) for fault in caught.value.faults]


def test_a_layer() -> None:
    problem = parse(LAYER)
    assert problem.shape is CNN_LAYER
    assert problem.macs == 3 * 3 * 56 * 28 * 64 * 32 * 2
    assert dict(zip(problem.shape.coefficients, problem.coefficients, strict=True)) == {
        "Wstride": 2, "Hstride": 1, "Wdilation": 1, "Hdilation": 2,
    }  # fmt: skip
    weights, inputs, outputs = problem.shape.data_spaces
    assert problem.words(weights) == 64 * 32 * 3 * 3
    assert problem.words(inputs) == 2 * 64 * (2 * 55 + 2 + 1) * (27 + 2 * 2 + 1)
    assert problem.words(outputs) == 2 * 32 * 28 * 56


def test_one_group_is_a_convolution() -> None:
    """grouped-convolution has cnn-layer's data spaces with G added, so that what fits one fits the other."""
    for grouped, plain in zip(GROUPED_CONVOLUTION.data_spaces, CNN_LAYER.data_spaces, strict=True):
        group = GROUPED_CONVOLUTION.index["G"]
        assert (grouped.name, grouped.read_write) == (plain.name, plain.read_write)
        assert [axis for axis in grouped.axes if axis != (Term(group),)] == list(plain.axes)
    assert GROUPED_CONVOLUTION.dimensions == (*CNN_LAYER.dimensions, "G")
    assert GROUPED_CONVOLUTION.coefficients == CNN_LAYER.coefficients


def test_a_depthwise_layer() -> None:
    layer = {
        "shape": "grouped-convolution",
        "R": 3,
        "S": 3,
        "P": 8,
        "Q": 8,
        "C": 1,
        "K": 1,
        "N": 2,
        "G": 32,
        "Wstride": 2,
    }
    problem = parse(layer)
    assert problem.macs == 9 * 64 * 2 * 32
    assert [problem.words(space) for space in problem.shape.data_spaces] == [288, 2 * 32 * 17 * 10, 2 * 32 * 64]
    assert problem.to_dict(own_names=True) == layer | {"Hstride": 1, "Wdilation": 1, "Hdilation": 1}
    assert problem.to_dict()["shape"]["name"] == "grouped-convolution"
    assert parse(problem.to_dict()) == parse(problem.to_dict(own_names=True)) == problem


def test_the_shape_may_be_left_out() -> None:
    assert parse({key: value for key, value in LAYER.items() if key != "shape"}) == parse(LAYER)


def test_a_described_einsum_takes_the_defaults_of_its_coefficients() -> None:
    problem = parse(matmul())
    assert problem.coefficients == (2,)
    assert problem.words(problem.shape.data_spaces[0]) == (1 + 2 * 3) * 6
    assert parse(matmul() | {"Step": 1}).coefficients == (1,)
    assert [space.dimensions for space in problem.shape.data_spaces] == [{0, 2}, {1, 2}, {0, 1}]


@settings(max_examples=60)
@given(problems())
def test_what_is_written_reads_as_the_same_problem(problem: Problem) -> None:
    assert parse(problem.to_dict()) == problem
    assert parse(yaml.safe_load(yaml.safe_dump(problem.to_dict()))) == problem
    assert problem.macs == math.prod(problem.bounds)
    assert hash(parse(problem.to_dict())) == hash(problem)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_one_operation_needs_one_word_of_everything(shape: Any) -> None:
    problem = Problem(shape, (1,) * len(shape.dimensions), (3,) * len(shape.coefficients))
    assert [problem.words(space) for space in shape.data_spaces] == [1] * len(shape.data_spaces)


@pytest.mark.parametrize("value", [0, -3, 1.5, "3", "three", None, True, [3], math.nan, 2**60])
def test_bounds_are_positive_integers(value: object) -> None:
    (fault,) = faults(LAYER | {"R": value})
    assert fault.startswith("problem.R: expected a")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"Wstrid": 2}, 'problem.Wstrid: unknown key; did you mean "Wstride"?'),
        ({"Hstride": 0}, "problem.Hstride: expected a positive integer, got 0"),
        ({"shape": "cnn_layer"}, 'problem.shape: unknown shape "cnn_layer"; did you mean "cnn-layer"?'),
        ({"shape": 3}, "problem.shape: expected a name or a description, got 3"),
        ({"K": 2**40}, "too many to count exactly"),
    ],
)
def test_each_fault_names_its_key(change: dict[str, Any], message: str) -> None:
    assert any(message in fault for fault in faults(LAYER | change))


def test_missing_dimensions_are_named_one_by_one() -> None:
    data = {key: value for key, value in LAYER.items() if key not in ("C", "K")} | {"P": -1, "Qq": 1}
    assert faults(data) == [
        "problem.P: expected a positive integer, got -1",
        "problem.C: expected a positive integer, got nothing",
        "problem.K: expected a positive integer, got nothing",
        'problem.Qq: unknown key; did you mean "Q"?',
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"dimensions": ["M", "N", "KK"]}, "shape.dimensions[2]: expected one letter"),
        ({"dimensions": ["M", "N", "K", "M"]}, "shape.dimensions[3]: M stands twice"),
        ({"dimensions": ["M", "N", "K", "X"]}, "no data space uses X"),
        ({"dimensions": []}, "shape.dimensions: expected a list"),
        ({"data-spaces": []}, "shape.data-spaces: expected a list"),
        ({"data-spaces": [{"name": "A", "projection": [[["M"]], [["N"]], [["K"]]]}]}, "exactly one data space with"),
        ({"data-spaces": [{"name": "A", "projection": [[["J"]]]}]}, 'unknown dimension "J"'),
        ({"data-spaces": [{"name": "A", "projection": [[["M", "Stp"]]]}]}, 'coefficient "Stp"; did you mean "Step"?'),
        ({"data-spaces": [{"name": "A", "projection": [[3]]}]}, "expected [dimension] or [dimension, coefficient]"),
        ({"data-spaces": [{"name": "A", "projection": [7]}]}, "expected a list of terms, got 7"),
        ({"data-spaces": [{"name": "A"}]}, "projection: expected a list"),
        ({"coefficients": [{"name": "Step"}]}, "coefficients[0].default: expected a positive integer, got nothing"),
        ({"dimension": ["M"]}, 'shape.dimension: unknown key; did you mean "dimensions"?'),
    ],
)
def test_each_fault_of_a_description(change: dict[str, Any], message: str) -> None:
    assert any(message in fault for fault in faults(matmul(**change)))


@pytest.mark.parametrize("data", [None, [], "problem", 3])
def test_no_problem(data: object) -> None:
    assert len(faults(data)) == 1
