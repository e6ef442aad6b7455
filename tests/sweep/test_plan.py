"""Plans: points without repetition, keys that stand for content, and a form that survives JSON."""

import json
from dataclasses import replace
from pathlib import Path

from dse.specification.study import load_study
from dse.sweep.plan import Plan, Sweep, plan_study


def planned(path: Path, *replacements: tuple[str, str]) -> Sweep:
    text = path.read_text()
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    changed = path.with_name("changed.yaml")
    changed.write_text(text)
    return plan_study(load_study(changed))


def test_equal_layers_of_all_networks_are_scheduled_once(small_study: Path) -> None:
    plan = planned(small_study).plan
    points = list(plan.points())
    assert len(plan.problems) == 2
    assert len(points) == len({point.key for point in points}) == 6 * 2
    assert [layer.problem for layer in plan.networks[0].layers] == [0, 1, 0]
    assert [layer.problem for layer in plan.networks[1].layers] == [0]


def test_plan_survives_json(small_study: Path) -> None:
    plan = planned(small_study).plan
    read = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert read.identity == plan.identity
    assert list(read.points()) == list(plan.points())


def test_key_depends_on_what_decides_the_result_and_on_nothing_else(small_study: Path) -> None:
    keys = {point.key for point in planned(small_study).plan.points()}
    same = planned(small_study, ("name: small", "name: renamed\n  description: words"), ("[32, 64", "[64, 32"))
    assert {point.key for point in same.plan.points()} == keys
    for change in [
        ("objective: cosa", "objective: edp"),
        ("objective: cosa", "objective: cosa\n  scheduler: {gap: 0.5}"),
        ("objective: cosa", "objective: cosa\n  scheduler: {weights: {traffic: 2}}"),
        ("objective: cosa", "objective: cosa\n  scheduler: {solver: HIGHS}"),
        ("template: simba", "template: simba_large\n  constraints: [macs_per_lane == 8]"),
    ]:
        other = {point.key for point in planned(small_study, change).plan.points()}
        # The larger template differs by its default of pe_count alone, which this study replaces.
        assert other == keys if "template" in change[0] else other.isdisjoint(keys)


def test_a_parameter_without_effect_adds_no_work(small_study: Path) -> None:
    text = "variables: {pe_count: 16, unused: 1, global_buffer_kib: 64}\n"
    text += """arch:
  arithmetic: {instances: pe_count, word-bits: 8}
  storage:
    - {name: Buffer, entries: global_buffer_kib * 1024, instances: 1, word-bits: 8}
    - {name: DRAM, technology: DRAM, instances: 1, word-bits: 8}
"""
    (small_study.parent / "t.yaml").write_text(text)
    plan = planned(small_study, ("template: simba", "template: t.yaml"), ("pe_count: [4, 8]", "unused: [1, 2]")).plan
    points = list(plan.points())
    assert len(points) == 12
    assert len({point.key for point in points}) == 6


def test_identity_forgets_descriptions_only(small_study: Path) -> None:
    identity = planned(small_study).plan.identity
    described = planned(small_study, ("name: small", "name: small\n  description: words"))
    assert described.plan.identity == identity
    assert planned(small_study, ("name: small", "name: other")).plan.identity != identity
    assert planned(small_study, ("[4, 8]", "[4, 16]")).plan.identity != identity


def test_identity_is_of_the_study_and_keys_are_of_the_program_too(small_study: Path) -> None:
    plan = planned(small_study).plan
    later = replace(plan, program="dse 99 (source 0123456789ab)")
    assert later.identity == plan.identity
    assert {point.key for point in later.points()}.isdisjoint(point.key for point in plan.points())


def test_task_carries_one_problem_and_the_variants_of_its_points(small_study: Path) -> None:
    sweep = planned(small_study)
    points = [point for point in sweep.plan.points() if point.problem == 1][:3]
    task = sweep.task(points)
    assert task.problem == sweep.problems[1]
    assert [key for key, _, _ in task.points] == [point.key for point in points]
    assert [architecture for _, architecture, _ in task.points] == [
        variant.architecture for variant in sweep.study.variants[:3]
    ]
    assert [single.points for single in task.split()] == [(point,) for point in task.points]
