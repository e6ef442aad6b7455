"""Why a variant costs what it does, what one step of each parameter would bring at most, and which variants do better.

A step's gain is bounded without a schedule: nothing that the stepped variant can do is below its bounds
(dse.sweep.bounds), so that at most 1 − bound / value of what is there now can be saved. Where the stepped variant was
scheduled, what came of it stands beside that.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dse.model.breakdown import Breakdown
from dse.report.iso import Floors
from dse.report.network_bound import LayerBound, network_bound
from dse.specification.space import ParameterGrid
from dse.specification.template import Number
from dse.sweep.strategies.protocol import LayerCost

__all__ = [
    "Better",
    "Cost",
    "Explanation",
    "LayerState",
    "Neighbours",
    "Scheduled",
    "Step",
    "cost_of",
    "neighbouring_values",
    "parts_of",
    "steps_of",
]


@dataclass(frozen=True, slots=True)
class Cost:
    """Cycles, pJ and pJ × cycles of a layer or a network."""

    cycles: float
    energy_pj: float

    @property
    def edp(self) -> float:
        return self.cycles * self.energy_pj

    def to_dict(self) -> dict[str, float]:
        """Plain data for JSON."""
        return {"cycles": self.cycles, "energy_pJ": self.energy_pj, "edp": self.edp}


@dataclass(frozen=True, slots=True)
class LayerState:
    """A layer as it was scheduled: once (`cost`), with what its cost is made of; it occurs `count` times.

    `utilization` is the share of the MACs that are busy, None where it is not known.
    """

    name: str
    problem: int
    count: int
    cost: Cost
    utilization: float | None
    breakdown: Breakdown | None


@dataclass(frozen=True, slots=True)
class Step:
    """The value of a parameter changed by one step; `parameter` is None for another mapping on the same hardware.

    Parameters that only step together are named together, `rows with columns`; their values are the same.
    `floors` hold for every schedule there, None where nothing is known; `scheduled` is what the study found there.
    `refused` says why there is no such variant. `in_study`: whether the value belongs to the study.
    """

    parameter: str | None
    value: Number | None
    stepped: Number | None
    variant: str | None
    in_study: bool
    floors: Floors | None = None
    scheduled: Cost | None = None
    refused: str | None = None

    def at_most(self, now: Cost) -> dict[str, float] | None:
        """Per quantity, the share of what is there now that can be saved at most; negative: it gets worse."""
        if self.floors is None:
            return None
        pairs = (
            ("cycles", self.floors.cycles, now.cycles),
            ("energy_pJ", self.floors.energy_pj, now.energy_pj),
            ("edp", self.floors.edp, now.edp),
        )
        return {name: 1.0 - floor / value if value else 0.0 for name, floor, value in pairs}

    def to_dict(self, now: Cost) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "parameter": self.parameter,
            "value": self.value,
            "stepped": self.stepped,
            "variant": self.variant,
            "in_study": self.in_study,
            "saves_at_most": self.at_most(now),
            "scheduled": None if self.scheduled is None else self.scheduled.to_dict(),
            "refused": self.refused,
        }


@dataclass(frozen=True, slots=True)
class Better:
    """A variant that is worse in no objective (`beats`), or better in the one that is named, `distance` steps away."""

    variant: str
    parameters: Mapping[str, Number]
    distance: int
    cost: Cost
    objective: str | None = None

    @property
    def beats(self) -> bool:
        return self.objective is None


@dataclass(frozen=True, slots=True)
class Explanation:
    """A variant on a network, or on one of its layers (`layer`).

    `nest` is the loop nest of the layer as text. `on_front` is None where there is nothing to compare with; without a
    study (`of_study`) there never is.
    """

    subject: str
    network: str
    parameters: Mapping[str, Number]
    layer: str | None
    cost: Cost
    layers: tuple[LayerState, ...]
    steps: tuple[Step, ...]
    better: tuple[Better, ...] = ()
    on_front: bool | None = None
    nest: str | None = None
    of_study: bool = True

    def cycles_by_bound(self) -> dict[str, float]:
        """What bounds the layers -> the share of the cycles that it bounds, the largest first."""
        found: dict[str, float] = {}
        for layer in self.layers:
            name = "?" if layer.breakdown is None else layer.breakdown.bound_by
            found[name] = found.get(name, 0.0) + layer.count * layer.cost.cycles / (self.cost.cycles or 1.0)
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def energy_by_level(self) -> dict[str, float]:
        """MACs and levels -> their share of the energy, the largest first."""
        found: dict[str, float] = {}
        for layer in self.layers:
            for name, energy_pj in parts_of(layer.breakdown):
                found[name] = found.get(name, 0.0) + layer.count * energy_pj / (self.cost.energy_pj or 1.0)
        return dict(sorted(found.items(), key=lambda item: -item[1]))

    def to_dict(self) -> dict[str, Any]:
        """The object that `dse explain --json` prints."""
        return {
            "subject": self.subject,
            "network": self.network,
            "layer": self.layer,
            "parameters": dict(self.parameters),
            **self.cost.to_dict(),
            "on_front": self.on_front,
            "cycles_by_bound": self.cycles_by_bound(),
            "energy_by_level": self.energy_by_level(),
            "layers": [
                {
                    "layer": layer.name,
                    "count": layer.count,
                    **layer.cost.to_dict(),
                    "utilization": layer.utilization,
                    "bound_by": None if layer.breakdown is None else layer.breakdown.bound_by,
                    "cycles_needed": _needed(layer.breakdown),
                    "energy_pJ_by_level": dict(parts_of(layer.breakdown)),
                }
                for layer in self.layers
            ],
            "steps": [step.to_dict(self.cost) for step in self.steps],
            "better": [
                {
                    "variant": own.variant,
                    "parameters": dict(own.parameters),
                    "steps_away": own.distance,
                    "better_in": own.objective,
                    **own.cost.to_dict(),
                }
                for own in self.better
            ],
        }


def parts_of(breakdown: Breakdown | None) -> Iterator[tuple[str, float]]:
    """pJ of the MACs and of every level with its network."""
    if breakdown is not None:
        yield "MACs", breakdown.arithmetic_energy_pj
        for level in breakdown.levels:
            yield level.name, level.energy_pj + level.network_energy_pj


def _needed(breakdown: Breakdown | None) -> dict[str, int]:
    """Cycles that the MACs and the bandwidths of every level need by themselves."""
    if breakdown is None:
        return {}
    return {"compute": breakdown.compute_cycles} | {level.name: level.latency_cycles for level in breakdown.levels}


def cost_of(layers: Sequence[LayerState]) -> Cost:
    """What the layers cost together, each as often as it occurs."""
    cycles = sum(layer.count * layer.cost.cycles for layer in layers)
    return Cost(cycles, math.fsum(layer.count * layer.cost.energy_pj for layer in layers))


def neighbouring_values(values: Sequence[Number], value: Number) -> tuple[Number | None, Number | None]:
    """The values one step below and above `value`; beyond the ends, the step goes on as it was between the last two.

    Steps are factors where those of the whole list are equal, or where it has one value alone (then 2), else
    differences. None where nothing positive comes next.
    """
    if len(values) == 1:
        return _halved(value), _doubled(value)
    ordered = sorted(values)
    position = ordered.index(value)
    below = ordered[position - 1] if position > 0 else _beyond(ordered[::-1])
    above = ordered[position + 1] if position + 1 < len(ordered) else _beyond(ordered)
    return below, above


def _beyond(ordered: Sequence[Number]) -> Number | None:
    """The value after the last one, which is the largest or the smallest of two or more."""
    last = ordered[-1]
    ratios = [later / earlier for earlier, later in itertools.pairwise(ordered) if earlier > 0]
    geometric = len(ratios) == len(ordered) - 1 and all(math.isclose(ratio, ratios[0]) for ratio in ratios)
    following = last * ratios[0] if geometric else last + (last - ordered[-2])
    if following <= 0:
        return None
    whole = all(isinstance(value, int) for value in ordered)
    if whole:
        return int(following) if float(following).is_integer() else None
    return following


def _halved(value: Number) -> Number | None:
    if value <= 0:
        return None
    if isinstance(value, int):
        return value // 2 if value % 2 == 0 else None
    return value / 2


def _doubled(value: Number) -> Number | None:
    return 2 * value if value > 0 else None


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A stored schedule of a layer: its cost, and what the objective has proven of it."""

    cost: Cost
    lower_bound: float | None = None


@dataclass(frozen=True)
class Neighbours:
    """How a neighbour is looked at, by its parameters: what it was scheduled for, and its bounds per problem.

    `bounds` returns the reason where there is no such variant, None where nothing is known of it.
    """

    study: ParameterGrid
    objective: str
    bounds: Callable[[Mapping[str, Number]], Mapping[int, LayerCost] | str | None]
    scheduled: Callable[[int], Mapping[int, Scheduled]]


def steps_of(
    parameters: Mapping[str, Number],
    layers: Sequence[LayerState],
    steps: Mapping[str, Sequence[Number]],
    neighbours: Neighbours,
) -> tuple[Step, ...]:
    """Another mapping, then each parameter one step down and up; `steps` has the values to step along.

    Of every neighbour only the layers that are given are looked at.
    """
    found: dict[tuple[str | None, Number | None], Step] = {}

    def add(step: Step) -> None:
        found.setdefault((step.parameter, step.stepped), step)

    add(_step((), None, parameters, layers, neighbours))
    for name, values in steps.items():
        twins = [own for own in steps if steps[own] == values and parameters[own] == parameters[name]]
        for stepped in neighbouring_values(values, parameters[name]):
            if stepped is None:
                continue
            step = _step((name,), stepped, parameters, layers, neighbours)
            if step.refused is not None and len(twins) > 1:  # a constraint may say that they are equal
                together = _step(twins, stepped, parameters, layers, neighbours)
                step = step if together.refused is not None else together
            add(step)
    return tuple(found.values())


def _step(
    names: Sequence[str],
    stepped: Number | None,
    parameters: Mapping[str, Number],
    layers: Sequence[LayerState],
    neighbours: Neighbours,
) -> Step:
    changed = dict(parameters) if stepped is None else {**parameters, **dict.fromkeys(names, stepped)}
    number = neighbours.study.number(changed)
    variant = None if number is None else neighbours.study.name(number)
    name = " with ".join(names) or None
    value = parameters[names[0]] if names else None
    bounds = neighbours.bounds(changed)
    if isinstance(bounds, str):
        return Step(name, value, stepped, variant, number is not None, refused=bounds)
    floors = None
    if bounds is not None:
        cycles = sum(layer.count * bounds[layer.problem].latency_cycles for layer in layers)
        floors = Floors(cycles, math.fsum(layer.count * bounds[layer.problem].energy_pj for layer in layers)) | Floors()
    known = {} if number is None else neighbours.scheduled(number)
    costs = [(layer.count, known[layer.problem]) for layer in layers if layer.problem in known]
    scheduled = None
    if len(costs) == len(layers):
        taken = sum(count * own.cost.cycles for count, own in costs)
        scheduled = Cost(taken, math.fsum(count * own.cost.energy_pj for count, own in costs))
        proven = _proven(neighbours.objective, layers, known, bounds or {})
        floors = (proven if proven != Floors() else None) if floors is None else floors | proven
    return Step(name, value, stepped, variant, number is not None, floors, None if name is None else scheduled)


def _proven(
    objective: str,
    layers: Sequence[LayerState],
    scheduled: Mapping[int, Scheduled],
    bounds: Mapping[int, LayerCost],
) -> Floors:
    """What follows from the bounds of the schedules, of which those without one bound the factors of a product."""
    nothing = LayerCost(0, 0.0)
    known = [(layer.count, scheduled[layer.problem], bounds.get(layer.problem, nothing)) for layer in layers]
    bound = network_bound(
        objective,
        [LayerBound(count, own.lower_bound, least.latency_cycles, least.energy_pj) for count, own, least in known],
    )
    match objective:
        case "latency":
            return Floors(cycles=bound or 0.0)
        case "energy":
            return Floors(energy_pj=bound or 0.0)
        case _:
            return Floors(edp=bound or 0.0)
