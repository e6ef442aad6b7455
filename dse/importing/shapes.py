"""The shape of every tensor of a graph, by ONNX's own inference, node by node.

What is computed from shapes (the target of a Reshape, the repeats of an Expand) is computed here as well, so that
graphs of dynamic shapes become ones of fixed shapes once the sizes of the inputs are known.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper, shape_inference
from onnx.reference import ReferenceEvaluator

from dse.errors import Fault
from dse.importing.graph import MOST_VALUES, Graph, Node, printable

__all__ = ["Tensors", "infer_shapes"]

Sizes = tuple[int, ...]

# Operators that shapes are computed with. Others are not run, whatever is known of their inputs.
_COMPUTED = (
    "Abs Add And Cast Ceil Concat Constant ConstantOfShape Div Equal Expand Flatten Floor Gather GatherElements "
    "GatherND Greater GreaterOrEqual Identity Less LessOrEqual Max Min Mod Mul Neg NonZero Not Or Pow Range "
    "ReduceMax ReduceMin ReduceProd ReduceSum Reshape Round ScatterElements ScatterND Sign Slice Split Sqrt "
    "Squeeze Sub Tile Transpose Trilu Unsqueeze Where"
)

# Attributes that inference divides by; some versions do not look for zeros first.
_WINDOW = ("dilations", "group", "kernel_shape", "strides")
# Operators without a rule of inference, whose output is as their input.
_KEEPING = ("GroupNormalization", "MeanVarianceNormalization")


@dataclass
class Tensors:
    """What is known of the tensors of a graph.

    `constant` are those that the same values stand in at every run: weights, and what is computed from these or from
    shapes alone. `lost` says for a tensor without a shape which node's output is the first one without.
    """

    types: dict[str, onnx.TypeProto]
    values: dict[str, NDArray[np.generic]]
    constant: set[str]
    lost: dict[str, Node] = field(default_factory=dict)

    def sizes(self, name: str) -> Sizes | None:
        """The shape of a tensor, or None where a size of it is not known."""
        of_type = self.types.get(name)
        if of_type is None or not of_type.HasField("tensor_type") or not of_type.tensor_type.HasField("shape"):
            return None
        sizes = of_type.tensor_type.shape.dim
        return tuple(size.dim_value for size in sizes) if all(size.HasField("dim_value") for size in sizes) else None


def infer_shapes(graph: Graph, inputs: Mapping[str, onnx.TypeProto]) -> Tensors:
    """The shapes of all tensors, where `inputs` have those given.

    Raises InputError naming every node whose inputs do not fit it.
    """
    tensors = Tensors({**inputs, **graph.constants}, {}, set(graph.constants))
    faults: list[Fault] = []
    for name, tensor in graph.values.items():
        try:
            tensors.values[name] = numpy_helper.to_array(tensor)
        except (KeyError, TypeError, ValueError):  # an unknown type, too many data or too few
            faults.append(Fault("its data do not fit its type and shape", f"tensor {printable(name)}"))
    graph.raise_faults(faults)
    for node in graph.nodes:
        faults += _infer(graph, node, tensors)
    graph.raise_faults(faults)
    return tensors


def _infer(graph: Graph, node: Node, tensors: Tensors) -> Iterable[Fault]:
    """Add what is known of a node's outputs."""
    given = [name for name in node.inputs if name]
    outputs = [name for name in node.outputs if name]
    if all(name in tensors.constant for name in given) and not node.bodies and not node.operator.startswith("Random"):
        tensors.constant.update(outputs)
    found: dict[str, onnx.TypeProto] = {}
    faults: list[Fault] = []
    known = node.proto.domain == "" and all(name in tensors.types for name in given)
    wrong = [name for name in _WINDOW if not _positive(node.attributes.get(name, 1))]
    if wrong:
        faults.append(node.fault(f"{', '.join(wrong)}: expected positive integers"))
    elif known:
        try:
            found = _inferred_types(graph, node, tensors)
        except (shape_inference.InferenceError, onnx.checker.ValidationError, ValueError) as error:
            faults.append(node.fault(_reason(error)))
    for name in outputs:
        if name in found:
            tensors.types[name] = found[name]
        if tensors.sizes(name) is None and not faults:
            origins = [tensors.lost[own] for own in given if own in tensors.lost]
            tensors.lost[name] = origins[0] if origins else node
    if known and not faults:
        _compute(graph, node, tensors)
        faults += _reshape_faults(node, tensors)
    return faults


def _positive(value: object) -> bool:
    return all(isinstance(item, int) and item > 0 for item in (value if isinstance(value, list) else [value]))


def _inferred_types(graph: Graph, node: Node, tensors: Tensors) -> dict[str, onnx.TypeProto]:
    """The types of a node's outputs; raises InferenceError where its inputs do not fit."""
    schema = onnx.defs.get_schema(node.proto.op_type, graph.opsets[""], "")
    # A body may read any tensor of the graph around it.
    types = tensors.types if node.bodies else {name: tensors.types[name] for name in node.inputs if name}
    data = {name: numpy_helper.from_array(tensors.values[name], name) for name in node.inputs if name in tensors.values}
    opsets = [onnx.helper.make_opsetid(domain, version) for domain, version in graph.opsets.items()]
    found = shape_inference.infer_node_outputs(schema, node.proto, types, data, opset_imports=opsets)
    if node.operator in _KEEPING:
        found[node.outputs[0]] = types[node.inputs[0]]
    elif not node.bodies and any(not of_type.tensor_type.HasField("shape") for of_type in found.values()):
        found |= _types_by_definition(node, types, opsets)
    return found


def _types_by_definition(
    node: Node, types: Mapping[str, onnx.TypeProto], opsets: list[onnx.OperatorSetIdProto]
) -> dict[str, onnx.TypeProto]:
    """The types of the outputs of an operator that ONNX defines by others, from these."""
    inputs = [onnx.helper.make_value_info(name, of_type) for name, of_type in types.items()]
    outputs = [onnx.helper.make_empty_tensor_value_info(name) for name in node.outputs if name]
    model = onnx.helper.make_model(onnx.helper.make_graph([node.proto], "one", inputs, outputs), opset_imports=opsets)
    inferred = shape_inference.infer_shapes(model, strict_mode=True)
    return {value.name: value.type for value in inferred.graph.output if value.type.tensor_type.HasField("shape")}


def _compute(graph: Graph, node: Node, tensors: Tensors) -> None:
    """Add the values of a node's outputs where they follow from shapes and small constants."""
    operator, outputs = node.proto.op_type, [name for name in node.outputs if name]
    first = tensors.sizes(node.inputs[0]) if node.inputs else None
    if operator in ("Shape", "Size") and first is not None:
        start, end = node.integer("start", 0), node.attributes.get("end")
        whole = np.array(first[start:end], dtype=np.int64)
        results: list[object] = [whole if operator == "Shape" else np.array(math.prod(first), dtype=np.int64)]
    elif operator in _COMPUTED.split() and all(name in tensors.values for name in node.inputs if name):
        sizes = [tensors.sizes(name) for name in outputs]
        # Those of NonZero follow from its input's.
        if operator != "NonZero" and any(own is None or math.prod(own) > MOST_VALUES for own in sizes):
            return
        try:
            evaluator = ReferenceEvaluator(_alone(graph, node))
            results = list(evaluator.run(None, {name: tensors.values[name] for name in node.inputs if name}))
        except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError):
            return  # the reference operators check little: what they cannot compute stays unknown
    else:
        return
    for name, result in zip(outputs, results, strict=False):
        if isinstance(result, np.ndarray | np.generic) and np.asarray(result).dtype != object:
            value = np.asarray(result)
            tensors.values[name] = value
            tensors.constant.add(name)
            tensors.lost.pop(name, None)
            element = onnx.helper.np_dtype_to_tensor_dtype(value.dtype)
            tensors.types[name] = onnx.helper.make_tensor_type_proto(element, list(value.shape))


def _alone(graph: Graph, node: Node) -> onnx.ModelProto:
    """A model of one node."""
    inputs = [onnx.helper.make_empty_tensor_value_info(name) for name in dict.fromkeys(node.inputs) if name]
    outputs = [onnx.helper.make_empty_tensor_value_info(name) for name in node.outputs if name]
    version = onnx.helper.make_opsetid("", graph.opsets[""])
    return onnx.helper.make_model(onnx.helper.make_graph([node.proto], "one", inputs, outputs), opset_imports=[version])


def _reshape_faults(node: Node, tensors: Tensors) -> Iterable[Fault]:
    """Inference takes a Reshape to whatever shape it names; the elements have to be as many before and after."""
    if node.operator != "Reshape":
        return
    before, after = tensors.sizes(node.inputs[0]), tensors.sizes(node.outputs[0])
    if before is not None and after is not None and math.prod(before) != math.prod(after):
        yield node.fault(
            f"cannot make {list(after)} of {list(before)}: where the model was exported for fixed sizes, "
            "export it with dynamic ones, or leave out --batch and --dim"
        )


def _reason(error: Exception) -> str:
    """What inference says, without its frame."""
    text = " ".join(str(error).split())
    return printable(text.rpartition("] ")[2] or text)
