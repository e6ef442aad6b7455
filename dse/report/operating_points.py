"""The trade-off of each variant: what a network may cost on it, by the choice of one mapping for every layer.

A layer has a few schedules between the fastest and the one of least energy (docs/studies.md, "Operating points").
Layers run one after the other, so that cycles and energies add up, and the choices of a network are the sums of those
of its layers, each occurrence choosing for itself. Of these sums the ones are kept that no other one dominates:
dominated parts make dominated sums, so that they may be left out after every addition, and the result is the front of
all choices. Beyond `MOST_POINTS` it is thinned: in each of so many intervals of the latency, equal on a logarithmic
scale, the point of least energy stays.

The bounds are added up in the same way: of a layer no mapping that takes at most c cycles has less energy than was
proven for schedules within c, and none takes less than the least cycles that were proven.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from dse.report.totals import Group, Total, groups_of, total_of
from dse.sweep.plan import Plan
from dse.sweep.reading import StoredStudy, StoredVariant
from dse.sweep.task import Result

__all__ = ["MOST_POINTS", "OperatingPoint", "Tradeoff", "operating_points", "pareto_sum", "repeated"]

MOST_POINTS = 256

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_OBJECTIVE = "objective"
"""The label of the schedule that the study's own objective gives."""


@dataclass(frozen=True, slots=True, eq=False)
class Tradeoff:
    """Points (cycles, pJ), cycles growing and energy falling; `choices` (point, source) counts where they come from."""

    cycles: Floats
    energy_pj: Floats
    choices: Ints

    def __len__(self) -> int:
        return len(self.cycles)

    def weighed(self, weight: float) -> Tradeoff:
        """Of a network that counts so many times."""
        return Tradeoff(weight * self.cycles, weight * self.energy_pj, self.choices)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """One choice of mappings on a variant.

    `total.value` is the energy, and `total.lower_bound` what no other choice that is as fast goes below. `choices` says
    for each layer of each network how many of its occurrences take which schedule.
    """

    total: Total
    number: int
    choices: dict[str, dict[str, int]]


def tradeoff(cycles: Sequence[float], energies: Sequence[float], choices: Ints) -> Tradeoff:
    """The points that no other one dominates."""
    return _front(np.array(cycles, np.float64), np.array(energies, np.float64), choices)


def _front(cycles: Floats, energies: Floats, choices: Ints) -> Tradeoff:
    kept = _kept(cycles, energies)
    return Tradeoff(cycles[kept], energies[kept], choices[kept])


def _kept(cycles: Floats, energies: Floats) -> Ints:
    """Indices of the points that no other one dominates, one of equal ones, by cycles."""
    order = np.lexsort((energies, cycles))
    falling = energies[order]
    before = np.concatenate([[np.inf], np.minimum.accumulate(falling)[:-1]])
    kept: Ints = order[falling < before]
    return kept


def pareto_sum(one: Tradeoff, other: Tradeoff, *, below: bool = False) -> Tradeoff:
    """What one choice of each may cost together; of bounds with `below`, which thinning must not raise."""
    cycles = (one.cycles[:, None] + other.cycles).ravel()
    energies = (one.energy_pj[:, None] + other.energy_pj).ravel()
    kept = _kept(cycles, energies)
    first, last = _thinned(cycles[kept])
    left, right = np.divmod(kept[last], len(other))
    return Tradeoff(
        cycles[kept[first if below else last]],
        energies[kept[last]],
        one.choices[left] + other.choices[right],
    )


def _thinned(cycles: Floats) -> tuple[Ints, Ints]:
    """The first and the last index of each interval; each point by itself where there are few."""
    every = np.arange(len(cycles))
    if len(cycles) <= MOST_POINTS:
        return every, every
    edges = np.geomspace(cycles[0], cycles[-1], MOST_POINTS + 1)[1:-1]
    interval = np.searchsorted(edges, cycles)
    starts = np.flatnonzero(np.diff(interval, prepend=-1))
    return starts, np.append(starts[1:] - 1, len(cycles) - 1)


def repeated(own: Tradeoff, count: int, *, below: bool = False) -> Tradeoff:
    """What a layer may cost that occurs `count` times (1 or more), each occurrence choosing for itself."""
    result: Tradeoff | None = None
    power = own
    while True:
        if count % 2:
            result = power if result is None else pareto_sum(result, power, below=below)
        count //= 2
        if not count:
            break
        power = pareto_sum(power, power, below=below)
    return own if result is None else result


def operating_points(study: StoredStudy, network: str | None = None) -> Iterator[OperatingPoint]:
    """The operating points of every complete variant, of a network or of all together, variant by variant."""
    plan = study.plan
    groups = groups_of(plan)
    group = groups[-1] if network is None else next(own for own in groups if own.name == network)
    for stored in study:
        total = total_of(plan, stored, group)
        if total.complete:
            yield from _of_variant(plan, stored, study.operating(stored), group, total)


def _of_variant(
    plan: Plan, stored: StoredVariant, schedules: dict[str, tuple[Result | None, ...]], group: Group, total: Total
) -> Iterator[OperatingPoint]:
    labels = [_OBJECTIVE, *plan.operating_options]
    sources = [
        (network.name, layer.name, label) for network in group.networks for layer in network.layers for label in labels
    ]
    columns = {source: column for column, source in enumerate(sources)}
    found: list[Tradeoff] = []
    bounds: list[Tradeoff | None] = []
    for network in group.networks:
        weight = plan.goals.weight(network.name) if len(group.networks) > 1 else 1
        costs: Tradeoff | None = None
        least: Tradeoff | None = None
        for layer in network.layers:
            results = {_OBJECTIVE: stored.results[layer.problem]}
            results |= {label: of_label[layer.problem] for label, of_label in schedules.items()}
            own = repeated(
                _of_layer(results, [columns[network.name, layer.name, label] for label in labels], len(sources)),
                layer.count,
            )
            costs = own if costs is None else pareto_sum(costs, own)
            bound = _bounds_of_layer(results)
            if bound is None:
                least = None
                continue
            bound = repeated(bound, layer.count, below=True)
            first = layer is network.layers[0]
            least = bound if first else None if least is None else pareto_sum(least, bound, below=True)
        if costs is not None:
            found.append(costs.weighed(weight))
            bounds.append(None if least is None else least.weighed(weight))
    whole, lowest = found[0], bounds[0]
    for own, bound in zip(found[1:], bounds[1:], strict=True):
        whole = pareto_sum(whole, own)
        lowest = None if lowest is None or bound is None else pareto_sum(lowest, bound, below=True)
    for number, (cycles, energy_pj) in enumerate(zip(whole.cycles.tolist(), whole.energy_pj.tolist(), strict=True)):
        point = replace(
            total,
            cycles=int(cycles) if cycles.is_integer() else cycles,
            energy_pj=energy_pj,
            value=energy_pj,
            lower_bound=_least_energy(lowest, cycles, energy_pj),
            over_budget=(),
        )
        if point.figures is not None:
            point = replace(point, over_budget=tuple(plan.goals.exceeded(point.figures)))
        yield OperatingPoint(point, number, _choices(sources, whole.choices[number]))


def _of_layer(results: dict[str, Result | None], columns: Sequence[int], width: int) -> Tradeoff:
    """The schedules of a layer, those that there are, as points of one choice each."""
    known = [
        (result.cycles, result.energy_pj, column)
        for result, column in zip(results.values(), columns, strict=False)
        if result is not None and result.cycles is not None and result.energy_pj is not None
    ]
    choices = np.zeros((len(known), width), np.int64)
    choices[np.arange(len(known)), [column for _, _, column in known]] = 1
    return tradeoff([cycles for cycles, _, _ in known], [energy for _, energy, _ in known], choices)


def _bounds_of_layer(results: dict[str, Result | None]) -> Tradeoff | None:
    """Corners below which no mapping of a layer lies; None where something is not proven."""
    limits: list[tuple[float, float]] = []
    least_cycles = 0.0
    for label, result in results.items():
        if label == _OBJECTIVE:
            continue
        if result is None or result.lower_bound is None or result.cycles is None:
            return None
        if label == "latency":
            least_cycles = result.lower_bound
        else:
            limits.append((math.inf if label == "energy" else result.cycles, result.lower_bound))
    if not limits:
        return None
    starts = [least_cycles, *(cycles + 1 for cycles, _ in limits if least_cycles <= cycles < math.inf)]
    energies = [max(bound for cycles, bound in limits if cycles >= start) for start in starts]
    return tradeoff(starts, energies, np.zeros((len(starts), 1), np.int64))


def _least_energy(bounds: Tradeoff | None, cycles: float, energy_pj: float) -> float | None:
    """What no choice within so many cycles goes below; not above `energy_pj`, which was added up in another order."""
    if bounds is None:
        return None
    index = int(np.searchsorted(bounds.cycles, cycles, side="right")) - 1
    return min(float(bounds.energy_pj[index]), energy_pj) if index >= 0 else None


def _choices(sources: Sequence[tuple[str, str, str]], counts: Ints) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for column in np.flatnonzero(counts).tolist():
        network, layer, label = sources[column]
        found.setdefault(f"{network} {layer}", {})[label] = int(counts[column])
    return found
