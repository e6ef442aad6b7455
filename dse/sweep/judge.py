"""What is compared of a variant: from the costs of its networks to the costs of the study's objectives.

A *group* is a network of the study, or all of them together where there are several; each has a front of its own.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from dse.specification.goals import Goals
from dse.specification.objectives import Figures
from dse.sweep.plan import Plan
from dse.sweep.strategies.protocol import NetworkCost
from dse.sweep.task import Result

__all__ = ["Judge", "mac_units_of"]


def mac_units_of(result: Result, macs: int) -> int | None:
    """The MACs of the variant that a result is of: a whole number, so that the utilization tells it exactly."""
    if not result.utilization or not result.cycles:
        return None
    return round(macs / (result.utilization * result.cycles)) or None


class Judge:
    """Compares by the goals of a plan."""

    def __init__(self, plan: Plan) -> None:
        self.goals: Goals = plan.goals
        self._names = [network.name for network in plan.networks]
        self._macs = [plan.macs(network) for network in plan.networks]

    def groups(
        self, networks: Sequence[NetworkCost], mac_units: int | None, area_um2: float | None
    ) -> tuple[Figures, ...]:
        """The figures of each network, in the order of the plan, and of all together where there are several."""
        single = tuple(
            Figures(cost.latency_cycles, cost.energy_pj, macs, mac_units, area_um2)
            for cost, macs in zip(networks, self._macs, strict=True)
        )
        if len(single) == 1:
            return single
        return (*single, self.goals.combined(list(zip(self._names, single, strict=True))))

    def within_budget(self, groups: Sequence[Figures]) -> bool:
        """Whether every group is."""
        return not any(True for figures in groups for _ in self.goals.exceeded(figures))

    def costs(self, groups: Sequence[Figures]) -> tuple[float, ...]:
        """The costs that all networks together are compared by; nothing where they are not known, or over budget."""
        costs = self.goals.costs(groups[-1])
        over = any(True for _ in self.goals.exceeded(groups[-1]))
        return () if over or any(map(math.isnan, costs)) else costs
