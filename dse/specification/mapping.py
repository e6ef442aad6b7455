"""Mappings: per storage level the temporal and spatial tiling factors, the loop orders and which data spaces are kept.

The format is Timeloop's list of directives (019f107, src/mapping/parser.cpp).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dse.errors import InputError
from dse.specification.architecture import Architecture
from dse.specification.document import Document, KeyPath
from dse.specification.fields import Reader, describe, nearest
from dse.specification.problem import Problem, Shape

__all__ = ["LevelMapping", "Mapping", "parse_mapping", "read_data_spaces", "read_factors", "read_permutation"]

# No two neighbours of these patterns match the same character: a text that fails does so in linear time.
_FACTOR = re.compile(r"([A-Za-z]+)\s*(?:=+\s*)?([0-9]+)(,[0-9]+)?")
_FACTORS = re.compile(r"\s*(?:[A-Za-z]+\s*(?:=+\s*)?[0-9]{1,18}(?:,[0-9]{1,18})?[\s;]*)*")


@dataclass(frozen=True, slots=True)
class LevelMapping:
    """One storage level of a mapping. Tuples over dimensions are indexed as in the shape, over data spaces likewise.

    `permutation` and `spatial_permutation` list dimension indices innermost first; the first `split` entries of the
    spatial one are unrolled along X, the rest along Y. Spatial loops stand inside the temporal loops of their level.
    """

    temporal: tuple[int, ...]
    spatial: tuple[int, ...]
    permutation: tuple[int, ...]
    spatial_permutation: tuple[int, ...]
    split: int
    keep: tuple[bool, ...]
    no_multicast: tuple[bool, ...]
    no_link_transfer: tuple[bool, ...]
    no_temporal_reuse: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping: one entry per storage level, innermost first."""

    levels: tuple[LevelMapping, ...]

    def directives(self, architecture: Architecture, shape: Shape) -> list[dict[str, Any]]:
        """The content of Timeloop's `mapping:`."""
        result: list[dict[str, Any]] = []
        bypasses: list[dict[str, Any]] = []
        for level, own, (fan_x, fan_y) in zip(architecture.storage, self.levels, architecture.fanouts, strict=True):

            def names(flags: Sequence[bool]) -> list[str]:
                return [space.name for space, flag in zip(shape.data_spaces, flags, strict=True) if flag]

            def loops(factors: Sequence[int], permutation: Sequence[int]) -> dict[str, str]:
                return {
                    "factors": " ".join(f"{d}={f}" for d, f in zip(shape.dimensions, factors, strict=True)),
                    "permutation": "".join(shape.dimensions[d] for d in permutation),
                }

            if fan_x * fan_y > 1:
                spatial: dict[str, Any] = {
                    "target": level.name,
                    "type": "spatial",
                    **loops(own.spatial, own.spatial_permutation),
                }
                spatial["split"] = own.split
                if any(own.no_multicast):
                    spatial["no_multicast_no_reduction"] = names(own.no_multicast)
                if any(own.no_link_transfer):
                    spatial["no_link_transfer"] = names(own.no_link_transfer)
                result.append(spatial)
            temporal: dict[str, Any] = {
                "target": level.name,
                "type": "temporal",
                **loops(own.temporal, own.permutation),
            }
            if any(own.no_temporal_reuse):
                temporal["no_temporal_reuse"] = names(own.no_temporal_reuse)
            result.append(temporal)
            bypass: dict[str, Any] = {"target": level.name, "type": "bypass", "keep": names(own.keep)}
            bypasses.append(bypass | {"bypass": names([not kept for kept in own.keep])})
        return result + bypasses


@lru_cache(maxsize=65536)
def read_factors(text: str, dimensions: tuple[str, ...]) -> tuple[tuple[int, ...], str | None]:
    """(factor per dimension, what is wrong or None) of a text such as `K=4 C2 P 7`.

    A factor is 1 where none is given, 0 where the full bound is meant.
    """
    factors = [1] * len(dimensions)
    seen: set[str] = set()
    if not _FACTORS.fullmatch(text):
        return tuple(factors), f'expected factors such as "K=4 C=2", got {describe(text)}'
    for name, value, residual in _FACTOR.findall(text):
        if name not in dimensions:
            return tuple(factors), f'unknown dimension "{name}"{nearest(name, dimensions)}'
        if residual and int(residual[1:]) != int(value):
            return tuple(factors), f"{name}={value}{residual}: imperfect factors are not supported"
        if name in seen:
            return tuple(factors), f"dimension {name} stands twice"
        seen.add(name)
        factors[dimensions.index(name)] = int(value)
    return tuple(factors), None


@lru_cache(maxsize=65536)
def read_permutation(text: str, dimensions: tuple[str, ...]) -> tuple[tuple[int, ...], str | None]:
    """(dimension indices, what is wrong or None) of a text such as `KCN`; missing dimensions follow in order."""
    letters = [letter for letter in text if not letter.isspace()]
    for letter in letters:
        if letter not in dimensions:
            return tuple(range(len(dimensions))), f'unknown dimension "{letter}"{nearest(letter, dimensions)}'
        if letters.count(letter) > 1:
            return tuple(range(len(dimensions))), f"dimension {letter} stands twice"
    given = [dimensions.index(letter) for letter in letters]
    return (*given, *(d for d in range(len(dimensions)) if d not in given)), None


def read_data_spaces(names: object, shape: Shape) -> tuple[tuple[bool, ...], str | None]:
    """(flag per data space, what is wrong or None) of a list of names; nothing is an empty list."""
    flags = [False] * len(shape.data_spaces)
    if names is None:
        return tuple(flags), None
    if not isinstance(names, list):
        return tuple(flags), f"expected a list of data spaces, got {describe(names)}"
    for name in names:
        index = shape.data_space_index.get(name) if isinstance(name, str) else None
        if index is None:
            return tuple(flags), f'unknown data space "{name}"{nearest(str(name), shape.data_space_index)}'
        flags[index] = True
    return tuple(flags), None


_KEYS = {
    "temporal": frozenset({"target", "type", "factors", "permutation", "no_temporal_reuse"}),
    "spatial": frozenset(
        {"target", "type", "factors", "permutation", "split", "no_multicast_no_reduction", "no_link_transfer"}
    ),
    "bypass": frozenset({"target", "type", "keep", "bypass"}),
    "datatype": frozenset({"target", "type", "keep", "bypass"}),
}


class _Draft:
    """A level while its directives are being read: (factors, permutation) pairs and flags per data space."""

    __slots__ = ("keep", "no_link_transfer", "no_multicast", "no_temporal_reuse", "spatial", "split", "temporal")

    def __init__(self, ones: tuple[int, ...], order: tuple[int, ...], nothing: tuple[bool, ...]) -> None:
        self.temporal = self.spatial = (ones, order)
        self.split = len(order)
        self.keep = [True] * len(nothing)
        self.no_multicast = self.no_link_transfer = self.no_temporal_reuse = nothing

    def level(self) -> LevelMapping:
        return LevelMapping(
            self.temporal[0],
            self.spatial[0],
            self.temporal[1],
            self.spatial[1],
            min(self.split, len(self.temporal[1])),
            tuple(self.keep),
            self.no_multicast,
            self.no_link_transfer,
            self.no_temporal_reuse,
        )


class _Directive:
    """One entry of a mapping, read without the helpers of `fields`: mappings come by the hundred thousand."""

    __slots__ = ("entry", "path", "problem", "reader")

    def __init__(self, reader: Reader, problem: Problem, entry: dict[str, Any], path: KeyPath) -> None:
        self.reader, self.problem, self.entry, self.path = reader, problem, entry, path

    def fault(self, key: str, message: str) -> None:
        self.reader.fault((*self.path, key), message)

    def text(self, key: str) -> str:
        value = self.entry.get(key, "")
        if not isinstance(value, str):
            self.fault(key, f"expected a text, got {describe(value)}")
            return ""
        return value

    def loops(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """(factor per dimension, permutation)."""
        dimensions = self.problem.shape.dimensions
        factors, wrong = read_factors(self.text("factors"), dimensions)
        if wrong:
            self.fault("factors", wrong)
        permutation, wrong = read_permutation(self.text("permutation"), dimensions)
        if wrong:
            self.fault("permutation", wrong)
        if all(factors):
            return factors, permutation
        return tuple(factor or bound for factor, bound in zip(factors, self.problem.bounds, strict=True)), permutation

    def data_spaces(self, key: str) -> tuple[bool, ...]:
        flags, wrong = read_data_spaces(self.entry.get(key), self.problem.shape)
        if wrong:
            self.fault(key, wrong)
        return flags

    def split(self, default: int) -> int:
        value = self.entry.get("split", default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            self.fault("split", f"expected an integer of at least 0, got {describe(value)}")
            return default
        return value

    def target(self, architecture: Architecture) -> int | None:
        value = self.entry.get("target")
        if isinstance(value, str):
            index = architecture.level_index.get(value)
            hint = "" if index is not None else nearest(value, architecture.level_index)
        else:
            valid = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(architecture.storage)
            index, hint = (value if valid else None), ""
        if index is None:
            self.fault("target", f"unknown storage level {describe(value)}{hint}")
        return index

    def apply(self, draft: _Draft, kind: str, fans_out: bool) -> None:
        if kind == "temporal":
            draft.temporal = self.loops()
            if "no_temporal_reuse" in self.entry:
                draft.no_temporal_reuse = self.data_spaces("no_temporal_reuse")
        elif kind == "spatial":
            if not fans_out:
                self.fault("target", f"{self.entry['target']} has no fan-out for a spatial loop")
            draft.spatial = self.loops()
            draft.split = self.split(draft.split)
            if "no_multicast_no_reduction" in self.entry:
                draft.no_multicast = self.data_spaces("no_multicast_no_reduction")
            if "no_link_transfer" in self.entry:
                draft.no_link_transfer = self.data_spaces("no_link_transfer")
        else:
            for key, kept in (("keep", True), ("bypass", False)):
                if self.entry.get(key, []) != []:
                    flags = self.data_spaces(key)
                    draft.keep = [kept if named else own for named, own in zip(flags, draft.keep, strict=True)]


def parse_mapping(
    document: Document,
    data: object,
    architecture: Architecture,
    problem: Problem,
    path: KeyPath = ("mapping",),
) -> Mapping:
    """A mapping from the content of `mapping:`, a list of directives.

    What is not said is as in Timeloop: factors 1, orders as in the shape, every data space kept, all spatial loops
    along X. Raises InputError with every fault: unknown levels, dimensions or data spaces, a spatial directive at a
    level without fan-out, factors whose product is not the bound.
    """
    reader = Reader(document)
    if not isinstance(data, list):
        reader.fault(path, f"expected a list of directives, got {describe(data)}")
        reader.raise_faults()
        return Mapping(())
    ones: tuple[int, ...] = (1,) * len(problem.bounds)
    order, nothing = tuple(range(len(problem.bounds))), (False,) * len(problem.shape.data_spaces)
    drafts = [_Draft(ones, order, nothing) for _ in architecture.storage]
    for position, entry in enumerate(data):
        if not isinstance(entry, dict):
            reader.fault((*path, position), f"expected a directive, got {describe(entry)}")
            continue
        directive = _Directive(reader, problem, entry, (*path, position))
        kind = directive.text("type")
        if kind not in _KEYS:
            directive.fault("type", f"expected one of {', '.join(_KEYS)}, got {describe(entry.get('type'))}")
            continue
        if not entry.keys() <= _KEYS[kind]:
            for key in entry.keys() - _KEYS[kind]:
                directive.fault(str(key), f"unknown key{nearest(str(key), _KEYS[kind])}")
        index = directive.target(architecture)
        if index is not None:
            fan_x, fan_y = architecture.fanouts[index]
            directive.apply(drafts[index], kind, fan_x * fan_y > 1)
    reader.raise_faults()
    mapping = Mapping(tuple(draft.level() for draft in drafts))
    _check_products(mapping, problem, document, path)
    return mapping


def _check_products(mapping: Mapping, problem: Problem, document: Document, path: KeyPath) -> None:
    """Raise InputError for every dimension whose factors do not multiply to its bound, in Timeloop's words."""
    products: tuple[int, ...] = (1,) * len(problem.bounds)
    for level in mapping.levels:
        products = tuple(map(operator.mul, map(operator.mul, products, level.temporal), level.spatial))
    if products == problem.bounds:
        return
    faults = []
    for name, product, bound in zip(problem.shape.dimensions, products, problem.bounds, strict=True):
        if product != bound:
            message = f"product of all factors of dimension {name} is {product}, which is not equal to the dimension"
            faults.append(document.fault(path, f"{message} size of the workload {bound}."))
    raise InputError(faults)
