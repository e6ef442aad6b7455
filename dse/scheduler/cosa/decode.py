"""From a solution's counts to a mapping, and from a mapping back to the point of the program that it stands for."""

from __future__ import annotations

import math

import numpy as np

from dse.scheduler.cosa.factors import Structure
from dse.scheduler.cosa.orders import innermost_run
from dse.scheduler.cosa.variables import Row, Variables
from dse.specification.architecture import Architecture
from dse.specification.mapping import LevelMapping, Mapping

__all__ = ["encode", "mapping_of", "overflow", "saved_log", "tile_words"]


def mapping_of(variables: Variables, solution: Row) -> Mapping:
    """The mapping of an integral point; loop orders are those that represent the chosen classes."""
    structure = variables.structure
    shape = structure.problem.shape
    counts = solution[: variables.count_size].reshape(variables.count.shape)
    nothing = (False,) * len(shape.data_spaces)
    levels: list[LevelMapping] = []
    for level in range(structure.levels):
        sizes = {kind: [1] * len(shape.dimensions) for kind in ("temporal", "x", "y")}
        for column, slot in enumerate(structure.slots):
            if slot.level == level:
                for row, factor in enumerate(structure.factors):
                    sizes[slot.kind][factor.dimension] *= factor.prime ** int(counts[row, column])
        chosen = 0
        if level in variables.ordered:
            number = len(variables.classes[level])
            chosen = int(np.argmax([solution[variables.order[level, index]] for index in range(number)]))
        first = structure.innermost(level)
        rest = (dimension for dimension in variables.classes[level][chosen].permutation if dimension not in first)
        along_y = [dimension for dimension, size in enumerate(sizes["y"]) if size > 1]
        along_x = [dimension for dimension in range(len(shape.dimensions)) if dimension not in along_y]
        spatial_permutation, split = (*along_x, *along_y), len(along_x)
        for own in structure.loops:
            if own.level == level and own.spatial:
                along_x = [dimension for dimension, size in enumerate(sizes["x"]) if size > 1]
                spatial_permutation, split = own.spatial_order(along_x, along_y)
        levels.append(
            LevelMapping(
                temporal=tuple(sizes["temporal"]),
                spatial=tuple(x * y for x, y in zip(sizes["x"], sizes["y"], strict=True)),
                permutation=(*first, *rest),
                spatial_permutation=spatial_permutation,
                split=split,
                keep=structure.keep[level],
                no_multicast=nothing,
                no_link_transfer=nothing,
                no_temporal_reuse=nothing,
            )
        )
    return Mapping(tuple(levels))


def tile_sizes(mapping: Mapping, level: int) -> tuple[int, ...]:
    """Per dimension, the iterations inside a level's tile."""
    sizes = [1] * len(mapping.levels[0].temporal)
    for own in mapping.levels[: level + 1]:
        sizes = [size * t * s for size, t, s in zip(sizes, own.temporal, own.spatial, strict=True)]
    return tuple(sizes)


def tile_words(structure: Structure, mapping: Mapping, space: int, level: int) -> int:
    """Words of a data space's tile at a level: its bounding box."""
    sizes = dict(enumerate(tile_sizes(mapping, level)))
    axes = structure.problem.shape.data_spaces[space].axes
    return math.prod(structure.extent(axis, sizes) for axis in axes)


def overflow(architecture: Architecture, structure: Structure, mapping: Mapping) -> int | None:
    """The innermost level whose tiles exceed its capacity, if any."""
    for level, storage in enumerate(architecture.storage):
        kept = [space for space, keeps in enumerate(structure.keep[level]) if keeps]
        words = sum(tile_words(structure, mapping, space, level) for space in kept)
        if storage.effective_entries is not None and words > storage.effective_entries:
            return level
    return None


def encode(variables: Variables, mapping: Mapping) -> Row:
    """The point x (with a final 1) that a mapping stands for; its loop orders may be any.

    The entries of `order`, `passes`, `share` and `tile` are left at zero: no objective names them.
    """
    structure = variables.structure
    point = variables.row(constant=1.0)
    for column, slot in enumerate(structure.slots):
        own = mapping.levels[slot.level]
        along_x = set(own.spatial_permutation[: own.split])
        for row, factor in enumerate(structure.factors):
            size = own.temporal[factor.dimension] if slot.kind == "temporal" else 1
            if slot.kind != "temporal" and (factor.dimension in along_x) == (slot.kind == "x"):
                size = own.spatial[factor.dimension]
            exponent = 0
            while size % factor.prime == 0:
                size //= factor.prime
                exponent += 1
            point[variables.count[row, column]] = exponent
    for (level, axis), columns in variables.columns.items():
        tile = tile_sizes(mapping, level)
        wanted = tuple(tile[term.dimension] for term in axis)
        point[columns.first + columns.sizes.index(wanted)] = 1.0
    for (level, axis), index in variables.extent.items():
        point[index] = math.log2(structure.extent(axis, dict(enumerate(tile_sizes(mapping, level)))))
    for space, child, level, index in variables.saved:
        point[variables.saved[space, child, level, index]] = 0.0
    filled: set[tuple[int, int, int]] = set()
    for (space, child, level, _), index in variables.saved.items():
        if (space, child, level) in filled:
            continue  # one entry carries what the actual order saves
        filled.add((space, child, level))
        point[index] = saved_log(structure, mapping, space, child, level)
    return point


def saved_log(structure: Structure, mapping: Mapping, space: int, child: int, level: int) -> float:
    """log2 of the fetches of a tile at `child` saved by the temporal loops of `level`."""
    moving = structure.relevant(space)
    for between in mapping.levels[child + 1 : level]:
        if any(size > 1 for dimension, size in enumerate(between.temporal) if dimension in moving):
            return 0.0
    own = mapping.levels[level]
    loops = [dimension for dimension in own.permutation if own.temporal[dimension] > 1]
    return math.log2(math.prod(own.temporal[dimension] for dimension in innermost_run(loops, moving)))
