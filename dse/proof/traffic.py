"""Words that move, as exponentials of linear forms: what energy and bandwidths are charged for.

Every Charge is log2 of a number of words over all instances, never above what Timeloop counts (dse.model.traffic) for
any mapping of the mapspace. Per data space and pair of levels (child, parent) that keep it, with none between:

    fills of the child      data · (idle loops outside the child) / saved
    reads of the parent     those fills / multicast over the fan-outs between
    reads below the innermost level that keeps it: one an operation / multicast

A result's tile that is visited ν times is updated at every visit and read at every visit but the first: with `content`
words arriving from below, reads + updates = content · (2 − 1/ν).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

from dse.proof.decisions import Decisions
from dse.proof.forms import ZERO, Form, constant, total
from dse.proof.links import Links, Saving
from dse.proof.orders import Orders
from dse.proof.sharing import Sharing
from dse.proof.windows import Windows

__all__ = ["Charge", "Traffic"]

_NOTHING = -60.0  # log2 of a number of words that counts as none


@dataclass(frozen=True, slots=True, eq=False)
class Charge:
    """2^words words at a level. `roles` says what they cost.

    reads, fills, updates: accesses of one kind; accesses: of any, where all cost the same; address: an address
    generation; read, write, both: a part of the bandwidth of that name.
    """

    level: int
    words: Form
    roles: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class _Visits:
    """log2 of 2 − 1/ν and of 1 − 1/ν, from below, where ν is how often a tile is visited."""

    twice_but_first: Form
    but_first: Form


class Traffic:
    """All charges of a program."""

    def __init__(self, decisions: Decisions, orders: Orders, windows: Windows, sharing: Sharing, links: Links) -> None:
        self.decisions, self.orders, self.windows = decisions, orders, windows
        self.sharing, self._links = sharing, links
        self.structure, self.assembly = decisions.structure, decisions.assembly
        self.charges: list[Charge] = []
        self.savings: dict[tuple[int, int], list[Saving]] = {}
        """Per data space and level that keeps it (−1: MACs), what neighbours save of the words that enter it."""
        self.returns: dict[tuple[int, int], Form] = {}
        """Per result and level that keeps it, log2 of 2 − 1/ν, ν the visits of the tiles below."""
        for space, own in enumerate(self.structure.spaces):
            if own.read_write:
                self._charge_result(space)
            else:
                self._charge_operand(space)

    def _charge(self, level: int, words: Form, *roles: str) -> None:
        self.charges.append(Charge(level, words, frozenset(roles)))

    # ---- fills and reads

    def _fills(self, space: int, child: int) -> Form:
        """log2 of the words that enter all tiles at a level."""
        structure, decisions = self.structure, self.decisions
        idle = sorted(structure.idle(space))
        outside = range(child + 1, structure.levels)
        data = decisions.log_bound(structure.spaces[space].relevant)
        loops = decisions.sum_temporal(idle, outside) + decisions.sum_spatial(idle, outside)
        fetch = self.windows.fetch.get((space, child), ZERO)
        return loops + data - self.orders.saved(space, child) + fetch

    def _resting_operands(self, space: int) -> Form:
        """log2 of how many times fewer operands the MACs draw because an unmoved one comes from a neighbour."""
        idle = self.structure.idle(space)
        top = self.decisions.log_bound(idle)
        if self.structure.fans[0] == 1 or not top:
            return ZERO
        resting = self.assembly.real(0.0, top)
        self.assembly.below(resting - self.orders.saved(space, -1))
        self.assembly.below(resting - self.sharing.neighbours.unmoved(space, 0) * top)
        return resting

    def _operands(self, space: int, resting: Form) -> Form:
        """log2 of the accesses of the innermost level that keeps a data space, for the MACs."""
        innermost = self.structure.kept_levels[space][0]
        links = self._links.gain(space, 0)
        saved = [] if links is None else [links]
        if not resting.vanishes:
            saved.append(Saving(resting, 1.0))  # an idle loop makes two iterations or more
        self.savings[space, -1] = saved
        drawn = constant(math.log2(self.structure.problem.macs)) - total(saving.log_words for saving in saved)
        return drawn - self.sharing.shared(space, -1, innermost)

    def crossing(self, space: int, level: int) -> tuple[int, Form]:
        """(child that the network below a level leads to, log2 of the words it would carry without help of neighbours).

        The level stands at or inside the outermost one that keeps the data space; the child is −1 for the MACs.
        """
        child = max((kept for kept in self.structure.kept_levels[space] if kept < level), default=-1)
        words = constant(math.log2(self.structure.problem.macs)) if child < 0 else self._fills(space, child)
        return child, words - self.sharing.shared(space, child, level)

    def _charge_operand(self, space: int) -> None:
        kept = self.structure.kept_levels[space]
        self._charge(kept[0], self._operands(space, self._resting_operands(space)), "reads", "address", "read", "both")
        for child, parent in pairwise(kept):
            links = self._links.gain(space, child + 1)
            self._charge(child, self._enter(space, child, links), "fills", "address", "write", "both")
            self._charge(parent, self._leave(space, child, parent, links), "reads", "address", "read", "both")

    def _enter(self, space: int, child: int, links: Saving | None) -> Form:
        """log2 of the words that fill all tiles at a level, as Timeloop counts them.

        It divides what the children of one instance hand on by all children there are: with more than one such
        instance, a part of it is in nobody's fills.
        """
        fills = self._fills(space, child)
        if links is not None and math.prod(self.structure.fans[child + 2 :]) > 1:
            fills = fills - links.log_words
        return fills

    def _leave(self, space: int, child: int, parent: int, links: Saving | None) -> Form:
        """log2 of the words that pass between a level and the next outer one that keeps the data space, there."""
        words = self._fills(space, child) - self.sharing.shared(space, child, parent)
        if links is None:
            return words
        self.savings[space, child] = [links]
        return words - links.log_words

    # ---- results

    def _charge_result(self, space: int) -> None:
        structure = self.structure
        kept = structure.kept_levels[space]
        plain = not structure.spaces[space].boxes
        resting = self._resting_operands(space)
        content = self._operands(space, resting)
        visits: _Visits | None = None
        innermost = kept[0]
        if plain and (len(kept) == 1 or structure.bandwidths[innermost][0] or not structure.alike[innermost]):
            visits = self._visits(space, -1, resting)
        for position, level in enumerate(kept):
            alike = ("accesses", "both") if structure.alike[level] else ("both",)
            fills: Form | None = None
            own: _Visits | None = None
            self._charge(level, content, "write", "address", *(() if structure.alike[level] else ("updates",)))
            if visits is not None:
                self._charge(level, content + visits.but_first, "read", *(() if structure.alike[level] else ("reads",)))
            links: Saving | None = None
            if position + 1 < len(kept):
                links = self._links.gain(space, level + 1)
                fills = self._enter(space, level, links)
                own = self._visits(space, level, self.orders.saved(space, level)) if plain else None
                self._charge(level, fills, "write", "address", *(() if structure.alike[level] else ("fills",)))
            if position == 0 and own is not None and fills is not None:
                # reads = content − partition, and the partitions hold the first visit of every tile: fills / ν
                self._charge(level, content + 1.0, *alike)
                self._charge(level, fills + own.but_first, *alike)
            else:
                self._charge(level, content + (ZERO if visits is None else visits.twice_but_first), *alike)
                if fills is not None:
                    self._charge(level, fills, *alike)
            self.returns[space, level] = ZERO if visits is None else visits.twice_but_first
            if position + 1 < len(kept):
                content = self._leave(space, level, kept[position + 1], links)
                visits = own

    def _visits(self, space: int, child: int, saved: Form) -> _Visits:
        """Functions of ν, the idle temporal loops outside a tile less those over which it stays in place."""
        idle = sorted(self.structure.idle(space))
        visits = self.decisions.sum_temporal(idle, range(child + 1, self.structure.levels)) - saved
        top = self.decisions.log_bound(idle)
        twice, but_first = self.decisions.chords(visits, top, (_twice_but_first, _but_first))
        return _Visits(twice, but_first)


def _twice_but_first(log_visits: float) -> float:
    return math.log2(2.0 - 2.0**-log_visits)


def _but_first(log_visits: float) -> float:
    return math.log2(1.0 - 2.0**-log_visits) if log_visits > 0 else _NOTHING
