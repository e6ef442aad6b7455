"""What a network costs on a variant: sums over its layers, each as often as it occurs."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from dse.errors import InputError
from dse.report.network_bound import LayerBound, network_bound
from dse.specification.fields import nearest
from dse.specification.objectives import Figures, geometric_mean
from dse.sweep.judge import mac_units_of
from dse.sweep.plan import Plan, PlannedNetwork
from dse.sweep.reading import StoredStudy, StoredVariant, VariantName
from dse.sweep.task import Result

__all__ = [
    "ALL_NETWORKS",
    "Group",
    "StudyTotals",
    "Total",
    "describe_failure",
    "group_named",
    "groups_of",
    "no_schedules",
    "total_of",
    "totals_named",
]

ALL_NETWORKS = "all"
"""What the sum over all networks of a study is called."""

_KEPT_IN_MEMORY = 20_000


@dataclass(frozen=True, slots=True)
class Total:
    """Cost of one network, or of all, on one variant.

    `missing` gives the reason for each distinct layer without a mapping; with any, the figures are None: a sum without
    a layer is no cost of the network. `layers` counts repeated layers as often as they occur. `value` is what the study
    minimises (cycles, pJ or pJ × cycles of the whole network), and no choice of mappings brings it below `lower_bound`;
    None where the objective proves nothing of these figures. `pruned`: it is on no front, and `missing` says why.
    `over_budget` says which budgets of the study the figures exceed: such a total is on no front either.

    Cycles are a whole number unless networks are combined with weights that are none, or by their geometric mean.
    """

    variant: VariantName
    network: str
    layers: int
    cycles: float | None
    energy_pj: float | None
    area_um2: float | None
    missing: tuple[str, ...]
    value: float | None = None
    lower_bound: float | None = None
    pruned: bool = False
    macs: float = 0
    mac_units: int | None = None
    over_budget: tuple[str, ...] = ()

    @property
    def gap(self) -> float | None:
        """How far above the best possible the network may lie at most: value / lower_bound − 1."""
        return None if self.value is None or not self.lower_bound else self.value / self.lower_bound - 1.0

    @property
    def complete(self) -> bool:
        return not self.missing

    @property
    def figures(self) -> Figures | None:
        """What objectives follow from; None where the total is incomplete."""
        if self.cycles is None or self.energy_pj is None:
            return None
        return Figures(self.cycles, self.energy_pj, self.macs, self.mac_units, self.area_um2)

    @property
    def edp(self) -> float | None:
        """Energy-delay product in pJ × cycles."""
        return None if self.cycles is None or self.energy_pj is None else self.cycles * self.energy_pj


@dataclass(frozen=True, slots=True)
class Group:
    """Networks that are summed up, each as often as it weighs, under a name."""

    name: str
    networks: tuple[PlannedNetwork, ...]


def groups_of(plan: Plan) -> list[Group]:
    """Every network of the study by itself, and all of them together where there are several."""
    groups = [Group(network.name, (network,)) for network in plan.networks]
    return groups if len(groups) == 1 else [*groups, Group(ALL_NETWORKS, plan.networks)]


def group_named(plan: Plan, network: str | None) -> Group:
    """The network of that name, or all together for None. Raises InputError where the study has no such."""
    groups = groups_of(plan)
    if network is None:
        return groups[-1]
    named = {group.name: group for group in groups[: len(plan.networks)]}
    if network not in named:
        raise InputError(f'the study has no network "{network}"{nearest(network, named)}')
    return named[network]


@dataclass(frozen=True, slots=True)
class VariantTotals:
    """A variant's totals, one per group of `groups_of`, and the seconds that its schedules took."""

    totals: tuple[Total, ...]
    seconds: float


class StudyTotals:
    """What every group of networks costs on every variant that the sweep has come to, in the order of the grid.

    Of a small study they are kept; of a large one they are made anew whenever they are gone through.
    """

    def __init__(self, study: StoredStudy) -> None:
        self.plan = study.plan
        self.groups = groups_of(study.plan)
        self._study = study
        self._kept = list(self._made()) if len(study) <= _KEPT_IN_MEMORY else None

    def __len__(self) -> int:
        return len(self._study)

    def __iter__(self) -> Iterator[VariantTotals]:
        return self._made() if self._kept is None else iter(self._kept)

    def named(self, network: str | None = None) -> Collection[Total]:
        """The totals of a network, or of all together. Raises InputError where the study has no such network."""
        return _OfGroup(self, self.groups.index(group_named(self._study.plan, network)))

    def _made(self) -> Iterator[VariantTotals]:
        plan = self._study.plan
        for stored in self._study:
            seconds = sum(result.total_seconds or 0.0 for result in stored.results if result is not None)
            yield VariantTotals(tuple(total_of(plan, stored, group) for group in self.groups), seconds)


class _OfGroup(Collection[Total]):
    """The totals of one group."""

    def __init__(self, totals: StudyTotals, position: int) -> None:
        self._totals = totals
        self._position = position

    def __len__(self) -> int:
        return len(self._totals)

    def __iter__(self) -> Iterator[Total]:
        return (of_variant.totals[self._position] for of_variant in self._totals)

    def __contains__(self, total: object) -> bool:
        return any(total == other for other in self)


def totals_named(study: StoredStudy, network: str | None = None) -> Collection[Total]:
    """One total per variant that the sweep has come to, in the order of the grid, of a network or of all together.

    Raises InputError where the study has no such network.
    """
    group_named(study.plan, network)
    return StudyTotals(study).named(network)


def total_of(plan: Plan, stored: StoredVariant, group: Group) -> Total:
    """What the networks of a group cost on a variant."""
    if plan.goals.combine != "sum" and len(group.networks) > 1:
        return _mean_of(plan, stored, group)
    cycles: float = 0
    macs: float = 0
    energies: list[float] = []
    area: float | None = None
    units: int | None = None
    missing: list[str] = []
    bounds: list[LayerBound] = []
    several = len(group.networks) > 1
    for network in group.networks:
        weight = plan.goals.weight(network.name) if several else 1
        macs += weight * plan.macs(network)
        for layer in network.layers:
            result = stored.results[layer.problem]
            label = f"{network.name} {layer.name}" if several else layer.name
            if result is None:
                missing.append(f"{label}: not scheduled yet")
            elif result.cycles is None or result.energy_pj is None:
                missing.append(f"{label}: {describe_failure(result)}")
            else:
                count = weight * layer.count
                cycles += count * result.cycles
                energies.append(count * result.energy_pj)
                area = result.area_um2
                units = mac_units_of(result, plan.problems[layer.problem].macs)
                floors = (result.least_cycles or 0.0, result.least_energy_pj or 0.0)
                bounds.append(LayerBound(count, result.lower_bound, *floors))
    energy_pj = math.fsum(energies)
    value, bound = _proven(plan, cycles, energy_pj, None if missing else bounds)
    figures = None if missing else Figures(cycles, energy_pj, macs, units, area)
    layers = sum(layer.count for network in group.networks for layer in network.layers)
    return _total(plan, stored, group.name, layers, figures, area, missing, value, bound)


def _mean_of(plan: Plan, stored: StoredVariant, group: Group) -> Total:
    """The geometric mean of several networks on a variant; that of bounds bounds that of values."""
    parts = [total_of(plan, stored, Group(network.name, (network,))) for network in group.networks]
    weights = [plan.goals.weight(part.network) for part in parts]
    missing = [f"{part.network} {reason}" for part in parts for reason in part.missing]
    pairs = ((part.network, part.figures) for part in parts)
    known = [(name, figures) for name, figures in pairs if figures is not None]
    figures = plan.goals.combined(known) if len(known) == len(parts) else None
    values = [part.value for part in parts if part.value is not None]
    bounds = [part.lower_bound for part in parts if part.lower_bound is not None]
    proven = figures is not None and len(values) == len(bounds) == len(parts)
    return _total(
        plan,
        stored,
        group.name,
        sum(part.layers for part in parts),
        figures,
        parts[0].area_um2,
        missing,
        geometric_mean(values, weights) if proven else None,
        geometric_mean(bounds, weights) if proven else None,
    )


def _total(
    plan: Plan,
    stored: StoredVariant,
    name: str,
    layers: int,
    figures: Figures | None,
    area_um2: float | None,
    missing: Sequence[str],
    value: float | None,
    lower_bound: float | None,
) -> Total:
    """The total of a group, or why the variant has none."""
    reason = no_schedules(plan, stored)
    pruned = stored.row.status == "pruned"
    if reason is not None or figures is None:
        over = (stored.row.reason or "",) if reason is not None and pruned and stored.row.reason is not None else ()
        reasons = tuple(missing) if reason is None else (reason,)
        return Total(
            stored.variant,
            name,
            layers,
            None,
            None,
            area_um2,
            reasons,
            pruned=pruned and reason is not None,
            over_budget=over,
        )
    return Total(
        stored.variant,
        name,
        layers,
        figures.cycles,
        figures.energy_pj,
        area_um2,
        (),
        value,
        lower_bound,
        macs=figures.macs,
        mac_units=figures.mac_units,
        over_budget=tuple(plan.goals.exceeded(figures)),
    )


def no_schedules(plan: Plan, stored: StoredVariant) -> str | None:
    """Why nothing is scheduled on a variant as a whole; None where its layers are."""
    row = stored.row
    if row.status == "refused":
        return f"no valid architecture: {row.reason}"
    if row.status == "pruned" and row.workload == plan.workload:
        if row.reason is not None:
            return f"pruned: {row.reason}"
        beaten_by = plan.grid.read(row.beaten_by) if row.beaten_by else None
        name = "another variant" if beaten_by is None else plan.grid.name(beaten_by)
        bounds = "; ".join(
            f"{network.name} takes at least {cycles} cycles and {energy_pj:.6g} pJ"
            for network, (cycles, energy_pj) in zip(plan.networks, row.bounds, strict=True)
        )
        return f"pruned: {bounds}, and {name} less"
    return None


def _proven(
    plan: Plan, cycles: float, energy_pj: float, layers: Sequence[LayerBound] | None
) -> tuple[float | None, float | None]:
    """(value, lower bound) of the study's objective, over layers that all have a schedule; None for others."""
    objective = plan.options["objective"]
    bound = None if layers is None else network_bound(objective, layers)
    if bound is None:
        return None, None
    return {"latency": float(cycles), "energy": energy_pj, "edp": cycles * energy_pj}[objective], bound


def describe_failure(result: Result) -> str:
    """The reason why a point has no mapping, on one line."""
    reason = " ".join((result.error or result.termination).split())
    return f"{result.error_type}: {reason}" if result.error_type else reason
