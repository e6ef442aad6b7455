"""Studies and variants against each other: what is said of them follows from what is stored."""

import json
import math
from pathlib import Path

import pytest

from dse.cli import main
from dse.report.iso import compare_iso, floors_of
from dse.report.pair import PairComparison, Side, compare_pair
from dse.report.totals import Total, totals_named
from dse.specification.template import Number
from dse.sweep.reading import VariantName, read_study
from dse.sweep.variants import StudyVariants


def pair(folder: Path, first: int, second: int) -> PairComparison:
    with read_study(folder) as study:
        variants = StudyVariants(study.plan)
        sides = [Side(stored.variant.name, study.plan, stored, variants) for stored in study.chosen([first, second])]
        return compare_pair("two", sides[0], sides[1])


def test_two_variants_layer_by_layer(studies: dict[str, Path]) -> None:
    found = pair(studies["edp"], 0, 1)
    one, other = found.totals
    assert found.parameters == {"pe_count": (1, 8)}
    edp = next(own for own in found.verdicts if own.quantity == "EDP")
    assert (edp.better, edp.worse) == ("v1", "v0")
    assert one.edp is not None
    assert other.edp is not None
    assert edp.saving == pytest.approx(1 - other.edp / one.edp)
    assert edp.proven is not None
    assert edp.proven > 0.2
    assert math.fsum(layer.share or 0.0 for layer in found.layers) == pytest.approx(1.0)
    assert math.fsum(layer.cycles[0] for layer in found.layers) == one.cycles
    for side, total in enumerate(found.totals):
        assert math.fsum(own[side] for own in found.energy_by_level.values()) == pytest.approx(total.energy_pj)
        assert found.floors[side].cycles <= (total.cycles or 0)
        assert found.floors[side].edp <= (total.edp or 0)
    assert found.layers[0].accesses


def test_bounds_stand_in_where_the_objective_proves_nothing(studies: dict[str, Path]) -> None:
    found = pair(studies["cosa"], 0, 1)
    for floors, total in zip(found.floors, found.totals, strict=True):
        assert total.lower_bound is None
        assert 0 < floors.cycles <= (total.cycles or 0)
        assert 0 < floors.energy_pj <= (total.energy_pj or 0)
        assert floors.edp == floors.cycles * floors.energy_pj


def test_compare_variants_and_studies_on_the_command_line(
    studies: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    edp, cosa = str(studies["edp"]), str(studies["cosa"])
    capsys.readouterr()
    assert main(["compare", f"{edp}:v0", f"{edp}:v1"]) == 0
    out = capsys.readouterr().out
    assert "  v1 beats v0 by " in out
    assert "; proven at least " in out
    assert "proves nothing" not in out
    assert main(["compare", f"{cosa}:v1", f"{edp}:v1", "--json"]) == 0
    (answer,) = json.loads(capsys.readouterr().out)["pairs"]
    assert [own["name"] for own in answer["variants"]] == ["cosa:v1", "edp:v1"]
    assert {own["quantity"] for own in answer["verdicts"]} == {"EDP", "latency", "energy"}
    assert main(["compare", edp, cosa]) == 0
    out = capsys.readouterr().out
    assert "Least latency at equal energy:" in out
    assert "no complete variant of edp has a known area" in out
    assert "The objective cosa proves nothing" in out
    assert main(["compare", edp, cosa, "--json"]) == 0
    (network,) = json.loads(capsys.readouterr().out)["networks"]
    (comparison,) = network["comparisons"]
    volumes = [study["hypervolume"] for study in network["studies"]]
    assert comparison["hypervolume_difference"] == pytest.approx(volumes[0] - volumes[1])
    assert [own["at_equal"] for own in comparison["iso"]] == ["area", "energy", "latency"]


def test_networks_of_one_name_and_different_layers(
    studies: dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    network = (
        "network: {name: two, layers: [{name: dense, count: 2, problem: {R: 1, S: 1, P: 1, Q: 1, C: 64, K: 96, N: 1}}]}"
    )
    (tmp_path / "two.yaml").write_text(network)
    study = "study: {name: unlike, template: simba, parameters: {pe_count: [8]}, networks: [two.yaml], objective: cosa}"
    (tmp_path / "unlike.yaml").write_text(study)
    unlike = str(tmp_path / "unlike")
    assert main(["sweep", str(tmp_path / "unlike.yaml"), "--output", unlike, "--workers", "1", "--quiet"]) == 0
    capsys.readouterr()
    assert main(["compare", str(studies["cosa"]), unlike]) == 0
    assert "The two studies mean different layers by two" in capsys.readouterr().out
    assert main(["compare", f"{studies['cosa']}:v1", f"{unlike}:v0"]) == 2
    assert 'the two networks "two" have different layers' in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{edp}:v0", "{edp}:v7"], 'edp: "v7" is none of its variants, from v0 to v1'),
        (["{edp}:v0", "{cosa}"], "compare studies with studies, or variants with variants"),
        (["{edp}:v0"], "give two folders or more"),
        (["{edp}:v0", "{edp}:v0"], "one of them stands twice"),
        (["{edp}:v0", "nowhere:v0"], "nowhere: there is no such folder"),
    ],
)
def test_wrong_calls(
    studies: dict[str, Path], arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", *(argument.format(**studies) for argument in arguments)]) == 2
    assert message in capsys.readouterr().err


def total(name: str, cycles: int, energy_pj: float, area_um2: float, lower_bound: float | None = None) -> Total:
    parameters: dict[str, Number] = {}
    return Total(VariantName(0, name, parameters), "net", 1, cycles, energy_pj, area_um2, (), lower_bound=lower_bound)


def test_equal_budgets_by_hand() -> None:
    """B is better in a large area alone; the floors of EDP decide what is proven."""
    first = [total("a0", 100, 10.0, 1e6, 990.0), total("a1", 50, 12.0, 2e6, 590.0)]
    second = [total("b0", 90, 15.0, 1.5e6, 1300.0), total("b1", 20, 20.0, 3e6, 380.0)]
    area, energy, latency = compare_iso(("A", first, "edp"), ("B", second, "edp"))
    assert [(point.budget, point.variants) for point in area.points] == [
        (1.5e6, ("a0", "b0")),
        (2e6, ("a1", "b0")),
        (3e6, ("a1", "b1")),
    ]
    assert [point.verdict.better for point in area.points] == ["A", "A", "B"]
    assert area.points[0].verdict.proven == pytest.approx(1 - 1000 / 1300)
    assert area.points[2].verdict.proven == pytest.approx(1 - 400 / 590)
    # At most 20 pJ: A takes 50 cycles, and 590 / 20 at its best, which is more than the 20 of B.
    last = energy.points[-1]
    assert (last.budget, last.values) == (20.0, (50, 20))
    assert last.verdict.proven == pytest.approx(1 - 20 / (590 / 20))
    # A study's floor at equal energy is that of any variant, also of one whose schedule exceeds the budget.
    first_point = energy.points[0]
    assert first_point.budget == 15.0
    assert first_point.verdict.at_most == pytest.approx(1 - (590 / 15) / 90)
    assert first_point.verdict.proven == pytest.approx(1 - 50 / (380 / 15))
    assert [point.values for point in latency.points] == [(12.0, 20.0), (12.0, 15.0), (10.0, 15.0)]


def test_floors_of_an_objective() -> None:
    own = total("a", 100, 10.0, 1.0, 90.0)
    assert floors_of(own, "latency").cycles == 90.0
    assert floors_of(own, "energy").energy_pj == 90.0
    assert floors_of(own, "edp").edp == 90.0
    assert floors_of(own, "cosa").edp == 0.0
    assert (floors_of(own, "latency") | floors_of(own, "energy")).edp == 8100.0


def test_totals_and_reading_agree(studies: dict[str, Path]) -> None:
    """A variant made again from the plan gives what is stored, mapping by mapping."""
    with read_study(studies["edp"]) as study:
        variants = StudyVariants(study.plan)
        assert len(list(totals_named(study, "two"))) == 2
        for stored in study:
            for problem, result in enumerate(stored.results):
                assert result is not None
                assert variants.evaluation(stored.variant.number, problem, result) is not None
