"""What limits a variant, and what a step of its parameters brings at most."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.cli import main
from dse.report.explaining import explain_variant
from dse.report.explanation import Explanation, Neighbours, neighbouring_values, steps_of
from dse.report.selection import variant_named
from dse.specification.space import ParameterGrid
from dse.sweep.reading import read_study
from dse.sweep.variants import StudyVariants

ROOT = Path(__file__).resolve().parents[2]


def explained(folder: Path, variant: str, layer: str | None = None) -> Explanation:
    with read_study(folder) as study:
        variants = StudyVariants(study.plan)
        return explain_variant(study, variants, variant_named(study, variant), study.plan.networks[0], layer)


@pytest.mark.parametrize(("name", "layer"), [("edp", None), ("edp", "dense"), ("cosa", None)])
def test_no_schedule_saves_more_than_a_step_at_most(studies: dict[str, Path], name: str, layer: str | None) -> None:
    found = explained(studies[name], "v0", layer)
    assert {step.parameter for step in found.steps} == {None, *found.parameters}
    assert any(step.scheduled is not None for step in found.steps)
    for step in found.steps:
        at_most = step.at_most(found.cost)
        assert at_most is not None
        if step.parameter is None:
            assert all(0 <= share < 1 for share in at_most.values())
        if step.scheduled is not None:
            now, there = found.cost.to_dict(), step.scheduled.to_dict()
            assert all(1 - there[key] / now[key] <= share + 1e-12 for key, share in at_most.items())
    assert sum(found.cycles_by_bound().values()) == pytest.approx(1.0)
    assert sum(found.energy_by_level().values()) == pytest.approx(1.0)


def test_steps_within_the_study_show_what_was_scheduled(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.yaml").write_text("problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 64, N: 1}\n")
    study = tmp_path / "study.yaml"
    study.write_text(
        "study: {name: steps, template: simba, parameters: {pe_count: [1, 2, 4]}, networks: [one.yaml], "
        "objective: cosa, constraints: [pe_count <= 4]}\n"
    )
    run = tmp_path / "run"
    assert main(["sweep", str(study), "--output", str(run), "--workers", "1", "--quiet", "--no-prune"]) == 0
    found = explained(run, "v1")
    steps = {step.stepped: step for step in found.steps if step.parameter == "pe_count"}
    assert steps.keys() == {1, 4}
    for step in steps.values():
        assert step.scheduled is not None
        assert step.floors is not None
        assert step.floors.cycles <= step.scheduled.cycles
        assert step.floors.energy_pj <= step.scheduled.energy_pj
    last = {step.stepped: step for step in explained(run, "v2").steps}
    assert last[8].refused == "left out by a constraint"
    capsys.readouterr()
    assert main(["explain", str(run), "2"]) == 0
    out = capsys.readouterr().out
    assert "pe_count 4 -> 2 (v1)" in out
    assert "pe_count = 8: left out by a constraint" in out
    assert main(["explain", str(run), "v2", "one"]) == 0
    assert "Bound by " in capsys.readouterr().out


def test_explain_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    layer = tmp_path / "layer.yaml"
    layer.write_text("problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 32, N: 1}\n")
    template = str(ROOT / "arch_templates" / "weight_stationary.yaml")
    assert main(["explain", template, str(layer), "--objective", "cosa", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["explanations"]
    assert found["on_front"] is None
    assert found["layers"][0]["bound_by"] in found["layers"][0]["cycles_needed"]
    steps = {(step["parameter"], step["stepped"]): step for step in found["steps"]}
    doubled = steps["mesh_x", 2 * found["parameters"]["mesh_x"]]
    assert doubled["saves_at_most"]["cycles"] <= 1
    assert main(["explain", template, str(layer), "--objective", "cosa"]) == 0
    assert "not in the study" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{edp}"], "give DIR VARIANT, or DIR VARIANT LAYER"),
        (["{edp}", "v5"], "is none of its variants"),
        (["{edp}", "v0", "danse"], 'two has no layer "danse"; did you mean "dense"?'),
        (["{edp}", "v0", "--network", "too"], 'the study has no network "too"; did you mean "two"?'),
        (["nowhere", "v0"], "there is no folder or file nowhere"),
    ],
)
def test_wrong_calls(
    studies: dict[str, Path], arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["explain", *(argument.format(**studies) for argument in arguments)]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("values", "value", "expected"),
    [
        ([4, 8, 16], 16, (8, 32)),
        ([4, 8, 16], 4, (2, 8)),
        ([1, 2, 4], 1, (None, 2)),
        ([10, 20, 30], 10, (None, 20)),
        ([10, 20, 30], 30, (20, 40)),
        ([12], 12, (6, 24)),
        ([7], 7, (None, 14)),
        ([0.5, 1.0], 0.5, (0.25, 1.0)),
        ([0, 4], 4, (0, 8)),
    ],
)
def test_neighbouring_values(values: list[int | float], value: float, expected: tuple[float, float]) -> None:
    assert neighbouring_values(values, value) == expected


@given(st.lists(st.integers(1, 10_000), min_size=1, max_size=8, unique=True), st.data())
def test_neighbours_are_on_both_sides_and_whole(values: list[int], data: st.DataObject) -> None:
    value = data.draw(st.sampled_from(values))
    below, above = neighbouring_values(values, value)
    assert below is None or (isinstance(below, int) and 0 < below < value)
    assert above is None or (isinstance(above, int) and above > value)
    assert not any((below or 0) < other < (above or math.inf) for other in values if other != value)


def test_a_variant_without_schedules_is_not_explained(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "one.yaml").write_text("problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 64, N: 1}\n")
    study = tmp_path / "study.yaml"
    study.write_text(
        "study: {name: none, template: simba, parameters: {pe_count: [1, 2]}, networks: [one.yaml], objective: cosa, "
        "budgets: [latency_cycles <= 1]}\n"
    )
    run = str(tmp_path / "run")
    assert main(["sweep", str(study), "--output", run, "--workers", "1", "--quiet"]) == 1
    capsys.readouterr()
    assert main(["explain", run, "v0"]) == 2
    assert "v0 has no schedules: pruned: over budget at best: latency_cycles" in capsys.readouterr().err
    assert main(["compare", f"{run}:v0", f"{run}:v1"]) == 2
    assert "v0 has no figures for one: pruned: over budget at best" in capsys.readouterr().err


def test_parameters_that_a_constraint_ties_step_together() -> None:
    grid = ParameterGrid({"rows": (8, 16, 32), "columns": (8, 16, 32), "banks": (1, 2)})
    neighbours = Neighbours(
        grid,
        "cosa",
        lambda changed: {} if changed["rows"] == changed["columns"] else "left out by a constraint",
        lambda number: {},
    )
    steps = steps_of({"rows": 16, "columns": 16, "banks": 1}, [], grid.values, neighbours)
    found = [(step.parameter, step.value, step.stepped, step.refused) for step in steps]
    assert found[:3] == [
        (None, None, None, None),
        ("rows with columns", 16, 8, None),
        ("rows with columns", 16, 32, None),
    ]
    assert {parameter for parameter, *_ in found[3:]} == {"banks"}
    assert steps[2].variant == grid.name(grid.number({"rows": 32, "columns": 32, "banks": 1}) or 0)
