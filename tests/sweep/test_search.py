"""What a search computes is kept with the results, for the same study alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from dse.specification.study import load_study
from dse.sweep.plan import Sweep, plan_study
from dse.sweep.search import Search
from dse.sweep.store import ResultStore


@pytest.fixture
def sweep(tmp_path: Path) -> Sweep:
    (tmp_path / "net.yaml").write_text(
        "network: {name: net, layers: [{name: a, problem: {R: 1, S: 1, P: 2, Q: 2, C: 8, K: 8, N: 1}}]}"
    )
    (tmp_path / "study.yaml").write_text(
        "study: {name: searched, template: weight_stationary, networks: [net.yaml], objective: cosa,"
        " parameters: {mesh_x: [2, 4, 8], mesh_y: [4, 8]}, search: {strategy: bound_guided}}"
    )
    return plan_study(load_study(tmp_path / "study.yaml"))


def first_wave(sweep: Sweep, store: ResultStore) -> list[int]:
    return list(Search(sweep).strategy(lambda numbers: False, store).ask())


def test_bounds_are_computed_once_for_a_study(sweep: Sweep, tmp_path: Path) -> None:
    with ResultStore(tmp_path / "results.sqlite", sweep.plan.program) as store:
        wave = first_wave(sweep, store)
    texts = [sweep.plan.grid.text(number) for number in range(6)]
    with ResultStore(tmp_path / "results.sqlite", sweep.plan.program) as store:
        kept = [store.bound(text, sweep.plan.asked) for text in texts]
        assert all(costs is not None and len(costs) == 2 for costs in kept)
        assert first_wave(sweep, store) == wave
        other = max({*range(6)} - {*wave})
        for number, text in enumerate(texts):  # as if no combination but one were an architecture
            store.add_bound(text, sweep.plan.asked, (1.0, 1.0) if number == other else ())
        assert first_wave(sweep, store)[0] == other


def test_another_study_or_program_has_bounds_of_its_own(sweep: Sweep, tmp_path: Path) -> None:
    text, file = sweep.plan.grid.text(0), tmp_path / "results.sqlite"
    with ResultStore(file, sweep.plan.program) as store:
        first_wave(sweep, store)
        assert store.bound(text, replace(sweep.plan, search={}).asked) is not None
        assert store.bound(text, replace(sweep.plan, networks=()).asked) is None
    with ResultStore(file, "another") as store:
        assert store.bound(text, sweep.plan.asked) is None
