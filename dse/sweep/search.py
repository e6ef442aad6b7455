"""From the `search:` of a study to the strategy that asks for variants and what prunes them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from dse.model.unit_costs import area_um2
from dse.specification.space import Variant
from dse.specification.version import DEFAULT_VERSION
from dse.sweep.bounds import Bounds
from dse.sweep.judge import Judge
from dse.sweep.plan import Sweep
from dse.sweep.pruning import BoundPruner
from dse.sweep.store import ResultStore
from dse.sweep.strategies import (
    BoundGuided,
    Budgeted,
    FastestFirst,
    GridStrategy,
    NetworkCost,
    Nsga2,
    Pruner,
    RandomStrategy,
    Strategy,
    VariantOutcome,
)

__all__ = ["Search"]


class Search:
    """What a sweep looks at. Bounds are shared by the strategy and the pruner."""

    def __init__(self, sweep: Sweep, prune: bool = True) -> None:
        """`prune` False schedules everything, whatever the study says."""
        self._sweep = sweep
        self._settings = sweep.study.search
        self._bounds = Bounds(sweep.study.space, sweep.problems)
        self._layers = [layer for network in sweep.plan.networks for layer in network.layers]
        timeloop = sweep.timeloop
        self.unproven = timeloop is not None and timeloop.version != DEFAULT_VERSION.commit
        self.pruner: Pruner | None = None
        self._judge = Judge(sweep.plan)
        pruner = BoundPruner(self._bounds, sweep.plan, exact_area=timeloop is None)
        if prune and self._settings.prune and not self.unproven and pruner.useful:
            self.pruner = pruner

    def strategy(self, settled: Callable[[Sequence[int]], bool], store: ResultStore) -> Strategy:
        """The strategy within its budget. `settled`: nothing of some combinations is left to schedule.

        What `bound_guided` computes is kept in the store, so that going on costs little.
        """
        settings, grid = self._settings, self._sweep.plan.grid
        chosen: Strategy
        match settings.strategy:
            case "random":
                chosen = RandomStrategy(grid.size, settings.seed)
            case "bound_guided":
                chosen = BoundGuided(grid, partial(self._kept_least, store), settings.seed)
            case "nsga2":
                chosen = Nsga2(grid, settings.seed, self.costs, len(self._judge.goals.objectives))
            case _ if self.pruner is not None:
                chosen = FastestFirst(grid.size, self._least_cycles, settled)
            case _:
                chosen = GridStrategy(grid.size, len(self._sweep.problems))
        if settings.points is None and settings.seconds is None:
            return chosen
        return Budgeted(chosen, settings.points, settings.seconds)

    def _least_cycles(self, number: int) -> int | None:
        made = self._sweep.study.space.variant(number)
        if not isinstance(made, Variant):
            return None
        cycles = self._bounds.cycles(made)
        return sum(layer.count * cycles[layer.problem] for layer in self._layers)

    def _kept_least(self, store: ResultStore, number: int) -> tuple[float, ...] | None:
        plan = self._sweep.plan
        parameters = plan.grid.text(number)
        costs = store.bound(parameters, plan.asked)
        if costs is None:
            costs = self._least(number) or ()
            store.add_bound(parameters, plan.asked, costs)
        return costs or None

    def _least(self, number: int) -> tuple[float, ...] | None:
        """The costs of a combination with its layers at their bounds; None where it is no variant, or over budget."""
        made = self._sweep.study.space.variant(number)
        if not isinstance(made, Variant):
            return None
        least = self._bounds.layers(made)
        networks = [
            NetworkCost(
                sum(layer.count * least[layer.problem].latency_cycles for layer in network.layers),
                sum(layer.count * least[layer.problem].energy_pj for layer in network.layers),
            )
            for network in self._sweep.plan.networks
        ]
        return self._judged(made, networks) or None

    def costs(self, outcome: VariantOutcome) -> tuple[float, ...]:
        """What the outcome of a variant is compared by: of a pruned one, its bounds and what its architecture says."""
        bounds = outcome.pruning.bounds if outcome.pruning is not None else ()
        made = self._sweep.study.space.variant(outcome.number) if bounds else None
        return self._judged(made, bounds) if isinstance(made, Variant) else outcome.costs

    def _judged(self, variant: Variant, networks: Sequence[NetworkCost]) -> tuple[float, ...]:
        architecture = variant.architecture
        return self._judge.costs(
            self._judge.groups(networks, architecture.arithmetic.instances, area_um2(architecture))
        )
