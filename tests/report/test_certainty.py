"""What proven gaps leave open, against a brute force over all schedules that they allow."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.fronts import non_dominated
from dse.report.certainty import Standing, best_costs, certainty_of
from dse.report.totals import Total
from dse.specification.goals import Goals
from dse.sweep.reading import VariantName

Point = tuple[float, float, float]
"""Cycles, pJ, and the least possible as a share of what was found."""

points_of = st.lists(
    st.tuples(st.integers(1, 12), st.integers(1, 12), st.sampled_from([0.5, 0.8, 0.95, 1.0])), min_size=1, max_size=7
)


def make_totals(points: Sequence[Point], objective: str) -> list[Total]:
    totals: list[Total] = []
    for number, (cycles, energy_pj, ratio) in enumerate(points):
        value = {"latency": cycles, "energy": energy_pj, "edp": cycles * energy_pj}.get(objective, 1.0)
        name = VariantName(number, f"v{number}", {"x": number})
        total = Total(name, "net", 1, cycles, energy_pj, None, (), float(value), value * ratio, macs=100)
        totals.append(total if objective != "cosa" else replace(total, value=None, lower_bound=None))
    return totals


def improved(point: Point, objective: str) -> list[tuple[float, float]]:
    """What a better schedule can reach: a fine grid of what the bound allows."""
    cycles, energy_pj, ratio = point
    steps = np.linspace(ratio, 1.0, 9).tolist()
    if objective == "latency":
        return [(cycles * step, energy_pj) for step in steps]
    if objective == "energy":
        return [(cycles, energy_pj * step) for step in steps]
    return [(cycles * one, energy_pj * ratio / one) for one in steps] + [(cycles, energy_pj)]


@given(points_of, st.sampled_from(["latency", "energy", "edp"]))
def test_what_is_not_marked_stays_where_it_is(points: list[Point], objective: str) -> None:
    """Whatever single variant improves as far as its proof allows: points that are not marked keep their place."""
    certainty = certainty_of(make_totals(points, objective), Goals(), objective)
    front = [standing in (Standing.FRONT, Standing.OPEN) for standing in certainty.standings]
    found = [(float(cycles), float(energy_pj)) for cycles, energy_pj, _ in points]
    assert front == non_dominated(np.array(found)).tolist()
    for index, point in enumerate(points):
        for better in improved(point, objective):
            moved = [*found]
            moved[index] = better
            now = non_dominated(np.array(moved)).tolist()
            for other, standing in enumerate(certainty.standings):
                if standing is Standing.FRONT and other != index:
                    assert now[other]
                if standing is Standing.DOMINATED and other == index:
                    assert not now[other]


@given(points_of, st.sampled_from(["latency", "energy", "edp"]))
def test_rivals_explain_every_mark(points: list[Point], objective: str) -> None:
    certainty = certainty_of(make_totals(points, objective), Goals(), objective)
    marked = {
        index for index, standing in enumerate(certainty.standings) if standing in (Standing.OPEN, Standing.CONTENDER)
    }
    assert certainty.rivals.keys() == marked
    assert all(certainty.rivals.values())


def test_a_wide_gap_opens_the_front_and_a_narrow_one_does_not() -> None:
    wide = certainty_of(make_totals([(10, 10, 1.0), (11, 11, 0.8)], "edp"), Goals(), "edp")
    narrow = certainty_of(make_totals([(10, 10, 1.0), (11, 11, 0.95)], "edp"), Goals(), "edp")
    assert wide.standings == (Standing.OPEN, Standing.CONTENDER)
    assert wide.rivals == {0: (1,), 1: (0,)}
    assert narrow.standings == (Standing.FRONT, Standing.DOMINATED)


def test_cosa_proves_nothing() -> None:
    certainty = certainty_of(make_totals([(10, 10, 0.5), (11, 11, 0.5)], "cosa"), Goals(), "cosa")
    assert not certainty.proven
    assert certainty.standings == (Standing.FRONT, Standing.DOMINATED)


@pytest.mark.parametrize("objective", ["latency", "energy", "edp"])
@pytest.mark.parametrize("names", list(itertools.combinations(("latency", "energy", "edp", "power", "throughput"), 2)))
def test_the_best_is_never_worse_than_what_is_possible(objective: str, names: tuple[str, str]) -> None:
    goals = Goals(names)
    point = (10.0, 7.0, 0.8)
    (total,) = make_totals([point], objective)
    best = best_costs([total], goals, objective)[0]
    for cycles, energy_pj in improved(point, objective):
        costs = goals.costs(replace(total, cycles=cycles, energy_pj=energy_pj).figures or pytest.fail("no figures"))
        assert all(least <= cost * (1 + 1e-12) for least, cost in zip(best, costs, strict=True))


def test_those_that_cannot_be_compared_say_why() -> None:
    name = VariantName(0, "v0", {"x": 0})
    missing = [("no valid architecture: half",), ("conv: not scheduled yet",), ("pruned: bounds",)]
    totals = [Total(name, "net", 1, None, None, None, why, pruned=why[0].startswith("pruned")) for why in missing]
    totals.append(Total(name, "net", 1, 5, 5.0, None, (), over_budget=("area",)))
    standings = certainty_of(totals, Goals(), "edp").standings
    assert standings == (Standing.REFUSED, Standing.INCOMPLETE, Standing.PRUNED, Standing.OVER_BUDGET)
