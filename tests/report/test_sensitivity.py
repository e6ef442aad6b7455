"""Effects and steps over grids whose costs are known formulas."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest

from dse.report.certainty import Standing
from dse.report.nests import short_nest
from dse.report.reasons import grouped_reasons
from dse.report.sensitivity import effects_of, steps_around, summaries_of
from dse.report.totals import Total
from dse.specification.goals import Goals
from dse.specification.space import ParameterGrid
from dse.specification.template import Number
from dse.sweep.reading import VariantName

GRID = ParameterGrid({"a": (1, 2, 4), "b": (1, 10), "still": (7,), "c": (1, 2, 3, 4)})


def make_totals(cycles: Callable[[dict[str, Number]], float]) -> list[Total]:
    totals = []
    for number in range(GRID.size):
        parameters = GRID.parameters(number)
        name = VariantName(number, GRID.name(number), parameters)
        totals.append(Total(name, "net", 1, cycles(parameters), 5.0 * parameters["b"], None, (), macs=1))
    return totals


def test_costs_that_multiply_have_main_effects_alone() -> None:
    latency, energy = effects_of(make_totals(lambda own: 100 / own["a"] * own["b"]), GRID, Goals())
    assert latency.explained == pytest.approx(1.0)
    shares = {main.parameter: main.share for main in latency.main}
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["c"] == pytest.approx(0.0, abs=1e-12)
    assert shares["still"] == 0.0
    assert all(own.share == pytest.approx(0.0, abs=1e-12) for own in latency.interactions)
    first = latency.main[0]
    assert first.factors == pytest.approx((2.0, 1.0, 0.5))
    assert first.counts == (8, 8, 8)
    assert energy.main[1].factors == pytest.approx((math.sqrt(0.1), math.sqrt(10)))


def test_effects_are_told_apart_where_variants_are_missing() -> None:
    """Random half of the grid: `a` still doubles the speed, and `c` still does nothing."""
    totals = make_totals(lambda own: 100 / own["a"] * own["b"])
    kept = random.Random(3).sample(totals, len(totals) // 2)
    latency = effects_of(kept, GRID, Goals())[0]
    factors = latency.main[0].factors
    assert [factors[0], factors[1]] == pytest.approx([2 * factors[1], 2 * factors[2]])
    assert latency.main[3].share == pytest.approx(0.0, abs=1e-9)


def test_parameters_that_change_together_are_one() -> None:
    square = [total for total in make_totals(lambda own: 100.0 / own["a"] / own["c"]) if _tied(total)]
    latency = effects_of(square, GRID, Goals())[0]
    shares = {main.parameter: main.share for main in latency.main}
    assert set(shares) == {"a with c", "b", "still"}
    assert shares["a with c"] == pytest.approx(1.0)
    assert latency.main[0].factors == pytest.approx((4.0, 1.0, 0.25))


def _tied(total: Total) -> bool:
    return total.variant.parameters["a"] == total.variant.parameters["c"]


def test_what_two_parameters_do_together_is_their_interaction() -> None:
    totals = make_totals(lambda own: 50.0 * own["a"] if own["b"] == 1 else 200.0 / own["a"])
    latency = effects_of(totals, GRID, Goals())[0]
    shares = {(own.first, own.second): own.share for own in latency.interactions}
    assert shares["a", "b"] == pytest.approx(1.0)
    assert latency.explained == pytest.approx(0.0, abs=1e-12)


def test_nothing_is_said_of_what_does_not_vary() -> None:
    totals = make_totals(lambda own: 5.0)
    assert [own.objective for own in effects_of(totals, GRID, Goals())] == ["energy"]
    assert effects_of(totals[:1], GRID, Goals()) == []
    assert effects_of([], GRID, Goals()) == []


def test_steps_go_one_value_up_and_down_from_the_front() -> None:
    totals = make_totals(lambda own: 100 / own["a"] * own["b"] + own["c"])
    steps = list(steps_around(totals, GRID, Goals()))
    assert {step.variant for step in steps} == {"v16"}
    named = {(step.parameter, step.up): step for step in steps}
    assert named.keys() == {("a", False), ("b", True), ("c", True)}
    assert named["a", False].ratios == pytest.approx((51 / 26, 1.0))
    (summary,) = [own for own in summaries_of(steps) if own.parameter == "b"]
    assert summary.ratios[1] == pytest.approx((10.0, 10.0, 10.0))
    assert (summary.known, summary.unknown) == (1, 0)


def test_reasons_alike_but_for_numbers_are_one_group() -> None:
    def total(number: int, *missing: str, over: str = "") -> Total:
        name = VariantName(number, f"v{number}", {"a": number})
        return Total(name, "net", 1, None, None, None, missing, over_budget=(over,) if over else ())

    totals = [
        total(0, "conv1: tiles of 12 words, room for 8"),
        total(1, "conv2: tiles of 400 words, room for 8", "conv3: too"),
        total(2, "conv1: WorkerError: died"),
        total(3, over="area_mm2 4 (budget area_mm2 <= 3.5)"),
        total(4, over="area_mm2 5e+01 (budget area_mm2 <= 3.5)"),
    ]
    standings = [Standing.INCOMPLETE] * 3 + [Standing.OVER_BUDGET] * 2
    groups = grouped_reasons(totals, standings)
    assert [(group.standing, group.count) for group in groups] == [
        (Standing.INCOMPLETE, 2),
        (Standing.OVER_BUDGET, 2),
        (Standing.INCOMPLETE, 1),
    ]
    assert groups[0].example == "conv1: tiles of 12 words, room for 8"
    assert groups[0].variants == ("v0", "v1")


def test_nests_are_short() -> None:
    mapping = (
        '[{"target":"L","type":"spatial","factors":"K=4 C=2","permutation":"KC","split":1},'
        '{"target":"L","type":"temporal","factors":"K=1 C=3","permutation":"KC"},'
        '{"target":"D","type":"temporal","factors":"K=5 C=7","permutation":"CK"},'
        '{"target":"L","type":"bypass","keep":["Weights"],"bypass":["Inputs"]},'
        '{"target":"D","type":"bypass","keep":["Weights","Inputs"],"bypass":[]}]'
    )
    assert short_nest(mapping) == ("K5 C7;C3 | C2y K4x", "D: Weights, Inputs;L: Weights")
    assert short_nest('[{"target":"D"}]') == ("", "")
