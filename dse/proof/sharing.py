"""What the children of a fan-out share: multicast of equal tiles, and words that neighbours hand on.

Children that differ in idle groups only hold equal tiles. Along an axis with two terms, children of different indices
can hold equal tiles as well (`overlap`). A child whose tile is what its neighbour on the mesh held before is served by
it (`links`, see dse.model.spatial): that needs a displacement between two tiles equal to that of a move.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from dse.integers import divisors, exponent
from dse.proof.decisions import Decisions
from dse.proof.displacements import displacements, first_steps, smallest_bound
from dse.proof.forms import ZERO, Form, total
from dse.proof.orders import Orders
from dse.proof.windows import Windows, resting_gain

__all__ = ["Sharing"]

MOST_PAIRS = 120
Pair = tuple[int, int]


@lru_cache(maxsize=65536)
def _overlap(factors: Pair, steps: Pair, largest: bool) -> float:
    """log2 of the mean (or the largest) number of children with equal tiles, along one axis."""
    a, b = factors
    offsets = (np.arange(a)[:, None] * steps[0] + np.arange(b)[None, :] * steps[1]).ravel()
    _, counts = np.unique(offsets, return_counts=True)
    return math.log2(counts.max() if largest else len(offsets) / len(counts))


@lru_cache(maxsize=65536)
def _share_fetched(factors: Pair, steps: Pair, moves: frozenset[int] | None, *, line: bool) -> float:
    """The least share of a fan-out's tiles that neighbours cannot hand on, whichever of some moves the tile makes.

    In a line (a mesh of one row) the neighbours are the next and the last index; all groups of the axis next to each
    other, in either order, and the ends joined, serve most. On a mesh of more rows, every child whose tile any other
    child had is taken as served. `moves` None: any.
    """
    grid = np.arange(factors[0])[:, None] * steps[0] + np.arange(factors[1])[None, :] * steps[1]
    every = np.unique(grid)
    fewest = len(every)
    if not line:
        for move in range(1, int(every[-1]) + 1) if moves is None else moves:
            if move:
                fewest = min(fewest, len(every) - int(np.isin(every + move, every).sum()))
        return fewest / len(every)
    for offsets in (grid.ravel(), grid.T.ravel()):
        ahead, behind = np.roll(offsets, -1) - offsets, np.roll(offsets, 1) - offsets
        for move in {int(d) for d in (*ahead, *behind) if d and (moves is None or abs(int(d)) in moves)}:
            served = (ahead == move) | (behind == move)
            fewest = min(fewest, len(np.unique(offsets[~served])))
    return fewest / len(every)


def _in_units(moves: frozenset[int] | None, unit: int) -> frozenset[int] | None:
    """Those of the moves that are multiples of a unit, as such."""
    return None if moves is None else frozenset(move // unit for move in moves if move % unit == 0)


class _Table:
    """The largest value for each pair of spatial factors, and for each tile; only what is above 0."""

    def __init__(self) -> None:
        self.by_pair: dict[Pair, float] = {}
        self.by_tile: dict[Pair, float] = {}

    def add(self, pair: Pair, tile: Pair, value: float) -> None:
        if value > 0:
            self.by_pair[pair] = max(self.by_pair.get(pair, 0.0), value)
            self.by_tile[tile] = max(self.by_tile.get(tile, 0.0), value)


@dataclass(frozen=True, slots=True, eq=False)
class _AxisSharing:
    """One axis of a data space at one fan-out: binaries for the pairs of spatial factors, and the tables over them."""

    picked: dict[Pair, Form]
    gain_by_pair: dict[Pair, float]
    gain_by_tile: dict[Pair, float]
    gain_by_first: tuple[dict[Pair, float], dict[Pair, float]]
    """Per term: where its loop is the first that moves the tile."""


class Sharing:
    """Multicast and links of a program. Everything is a bonus: a form that no mapping exceeds."""

    def __init__(self, decisions: Decisions, orders: Orders, windows: Windows) -> None:
        self.decisions, self.orders, self.windows = decisions, orders, windows
        self.structure, self.assembly = decisions.structure, decisions.assembly
        self._overlaps: dict[tuple[int, int], Form] = {}
        self._axes: dict[tuple[int, int, int], _AxisSharing] = {}
        self._ways: dict[int, list[dict[int, Form]]] = {}
        for space, own in enumerate(self.structure.spaces):
            last = self.structure.kept_levels[space][-1]
            for level in range(last + 1):
                if own.windows and self.structure.fans[level] > 1:
                    self._overlaps[space, level] = total(self._overlap(space, level, p) for p in own.windows)

    def shared(self, space: int, child: int, parent: int) -> Form:
        """log2 of how many children at level `child` (−1: MACs) one access at level `parent` serves."""
        levels = range(child + 1, parent + 1)
        idle = self.decisions.sum_spatial(sorted(self.structure.idle(space)), levels)
        return idle + total(self._overlaps.get((space, level), ZERO) for level in levels)

    # ---- overlap

    def _tiles(self, space: int, level: int, position: int) -> list[Pair] | None:
        """Tile sizes of the child below a fan-out, where they are enumerated."""
        if level == 0:
            return [(1, 1)]
        columns = self.windows.columns.get((space, level - 1, position))
        return None if columns is None else sorted({(c.sizes[0], c.sizes[1]) for c in columns})

    def _by_tile(self, space: int, level: int, position: int, table: dict[Pair, float]) -> Form:
        """The entry of a table at the child's tile; needs its columns."""
        columns = self.windows.columns[space, level - 1, position]
        return total(c.binary * table[c.sizes[0], c.sizes[1]] for c in columns if (c.sizes[0], c.sizes[1]) in table)

    def _overlap(self, space: int, level: int, position: int) -> Form:
        structure, decisions = self.structure, self.decisions
        axis = structure.spaces[space].boxes[position]
        groups = [group for group, _ in axis]
        if len(axis) > 2 or structure.spaces[space].tangled:  # at least as many tiles as the largest factor
            bonus = self.assembly.real(0.0, 64.0)
            for group in groups:
                self.assembly.below(bonus - total(decisions.log_spatial(o, level) for o in groups if o != group))
            return bonus
        bounds = (structure.groups[groups[0]].bound, structure.groups[groups[1]].bound)
        tiles = self._tiles(space, level, position)
        every = tiles or list(product(divisors(bounds[0]), divisors(bounds[1])))
        weights = (axis[0][1], axis[1][1])
        pairs = [
            pair
            for pair in product(divisors(bounds[0]), divisors(bounds[1]))
            if pair[0] * pair[1] <= structure.fans[level]
        ]
        means, peaks, gains = _Table(), _Table(), _Table()
        firsts = (_Table(), _Table())
        for pair in pairs:
            for tile in every:
                inside = (tile[0] * pair[0], tile[1] * pair[1])
                if pair == (1, 1) or bounds[0] % inside[0] or bounds[1] % inside[1]:
                    continue
                steps = (tile[0] * weights[0], tile[1] * weights[1])
                unit = math.gcd(*steps)
                plain = (steps[0] // unit, steps[1] // unit)
                left = (bounds[0] // inside[0], bounds[1] // inside[1])
                outer = (inside[0] * weights[0], inside[1] * weights[1])
                line = structure.fanouts[level][1] == 1
                least = _share_fetched(pair, plain, _in_units(displacements(left, outer), unit), line=line)
                gain = -math.log2(least)
                for term in (0, 1):
                    if left[term] > 1:
                        # The first loop makes all but one in so many moves; another's displacement may suit the rest.
                        rest = 1.0 / smallest_bound(left[term])
                        first = _in_units(first_steps(left[term], outer[term]), unit)
                        share = _share_fetched(pair, plain, first, line=line) * (1.0 - rest) + least * rest
                        firsts[term].add(pair, tile, -math.log2(share))
                means.add(pair, tile, _overlap(pair, plain, largest=False))
                gains.add(pair, tile, gain)
                if gain:
                    peaks.add(pair, tile, _overlap(pair, plain, largest=True))
        bypassed = level > 0 and not structure.keep[level - 1][space]
        if not means.by_pair and not gains.by_pair:
            self._axes[space, level, position] = _AxisSharing({}, {}, {}, ({}, {}))
            return ZERO
        if len(pairs) > MOST_PAIRS:
            self._axes[space, level, position] = _AxisSharing({}, gains.by_pair, {}, ({}, {}))
            return self._hulls(level, groups, peaks.by_pair if bypassed else means.by_pair)
        picked = self._pick(level, groups, pairs)
        self._axes[space, level, position] = _AxisSharing(
            picked, gains.by_pair, gains.by_tile, (firsts[0].by_pair, firsts[1].by_pair)
        )
        bonus = self._looked_up(picked, means, None if tiles is None or not level else (space, level, position))
        if bypassed and peaks.by_pair:
            bonus = bonus + self._uneven(space, level, picked, means, peaks)
        return bonus

    def _looked_up(self, picked: dict[Pair, Form], table: _Table, where: tuple[int, int, int] | None) -> Form:
        """A bonus bounded by a table's entries at the pair and, where it is known, at the child's tile."""
        bonus = total(picked[pair] * value for pair, value in table.by_pair.items())
        if where is None or not table.by_pair:
            return bonus
        limited = self.assembly.real(0.0, max(table.by_pair.values()))
        self.assembly.below(limited - bonus)
        self.assembly.below(limited - self._by_tile(*where, table.by_tile))
        return limited

    def _uneven(self, space: int, level: int, picked: dict[Pair, Form], means: _Table, peaks: _Table) -> Form:
        """Below a bypassed child links save nothing, but what they leave may be the most shared tiles."""
        own = self.structure.spaces[space]
        excess = {pair: peak - means.by_pair.get(pair, 0.0) for pair, peak in peaks.by_pair.items()}
        most = max(excess.values())
        if most <= 0:
            return ZERO
        groups = sorted({group for position in own.windows for group, _ in own.boxes[position]})
        extra = self.assembly.real(0.0, most)
        self.assembly.below(extra - total(picked[pair] * value for pair, value in excess.items() if value > 0))
        self.assembly.below(extra - self.neighbours(level, groups) * most)
        moving = self.orders.first_moving(space, level - 1)
        self.assembly.below(extra - total(moving[group] for group in groups) * most)
        return extra

    def _pick(self, level: int, groups: list[int], pairs: list[Pair]) -> dict[Pair, Form]:
        """One binary for every pair of spatial factors: exactly the one that the fan-out unrolls is 1."""
        picked = {pair: self.assembly.whole() for pair in pairs}
        self.assembly.equal(total(picked.values()) - 1.0)
        for row, factor in enumerate(self.structure.factors):
            for term, group in enumerate(groups):
                if factor.group == group:
                    unrolled = total(
                        self.decisions.counts[row, slot]
                        for slot in self.structure.slots
                        if slot.level == level and slot.kind != "t"
                    )
                    wanted = (b * float(exponent(pair[term], factor.prime)) for pair, b in picked.items())
                    self.assembly.equal(total(wanted) - unrolled)
        return picked

    def _hulls(self, level: int, groups: list[int], shared: dict[Pair, float]) -> Form:
        """Hulls over either factor in place of a binary for each pair."""
        if not shared:
            return ZERO
        bonus = self.assembly.real(0.0, max(shared.values()))
        for term, group in enumerate(groups):
            points = [(0.0, 0.0)] + [(math.log2(pair[term]), value) for pair, value in shared.items()]
            self.decisions.lift(bonus, self.decisions.log_spatial(group, level), points)
        return bonus

    # ---- links

    def neighbours(self, level: int, groups: list[int]) -> Form:
        """How many ways to a neighbour of this fan-out lead along one of the groups.

        A neighbour stands at a distance of one in the linear index, or of one row of the mesh. The index that changes
        (for a data space, the one that matters) belongs to one group for each way.
        """
        if level not in self._ways:
            ways = 1 + (self.structure.fanouts[level][1] > 1)
            self._ways[level] = []
            for _ in range(ways):
                way = {group: self.assembly.whole() for group in range(len(self.structure.groups))}
                self.assembly.below(total(way.values()) - 1.0)
                for group, binary in way.items():
                    self.assembly.below(binary - self.decisions.number_spatial(group, level))
                self._ways[level].append(way)
        return total(way[group] for way in self._ways[level] for group in groups)

    def unmoved(self, space: int, level: int) -> Form:
        """A form that is at least 1 where a neighbour may hold the very same tile.

        It differs in idle groups only; or in both groups of an axis, whose shifts cancel.
        """
        ways = self.neighbours(level, sorted(self.structure.idle(space)))
        own = self.structure.spaces[space]
        if own.tangled:
            return ways + self.neighbours(level, sorted(own.relevant))
        for position in own.windows:
            groups = [group for group, _ in own.boxes[position]]
            wraps = self.assembly.real(0.0, 1.0)
            self.assembly.below(wraps - self.neighbours(level, groups))
            for group in groups if len(groups) == 2 else ():
                self.assembly.below(wraps - self.decisions.number_spatial(group, level))
            ways = ways + wraps
        return ways

    def links(self, space: int, level: int) -> Form | None:
        """log2 of how many times fewer words a fan-out draws because neighbours hand on windows; None: they cannot.

        The child below must keep the data space, or be the MACs.
        """
        own = self.structure.spaces[space]
        if not own.windows or self.structure.fans[level] == 1:
            return None
        gains = [self._axis_links(space, level, position) for position in own.windows]
        gains.append(self._resting_links(space, level))
        possible = [gain for gain in gains if gain is not None]
        for position in own.windows if possible else ():
            self._hold_slides(space, level, position)
        return total(possible) if possible else None

    def _resting(self, space: int, level: int, position: int) -> list[dict[Pair, float]] | None:
        """What loops above the child gain that compensate each other along an axis, per first term and tile.

        None: not known, half of the moves at most.
        """
        own = self.structure.spaces[space]
        axis = own.boxes[position]
        if own.tangled or len(axis) > 2:
            return None
        bounds = (self.structure.groups[axis[0][0]].bound, self.structure.groups[axis[1][0]].bound)
        tiles = self._tiles(space, level, position) or list(product(divisors(bounds[0]), divisors(bounds[1])))
        gains = [{tile: resting_gain(axis, bounds, tile, first) for tile in tiles} for first in (0, 1)]
        return [{tile: gain for tile, gain in own.items() if gain} for own in gains]

    def _axis_links(self, space: int, level: int, position: int) -> Form | None:
        """Links along one axis, where the first loop that moves the tile moves it along the axis.

        If it moves along another one, a displacement along this axis alone needs loops that cancel there, of which the
        outer one advances at most once in four moves.
        """
        own = self.structure.spaces[space]
        groups = [group for group, _ in own.boxes[position]]
        assembly = self.assembly
        sharing = self._axes.get((space, level, position))
        if sharing is not None and not sharing.gain_by_pair:
            return None
        most = math.log2(self.structure.fans[level]) + 1e-6
        if sharing is not None:
            most = max(sharing.gain_by_pair.values())
        gain = assembly.real(0.0, most)
        assembly.below(gain - self.neighbours(level, groups) * most)
        assembly.below(gain - total(self.decisions.log_spatial(group, level) for group in groups))
        moving = self.orders.first_moving(space, level - 1)
        if not own.tangled:
            along = total(moving[group] for group in groups) * most
            aside = [self._aside(space, level, other, groups) for other in own.windows if other != position]
            assembly.below(gain - along - total(aside))
        if sharing is not None and sharing.picked:
            by_pair = sharing.gain_by_pair.items()
            assembly.below(gain - total(sharing.picked[pair] * value for pair, value in by_pair))
            for group, table in zip(groups, sharing.gain_by_first, strict=True):
                bound = total(sharing.picked[pair] * value for pair, value in table.items())
                assembly.below(gain - bound - (1.0 - moving[group]) * most)
            if (space, level - 1, position) in self.windows.columns:
                assembly.below(gain - self._by_tile(space, level, position, sharing.gain_by_tile))
        return gain

    def _aside(self, space: int, level: int, position: int, groups: list[int]) -> Form:
        """What links along `groups` gain where the first loop moves the tile along another axis and is compensated."""
        own = self.structure.spaces[space]
        axis = [group for group, _ in own.boxes[position]]
        moving = self.orders.first_moving(space, level - 1)
        part = self.assembly.real(0.0, 1.0)
        self.assembly.below(part - total(moving[group] for group in axis))
        if len(axis) == 2:
            # Or neighbours differ along both axes, as where an index returns to 0; a single term returns too little.
            wraps = self.assembly.real(0.0, 1.0)
            for group in axis:
                self.assembly.below(wraps - self.decisions.number_spatial(group, level))
            if len(groups) == 2:
                self.assembly.below(wraps - self.orders.meet(space, level - 1, groups, axis))
            gains = self._resting(space, level, position)
            met = self.orders.meet(space, level - 1, axis, groups) if gains is None or any(gains) else ZERO
            self.assembly.below(part - wraps - met)
        return part * math.log2(4 / 3)

    def _resting_links(self, space: int, level: int) -> Form | None:
        """A tile that loops return to where it stood is served by a child with the same."""
        own = self.structure.spaces[space]
        found = {position: self._resting(space, level, position) for position in own.windows}
        found = {position: gains for position, gains in found.items() if gains is None or any(gains)}
        if not found:
            return None
        served = self.assembly.real(0.0, 1.0)
        self.assembly.below(served - self.unmoved(space, level))
        if own.tangled:
            return served
        moving = self.orders.first_moving(space, level - 1)
        parts: list[Form] = []
        for position, gains in found.items():
            groups = [group for group, _ in own.boxes[position]]
            part = self.assembly.real(0.0, 1.0)
            parts.append(part)
            if gains is None:
                self.assembly.below(part - total(moving[group] for group in groups))
                continue
            most = [max(by_tile.values(), default=0.0) for by_tile in gains]
            self.assembly.below(part - total(moving[group] * gain for group, gain in zip(groups, most, strict=True)))
            self.assembly.below(part - self.orders.meet(space, level - 1, groups))
            if level and (space, level - 1, position) in self.windows.columns:
                either = {tile: max(own.get(tile, 0.0) for own in gains) for by_tile in gains for tile in by_tile}
                self.assembly.below(part - self._by_tile(space, level, position, either))
        self.assembly.below(served - total(parts))
        return served

    def _hold_slides(self, space: int, level: int, position: int) -> None:
        """A loop along which a tile slides is the first that moves it."""
        moving = self.orders.first_moving(space, level - 1)
        for term, (group, _) in enumerate(self.structure.spaces[space].boxes[position]):
            columns = self.windows.columns.get((space, level - 1, position), [])
            slides = total(column.binary for column in columns if column.slides == term)
            if not slides.vanishes:
                self.assembly.below(slides - moving[group])
