"""What to do where the log domain lets a buffer overflow: cut the point off, or shrink the tile."""

from __future__ import annotations

import math
from dataclasses import replace

from dse.scheduler.cosa.decode import overflow, tile_words
from dse.scheduler.cosa.factors import Structure, prime_factors
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping

__all__ = ["overflow_cut", "shrunk", "why_nothing_fits"]


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


def shrunk(architecture: Architecture, structure: Structure, mapping: Mapping) -> Mapping:
    """The mapping with the smallest prime factors moved outwards, one by one, until every level's tiles fit.

    A factor moves from the innermost level that overflows, or from inside it, to the temporal loops of the next outer
    level; of the smallest that shrink an offending tile the outermost goes first, temporal before spatial.
    """
    while (level := overflow(architecture, structure, mapping)) is not None:
        moving = {
            dimension
            for space, keeps in enumerate(structure.keep[level])
            if keeps
            for dimension in structure.relevant(space)
        }
        choices = [
            (prime_factors(size)[0][0], -source, kind == "spatial", dimension, kind)
            for source in range(level + 1)
            for kind in ("temporal", "spatial")
            for dimension, size in enumerate(getattr(mapping.levels[source], kind))
            if size > 1 and dimension in moving
        ]
        prime, source, _, dimension, kind = min(choices)
        levels = list(mapping.levels)
        inner, outer = levels[-source], levels[level + 1]
        sizes = list(getattr(inner, kind))
        sizes[dimension] //= prime
        temporal = list(outer.temporal)
        temporal[dimension] *= prime
        levels[-source] = (
            replace(inner, temporal=tuple(sizes)) if kind == "temporal" else replace(inner, spatial=tuple(sizes))
        )
        levels[level + 1] = replace(outer, temporal=tuple(temporal))
        mapping = Mapping(tuple(levels))
    return mapping


def why_nothing_fits(architecture: Architecture, structure: Structure) -> str | None:
    """The first level, innermost first, that has no room for a single word of each data space that it keeps.

    The outermost level has to hold the data spaces whole. None where a mapping fits: that with all loops outermost.
    """
    spaces = structure.problem.shape.data_spaces
    for level, storage in enumerate(architecture.storage):
        kept = [space for space, keeps in enumerate(structure.keep[level]) if keeps]
        outermost = level == structure.levels - 1
        words = [structure.problem.words(spaces[space]) if outermost else 1 for space in kept]
        if storage.effective_entries is not None and sum(words) > storage.effective_entries:
            parts = " + ".join(f"{spaces[space].name} {own}" for space, own in zip(kept, words, strict=True))
            least = "the layer's data" if outermost else "the smallest tiles"
            return (
                f"{storage.name} is too small: {least} need {parts} words, its capacity is {storage.effective_entries}"
            )
    return None
