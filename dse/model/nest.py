"""Many mappings of one kind as arrays: the form in which everything is counted.

A batch shares a `Frame` (architecture, shape, coefficients, bypass pattern, switches); what differs from mapping to
mapping stands in a `NestBatch`. Axis order of all arrays: mapping, storage level (innermost first), dimension.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dse.specification.architecture import Architecture
from dse.specification.mapping import LevelMapping, Mapping
from dse.specification.problem import DataSpace, Problem, Shape

__all__ = ["Bools", "Flags", "Floats", "Frame", "Ints", "NestBatch", "Tensor"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Flags = tuple[tuple[bool, ...], ...]


@dataclass(frozen=True)
class Tensor:
    """A data space with its coefficients filled in."""

    space: DataSpace
    axes: tuple[tuple[tuple[int, int], ...], ...]
    """Per axis the (dimension, factor) of every term."""

    @cached_property
    def relevant(self) -> tuple[int, ...]:
        """Dimensions that move the tensor."""
        return tuple(sorted({dimension for axis in self.axes for dimension, _ in axis}))

    @cached_property
    def entangled(self) -> tuple[int, ...]:
        """Dimensions that share an axis with another one (halos) or move several axes."""
        uses = [dimension for axis in self.axes for dimension in {d for d, _ in axis}]
        shared = {dimension for axis in self.axes if len(axis) > 1 for dimension, _ in axis}
        return tuple(sorted(shared | {dimension for dimension in uses if uses.count(dimension) > 1}))

    @property
    def slides(self) -> bool:
        """Whether consecutive tiles can overlap."""
        return any(len(axis) > 1 for axis in self.axes)

    def box(self, extents: Ints) -> Ints:
        """Words of the box that a tile of `extents` (..., dimension) spans (operation-space.cpp:ProjectLowHigh)."""
        words = np.ones(extents.shape[:-1], np.int64)
        for axis in self.axes:
            words *= self.axis_extent(axis, extents)
        return words

    @staticmethod
    def axis_extent(axis: tuple[tuple[int, int], ...], extents: Ints) -> Ints:
        """Extent of the box along one axis."""
        extent = 1 - sum(factor for _, factor in axis) + np.zeros(extents.shape[:-1], np.int64)
        for dimension, factor in axis:
            extent += factor * extents[..., dimension]
        return extent


@dataclass(frozen=True)
class Frame:
    """What all mappings of a batch have in common. Flags are indexed [storage level][data space]."""

    architecture: Architecture
    shape: Shape
    coefficients: tuple[int, ...]
    keep: Flags
    no_multicast: Flags
    no_link_transfer: Flags
    no_temporal_reuse: Flags

    @classmethod
    def of(cls, architecture: Architecture, problem: Problem, mapping: Mapping) -> Frame:
        """The frame of one mapping."""
        return cls(
            architecture,
            problem.shape,
            problem.coefficients,
            tuple(level.keep for level in mapping.levels),
            tuple(level.no_multicast for level in mapping.levels),
            tuple(level.no_link_transfer for level in mapping.levels),
            tuple(level.no_temporal_reuse for level in mapping.levels),
        )

    @classmethod
    def plain(cls, architecture: Architecture, problem: Problem, keep: Flags) -> Frame:
        """A frame with a bypass pattern and every switch in its default."""
        nothing = tuple((False,) * len(problem.shape.data_spaces) for _ in architecture.storage)
        return cls(architecture, problem.shape, problem.coefficients, keep, nothing, nothing, nothing)

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """The data spaces with their coefficients filled in."""
        values = self.coefficients
        return tuple(
            Tensor(
                space,
                tuple(
                    tuple((t.dimension, 1 if t.coefficient is None else values[t.coefficient]) for t in axis)
                    for axis in space.axes
                ),
            )
            for space in self.shape.data_spaces
        )

    @property
    def levels(self) -> int:
        return len(self.architecture.storage)

    @cached_property
    def keeps_all(self) -> bool:
        """Whether every data space is kept at some level."""
        return all(any(flags[tensor] for flags in self.keep) for tensor in range(len(self.tensors)))


@dataclass(frozen=True)
class NestBatch:
    """`temporal`, `spatial`: tiling factors. `permutation`, `spatial_permutation`: dimensions, innermost first.

    All four have the shape (mapping, level, dimension); `split` (mapping, level) counts the entries of the spatial
    permutation that lie along X.
    """

    temporal: Ints
    spatial: Ints
    permutation: Ints
    spatial_permutation: Ints
    split: Ints

    def __len__(self) -> int:
        return len(self.temporal)

    def __getitem__(self, rows: slice | Ints | Bools) -> NestBatch:
        return NestBatch(
            self.temporal[rows],
            self.spatial[rows],
            self.permutation[rows],
            self.spatial_permutation[rows],
            self.split[rows],
        )

    @classmethod
    def of(cls, mappings: Sequence[Mapping]) -> NestBatch:
        """The arrays of some mappings on the same number of levels and dimensions."""

        def array(attribute: str) -> Ints:
            return np.array([[getattr(lv, attribute) for lv in mapping.levels] for mapping in mappings], np.int64)

        return cls(*map(array, ("temporal", "spatial", "permutation", "spatial_permutation", "split")))

    def mapping(self, row: int, frame: Frame) -> Mapping:
        """One row as a mapping."""
        return Mapping(
            tuple(
                LevelMapping(
                    tuple(self.temporal[row, level].tolist()),
                    tuple(self.spatial[row, level].tolist()),
                    tuple(self.permutation[row, level].tolist()),
                    tuple(self.spatial_permutation[row, level].tolist()),
                    int(self.split[row, level]),
                    frame.keep[level],
                    frame.no_multicast[level],
                    frame.no_link_transfer[level],
                    frame.no_temporal_reuse[level],
                )
                for level in range(frame.levels)
            )
        )

    @cached_property
    def tiles(self) -> Ints:
        """(mapping, level + 1, dimension): extents inside each level, from the single operation to the problem."""
        ones = np.ones_like(self.temporal[:, :1])
        return np.concatenate([ones, np.cumprod(self.temporal * self.spatial, axis=1)], axis=1)

    @cached_property
    def fanout(self) -> Ints:
        """(mapping, level): mapped instances of the next inner level below one instance."""
        fanout: Ints = self.spatial.prod(axis=2)
        return fanout

    @cached_property
    def fanout_x(self) -> Ints:
        """The part of `fanout` along X."""
        ordered = np.take_along_axis(self.spatial, self.spatial_permutation, axis=2)
        along_x = np.arange(ordered.shape[2]) < self.split[:, :, None]
        fanout: Ints = np.where(along_x, ordered, 1).prod(axis=2)
        return fanout

    @cached_property
    def instances(self) -> Ints:
        """(mapping, level): mapped instances of each level, the product of the fan-outs further out."""
        return _outer_product(self.fanout)

    @cached_property
    def instances_x(self) -> Ints:
        """(mapping, level): extent of the mapped instances along X."""
        return _outer_product(self.fanout_x)

    @cached_property
    def compute_cycles(self) -> Ints:
        """(mapping,): the product of all temporal factors."""
        cycles: Ints = self.temporal.reshape(len(self), -1).prod(axis=1)
        return cycles


def _outer_product(fanout: Ints) -> Ints:
    products = np.cumprod(fanout[:, ::-1], axis=1)[:, ::-1]
    return np.concatenate([products[:, 1:], np.ones_like(products[:, :1])], axis=1)
