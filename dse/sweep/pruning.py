"""Leaving out what cannot enter the front: before a variant is scheduled, and while it is.

Why the front stays the same: docs/search.md. In short, a variant is left out where its *bounds* exceed a budget, or
where a complete variant within all budgets has, in every network of the study, no objective worse than those bounds
allow, and one better. Its figures are not below its bounds, so that this variant would beat it in every network and in
all together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dse.model.unit_costs import area_um2
from dse.specification.objectives import Figures
from dse.specification.space import Variant
from dse.sweep.bounds import Bounds
from dse.sweep.judge import Judge
from dse.sweep.plan import Plan
from dse.sweep.strategies.protocol import LayerCost, NetworkCost, Pruning, VariantOutcome

__all__ = ["BoundPruner", "beats"]

_POINTS_A_STEP = 16  # what workers do between two looks at the variants of a wave
_SAMPLE = 8  # variants of the front that say on which layers bounds are far off

Floats = npt.NDArray[np.float64]
Costs = Sequence[Sequence[float]]
"""Of each group that is compared, the costs of the objectives."""


def beats(costs: Costs, bounds: Costs) -> bool:
    """Whether costs are at most the bounds everywhere and, in every group, below one of them; never with a NaN."""
    return all(
        all(cost <= bound for cost, bound in zip(own, other, strict=True))
        and any(cost < bound for cost, bound in zip(own, other, strict=True))
        for own, other in zip(costs, bounds, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Member:
    """A complete variant that no other one beats: what it is compared by, what its networks cost and its problems."""

    number: int
    costs: Costs
    networks: tuple[NetworkCost, ...]
    problems: tuple[LayerCost, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A variant of the wave: the bounds of its problems, and what its architecture says."""

    layers: Sequence[LayerCost]
    mac_units: int
    area_um2: float | None


class BoundPruner:
    """Compares bounds, then bounds with actual figures in the place of those that are known, with the front so far.

    Only what is proven counts: budgets and objectives that grow with latency, energy and area. With any other objective
    no variant beats another one.
    """

    def __init__(self, bounds: Bounds, plan: Plan, exact_area: bool = True) -> None:
        """`exact_area`: results have the area that the embedded evaluator gives, not a rounded one."""
        self._bounds = bounds
        self._counts = np.zeros((len(plan.networks), len(bounds.problems)), np.int64)
        for row, network in enumerate(plan.networks):
            for layer in network.layers:
                self._counts[row, layer.problem] += layer.count
        self._judge = Judge(plan)
        goals = plan.goals
        proven = tuple(budget for budget in goals.budgets if budget.objective.monotone)
        self._budgets = replace(goals, budgets=proven)
        self._area_budgets = replace(goals, budgets=tuple(own for own in proven if own.objective.name == "area"))
        self._exact_area = exact_area
        self._compares = all(objective.monotone for objective in goals.chosen)
        # Sums of products do not follow from products: each network may be better in EDP, and all together worse.
        self._compared = slice(None if "edp" in goals.objectives else len(plan.networks))
        self._front: list[_Member] = []
        self._of_wave: dict[int, _Candidate] = {}

    @property
    def useful(self) -> bool:
        """Whether there is anything that it could prove."""
        return self._compares or bool(self._budgets.budgets)

    def prune(self, variants: Sequence[Variant]) -> Mapping[int, Pruning]:
        """The variants of a wave to leave out before anything of them is scheduled."""
        found: dict[int, Pruning] = {}
        for variant in variants:
            reason = self._too_large(variant)
            if reason is not None:
                found[variant.number] = Pruning((), reason=reason)
        wanted = bool(self._front) or len(self._budgets.budgets) > len(self._area_budgets.budgets)
        left = [variant for variant in variants if variant.number not in found] if wanted else []
        self._of_wave = {
            variant.number: _Candidate(
                self._bounds.layers(variant), variant.architecture.arithmetic.instances, self._area(variant)
            )
            for variant in left
        }
        return found | self._hopeless({number: {} for number in self._of_wave})

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
        return self._hopeless({number: costs for number, costs in known.items() if number in self._of_wave})

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        """Take in the complete variants of a wave that are within all budgets."""
        if not self._compares:
            return
        for outcome in outcomes:
            if outcome.status != "complete":
                continue
            groups = self._judge.groups(outcome.networks, outcome.mac_units, outcome.area_um2)
            costs = self._costs(groups)
            if self._judge.within_budget(groups) and not any(beats(own.costs, costs) for own in self._front):
                self._front = [own for own in self._front if not beats(costs, own.costs)]
                self._front.append(_Member(outcome.number, costs, outcome.networks, outcome.problems))
        self._front.sort(
            key=lambda own: (*((cost.latency_cycles, cost.energy_pj) for cost in own.networks), own.number)
        )

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

    def _hopeless(self, known: Mapping[int, Mapping[int, LayerCost]]) -> dict[int, Pruning]:
        """The variants that exceed a budget or are beaten, given what some of their problems cost."""
        found: dict[int, Pruning] = {}
        for number, costs in known.items():
            candidate = self._of_wave[number]
            bounds = self._network_bounds(candidate.layers, costs)
            groups = self._judge.groups(bounds, candidate.mac_units, candidate.area_um2)
            reasons = [next(self._budgets.exceeded(figures), None) for figures in groups]
            if all(reasons):
                found[number] = Pruning(bounds, reason=f"over budget at best: {reasons[-1]}")
            elif self._front:
                least = self._costs(groups)
                by = next((member.number for member in self._front if beats(member.costs, least)), None)
                if by is not None:
                    found[number] = Pruning(bounds, by)
        return found

    def _costs(self, groups: Sequence[Figures]) -> Costs:
        """Costs of the groups that are compared: all networks together are, where that does not follow from each."""
        return [self._judge.goals.costs(figures) for figures in groups[self._compared]]

    def _too_large(self, variant: Variant) -> str | None:
        """What of the budgets the area exceeds, which is known without a schedule."""
        if not self._area_budgets.budgets:
            return None
        figures = Figures(0, 0.0, 0, area_um2=self._area(variant))
        exceeded: Iterator[str] = self._area_budgets.exceeded(figures)
        return next((f"over budget: {text}" for text in exceeded), None)

    def _area(self, variant: Variant) -> float | None:
        return area_um2(variant.architecture) if self._exact_area else None

    def _network_bounds(self, layers: Sequence[LayerCost], known: Mapping[int, LayerCost]) -> tuple[NetworkCost, ...]:
        """Per network the sum of what is known and of the bounds of the rest."""
        least = [known.get(problem, bound) for problem, bound in enumerate(layers)]
        cycles = self._counts @ np.array([own.latency_cycles for own in least], np.int64)
        energies = self._counts @ np.array([own.energy_pj for own in least], np.float64)
        pairs = zip(cycles.tolist(), energies.tolist(), strict=True)
        return tuple(NetworkCost(latency, energy * (1.0 - 1e-12)) for latency, energy in pairs)
