"""Words that neighbours hand on (link transfers, see dse.model.spatial), as bonuses: forms that no mapping exceeds.

A child whose fetch is what its neighbour on the mesh fetched at the step before is served by it. That needs a
displacement between two tiles equal to that of a move; and a fetch of the same shape as the one before: loop 1 right
after loop 1, or any move where no fetch is a part of a tile only.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import product

from dse.integers import divisors
from dse.proof.decisions import Decisions
from dse.proof.forms import ZERO, Form, total
from dse.proof.neighbours import Neighbours
from dse.proof.orders import Orders
from dse.proof.sharing import Pair, Sharing
from dse.proof.windows import Windows, resting_gain

__all__ = ["Links", "Saving"]

_ASIDE = math.log2(4 / 3)


@dataclass(frozen=True, slots=True, eq=False)
class Saving:
    """log2 of how many times fewer words pass, at most; where there is any, `log_words` may be `least` or more."""

    log_words: Form
    least: float


class Links:
    """What neighbours save at the fan-outs of a program."""

    def __init__(
        self, decisions: Decisions, orders: Orders, windows: Windows, neighbours: Neighbours, sharing: Sharing
    ) -> None:
        self.decisions, self.orders, self.windows = decisions, orders, windows
        self.neighbours, self.sharing = neighbours, sharing
        self.structure, self.assembly = decisions.structure, decisions.assembly

    def gain(self, space: int, level: int) -> Saving | None:
        """What a fan-out saves because neighbours hand on windows; None: they cannot.

        The child below must keep the data space, or be the MACs.
        """
        own = self.structure.spaces[space]
        if not own.windows or self.structure.fans[level] == 1:
            return None
        gains = [self._along_axis(space, level, position) for position in own.windows]
        gains.append(self._at_rest(space, level))
        possible = [gain for gain in gains if gain is not None]
        for position in own.windows if possible else ():
            self._hold_slides(space, level, position)
        if not possible:
            return None
        return Saving(total(saving.log_words for saving in possible), min(saving.least for saving in possible))

    def _along_axis(self, space: int, level: int, position: int) -> Saving | None:
        """Links along one axis, where the first loop that moves the tile moves it along the axis.

        If it moves along another one, a displacement along this axis alone needs loops that cancel there, of which the
        outer one advances at most once in four moves.
        """
        own = self.structure.spaces[space]
        groups = [group for group, _ in own.boxes[position]]
        assembly = self.assembly
        axis = self.sharing.axes.get((space, level, position))
        if axis is not None and not axis.gains.by_pair:
            return None
        most = math.log2(self.structure.fans[level]) + 1e-6
        if axis is not None:
            most = max(axis.gains.by_pair.values())
        gain = assembly.real(0.0, most)
        assembly.below(gain - self.neighbours.along(level, groups) * most)
        assembly.below(gain - total(self.decisions.log_spatial(group, level) for group in groups))
        leading = self.neighbours.leading(space, level)
        if not own.tangled:
            tops = [most] * len(groups)
            if axis is not None:
                tops = [max(table.by_pair.values(), default=0.0) for table in axis.gains_by_first]
            first = total(leading[group] * top for group, top in zip(groups, tops, strict=True))
            aside = [self._aside(space, level, other, groups) for other in own.windows if other != position]
            assembly.below(gain - first - total(aside))
        if axis is not None and axis.picked:
            assembly.below(gain - axis.at_pair(axis.gains))
            enumerated = (space, level - 1, position) in self.windows.columns
            if enumerated:
                assembly.below(gain - self.sharing.at_tile(space, level, position, axis.gains))
            for group, table in zip(groups, axis.gains_by_first, strict=True):
                assembly.below(gain - axis.at_pair(table) - (1.0 - leading[group]) * most)
                if enumerated:
                    at_tile = self.sharing.at_tile(space, level, position, table)
                    assembly.below(gain - at_tile - (1.0 - leading[group]) * most)
        tables = () if axis is None else (axis.gains, *axis.gains_by_first)
        return Saving(gain, min([_ASIDE, *(table.least for table in tables if table.by_pair)]))

    def _aside(self, space: int, level: int, position: int, groups: list[int]) -> Form:
        """What links along `groups` gain where the first loop moves the tile along another axis and is compensated."""
        own = self.structure.spaces[space]
        axis = [group for group, _ in own.boxes[position]]
        leading = self.neighbours.leading(space, level)
        part = self.assembly.real(0.0, 1.0)
        self.assembly.below(part - total(leading[group] for group in axis))
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
        return part * _ASIDE

    def _resting(self, space: int, level: int, position: int) -> list[dict[Pair, float]] | None:
        """What loops above the child gain that compensate each other along an axis, per first term and tile.

        None: not known, half of the moves at most.
        """
        own = self.structure.spaces[space]
        axis = own.boxes[position]
        if own.tangled or len(axis) > 2:
            return None
        bounds = (self.structure.groups[axis[0][0]].bound, self.structure.groups[axis[1][0]].bound)
        tiles = self.sharing.tiles(space, level, position) or product(divisors(bounds[0]), divisors(bounds[1]))
        reach = math.prod(self.structure.fans[level:])
        result: list[dict[Pair, float]] = [{}, {}]
        for tile in tiles:
            extent = self.structure.extent(axis, tile)
            for first in (0, 1):
                spread = max(d for d in divisors(bounds[first] // tile[first]) if d <= reach)
                gain = resting_gain(axis, bounds, tile, first)
                # Where the first loop leaves a part of the tile in place, only moves like its own match.
                if gain and (not level or axis[first][1] * tile[first] * spread >= extent):
                    result[first][tile] = gain
        return result

    def _at_rest(self, space: int, level: int) -> Saving | None:
        """A tile that loops return to where it stood is served by a child with the same."""
        own = self.structure.spaces[space]
        found = {position: self._resting(space, level, position) for position in own.windows}
        found = {position: gains for position, gains in found.items() if gains is None or any(gains)}
        if not found:
            return None
        served = self.assembly.real(0.0, 1.0)
        self.assembly.below(served - self.neighbours.unmoved(space, level))
        leading = self.neighbours.leading(space, level)
        if own.tangled:
            return Saving(served, 1.0)
        parts: list[Form] = []
        for position, gains in found.items():
            groups = [group for group, _ in own.boxes[position]]
            part = self.assembly.real(0.0, 1.0)
            parts.append(part)
            if gains is None:
                self.assembly.below(part - total(leading[group] for group in groups))
                continue
            most = [max(by_tile.values(), default=0.0) for by_tile in gains]
            self.assembly.below(part - total(leading[group] * gain for group, gain in zip(groups, most, strict=True)))
            self.assembly.below(part - self.orders.meet(space, level - 1, groups))
            columns = self.windows.columns.get((space, level - 1, position), [])
            for group, by_tile in zip(groups, gains, strict=True) if columns else ():
                at_tile = total(column.binary * by_tile.get(column.pair, 0.0) for column in columns)
                self.assembly.below(part - at_tile - (1.0 - leading[group]))
        self.assembly.below(served - total(parts))
        known = [gain for gains in found.values() for by_tile in gains or () for gain in by_tile.values()]
        return Saving(served, min([1.0, *known]))

    def _hold_slides(self, space: int, level: int, position: int) -> None:
        """A loop along which a tile slides is the first that moves it."""
        leading = self.neighbours.leading(space, level)
        for term, (group, _) in enumerate(self.structure.spaces[space].boxes[position]):
            columns = self.windows.columns.get((space, level - 1, position), [])
            slides = total(column.binary for column in columns if column.slides == term)
            if not slides.vanishes:
                self.assembly.below(slides + total(form for own, form in leading.items() if own != group) - 1.0)
