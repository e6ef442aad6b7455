"""An ONNX file as a graph: read without its weights, its functions written out, its nodes in order of their data."""

from __future__ import annotations

import graphlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import onnx
from google.protobuf.message import DecodeError, Message
from onnx import inliner

from dse.errors import Fault, InputError

__all__ = ["MOST_VALUES", "Graph", "Node", "load_graph", "printable"]

_LARGEST_FILE_BYTES = 2**31 - 1  # protocol buffers end here; larger models keep their weights in files beside
_MOST_NODES = 1_000_000
_OLDEST_OPSET = 7  # operators before it have no inference of shapes
MOST_VALUES = 4096
"""Constants of at most so many elements keep their values: shapes, indices and scales that other shapes depend on."""


@dataclass(frozen=True, eq=False)
class Node:
    """A node with the name that messages and layers know it by: its own, else that of its first output."""

    name: str
    proto: onnx.NodeProto

    @property
    def operator(self) -> str:
        """`Conv`, or `com.microsoft.Attention` where it is none of ONNX's own."""
        return ".".join(filter(None, (self.proto.domain, self.proto.op_type)))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of tensors; one that is left out is empty."""
        return tuple(self.proto.input)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of tensors; one that is left out is empty."""
        return tuple(self.proto.output)

    @cached_property
    def attributes(self) -> dict[str, Any]:
        """Name -> value: numbers, bytes, tensors, graphs or lists of these."""
        return {item.name: onnx.helper.get_attribute_value(item) for item in self.proto.attribute}

    @cached_property
    def bodies(self) -> tuple[onnx.GraphProto, ...]:
        """The graphs inside: branches of If, bodies of Loop and Scan."""
        found = [[item.g] if item.HasField("g") else list(item.graphs) for item in self.proto.attribute]
        return tuple(body for bodies in found for body in bodies)

    def integer(self, name: str, default: int) -> int:
        """An attribute; raises InputError where it is no whole number."""
        value = self.attributes.get(name, default)
        if not isinstance(value, int):
            raise InputError(self.fault(f"attribute {name}: expected a whole number, got {value!r:.60}"))
        return value

    def integers(self, name: str, default: tuple[int, ...], minimum: int = 1) -> tuple[int, ...]:
        """An attribute of as many whole numbers as `default`; raises InputError where it is something else."""
        value = self.attributes.get(name, default)
        listed = tuple(value) if isinstance(value, list | tuple) else ()
        if len(listed) != len(default) or not all(isinstance(item, int) and item >= minimum for item in listed):
            raise InputError(
                self.fault(f"attribute {name}: expected {len(default)} integers from {minimum} on, got {value!r:.60}")
            )
        return listed

    def text(self, name: str) -> str:
        """An attribute; empty where it is absent."""
        value = self.attributes.get(name, b"")
        return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)

    def fault(self, message: str) -> Fault:
        """A fault of this node; `Graph.raise_faults` adds the file."""
        return Fault(message, f"node {printable(self.name)} ({printable(self.operator)})")


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes in the order of their data, and the types of what comes from outside.

    `inputs` are given when the model runs, `constants` (weights) stand in it; `values` holds the small ones of these.
    """

    file: str
    nodes: tuple[Node, ...]
    inputs: Mapping[str, onnx.TypeProto]
    constants: Mapping[str, onnx.TypeProto]
    values: Mapping[str, onnx.TensorProto]
    opsets: Mapping[str, int]
    producer: str

    def raise_faults(self, faults: Iterable[Fault]) -> None:
        """Raise InputError with the faults, if there are any, in this file."""
        in_file = [Fault(fault.message, fault.key, self.file) for fault in faults]
        if in_file:
            raise InputError(in_file)


def printable(text: str) -> str:
    """A text of the file in one line of a message."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= 120 else f"{shown[:120]}..."


def load_graph(path: Path) -> Graph:
    """Read a model.

    Weights that are kept in files beside it are not read: their shapes stand in the model. Raises InputError where the
    file cannot be read, is larger than 2 GiB, is no ONNX model or one of a later version of ONNX than is installed,
    uses operators that ONNX does not have, or has nodes in a cycle, tensors made twice or by nobody.
    """
    model = _read(path)
    faults = _version_faults(model)
    if faults:
        raise InputError([Fault(message, file=str(path)) for message in faults])
    constants, values = _strip_weights(model)
    if not _is_text(model) or not all(isinstance(name, str) for name in constants):
        raise InputError(Fault("is damaged: names in it are no text", file=str(path)))
    if model.functions:
        if _written_out(model) > _MOST_NODES:
            message = f"its functions make more than {_MOST_NODES:,} nodes, or call themselves"
            raise InputError(Fault(message, file=str(path)))
        try:
            model = inliner.inline_local_functions(model)
        except (onnx.checker.ValidationError, RuntimeError) as error:
            raise InputError(Fault(f"no valid model: {_first_line(error)}", file=str(path))) from error
    opsets = {_domain(item.domain): item.version for item in model.opset_import}
    nodes = []
    for index, proto in enumerate(model.graph.node):
        proto.domain = _domain(proto.domain)
        outputs = [name for name in proto.output if name]
        nodes.append(Node(proto.name or (outputs[0] if outputs else f"{proto.op_type}_{index}"), proto))
    inputs = {item.name: item.type for item in model.graph.input if item.name not in constants}
    graph = Graph(str(path), tuple(nodes), inputs, constants, values, opsets, printable(model.producer_name))
    if not nodes:
        graph.raise_faults([Fault("holds no nodes")])
    graph.raise_faults(_operator_faults(graph))
    return _sorted(graph)


def _read(path: Path) -> onnx.ModelProto:
    try:
        if not path.is_file():
            raise InputError(Fault("there is no such file", file=str(path)))
        size = path.stat().st_size
        if size > _LARGEST_FILE_BYTES:
            message = f"has {size:,} bytes, and an ONNX file at most 2 GiB: save it with its weights as external data"
            raise InputError(Fault(message, file=str(path)))
        model: onnx.ModelProto = onnx.ModelProto.FromString(path.read_bytes())
    except OSError as error:
        raise InputError(Fault(f"cannot be read: {error.strerror}", file=str(path))) from error
    except DecodeError as error:
        raise InputError(Fault("is no ONNX model, or not all of one", file=str(path))) from error
    if not model.HasField("graph"):
        raise InputError(Fault("is no ONNX model: it holds no graph", file=str(path)))
    return model


def _is_text(message: Message) -> bool:
    """Whether all texts in a message are ones: those that are not UTF-8 are given as bytes."""
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING and not all(
            isinstance(text, str) for text in ([value] if isinstance(value, str | bytes) else value)
        ):
            return False
        if field.type == field.TYPE_MESSAGE and not all(
            map(_is_text, [value] if isinstance(value, Message) else value)
        ):
            return False
    return True


def _version_faults(model: onnx.ModelProto) -> list[str]:
    """What says that this model is of a later ONNX, or of none."""
    newer = f"later than the installed onnx {onnx.__version__} knows: pip install --upgrade onnx"
    versions = {_domain(item.domain): item.version for item in model.opset_import}
    faults = []
    if model.ir_version > onnx.IR_VERSION:
        faults.append(f"IR version {model.ir_version} is {newer}")
    if "" not in versions and any(_domain(node.domain) == "" for node in model.graph.node):
        faults.append("does not say which opset it uses")
    known = onnx.defs.onnx_opset_version()
    if versions.get("", 1) > known:
        faults.append(f"opset {versions['']} is {newer} (up to {known})")
    elif versions.get("", _OLDEST_OPSET) < _OLDEST_OPSET:
        message = f"is too old to infer shapes, {_OLDEST_OPSET} is not: onnx.version_converter writes it anew"
        faults.append(f"opset {versions['']} {message}")
    return faults


def _strip_weights(model: onnx.ModelProto) -> tuple[dict[str, onnx.TypeProto], dict[str, onnx.TensorProto]]:
    """Take the constants out of a model: their types, and the values of the small ones.

    The nodes `Constant` go too. What is left is small, and refers to no other file.
    """
    graph = model.graph
    found = [(tensor.name, tensor) for tensor in graph.initializer]
    nodes = list(graph.node)
    del graph.node[:]
    for node in nodes:
        tensors = [item.t for item in node.attribute if item.name == "value" and item.HasField("t")]
        if node.op_type == "Constant" and _domain(node.domain) == "" and tensors and len(node.output) == 1:
            found.append((node.output[0], tensors[0]))
        else:
            graph.node.append(node)
    constants: dict[str, onnx.TypeProto] = {}
    values: dict[str, onnx.TensorProto] = {}
    for name, tensor in found:
        constants[name] = onnx.helper.make_tensor_type_proto(tensor.data_type, list(tensor.dims))
        inside = tensor.data_location != onnx.TensorProto.EXTERNAL
        if inside and all(size >= 0 for size in tensor.dims) and _elements(tensor) <= MOST_VALUES:
            kept = onnx.TensorProto()
            kept.CopyFrom(tensor)
            values[name] = kept
    for sparse in graph.sparse_initializer:
        constants[sparse.values.name] = onnx.helper.make_tensor_type_proto(sparse.values.data_type, list(sparse.dims))
    del graph.initializer[:]
    del graph.sparse_initializer[:]
    return constants, values


def _elements(tensor: onnx.TensorProto) -> int:
    product = 1
    for size in tensor.dims:
        product *= size
    return product


def _domain(domain: str) -> str:
    return "" if domain == "ai.onnx" else domain


def _written_out(model: onnx.ModelProto) -> int:
    """Nodes of a model with its functions in the place of their calls; nested functions can make billions of a few."""
    functions = {(_domain(function.domain), function.name): function for function in model.functions}
    counts: dict[tuple[str, str], int] = {}

    def count(nodes: Iterable[onnx.NodeProto]) -> int:
        total = 0
        for node in nodes:
            key = (_domain(node.domain), node.op_type)
            if key in functions and key not in counts:
                counts[key] = _MOST_NODES + 1  # for a call of itself
                counts[key] = count(functions[key].node)
            total += counts.get(key, 1) + sum(count(body.node) for body in Node("", node).bodies)
        return total

    return count(model.graph.node)


def _first_line(error: Exception) -> str:
    return printable((str(error).splitlines() or [type(error).__name__])[0])


def _operator_faults(graph: Graph) -> list[Fault]:
    """Nodes with an operator of ONNX's own domain that its opset does not have."""
    version = graph.opsets.get("", 1)
    return [
        node.fault(f"opset {version} of ONNX has no such operator")
        for node in graph.nodes
        if node.proto.domain == "" and not onnx.defs.has(node.proto.op_type, version, "")
    ]


def _needed(node: onnx.NodeProto) -> Iterator[str]:
    """Tensors that a node reads, those that its bodies take from outside included."""
    yield from (name for name in node.input if name)
    for body in Node("", node).bodies:
        inside = {item.name for item in body.input} | {item.name for item in body.initializer}
        inside |= {name for own in body.node for name in own.output}
        for own in body.node:
            yield from (name for name in _needed(own) if name not in inside)
        yield from (item.name for item in body.output if item.name not in inside)


def _sorted(graph: Graph) -> Graph:
    """The graph with its nodes in the order of their data; raises InputError where there is none."""
    makers: dict[str, int] = {}
    faults = []
    for name, of_type in graph.constants.items():
        if any(size.dim_value < 0 for size in of_type.tensor_type.shape.dim):
            faults.append(Fault("a constant with a negative size", f"tensor {printable(name)}"))
    for index, node in enumerate(graph.nodes):
        for name in filter(None, node.outputs):
            if name in makers or name in graph.inputs or name in graph.constants:
                faults.append(node.fault(f"makes {printable(name)}, which something else makes already"))
            makers[name] = index
    before: dict[int, set[int]] = {}
    for index, node in enumerate(graph.nodes):
        needed = dict.fromkeys(_needed(node.proto))
        before[index] = {makers[name] for name in needed if name in makers}
        for name in needed:
            if name not in makers and name not in graph.inputs and name not in graph.constants:
                faults.append(node.fault(f"reads {printable(name)}, which nothing makes"))
    graph.raise_faults(faults)
    if all(max(own, default=-1) < index for index, own in before.items()):
        return graph
    try:
        nodes = tuple(graph.nodes[index] for index in graphlib.TopologicalSorter(before).static_order())
    except graphlib.CycleError as error:
        names = [printable(graph.nodes[index].name) for index in reversed(error.args[1])]
        shown = " -> ".join(names if len(names) <= 6 else [*names[:5], "...", names[-1]])
        raise InputError(Fault(f"its nodes are in a cycle: {shown}", file=graph.file)) from error
    return Graph(graph.file, nodes, graph.inputs, graph.constants, graph.values, graph.opsets, graph.producer)
