"""What a program decides: how many of each prime factor go to which loop nest; and logarithms of their products."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import numpy as np

from dse.integers import exponent
from dse.proof.forms import Assembly, Form, constant, total
from dse.proof.structure import Slot, Structure
from dse.specification.mapspace import LoopConstraint

__all__ = ["Decisions"]

_KNOTS = (1.0, math.log2(3.0), 2.0, 3.0, 5.0, 8.0)  # of logarithms to base 2


class Decisions:
    """The counts of a program as forms. `log_*` are logarithms to base 2, `number_*` counts of prime factors."""

    def __init__(self, structure: Structure, assembly: Assembly) -> None:
        self.structure = structure
        self.assembly = assembly
        self.counts = {
            (row, slot): assembly.whole(self._most(row, slot))
            for row in range(len(structure.factors))
            for slot in structure.slots
        }
        for row, factor in enumerate(structure.factors):
            assembly.equal(total(self.counts[row, slot] for slot in structure.slots) - factor.multiplicity)
        self._logs: dict[tuple[int, Slot], Form] = {}
        self._numbers: dict[tuple[int, Slot], Form] = {}
        for slot in structure.slots:
            for group in range(len(structure.groups)):
                own = [(row, f) for row, f in enumerate(structure.factors) if f.group == group]
                self._logs[group, slot] = total(self.counts[row, slot] * math.log2(f.prime) for row, f in own)
                self._numbers[group, slot] = total(self.counts[row, slot] for row, _ in own)
        self._along_y: dict[tuple[int, int], Form] = {}  # (group, level) of a 2-D mesh: where it may lie along Y
        self._limit_fanouts()
        for constraint in structure.loops:
            self._hold_to(constraint)
        self.instances = [
            total(self.log_spatial(group, level) for group in self._all for level in range(own + 1, structure.levels))
            for own in range(structure.levels)
        ]

    @property
    def _all(self) -> range:
        return range(len(self.structure.groups))

    def _fanout(self, slot: Slot) -> int:
        return self.structure.fanouts[slot.level][0 if slot.kind == "x" else 1]

    def _most(self, row: int, slot: Slot) -> int:
        """The largest count of a factor that a slot can take."""
        factor = self.structure.factors[row]
        most = factor.multiplicity
        while slot.kind != "t" and most and factor.prime**most > self._fanout(slot):
            most -= 1
        return most

    def _limit_fanouts(self) -> None:
        structure, assembly = self.structure, self.assembly
        for slot in structure.slots:
            if slot.kind != "t":  # half an instance more: a whole product exceeds the one if and only if the other
                unrolled = total(self._logs[group, slot] for group in self._all)
                assembly.below(unrolled - math.log2(self._fanout(slot) + 0.5))
        # A permutation names a dimension once, so that it is unrolled along one axis of a 2-D mesh only.
        for level, (fan_x, fan_y) in enumerate(structure.fanouts):
            if fan_x > 1 and fan_y > 1:
                for group in self._all:
                    along_y = self._along_y[group, level] = assembly.whole()
                    for row, factor in enumerate(structure.factors):
                        if factor.group == group:
                            top = factor.multiplicity
                            assembly.below(self.counts[row, Slot(level, "x")] + along_y * top - top)
                            assembly.below(self.counts[row, Slot(level, "y")] - along_y * top)

    def _hold_to(self, constraint: LoopConstraint) -> None:
        """The mapspace's factors, limits and axes of one loop nest. Orders are held to elsewhere."""
        structure, assembly = self.structure, self.assembly
        level = constraint.level
        slots = self._spatial_slots(level) if constraint.spatial else [Slot(level, "t")]
        rooms = constraint.rooms() if constraint.spatial else None
        crowds: dict[str, list[Form]] = {"x": [], "y": []}
        for group in self._all:
            ((dimension,), bound) = structure.groups[group].dimensions, structure.groups[group].bound
            least, largest = constraint.range_of(dimension, bound)
            own = [(row, factor) for row, factor in enumerate(structure.factors) if factor.group == group]
            if least > largest or (least > 1 and (not slots or bound % least)):
                assembly.below(constant(1.0))  # a contradiction, or a factor that does not divide
                continue
            if least == largest:
                for row, factor in own:
                    placed = total(self.counts[row, slot] for slot in slots)
                    assembly.equal(placed - float(exponent(least, factor.prime)))
            elif largest < bound:
                assembly.below(total(self._logs[group, slot] for slot in slots) - math.log2(largest + 0.5))
            for slot in slots if constraint.spatial else ():
                if constraint.axis_of(dimension) not in (None, slot.kind):
                    assembly.below(self._numbers[group, slot])
                if rooms is not None and dimension not in constraint.permutation:
                    lies = assembly.whole()
                    assembly.below(self._numbers[group, slot] - lies * self.factors_of([group]))
                    crowds[slot.kind].append(lies)
        for kind, room in zip("xy", rooms or (), strict=False):
            assembly.below(total(crowds[kind]) - float(room))
        if constraint.spatial and constraint.split is None and len(slots) == 2:
            self._hold_to_axes(constraint)

    def _hold_to_axes(self, constraint: LoopConstraint) -> None:
        """What follows a dimension along Y in the spatial order lies along Y as well, wherever X ends."""
        group_of = {own.dimensions[0]: group for group, own in enumerate(self.structure.groups)}
        first = [group_of[dimension] for dimension in constraint.permutation if dimension in group_of]
        rest = [group for group in self._all if group not in first]
        for before, after in (*pairwise(first), *((first[-1], group) for group in rest if first)):
            level = constraint.level
            self.assembly.below(self._along_y[before, level] - self._along_y[after, level])

    # ---- forms

    def _spatial_slots(self, level: int) -> list[Slot]:
        return [slot for slot in self.structure.slots if slot.level == level and slot.kind != "t"]

    def log_temporal(self, group: int, level: int) -> Form:
        return self._logs[group, Slot(level, "t")]

    def log_spatial(self, group: int, level: int) -> Form:
        return total(self._logs[group, slot] for slot in self._spatial_slots(level))

    def number_temporal(self, group: int, level: int) -> Form:
        return self._numbers[group, Slot(level, "t")]

    def number_spatial(self, group: int, level: int) -> Form:
        return total(self._numbers[group, slot] for slot in self._spatial_slots(level))

    def log_inside(self, group: int, level: int) -> Form:
        """Extent of a group inside a level's tile."""
        return total(self._logs[group, slot] for slot in self.structure.slots if slot.level <= level)

    def number_inside(self, row: int, level: int) -> Form:
        """How many of a prime factor stand inside a level's tile."""
        return total(self.counts[row, slot] for slot in self.structure.slots if slot.level <= level)

    def sum_temporal(self, groups: Iterable[int], levels: range) -> Form:
        wanted = list(groups)
        return total(self.log_temporal(group, level) for group in wanted for level in levels)

    def sum_spatial(self, groups: Iterable[int], levels: range) -> Form:
        wanted = list(groups)
        return total(self.log_spatial(group, level) for group in wanted for level in levels)

    def log_bound(self, groups: Iterable[int]) -> float:
        """log2 of the product of some groups' bounds."""
        return sum(math.log2(self.structure.groups[group].bound) for group in groups)

    def factors_of(self, groups: Iterable[int]) -> int:
        """How many prime factors some groups have."""
        wanted = set(groups)
        return sum(factor.multiplicity for factor in self.structure.factors if factor.group in wanted)

    # ---- bounds on functions

    def chords(
        self, amount: Form, top: float, functions: Sequence[Callable[[float], float]], least: float = 1.0
    ) -> list[Form]:
        """Forms that bound concave functions of `amount` (0, or `least` and more, at most `top`) from below.

        A binary tells these from 0; above `least`, chords between fixed knots. The functions must not fall.
        """
        assembly = self.assembly
        if top < 1e-9:
            return [constant(function(0.0)) for function in functions]
        low = min(least, 1.0)
        knots = [low] * (low < 1.0) + [knot for knot in _KNOTS if knot < top - 1e-9] + [max(top, 1.0)]
        some = assembly.whole()
        reach = some * low
        values = [some * (function(low) - function(0.0)) + function(0.0) for function in functions]
        previous = some
        for index, (low, high) in enumerate(pairwise(knots)):
            part = assembly.real(0.0, high - low)
            if index == 0:
                assembly.below(part - some * (high - low))
            else:  # a part beyond a knot only where the one before it is full
                beyond = assembly.whole()
                assembly.below(part - beyond * (high - low))
                assembly.below(beyond * (low - knots[index - 1]) - previous)
            previous = part
            reach = reach + part
            values = [
                value + part * ((function(high) - function(low)) / (high - low))
                for value, function in zip(values, functions, strict=True)
            ]
        assembly.below(amount - some * top)
        assembly.below(amount - reach)
        return values

    def lift(self, bonus: Form, where: Form, points: Iterable[tuple[float, float]]) -> None:
        """Demand bonus ≤ the concave hull of the points at `where`."""
        hull: list[tuple[float, float]] = []
        for x, y in sorted(points):
            while hull and hull[-1][0] == x and hull[-1][1] <= y:
                hull.pop()
            while len(hull) > 1 and _turns_up(hull[-2], hull[-1], (x, y)):
                hull.pop()
            if not hull or hull[-1][0] < x:
                hull.append((x, y))
        for (x0, y0), (x1, y1) in pairwise(hull):
            slope = (y1 - y0) / (x1 - x0)
            if slope > 0:
                self.assembly.below(bonus - where * slope + (x0 * slope - y0))
        top = max(y for _, y in hull)
        self.assembly.below(bonus - constant(top))


def _turns_up(a: tuple[float, float], b: tuple[float, float], c: tuple[float, float]) -> bool:
    """Whether b lies on or below the line from a to c."""
    return bool(np.less_equal((b[1] - a[1]) * (c[0] - a[0]), (c[1] - a[1]) * (b[0] - a[0])))
