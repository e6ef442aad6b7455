"""Two studies at equal area, equal energy and equal latency: the best that each has within one budget after the other.

At equal area the EDP is compared, at equal energy the latency, at equal latency the energy. What a study offers within
a budget is the least value among its complete variants that keep it. Its floor holds for all mappings of all of these
variants: a variant counts wherever it is not proven to exceed the budget.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from dse.report.totals import Total
from dse.report.verdict import Known, Verdict, verdict

__all__ = ["Floors", "IsoComparison", "IsoPoint", "compare_iso", "floors_of"]

_MOST_BUDGETS = 5


@dataclass(frozen=True, slots=True)
class Floors:
    """What no choice of mappings goes below on a variant: cycles, pJ and pJ × cycles; 0 where nothing is proven."""

    cycles: float = 0.0
    energy_pj: float = 0.0
    edp: float = 0.0

    def __or__(self, other: Floors) -> Floors:
        """What follows from both; the product of the first two is a floor of the third."""
        cycles, energy_pj = max(self.cycles, other.cycles), max(self.energy_pj, other.energy_pj)
        return Floors(cycles, energy_pj, max(self.edp, other.edp, cycles * energy_pj))


def floors_of(total: Total, objective: str) -> Floors:
    """The floors that a study with this objective has proven for a network on a variant."""
    bound = total.lower_bound or 0.0
    match objective:
        case "latency":
            return Floors(cycles=bound)
        case "energy":
            return Floors(energy_pj=bound)
        case "edp":
            return Floors(edp=bound)
        case _:
            return Floors()


@dataclass(frozen=True, slots=True)
class IsoPoint:
    """One budget: of each study the best within it, and the verdict. Units are those of the comparison."""

    budget: float
    variants: tuple[str, str]
    values: tuple[float, float]
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class IsoComparison:
    """`at_equal` (area, energy, latency) in `budget_unit`, and the quantity compared in `value_unit`.

    `reason` says why there is nothing to compare, where there is not.
    """

    at_equal: str
    budget_unit: str
    quantity: str
    value_unit: str
    points: tuple[IsoPoint, ...]
    reason: str | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "at_equal": self.at_equal,
            "budget_unit": self.budget_unit,
            "quantity": self.quantity,
            "value_unit": self.value_unit,
            "reason": self.reason,
            "points": [
                {
                    "budget": point.budget,
                    "variants": list(point.variants),
                    "values": list(point.values),
                    "verdict": point.verdict.to_dict(),
                }
                for point in self.points
            ],
        }


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A variant: what it needs of the budget, at least and as scheduled, its value and the floor of that."""

    variant: str
    needs: float
    least_needs: float
    value: float
    floors: Floors


Side = tuple[str, Collection[Total], str]
"""A study's name, its totals on the network, and its objective."""

Measure = Callable[[Total], float | None]


def compare_iso(first: Side, second: Side) -> list[IsoComparison]:
    """The three comparisons of two studies on one network."""
    return [
        _compared(
            ("area", "um2", "EDP", "pJ cycles"),
            (first, second),
            lambda total: total.area_um2,
            lambda total: total.edp,
            lambda floors: 0.0,  # no mapping changes the area: what is needed is what is had
            lambda floors, budget: floors.edp,
        ),
        _compared(
            ("energy", "pJ", "latency", "cycles"),
            (first, second),
            lambda total: total.energy_pj,
            lambda total: total.cycles,
            lambda floors: floors.energy_pj,
            lambda floors, budget: max(floors.cycles, floors.edp / budget),
        ),
        _compared(
            ("latency", "cycles", "energy", "pJ"),
            (first, second),
            lambda total: total.cycles,
            lambda total: total.energy_pj,
            lambda floors: floors.cycles,
            lambda floors, budget: max(floors.energy_pj, floors.edp / budget),
        ),
    ]


def _compared(
    words: tuple[str, str, str, str],
    sides: tuple[Side, Side],
    needs: Measure,
    value: Measure,
    least_needs: Callable[[Floors], float],
    floor: Callable[[Floors, float], float],
) -> IsoComparison:
    at_equal = words[0]
    both: list[list[_Candidate]] = []
    for _, totals, objective in sides:
        own: list[_Candidate] = []
        for total in totals:
            needed, reached = needs(total), value(total)
            if total.complete and needed is not None and needed > 0 and reached is not None and reached > 0:
                floors = floors_of(total, objective)
                least = needed if at_equal == "area" else least_needs(floors)
                own.append(_Candidate(total.variant.name, needed, least, reached, floors))
        if not own:
            return IsoComparison(*words, (), f"no complete variant of {sides[len(both)][0]} has a known {at_equal}")
        both.append(own)
    names = (sides[0][0], sides[1][0])
    points = []
    for budget in _budgets(both):
        best: list[_Candidate] = []
        known: list[tuple[str, Known]] = []
        for name, own in zip(names, both, strict=True):
            within = min((each for each in own if each.needs <= budget), key=lambda each: (each.value, each.variant))
            least = min(floor(each.floors, budget) for each in own if each.least_needs <= budget)
            best.append(within)
            known.append((name, Known(within.value, min(least, within.value) or None)))
        found = verdict(words[2], known[0], known[1])
        if found is not None:
            one, other = best
            points.append(IsoPoint(budget, (one.variant, other.variant), (one.value, other.value), found))
    return IsoComparison(*words, tuple(points))


def _budgets(both: Sequence[Sequence[_Candidate]]) -> list[float]:
    """Budgets that both studies keep, at which either gets better; some of them where there are many."""
    levels: set[float] = set()
    for own in both:
        best = float("inf")
        for each in sorted(own, key=lambda each: (each.needs, each.value)):
            if each.value < best:
                best = each.value
                levels.add(each.needs)
    start = max(min(each.needs for each in own) for own in both)
    ordered = sorted(levels)
    ordered = ordered[bisect_right(ordered, start) - 1 :]
    if len(ordered) <= _MOST_BUDGETS:
        return ordered
    step = (len(ordered) - 1) / (_MOST_BUDGETS - 1)
    return [ordered[round(position * step)] for position in range(_MOST_BUDGETS)]
