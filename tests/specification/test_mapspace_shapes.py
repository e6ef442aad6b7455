"""One mapspace for layers of several shapes: what a shape lacks is passed over, what nobody has stays a fault."""

from typing import Any

import pytest

from dse.errors import InputError
from dse.search.feasibility import why_nothing_fits
from dse.specification.architecture import parse_architecture
from dse.specification.document import Document
from dse.specification.mapspace import Mapspace, parse_mapspace
from dse.specification.network import load_network
from dse.specification.problem import CNN_LAYER, SHAPES, Shape, parse_problem
from dse.specification.study import NETWORKS, TEMPLATES, shipped_files
from dse.specification.template import load_template

GROUPED, DEPTHWISE, MATMUL = (SHAPES[name] for name in ("grouped-convolution", "depthwise-conv", "gemm-ABZ"))
ARCHITECTURE = parse_architecture(
    Document({}),
    {
        "arithmetic": {"instances": 4, "meshX": 2},
        "storage": [
            {"name": "Registers", "instances": 1, "entries": 8},
            {"name": "DRAM", "instances": 1, "technology": "DRAM"},
        ],
    },
)


def described(dimensions: str, **spaces: str) -> Shape:
    result = next(reversed(spaces))
    entries: list[dict[str, Any]] = [
        {"name": name, "projection": [[[letter]] for letter in letters]}
        | ({"read-write": True} if name == result else {})
        for name, letters in spaces.items()
    ]
    problem: dict[str, Any] = {"shape": {"name": "own", "dimensions": list(dimensions), "data-spaces": entries}}
    problem["instance"] = dict.fromkeys(dimensions, 1)
    return parse_problem(Document({"problem": problem}), problem).shape


def of(shape: Shape, *constraints: dict[str, Any], **beside: Any) -> Mapspace:
    data = beside | {"constraints": [{"target": "Registers"} | each for each in constraints]}
    return parse_mapspace(Document({"mapspace": data}), data, ARCHITECTURE, shape)


def test_dimensions_that_a_kindred_shape_has_are_passed_over() -> None:
    spatial = {"type": "spatial", "factors": "K<=4 G=2 C=1", "default_max_factor": 1, "permutation": "QKGC", "split": 3}
    for shape, order, split in ((GROUPED, "QKGC", 3), (CNN_LAYER, "QKC", 2), (DEPTHWISE, "QC", 1)):
        (own,) = of(shape, spatial).loops
        assert own.permutation == tuple(shape.index[letter] for letter in order), shape.name
        assert own.split == split
        named = {"K": (None, 4), "G": (2, None), "C": (1, None)}
        for letter, index in shape.index.items():
            assert (own.factors[index], own.limits[index]) == named.get(letter, (None, 1)), (shape.name, letter)


def test_nothing_is_left_of_a_constraint_on_what_a_shape_lacks() -> None:
    assert of(CNN_LAYER, {"type": "temporal", "factors": "G=1", "permutation": "G"}).loops == ()
    assert of(DEPTHWISE, {"type": "temporal", "factors": "K<=4 G<=2"}).loops == ()


def test_data_spaces_that_a_kindred_shape_has_are_passed_over() -> None:
    pooling = described("PC", Inputs="PC", Outputs="PC")
    pattern = {"type": "datatype", "keep": ["Weights", "Inputs"], "bypass": ["Outputs"]}
    assert of(pooling, pattern).keep == ((True, False), (True, True))


def test_every_stands_for_what_the_other_list_does_not_name() -> None:
    assert of(CNN_LAYER, {"type": "bypass", "keep": ["Weights"], "bypass": ["*"]}).keep[0] == (True, False, False)
    assert of(CNN_LAYER, {"type": "bypass", "keep": ["*"], "bypass": ["Weights"]}).keep[0] == (False, True, True)
    assert of(CNN_LAYER, {"type": "bypass", "bypass": ["*"]}).keep[0] == (False, False, False)
    with pytest.raises(InputError, match="keeps and bypasses"):
        of(CNN_LAYER, {"type": "bypass", "keep": ["*"], "bypass": ["*"]})


@pytest.mark.parametrize(
    ("shape", "constraint", "expected"),
    [
        (CNN_LAYER, {"type": "temporal", "factors": "M=2"}, 'unknown dimension "M"'),
        (CNN_LAYER, {"type": "temporal", "permutation": "KB"}, 'unknown dimension "B"'),
        (CNN_LAYER, {"type": "datatype", "keep": ["A"]}, 'unknown data space "A"'),
        (MATMUL, {"type": "datatype", "keep": ["Weights"]}, 'unknown data space "Weights"'),
        (MATMUL, {"type": "temporal", "factors": "C=1"}, 'unknown dimension "C"'),
        # A shape with a letter of its own may mean others by the letters that it lacks.
        (described("MC", Weights="MC", Inputs="C", Outputs="M"), {"type": "temporal", "factors": "K=1"}, '"K"'),
        (described("PC", Inputs="PC", Pooled="PC"), {"type": "datatype", "keep": ["Weights"]}, '"Weights"'),
    ],
)
def test_other_names_are_faults(shape: Shape, constraint: dict[str, Any], expected: str) -> None:
    with pytest.raises(InputError) as caught:
        of(shape, constraint)
    assert expected in str(caught.value)


def test_a_mapspace_may_declare_names() -> None:
    own = described("MC", Weights="MC", Inputs="C", Outputs="M")
    names = {"dimensions": ["K", "M"], "data_spaces": ["Bias"]}
    constraints = ({"type": "temporal", "factors": "K=1 M=1"}, {"type": "datatype", "bypass": ["Bias"]})
    assert of(own, *constraints, **names).loops[0].factors == (1, None)
    assert of(CNN_LAYER, *constraints, **names).loops[0].factors[CNN_LAYER.index["K"]] == 1
    with pytest.raises(InputError, match=r"dimensions\[0\]: expected a name, got 1"):
        of(CNN_LAYER, dimensions=[1])


def test_no_shipped_layer_is_ruled_out_on_any_template() -> None:
    networks = [load_network(path) for path in shipped_files(NETWORKS).values()]
    problems = {layer.problem for network in networks for layer in network.layers}
    for name, path in shipped_files(TEMPLATES).items():
        template = load_template(path)
        architecture, data = template.instantiate()
        mapspaces = {
            shape: parse_mapspace(template.document, data, architecture, shape)
            for shape in {problem.shape for problem in problems} | {DEPTHWISE, GROUPED}
        }
        for problem in problems:
            assert why_nothing_fits(architecture, problem, mapspaces[problem.shape]) is None, (name, problem)
