"""Plans: points without repetition, keys that stand for content, and a form that survives JSON."""

import json
from dataclasses import replace
from pathlib import Path

from dse.specification.study import load_study
from dse.sweep.extension import changes_of_study
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
    sweep = planned(small_study)
    plan, points = sweep.plan, sweep.points()
    assert len(plan.problems) == 2
    assert len(points) == len({point.key for point in points}) == 6 * 2
    assert [layer.problem for layer in plan.networks[0].layers] == [0, 1, 0]
    assert [layer.problem for layer in plan.networks[1].layers] == [0]


def test_plan_survives_json(small_study: Path) -> None:
    plan = planned(small_study).plan
    read = Plan.from_dict(json.loads(json.dumps(plan.to_dict())))
    assert read == plan
    assert read.workload == plan.workload


def test_key_depends_on_what_decides_the_result_and_on_nothing_else(small_study: Path) -> None:
    keys = {point.key for point in planned(small_study).points()}
    same = planned(small_study, ("name: small", "name: renamed\n  description: words"), ("[32, 64", "[64, 32"))
    assert {point.key for point in same.points()} == keys
    for change in [
        ("objective: cosa", "objective: edp"),
        ("objective: cosa", "objective: cosa\n  scheduler: {gap: 0.5}"),
        ("objective: cosa", "objective: cosa\n  scheduler: {weights: {traffic: 2}}"),
        ("objective: cosa", "objective: cosa\n  scheduler: {solver: HIGHS}"),
        ("template: simba", "template: simba_large\n  constraints: [macs_per_lane == 8]"),
    ]:
        other = {point.key for point in planned(small_study, change).points()}
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
    sweep = planned(small_study, ("template: simba", "template: t.yaml"), ("pe_count: [4, 8]", "unused: [1, 2]"))
    points = sweep.points()
    assert len(points) == 12
    assert len({point.key for point in points}) == 6


def test_keys_are_of_the_program_too(small_study: Path) -> None:
    sweep = planned(small_study)
    later = replace(sweep, plan=replace(sweep.plan, program="dse 99 (source 0123456789ab)"))
    assert {point.key for point in later.points()}.isdisjoint(point.key for point in sweep.points())


def test_a_plan_of_many_variants_is_as_short_as_one_of_few(small_study: Path) -> None:
    few = planned(small_study).plan
    many = planned(small_study, ("[32, 64, 128]", "{range: [1, 1000, 1]}"), ("[4, 8]", "{range: [1, 1000, 1]}")).plan
    assert (few.grid.size, many.grid.size) == (6, 10**6)
    assert many.variant_count is None
    assert len(json.dumps(many.to_dict())) < len(json.dumps(few.to_dict())) + 20_000


def test_a_study_that_grew_is_the_same_study(small_study: Path) -> None:
    plan = planned(small_study).plan
    third = "network: {name: third, layers: [{name: a, problem: {R: 1, S: 1, P: 2, Q: 2, C: 8, K: 8, N: 1}}]}"
    small_study.with_name("third.yaml").write_text(third)
    first = small_study.with_name("first.yaml").read_text()
    layer = "    - {name: last, problem: {R: 3, S: 3, P: 4, Q: 4, C: 8, K: 8, N: 1}}\n"
    small_study.with_name("longer.yaml").write_text(first + layer)
    for change in [
        ("[4, 8]", "[2, 4, 8]"),
        ("[4, 8]", "[8, 4]"),
        ("[32, 64, 128]", "{powers_of_two: [16, 256]}"),
        ("pe_count: [4, 8]", "pe_count: [4, 8]\n    lanes_per_pe: [4, 8]"),
        ("second.yaml]", "second.yaml, third.yaml]"),
        ("[first.yaml", "[longer.yaml"),
        ("name: small", "name: small\n  description: words"),
    ]:
        grown = planned(small_study, change).plan
        assert changes_of_study(plan, grown) == []
        smaller = changes_of_study(grown, plan)
        assert bool(smaller) == (change[1] not in ("[8, 4]", "name: small\n  description: words"))
    constrained = planned(small_study, ("objective: cosa", "objective: cosa\n  constraints: [pe_count < 8]")).plan
    assert changes_of_study(constrained, plan) == []
    searched = replace(plan, search={"strategy": "random", "seed": 1, "budget": {"points": 5}})
    longer = replace(plan, search={"strategy": "random", "seed": 1, "budget": {"points": 9}, "prune": False})
    assert changes_of_study(searched, longer) == []
    assert changes_of_study(searched, replace(plan, search={"strategy": "random", "seed": 2})) == [
        "search.seed 2, not 1"
    ]


def test_task_carries_one_problem_and_the_variants_of_its_points(small_study: Path) -> None:
    sweep = planned(small_study)
    points = [point for point in sweep.points() if point.problem == 1][:3]
    variants = {variant.number: variant for variant in sweep.study.space.variants()}
    task = sweep.task(points, variants)
    assert task.problem == sweep.problems[1]
    assert [key for key, _, _ in task.points] == [point.key for point in points]
    assert [architecture for _, architecture, _ in task.points] == [
        variants[number].architecture for number in range(3)
    ]
    assert [single.points for single in task.split()] == [(point,) for point in task.points]
