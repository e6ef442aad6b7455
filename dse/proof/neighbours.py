"""Which neighbours the children of a fan-out have, and when their tiles may be of use."""

from __future__ import annotations

from dse.proof.decisions import Decisions
from dse.proof.forms import Form, total
from dse.proof.orders import Orders

__all__ = ["Neighbours"]


class Neighbours:
    """Forms that say what a child's neighbour may hold, whatever the order of the spatial loops."""

    def __init__(self, decisions: Decisions, orders: Orders) -> None:
        self.decisions, self.orders = decisions, orders
        self.structure, self.assembly = decisions.structure, decisions.assembly
        self._ways: dict[int, list[dict[int, Form]]] = {}
        self._leading: dict[tuple[int, int], dict[int, Form]] = {}

    def along(self, level: int, groups: list[int]) -> Form:
        """How many ways to a neighbour of this fan-out lead along one of the groups.

        A neighbour stands at a distance of one in the linear index, or of one row of the mesh. The index that changes
        (for a data space, the one that matters) belongs to one group for each way.
        """
        if level not in self._ways:
            ways = 1 + (min(self.structure.fanouts[level]) > 1)  # a mesh of one column has one row's neighbours
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
        ways = self.along(level, sorted(self.structure.idle(space)))
        own = self.structure.spaces[space]
        if own.tangled:
            return ways + self.along(level, sorted(own.relevant))
        for position in own.windows:
            groups = [group for group, _ in own.boxes[position]]
            wraps = self.assembly.real(0.0, 1.0)
            self.assembly.below(wraps - self.along(level, groups))
            for group in groups if len(groups) == 2 else ():
                self.assembly.below(wraps - self.decisions.number_spatial(group, level))
            ways = ways + wraps
        return ways

    def leading(self, space: int, level: int) -> dict[int, Form]:
        """Per group that moves a data space, a form ≤ 1 that can be 1 only if neighbours may serve its first moves.

        The group's loop is the innermost that moves the tile. Above a level it is the innermost of all: after a loop
        that leaves the tile in place, neighbours have fetched nothing. Operands are drawn again at every step.
        """
        if level == 0:
            return self.orders.first_moving(space, -1)
        if (space, level) not in self._leading:
            led: dict[int, Form] = {}
            for group in sorted(self.structure.spaces[space].relevant):
                led[group] = self.assembly.real(0.0, 1.0)
                self.assembly.below(led[group] - self.orders.first_loop([group], space, level - 1))
            self.assembly.below(total(led.values()) - 1.0)
            self._leading[space, level] = led
        return self._leading[space, level]
