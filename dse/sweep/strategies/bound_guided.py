"""The variants that could improve the front most, were they as good as their bounds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from dse.fronts import hypervolume, non_dominated
from dse.specification.space import ParameterGrid
from dse.sweep.strategies.fastest_first import WAVES
from dse.sweep.strategies.protocol import VariantOutcome
from dse.sweep.strategies.shuffled import Permutation

__all__ = ["BoundGuided"]

_POOL = 256  # combinations drawn at random for each wave
_MOST_NEIGHBOURS = 256

Point = tuple[float, ...]


class BoundGuided:
    """Best-first search over a space of any size.

    For every wave, a pool of combinations that were not looked at yet is drawn at random, and the neighbours of the
    front (one parameter by one value up or down) are added. The wave takes those whose bounds add most to what the
    front dominates. The search ends when every combination was looked at.
    """

    def __init__(self, grid: ParameterGrid, bound: Callable[[int], Point | None], seed: int) -> None:
        """`bound` gives costs that a combination cannot be below; None where it is no variant."""
        self.planned = grid.size
        self._grid = grid
        self._bound = bound
        self._order = Permutation(grid.size, seed)
        self._next = 0
        self._pool: dict[int, Point | None] = {}
        self._asked: set[int] = set()
        self._front: dict[int, Point] = {}
        self._waves = 0

    def ask(self) -> Sequence[int]:
        size = WAVES[min(self._waves, len(WAVES) - 1)]
        self._waves += 1
        self._fill(max(_POOL, size))
        gains = self._gains()
        wave = sorted(self._pool, key=lambda number: (-gains[number], number))[:size]
        for number in wave:
            del self._pool[number]
        self._asked.update(wave)
        return wave

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        """Take the complete variants into the front, which says where to look next."""
        for outcome in outcomes:
            if outcome.status == "complete" and outcome.costs:
                self._front[outcome.number] = outcome.costs
        if not self._front:
            return
        numbers = sorted(self._front)
        kept = non_dominated(np.array([self._front[number] for number in numbers], np.float64))
        self._front = {number: self._front[number] for number, keep in zip(numbers, kept, strict=True) if keep}

    def _gains(self) -> dict[int, float]:
        """What each combination of the pool would add to what the front dominates, at its bounds."""
        front = list(self._front.values())
        known = [point for point in self._pool.values() if point is not None]
        if not known:
            return dict.fromkeys(self._pool, 0.0)
        reference = 1.1 * np.max([*known, *front], axis=0)
        before = hypervolume(np.array(front, np.float64).reshape(-1, len(known[0])), reference)
        return {
            number: -1.0 if point is None else hypervolume(np.array([*front, point]), reference) - before
            for number, point in self._pool.items()
        }

    def _fill(self, wanted: int) -> None:
        for number in self._neighbours():
            if len(self._pool) >= wanted + _MOST_NEIGHBOURS:
                break
            self._add(number)
        drawn = 0
        while drawn < wanted and len(self._pool) < wanted + _MOST_NEIGHBOURS and self._next < self._grid.size:
            drawn += self._add(self._order[self._next])
            self._next += 1

    def _add(self, number: int) -> bool:
        new = number not in self._asked and number not in self._pool
        if new:
            self._pool[number] = self._bound(number)
        return new

    def _neighbours(self) -> Iterator[int]:
        """Combinations one step away from the front, in its order."""
        for number in sorted(self._front, key=lambda own: self._front[own]):
            parameters = self._grid.parameters(number)
            for name, values in self._grid.values.items():
                place = values.index(parameters[name])
                for other in values[max(place - 1, 0) : place + 2]:
                    beside = self._grid.number({**parameters, name: other})
                    if beside is not None and beside != number:
                        yield beside
