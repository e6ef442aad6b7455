"""The sizes of a model's inputs: what stands in the file, and what the user gives for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx

from dse.errors import Fault
from dse.importing.graph import Graph, printable
from dse.specification.fields import nearest

__all__ = ["InputSizes", "size_inputs"]

Axis = int | str
"""A size that stands in the file, or the name of a dynamic one."""


@dataclass(frozen=True)
class InputSizes:
    """The type of every input with all of its sizes, and the batch: the first size of the first input that has one."""

    types: Mapping[str, onnx.TypeProto]
    batch: int | None


def size_inputs(graph: Graph, batch: int | None, dimensions: Mapping[str, int]) -> InputSizes:
    """Give every dimension of the inputs a size.

    A dynamic dimension goes by its name in the file; where it has none, by input and position: `image.2`. `batch` is
    the size of the first input's first dimension, and of those that are the same: equally named, or first in their
    input and of the same fixed size, or without a name too.

    Raises InputError naming each dimension that has no size, and each name that no dimension has.
    """
    axes = {name: own for name, of_type in graph.inputs.items() if (own := _axes(name, of_type)) is not None}
    dynamic = {axis for own in axes.values() for axis in own if isinstance(axis, str)}
    faults = [
        Fault(
            f"--dim {printable(name)}={size}: no input has such a dynamic dimension"
            + (nearest(name, dynamic) if dynamic else "")
        )
        for name, size in dimensions.items()
        if name not in dynamic
    ]
    chosen = dict(dimensions)
    whole = next((own[0] for own in axes.values() if own), None)
    if batch is not None and whole is not None:
        for name, own in axes.items():
            if own and (own[0] == whole or (_unnamed(own[0]) and _unnamed(whole))):
                if isinstance(own[0], str) and chosen.setdefault(own[0], batch) != batch:
                    faults.append(Fault(f"the batch is {batch}, and {own[0]} is {chosen[own[0]]}"))
                axes[name] = (batch, *own[1:])
    missing: dict[str, str] = {}
    types: dict[str, onnx.TypeProto] = dict(graph.inputs)
    for name, own in axes.items():
        for axis in own:
            if isinstance(axis, str) and axis not in chosen:
                missing.setdefault(axis, f"{printable(name)} [{', '.join(map(str, own))}]")
        sizes = [chosen.get(axis, 1) if isinstance(axis, str) else axis for axis in own]
        types[name] = onnx.helper.make_tensor_type_proto(graph.inputs[name].tensor_type.elem_type, sizes)
    for axis, place in missing.items():
        option = f"--dim {axis}=N" + (" or --batch N" if axis == whole else "")
        faults.append(
            Fault(f"the size of {printable(axis)} is not in the file: give {printable(option)} (input {place})")
        )
    faults += [
        Fault(f"input {printable(name)} has no shape in the file")
        for name, of_type in graph.inputs.items()
        if of_type.HasField("tensor_type") and name not in axes
    ]
    graph.raise_faults(faults)
    first = next((of_type.tensor_type.shape.dim[0] for name, of_type in types.items() if axes.get(name)), None)
    return InputSizes(types, None if first is None else first.dim_value)


def _axes(name: str, of_type: onnx.TypeProto) -> tuple[Axis, ...] | None:
    """The dimensions of an input, or None where the file does not say how many it has."""
    if not of_type.HasField("tensor_type") or not of_type.tensor_type.HasField("shape"):
        return None
    return tuple(
        size.dim_value if size.HasField("dim_value") and size.dim_value >= 0 else size.dim_param or f"{name}.{position}"
        for position, size in enumerate(of_type.tensor_type.shape.dim)
    )


def _unnamed(axis: Axis) -> bool:
    """Whether a dynamic first dimension goes by its place."""
    return isinstance(axis, str) and axis.endswith(".0")
