"""A model as a network: its layers, equal ones counted, and the rest by operator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import onnx

from dse.errors import Fault, InputError
from dse.importing.dimensions import size_inputs
from dse.importing.graph import Graph, Node, load_graph, printable
from dse.importing.operators import MULTIPLYING, UNSUPPORTED, UnsupportedError, layers_of
from dse.importing.others import operations_of
from dse.importing.shapes import Tensors, infer_shapes
from dse.specification.network import Layer, Network
from dse.specification.problem import Problem

__all__ = ["ImportedNetwork", "Unscheduled", "read_network"]


@dataclass(frozen=True, slots=True)
class Unscheduled:
    """The nodes of an operator that no layer stands for.

    `operations` as dse.importing.others counts them, None where they are not known; `first` is the first such node.
    """

    operator: str
    nodes: int
    operations: int | None
    first: str


@dataclass(frozen=True, slots=True)
class ImportedNetwork:
    """The layers of a model, and what else it does, most operations first."""

    network: Network
    unscheduled: tuple[Unscheduled, ...]

    @property
    def operations(self) -> int:
        """Those of one pass, as far as they are known: the MACs of the layers and what is not scheduled."""
        return self.network.macs + sum(own.operations or 0 for own in self.unscheduled)


def read_network(
    path: Path, name: str | None, batch: int | None, dimensions: Mapping[str, int], skip_unsupported: bool
) -> ImportedNetwork:
    """What `dse.importing.import_network` says."""
    graph = load_graph(path)
    if not skip_unsupported:
        graph.raise_faults(map(_unsupported_fault, filter(_unsupported, graph.nodes)))
    inputs = size_inputs(graph, batch, dimensions)
    tensors = infer_shapes(graph, inputs.types)
    counts: Counter[Problem] = Counter()
    names: dict[Problem, str] = {}
    others: dict[str, list[tuple[Node, int | None]]] = {}
    faults: list[Fault] = []
    for node in graph.nodes:
        if not _is_layer(node, tensors):
            operations = None if _unsupported(node) else operations_of(node, tensors)
            others.setdefault(printable(node.operator), []).append((node, operations))
            continue
        try:
            products = layers_of(node, tensors, inputs.batch)
        except UnsupportedError as error:
            if not skip_unsupported:
                faults += error.faults
            others.setdefault(node.operator, []).append((node, None))
            continue
        except InputError as error:
            faults += error.faults
            continue
        for product in products:
            counts[product.problem] += 1
            names.setdefault(product.problem, ".".join(filter(None, (node.name, product.part))))
    graph.raise_faults(faults)
    if not counts:
        graph.raise_faults([Fault(f"nothing to schedule: none of {', '.join(sorted(MULTIPLYING))}")])
    unique = _distinct(names.values())
    layers = tuple(Layer(next(unique), counts[problem], problem) for problem in names)
    network = Network(name or path.stem, _source(path, graph, inputs.batch, dimensions), layers)
    unscheduled = [
        Unscheduled(operator, len(own), _sum(operations for _, operations in own), printable(own[0][0].name))
        for operator, own in others.items()
    ]
    unscheduled.sort(key=lambda own: (-(own.operations or 0), own.operations is not None, own.operator))
    return ImportedNetwork(network, tuple(unscheduled))


def _is_layer(node: Node, tensors: Tensors) -> bool:
    """Whether a node multiplies and accumulates at each run; what is made of weights alone is made once."""
    if node.operator not in MULTIPLYING or all(name in tensors.constant for name in node.outputs if name):
        return False
    return node.operator != "Einsum" or len(node.inputs) > 1


def _unsupported(node: Node) -> bool:
    return bool(node.proto.domain) or node.operator in UNSUPPORTED or any(map(_multiplies, node.bodies))


def _multiplies(body: onnx.GraphProto) -> bool:
    """Whether a body has nodes that would be layers, or that are not supported."""
    inside = [Node(proto.name, proto) for proto in body.node]
    return any(node.operator in MULTIPLYING or _unsupported(node) for node in inside)


def _unsupported_fault(node: Node) -> Fault:
    if node.bodies:
        what = "has layers in its body, and how often they run is not in the file"
    elif node.proto.domain:
        what = "is no operator of ONNX, and the model does not define it"
    else:
        what = "multiplies and accumulates in a way that is no layer"
    return node.fault(f"{what} (--skip-unsupported lists it as not scheduled)")


def _sum(operations: Iterable[int | None]) -> int | None:
    total = 0
    for own in operations:
        if own is None:
            return None
        total += own
    return total


def _distinct(names: Iterable[str]) -> Iterator[str]:
    """The names, with a number behind each that stands there already."""
    used: set[str] = set()
    for name in map(printable, names):
        number, unique = 2, name
        while unique in used:
            number, unique = number + 1, f"{name}.{number}"
        used.add(unique)
        yield unique


def _source(path: Path, graph: Graph, batch: int | None, dimensions: Mapping[str, int]) -> str:
    """Where the layers come from, as the network file says it."""
    parts = [f"{path.name}, ONNX opset {graph.opsets.get('', 0)}"]
    parts += [f"by {graph.producer}"] if graph.producer else []
    parts += [f"batch {batch}"] if batch is not None else []
    return ", ".join([*parts, *(f"{name} = {size}" for name, size in dimensions.items())])
