"""Strategies: each combination once, the same each time, and better than chance where they know something."""

from __future__ import annotations

import csv
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path

import numpy as np
import pytest

from dse.errors import InputError
from dse.fronts import hypervolume
from dse.specification.document import Document
from dse.specification.fields import Reader
from dse.specification.goals import Goals
from dse.specification.search import SearchSettings, read_search
from dse.specification.space import ParameterGrid
from dse.sweep.strategies import (
    BoundGuided,
    Budgeted,
    FastestFirst,
    NetworkCost,
    Nsga2,
    RandomStrategy,
    Strategy,
    VariantOutcome,
)
from dse.sweep.strategies.shuffled import Permutation
from dse.sweep.trajectory import Trajectory

GRID = ParameterGrid({"a": tuple(range(8)), "b": tuple(range(10)), "c": (1, 2, 4)})


def cost(number: int) -> tuple[int, float]:
    """Latency falls with a, energy grows with it; b is best small, c at 2."""
    own = GRID.parameters(number)
    return int(1000 / (1 + own["a"]) + 7 * own["c"]), 10.0 + own["a"] + 3.0 * own["b"] + abs(own["c"] - 2)


def optimistic(number: int) -> tuple[float, float]:
    cycles, energy_pj = cost(number)
    return 0.9 * cycles, 0.8 * energy_pj


def outcome(number: int) -> VariantOutcome:
    if number % 11 == 5:
        return VariantOutcome(number, "refused")
    if number % 13 == 6:
        return VariantOutcome(number, "excluded")
    return VariantOutcome(number, "complete", (NetworkCost(*cost(number)),), costs=cost(number))


def explored(strategy: Strategy, most: int = 10_000) -> list[int]:
    seen: list[int] = []
    while (wave := strategy.ask()) and len(seen) < most:
        seen += wave
        strategy.tell([outcome(number) for number in wave])
    return seen


def evolving(seed: int) -> Strategy:
    return Nsga2(GRID, seed, attrgetter("costs"))


STRATEGIES: dict[str, Callable[[int], Strategy]] = {
    "random": lambda seed: RandomStrategy(GRID.size, seed),
    "bound_guided": lambda seed: BoundGuided(GRID, optimistic, seed),
    "nsga2": lambda seed: Budgeted(evolving(seed), 100, None),
    "fastest first": lambda seed: FastestFirst(GRID.size, lambda number: cost(number)[0], lambda numbers: False),
}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_combination_is_asked_for_once_and_in_the_same_order_each_time(name: str) -> None:
    seen = explored(STRATEGIES[name](1))
    assert len(seen) == len(set(seen))
    assert explored(STRATEGIES[name](1)) == seen
    if name == "nsga2":
        assert sum(outcome(number).status != "excluded" for number in seen) == 100
    else:
        assert sorted(seen) == list(range(GRID.size))
    by_chance = name in ("random", "nsga2")  # the pool of bound_guided holds this small space whole
    assert (explored(STRATEGIES[name](2)) != seen) == by_chance


@pytest.mark.parametrize("name", ["bound_guided", "nsga2"])
def test_what_knows_something_is_better_than_chance(name: str) -> None:
    """On the mean of some seeds, after a quarter of the space."""

    def reached(strategy: Strategy) -> float:
        points = [cost(number) for number in explored(Budgeted(strategy, 60, None)) if number % 11 != 5]
        return hypervolume(np.array(points, np.float64), np.array([1100.0, 60.0]))

    chance = np.mean([reached(STRATEGIES["random"](seed)) for seed in range(8)])
    make = evolving if name == "nsga2" else STRATEGIES[name]
    assert np.mean([reached(make(seed)) for seed in range(8)]) > chance


def test_the_fastest_come_first_and_a_settled_block_as_a_whole() -> None:
    seen = explored(FastestFirst(GRID.size, lambda number: cost(number)[0], lambda numbers: False))
    cycles = [cost(number)[0] for number in seen]
    assert cycles == sorted(cycles)
    settled = FastestFirst(GRID.size, lambda number: cost(number)[0], lambda numbers: True)
    assert list(settled.ask()) == list(range(GRID.size))
    assert not settled.ask()


def test_combinations_that_are_no_variants_do_not_take_the_place_of_others() -> None:
    strategy = FastestFirst(100, lambda number: None if number % 2 else 100 - number, lambda numbers: False)
    assert list(strategy.ask()) == list(range(1, 100, 2))
    assert list(strategy.ask()) == [98, 96, 94, 92]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 1000, 4097])
def test_a_permutation_holds_every_number_once(size: int) -> None:
    order = Permutation(size, 5)
    assert sorted(order[position] for position in range(size)) == list(range(size))
    with pytest.raises(IndexError):
        order[size]


def test_a_permutation_of_a_huge_space_is_no_list() -> None:
    order = Permutation(10**12, 5)
    drawn = [order[position] for position in range(1000)]
    assert len(set(drawn)) == 1000
    assert 0.4e12 < np.mean(drawn) < 0.6e12


def test_a_budget_counts_what_is_a_variant() -> None:
    seen = explored(Budgeted(RandomStrategy(GRID.size, 1), 50, None))
    assert sum(outcome(number).status != "excluded" for number in seen) == 50
    assert explored(Budgeted(RandomStrategy(GRID.size, 1), None, 1e-9)) == []


def search_of(data: dict[str, object]) -> SearchSettings:
    reader = Reader(Document({"search": data}))
    settings = read_search(reader.section(data, ("search",)))
    reader.raise_faults()
    return settings


def test_the_keys_of_a_search() -> None:
    assert search_of({}) == SearchSettings("grid", 0, None, None, True)
    given = {"strategy": "nsga2", "seed": 3, "budget": {"points": 50, "seconds": 2.5}, "prune": False}
    assert search_of(given) == SearchSettings("nsga2", 3, 50, 2.5, False)
    assert search_of(given).to_dict() == given
    with pytest.raises(InputError) as caught:
        search_of({"strategy": "greedy", "seed": -1, "budget": {"points": 0, "hours": 1}, "prune": "no"})
    assert len(caught.value.faults) == 5


def test_the_growth_of_the_front_is_written_down(tmp_path: Path) -> None:
    path = tmp_path / "search.csv"
    strategy, whole = RandomStrategy(GRID.size, 1), Trajectory(path, Goals())
    while wave := strategy.ask():
        whole.tell([outcome(number) for number in wave])
    whole.write()
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["variants"]) for row in rows][-1] == sum(outcome(n).status != "excluded" for n in range(GRID.size))
    volumes = [float(row["hypervolume"]) for row in rows]
    assert volumes == sorted(volumes)
    assert 0 < volumes[0] < volumes[-1] < 1
    complete = [cost(number) for number in range(GRID.size) if outcome(number).status == "complete"]
    assert float(rows[-1]["reference_cycles"]) == pytest.approx(1.1 * max(cycles for cycles, _ in complete))


def test_what_was_written_down_stays_where_it_is_told_again(tmp_path: Path) -> None:
    """As one large wave, as a block that was settled before is."""
    path, other = tmp_path / "search.csv", tmp_path / "other.csv"
    waves = [list(range(start, start + 16)) for start in range(0, 96, 16)]
    whole = Trajectory(path, Goals())
    for wave in waves:
        whole.tell([outcome(number) for number in wave])
    whole.write()
    part = Trajectory(other, Goals())
    for wave in waves[:3]:
        part.tell([outcome(number) for number in wave])
    part.write()
    again = Trajectory(other, Goals())
    again.tell([outcome(number) for wave in waves[:3] for number in wave])
    for wave in waves[3:]:
        again.tell([outcome(number) for number in wave])
    again.write()

    def lines(file: Path) -> list[str]:
        return [line.rpartition(",")[0] for line in file.read_text().splitlines()]

    assert lines(other) == lines(path)
