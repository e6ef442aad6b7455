"""What is decided: how many of each prime factor of each dimension go to which loop nest of which storage level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations

from dse.integers import divisors, prime_factors
from dse.specification.architecture import Architecture
from dse.specification.mapspace import LoopConstraint, Mapspace
from dse.specification.problem import Problem, Term

__all__ = ["Axis", "PrimeFactor", "Slot", "Structure", "largest_product", "log_limit"]

Axis = tuple[Term, ...]

_UNLIMITED_LOG2 = 60.0  # for the capacity of a level that has none: more words than any problem may have
_MARGIN = 1e-5  # what is allowed by no more than this, the exact check of the tiles finds


@lru_cache(maxsize=4096)
def largest_product(numbers: tuple[int, ...], limit: int) -> int:
    """The largest product of divisors of `numbers`, one of each, that is at most `limit` (a positive number)."""
    products = {1}
    for number in numbers:
        products = {own * divisor for own in products for divisor in divisors(number) if own * divisor <= limit}
    return max(products)


def log_limit(limit: int | None) -> float:
    """log2 of a limit; the margin keeps a product that is just allowed away from the solvers' tolerances (1e-6)."""
    if limit is None:
        return _UNLIMITED_LOG2
    return math.log2(limit) + _MARGIN if limit else -1.0


@dataclass(frozen=True, slots=True)
class PrimeFactor:
    """A distinct prime factor of a dimension's bound. Equal primes are interchangeable, so that only counts matter."""

    dimension: int
    prime: int
    multiplicity: int


@dataclass(frozen=True, slots=True)
class Slot:
    """A loop nest that factors can go to: a level's temporal loops, or its spatial loops along one mesh axis."""

    level: int
    kind: str  # "temporal", "x" or "y"


@dataclass(frozen=True)
class Structure:
    """What a compiled program depends on. Capacities, fan-outs, energies and bandwidths are left out: parameters.

    `fans[level]` says along which mesh axes (X, Y) a level fans out at all.
    """

    problem: Problem
    fans: tuple[tuple[bool, bool], ...]
    keep: tuple[tuple[bool, ...], ...]
    loops: tuple[LoopConstraint, ...] = ()

    @classmethod
    def of(cls, architecture: Architecture, problem: Problem, mapspace: Mapspace) -> Structure:
        fans = tuple((x > 1, y > 1) for x, y in architecture.fanouts)
        return cls(problem, fans, mapspace.keep, mapspace.loops)

    @property
    def levels(self) -> int:
        return len(self.fans)

    @cached_property
    def factors(self) -> tuple[PrimeFactor, ...]:
        """The rows of the matrix of counts."""
        return tuple(
            PrimeFactor(dimension, prime, multiplicity)
            for dimension, bound in enumerate(self.problem.bounds)
            for prime, multiplicity in prime_factors(bound)
        )

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The columns of the matrix of counts, innermost level first; spatial loops stand inside temporal ones."""
        result: list[Slot] = []
        for level, (fans_x, fans_y) in enumerate(self.fans):
            result += [Slot(level, "x")] * fans_x + [Slot(level, "y")] * fans_y + [Slot(level, "temporal")]
        return tuple(result)

    def range_at(self, level: int, spatial: bool, dimension: int) -> tuple[int, int]:
        """(least, largest) factor of a dimension at the temporal or spatial loops of a level."""
        bound = self.problem.bounds[dimension]
        for own in self.loops:
            if (own.level, own.spatial) == (level, spatial):
                return own.range_of(dimension, bound)
        return 1, bound

    def innermost(self, level: int) -> tuple[int, ...]:
        """The dimensions whose temporal loops have to stand innermost at a level, in that order."""
        return tuple(
            dimension
            for own in self.loops
            if own.level == level and not own.spatial
            for dimension in own.permutation
            if own.range_of(dimension, self.problem.bounds[dimension])[1] > 1
        )

    @cached_property
    def kept_levels(self) -> tuple[tuple[int, ...], ...]:
        """Per data space, the levels that keep it, innermost first."""
        return tuple(
            tuple(level for level in range(self.levels) if self.keep[level][space])
            for space in range(len(self.problem.shape.data_spaces))
        )

    def relevant(self, space: int) -> frozenset[int]:
        """Dimensions that move a data space."""
        return self.problem.shape.data_spaces[space].dimensions

    def box_axes(self, space: int) -> tuple[Axis, ...]:
        """The axes of a data space along which a tile's extent is no product of factors (strides, halos)."""
        problem = self.problem
        result: list[Axis] = []
        for axis in problem.shape.data_spaces[space].axes:
            moving = tuple(term for term in axis if problem.bounds[term.dimension] > 1)
            if moving and (len(moving) > 1 or problem.weight(moving[0]) > 1):
                result.append(moving)
        return tuple(result)

    def product_under(self, kind: str, level: int) -> frozenset[int] | None:
        """The dimensions whose factors multiply to what a limit is on: a fan-out ("x", "y") or a "capacity".

        None where that is no product: for a capacity that several data spaces share, or a tile with strides or halos.
        """
        if kind != "capacity":
            return frozenset(range(len(self.problem.bounds)))
        kept = [space for space, keeps in enumerate(self.keep[level]) if keeps]
        return self.relevant(kept[0]) if len(kept) == 1 and not self.box_axes(kept[0]) else None

    @cached_property
    def symmetry(self) -> tuple[int, int] | None:
        """Two dimensions that can be exchanged, possibly with two others, without changing the problem, if any.

        P and Q of a convolution with a square image and kernel, for one. Constraints on loops may tell them apart.
        """
        if self.loops:
            return None
        problem = self.problem

        def axes(rename: dict[int, int]) -> list[frozenset[frozenset[tuple[int, int]]]]:
            return [
                frozenset(
                    frozenset((rename.get(term.dimension, term.dimension), problem.weight(term)) for term in axis)
                    for axis in space.axes
                )
                for space in problem.shape.data_spaces
            ]

        alike = [
            (one, other)
            for one, other in combinations(range(len(problem.bounds)), 2)
            if problem.bounds[one] == problem.bounds[other] > 1
        ]
        alike.sort(key=lambda pair: -problem.bounds[pair[0]])
        plain = axes({})
        for one, other in alike:
            small = [pair for pair in combinations(range(len(problem.bounds)), 2) if len({one, other, *pair}) == 4]
            for third, fourth in [(one, other), *small]:
                if problem.bounds[third] == problem.bounds[fourth]:
                    swap = {one: other, other: one, third: fourth, fourth: third}
                    if axes(swap) == plain:
                        return one, other
        return None

    def extent(self, axis: Axis, sizes: dict[int, int]) -> int:
        """Words that a tile of the given size per dimension spans along an axis (skipped rows of a stride included)."""
        return 1 + sum(self.problem.weight(term) * (sizes[term.dimension] - 1) for term in axis)
