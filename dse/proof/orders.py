"""Loop orders: which groups stand innermost at a level, and what that saves.

A tile stays in place while the innermost temporal loops above it do not move it. Of a level's order only the innermost
run of idle loops counts, for each data space: a class of orders says which groups may stand in that run.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations

from dse.proof.decisions import Decisions
from dse.proof.forms import Form, constant, total

__all__ = ["Orders", "order_classes"]

Runs = tuple[frozenset[int], ...]
"""Per data space, the groups that may stand in its innermost idle run."""


def order_classes(idle: Iterable[frozenset[int]]) -> tuple[Runs, ...]:
    """The undominated classes of orders; at least one.

    Sort the data spaces by the length of their runs in any given order of loops. The longest run holds groups that are
    idle for the first data space, the next (a part of it) such as are idle for the first two, and so on: a chain of
    data spaces gives each the intersection of the idle groups up to it. Every order is covered by some chain.
    """
    own = tuple(idle)
    found: set[Runs] = set()
    for chain in permutations(range(len(own))):
        runs: list[frozenset[int]] = [frozenset()] * len(own)
        common = frozenset().union(*own)
        for space in chain:
            common &= own[space]
            runs[space] = common
        found.add(tuple(runs))

    def dominated(runs: Runs) -> bool:
        return any(o != runs and all(a <= b for a, b in zip(runs, o, strict=True)) for o in found)

    return tuple(sorted((runs for runs in found if not dominated(runs)), key=lambda r: [sorted(run) for run in r]))


class Orders:
    """One class of orders a level, and forms of what the orders save."""

    def __init__(self, decisions: Decisions) -> None:
        self.decisions = decisions
        self.structure = structure = decisions.structure
        self.assembly = assembly = decisions.assembly
        self.classes = order_classes(structure.idle(space) for space in range(len(structure.spaces)))
        # The order of level 0 matters only where neighbouring MACs may hand on what the last operation used.
        first = 0 if structure.fans[0] > 1 else 1
        self.chosen = {
            (level, index): assembly.whole()
            for level in range(first, structure.levels)
            for index in range(len(self.classes))
        }
        for level in range(first, structure.levels):
            assembly.equal(total(self.chosen[level, index] for index in range(len(self.classes))) - 1.0)
        self._clear: dict[tuple[int, frozenset[int]], Form] = {}
        self._saved: dict[tuple[int, int], Form] = {}
        self._present: dict[tuple[int, int], Form] = {}
        self._first_moving: dict[tuple[int, int], dict[int, Form]] = {}

    def clear(self, level: int, groups: Iterable[int]) -> Form:
        """A form ≤ 1 that can be 1 only if a level has no temporal loop of the groups."""
        wanted = frozenset(groups)
        if not wanted:
            return constant(1.0)
        if (level, wanted) not in self._clear:
            decisions = self.decisions
            binary = self.assembly.whole()
            most = decisions.factors_of(wanted)
            number = total(decisions.number_temporal(group, level) for group in sorted(wanted))
            self.assembly.below(number + binary * most - most)
            self._clear[level, wanted] = binary
        return self._clear[level, wanted]

    def passes(self, level: int, space: int) -> Form:
        """A binary that can be 1 only if no temporal loop of a level moves a data space."""
        return self.clear(level, self.structure.spaces[space].relevant)

    def meet(self, space: int, child: int, groups: Iterable[int], beside: Iterable[int] = ()) -> Form:
        """A form ≤ 1 that can be 1 only if loops of all the groups can compensate each other above `child`.

        Some loop of the groups then has, inside it and above `child`, a loop of every other group, and none that moves
        the data space but those of the groups and of the groups `beside` them.
        """
        wanted, decisions = sorted(groups), self.decisions
        others = self.structure.spaces[space].relevant - {*wanted, *beside}
        parts: list[Form] = []
        for level in range(child + 1, self.structure.levels):
            here = self.assembly.real(0.0, 1.0)
            self.assembly.below(here - total(decisions.number_temporal(group, level) for group in wanted))
            for group in wanted:
                within = range(child + 1, level + 1)
                self.assembly.below(here - total(decisions.number_temporal(group, inner) for inner in within))
            for between in range(child + 1, level) if others else ():
                self.assembly.below(here - self.clear(between, others))
            parts.append(here)
        return total(parts)

    def saved(self, space: int, child: int) -> Form:
        """log2 of how often a tile at level `child` (−1: an operand of a MAC) stays where the loops outside advance.

        Per level outside: at most its idle factors in the chosen run, and nothing unless all levels between pass.
        """
        if (space, child) not in self._saved:
            parts: list[Form] = []
            for level in range(child + 1, self.structure.levels):
                by_run: dict[frozenset[int], list[int]] = {}
                for index, runs in enumerate(self.classes):
                    by_run.setdefault(runs[space], []).append(index)
                for run, indices in by_run.items():
                    parts += self._saving(space, child, level, run, indices)
            self._saved[space, child] = total(parts)
        return self._saved[space, child]

    def _saving(self, space: int, child: int, level: int, run: frozenset[int], indices: list[int]) -> list[Form]:
        decisions, assembly = self.decisions, self.assembly
        top = decisions.log_bound(run)
        if not top:
            return []
        saving = assembly.real(0.0, top)
        assembly.below(saving - decisions.sum_temporal(sorted(run), range(level, level + 1)))
        if len(indices) < len(self.classes):
            assembly.below(saving - total(self.chosen[level, index] for index in indices) * top)
        for between in range(child + 1, level):
            assembly.below(saving - self.passes(between, space) * top)
        self._hold_to_order(saving, top, space, level, run)
        return [saving]

    def _hold_to_order(self, saving: Form, top: float, space: int, level: int, run: frozenset[int]) -> None:
        """In a fixed order, what stands outside one that moves the data space saves nothing.

        A binary for each such loop says that it is there.
        """
        decisions, structure = self.decisions, self.structure
        constraint = structure.mapspace.loop_constraint(level, spatial=False)
        group_of = {d: index for index, group in enumerate(structure.groups) for d in group.dimensions}
        inside: list[int] = []
        for dimension in constraint.permutation if constraint is not None else ():
            group = group_of.get(dimension)
            if group is None:
                continue
            if group in structure.idle(space):
                inside.append(group)
                continue
            if (level, group) not in self._present:
                present = self._present[level, group] = self.assembly.whole()
                number = decisions.number_temporal(group, level)
                self.assembly.below(number - present * decisions.factors_of([group]))
            ahead = decisions.sum_temporal([g for g in inside if g in run], range(level, level + 1))
            self.assembly.below(saving - ahead + self._present[level, group] * top - top)

    def first_loop(self, groups: Iterable[int], space: int, child: int) -> Form:
        """A form ≤ 1 that can be 1 only if the innermost temporal loop above `child` belongs to one of the groups.

        The groups either all move the data space, or all are idle for it.
        """
        decisions, assembly = self.decisions, self.assembly
        wanted = sorted(groups)
        parts: list[Form] = []
        for level in range(child + 1, self.structure.levels):
            here = assembly.real(0.0, 1.0)
            assembly.below(here - total(decisions.number_temporal(group, level) for group in wanted))
            # The innermost loop stands in the run of every data space for which it is idle.
            fitting = [
                index
                for index, runs in enumerate(self.classes)
                if any(
                    all(group in runs[v] for v in range(len(runs)) if group in self.structure.idle(v))
                    for group in wanted
                )
            ]
            if len(fitting) < len(self.classes):
                assembly.below(here - total(self.chosen[level, index] for index in fitting))
            for between in range(child + 1, level):
                assembly.below(here - self._empty(between, wanted, space))
            parts.append(here)
        return total(parts)

    def first_moving(self, space: int, child: int) -> dict[int, Form]:
        """Per group that moves a data space, a form ≤ 1 that can be 1 only if the group's loop moves it first.

        That is the innermost temporal loop above `child` that is not idle. At most one of the forms is 1.
        """
        key = (space, child)
        if key not in self._first_moving:
            forms: dict[int, Form] = {}
            for group in sorted(self.structure.spaces[space].relevant):
                parts: list[Form] = []
                for level in range(child + 1, self.structure.levels):
                    here = self.assembly.whole()
                    self.assembly.below(here - self.decisions.number_temporal(group, level))
                    for between in range(child + 1, level):
                        self.assembly.below(here - self.passes(between, space))
                    self._fit_class(here, group, level, space)
                    parts.append(here)
                forms[group] = total(parts)
            self.assembly.below(total(forms.values()) - 1.0)
            self._first_moving[key] = forms
        return self._first_moving[key]

    def _fit_class(self, here: Form, group: int, level: int, space: int) -> None:
        """Inside the first loop that moves `space` stand loops idle for it only: no run of others that it moves.

        Said where every class has a run for one data space alone, so that the class follows from the innermost loop.
        """
        owners = [[v for v, run in enumerate(runs) if run] for runs in self.classes]
        resting = [v for v in range(len(self.structure.spaces)) if group in self.structure.idle(v)]
        if any(len(own) > 1 for own in owners) or not resting or (level, 0) not in self.chosen:
            return
        fitting = [index for index, own in enumerate(owners) if not own or own[0] in (space, *resting)]
        if len(fitting) < len(owners):
            self.assembly.below(here - total(self.chosen[level, index] for index in fitting))

    def _empty(self, level: int, groups: list[int], space: int) -> Form:
        """A binary that is 1 wherever a level has no temporal loop at all: any `passes` that this implies."""
        resting = [v for v in range(len(self.structure.spaces)) if any(g in self.structure.idle(v) for g in groups)]
        return self.passes(level, resting[0] if resting else space)
