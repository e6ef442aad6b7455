"""How many operations the operators take that are not scheduled, so that their share of a network can be told.

One operation is one result of an arithmetic unit for one element, as one multiply-accumulate of a layer is: an
addition, a comparison, a product with a sum, a value of a function such as tanh. Moving data is none.
"""

from __future__ import annotations

import math

from dse.importing.graph import Node
from dse.importing.shapes import Tensors

__all__ = ["operations_of"]

# What only moves, renames or looks up data.
_MOVES = (
    "Cast CastLike BitCast CenterCropPad Compress Concat ConcatFromSequence Constant ConstantOfShape DepthToSpace "
    "Dropout Expand Flatten Gather GatherElements GatherND Identity OneHot Optional OptionalGetElement "
    "OptionalHasElement Pad Reshape ReverseSequence Scatter ScatterElements ScatterND SequenceAt "
    "SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength Shape Size Slice SpaceToDepth "
    "Split SplitToSequence Squeeze TensorScatter Tile Transpose Unsqueeze Where"
)
# Operations for an element of the output. A batch normalisation is a product with a sum; other normalisations add up
# values and squares, then shift and scale; a softmax finds the largest, subtracts, raises and divides.
_FOR_AN_OUTPUT = {
    "GridSample": 4,
    "GroupNormalization": 4,
    "InstanceNormalization": 4,
    "LayerNormalization": 4,
    "LogSoftmax": 4,
    "MeanVarianceNormalization": 4,
    "RMSNormalization": 3,
    "Resize": 4,
    "RoiAlign": 4,
    "RotaryEmbedding": 2,
    "Softmax": 4,
    "SwiGLU": 3,
    "Swish": 2,
    "Upsample": 4,
}
# These read every element of their input once.
_FOR_AN_INPUT = ("Arg", "CumSum", "CumProd", "Einsum", "Global", "Hardmax", "Lp", "NonMax", "Reduce", "TopK")
_WINDOWS = frozenset({"AveragePool", "LpPool", "MaxPool"})


def operations_of(node: Node, tensors: Tensors) -> int | None:
    """Operations of a node at each run; None where its shapes are not known or ONNX does not define it."""
    outputs = [name for name in node.outputs if name]
    if all(name in tensors.constant for name in outputs) or node.operator in _MOVES.split():
        return 0
    if node.proto.domain or node.bodies:
        return None
    inputs = tensors.sizes(node.inputs[0]) if node.inputs else ()
    output = tensors.sizes(outputs[0])
    if node.operator in _WINDOWS and output is not None:
        window = node.integers("kernel_shape", (1,) * (len(output) - 2))
        return math.prod(output) * math.prod(window)
    if node.operator.startswith(_FOR_AN_INPUT) and node.operator not in _WINDOWS:
        return None if inputs is None else math.prod(inputs)
    if node.operator in ("Max", "Mean", "Min", "Sum") and output is not None:
        return math.prod(output) * max(1, len(node.inputs) - 1)
    return None if output is None else math.prod(output) * _FOR_AN_OUTPUT.get(node.operator, 1)
