"""Pruning leaves the front as it is, whatever the schedules, and decides the same however often it was interrupted."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from dse.errors import InputError
from dse.model.unit_costs import area_um2
from dse.report.export import columns_of, layer_rows, variant_rows, write_rows
from dse.report.front import on_front
from dse.report.table import render_front, render_incomplete
from dse.report.totals import StudyTotals, totals_named
from dse.specification.goals import COMBINATIONS, Budget, Goals
from dse.specification.objectives import OBJECTIVES, QUANTITIES
from dse.specification.search import SearchSettings
from dse.specification.space import Variant
from dse.specification.study import load_study
from dse.sweep.bounds import Bounds
from dse.sweep.driver import SweepCounts, run_sweep
from dse.sweep.executors import serial_executor
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import Sweep, plan_study
from dse.sweep.progress import Progress
from dse.sweep.pruning import beats
from dse.sweep.reading import read_study
from dse.sweep.search import Search
from dse.sweep.strategies import NetworkCost, Pruning, VariantOutcome
from tests.sweep.drawn import drawn_executor, random_study

Front = set[tuple[str, int | None, float | None]]


def written(rng: np.random.Generator, folder: Path) -> Sweep:
    folder.mkdir()
    for name, text in random_study(rng).items():
        (folder / name).write_text(text)
    return plan_study(load_study(folder / "study.yaml"))


def run(
    sweep: Sweep, folder: Path, prune: bool = True, samples: int = 300, stop: Callable[[], None] = lambda: None
) -> SweepCounts:
    executor = partial(drawn_executor, samples, stop)
    return run_sweep(sweep, StudyFolder(folder), executor, Progress(quiet=True), search=Search(sweep, prune))


def fronts(folder: Path) -> dict[str, Front]:
    """The front of every network, and of all together."""
    with read_study(folder) as study:
        totals = StudyTotals(study)
        found: dict[str, Front] = {}
        for name in (None, *(network.name for network in study.plan.networks)):
            group = totals.named(name)
            chosen = zip(group, on_front(group, study.plan.goals), strict=True)
            found[name or "all"] = {(own.variant.name, own.cycles, own.energy_pj) for own, flag in chosen if flag}
        return found


def exports(folder: Path) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    with read_study(folder) as stored:
        for level in ("layer", "variant"):
            file = io.BytesIO()
            rows = layer_rows(stored) if level == "layer" else variant_rows(StudyTotals(stored))
            write_rows(rows, "csv", columns_of(stored.plan, level), stored.plan, file)
            found[level] = file.getvalue()
    search = (folder / "search.csv").read_text().splitlines()
    found["search"] = "\n".join(line.rpartition(",")[0] for line in search).encode()
    return found


def compare(seed: int, folder: Path, samples: int) -> SweepCounts:
    """Run a random study with and without pruning; what was pruned."""
    sweep = written(np.random.default_rng((21, seed)), folder)
    everything = run(sweep, folder / "all", prune=False, samples=samples)
    counts = run(sweep, folder / "pruned", samples=samples)
    assert everything.pruned == 0
    assert fronts(folder / "pruned") == fronts(folder / "all"), seed
    assert counts.total == everything.total
    return counts


def test_the_front_is_the_same_with_and_without_pruning(tmp_path: Path) -> None:
    counts = [compare(seed, tmp_path / f"{seed}", samples=300) for seed in (0, 2, 3, 4, 6)]
    assert sum(own.pruned for own in counts) > 60


def random_goals(rng: np.random.Generator, totals: StudyTotals) -> Goals:
    """Objectives, budgets that some of the variants exceed, and weights, drawn at random."""
    objectives = tuple(str(name) for name in rng.choice(list(OBJECTIVES), int(rng.integers(2, 4)), replace=False))
    budgets = []
    for name in rng.choice(list(QUANTITIES), int(rng.integers(0, 3)), replace=False):
        figures = [total.figures for total in totals.named() if total.figures is not None]
        values = [QUANTITIES[str(name)].value(own, 1000.0) for own in figures]
        budgets.append(Budget(str(name), float(np.quantile(values, rng.uniform(0.2, 0.9)))))
    weights = {"first": float(rng.choice((1, 2, 0.5)))}
    combine = str(rng.choice(COMBINATIONS))
    return Goals(objectives, 1000.0, tuple(budgets), combine, {name: own for name, own in weights.items() if own != 1})


def compare_goals(seed: int, folder: Path, goals: int) -> int:
    """Give a random study goals at random; how many schedules were saved over all of them.

    Goals change no schedule, so that those of the first sweep are taken again.
    """
    rng = np.random.default_rng((23, seed))
    plain = written(rng, folder)
    cache = folder / "cache"
    executor = partial(drawn_executor, 200)

    def swept(sweep: Sweep, name: str, prune: bool) -> SweepCounts:
        search = Search(sweep, prune)
        output = StudyFolder(folder / name)
        return run_sweep(sweep, output, executor, Progress(quiet=True), search=search, cache_folder=cache)

    swept(plain, "all", prune=False)
    saved = 0
    for index in range(goals):
        with read_study(folder / "all") as stored:
            chosen = random_goals(rng, StudyTotals(stored))
        study = replace(plain.study, goals=chosen)
        sweep = replace(plain, study=study, plan=replace(plain.plan, goals=chosen))
        assert swept(sweep, "all", prune=False).ran == 0
        counts = swept(sweep, f"pruned {index}", prune=True)
        assert fronts(folder / f"pruned {index}") == fronts(folder / "all"), chosen
        saved += counts.pruned
    return saved


def test_the_front_of_any_objectives_and_budgets_is_the_same_with_and_without_pruning(tmp_path: Path) -> None:
    assert sum(compare_goals(seed, tmp_path / f"{seed}", goals=6) for seed in range(3)) > 50


@pytest.mark.soak
def test_the_fronts_of_five_hundred_goals_are_the_same_with_and_without_pruning(tmp_path: Path) -> None:
    for seed in range(50):
        compare_goals(seed, tmp_path / f"{seed}", goals=10)


@pytest.mark.soak
def test_the_front_of_a_hundred_studies_is_the_same_with_and_without_pruning(tmp_path: Path) -> None:
    counts = [compare(seed, tmp_path / f"{seed}", samples=300) for seed in range(100)]
    assert sum(own.pruned for own in counts) > 300


def test_real_schedules_have_the_same_front_with_and_without_pruning(tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "tiny.yaml").write_text(
        "network: {name: tiny, layers: [{name: a, problem: {R: 1, S: 1, P: 4, Q: 4, C: 16, K: 32, N: 1}},"
        " {name: b, count: 2, problem: {R: 1, S: 1, P: 1, Q: 1, C: 32, K: 64, N: 1}}]}"
    )
    (folder / "study.yaml").write_text(
        "study: {name: real, template: weight_stationary, networks: [tiny.yaml], objective: cosa,"
        " parameters: {mesh_x: [2, 8], mesh_y: [4, 8], scratchpad_kib: [1, 16, 256]}}"
    )
    sweep = plan_study(load_study(folder / "study.yaml"))
    for name, prune in (("all", False), ("pruned", True)):
        search = Search(sweep, prune)
        counts = run_sweep(sweep, StudyFolder(tmp_path / name), serial_executor, Progress(quiet=True), search=search)
    assert counts.pruned > 0
    assert counts.ran + counts.pruned == counts.total == 24
    assert fronts(tmp_path / "pruned") == fronts(tmp_path / "all")
    with read_study(tmp_path / "pruned") as study:
        totals = totals_named(study)
        left_out = [total for total in totals if total.pruned]
        assert f"{12 - len(left_out)} of 12 variants complete, {len(left_out)} pruned, " in render_front(
            sweep.plan, totals
        )
        assert render_incomplete(totals) == ""
        assert all(total.missing[0].startswith("pruned: tiny takes at least ") for total in left_out)


def test_an_interrupted_sweep_decides_as_one_that_ran_through(tmp_path: Path) -> None:
    sweep = written(np.random.default_rng((21, 3)), tmp_path / "study")
    counts = run(sweep, tmp_path / "whole", samples=300)
    assert counts.pruned > 0
    left = 0

    def stop() -> None:
        nonlocal left
        left -= 1
        if not left:
            raise KeyboardInterrupt

    for interrupt in (1, 7, 2, 5, 11, 3, 9, 20, 4, 6, 30):
        left = interrupt
        try:
            run(sweep, tmp_path / "parts", samples=300, stop=stop)
        except KeyboardInterrupt:
            continue
    again = run(sweep, tmp_path / "parts", samples=300)
    assert (again.total, again.pruned) == (counts.total, counts.pruned)
    assert exports(tmp_path / "parts") == exports(tmp_path / "whole")


def test_what_was_pruned_is_scheduled_where_everything_is_asked_for(tmp_path: Path) -> None:
    sweep = written(np.random.default_rng((21, 3)), tmp_path / "study")
    counts = run(sweep, tmp_path / "run", samples=300)
    pruned = fronts(tmp_path / "run")
    later = run(sweep, tmp_path / "run", prune=False, samples=300)
    assert (later.total, later.ran, later.pruned) == (counts.total, counts.pruned, 0)
    assert fronts(tmp_path / "run") == pruned


def test_bounds_are_those_of_the_variant_alone(tmp_path: Path) -> None:
    """Not of what was asked before: an interrupted sweep asks in another order."""
    for seed in range(3):
        sweep = written(np.random.default_rng((22, seed)), tmp_path / f"{seed}")
        numbers = [variant.number for variant in sweep.study.space.variants()][:6]
        forwards, backwards = (Bounds(sweep.study.space, sweep.problems) for _ in range(2))
        expected = {number: forwards.layers(forwards.variant(number)) for number in numbers}
        for number in reversed(numbers):
            assert backwards.layers(backwards.variant(number)) == expected[number]


def test_only_what_is_beaten_in_every_network_is_beaten() -> None:
    bounds = ((10, 5.0), (20, 7.0))
    assert beats(((9, 5.0), (20, 6.0)), bounds)
    assert not beats(bounds, bounds)
    assert not beats(((9, 5.0), (20, 7.0)), bounds)  # may tie on the second network's front
    assert not beats(((9, 4.0), (21, 6.0)), bounds)
    assert not beats(((9, math.nan), (20, 6.0)), bounds)


def test_nothing_is_pruned_where_the_study_says_so(tmp_path: Path) -> None:
    sweep = written(np.random.default_rng((21, 3)), tmp_path / "study")
    study = replace(sweep.study, search=SearchSettings(prune=False))
    assert Search(replace(sweep, study=study)).pruner is None
    assert Search(sweep, prune=False).pruner is None
    assert Search(sweep).pruner is not None


def test_a_pruned_variant_is_compared_by_its_bounds_and_by_what_its_architecture_says(tmp_path: Path) -> None:
    sweep = written(np.random.default_rng((21, 3)), tmp_path / "study")
    goals = Goals(("latency", "area", "utilization"), budgets=(Budget("energy_pj", 100.0),))
    search = Search(replace(sweep, plan=replace(sweep.plan, goals=goals)))
    variant = next(made for made in map(sweep.study.space.variant, range(9)) if isinstance(made, Variant))
    macs = sum(sweep.plan.macs(network) for network in sweep.plan.networks)
    networks = len(sweep.plan.networks)

    def costs(energy_pj: float) -> tuple[float, ...]:
        bounds = (NetworkCost(10, energy_pj),) * networks
        return search.costs(VariantOutcome(variant.number, "pruned", pruning=Pruning(bounds, 0)))

    area, units = area_um2(variant.architecture), variant.architecture.arithmetic.instances
    assert costs(1.0) == (10 * networks, area, 10 * networks * units / macs)
    assert costs(101.0) == ()  # over budget
    unseen = Pruning((), reason="over budget: area_um2 <= 1")
    assert search.costs(VariantOutcome(variant.number, "pruned", pruning=unseen)) == ()
    assert search.costs(VariantOutcome(variant.number, "complete", costs=(3.0, 4.0, 5.0))) == (3.0, 4.0, 5.0)


@pytest.mark.parametrize("strategy", ["random", "bound_guided", "nsga2"])
def test_every_strategy_finds_the_front_of_a_space_that_it_sees_whole(strategy: str, tmp_path: Path) -> None:
    """NSGA-II need not see it whole: what it finds is at least made of the same figures. Interrupts change nothing."""
    sweep = written(np.random.default_rng((21, 0)), tmp_path / "study")
    run(sweep, tmp_path / "all", prune=False)
    study = replace(sweep.study, search=SearchSettings(strategy, seed=3, points=None if strategy != "nsga2" else 12))
    searched = replace(sweep, study=study, plan=replace(sweep.plan, search=study.search.to_dict()))
    run(searched, tmp_path / "found")
    if strategy == "nsga2":
        with read_study(tmp_path / "found") as found:
            assert len(found) == 12
    else:
        assert fronts(tmp_path / "found") == fronts(tmp_path / "all")
    again = run(searched, tmp_path / "found")
    assert again.ran == 0
    with pytest.raises(InputError, match=r"search\.strategy"):
        run(sweep, tmp_path / "found")
