"""Two variants on one network: which is better and how sure that is, which layers make the difference, and why.

The difference of a layer is its share of the logarithm of the ratio of the EDPs. Cycles and energies are sums over
layers; with L(x, y) = (x − y) / ln(x / y) the logarithmic mean, ln(x / y) = Σ (x_i − y_i) / L(x, y) holds exactly (the
logarithmic mean Divisia index: B. W. Ang, Energy Policy 33, 2005), so that shares add up to one.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dse.errors import InputError
from dse.model.breakdown import Breakdown
from dse.report.iso import Floors, floors_of
from dse.report.network_bound import LayerBound, network_bound
from dse.report.totals import Group, Total, total_of
from dse.report.verdict import Known, Verdict, verdict
from dse.specification.template import Number
from dse.sweep.plan import Plan, PlannedNetwork
from dse.sweep.reading import StoredVariant
from dse.sweep.task import Result
from dse.sweep.variants import StudyVariants

__all__ = ["AccessDifference", "LayerDifference", "PairComparison", "Side", "compare_pair", "same_layers"]

_LAYERS_EXPLAINED = 3


@dataclass(frozen=True)
class Side:
    """A variant of a study, and what it is called in the answer."""

    label: str
    plan: Plan
    stored: StoredVariant
    variants: StudyVariants


@dataclass(frozen=True, slots=True)
class AccessDifference:
    """Words that a level reads, fills and updates for a data space, over all instances, and the pJ of it."""

    level: str
    data_space: str
    words: tuple[int, int]
    energy_pj: tuple[float, float]


@dataclass(frozen=True, slots=True)
class LayerDifference:
    """A layer that both variants schedule, all its occurrences together (`count`).

    `share` is its part of the difference in EDP, 1 the whole of it; below 0 where the layer speaks against it.
    `accesses` are given for the layers that matter most, the largest differences first.
    """

    name: str
    count: int
    cycles: tuple[int, int]
    energy_pj: tuple[float, float]
    bound_by: tuple[str, str]
    share: float | None
    accesses: tuple[AccessDifference, ...] = ()


@dataclass(frozen=True, slots=True)
class PairComparison:
    """`energy_by_level` has, for the MACs and every level, pJ over the whole network."""

    network: str
    labels: tuple[str, str]
    parameters: Mapping[str, tuple[Number | None, Number | None]]
    totals: tuple[Total, Total]
    floors: tuple[Floors, Floors]
    verdicts: tuple[Verdict, ...]
    layers: tuple[LayerDifference, ...]
    energy_by_level: Mapping[str, tuple[float, float]]

    def to_dict(self) -> dict[str, Any]:
        """The object that `dse compare --json` prints for the pair."""
        return {
            "network": self.network,
            "variants": [
                {
                    "name": label,
                    "parameters": dict(total.variant.parameters),
                    "cycles": total.cycles,
                    "energy_pJ": total.energy_pj,
                    "edp": total.edp,
                    "area_um2": total.area_um2,
                    "lower_bounds": {"cycles": own.cycles, "energy_pJ": own.energy_pj, "edp": own.edp},
                }
                for label, total, own in zip(self.labels, self.totals, self.floors, strict=True)
            ],
            "verdicts": [own.to_dict() for own in self.verdicts],
            "layers": [
                {
                    "layer": layer.name,
                    "count": layer.count,
                    "cycles": list(layer.cycles),
                    "energy_pJ": list(layer.energy_pj),
                    "bound_by": list(layer.bound_by),
                    "share_of_difference": layer.share,
                    "accesses": [
                        {
                            "level": own.level,
                            "tensor": own.data_space,
                            "words": list(own.words),
                            "energy_pJ": list(own.energy_pj),
                        }
                        for own in layer.accesses
                    ],
                }
                for layer in self.layers
            ],
            "energy_pJ_by_level": {name: list(pair) for name, pair in self.energy_by_level.items()},
        }


def compare_pair(network: str, first: Side, second: Side) -> PairComparison:
    """Compare two variants on a network that the studies of both have.

    Raises InputError where a layer has no mapping, or the two networks of that name are not the same.
    """
    sides = (first, second)
    networks = tuple(next(own for own in side.plan.networks if own.name == network) for side in sides)
    if not same_layers(first.plan, second.plan, network):
        raise InputError(f'{first.label} and {second.label}: the two networks "{network}" have different layers')
    totals = tuple(
        total_of(side.plan, side.stored, Group(network, (own,))) for side, own in zip(sides, networks, strict=True)
    )
    for side, total in zip(sides, totals, strict=True):
        if not total.complete:
            raise InputError(f"{side.label} has no figures for {network}: {total.missing[0]}")
    floors = tuple(
        floors_of(total, str(side.plan.options["objective"])) | _bounded(side, own)
        for side, own, total in zip(sides, networks, totals, strict=True)
    )
    verdicts = []
    for quantity in ("edp", "cycles", "energy_pj"):
        words = {"edp": "EDP", "cycles": "latency", "energy_pj": "energy"}[quantity]
        known = [
            (side.label, _known(getattr(total, quantity), getattr(floor, quantity)))
            for side, total, floor in zip(sides, totals, floors, strict=True)
        ]
        found = verdict(words, known[0], known[1])
        verdicts += [] if found is None else [found]
    layers = _layers(sides, networks[0], networks[1], totals)
    return PairComparison(
        network,
        (first.label, second.label),
        _parameters(first.stored, second.stored),
        (totals[0], totals[1]),
        (floors[0], floors[1]),
        tuple(verdicts),
        layers,
        _by_level(sides, networks[0], networks[1]),
    )


def _known(value: float, floor: float) -> Known:
    return Known(value, min(floor, value) or None)


def same_layers(first: Plan, second: Plan, network: str) -> bool:
    """Whether the networks of that name in two studies are the same."""
    return _content(first, network) == _content(second, network)


def _content(plan: Plan, network: str) -> list[tuple[str, int, str]]:
    layers = (layer for own in plan.networks if own.name == network for layer in own.layers)
    return [(layer.name, layer.count, plan.problems[layer.problem].digest) for layer in layers]


def _bounded(side: Side, network: PlannedNetwork) -> Floors:
    """What bounds say of a variant whatever its study minimises, and together with what its schedules have proven."""
    bounds = side.variants.bounds(side.stored.variant.number)
    if bounds is None:
        return Floors()
    cycles = sum(layer.count * bounds[layer.problem].latency_cycles for layer in network.layers)
    energy_pj = math.fsum(layer.count * bounds[layer.problem].energy_pj for layer in network.layers)
    product = None
    if side.plan.options["objective"] == "edp":
        layers = [(layer.count, side.stored.results[layer.problem], bounds[layer.problem]) for layer in network.layers]
        product = network_bound(
            "edp",
            [
                LayerBound(count, own.lower_bound if own else None, least.latency_cycles, least.energy_pj)
                for count, own, least in layers
            ],
        )
    return Floors(cycles, energy_pj, product or 0.0) | Floors()


def _parameters(first: StoredVariant, second: StoredVariant) -> dict[str, tuple[Number | None, Number | None]]:
    one, other = first.variant.parameters, second.variant.parameters
    pairs = {name: (one.get(name), other.get(name)) for name in {**one, **other}}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _layers(
    sides: tuple[Side, Side], first: PlannedNetwork, second: PlannedNetwork, totals: Sequence[Total]
) -> tuple[LayerDifference, ...]:
    """All layers, those first that make most of the difference."""
    one, other = totals
    found: list[tuple[LayerDifference, int, int]] = []
    whole = math.log((one.edp or 1.0) / (other.edp or 1.0)) if one.edp and other.edp else 0.0
    for own, its in zip(first.layers, second.layers, strict=True):
        results = (sides[0].stored.results[own.problem], sides[1].stored.results[its.problem])
        cycles = tuple(own.count * (result.cycles or 0) for result in results if result is not None)
        energies = tuple(own.count * (result.energy_pj or 0.0) for result in results if result is not None)
        part = _part(cycles, (one.cycles or 0, other.cycles or 0))
        part += _part(energies, (one.energy_pj or 0.0, other.energy_pj or 0.0))
        bound_by = tuple(_bound_by(result) for result in results)
        layer = LayerDifference(
            own.name,
            own.count,
            (cycles[0], cycles[1]),
            (energies[0], energies[1]),
            (bound_by[0], bound_by[1]),
            part / whole if abs(whole) > 1e-12 else None,
        )
        found.append((layer, own.problem, its.problem))
    found.sort(key=lambda item: -abs(item[0].share or 0.0))
    explained = []
    for position, (layer, problem, its_problem) in enumerate(found):
        asked = position < _LAYERS_EXPLAINED and layer.share
        accesses = _accesses(sides, (problem, its_problem), layer.count) if asked else ()
        explained.append(replace(layer, accesses=accesses))
    return tuple(explained)


def _part(layer: Sequence[float], network: Sequence[float]) -> float:
    """(x_i − y_i) / L(x, y): a layer's part of ln(x / y)."""
    (x, y), (own_x, own_y) = network, layer
    mean = x if x == y else (x - y) / math.log(x / y)
    return (own_x - own_y) / mean if mean else 0.0


def _bound_by(result: Result | None) -> str:
    return "?" if result is None or result.breakdown is None else Breakdown.from_json(result.breakdown).bound_by


def _accesses(sides: tuple[Side, Side], problems: tuple[int, int], count: int) -> tuple[AccessDifference, ...]:
    """What differs in words and pJ, the largest difference in pJ first."""
    counted: list[dict[tuple[str, str], tuple[int, float]]] = []
    for side, problem in zip(sides, problems, strict=True):
        result = side.stored.results[problem]
        evaluation = None
        if result is not None:
            evaluation = side.variants.evaluation(side.stored.variant.number, problem, result)
        if evaluation is None:
            return ()
        counted.append(
            {
                (level.name, name): (
                    count * level.instances * (cost.reads + cost.fills + cost.updates),
                    count * cost.energy_pj,
                )
                for level in evaluation.levels
                for name, cost in level.data_spaces.items()
            }
        )
    one, other = counted
    differences = [
        AccessDifference(*place, _pair(one, other, place, 0), _pair(one, other, place, 1)) for place in one | other
    ]
    changed = [own for own in differences if own.words[0] != own.words[1] or own.energy_pj[0] != own.energy_pj[1]]
    return tuple(sorted(changed, key=lambda own: -abs(own.energy_pj[0] - own.energy_pj[1])))


def _pair(
    one: Mapping[tuple[str, str], tuple[int, float]],
    other: Mapping[tuple[str, str], tuple[int, float]],
    place: tuple[str, str],
    item: int,
) -> tuple[Any, Any]:
    return (one.get(place, (0, 0.0))[item], other.get(place, (0, 0.0))[item])


def _by_level(
    sides: tuple[Side, Side], first: PlannedNetwork, second: PlannedNetwork
) -> dict[str, tuple[float, float]]:
    """pJ of the MACs and of every level with its network, over all layers."""
    sums = [dict(_summed(side, network)) for side, network in zip(sides, (first, second), strict=True)]
    names = list(dict.fromkeys([*sums[0], *sums[1]]))
    return {name: (sums[0].get(name, 0.0), sums[1].get(name, 0.0)) for name in names}


def _summed(side: Side, network: PlannedNetwork) -> Iterator[tuple[str, float]]:
    parts: dict[str, list[float]] = {}
    for layer in network.layers:
        result = side.stored.results[layer.problem]
        if result is None or result.breakdown is None:
            continue
        breakdown = Breakdown.from_json(result.breakdown)
        parts.setdefault("MACs", []).append(layer.count * breakdown.arithmetic_energy_pj)
        for level in breakdown.levels:
            parts.setdefault(level.name, []).append(layer.count * (level.energy_pj + level.network_energy_pj))
    return ((name, math.fsum(energies)) for name, energies in parts.items())
