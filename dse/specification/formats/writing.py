"""Architectures written in Timeloop's formats v0.1, v0.3 and v0.4, with their mapspace and reference tables.

Read back, each is the same architecture with the same mapspace. Expressions of a template are written as the values
that they have; the fan-outs of v0.4 are quotients of the meshes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from dse.errors import InputError
from dse.specification.architecture import Architecture, StorageLevel
from dse.specification.reference_tables import reference_tables

__all__ = ["FORMATS", "written"]

FORMATS = ("v0.1", "v0.3", "v0.4")

_V04_NAMES = {"num-ports": "n_ports", "num-banks": "n_banks"}  # the front end adds n_banks where it is missing
_LOOP_FACTOR = re.compile(r"([A-Za-z]+)\s*(<=|=*)\s*([0-9]+)")


@dataclass(frozen=True)
class _Node:
    """A mapping with a tag."""

    tag: str
    content: Mapping[str, Any]


class _Dumper(yaml.SafeDumper):
    """Writes nodes with their tags, lists of plain values in one line, and no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_node(dumper: _Dumper, node: _Node) -> yaml.Node:
    return dumper.represent_mapping(node.tag, node.content)


def _represent_list(dumper: _Dumper, data: list[Any]) -> yaml.Node:
    plain = all(isinstance(item, str | int | float) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=plain)


_Dumper.add_representer(_Node, _represent_node)
_Dumper.add_representer(list, _represent_list)


def written(architecture: Architecture, mapspace: Any | None, form: str) -> str:
    """An architecture with the content of its `mapspace:` (v0.1, or None) as YAML in one of FORMATS.

    Raises InputError where the format cannot say what the architecture is.
    """
    constraints = [dict(entry) for entry in (mapspace or {}).get("constraints") or []]
    declared = {key: value for key, value in (mapspace or {}).items() if key in ("dimensions", "data_spaces")}
    if form == "v0.1":
        content: dict[str, Any] = {"arch": architecture.to_dict()}
        if mapspace is not None:
            content["mapspace"] = declared | {"constraints": constraints}
    elif form == "v0.3":
        content = {"architecture": {"version": 0.3, "subtree": [_tree(architecture)]}}
        if mapspace is not None:
            content["mapspace_constraints"] = {"version": 0.3} | declared | {"targets": constraints}
    else:
        content = {"architecture": {"version": 0.4, "nodes": list(_nodes(architecture, constraints))}}
        if declared:
            content["constraints"] = {"version": 0.4} | declared | {"targets": []}
    content |= reference_tables(architecture)
    text: str = yaml.dump(content, Dumper=_Dumper, sort_keys=False, default_flow_style=False, width=120)
    return text


def _tree(architecture: Architecture) -> dict[str, Any]:
    """One subtree: the levels outermost first, then the MACs; `instances` and meshes are attributes of each."""
    data = architecture.to_dict()
    local = [
        _component(level["name"], _storage_class(level), _attributes(level, ("technology",)), "")
        for level in data["storage"][::-1]
    ]
    arithmetic = data["arithmetic"]
    local.append(_component(architecture.arithmetic.name, "compute", _attributes(arithmetic, ()), ""))
    return {"name": "system", "local": local}


def _nodes(architecture: Architecture, constraints: list[dict[str, Any]]) -> Iterable[_Node]:
    """Storage levels outermost first, each followed by a container with its fan-out where it has one."""
    data = architecture.to_dict()
    outermost = architecture.storage[-1]
    if outermost.instances != 1:
        raise InputError(f"v0.4 has one instance of the outermost level; {outermost.name} has {outermost.instances}")
    names = {level.name for level in architecture.storage} | {architecture.arithmetic.name}
    for level, content, (fan_x, fan_y) in zip(
        architecture.storage[::-1], data["storage"][::-1], architecture.fanouts[::-1], strict=True
    ):
        own = _merged(constraints, level.name)
        attributes = _memory(level, _attributes(content, ("technology", "instances", "meshX", "meshY")))
        inner = {kind: entry for kind, entry in own.items() if kind != "spatial"}
        yield _Node("!Component", _component(level.name, _storage_class(content), attributes, inner))
        if (fan_x, fan_y) != (1, 1) or "spatial" in own:
            name = _free_name(f"{level.name}_fanout", names)
            fan_out: dict[str, Any] = {"name": name, "spatial": {"meshX": fan_x, "meshY": fan_y}}
            if "spatial" in own:
                fan_out["constraints"] = {"spatial": own["spatial"]}
            yield _Node("!Container", fan_out)
    attributes = {"datawidth": architecture.arithmetic.word_bits}
    attributes |= _attributes(data["arithmetic"], ("word-bits", "instances", "meshX", "meshY"))
    yield _Node("!Component", _component(architecture.arithmetic.name, "compute", attributes, {}))


def _component(name: str, kind: str, attributes: dict[str, Any], constraints: Any) -> dict[str, Any]:
    result: dict[str, Any] = {"name": name, "class": kind, "attributes": attributes}
    return result | ({"constraints": constraints} if constraints else {})


def _storage_class(level: Mapping[str, Any]) -> str:
    return "DRAM" if level.get("technology") == "DRAM" else "storage"


def _attributes(content: Mapping[str, Any], left_out: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in content.items() if key not in ("name", *left_out)}


def _memory(level: StorageLevel, attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes of a storage level as v0.4 names them: rows of `width` bits, `depth` of them where that is whole."""
    result: dict[str, Any] = {}
    if level.entries is not None:
        whole = level.entries % level.block_size == 0
        result["depth" if whole else "entries"] = level.entries // level.block_size if whole else level.entries
    result["width"] = level.word_bits * level.block_size * level.cluster_size
    result["datawidth"] = level.word_bits
    return result | {
        _V04_NAMES.get(key, key.replace("-", "_")): value
        for key, value in attributes.items()
        if key not in ("entries", "word-bits")
    }


def _free_name(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "_"
    taken.add(name)
    return name


def _merged(constraints: list[dict[str, Any]], target: str) -> dict[str, dict[str, Any]]:
    """Kind -> the constraints on a level as one entry of v0.4."""
    result: dict[str, dict[str, Any]] = {}
    for entry in constraints:
        if entry["target"] != target:
            continue
        kind = "dataspace" if entry["type"] in ("datatype", "bypass") else entry["type"]
        own = result.setdefault(kind, {})
        for key, value in entry.items():
            if key == "factors":
                signs = [f"{name}{'<=' if sign == '<=' else '='}{n}" for name, sign, n in _LOOP_FACTOR.findall(value)]
                own[key] = own.get(key, []) + signs
            elif key == "permutation":
                own[key] = [letter for letter in value if not letter.isspace()]
            elif key in ("keep", "bypass"):
                # A later entry on the same level has the last word on what it names.
                other = own.get("bypass" if key == "keep" else "keep", [])
                own[key] = own.get(key, []) + [name for name in value or [] if name not in own.get(key, [])]
                other[:] = [name for name in other if name not in (value or [])]
            elif key not in ("target", "type"):
                own[key] = value
    return result
