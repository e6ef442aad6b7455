"""Loop orders, reduced to what matters: which data space stays in place over a level's innermost run of loops.

A tile is fetched again only when a loop that moves it advances, or a loop outside such a one. Of a level's order,
therefore, only the longest innermost run of loops irrelevant to a data space counts for that data space.
In a convolution each of R, S, P, Q, C, K, N is irrelevant to exactly one data space, so that three classes
stand for the 7! orders: "weight", "input" and "output stationary" at that level.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations

from dse.specification.problem import Shape

__all__ = ["OrderClass", "order_classes"]


@dataclass(frozen=True, slots=True)
class OrderClass:
    """Orders with the same reuse. `runs[data space]`: its dimensions that no loop relevant to it stands inside of."""

    permutation: tuple[int, ...]  # a representative, innermost first
    runs: tuple[frozenset[int], ...]


def innermost_run(permutation: Iterable[int], relevant: frozenset[int]) -> frozenset[int]:
    """The dimensions of an order (innermost first) inside the first relevant one."""
    run: set[int] = set()
    for dimension in permutation:
        if dimension in relevant:
            break
        run.add(dimension)
    return frozenset(run)


@lru_cache(maxsize=256)
def order_classes(shape: Shape, active: frozenset[int]) -> tuple[OrderClass, ...]:
    """The undominated classes of loop orders over the `active` dimensions (those with a bound above 1).

    An undominated order begins with the dimensions irrelevant to some chain of data spaces, those irrelevant to
    most of the chain innermost; so every order of the data spaces is tried as a chain. At least one class results.
    """
    spaces = [space.dimensions for space in shape.data_spaces]
    found: dict[tuple[frozenset[int], ...], tuple[int, ...]] = {}
    for chain in permutations(range(len(spaces))):
        order: list[int] = []
        for length in range(len(chain), -1, -1):
            order += [
                dimension
                for dimension in range(len(shape.dimensions))
                if dimension in active
                and dimension not in order
                and not any(dimension in spaces[space] for space in chain[:length])
            ]
        runs = tuple(innermost_run(order, space) for space in spaces)
        rest = [dimension for dimension in range(len(shape.dimensions)) if dimension not in order]
        found.setdefault(runs, (*order, *rest))

    def dominated(runs: tuple[frozenset[int], ...]) -> bool:
        return any(
            other != runs and all(mine <= theirs for mine, theirs in zip(runs, other, strict=True)) for other in found
        )

    return tuple(OrderClass(order, runs) for runs, order in found.items() if not dominated(runs))
