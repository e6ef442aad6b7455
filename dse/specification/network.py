"""Networks: layers, each a problem with the number of times that it occurs.

    network: {name: ..., source: ..., layers: [{name: ..., count: 1, problem: {...} or a file name}, ...]}

A file with a `problem:` alone, as Timeloop and CoSA have it, is a network of one layer.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import yaml

from dse.errors import InputError
from dse.specification.document import Document, load_document
from dse.specification.fields import Reader, Section, describe
from dse.specification.problem import CNN_LAYER, Problem, parse_problem

__all__ = ["Layer", "Network", "format_network", "load_network", "parse_network"]


@dataclass(frozen=True, slots=True)
class Layer:
    """A problem that a network solves `count` times."""

    name: str
    count: int
    problem: Problem


@dataclass(frozen=True, slots=True)
class Network:
    """Layers with distinct names; `source` says where their shapes come from."""

    name: str
    source: str
    layers: tuple[Layer, ...]

    @property
    def macs(self) -> int:
        """Operations of one pass through the network."""
        return sum(layer.count * layer.problem.macs for layer in self.layers)


def load_network(path: str | Path) -> Network:
    """Read a network file, or a problem file as a network of one layer. Raises InputError with every fault."""
    return parse_network(load_document(path), Path(path))


def parse_network(document: Document, path: Path) -> Network:
    """The network in a document; layers that name a file are read relative to the folder of `path`."""
    reader = Reader(document)
    if not isinstance(document.data, dict) or not ("network" in document.data or "problem" in document.data):
        reader.fault((), "expected the key network (or problem, for a single layer)")
        reader.raise_faults()
    top = reader.section(document.data, ())
    key, data = top.raw("network", "problem")
    top.finish()
    if key == "problem":
        reader.raise_faults()
        return Network(path.stem, str(path), (Layer(path.stem, 1, parse_problem(document, data)),))
    section = reader.section(data, ("network",))
    name = section.required_text("name")
    source = section.text("source", "")
    layers: list[Layer] = []
    for position, entry in enumerate(section.items("layers")):
        item = reader.section(entry, ("network", "layers", position))
        layer = _read_layer(item, path.parent)
        if any(layer.name == other.name for other in layers):
            item.fault("name", f'another layer is called "{layer.name}" already')
        layers.append(layer)
    section.finish()
    reader.raise_faults()
    return Network(name, source, tuple(layers))


def format_network(network: Network, comments: Iterable[str] = ()) -> str:
    """The text of a network file, a line a layer, after lines of comments; reads as the same network."""
    lines = [f"# {comment}".rstrip() for comment in comments]
    lines += ["network:", f"  name: {_yaml(network.name)}", f"  source: {_yaml(network.source)}", "  layers:"]
    for layer in network.layers:
        entry = {"name": layer.name, "count": layer.count, "problem": layer.problem.to_dict(own_names=True)}
        lines.append(f"    - {_yaml(entry)}")
    return "\n".join(lines) + "\n"


def _yaml(value: object) -> str:
    """A value in one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=math.inf)
    return text.removesuffix("\n").removesuffix("\n...")


def _read_layer(section: Section, folder: Path) -> Layer:
    name = section.required_text("name")
    count = section.integer("count", default=1)
    _, data = section.raw("problem")
    problem = Problem(CNN_LAYER, (1,) * len(CNN_LAYER.dimensions))
    if "problem" not in section.data:
        section.fault("problem", "expected a problem or the name of a problem file, got nothing")
    elif isinstance(data, dict | str):
        try:
            problem = (
                _load_problem(section, folder / data)
                if isinstance(data, str)
                else parse_problem(section.reader.document, data, (*section.path, "problem"))
            )
        except InputError as error:
            section.reader.faults += error.faults
    else:
        section.fault("problem", f"expected a problem or the name of a problem file, got {describe(data)}")
    section.finish()
    return Layer(name, count, problem)


def _load_problem(section: Section, path: Path) -> Problem:
    if not path.is_file():
        section.fault("problem", f"there is no file {path}")
        return Problem(CNN_LAYER, (1,) * len(CNN_LAYER.dimensions))
    document = load_document(path)
    if not isinstance(document.data, dict) or "problem" not in document.data:
        raise InputError(document.fault((), "expected the key problem"))
    return parse_problem(document, document.data["problem"])
