"""Factorisations of a problem's bounds over the loop nests of an architecture, where a mapspace constrains them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dse.integers import divisors
from dse.model.nest import Ints
from dse.specification.architecture import Architecture
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

__all__ = ["Nest", "Tilings"]


@dataclass(frozen=True, slots=True)
class Nest:
    """The temporal loops of a storage level, or its spatial ones."""

    level: int
    spatial: bool


class Tilings:
    """Which tiling factors a mapspace leaves to a loop nest, dimension by dimension.

    Each level's own fan-out counts as a limit of every single factor there; that the factors of all dimensions share
    the fan-out is not looked at.
    """

    def __init__(self, architecture: Architecture, problem: Problem, mapspace: Mapspace) -> None:
        self.architecture = architecture
        self.bounds = problem.bounds
        self.loops = mapspace.loops
        self.nests = tuple(
            Nest(level, spatial)
            for level, fan in enumerate(architecture.fanouts)
            for spatial in (True, False)
            if not spatial or max(fan) > 1
        )
        self.constrained = frozenset(
            dimension
            for own in mapspace.loops
            for dimension in range(len(problem.bounds))
            if own.factors[dimension] is not None
            or own.limits[dimension] is not None
            or own.axis_of(dimension) is not None
        )
        self._allowed: dict[int, tuple[tuple[int, ...], ...]] = {}
        self._within: dict[int, list[set[int]]] = {}

    # ---- which factors

    def range_at(self, nest: Nest, dimension: int) -> tuple[int, int]:
        """(least, largest) factor of a dimension by what is said of this loop nest alone."""
        low, high = 1, self.bounds[dimension]
        for own in self.loops:
            if (own.level, own.spatial) == (nest.level, nest.spatial):
                low, high = own.range_of(dimension, high)
                axis = own.axis_of(dimension)
                if axis is not None:
                    high = min(high, self.architecture.fanouts[nest.level]["xy".index(axis)])
        return low, min(high, max(self.architecture.fanouts[nest.level])) if nest.spatial else high

    def allowed(self, dimension: int) -> tuple[tuple[int, ...], ...]:
        """Per nest, the factors of a dimension that stand in some factorisation of its bound, ascending.

        All are empty where there is none.
        """
        if dimension not in self._allowed:
            bound = self.bounds[dimension]
            choices: list[tuple[int, ...]] = []
            for nest in self.nests:
                low, high = self.range_at(nest, dimension)
                choices.append(tuple(divisor for divisor in divisors(bound) if low <= divisor <= high))
            within = _products(bound, choices)
            outside = _products(bound, choices[::-1])[::-1]
            self._within[dimension] = [
                {size for size in inner if bound // size in outer} for inner, outer in zip(within, outside, strict=True)
            ]
            self._allowed[dimension] = tuple(
                tuple(
                    factor
                    for factor in own
                    if any(size * factor in self._within[dimension][position + 1] for size in inner)
                )
                for position, (own, inner) in enumerate(zip(choices, self._within[dimension], strict=False))
            )
        return self._allowed[dimension]

    @cached_property
    def impossible(self) -> tuple[int, ...]:
        """The dimensions whose bound has no factorisation."""
        return tuple(dimension for dimension in sorted(self.constrained) if not self.allowed(dimension)[0])

    def least_inside(self, level: int, dimension: int) -> int:
        """The smallest extent of a dimension that has a factorisation inside a level's tile."""
        if dimension not in self.constrained:
            return self.bounds[dimension] if level == len(self.architecture.storage) - 1 else 1
        self.allowed(dimension)
        inside = sum(nest.level <= level for nest in self.nests)
        return min(self._within[dimension][inside], default=1)

    # ---- drawing them

    def sample(self, dimension: int, count: int, generator: np.random.Generator) -> Ints:
        """(count, nest): factorisations of a bound, drawn uniformly from all that are allowed.

        A factor is drawn in proportion to the number of ways to complete it. Raises ValueError where there is none.
        """
        if dimension in self.impossible:
            raise ValueError("no factorisation to draw from")
        sizes = np.array(divisors(self.bounds[dimension]))
        cumulated = self._cumulated[dimension]
        result = np.ones((count, len(self.nests)), np.int64)
        left = np.full(count, len(sizes) - 1)  # index of what is still to be placed
        draws = generator.random((count, len(self.nests)))
        for nest, table in enumerate(cumulated):
            chosen = (draws[:, nest, None] >= table[left]).sum(axis=1)
            result[:, nest] = sizes[chosen]
            left = np.searchsorted(sizes, sizes[left] // sizes[chosen])
        return result

    @cached_property
    def _cumulated(self) -> dict[int, list[Ints]]:
        """Per constrained dimension and nest, (what is left, factor): the probability of no larger a factor."""
        return {dimension: self._tables(dimension) for dimension in self.constrained}

    def _tables(self, dimension: int) -> list[Ints]:
        sizes = divisors(self.bounds[dimension])
        index = {size: position for position, size in enumerate(sizes)}
        ways = np.array([1.0] + [0.0] * (len(sizes) - 1))  # to place what is left in the nests behind this one
        tables: list[Ints] = []
        for factors in reversed(self.allowed(dimension)):
            table = np.zeros((len(sizes), len(sizes)))
            for position, size in enumerate(sizes):
                for factor in factors:
                    if size % factor == 0:
                        table[position, index[factor]] = ways[index[size // factor]]
            ways = table.sum(axis=1)
            cumulated = np.cumsum(table, axis=1)
            possible = cumulated[:, -1:] > 0
            tables.insert(0, np.divide(cumulated, cumulated[:, -1:], out=np.ones_like(cumulated), where=possible))
        return tables


def _products(bound: int, choices: Sequence[Sequence[int]]) -> list[set[int]]:
    """The divisors of a bound that are products of one factor of each of the first 0, 1, 2, ... choices."""
    found = [{1}]
    for factors in choices:
        found.append({size * factor for size in found[-1] for factor in factors if bound % (size * factor) == 0})
    return found
