"""Mappings that cost the same up to names: only one of each pair stays in the program."""

from __future__ import annotations

from itertools import combinations

from dse.proof.decisions import Decisions
from dse.proof.forms import Form, total
from dse.proof.structure import Slot, Structure

__all__ = ["break_symmetries", "exchanges"]


def exchanges(structure: Structure) -> list[tuple[tuple[int, int], ...]]:
    """Pairs of groups whose exchange (all pairs at once) leaves every data space as it is: P ↔ Q with R ↔ S."""

    def signature(swap: dict[int, int]) -> list[tuple[frozenset[int], list[tuple[tuple[int, int], ...]]]]:
        return [
            (
                frozenset(swap.get(group, group) for group in own.relevant),
                sorted(tuple(sorted((swap.get(group, group), weight) for group, weight in axis)) for axis in own.boxes),
            )
            for own in structure.spaces
        ]

    groups = range(len(structure.groups))
    alike = [
        (a, b)
        for a, b in combinations(groups, 2)
        if structure.groups[a].bound == structure.groups[b].bound
        and len(structure.groups[a].dimensions) == len(structure.groups[b].dimensions) == 1
    ]
    plain = signature({})
    candidates: list[tuple[tuple[int, int], ...]] = [(pair,) for pair in alike]
    candidates += [(one, two) for one, two in combinations(alike, 2) if not set(one) & set(two)]
    candidates += [(one, two[::-1]) for one, two in combinations(alike, 2) if not set(one) & set(two)]
    return [
        pairs for pairs in candidates if signature({a: b for pair in pairs for a, b in (pair, pair[::-1])}) == plain
    ]


def break_symmetries(decisions: Decisions) -> None:
    """For one exchange, demand that the first group of its largest pair stands further inside.

    A weighted count of prime factors orders the two; the weights tell (almost) all slots apart. Since it holds of one
    of the two mappings that the exchange turns into each other, no cost is lost.
    """
    structure = decisions.structure
    found = exchanges(structure)
    if not found or structure.loops:
        return
    pairs = found[0]
    first, second = max(pairs, key=lambda pair: structure.groups[pair[0]].bound)
    weights: dict[Slot, float] = {}
    for slot in structure.slots:
        depth = structure.levels - 1 - slot.level
        if slot.kind == "t" and depth < 2:
            weights[slot] = 10.0**-depth
        elif slot.kind != "t":
            weights[slot] = 0.01 * 2.0**-slot.level * (1.0 if slot.kind == "x" else 0.7)

    def weighted(group: int) -> Form:
        return total(
            decisions.counts[row, slot] * (weight * factor.prime)
            for row, factor in enumerate(structure.factors)
            if factor.group == group
            for slot, weight in weights.items()
        )

    decisions.assembly.below(weighted(second) - weighted(first))
