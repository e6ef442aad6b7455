"""What two evaluations disagree on."""

from __future__ import annotations

from dataclasses import replace

from dse.model import Evaluation, evaluate
from dse.timeloop import Difference, differences


def test_equal_evaluations_have_no_differences(point_name, points) -> None:
    architecture, problem, mapping = points[point_name]
    answer = evaluate(architecture, problem, mapping)
    other = replace(answer, energy_pj=answer.energy_pj * (1 + 1e-12), evaluator="timeloop unknown")
    assert differences(answer, other, architecture) == []


def test_every_figure_counts(points) -> None:
    architecture, problem, mapping = points["bypasses"]
    answer = evaluate(architecture, problem, mapping)
    level = answer.levels[1]
    name, space = next(iter(level.data_spaces.items()))
    changes = {
        "cycles": {"latency_cycles": answer.latency_cycles + 1},
        "compute cycles": {"compute_cycles": answer.compute_cycles + 1},
        "energy_pJ": {"energy_pj": answer.energy_pj * (1 + 1e-8)},
        "arithmetic energy_pJ": {"arithmetic_energy_pj": 0.0},
        "utilization": {"utilization": 0.5},
        "area_um2": {"area_um2": None},
    }
    space_changes = {"reads": "reads", "fills": "fills", "updates": "updates", "tile_words": "tile words"}
    for field, label in space_changes.items():
        other = replace(space, **{field: getattr(space, field) + 1})
        levels = list(answer.levels)
        levels[1] = replace(level, data_spaces={**level.data_spaces, name: other})
        changes[f"{level.name} {name} {label}"] = {"levels": tuple(levels)}
    for field, label in {
        "latency_cycles": "cycles",
        "instances": "instances",
        "network_energy_pj": "network energy_pJ",
    }.items():
        levels = list(answer.levels)
        levels[1] = replace(level, **{field: getattr(level, field) + 1})
        changes[f"{level.name} {label}"] = {"levels": tuple(levels)}
    for quantity, change in changes.items():
        (found,) = differences(answer, replace(answer, **change), architecture)
        assert found.quantity == quantity


def test_kept_data_spaces_and_reasons(points) -> None:
    architecture, problem, mapping = points["bypasses"]
    answer = evaluate(architecture, problem, mapping)
    levels = (replace(answer.levels[0], data_spaces={}), *answer.levels[1:])
    (found,) = differences(answer, replace(answer, levels=levels), architecture)
    assert (found.quantity, found.embedded, found.timeloop) == ("Registers keeps", "Weights", "")
    full, wide = Evaluation(error="full"), Evaluation(error="wide")
    assert differences(full, full, architecture) == []
    assert differences(full, wide, architecture) == [Difference("error", "full", "wide")]
    assert differences(answer, wide, architecture) == [Difference("error", None, "wide")]
    assert found.to_dict() == {"quantity": "Registers keeps", "embedded": "Weights", "timeloop": ""}
