"""Tiles of data spaces with strides and halos: their boxes, and what a sliding tile fetches.

Along an axis with two moving terms (p·stride + r·dilation) a tile's extent is no product of factors. One binary for
every pair of tile sizes makes it exact; further binaries say that the tile slides:

mode 0      every move fetches the whole box
slide       loop 1, the innermost temporal loop above the tile, advances along the axis by `step` < extent. A move
            fetches `step` new words where its displacement equals loop 1's, and the whole box otherwise; of N
            iterations at least one is whole: (extent + (N − 1)·step) / N words a move
rest        loop 1 is idle, and the displacements of two outer loops cancel: such a move fetches nothing. The first
            loop that moves the tile does fetch, so that at least half of the moves cost a whole box

Source of the law: dse.model.temporal. N is the largest product of bounds of loops whose displacement can equal
loop 1's, so that no mapping fetches less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import product

from dse.integers import divisors, exponent
from dse.proof.decisions import Decisions
from dse.proof.displacements import chains, resting_share
from dse.proof.forms import ZERO, Form, constant, total
from dse.proof.orders import Orders
from dse.proof.structure import Axis

__all__ = ["Column", "Windows", "resting_gain"]

MOST_COLUMNS = 500
"""More pairs of tile sizes than this on an axis: bounded from below instead of enumerated."""


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One choice for an axis at a level: tile sizes (one a term), extent and fetch in log2 words, and its binary.

    `slides`: position of the term along which the tile slides (−1: it does not); `spread` its spatial factor between
    the tile and loop 1; `chains`: loops of the other term go on as loop 1 does. `rests`: mode rest.
    """

    sizes: tuple[int, ...]
    log_extent: float
    log_fetch: float
    binary: Form
    slides: int = -1
    spread: int = 1
    rests: bool = False
    chains: bool = False

    @property
    def pair(self) -> tuple[int, int]:
        """The tile sizes of an axis of two terms."""
        first, second = self.sizes
        return first, second


def resting_gain(axis: Axis, bounds: tuple[int, ...], sizes: tuple[int, ...], first: int) -> float:
    """log2 of how many times fewer moves fetch, at most, where loops outside a tile bring it back to where it stood.

    Along a two-term axis; the first loop that moves the tile belongs to the term of that position.
    """
    left = (bounds[0] // sizes[0], bounds[1] // sizes[1])
    return -math.log2(1.0 - resting_share(left, (axis[0][1] * sizes[0], axis[1][1] * sizes[1]), first))


class Windows:
    """Boxes and fetches of every data space with strides or halos, at every level that keeps it.

    `box`, `fetch`: log2 of the words of a tile, and of a mean move, over the product of the tile's sizes.
    """

    def __init__(self, decisions: Decisions, orders: Orders) -> None:
        self.decisions, self.orders = decisions, orders
        self.structure, self.assembly = decisions.structure, decisions.assembly
        self.box: dict[tuple[int, int], Form] = {}
        self.fetch: dict[tuple[int, int], Form] = {}
        self.columns: dict[tuple[int, int, int], list[Column]] = {}
        for space, own in enumerate(self.structure.spaces):
            for child in self.structure.kept_levels[space]:
                if own.boxes and child < self.structure.levels - 1:
                    moves = child != self.structure.kept_levels[space][-1]
                    self._add_tile(space, child, moves)

    def _bounds(self, axis: Axis) -> tuple[int, ...]:
        return tuple(self.structure.groups[group].bound for group, _ in axis)

    def _add_tile(self, space: int, child: int, moves: bool) -> None:
        own = self.structure.spaces[space]
        sizes = total(
            self.decisions.log_inside(group, child) for group in sorted({g for axis in own.boxes for g, _ in axis})
        )
        box, fetch = -sizes, -sizes
        rests = False
        for position, axis in enumerate(own.boxes):
            choices = math.prod(len(divisors(bound)) for bound in self._bounds(axis))
            if own.tangled or len(axis) > 2 or choices > MOST_COLUMNS:
                extent = self._loose_extent(axis, child)
                box, rests = box + extent, rests or len(axis) > 1
                if len(axis) == 1 and not own.tangled:
                    fetch = fetch + extent
                continue
            columns = self._make_columns(space, child, position, axis, moves)
            self.columns[space, child, position] = columns
            box = box + total(column.binary * column.log_extent for column in columns)
            fetch = fetch + total(column.binary * column.log_fetch for column in columns)
        if rests and self.structure.idle(space):
            fetch = fetch - 1.0
        self.box[space, child] = box
        if moves:
            self.fetch[space, child] = fetch
            self._gate_modes(space, child)

    def _loose_extent(self, axis: Axis, child: int) -> Form:
        """log2 of an extent of which only is known that no term exceeds it. A move fetches one word of it or more."""
        extent = self.assembly.real(0.0, 64.0)
        for group, _ in axis:
            self.assembly.below(self.decisions.log_inside(group, child) - extent)
        return extent

    def _make_columns(self, space: int, child: int, position: int, axis: Axis, moves: bool) -> list[Column]:
        bounds = self._bounds(axis)
        columns: list[Column] = []
        for sizes in product(*(divisors(bound) for bound in bounds)):
            extent = self.structure.extent(axis, sizes)
            whole = math.log2(extent)
            columns.append(Column(sizes, whole, whole, self.assembly.whole()))
            if moves and len(axis) == 2:
                columns += self._slides(child, axis, bounds, sizes, extent)
                gain = max(resting_gain(axis, bounds, sizes, first) for first in (0, 1))
                if self.structure.idle(space) and gain:
                    columns.append(Column(sizes, whole, whole - gain, self.assembly.whole(), rests=True))
        self.assembly.equal(total(column.binary for column in columns) - 1.0)
        for row, factor in enumerate(self.structure.factors):
            for term, (group, _) in enumerate(axis):
                if factor.group == group:
                    inside = total(c.binary * float(exponent(c.sizes[term], factor.prime)) for c in columns)
                    self.assembly.equal(inside - self.decisions.number_inside(row, child))
        return columns

    def _slides(
        self, child: int, axis: Axis, bounds: tuple[int, ...], sizes: tuple[int, ...], extent: int
    ) -> list[Column]:
        """The columns of a tile that slides along either term."""
        result: list[Column] = []
        reach = self.structure.fans[child + 1]
        for own, other in ((0, 1), (1, 0)):
            left, left_other = bounds[own] // sizes[own], bounds[other] // sizes[other]
            for spread in divisors(left):
                step = axis[own][1] * sizes[own] * spread
                if spread > reach or spread == left or step >= extent:
                    continue
                iterations = left // spread
                counts = [iterations]
                if chains((iterations, left_other), (step, axis[other][1] * sizes[other]), 0):
                    counts.append(iterations * left_other)
                for count in counts:
                    fetch = (extent + (count - 1) * step) / count
                    binary = self.assembly.whole()
                    mode = Column(sizes, math.log2(extent), math.log2(fetch), binary, own, spread)
                    result.append(replace(mode, chains=count > iterations))
        return result

    def _gate_modes(self, space: int, child: int) -> None:
        """Say what each mode needs; a tile is in one of them at a time."""
        structure, assembly, decisions = self.structure, self.assembly, self.decisions
        modes: list[Form] = []
        resting: list[Form] = []
        for position, axis in enumerate(structure.spaces[space].boxes):
            columns = self.columns.get((space, child, position), [])
            resting += [column.binary for column in columns if column.rests]
            for term, (group, _) in enumerate(axis):
                mine = [column for column in columns if column.slides == term]
                if not mine:
                    continue
                slides = total(column.binary for column in mine)
                modes.append(slides)
                assembly.below(slides - self.orders.first_loop([group], space, child))
                if structure.fans[child + 1] > 1:
                    most = math.log2(structure.fans[child + 1] + 0.5)
                    spread = total(column.binary * math.log2(column.spread) for column in mine)
                    assembly.below(decisions.log_spatial(group, child + 1) - spread + slides * most - most)
            chained = [column.binary for column in columns if column.chains]
            if chained:
                assembly.below(total(chained) - self.orders.meet(space, child, [group for group, _ in axis]))
        if resting:
            rest = total(resting)
            modes.append(rest)
            assembly.below(rest - self.orders.first_loop(structure.idle(space), space, child))
            for position, axis in enumerate(structure.spaces[space].boxes):
                own = [c.binary for c in self.columns.get((space, child, position), []) if c.rests]
                if own:
                    assembly.below(total(own) - self.orders.meet(space, child, [group for group, _ in axis]))
        if modes:
            assembly.below(total(modes) - constant(1.0))

    def tile(self, space: int, level: int) -> Form:
        """log2 of the words of a data space's tile at a level that keeps it."""
        relevant = sorted(self.structure.spaces[space].relevant)
        if level == self.structure.levels - 1:
            words = self.structure.problem.words(self.structure.problem.shape.data_spaces[space])
            return constant(math.log2(words))
        plain = total(self.decisions.log_inside(group, level) for group in relevant)
        return plain + self.box.get((space, level), ZERO)
