"""Mappings: per storage level the temporal and spatial tiling factors, the loop orders and which data spaces are kept.

The format is Timeloop's list of directives (019f107, src/mapping/parser.cpp).
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from dse.errors import Fault, InputError
from dse.specification.architecture import Architecture
from dse.specification.document import Document, KeyPath
from dse.specification.fields import Reader, Section, describe, nearest
from dse.specification.problem import Problem, Shape

__all__ = ["LevelMapping", "Mapping", "parse_mapping", "read_data_spaces", "read_factors", "read_permutation"]

_FACTOR = re.compile(r"([A-Za-z]+)\s*=*\s*([0-9]+)(,[0-9]+)?")
_FACTORS = re.compile(r"(?:\s*[A-Za-z]+\s*=*\s*[0-9]+(?:,[0-9]+)?[\s;]*)*")


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
def read_factors(text: str, dimensions: tuple[str, ...]) -> tuple[tuple[int | None, ...], str | None]:
    """(factor per dimension, what is wrong or None) of a text such as `K=4 C2 P 7`.

    A factor is None where none is given, 0 where the full bound is meant.
    """
    factors: list[int | None] = [None] * len(dimensions)
    if not _FACTORS.fullmatch(text):
        return tuple(factors), f'expected factors such as "K=4 C=2", got "{text}"'
    for name, value, residual in _FACTOR.findall(text):
        if name not in dimensions:
            return tuple(factors), f'unknown dimension "{name}"{nearest(name, dimensions)}'
        if residual and int(residual[1:]) != int(value):
            return tuple(factors), f"{name}={value}{residual}: imperfect factors are not supported"
        if factors[dimensions.index(name)] is not None:
            return tuple(factors), f"dimension {name} stands twice"
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


def read_data_spaces(section: Section, key: str, shape: Shape) -> tuple[bool, ...] | None:
    """Flags per data space of a list of names; None where the key is absent."""
    if not section.has(key):
        return None
    _, value = section.raw(key)
    names = [] if value is None else value
    flags = [False] * len(shape.data_spaces)
    if not isinstance(names, list):
        section.fault(key, f"expected a list of data spaces, got {describe(value)}")
        return tuple(flags)
    for name in names:
        if name not in shape.data_space_index:
            section.fault(key, f'unknown data space "{name}"{nearest(str(name), shape.data_space_index)}')
        else:
            flags[shape.data_space_index[name]] = True
    return tuple(flags)


class _Draft:
    """A level while its directives are being read."""

    __slots__ = ("keep", "no_link_transfer", "no_multicast", "no_temporal_reuse", "spatial", "split", "temporal")

    def __init__(self, shape: Shape) -> None:
        nothing = (False,) * len(shape.data_spaces)
        order = tuple(range(len(shape.dimensions)))
        ones: tuple[int, ...] = (1,) * len(shape.dimensions)
        self.temporal: tuple[tuple[int, ...], tuple[int, ...]] = (ones, order)
        self.spatial: tuple[tuple[int, ...], tuple[int, ...]] = (ones, order)
        self.split = len(shape.dimensions)
        self.keep: list[bool] = [True] * len(shape.data_spaces)
        self.no_multicast = self.no_link_transfer = self.no_temporal_reuse = nothing


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
    shape = problem.shape
    drafts = [_Draft(shape) for _ in architecture.storage]
    if not isinstance(data, list):
        reader.fault(path, f"expected a list of directives, got {describe(data)}")
        reader.raise_faults()
        return Mapping(())
    for position, entry in enumerate(data):
        section = reader.section(entry, (*path, position))
        kind = section.required_text("type", choices=("temporal", "spatial", "bypass", "datatype"))
        index = _target(section, architecture)
        if index is None or not kind:
            continue
        draft = drafts[index]
        if kind in ("bypass", "datatype"):
            for key, kept in (("keep", True), ("bypass", False)):
                for space, named in enumerate(read_data_spaces(section, key, shape) or ()):
                    if named:
                        draft.keep[space] = kept
        elif kind == "temporal":
            draft.temporal = _read_loops(section, problem)
            draft.no_temporal_reuse = read_data_spaces(section, "no_temporal_reuse", shape) or draft.no_temporal_reuse
        else:
            if math.prod(architecture.fanouts[index]) == 1:
                section.fault(
                    "target", f"{architecture.storage[index].name} has no fan-out: no spatial loop can stand there"
                )
            draft.spatial = _read_loops(section, problem)
            draft.split = section.integer("split", default=draft.split, minimum=0)
            draft.no_multicast = read_data_spaces(section, "no_multicast_no_reduction", shape) or draft.no_multicast
            draft.no_link_transfer = read_data_spaces(section, "no_link_transfer", shape) or draft.no_link_transfer
        section.finish()
    reader.raise_faults()
    mapping = Mapping(
        tuple(
            LevelMapping(
                draft.temporal[0],
                draft.spatial[0],
                draft.temporal[1],
                draft.spatial[1],
                min(draft.split, len(shape.dimensions)),
                tuple(draft.keep),
                draft.no_multicast,
                draft.no_link_transfer,
                draft.no_temporal_reuse,
            )
            for draft in drafts
        )
    )
    _check_products(mapping, problem, document, path)
    return mapping


def _target(section: Section, architecture: Architecture) -> int | None:
    key, value = section.raw("target")
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < len(architecture.storage):
        return value
    index = architecture.level_index.get(value) if isinstance(value, str) else None
    if index is None:
        hint = nearest(value, architecture.level_index) if isinstance(value, str) else ""
        section.fault(key, f"unknown storage level {describe(value)}{hint}")
    return index


def _read_loops(section: Section, problem: Problem) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(factor per dimension, permutation) of a temporal or spatial directive."""
    shape = problem.shape
    factors_text = section.text("factors", "")
    given, wrong = read_factors(factors_text, shape.dimensions)
    if wrong:
        section.fault("factors", wrong)
    factors = tuple(
        1 if factor is None else factor or bound for factor, bound in zip(given, problem.bounds, strict=True)
    )
    permutation, wrong = read_permutation(section.text("permutation", ""), shape.dimensions)
    if wrong:
        section.fault("permutation", wrong)
    return factors, permutation


def _check_products(mapping: Mapping, problem: Problem, document: Document, path: KeyPath) -> None:
    faults: list[Fault] = []
    for dimension, (name, bound) in enumerate(zip(problem.shape.dimensions, problem.bounds, strict=True)):
        product = 1
        for level in mapping.levels:
            product *= level.temporal[dimension] * level.spatial[dimension]
        if product != bound:
            message = f"product of all factors of dimension {name} is {product}, which is not equal to the dimension"
            faults.append(document.fault(path, f"{message} size of the workload {bound}."))
    if faults:
        raise InputError(faults)
