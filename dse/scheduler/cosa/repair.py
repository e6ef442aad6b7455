"""What to do where the log domain lets a buffer overflow: cut the point off, or shrink the tile."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

from dse.integers import prime_factors
from dse.scheduler.cosa.decode import overflow, tile_words
from dse.scheduler.cosa.factors import Structure
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping

__all__ = ["overflow_cut", "shrunk"]


def overflow_cut(
    structure: Structure, architecture: Architecture, mapping: Mapping, level: int
) -> tuple[dict[tuple[int, int], float], float]:
    """A row for `Program.set_cuts` that all mappings within the capacity of `level` fulfil, and `mapping` does not.

    The tangent of Σ 2^(log2 tile − log2 capacity) <= 1 at the mapping's tiles: convex, so nowhere above the sum.
    """
    capacity = architecture.storage[level].effective_entries or 1
    slopes: dict[tuple[int, int], float] = {}
    limit = 1.0
    for space, keeps in enumerate(structure.keep[level]):
        if keeps:
            words = tile_words(structure, mapping, space, level)
            part = words / capacity
            slopes[level, space] = math.log(2.0) * part
            limit += slopes[level, space] * math.log2(words) - part
    return slopes, limit


def shrunk(architecture: Architecture, structure: Structure, mapping: Mapping) -> Mapping | None:
    """The mapping with the smallest prime factors moved outwards, one by one, until every level's tiles fit.

    A factor moves from the innermost level that overflows, or from inside it, to the temporal loops of the next outer
    level; of the smallest that shrink an offending tile the outermost goes first, temporal before spatial. Where
    constraints on loops forbid that, it moves further out; None where they leave no move.
    """
    while (level := overflow(architecture, structure, mapping)) is not None:
        moving = {
            dimension
            for space, keeps in enumerate(structure.keep[level])
            if keeps
            for dimension in structure.relevant(space)
        }
        choices = [
            (prime_factors(size)[0][0], -source, kind == "spatial", dimension, kind, target)
            for source in range(level + 1)
            for kind in ("temporal", "spatial")
            for dimension, size in enumerate(getattr(mapping.levels[source], kind))
            if size > 1 and dimension in moving
            for target in _targets(structure, mapping, source, kind == "spatial", dimension, level)
        ]
        if not choices:
            return None
        prime, source, _, dimension, kind, target = min(choices)
        levels = list(mapping.levels)
        inner, outer = levels[-source], levels[target]
        sizes = list(getattr(inner, kind))
        sizes[dimension] //= prime
        temporal = list(outer.temporal)
        temporal[dimension] *= prime
        levels[-source] = (
            replace(inner, temporal=tuple(sizes)) if kind == "temporal" else replace(inner, spatial=tuple(sizes))
        )
        levels[target] = replace(outer, temporal=tuple(temporal))
        mapping = Mapping(tuple(levels))
    return mapping


def _targets(
    structure: Structure, mapping: Mapping, source: int, spatial: bool, dimension: int, level: int
) -> Iterator[int]:
    """The next level outside `level` whose temporal loops may take the smallest prime of a factor, if any may."""
    own = mapping.levels[source]
    size = (own.spatial if spatial else own.temporal)[dimension]
    prime = prime_factors(size)[0][0]
    if size // prime < structure.range_at(source, spatial, dimension)[0]:
        return
    for target in range(level + 1, structure.levels):
        if mapping.levels[target].temporal[dimension] * prime <= structure.range_at(target, False, dimension)[1]:
            yield target
            return
