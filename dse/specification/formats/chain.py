"""What an architecture of Timeloop's later formats comes to: storage levels in a row, outermost first, and MACs.

The v0.1 content of a level is put together from the attributes of its component (019f107, src/model/buffer.cpp:
ParseSpecs, src/model/arithmetic.cpp: ParseSpecs; classes: include/model/topology.hpp).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dse.specification.document import KeyPath
from dse.specification.fields import Reader, Section, nearest

__all__ = ["Chain", "Level", "Scope", "ignore_estimators", "is_storage_attribute", "product", "read_name"]

_STORAGE_CLASSES = ("DRAM", "SRAM", "regfile", "smartbuffer", "storage")
_COMPUTE_CLASSES = ("mac", "compute")
_NETWORK_CLASSES = ("XY_NoC", "Legacy", "ReductionTree", "SimpleMulticast")

# Alternative spellings of one attribute, the v0.1 reader's own first. Hyphens and underscores are the same.
_WORD = ("word-bits", "word_width", "datawidth")
_SYNONYMS = (
    _WORD,
    ("block-size", "n_words"),
    ("width", "memory_width", "data_storage_width"),
    ("entries", "depth", "memory_depth", "data_storage_depth", "sizeKB"),
    ("num-ports", "n_ports", "nports"),
    ("num-banks", "n_banks", "nbanks"),
)
_STORAGE_KEYS = (
    *(name for names in _SYNONYMS for name in names),
    "cluster-size", "multiple-buffering", "min-utilization", "bandwidth", "read_bandwidth", "write_bandwidth",
    "shared_bandwidth", "reduction_supported", "network-type", "vector-access-energy", "addr-gen-energy",
    "cluster-area", "network-word-bits", "wire-energy", "energy-per-hop", "router-energy", "tile-width",
)  # fmt: skip
_COMPUTE_KEYS = (*_WORD, "energy", "area")
_MESH_KEYS = ("instances", "meshX", "meshY")
_RENAMED = {"nports": "num-ports", "nbanks": "num-banks"}

_WITHOUT_EFFECT = frozenset({
    "type", "technology", "technode", "tech-node", "global-cycle-seconds", "global-cycle-period", "cycle-time",
    "cycle-period", "latency", "voltage", "temperature", "update-fifo-depth", "has-power-gating", "power-gated-at",
    "network-fill-latency", "network-drain-latency", "allow-overbooking",
})  # fmt: skip
"""Attributes for Accelergy's estimators, or that change no figure of the evaluator; docs/formats.md lists them."""
_WITHOUT_EFFECT_ON_COMPUTE = frozenset({
    "width", "multiplier-width", "adder-width", "num-pipeline-stages", "exponent", "mantissa", "n-pipeline-stages",
})  # fmt: skip

_NAME = re.compile(r"(?<![\w.])[A-Za-z_]\w*")
_RANGE = re.compile(r"([^\[\]]+)\[\s*([0-9]{1,9})\s*\.\.\s*([0-9]{1,9})\s*\]")
_LONGEST_EXPRESSION = 500


def _plain(name: str) -> str:
    return name.replace("_", "-")


_STORAGE = {_plain(key): _RENAMED.get(key, key) for key in _STORAGE_KEYS}
_COMPUTE = {_plain(key): "word-bits" if key in _WORD else key for key in _COMPUTE_KEYS}


@dataclass(frozen=True)
class Scope:
    """Attributes by name, their place, and the scope around them: what the names in an expression stand for."""

    attributes: Mapping[str, Any] = field(default_factory=dict)
    path: KeyPath = ()
    outer: Scope | None = None

    def inlined(self, value: Any) -> Any:
        """An expression with the attributes that it names written out; variables and functions stay as they are.

        Raises ValueError where the result is too long, as it is for attributes that grow from one to the next.
        """
        if not isinstance(value, str):
            return value
        if value in self.attributes and self.attributes[value] != value:
            return self.without(value).inlined(self.attributes[value])
        text = _NAME.sub(self._replacement, value)
        if len(text) > _LONGEST_EXPRESSION:
            raise ValueError(f"longer than {_LONGEST_EXPRESSION} characters, what it names written out")
        return self.outer.inlined(text) if self.outer else text

    def _replacement(self, match: re.Match[str]) -> str:
        name = match.group()
        if name not in self.attributes:
            return name
        return f"({self.without(name).inlined(self.attributes[name])})"

    def without(self, name: str) -> Scope:
        """The scope of an attribute's own value, which may be made of one of the same name further out."""
        return Scope({key: value for key, value in self.attributes.items() if key != name}, self.path, self.outer)


@dataclass
class Level:
    """One storage level or the MACs as v0.1 content, with the place of each entry in the file."""

    name: str
    path: KeyPath
    content: dict[str, Any]
    origins: dict[str, KeyPath] = field(default_factory=dict)


@dataclass
class Chain:
    """The levels of an architecture, outermost first, and the constraints that stand in it."""

    reader: Reader
    storage: list[Level] = field(default_factory=list)
    arithmetic: Level | None = None
    constraints: list[tuple[dict[str, Any], dict[str, KeyPath], KeyPath]] = field(default_factory=list)
    """Content of an entry of `mapspace: constraints:`, the places of its keys, its own place."""
    declared: dict[str, Any] = field(default_factory=dict)
    """Names that the mapspace declares beside its constraints, and their places."""
    declared_at: dict[str, KeyPath] = field(default_factory=dict)
    fanout_levels: dict[str, str] = field(default_factory=dict)
    """Name of a node with a fan-out -> the storage level that has it."""

    def add(
        self,
        section: Section,
        name: str,
        mesh: tuple[Any, Any, Any],
        around: Scope | None = None,
    ) -> Level | None:
        """Add a component of (instances, meshX, meshY), each a number, an expression or None; the level that it is.

        It has the attributes of the scope `around` it where it does not have them itself.
        """
        kind = section.required_text("class")
        attributes = section.section("attributes", required=False)
        if any(word in kind for word in _STORAGE_CLASSES):
            level = Level(name, section.path, {"name": name}, {"name": (*section.path, "name")})
            if "DRAM" in kind or attributes.data.get("technology") == "DRAM":
                level.content["technology"] = "DRAM"
            self.storage.append(level)
            known, ignored = _STORAGE, _WITHOUT_EFFECT
        elif any(word in kind for word in _COMPUTE_CLASSES):
            level = Level(name, section.path, {"name": name}, {"name": (*section.path, "name")})
            if self.arithmetic is not None:
                section.fault("class", f"{self.arithmetic.name} computes already: one kind of MAC is supported")
            self.arithmetic = level
            known, ignored = _COMPUTE, _WITHOUT_EFFECT | _WITHOUT_EFFECT_ON_COMPUTE
        else:
            if kind:
                section.fault("class", _unknown_class(kind))
            return None
        for key, value in zip(_MESH_KEYS, mesh, strict=True):
            if value is not None:
                level.content[key] = value
                level.origins[key] = section.path
        self._take(level, attributes, known, ignored, Scope(attributes.data, attributes.path, around))
        while around is not None:
            self._inherit(level, known, around)
            around = around.outer
        return level

    def _take(
        self, level: Level, attributes: Section, known: Mapping[str, str], ignored: frozenset[str], scope: Scope
    ) -> None:
        """The attributes of a component as v0.1 keys."""
        used = {
            name for text in attributes.data.values() if isinstance(text, str) for name in _NAME.findall(text)
        }  # the attributes that others are made of
        for key, value in attributes.data.items():
            name = _plain(str(key))
            if key in _MESH_KEYS or name in known:
                entry = known.get(name, key)
                if entry in level.content and entry not in _MESH_KEYS:
                    attributes.fault(key, f"{entry} stands there twice")
                level.origins[entry] = (*attributes.path, key)
                try:
                    level.content[entry] = scope.without(key).inlined(value)
                except ValueError as error:
                    attributes.fault(key, str(error))
            elif name not in ignored and key not in used:
                allowed = [*known.values(), *sorted(ignored)]
                attributes.fault(key, f"unknown attribute{nearest(str(key), allowed)}")

    def _inherit(self, level: Level, known: Mapping[str, str], scope: Scope) -> None:
        """What a container around a component says of it, where no one further in does."""
        for key, value in scope.attributes.items():
            entry = known.get(_plain(str(key)))
            if entry is None or level.content.keys() & {entry, *_synonyms(entry)}:
                continue
            level.origins[entry] = (*scope.path, key)
            try:
                level.content[entry] = scope.without(key).inlined(value)
            except ValueError as error:
                self.reader.fault((*scope.path, key), str(error))


def ignore_estimators(component: Section) -> bool:
    """Read what a component says to Accelergy alone; whether it is there at all."""
    for key in ("subclass", "required_actions"):
        component.raw(key)
    for key in ("area_scale", "energy_scale"):
        if component.number(key, default=1.0) != 1.0:
            component.fault(key, "scales of estimators are not applied: give the energy or the area")
    return component.boolean("enabled", True)


def is_storage_attribute(key: object) -> bool:
    """Whether an attribute of this name says something of a storage level."""
    return _plain(str(key)) in _STORAGE


def _synonyms(entry: str) -> set[str]:
    return {_STORAGE[_plain(name)] for names in _SYNONYMS if entry in names for name in names}


def _unknown_class(kind: str) -> str:
    if any(word in kind for word in _NETWORK_CLASSES):
        return (
            f'"{kind}" is a network: networks of their own are not modelled; wire-energy, router-energy and '
            "energy-per-hop of a storage level are"
        )
    known = ", ".join((*_STORAGE_CLASSES, *_COMPUTE_CLASSES))
    return f'unknown class "{kind}": expected a name with one of {known} in it'


def read_name(section: Section) -> tuple[str, int]:
    """(name, elements) of `PE[0..15]`: PE, 16 (compound-config.cpp: parseName, parseElementSize)."""
    text = section.required_text("name")
    if "[" not in text:
        return text, 1
    match = _RANGE.fullmatch(text.strip())
    if not match or int(match[2]) > int(match[3]):
        section.fault("name", f'expected a name such as PE or PE[0..15], got "{text}"')
        return text.partition("[")[0] or text, 1
    return match[1], int(match[3]) - int(match[2]) + 1


def product(first: Any, second: Any) -> Any:
    """The product of two numbers or expressions."""
    if first in (1, None):
        return second
    if second in (1, None):
        return first
    if isinstance(first, int) and isinstance(second, int):
        return first * second
    return f"({first}) * ({second})"
