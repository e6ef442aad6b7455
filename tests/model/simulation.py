"""Access counts by plain simulation: every step is made, every tile is a set of points.

Written after the description of Timeloop's algorithm (019f107, src/loop-analysis/nest-analysis.cpp and tiling.cpp) and
sharing nothing with `dse.model`: no closed form, no arrays, no packing of displacements. Its cost is exponential in the
number of loops, its use to say what the closed form must equal.
"""

import itertools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from dse.specification.architecture import Architecture
from dse.specification.mapping import LevelMapping, Mapping
from dse.specification.problem import DataSpace, Problem

__all__ = ["Counts", "Simulation"]

Coordinates = tuple[int, ...]
Words = frozenset[Coordinates]


class Counts(NamedTuple):
    """Words per instance over the whole run."""

    tile: int
    reads: int
    fills: int
    updates: int


class Loop(NamedTuple):
    dimension: int
    bound: int
    step: int


@dataclass
class Traffic:
    """What one level sends inwards for one data space: {(multicast, sets): accesses}, and words between neighbours."""

    records: dict[tuple[int, int], float] = field(default_factory=dict)
    link_words: float = 0.0

    def sorted(self) -> list[tuple[int, float]]:
        return [(multicast, accesses) for (multicast, _), accesses in sorted(self.records.items())]


class Simulation:
    """All counts of one mapping: `counts[level][data space name]`, for the levels that keep the data space."""

    def __init__(self, architecture: Architecture, problem: Problem, mapping: Mapping) -> None:
        self.architecture, self.problem, self.mapping = architecture, problem, mapping
        self.inside = [tuple(1 for _ in problem.bounds)]  # extents of the tile inside each level
        for level in mapping.levels:
            products = zip(self.inside[-1], level.temporal, level.spatial, strict=True)
            self.inside.append(tuple(math.prod(factors) for factors in products))
        self.fanout = [math.prod(level.spatial) for level in mapping.levels]
        self.instances = [math.prod(self.fanout[index + 1 :]) for index in range(len(mapping.levels))]
        self.counts: list[dict[str, Counts]] = [{} for _ in mapping.levels]
        for index in range(len(problem.shape.data_spaces)):
            self._count(index)

    # What moves

    def box(self, space: DataSpace, low: Coordinates, extents: Coordinates) -> Words:
        """The points of the box around a tile that starts at `low`."""
        ranges = []
        for axis in space.axes:
            weights = [(term.dimension, self.problem.weight(term)) for term in axis]
            start = sum(weight * low[dimension] for dimension, weight in weights)
            length = 1 + sum(weight * (extents[dimension] - 1) for dimension, weight in weights)
            ranges.append(range(start, start + length))
        return frozenset(itertools.product(*ranges))

    def shift(self, space: DataSpace, offset: Coordinates) -> Coordinates:
        return tuple(sum(self.problem.weight(term) * offset[term.dimension] for term in axis) for axis in space.axes)

    def steps(self, level: int) -> Iterator[tuple[Coordinates, int]]:
        """(start of the tile inside `level`, how often) of every step that Timeloop makes, in its order.

        Of every loop only the iterations 0 and 1 are made; the second stands for all others.
        """
        loops: list[Loop] = []
        for outer in range(level, len(self.mapping.levels)):
            loops += self._temporal_loops(outer)
        loops = [loop for loop in reversed(loops) if loop.bound > 1]  # outermost first
        for indices in itertools.product((0, 1), repeat=len(loops)):
            low = [0] * len(self.problem.bounds)
            times = 1
            for index, loop in zip(indices, loops, strict=True):
                low[loop.dimension] += index * loop.step
                times *= loop.bound - 1 if index else 1
            yield tuple(low), times

    def _temporal_loops(self, level: int) -> Iterator[Loop]:
        own = self.mapping.levels[level]
        for dimension in own.permutation:
            step = self.inside[level][dimension] * own.spatial[dimension]
            yield Loop(dimension, own.temporal[dimension], step)

    def children(self, level: int) -> list[Coordinates]:
        """Offsets of the instances below one instance, in the order of the linear index (innermost loop fastest)."""
        own = self.mapping.levels[level]
        offsets = [tuple(0 for _ in self.problem.bounds)]
        for dimension in own.spatial_permutation:
            step = self.inside[level][dimension]
            offsets = [
                tuple(value + (index * step if d == dimension else 0) for d, value in enumerate(offset))
                for index in range(own.spatial[dimension])
                for offset in offsets
            ]
        return offsets

    def traffic(self, level: int, space_index: int) -> Traffic:
        """Simulate the network below one level for one data space."""
        space, own = self.problem.shape.data_spaces[space_index], self.mapping.levels[level]
        shifts = [self.shift(space, offset) for offset in self.children(level)]
        # Single operations are delivered afresh every cycle, and so are the tiles of a level without temporal reuse.
        stateless = level == 0 or self.mapping.levels[level - 1].no_temporal_reuse[space_index]
        result = Traffic()
        held: Words | None = None
        held_low: Coordinates = ()
        last_move: Coordinates | None = None
        previous: list[Words] = []
        for low, times in self.steps(level):
            tile, here = self.box(space, low, self.inside[level]), self.shift(space, low)
            move = None if held is None else tuple(a - b for a, b in zip(here, held_low, strict=True))
            if held is None or stateless:
                delta = tile
            elif last_move is None or move == last_move:
                delta, last_move = tile - held, move
            else:
                delta, last_move = tile, None  # the direction changed: nothing is reused
            held, held_low = tile, here
            arriving = [_moved(delta, shift) for shift in shifts]
            self._deliver(result, level, own, space_index, arriving, previous, times)
            previous = arriving
        return result

    def _deliver(
        self,
        result: Traffic,
        level: int,
        own: LevelMapping,
        space_index: int,
        arriving: list[Words],
        previous: list[Words],
        times: int,
    ) -> None:
        multicasting = not own.no_multicast[space_index]
        records = _records(arriving, multicasting)
        if previous and not own.no_link_transfer[space_index] and len(arriving) > 1:
            served = {
                index
                for index, words in enumerate(arriving)
                if words and any(previous[other] == words for other in self._neighbours(level, index))
            }
            remaining = _records([w for index, w in enumerate(arriving) if index not in served], multicasting)
            if sum(remaining.values()) < sum(records.values()):
                result.link_words += sum(len(arriving[index]) for index in served) * times
                records = remaining
        for key, accesses in records.items():
            result.records[key] = result.records.get(key, 0) + accesses * times

    def _neighbours(self, level: int, index: int) -> Iterator[int]:
        own = self.mapping.levels[level]
        fan_x, fan_y = self.architecture.fanouts[level]
        mapped_x = math.prod(own.spatial[dimension] for dimension in own.spatial_permutation[: own.split])
        columns, rows = max(fan_x, mapped_x), max(fan_y, self.fanout[level] // mapped_x)
        column, row = index % columns, index // columns
        for next_column, next_row in ((column - 1, row), (column + 1, row), (column, row - 1), (column, row + 1)):
            other = next_row * columns + next_column
            if 0 <= next_column < columns and 0 <= next_row < rows and other < self.fanout[level]:
                yield other

    # What is counted

    def _count(self, space_index: int) -> None:
        space = self.problem.shape.data_spaces[space_index]
        levels = range(len(self.mapping.levels))
        keep = [level.keep[space_index] for level in self.mapping.levels]
        traffic = [self.traffic(level, space_index) for level in levels]
        origin = tuple(0 for _ in self.problem.bounds)
        tile = [len(self.box(space, origin, self.inside[level + 1])) for level in levels]
        partition = list(tile)
        for level in reversed(levels[:-1]):
            spread = zip(self.inside[level + 1], self.mapping.levels[level + 1].spatial, strict=True)
            group = len(self.box(space, origin, tuple(a * b for a, b in spread)))
            partition[level] = partition[level + 1] * tile[level] // group
        share = [0.0] * len(tile)
        for level in levels[:-1]:
            share[level] = sum(w * m / self.fanout[level + 1] for m, w in traffic[level + 1].sorted())
        content = [float(sum(own.records.values())) for own in traffic]
        for level in levels[:-1]:
            if not keep[level]:  # the accesses pass on to the next outer level
                outer = traffic[level + 1]
                factor = content[level] * self.fanout[level + 1] / sum(w * m for m, w in outer.sorted())
                for key in outer.records:
                    outer.records[key] *= factor
                outer.link_words = 0.0
                content[level + 1] = sum(w for _, w in outer.sorted())
        outermost = max(level for level in levels if keep[level])
        share[outermost] = 0.0
        for level in levels:
            if keep[level]:
                peer = traffic[level + 1].link_words / self.instances[level] if level < outermost else 0.0
                read_again = content[level] + peer - (partition[level] if space.read_write else 0)
                self.counts[level][space.name] = Counts(
                    tile[level],
                    math.floor(read_again + 0.5),
                    math.floor(share[level] + peer),
                    math.floor(content[level] + 0.5) if space.read_write else 0,
                )


def _moved(words: Words, shift: Coordinates) -> Words:
    return frozenset(tuple(a + b for a, b in zip(point, shift, strict=True)) for point in words)


def _records(arriving: list[Words], multicasting: bool) -> Counter[tuple[int, int]]:
    """{(multicast, sets): accesses}: equal tiles are sent once."""
    groups: dict[int, list[Words]] = {}
    if multicasting:
        for words, multicast in Counter(words for words in arriving if words).items():
            groups.setdefault(multicast, []).append(words)
    else:
        groups = {1: [words for words in arriving if words]} if any(arriving) else {}
    return Counter({(multicast, len(sets)): sum(map(len, sets)) for multicast, sets in groups.items()})
