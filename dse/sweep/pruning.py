"""Leaving out what cannot enter the front: before a variant is scheduled, and while it is.

Why the front stays the same: docs/search.md. In short, a variant is left out where a complete variant is, in every
network of the study, at most as slow and as hungry as the *bounds* of the one left out, and better in one of the two.
Its figures are not below its bounds, so that this variant would beat it in every network and in their sum.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dse.specification.space import Variant
from dse.sweep.bounds import Bounds
from dse.sweep.plan import PlannedNetwork
from dse.sweep.strategies.protocol import LayerCost, NetworkCost, Pruning, VariantOutcome

__all__ = ["BoundPruner", "beats"]

_POINTS_A_STEP = 16  # what workers do between two looks at the variants of a wave
_SAMPLE = 8  # variants of the front that say on which layers bounds are far off

Floats = npt.NDArray[np.float64]


def beats(costs: Sequence[NetworkCost], bounds: Sequence[NetworkCost]) -> bool:
    """Whether costs are at most the bounds everywhere and, in every network, below one of them."""
    return all(
        cost.latency_cycles <= bound.latency_cycles
        and cost.energy_pj <= bound.energy_pj
        and (cost.latency_cycles < bound.latency_cycles or cost.energy_pj < bound.energy_pj)
        for cost, bound in zip(costs, bounds, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Member:
    """A complete variant that no other one beats: its costs, and those of each problem."""

    number: int
    costs: tuple[NetworkCost, ...]
    problems: tuple[LayerCost, ...]


class BoundPruner:
    """Compares bounds, then bounds with actual figures in the place of those that are known, with the front so far."""

    def __init__(self, bounds: Bounds, networks: Sequence[PlannedNetwork]) -> None:
        self._bounds = bounds
        self._counts = np.zeros((len(networks), len(bounds.problems)), np.int64)
        for row, network in enumerate(networks):
            for layer in network.layers:
                self._counts[row, layer.problem] += layer.count
        self._front: list[_Member] = []
        self._of_wave: dict[int, list[LayerCost]] = {}

    def prune(self, variants: Sequence[Variant]) -> Mapping[int, Pruning]:
        """The variants of a wave to leave out before anything of them is scheduled."""
        self._of_wave = {variant.number: self._bounds.layers(variant) for variant in variants} if self._front else {}
        return self._beaten({number: {} for number in self._of_wave})

    def steps(self, variants: int) -> list[list[int]]:
        """The problems in the order in which a wave of so many variants schedules them, a list for each step.

        First come those on which the front's costs have been furthest above their bounds: they tell most.
        """
        problems = list(range(len(self._bounds.problems)))
        if not self._front:
            return [problems]
        excess = self._excess()
        problems.sort(key=lambda problem: (-excess[problem], problem))
        size = max(1, -(-_POINTS_A_STEP // variants))
        return [problems[start : start + size] for start in range(0, len(problems), size)]

    def abandon(self, known: Mapping[int, Mapping[int, LayerCost]]) -> Mapping[int, Pruning]:
        """Which variants to leave unfinished, from what some of their problems cost (number -> problem -> cost)."""
        return self._beaten({number: costs for number, costs in known.items() if number in self._of_wave})

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        """Take in the complete variants of a wave."""
        for outcome in outcomes:
            if outcome.status == "complete" and not any(beats(own.costs, outcome.networks) for own in self._front):
                self._front = [own for own in self._front if not beats(outcome.networks, own.costs)]
                self._front.append(_Member(outcome.number, outcome.networks, outcome.problems))
        self._front.sort(key=lambda own: (*((cost.latency_cycles, cost.energy_pj) for cost in own.costs), own.number))

    def _excess(self) -> Floats:
        """Per problem, how far costs are above their bounds, as a share of what its networks cost, over some variants.

        Those are spread over the front, so that they follow from the front alone.
        """
        places = np.linspace(0, len(self._front) - 1, min(_SAMPLE, len(self._front))).round().astype(int)
        excess = np.zeros(len(self._bounds.problems))
        for member in (self._front[place] for place in places):
            bounds = self._bounds.layers(self._bounds.variant(member.number))
            for kind in ("latency_cycles", "energy_pj"):
                costs = np.array([getattr(own, kind) for own in member.problems], np.float64)
                above = costs - np.array([getattr(own, kind) for own in bounds], np.float64)
                excess += (self._counts * above / (self._counts @ costs)[:, None]).sum(axis=0)
        return excess

    def _beaten(self, known: Mapping[int, Mapping[int, LayerCost]]) -> dict[int, Pruning]:
        found: dict[int, Pruning] = {}
        for number, costs in known.items():
            bounds = self._network_bounds(self._of_wave[number], costs)
            by = next((member.number for member in self._front if beats(member.costs, bounds)), None)
            if by is not None:
                found[number] = Pruning(bounds, by)
        return found

    def _network_bounds(self, layers: Sequence[LayerCost], known: Mapping[int, LayerCost]) -> tuple[NetworkCost, ...]:
        """Per network the sum of what is known and of the bounds of the rest."""
        least = [known.get(problem, bound) for problem, bound in enumerate(layers)]
        cycles = self._counts @ np.array([own.latency_cycles for own in least], np.int64)
        energies = self._counts @ np.array([own.energy_pj for own in least], np.float64)
        pairs = zip(cycles.tolist(), energies.tolist(), strict=True)
        return tuple(NetworkCost(latency, energy * (1.0 - 1e-12)) for latency, energy in pairs)
