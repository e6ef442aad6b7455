"""Problems: an einsum (dimensions and the data spaces they project to) with a bound for every dimension.

The format is Timeloop's `problem:` (src/workload/workload.cpp, src/workload/shape-models/problem-shape.cpp); the shape
`cnn-layer` is its problem-shapes/cnn-layer.yaml.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from dse.specification.document import Document, KeyPath
from dse.specification.fields import Reader, Section, describe, nearest

__all__ = [
    "CNN_LAYER",
    "GROUPED_CONVOLUTION",
    "SHAPES",
    "DataSpace",
    "Problem",
    "Shape",
    "Term",
    "excesses",
    "parse_problem",
]

_LARGEST_TENSOR_WORDS = 2**52  # counts are exact in double precision up to here


@dataclass(frozen=True, slots=True)
class Term:
    """One summand of an axis: a dimension's index times a coefficient (None: 1)."""

    dimension: int
    coefficient: int | None = None


@dataclass(frozen=True, slots=True)
class DataSpace:
    """A tensor. Along each axis its coordinate is a sum of terms; `read_write` marks the result."""

    name: str
    axes: tuple[tuple[Term, ...], ...]
    read_write: bool = False

    @property
    def dimensions(self) -> frozenset[int]:
        """The dimensions that move this tensor (the relevant ones)."""
        return frozenset(term.dimension for axis in self.axes for term in axis)


@dataclass(frozen=True)
class Shape:
    """An einsum: dimension names (one letter each), data spaces, and coefficients with their defaults."""

    name: str
    dimensions: tuple[str, ...]
    data_spaces: tuple[DataSpace, ...]
    coefficients: tuple[str, ...] = ()
    defaults: tuple[int, ...] = ()

    @cached_property
    def index(self) -> dict[str, int]:
        """Dimension name -> index."""
        return {name: index for index, name in enumerate(self.dimensions)}

    @cached_property
    def data_space_index(self) -> dict[str, int]:
        """Data space name -> index."""
        return {space.name: index for index, space in enumerate(self.data_spaces)}

    def to_dict(self) -> dict[str, Any]:
        """The `shape:` entry of Timeloop's format."""

        def term(item: Term) -> list[str]:
            name = self.dimensions[item.dimension]
            return [name] if item.coefficient is None else [name, self.coefficients[item.coefficient]]

        spaces: list[dict[str, Any]] = []
        for space in self.data_spaces:
            entry: dict[str, Any] = {
                "name": space.name,
                "projection": [[term(item) for item in axis] for axis in space.axes],
            }
            spaces.append(entry | ({"read-write": True} if space.read_write else {}))
        pairs = zip(self.coefficients, self.defaults, strict=True)
        return {
            "name": self.name,
            "dimensions": list(self.dimensions),
            "coefficients": [{"name": name, "default": default} for name, default in pairs],
            "data-spaces": spaces,
        }


@dataclass(frozen=True)
class Problem:
    """A shape with the bound of every dimension and the value of every coefficient (strides, dilations)."""

    shape: Shape
    bounds: tuple[int, ...]
    coefficients: tuple[int, ...] = ()

    @property
    def macs(self) -> int:
        """Operations of the whole problem: the product of the bounds."""
        return math.prod(self.bounds)

    def weight(self, term: Term) -> int:
        """The factor of a term: its coefficient's value, 1 without one."""
        return 1 if term.coefficient is None else self.coefficients[term.coefficient]

    def words(self, space: DataSpace) -> int:
        """Size of the box that a data space spans, in words (skipped rows of a stride included)."""
        return math.prod(1 + sum(self.weight(t) * (self.bounds[t.dimension] - 1) for t in axis) for axis in space.axes)

    def to_dict(self, *, own_names: bool = False) -> dict[str, Any]:
        """The content of Timeloop's `problem:`; with `own_names`, of ours, where all of SHAPES go by their names."""
        names = SHAPES if own_names else _TIMELOOP_SHAPES
        known = self.shape.name in names and SHAPES[self.shape.name] == self.shape
        shape: Any = self.shape.name if known else self.shape.to_dict()
        return (
            {"shape": shape}
            | dict(zip(self.shape.dimensions, self.bounds, strict=True))
            | dict(zip(self.shape.coefficients, self.coefficients, strict=True))
        )


def _shape(name: str, dimensions: str, coefficients: str, result: str, **spaces: str) -> Shape:
    """A shape from einsum-like text: `W="C K R*Wdilation+P*Wstride"`, axes separated by blanks."""
    names = tuple(coefficients.split())

    def term(text: str) -> Term:
        dimension, _, coefficient = text.partition("*")
        return Term(dimensions.index(dimension), names.index(coefficient) if coefficient else None)

    return Shape(
        name,
        tuple(dimensions),
        tuple(
            DataSpace(space, tuple(tuple(map(term, axis.split("+"))) for axis in axes.split()), space == result)
            for space, axes in spaces.items()
        ),
        names,
        (1,) * len(names),
    )


CNN_LAYER = _shape(
    "cnn-layer",
    "RSPQCKN",
    "Wstride Hstride Wdilation Hdilation",
    "Outputs",
    Weights="C K R S",
    Inputs="N C R*Wdilation+P*Wstride S*Hdilation+Q*Hstride",
    Outputs="N K Q P",
)

GROUPED_CONVOLUTION = _shape(
    "grouped-convolution",
    "RSPQCKNG",
    "Wstride Hstride Wdilation Hdilation",
    "Outputs",
    Weights="G C K R S",
    Inputs="N G C R*Wdilation+P*Wstride S*Hdilation+Q*Hstride",
    Outputs="N G K Q P",
)
"""A convolution of G groups, C and K counted per group; with G = 1 it is CNN_LAYER. Depthwise: C = K = 1.

A batch of matrix products is one too (R = S = Q = 1): product g of rows P and inner length C by columns K. Its second
factors are the Weights, also where they are activations, as the keys and values of attention are.
"""

_GEMM = _shape("gemm-ABZ", "MNK", "", "Z", A="M K", B="N K", Z="M N")
_OWN_SHAPES = (
    _shape("batched-matmul", "BMNK", "", "Z", A="B M K", B="B N K", Z="B M N"),
    _shape(
        "depthwise-conv",
        "RSPQCN",
        "Wstride Hstride Wdilation Hdilation",
        "Outputs",
        Weights="C R S",
        Inputs="N C R*Wdilation+P*Wstride S*Hdilation+Q*Hstride",
        Outputs="N C Q P",
    ),
)

SHAPES: Mapping[str, Shape] = {shape.name: shape for shape in (CNN_LAYER, GROUPED_CONVOLUTION, _GEMM, *_OWN_SHAPES)}
"""Shapes that a problem may name instead of describing them."""

_TIMELOOP_SHAPES = frozenset({CNN_LAYER.name, _GEMM.name})  # its problem-shapes/: others are written out in full


def parse_problem(document: Document, data: object, path: KeyPath = ("problem",)) -> Problem:
    """A problem from the content of `problem:`.

    Raises InputError with every fault: an unknown shape or key, a dimension that is missing, zero, negative or no
    whole number, a tensor too large to count exactly.
    """
    reader = Reader(document)
    section = reader.section(data, path)
    shape = _read_shape(section)
    if shape is None:
        reader.raise_faults()
        raise AssertionError("a shape is missing without a fault")
    source = section.section("instance") if section.has("instance") else section
    bounds = tuple(source.required_integer(name) for name in shape.dimensions)
    coefficients = tuple(
        source.integer(name, default=default) for name, default in zip(shape.coefficients, shape.defaults, strict=True)
    )
    section.text("name", None)
    section.raw("version")
    if source is not section:
        source.finish()
    section.finish()
    reader.raise_faults()
    problem = Problem(shape, bounds, coefficients)
    for message in excesses(problem):
        reader.fault(path, message)
    reader.raise_faults()
    return problem


def excesses(problem: Problem) -> list[str]:
    """What of a problem is too large to be counted exactly, in words; empty where nothing is."""
    sizes = [(space, problem.words(space)) for space in problem.shape.data_spaces]
    found = [
        f"{space.name} has {words} words: too many to count exactly"
        for space, words in sizes
        if words * 4 ** len(space.axes) > _LARGEST_TENSOR_WORDS * 256
    ]
    if problem.macs > _LARGEST_TENSOR_WORDS:
        found.append(f"{problem.macs} operations: too many to count exactly (at most 2**52)")
    return found


def _read_shape(section: Section) -> Shape | None:
    _, value = section.raw("shape")
    if not section.has("shape"):
        return CNN_LAYER  # Timeloop's own default
    if isinstance(value, str):
        if value not in SHAPES:
            section.fault("shape", f'unknown shape "{value}"{nearest(value, SHAPES)}, or describe it as a mapping')
            return None
        return SHAPES[value]
    if not isinstance(value, dict):
        section.fault("shape", f"expected a name or a description, got {describe(value)}")
        return None
    before = len(section.reader.faults)
    shape = _described_shape(section.section("shape"))
    return shape if len(section.reader.faults) == before else None


def _described_shape(section: Section) -> Shape:
    name = section.text("name", "unnamed")
    dimensions: list[str] = []
    for position, dimension in enumerate(section.items("dimensions")):
        if not isinstance(dimension, str) or len(dimension) != 1 or not dimension.isalpha():
            section.reader.fault(
                (*section.path, "dimensions", position), f"expected one letter, got {describe(dimension)}"
            )
        elif dimension in dimensions:
            section.reader.fault((*section.path, "dimensions", position), f"{dimension} stands twice")
        else:
            dimensions.append(dimension)
    coefficients: dict[str, int] = {}
    for position, entry in enumerate(section.items("coefficients", required=False)):
        item = section.reader.section(entry, (*section.path, "coefficients", position))
        coefficients[item.required_text("name")] = item.required_integer("default")
        item.finish()
    key, _ = section.raw("data-spaces", "data_spaces")  # v0.4 writes underscores
    spaces = [
        _described_space(section.reader.section(entry, (*section.path, key, position)), dimensions, list(coefficients))
        for position, entry in enumerate(section.items(key))
    ]
    section.finish()
    if spaces and sum(space.read_write for space in spaces) != 1:
        section.fault(key, "expected exactly one data space with read-write: true")
    if len({space.name for space in spaces}) != len(spaces):
        section.fault(key, "two data spaces have the same name")
    unused = [d for i, d in enumerate(dimensions) if not any(i in space.dimensions for space in spaces)]
    if spaces and unused:
        section.fault("dimensions", f"no data space uses {', '.join(unused)}")
    shape = Shape(name, tuple(dimensions), tuple(spaces), tuple(coefficients), tuple(coefficients.values()))
    builtin = SHAPES.get(name)
    return builtin if builtin == shape and builtin is not None else shape


def _described_space(section: Section, dimensions: list[str], coefficients: list[str]) -> DataSpace:
    name = section.required_text("name")
    axes: list[tuple[Term, ...]] = []
    for position, axis in enumerate(section.items("projection")):
        path = (*section.path, "projection", position)
        terms: list[Term] = []
        # An axis is a list of [dimension] or [dimension, coefficient] terms; a bare dimension stands for [[dimension]].
        entries = [[axis]] if isinstance(axis, str) else axis
        if not isinstance(entries, list) or not entries:
            section.reader.fault(path, f"expected a list of terms, got {describe(axis)}")
            continue
        for entry in entries:
            words = [entry] if isinstance(entry, str) else entry
            if not isinstance(words, list) or len(words) not in (1, 2) or not all(isinstance(w, str) for w in words):
                section.reader.fault(path, f"expected [dimension] or [dimension, coefficient], got {describe(entry)}")
            elif words[0] not in dimensions:
                section.reader.fault(path, f'unknown dimension "{words[0]}"{nearest(words[0], dimensions)}')
            elif len(words) == 2 and words[1] not in coefficients:
                section.reader.fault(path, f'unknown coefficient "{words[1]}"{nearest(words[1], coefficients)}')
            else:
                terms.append(
                    Term(dimensions.index(words[0]), coefficients.index(words[1]) if len(words) == 2 else None)
                )
        axes.append(tuple(terms))
    read_write = section.boolean(section.raw("read-write", "read_write")[0], False)
    section.finish()
    return DataSpace(name, tuple(axes), read_write)
