"""What a network costs on a variant: sums over its layers, each as often as it occurs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from dse.errors import InputError
from dse.specification.fields import nearest
from dse.sweep.plan import Plan, PlannedNetwork, PlannedVariant
from dse.sweep.task import Result

__all__ = ["ALL_NETWORKS", "Total", "describe_failure", "network_totals", "study_totals", "totals_named"]

ALL_NETWORKS = "all"
"""What the sum over all networks of a study is called."""


@dataclass(frozen=True, slots=True)
class Total:
    """Cost of one network, or of all, on one variant.

    `missing` gives the reason for each distinct layer without a mapping; with any, the figures are None: a sum without
    a layer is no cost of the network. `layers` counts repeated layers as often as they occur. `value` is what the study
    minimises (cycles, pJ or pJ × cycles of the whole network), and no choice of mappings brings it below `lower_bound`;
    None where the objective proves nothing of these figures.
    """

    variant: PlannedVariant
    network: str
    layers: int
    cycles: int | None
    energy_pj: float | None
    area_um2: float | None
    missing: tuple[str, ...]
    value: float | None = None
    lower_bound: float | None = None

    @property
    def gap(self) -> float | None:
        """How far above the best possible the network may lie at most: value / lower_bound − 1."""
        return None if self.value is None or not self.lower_bound else self.value / self.lower_bound - 1.0

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def edp(self) -> float | None:
        """Energy-delay product in pJ × cycles."""
        return None if self.cycles is None or self.energy_pj is None else self.cycles * self.energy_pj


def network_totals(plan: Plan, results: Mapping[str, Result], network: PlannedNetwork) -> list[Total]:
    """One total per variant, in the order of the plan."""
    return _totals(plan, results, (network,), network.name)


def study_totals(plan: Plan, results: Mapping[str, Result]) -> list[Total]:
    """One total per variant, over all networks of the study, each run once."""
    name = plan.networks[0].name if len(plan.networks) == 1 else ALL_NETWORKS
    return _totals(plan, results, plan.networks, name)


def totals_named(plan: Plan, results: Mapping[str, Result], network: str | None) -> list[Total]:
    """The totals of the network of that name, or of all for None. Raises InputError where the study has no such."""
    if network is None:
        return study_totals(plan, results)
    networks = {item.name: item for item in plan.networks}
    if network not in networks:
        raise InputError(f'the study has no network "{network}"{nearest(network, networks)}')
    return network_totals(plan, results, networks[network])


def _totals(plan: Plan, results: Mapping[str, Result], networks: Iterable[PlannedNetwork], name: str) -> list[Total]:
    chosen = list(networks)
    layers = [(network, layer) for network in chosen for layer in network.layers]
    totals: list[Total] = []
    for index, variant in enumerate(plan.variants):
        cycles = 0
        energies: list[float] = []
        area: float | None = None
        missing: list[str] = []
        bounds: list[tuple[int, float | None]] = []
        for network, layer in layers:
            result = results.get(plan.key(index, layer.problem))
            label = f"{network.name} {layer.name}" if len(chosen) > 1 else layer.name
            if result is None:
                missing.append(f"{label}: not scheduled yet")
            elif result.cycles is None or result.energy_pj is None:
                missing.append(f"{label}: {describe_failure(result)}")
            else:
                cycles += layer.count * result.cycles
                energies.append(layer.count * result.energy_pj)
                area = result.area_um2
                bounds.append((layer.count, result.lower_bound))
        complete = not missing
        totals.append(
            Total(
                variant,
                name,
                sum(layer.count for _, layer in layers),
                cycles if complete else None,
                math.fsum(energies) if complete else None,
                area,
                tuple(missing),
                *_proven(plan, cycles, math.fsum(energies), bounds if complete else None),
            )
        )
    return totals


def _proven(
    plan: Plan, cycles: int, energy_pj: float, bounds: Sequence[tuple[int, float | None]] | None
) -> tuple[float | None, float | None]:
    """(value, lower bound) of the study's objective from the (count, bound) of every layer.

    Cycles and energies add up. Of their product over a network, with E_l T_l >= b_l for every layer, Cauchy and Schwarz
    say (Σ E_l)(Σ T_l) >= (Σ √b_l)².
    """
    known = [(count, bound) for count, bound in bounds or () if bound is not None]
    if bounds is None or len(known) < len(bounds):
        return None, None
    added = math.fsum(count * bound for count, bound in known)
    match plan.options["objective"]:
        case "latency":
            return float(cycles), added
        case "energy":
            return energy_pj, added
        case "edp":
            return cycles * energy_pj, math.fsum(count * math.sqrt(bound) for count, bound in known) ** 2
        case _:
            return None, None


def describe_failure(result: Result) -> str:
    """The reason why a point has no mapping, on one line."""
    reason = " ".join((result.error or result.termination).split())
    return f"{result.error_type}: {reason}" if result.error_type else reason
