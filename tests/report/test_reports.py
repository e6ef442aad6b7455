"""Totals, fronts, tables, exports and comparisons over made-up results of a plan."""

import csv
import io
import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from matplotlib.image import imread

from dse.errors import InputError
from dse.report.comparison import compare_network, render_comparison
from dse.report.export import Row, columns_of, layer_rows, variant_rows, write_rows
from dse.report.figure import draw_front
from dse.report.front import costs, hypervolume, non_dominated, on_front, volume_of
from dse.report.table import energy_unit, render_front, render_incomplete
from dse.report.totals import StudyTotals, Total, totals_named
from dse.specification.goals import Budget, Goals
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import Plan, PlannedLayer, PlannedNetwork, PlannedProblem
from dse.sweep.reading import StoredStudy, VariantName, read_study
from dse.sweep.store import ResultStore, VariantRow
from dse.sweep.task import FAILED, Result

figure_of_cost = st.sampled_from([1.0, 2.0, 3.0, 5.0, 7.5, math.nan])


def make_plan(variants: int = 4) -> Plan:
    """Two problems; network `a` has the first twice and the second once, network `b` the second three times."""
    return Plan(
        "made up",
        "",
        {},
        {"pe_count": tuple(2**number for number in range(variants)), "share": (0.5,)},
        (),
        {},
        {"objective": "cosa"},
        "embedded",
        "dse 0",
        (PlannedProblem({}, 10, "shape", "p"), PlannedProblem({}, 1000, "shape", "q")),
        (
            PlannedNetwork("a", "", (PlannedLayer("conv", 2, 0), PlannedLayer("fc", 1, 1))),
            PlannedNetwork("b", "", (PlannedLayer("fc", 3, 1),)),
        ),
        variants,
    )


Results = dict[tuple[int, int], Result]
"""Results by (number of the variant, index of the problem)."""


def make_results(plan: Plan) -> Results:
    """Latency falls and energy rises with the variant; variant 3 is slower than variant 2 and needs more energy."""
    results: Results = {}
    for variant, problem in itertools.product(range(plan.grid.size), range(2)):
        cycles = 1000 // (variant + 1) * (problem + 1) if variant < 3 else 900 * (problem + 1)
        results[variant, problem] = Result(
            "",
            "optimal",
            "cosa",
            solver="SCIP",
            value=1.0,
            cycles=cycles,
            energy_pj=0.1 * (variant + 1) * (problem + 1) * 1e6,
            utilization=0.5,
            mapping='[{"target":"DRAM"}]',
            total_seconds=1.5,
        )
    return results


@pytest.fixture
def stored(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., StoredStudy]]:
    """Writes a plan with results into a folder, and reads it from there."""
    with ExitStack() as stack:

        def write(plan: Plan, results: Results, rows: Sequence[VariantRow] = ()) -> StoredStudy:
            folder = StudyFolder(tmp_path_factory.mktemp("study"))
            looked_at = {plan.grid.text(number): VariantRow(plan.grid.text(number)) for number in range(plan.grid.size)}
            looked_at = {text: replace(row, digests={"shape": text}) for text, row in looked_at.items()}
            looked_at |= {row.parameters: row for row in rows}
            with folder.claimed(plan), ResultStore(folder.store_file, plan.program) as store:
                store.add_variants(reversed(looked_at.values()))
                for (variant, problem), result in results.items():
                    key = plan.key({"shape": plan.grid.text(variant)}, problem)
                    store.add([replace(result, key=key)])
            return stack.enter_context(read_study(folder))

        yield write


def written(rows: Iterable[Row], file_format: str, level: str, plan: Plan, timings: bool = False) -> bytes:
    file = io.BytesIO()
    write_rows(rows, file_format, columns_of(plan, level, timings), plan, file)
    return file.getvalue()


def make_totals(points: Sequence[tuple[float, float]]) -> list[Total]:
    """Totals of which those with a NaN are incomplete."""
    return [
        Total(VariantName(index, f"v{index}", {"x": index}), "net", 1, None, None, None, ("conv: why",))
        if math.isnan(cycles) or math.isnan(energy)
        else Total(VariantName(index, f"v{index}", {"x": index}), "net", 1, int(cycles * 10), energy, None, ())
        for index, (cycles, energy) in enumerate(points)
    ]


def test_totals_count_layers_as_often_as_they_occur(stored: Callable[..., StoredStudy]) -> None:
    plan = make_plan()
    study = stored(plan, make_results(plan))
    of_a, of_b, of_all = (list(totals_named(study, name)) for name in ("a", "b", None))
    assert [total.cycles for total in of_a] == [2 * 1000 + 2000, 2 * 500 + 1000, 2 * 333 + 666, 2 * 900 + 1800]
    assert of_b[1].cycles == 3 * 1000
    assert of_a[0].energy_pj == pytest.approx(2 * 1e5 + 2e5)
    assert [total.layers for total in (of_a[0], of_b[0], of_all[0])] == [3, 3, 6]
    for a, b, both in zip(of_a, of_b, of_all, strict=True):
        assert both.cycles == (a.cycles or 0) + (b.cycles or 0)
        assert both.energy_pj == pytest.approx((a.energy_pj or 0) + (b.energy_pj or 0))
        assert both.edp == pytest.approx((both.cycles or 0) * (both.energy_pj or 0))
    assert {total.network for total in of_all} == {"all"}
    with pytest.raises(InputError, match='the study has no network "c"'):
        totals_named(study, "c")


layer_choices = st.lists(
    st.tuples(
        st.integers(1, 9),
        st.lists(st.tuples(st.integers(1, 10**6), st.floats(1.0, 1e9)), min_size=1, max_size=4),
    ),
    min_size=2,
    max_size=2,
)


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["latency", "energy", "edp"]), layer_choices)
def test_no_choice_of_mappings_brings_a_network_below_its_bound(
    stored: Callable[..., StoredStudy], objective: str, layers: list[tuple[int, list[tuple[int, float]]]]
) -> None:
    """Each layer has some mappings (cycles, pJ); its bound is its best figure. No total lies below."""
    plan = make_plan(1)
    network = PlannedNetwork("n", "", tuple(PlannedLayer(f"l{i}", count, i) for i, (count, _) in enumerate(layers)))
    plan = replace(plan, options={"objective": objective}, networks=(network,))
    figures: dict[str, Callable[[int, float], float]] = {
        "latency": lambda cycles, _: float(cycles),
        "energy": lambda _, energy: energy,
        "edp": lambda cycles, energy: cycles * energy,
    }
    figure = figures[objective]
    for choice in itertools.product(*(mappings for _, mappings in layers)):
        results = {}
        for index, (cycles, energy) in enumerate(choice):
            bound = min(itertools.starmap(figure, layers[index][1]))
            results[0, index] = Result("", "optimal", objective, cycles=cycles, energy_pj=energy, lower_bound=bound)
        (total,) = totals_named(stored(plan, results))
        assert total.value is not None
        assert total.gap is not None
        assert total.gap >= -1e-12


def test_a_network_without_a_bound_on_every_layer_has_none(stored: Callable[..., StoredStudy]) -> None:
    plan = replace(make_plan(1), options={"objective": "energy"})
    (total,) = totals_named(stored(plan, make_results(plan)))
    assert (total.lower_bound, total.gap) == (None, None)


def test_a_variant_without_a_layer_is_incomplete_with_the_reason(stored: Callable[..., StoredStudy]) -> None:
    plan = make_plan()
    results = make_results(plan)
    results[0, 0] = Result("", "infeasible", "cosa", error="nothing\nfits")
    results[1, 1] = Result("", FAILED, "cosa", error="gone", error_type="WorkerCrashedError")
    del results[2, 1]
    study = stored(plan, results)
    totals = list(totals_named(study))
    assert [total.complete for total in totals] == [False, False, False, True]
    assert totals[0].missing == ("a conv: nothing fits",)
    assert totals[1].missing == ("a fc: WorkerCrashedError: gone", "b fc: WorkerCrashedError: gone")
    assert totals[2].missing == ("a fc: not scheduled yet", "b fc: not scheduled yet")
    assert totals[0].cycles is None
    assert totals[0].energy_pj is None
    assert on_front(totals) == [False, False, False, True]
    text = render_incomplete(totals)
    assert text.splitlines()[0] == "3 of 4 variants incomplete, not compared:"
    assert "v0 pe_count=1 share=0.5: a conv: nothing fits" in text
    assert "v1 pe_count=2 share=0.5: a fc: WorkerCrashedError: gone (and 1 more layers)" in text
    rows = [row for row in variant_rows(StudyTotals(study)) if row["network"] == "a"]
    assert [row["variant"] for row in rows] == ["v0", "v1", "v2", "v3"]
    assert [row["cycles"] for row in rows[:3]] == [None] * 3
    assert rows[0]["error"] == "conv: nothing fits"


@given(points=st.lists(st.tuples(figure_of_cost, figure_of_cost), max_size=25))
def test_front_is_what_brute_force_says(points: list[tuple[float, float]]) -> None:
    array = np.array(points, dtype=float).reshape(len(points), 2)

    def dominates(one: tuple[float, float], other: tuple[float, float]) -> bool:
        return all(a <= b for a, b in zip(one, other, strict=True)) and one != other

    expected = [
        not any(map(math.isnan, point)) and not any(dominates(other, point) for other in points) for point in points
    ]
    assert non_dominated(array).tolist() == expected


@given(points=st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8))
def test_hypervolume_is_the_number_of_dominated_cells(points: list[tuple[int, int]]) -> None:
    array = np.array(points, dtype=float).reshape(len(points), 2)
    cells = sum(any(x <= i and y <= j for x, y in points) for i, j in itertools.product(range(6), repeat=2))
    assert hypervolume(array, np.array([6.0, 6.0])) == pytest.approx(cells)


def test_a_large_study_is_streamed_to_the_same_tables(
    stored: Callable[..., StoredStudy], monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = make_plan()
    study = stored(plan, make_results(plan))
    kept = StudyTotals(study)
    monkeypatch.setattr("dse.report.totals._KEPT_IN_MEMORY", 3)
    streamed = StudyTotals(study)
    for network in ("a", "b", None):
        for everything in (False, True):
            tables = [render_front(plan, totals.named(network), everything) for totals in (kept, streamed)]
            assert tables[0] == tables[1]
    assert list(variant_rows(kept)) == list(variant_rows(streamed))


def test_table_shows_the_front_by_latency_and_marks_it_among_all(stored: Callable[..., StoredStudy]) -> None:
    plan = make_plan()
    totals = totals_named(stored(plan, make_results(plan)))
    front = render_front(plan, totals).splitlines()
    assert front[0] == (
        "made up: a + b, objective cosa. 4 of 4 variants complete, 3 on the Pareto front of latency and energy"
    )
    assert front[2].split() == ["variant", "pe_count", "share", "cycles", "energy", "[µJ]", "EDP", "[pJ", "cycles]"]
    assert [line.split()[0] for line in front[3:]] == ["v2", "v1", "v0"]
    assert front[5].split() == ["v0", "1", "0.5", "10,000", "1", "1e+10"]
    everything = render_front(plan, totals, everything=True)
    assert "v3   " in everything
    assert "v2 *" in everything
    assert "* on the front" in everything


@pytest.mark.parametrize(
    ("largest", "unit"), [(0.5, "pJ"), (999.0, "pJ"), (1e3, "nJ"), (2e6, "µJ"), (3e9, "mJ"), (5e15, "J")]
)
def test_energy_unit_fits_the_largest_figure(largest: float, unit: str) -> None:
    assert energy_unit(largest)[1] == unit


def test_rows_are_sorted_and_hold_times_only_on_request(stored: Callable[..., StoredStudy]) -> None:
    plan = make_plan()
    results = make_results(plan)
    study = stored(plan, results)
    rows = list(layer_rows(study))
    keys = [(row["variant"], row["network"], row["layer"]) for row in rows]
    assert keys == [
        (f"v{variant}", network, layer)
        for variant in range(4)
        for network, layer in [("a", "conv"), ("a", "fc"), ("b", "fc")]
    ]
    assert not any("seconds" in name for name in rows[0])
    assert next(layer_rows(study, timings=True))["total_seconds"] == 1.5
    assert next(variant_rows(StudyTotals(study), timings=True))["total_seconds"] == 3.0
    shuffled = stored(plan, dict(reversed(results.items())))
    for file_format in ("csv", "jsonl", "parquet"):
        assert written(rows, file_format, "layer", plan) == written(layer_rows(shuffled), file_format, "layer", plan)


def as_in_json(row: Row) -> Row:
    """A mapping is a list of directives there, and its text elsewhere."""
    return row | {"mapping": json.loads(row["mapping"])} if row.get("mapping") else row


@pytest.mark.parametrize("timings", [False, True])
def test_formats_hold_the_same_rows(stored: Callable[..., StoredStudy], timings: bool) -> None:
    plan = make_plan()
    results = make_results(plan)
    results[1, 1] = Result("", "infeasible", "cosa", error='no "room", none')
    study = stored(plan, results)
    for level, made in (("layer", layer_rows(study, timings)), ("variant", variant_rows(StudyTotals(study), timings))):
        rows = list(made)
        lines = [json.loads(line) for line in written(rows, "jsonl", level, plan, timings).decode().splitlines()]
        assert [as_in_json(row) for row in rows] == lines
        table = pq.read_table(io.BytesIO(written(rows, "parquet", level, plan, timings))).to_pylist()
        cells = list(csv.DictReader(io.StringIO(written(rows, "csv", level, plan, timings).decode())))
        assert len(table) == len(cells) == len(rows)
        for row, typed, text in zip(rows, table, cells, strict=True):
            assert typed["cycles"] == row["cycles"]
            assert typed["parameters.pe_count"] == row["parameters"]["pe_count"]
            assert typed["parameters.share"] == row["parameters"]["share"]
            assert text["error"] == (row["error"] or "")
            assert text["energy_pJ"] == ("" if row["energy_pJ"] is None else repr(row["energy_pJ"]))
            assert list(typed) == list(text)
            assert len(row) - 1 + len(row["parameters"]) == len(text)


@pytest.mark.parametrize("level", ["layer", "variant"])
def test_tables_without_rows_have_their_columns(level: str) -> None:
    plan = make_plan()
    assert written([], "csv", level, plan).decode().startswith("variant,parameters.pe_count,")
    assert pq.read_table(io.BytesIO(written([], "parquet", level, plan))).num_rows == 0


def test_variants_that_are_no_architecture_or_were_pruned_say_why(stored: Callable[..., StoredStudy]) -> None:
    plan = make_plan()
    results = {key: result for key, result in make_results(plan).items() if key[0] not in (1, 3)}
    text = plan.grid.text
    refused = VariantRow(text(1), status="refused", reason="half an element")
    bounds = ((70, 1.5), (80, 2.5))
    pruned = VariantRow(text(3), {}, "pruned", bounds=bounds, beaten_by=text(2), workload=plan.workload)
    study = stored(plan, results, [refused, pruned])
    totals = list(totals_named(study))
    assert [total.complete for total in totals] == [True, False, True, False]
    assert totals[1].missing == ("no valid architecture: half an element",)
    reason = "pruned: a takes at least 70 cycles and 1.5 pJ; b takes at least 80 cycles and 2.5 pJ, and v2 less"
    assert totals[3].missing == (reason,)
    rows = [row for row in layer_rows(study) if row["layer"] == "conv"]
    assert [row["termination"] for row in rows] == ["optimal", "no architecture", "optimal", "pruned"]
    assert rows[3]["error"] == reason
    grown = stored(plan, results, [replace(pruned, workload="of fewer networks")])
    assert list(totals_named(grown))[3].missing[0] == "a conv: not scheduled yet"


@pytest.mark.parametrize(("points", "spread"), [(0, 1), (1, 1), (4, 1000), (60, 1)])
def test_picture_is_drawn_whatever_there_is_to_draw(tmp_path: Path, points: int, spread: int) -> None:
    plan = make_plan(1)
    totals = make_totals([(1 + index * spread, 1e9 / (1 + index)) for index in range(points)] + [(math.nan, 1.0)])
    files = [tmp_path / name for name in ("a.png", "a.svg", "a.pdf")]
    draw_front(plan, totals, files)
    draw_front(plan, totals, [tmp_path / "b.svg"])
    picture = imread(files[0])
    assert picture.shape[0] > 500
    assert picture.std() > 0.01
    svg = files[1].read_bytes()
    assert b"<svg" in svg
    assert svg == (tmp_path / "b.svg").read_bytes()


def test_studies_are_compared_on_their_joint_front() -> None:
    fast = make_totals([(1, 9), (2, 6), (math.nan, 1)])
    frugal = make_totals([(2, 7), (5, 1)])
    comparison = compare_network("net", {"fast": fast, "frugal": frugal})
    first, second = comparison.studies
    assert (first.variants, first.complete, first.front, first.joint_front, first.dominated) == (3, 2, 2, 2, 0)
    assert (second.variants, second.complete, second.front, second.joint_front, second.dominated) == (2, 2, 2, 1, 1)
    assert (first.least_cycles, second.least_cycles) == (10, 20)
    assert (first.least_energy_pj, second.least_energy_pj) == (6, 1)
    assert first.hypervolume == pytest.approx(30 * 3 / (40 * 8))
    assert second.hypervolume == pytest.approx(30 * 2 / (40 * 8))
    assert [(study, total.variant.name) for study, total in comparison.joint] == [
        ("fast", "v0"),
        ("fast", "v1"),
        ("frugal", "v1"),
    ]
    text = render_comparison(comparison)
    assert "Joint front:" in text
    assert json.loads(json.dumps(comparison.to_dict()))["studies"][1]["front_dominated"] == 1


def test_comparison_of_nothing_complete() -> None:
    nothing = make_totals([(math.nan, 1.0)])
    comparison = compare_network("net", {"one": nothing, "other": nothing})
    assert comparison.joint == ()
    assert render_comparison(comparison)


def test_costs_of_incomplete_totals_are_not_numbers() -> None:
    totals = make_totals([(1, 2), (math.nan, 1)])
    assert np.isnan(costs(totals)).tolist() == [[False, False], [True, True]]
    half = replace(totals[0], energy_pj=None)
    assert np.isnan(costs([half])).all()


def with_goals(plan: Plan, **goals: Any) -> tuple[Plan, Results]:
    """A plan whose variants have an area and one MAC per 10 um2, and its results."""
    results = {
        (variant, problem): replace(
            result,
            area_um2=1e6 * (variant + 1),
            utilization=plan.problems[problem].macs / (10.0 * (variant + 1) * (result.cycles or 1)),
        )
        for (variant, problem), result in make_results(plan).items()
    }
    return replace(plan, goals=Goals(**goals)), results


def test_the_front_of_three_objectives_within_budgets(stored: Callable[..., StoredStudy]) -> None:
    """Variant 3 is dominated in latency and energy; of utilization and area, small variants have the best."""
    plan, results = with_goals(make_plan(), objectives=("latency", "energy", "utilization"))
    study = stored(plan, results)
    totals = list(totals_named(study))
    assert [total.mac_units for total in totals] == [10, 20, 30, 40]
    assert on_front(totals, plan.goals) == [True, True, True, False]
    assert on_front(totals, Goals(("latency", "area"))) == [True, True, True, False]
    assert on_front(totals, Goals(("energy", "area"))) == [True, False, False, False]
    limited, _ = with_goals(make_plan(), budgets=(Budget("area_mm2", 2.5), Budget("latency_cycles", 11000.0)))
    totals = list(totals_named(stored(limited, results)))
    assert [bool(total.over_budget) for total in totals] == [False, False, True, True]
    assert on_front(totals) == [True, True, False, False]
    assert totals[2].over_budget == ("area_mm2 3 (budget area_mm2 <= 2.5)",)
    text = render_front(limited, totals)
    assert "4 of 4 variants complete, 2 over budget, 2 on the Pareto front of latency and energy" in text
    assert "hypervolume" in text
    everything = render_front(limited, totals, everything=True)
    assert "area_mm2 4 (budget area_mm2 <= 2.5)" in everything
    # One network alone is faster than both: it keeps to a limit that their sum exceeds.
    slow, _ = with_goals(make_plan(), budgets=(Budget("latency_cycles", 9500.0),))
    study = stored(slow, results)
    assert [bool(total.over_budget) for total in totals_named(study)] == [True, False, False, False]
    assert not any(total.over_budget for total in totals_named(study, "a"))


def test_a_variant_left_out_for_its_area_says_so(stored: Callable[..., StoredStudy]) -> None:
    plan, results = with_goals(make_plan(), budgets=(Budget("area_mm2", 3.5),))
    reason = "over budget: area_mm2 4 (budget area_mm2 <= 3.5)"
    large = VariantRow(plan.grid.text(3), {}, "pruned", reason=reason, workload=plan.workload)
    results = {key: result for key, result in results.items() if key[0] != 3}
    study = stored(plan, results, [large])
    totals = list(totals_named(study))
    assert totals[3].missing == (f"pruned: {reason}",)
    assert totals[3].over_budget == (reason,)
    assert "3 of 4 variants complete, 1 over budget, 3 on the Pareto front" in render_front(plan, totals)
    assert render_incomplete(totals) == ""
    rows = list(variant_rows(StudyTotals(study)))
    assert [row["over_budget"] for row in rows if row["network"] == "all"] == [None, None, None, reason]
    for row in rows:
        names = columns_of(plan, "variant")
        assert [name.removeprefix("parameters.") for name in names] == [
            key for name, value in row.items() for key in (value if isinstance(value, dict) else [name])
        ]


@pytest.mark.parametrize("combine", ["sum", "geometric_mean"])
def test_networks_weigh_as_the_study_says(stored: Callable[..., StoredStudy], combine: str) -> None:
    plan, results = with_goals(
        make_plan(), combine=combine, weights={"a": 2.5}, objectives=("power", "throughput", "tops_per_watt")
    )
    plan = replace(plan, options={"objective": "latency"})
    results = {key: replace(result, lower_bound=0.9 * (result.cycles or 0)) for key, result in results.items()}
    study = stored(plan, results)
    for a, b, both in zip(*(totals_named(study, name) for name in ("a", "b", None)), strict=True):
        pairs = [
            (a.cycles, b.cycles, both.cycles),
            (a.energy_pj, b.energy_pj, both.energy_pj),
            (a.macs, b.macs, both.macs),
        ]
        for of_a, of_b, of_both in pairs:
            expected = (
                2.5 * (of_a or 0) + (of_b or 0)
                if combine == "sum"
                else math.exp((2.5 * math.log(of_a or 0) + math.log(of_b or 0)) / 3.5)
            )
            assert of_both == pytest.approx(expected)
        assert both.value == pytest.approx(both.cycles)
        assert both.gap == pytest.approx(1 / 0.9 - 1)
    table = written(variant_rows(StudyTotals(study)), "parquet", "variant", plan)
    rows = pq.read_table(io.BytesIO(table)).to_pylist()
    assert {"power_w", "throughput_gops", "tops_per_watt"} <= rows[0].keys()
    for row in rows:
        assert row["power_w"] == pytest.approx(row["energy_pJ"] / row["cycles"] * 1e-3)
        assert row["throughput_gops"] == pytest.approx(1e3 * row["power_w"] * row["tops_per_watt"])
    words = "geometric mean of 2.5 × a + b" if combine != "sum" else "2.5 × a + b"
    assert words in render_front(plan, totals_named(study))


def test_the_hypervolume_of_objectives_of_both_senses(stored: Callable[..., StoredStudy]) -> None:
    """One point at half of each reference dominates a quarter of the box; more is better in one of them."""
    plan, _ = with_goals(
        make_plan(1), objectives=("latency", "tops_per_watt"), reference={"latency": 200.0, "tops_per_watt": 0.5}
    )
    name = VariantName(0, "v0", {})
    total = Total(name, "net", 1, 100, 1000.0, None, (), macs=500)
    volume = volume_of([total], plan.goals)
    assert volume is not None
    assert volume.share == pytest.approx(0.25)
    assert str(volume) == "hypervolume 0.2500 of the box with latency <= 200 cycles, tops_per_watt >= 0.5 TOPS/W"
    assert volume_of([replace(total, cycles=300)], plan.goals) == replace(volume, share=0.0)
    assert volume_of([replace(total, over_budget=("x",))], plan.goals) is None
    derived = volume_of([total], Goals(("latency", "tops_per_watt")))
    assert derived is not None
    assert derived.share == pytest.approx((1 - 1 / 1.1) ** 2)
    assert derived.reference == pytest.approx((110.0, 1 / 1.1))


@pytest.mark.parametrize(
    "objectives", [("utilization", "power"), ("latency", "energy", "area"), ("area", "throughput")]
)
def test_fronts_of_all_objectives_are_drawn(
    stored: Callable[..., StoredStudy], tmp_path: Path, objectives: tuple[str, ...]
) -> None:
    plan, results = with_goals(make_plan(), objectives=objectives, budgets=(Budget("area_mm2", 3.5),))
    totals = list(totals_named(stored(plan, results)))
    draw_front(plan, totals, [tmp_path / "front.png", tmp_path / "front.svg"])
    assert imread(tmp_path / "front.png").std() > 0.01
    draw_front(plan, [], [tmp_path / "empty.png"])
