"""Objectives, budgets and combinations: what they are worth, and every way to write them wrongly."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.specification.document import parse_document
from dse.specification.goals import Budget, Goals
from dse.specification.objectives import OBJECTIVES, QUANTITIES, Figures, combined
from dse.specification.study import parse_study
from dse.sweep.plan import check_areas

STUDY = """study:
  name: s
  template: simba
  parameters: {pe_count: [4]}
  networks: NETWORKS
"""
WANTED = "study.budgets[0]: expected a limit such as area_mm2 <= 10"
FIGURES = Figures(cycles=2_000_000, energy_pj=4e9, macs=500_000_000, mac_units=1024, area_um2=3e6)
figures = st.builds(
    Figures,
    st.integers(1, 10**12),
    st.floats(1e-3, 1e15),
    st.integers(1, 10**12),
    st.just(64),
    st.just(1e6),
)


def goals_of(more: str, networks: str = "[alexnet]") -> Goals:
    return parse_study(parse_document(STUDY.replace("NETWORKS", networks) + more, "s.yaml"), Path()).goals


def values(clock_mhz: float = 1000.0) -> dict[str, float]:
    return {name: own.value(own.cost(FIGURES, clock_mhz)) for name, own in OBJECTIVES.items()}


def test_values_of_objectives() -> None:
    """2 million cycles at 1 GHz are 2 ms; 4 mJ in them are 2 W; 1 G operations in them are 500 GOP/s at 0.25 TOPS/W."""
    assert values() == pytest.approx(
        {
            "latency": 2e6,
            "energy": 4e9,
            "edp": 8e15,
            "area": 3e6,
            "power": 2.0,
            "utilization": 5e8 / (2e6 * 1024),
            "throughput": 500.0,
            "tops_per_watt": 0.25,
        }
    )
    assert values(500.0)["power"] == pytest.approx(1.0)
    assert values(500.0)["throughput"] == pytest.approx(250.0)


def test_values_of_quantities() -> None:
    found = {name: quantity.value(FIGURES, 500.0) for name, quantity in QUANTITIES.items()}
    assert found["latency_cycles"] == 2e6
    assert found["latency_us"] == pytest.approx(4000.0)
    assert found["latency_ms"] == pytest.approx(4.0)
    assert found["latency_s"] == pytest.approx(4e-3)
    assert found["energy_uj"] == pytest.approx(4000.0)
    assert found["energy_mj"] == pytest.approx(4.0)
    assert found["energy_j"] == pytest.approx(4e-3)
    assert found["edp_js"] == pytest.approx(4e-3 * 4e-3)
    assert found["area_mm2"] == pytest.approx(3.0)
    assert found["power_mw"] == pytest.approx(1000.0)
    assert found["throughput_tops"] == pytest.approx(0.25)


@given(st.lists(figures, min_size=1, max_size=4), st.lists(st.floats(0.1, 10), min_size=4, max_size=4))
def test_the_geometric_mean_of_every_objective_is_the_objective_of_the_means(
    networks: list[Figures], weights: list[float]
) -> None:
    weights = weights[: len(networks)]
    mean = combined(networks, weights, "geometric_mean")
    for objective in OBJECTIVES.values():
        logs = [weight * math.log(objective.cost(own, 700.0)) for own, weight in zip(networks, weights, strict=True)]
        expected = math.exp(math.fsum(logs) / math.fsum(weights))
        assert objective.cost(mean, 700.0) == pytest.approx(expected, rel=1e-9)


@given(figures, figures)
def test_costs_grow_with_what_bounds_bound(one: Figures, other: Figures) -> None:
    least = Figures(min(one.cycles, other.cycles), min(one.energy_pj, other.energy_pj), one.macs, 64, 1e6)
    for objective in OBJECTIVES.values():
        if objective.monotone:
            assert objective.cost(least, 1000.0) <= objective.cost(one, 1000.0)


def test_what_is_not_known_has_no_cost_and_exceeds_nothing() -> None:
    goals = Goals(("latency", "area"), budgets=(Budget("area_mm2", 1.0), Budget("utilization", 0.5)))
    unknown = Figures(10, 1.0, 10)
    assert math.isnan(goals.costs(unknown)[1])
    assert list(goals.exceeded(unknown)) == []
    assert list(goals.exceeded(FIGURES)) == [
        "area_mm2 3 (budget area_mm2 <= 1)",
        "utilization 0.2441 (budget utilization >= 0.5)",
    ]


def test_goals_of_a_study() -> None:
    assert goals_of("") == Goals()
    found = goals_of(
        "  objectives: [latency, energy, area]\n  clock_mhz: 200\n  budgets: [area_mm2 <= 10, utilization>=0.5]\n"
        "  combine: geometric_mean\n  reference: {latency: 1e9, energy: 1e12, area: 2e7}\n",
        "[{network: alexnet, weight: 2.5}, {network: resnet50}]",
    )
    assert found.objectives == ("latency", "energy", "area")
    assert (found.clock_mhz, found.combine) == (200.0, "geometric_mean")
    assert found.budgets == (Budget("area_mm2", 10.0), Budget("utilization", 0.5))
    assert found.weights == {"AlexNet": 2.5}
    assert found.reference == {"latency": 1e9, "energy": 1e12, "area": 2e7}
    assert Goals.from_dict(json.loads(json.dumps(found.to_dict()))) == found


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("objectives: [latency]", "study.objectives: expected two or three objectives, got 1"),
        ("objectives: [latency, energy, edp, area]", "study.objectives: expected two or three objectives, got 4"),
        ("objectives: [latency, latency]", "study.objectives[1]: latency stands twice"),
        ("objectives: [latency, 3]", "study.objectives[1]: expected the name of an objective, got 3"),
        (
            "objectives: [latency, energie]",
            'study.objectives[1]: unknown objective "energie"; did you mean "energy"?',
        ),
        ("clock_mhz: 0", "study.clock_mhz: expected a number above 0, got 0"),
        ("budgets: [area <= 3]", 'study.budgets[0]: unknown quantity "area"; did you mean "area_um2"?'),
        ("budgets: [area_mm2 >= 3]", "study.budgets[0]: of area_mm2 less is better: expected area_mm2 <= 3"),
        ("budgets: [utilization <= 0.5]", "study.budgets[0]: of utilization more is better: expected utilization >="),
        ("budgets: [power_w]", f'{WANTED}, got "power_w"'),
        ("budgets: [power_w <= x]", f'{WANTED}, got "power_w <= x"'),
        ("budgets: [power_w <= nan]", f'{WANTED}, got "power_w <= nan"'),
        ("budgets: [3]", f"{WANTED}, got 3"),
        ("combine: mean", 'study.combine: expected one of sum, geometric_mean, got "mean"'),
        (
            "reference: {latency: 3}",
            "study.reference.energy: expected a value for every objective of the study, got nothing",
        ),
        ("reference: {latency: 3, energy: 1, area: 2}", 'study.reference.area: unknown key'),
    ],
)  # fmt: skip
def test_every_slip_is_named(text: str, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        goals_of(f"  {text}\n")
    assert str(caught.value).startswith(f"s.yaml:6: {fault}")
    assert len(caught.value.faults) == 1


@pytest.mark.parametrize(
    ("network", "fault"),
    [
        ("{network: alexnet, weight: 0}", "study.networks[0].weight: expected a number above 0, got 0"),
        ("{network: alexne}", 'study.networks[0].network: unknown network "alexne"'),
        ("{weight: 2}", "study.networks[0].network: expected the name or the path of a network, got nothing"),
        ("{network: alexnet, wait: 2}", 'study.networks[0].wait: unknown key; did you mean "weight"?'),
    ],
)
def test_every_slip_in_a_network_is_named(network: str, fault: str) -> None:
    with pytest.raises(InputError) as caught:
        goals_of("", f"[{network}]")
    assert str(caught.value).startswith(f"s.yaml:5: {fault}")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("  objectives: [latency, area]\n", "study.objectives: the objective area needs areas"),
        ("  budgets: [power_w <= 1, area_mm2 <= 10]\n", "study.budgets: the budget area_mm2 <= 10 needs areas"),
    ],
)
def test_areas_have_to_be_known_where_they_are_needed(text: str, wanted: str) -> None:
    document = parse_document(STUDY.replace("NETWORKS", "[alexnet]") + text, "s.yaml")
    with pytest.raises(InputError) as caught:
        check_areas(parse_study(document, Path()))
    assert wanted in str(caught.value)
    assert str(caught.value).startswith("s.yaml:6: ")
    assert "simba.yaml gives none: give it costs" in str(caught.value)
    check_areas(parse_study(parse_document(STUDY.replace("NETWORKS", "[alexnet]"), "s.yaml"), Path()))
