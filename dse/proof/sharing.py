"""Multicast: how many children of a fan-out hold equal tiles, so that one access serves them all.

Children that differ in idle groups only hold equal tiles. Along an axis with two terms, children of different indices
can hold equal tiles as well (`overlap`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

from dse.integers import divisors, exponent
from dse.proof.children import in_units, log_hop_loss, log_overlap, share_fetched
from dse.proof.decisions import Decisions
from dse.proof.displacements import displacements
from dse.proof.forms import ZERO, Form, total
from dse.proof.neighbours import Neighbours
from dse.proof.windows import Windows

__all__ = ["Pair", "Sharing", "Table"]

MOST_PAIRS = 120
Pair = tuple[int, int]
"""Spatial factors, or tile sizes, of the two terms of an axis."""


class Table:
    """The largest value for each pair of spatial factors, and for each tile; only what is above 0."""

    def __init__(self) -> None:
        self.by_pair: dict[Pair, float] = {}
        self.by_tile: dict[Pair, float] = {}
        self.smallest = math.inf
        """The least value above 0 of any pair with any tile, where the tables hold the largest."""

    @property
    def least(self) -> float:
        """The smallest entry of the tables. Raises ValueError where there is none."""
        return min((*self.by_pair.values(), *self.by_tile.values()))

    def add(self, pair: Pair, tile: Pair, value: float) -> None:
        if value > 0:
            self.smallest = min(self.smallest, value)
            self.by_pair[pair] = max(self.by_pair.get(pair, 0.0), value)
            self.by_tile[tile] = max(self.by_tile.get(tile, 0.0), value)


@dataclass(frozen=True, slots=True, eq=False)
class AxisSharing:
    """One axis of a data space at one fan-out: binaries for the pairs of spatial factors, and tables over them.

    `means`: the mean multicast. `gains` of links, whichever loop comes first; `gains_by_first`: where it is one of the
    first term, of the second. `hop_losses`: see `log_hop_loss`, the least of all tiles.
    """

    picked: dict[Pair, Form]
    means: Table
    gains: Table
    gains_by_first: tuple[Table, Table]
    hop_losses: dict[Pair, float]

    def at_pair(self, table: Table) -> Form:
        """The entry of a table at the pair of spatial factors."""
        return total(self.picked[pair] * value for pair, value in table.by_pair.items())


class Sharing:
    """Multicast of a program: bonuses, forms that no mapping exceeds."""

    def __init__(self, decisions: Decisions, windows: Windows, neighbours: Neighbours) -> None:
        self.decisions, self.windows, self.neighbours = decisions, windows, neighbours
        self.structure, self.assembly = decisions.structure, decisions.assembly
        self.axes: dict[tuple[int, int, int], AxisSharing] = {}
        self._overlaps: dict[tuple[int, int], Form] = {}
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

    def multicast(self, space: int, level: int) -> tuple[Form, float, Form]:
        """(log2 of the mean multicast at a fan-out, its least value above 0, log2 of what hops lose to its spread).

        Where the spread is not known, children with equal indices but for idle groups are all that is counted.
        """
        idle = self.decisions.sum_spatial(sorted(self.structure.idle(space)), range(level, level + 1))
        windows = self.structure.spaces[space].windows
        axes = [self.axes[space, level, p] for p in windows if (space, level, p) in self.axes]
        if len(axes) < len(windows) or any(axis.means.by_pair and not axis.picked for axis in axes):
            return idle, 1.0, ZERO
        overlaps = self._overlaps.get((space, level), ZERO)
        least = min([1.0, *(axis.means.smallest for axis in axes)])
        known = [axis for axis in axes if axis.picked]
        losses = total(axis.picked[pair] * loss for axis in known for pair, loss in axis.hop_losses.items())
        return idle + overlaps, least, losses

    def tiles(self, space: int, level: int, position: int) -> list[Pair] | None:
        """Tile sizes of the child below a fan-out, where they are enumerated."""
        if level == 0:
            return [(1, 1)]
        columns = self.windows.columns.get((space, level - 1, position))
        return None if columns is None else sorted({column.pair for column in columns})

    def at_tile(self, space: int, level: int, position: int, table: Table) -> Form:
        """The entry of a table at the child's tile; needs its columns."""
        columns = self.windows.columns[space, level - 1, position]
        return total(c.binary * table.by_tile[c.pair] for c in columns if c.pair in table.by_tile)

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
        tiles = self.tiles(space, level, position)
        every = tiles or list(product(divisors(bounds[0]), divisors(bounds[1])))
        weights = (axis[0][1], axis[1][1])
        pairs = [
            pair
            for pair in product(divisors(bounds[0]), divisors(bounds[1]))
            if pair[0] * pair[1] <= structure.fans[level]
        ]
        means, peaks, gains = Table(), Table(), Table()
        firsts = (Table(), Table())
        losses: dict[Pair, float] = {}
        reach = math.prod(structure.fans[level + 1 :])
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
                least = share_fetched(pair, plain, in_units(displacements(left, outer), unit), line=line)
                gain = -math.log2(least)
                later = in_units(displacements(left, outer, later=True), unit)
                others = share_fetched(pair, plain, later, line=line)
                extent = structure.extent(axis, tile) if level else 1
                for term in (0, 1):
                    shares = [1.0]
                    for gap in (d for d in divisors(left[term])[:-1] if d <= reach):
                        move = outer[term] * gap
                        own = share_fetched(pair, plain, in_units(frozenset({move}), unit), line=line)
                        if move < extent:  # the first loop leaves a part of the tile in place: only its moves match
                            shares.append(own)
                            continue
                        for bound in divisors(left[term] // gap)[1:]:  # one in so many moves is another loop's
                            shares.append(own + (others - own) / bound)
                    firsts[term].add(pair, tile, -math.log2(min(shares)))
                if structure.networked[level]:
                    loss = log_hop_loss(pair, plain, structure.fans[level])
                    losses[pair] = min(loss, losses.get(pair, 0.0))
                means.add(pair, tile, log_overlap(pair, plain, largest=False))
                gains.add(pair, tile, gain)
                if gain:
                    peaks.add(pair, tile, log_overlap(pair, plain, largest=True))
        bypassed = level > 0 and not structure.keep[level - 1][space]
        if not means.by_pair and not gains.by_pair:
            self.axes[space, level, position] = AxisSharing({}, means, gains, firsts, {})
            return ZERO
        if len(pairs) > MOST_PAIRS:
            self.axes[space, level, position] = AxisSharing({}, means, gains, firsts, {})
            return self._hulls(level, groups, peaks.by_pair if bypassed else means.by_pair)
        picked = self._pick(level, groups, pairs)
        self.axes[space, level, position] = AxisSharing(picked, means, gains, firsts, losses)
        bonus = total(picked[pair] * value for pair, value in means.by_pair.items())
        if level and means.by_pair:  # the tile of a MAC is one word, and the table exact
            bonus = self._at_most(bonus, means, None if tiles is None else (space, level, position))
        if bypassed and peaks.by_pair:
            bonus = bonus + self._uneven(space, level, picked, means, peaks)
        return bonus

    def _at_most(self, bonus: Form, table: Table, where: tuple[int, int, int] | None) -> Form:
        """A mean multicast of at most `bonus` and, where the child's tile is known, at most the table's entry there.

        It is free below, since it may be less than the largest of all tiles: more multicast is more hops a word.
        """
        limited = self.assembly.real(0.0, max(table.by_pair.values()))
        self.assembly.below(limited - bonus)
        if where is not None:
            self.assembly.below(limited - self.at_tile(*where, table))
        return limited

    def _uneven(self, space: int, level: int, picked: dict[Pair, Form], means: Table, peaks: Table) -> Form:
        """Below a bypassed child links save nothing, but what they leave may be the most shared tiles."""
        own = self.structure.spaces[space]
        excess = {pair: peak - means.by_pair.get(pair, 0.0) for pair, peak in peaks.by_pair.items()}
        most = max(excess.values())
        if most <= 0:
            return ZERO
        groups = sorted({group for position in own.windows for group, _ in own.boxes[position]})
        extra = self.assembly.real(0.0, most)
        self.assembly.below(extra - total(picked[pair] * value for pair, value in excess.items() if value > 0))
        self.assembly.below(extra - self.neighbours.along(level, groups) * most)
        leading = self.neighbours.leading(space, level)
        self.assembly.below(extra - total(leading[group] for group in groups) * most)
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
