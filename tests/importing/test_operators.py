"""Each operator as layers: sizes by hand, and convolutions against ONNX's reference implementation."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

from dse.importing.network import ImportedNetwork
from dse.importing.operators import _phases
from tests.importing.models import Model

Layers = Callable[..., list[tuple[int, dict[str, int]]]]
Import = Callable[..., ImportedNetwork]


def one(operator: str, *shapes: tuple[int, ...], opset: int = 17, weights: int = 1, **attributes: Any) -> Model:
    """A model of one node; the last `weights` inputs are weights."""
    model = Model(opset)
    given = len(shapes) - weights
    names = [model.input(f"x{position}", shape) for position, shape in enumerate(shapes[:given])]
    model.node(operator, *names, *(model.weight(*shape) for shape in shapes[given:]), **attributes)
    return model


@pytest.mark.parametrize(
    ("shapes", "attributes", "sizes"),
    [
        # Width is R, P and the W coefficients; ONNX names the height first.
        (((2, 3, 20, 30), (8, 3, 5, 7)), {}, {"N": 2, "C": 3, "K": 8, "S": 5, "R": 7, "Q": 16, "P": 24}),
        (
            ((1, 3, 20, 30), (8, 3, 5, 7)),
            {"strides": [2, 3], "pads": [2, 3, 1, 0]},
            {"C": 3, "K": 8, "S": 5, "R": 7, "Q": 10, "P": 9, "Hstride": 2, "Wstride": 3},
        ),
        (
            ((1, 4, 9, 9), (4, 4, 3, 3)),
            {"dilations": [2, 3], "auto_pad": "VALID"},
            {"C": 4, "K": 4, "S": 3, "R": 3, "Q": 5, "P": 3, "Hdilation": 2, "Wdilation": 3},
        ),
        (
            ((1, 4, 10, 11), (4, 4, 3, 3)),
            {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
            {"C": 4, "K": 4, "S": 3, "R": 3, "Q": 5, "P": 6, "Hstride": 2, "Wstride": 2},
        ),
        (((1, 6, 8, 8), (9, 2, 1, 1)), {"group": 3}, {"G": 3, "C": 2, "K": 3, "Q": 8, "P": 8}),
        (((1, 6, 8, 8), (12, 1, 3, 3)), {"group": 6}, {"G": 6, "K": 2, "S": 3, "R": 3, "Q": 6, "P": 6}),
        (((1, 4, 100), (5, 4, 9)), {"strides": [4]}, {"C": 4, "K": 5, "R": 9, "P": 23, "Wstride": 4}),
    ],
)
def test_convolution(shapes: Any, attributes: dict[str, Any], sizes: dict[str, int], layers: Layers) -> None:
    assert layers(one("Conv", *shapes, **attributes)) == [(1, sizes)]


@pytest.mark.parametrize(
    ("shapes", "attributes", "sizes"),
    [
        # Windows that do not overlap: an input meets each tap once.
        (((1, 8, 5, 6), (8, 4, 2, 2)), {"strides": [2, 2]}, [{"C": 8, "K": 16, "Q": 5, "P": 6}]),
        (
            ((1, 8, 5, 6), (8, 4, 4, 4)),
            {"strides": [2, 2], "pads": [1, 1, 1, 1]},
            [{"C": 8, "K": 16, "S": 2, "R": 2, "Q": 5, "P": 6}],
        ),
        (
            ((1, 8, 5, 5), (8, 2, 3, 3)),
            {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1], "group": 2},
            [
                {"G": 2, "C": 4, "K": 2, "Q": 5, "P": 5},
                {"G": 2, "C": 4, "K": 2, "R": 2, "Q": 5, "P": 5},
                {"G": 2, "C": 4, "K": 2, "S": 2, "Q": 5, "P": 5},
                {"G": 2, "C": 4, "K": 2, "S": 2, "R": 2, "Q": 5, "P": 5},
            ],
        ),
        # A dilation of 2 and a stride of 2: every second output meets all taps, the others none.
        (((1, 3, 7), (3, 4, 3)), {"strides": [2], "dilations": [2]}, [{"C": 3, "K": 4, "R": 3, "P": 9}]),
        (((1, 3, 7), (3, 4, 3)), {}, [{"C": 3, "K": 4, "R": 3, "P": 9}]),
    ],
)
def test_transposed_convolution(
    shapes: Any, attributes: dict[str, Any], sizes: list[dict[str, int]], layers: Layers
) -> None:
    assert layers(one("ConvTranspose", *shapes, **attributes)) == [(1, own) for own in sizes]


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 6), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.integers(0, 3), st.integers(0, 2))
def test_phases_are_the_taps_that_each_output_meets(
    size: int, taps: int, stride: int, dilation: int, pad: int, extra: int
) -> None:
    """A transposed convolution of ones over ones has at each output the number of taps that it meets.

    With the inputs continued by ones on both sides, since zeros at the border count as data.
    """
    outputs = stride * (size - 1) + (taps - 1) * dilation + 1 - 2 * pad + min(extra, stride - 1)
    if outputs < 1:
        return
    margin = (taps * dilation) // stride + 2
    attributes: dict[str, Any] = {"strides": [stride], "dilations": [dilation]}
    node = helper.make_node("ConvTranspose", ["x", "w"], ["y"], **attributes)
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in ("x", "w", "y")]
    model = helper.make_model(
        helper.make_graph([node], "one", values[:2], values[2:]), opset_imports=[helper.make_opsetid("", 17)]
    )
    ones = {"x": np.ones((1, 1, size + 2 * margin), np.float32), "w": np.ones((1, 1, taps), np.float32)}
    (result,) = ReferenceEvaluator(model).run(None, ones)
    first = margin * stride + pad
    met = np.asarray(result)[0, 0, first : first + outputs]
    found = _phases(outputs, taps, stride, dilation, pad)
    assert sum(own * count * phases for (own, count), phases in found.items()) == met.sum()


@pytest.mark.parametrize(
    ("operator", "shapes", "weights", "attributes", "sizes"),
    [
        ("Gemm", ((4, 64), (64, 10)), 1, {}, {"N": 4, "C": 64, "K": 10}),
        ("Gemm", ((64, 4), (10, 64)), 1, {"transA": 1, "transB": 1}, {"P": 4, "C": 64, "K": 10}),
        ("MatMul", ((2, 7, 64), (64, 10)), 1, {}, {"N": 2, "P": 7, "C": 64, "K": 10}),
        ("MatMul", ((2, 3, 7, 64), (1, 64, 10)), 1, {}, {"N": 2, "P": 21, "C": 64, "K": 10}),
        ("MatMul", ((7, 2, 64), (64, 10)), 1, {}, {"N": 7, "P": 2, "C": 64, "K": 10}),
        ("MatMul", ((2, 3, 7, 64), (2, 3, 64, 5)), 0, {}, {"G": 6, "P": 7, "C": 64, "K": 5}),
        ("MatMul", ((2, 3, 7, 64), (3, 64, 5)), 0, {}, {"G": 3, "N": 2, "P": 7, "C": 64, "K": 5}),
        ("MatMul", ((7, 64), (3, 64, 5)), 0, {}, {"P": 7, "C": 64, "K": 15}),
        ("MatMul", ((64,), (64, 5)), 1, {}, {"C": 64, "K": 5}),
        ("MatMul", ((3, 7, 64), (64,)), 1, {}, {"N": 3, "P": 7, "C": 64}),
        ("Einsum", ((2, 7, 3, 8), (2, 9, 3, 8)), 0, {"equation": "bqhd,bkhd->bhqk"}, {"G": 6, "P": 7, "C": 8, "K": 9}),
        ("Einsum", ((2, 7, 8), (8, 3, 4)), 1, {"equation": "b t d, d h e"}, {"N": 2, "P": 7, "C": 8, "K": 12}),
        ("Einsum", ((5,), (6,)), 0, {"equation": "i,j->ij"}, {"N": 5, "K": 6}),
    ],
)
def test_product(
    operator: str, shapes: Any, weights: int, attributes: dict[str, Any], sizes: dict[str, int], layers: Layers
) -> None:
    assert layers(one(operator, *shapes, weights=weights, **attributes)) == [(1, sizes)]


def test_weights_are_weights_on_either_side(layers: Layers) -> None:
    model = Model()
    model.node("MatMul", model.weight(10, 64), model.input("x", [2, 64, 7]))
    assert layers(model) == [(1, {"N": 2, "P": 7, "C": 64, "K": 10})]


def test_sequences_that_come_before_the_batch(layers: Layers) -> None:
    """[2, 8, 64] as [8, 2, 64]: the same layer."""
    model = Model()
    model.node("MatMul", model.node("Transpose", model.input("x", [2, 8, 64]), perm=[1, 0, 2]), model.weight(64, 10))
    assert layers(model) == [(1, {"N": 2, "P": 8, "C": 64, "K": 10})]


def test_tokens_of_a_flat_product_are_rows_of_their_batch(layers: Layers) -> None:
    """[2, 8, 64] flattened to [16, 64]: the same layer as without flattening."""
    model = Model()
    tensor = model.input("x", [2, 8, 64])
    model.node("MatMul", tensor, model.weight(64, 10))
    model.linear(model.node("Reshape", tensor, model.values(-1, 64)), 64, 10)
    assert layers(model) == [(2, {"N": 2, "P": 8, "C": 64, "K": 10})]


@pytest.mark.parametrize("flat", [True, False])
def test_attention(flat: bool, layers: Layers) -> None:
    """8 heads of queries that share 2 of keys; 5 tokens that attend to 9."""
    model = Model(opset=24)
    if flat:
        inputs = [
            model.input(name, shape) for name, shape in (("q", [3, 5, 512]), ("k", [3, 9, 128]), ("v", [3, 9, 64]))
        ]
        model.node("Attention", *inputs, q_num_heads=8, kv_num_heads=2)
    else:
        shapes = (("q", [3, 8, 5, 64]), ("k", [3, 2, 9, 64]), ("v", [3, 2, 9, 32]))
        model.node("Attention", *(model.input(name, shape) for name, shape in shapes))
    scores = {"G": 6, "N": 4, "P": 5, "C": 64, "K": 9}
    assert layers(model) == [(1, scores), (1, {"G": 6, "N": 4, "P": 5, "C": 9, "K": 32})]


def test_quantised_operators(layers: Layers) -> None:
    model = Model()
    image = model.input("x", [1, 3, 8, 8], TensorProto.UINT8)
    scale = model.weight()
    zero = model.weight(element=TensorProto.UINT8)
    filters = model.weight(4, 3, 3, 3, element=TensorProto.UINT8)
    result = model.node("QLinearConv", image, scale, zero, filters, scale, zero, scale, zero)
    flat = model.node("Reshape", result, model.values(1, -1))
    matrix = model.weight(144, 10, element=TensorProto.UINT8)
    model.node("QLinearMatMul", flat, scale, zero, matrix, scale, zero, scale, zero)
    model.node("MatMulInteger", flat, matrix)
    model.node("ConvInteger", image, filters)
    convolution = {"C": 3, "K": 4, "S": 3, "R": 3, "Q": 6, "P": 6}
    assert layers(model) == [(2, convolution), (2, {"C": 144, "K": 10})]


def test_weights_that_are_computed_are_weights(imported: Import) -> None:
    """Dequantised or transposed once: no operations at each run."""
    model = Model()
    weight = model.node("DequantizeLinear", model.weight(8, 4, element=TensorProto.INT8), model.weight())
    model.node("MatMul", model.input("x", [1, 4]), model.node("Transpose", weight, perm=[1, 0]))
    model.node("MatMul", model.weight(4, 4), model.weight(4, 4))
    found = imported(model)
    assert found.network.macs == 32
    assert {own.operator: own.operations for own in found.unscheduled} == {
        "DequantizeLinear": 0,
        "Transpose": 0,
        "MatMul": 0,
    }


def test_shapes_that_are_computed(layers: Layers) -> None:
    """What exporters write for x.view(x.size(0), -1) and for a size that depends on another."""
    model = Model()
    tensor = model.input("x", ["n", 6, "height", 10])
    sizes = model.node("Shape", tensor)
    batch = model.node(
        "Unsqueeze", model.node("Gather", sizes, model.node("Squeeze", model.values(0))), model.values(0)
    )
    half = model.node("Div", model.node("Slice", sizes, model.values(2), model.values(3)), model.values(2))
    pooled = model.node("Expand", model.input("y", [1]), model.node("Concat", batch, half, axis=0))
    model.node("MatMul", pooled, model.weight(12, 5))
    flat = model.node("Reshape", tensor, model.node("Concat", batch, model.values(-1), axis=0))
    model.linear(flat, 1440, 7)
    assert layers(model, batch=3, dimensions={"height": 24}) == [
        (1, {"N": 3, "C": 12, "K": 5}),
        (1, {"N": 3, "C": 1440, "K": 7}),
    ]


def test_functions_of_the_model_are_written_out(layers: Layers) -> None:
    model = Model()
    model.node("Linear", model.input("x", [4, 8]), model.weight(8, 5), domain="local", name="mine")
    proto = model.proto()
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("local", 1)]
    body = [helper.make_node("MatMul", ["a", "b"], ["c"])]
    proto.functions.append(helper.make_function("local", "Linear", ["a", "b"], ["c"], body, opsets))
    proto.opset_import.append(opsets[1])
    model.proto = lambda: proto  # type: ignore[method-assign]
    assert layers(model) == [(1, {"N": 4, "C": 8, "K": 5})]


def test_nodes_in_any_order(layers: Layers) -> None:
    model = Model()
    tensor = model.node("Relu", model.input("x", [1, 8]))
    model.linear(model.linear(tensor, 8, 4), 4, 2)
    model.nodes.reverse()
    assert sorted(layers(model), key=str) == [(1, {"C": 4, "K": 2}), (1, {"C": 8, "K": 4})]


def test_same_names_are_told_apart(imported: Import) -> None:
    model = Model()
    tensor = model.linear(model.input("x", [1, 8]), 8, 4, name="same")
    model.linear(tensor, 4, 2, name="same")
    assert [layer.name for layer in imported(model).network.layers] == ["same", "same.2"]


def test_operations_of_what_is_not_scheduled(imported: Import) -> None:
    model = Model(opset=21)
    image = model.conv(model.input("x", [1, 4, 8, 8]), 4, 4, 3, relu=False)
    scale = model.weight(4)
    for operator, others, attributes in (
        ("GroupNormalization", (scale, scale), {"num_groups": 2}),
        ("BatchNormalization", (scale, scale, scale, scale), {}),
        ("Softmax", (), {}),
        ("Gelu", (), {}),
        ("GlobalAveragePool", (), {}),
        ("AveragePool", (), {"kernel_shape": [2, 2]}),
        ("ReduceMean", (), {}),
        ("Concat", (image,), {"axis": 1}),
    ):
        model.node(operator, image, *others, **attributes)
    elements = 4 * 64
    assert {own.operator: own.operations for own in imported(model).unscheduled} == {
        "GroupNormalization": 4 * elements,
        "BatchNormalization": elements,
        "Softmax": 4 * elements,
        "Gelu": elements,
        "GlobalAveragePool": elements,
        "AveragePool": 4 * 4 * 49,
        "ReduceMean": elements,
        "Concat": 0,
    }


def test_comparisons_that_onnx_defines_by_others_keep_their_shape(layers: Layers) -> None:
    model = Model(opset=12)
    tensor = model.input("x", [2, 8])
    mask = model.node("GreaterOrEqual", tensor, model.input("y", [1, 8]))
    model.linear(model.node("Where", mask, tensor, model.input("z", [])), 8, 4)
    assert layers(model) == [(1, {"N": 2, "C": 8, "K": 4})]
