"""The convex hull of the products that fit: the tightest rows there are for a capacity or a fan-out.

A product of prime factors 2^a · 3^b · 7^c fits below a limit where a + b log2 3 + c log2 7 <= log2 limit. The
relaxation of that row takes a third of a 7 for what is left of a capacity. The facets of the hull of all whole
(a, b, c) that fit do not: no linear rows on (a, b, c) are tighter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.spatial import ConvexHull

__all__ = ["MOST_FACETS", "MOST_PRIMES", "Facet", "facets"]

MOST_PRIMES = 4
"""Distinct primes of a hull: with five, there are 30 facets, with seven 170."""

MOST_FACETS = (0, 1, 4, 9, 20)
"""Rows that are kept free for a hull of so many primes; hulls of bounds up to 2^20 need no more."""

Facet = tuple[tuple[int, ...], int]
"""(a, b): a · exponents <= b."""

Whole = npt.NDArray[np.int64]


@lru_cache(maxsize=65536)
def facets(primes: tuple[int, ...], multiplicities: tuple[int, ...], limit: int) -> tuple[Facet, ...]:
    """Facets of the hull of {e : Π primes^e <= limit, 0 <= e <= multiplicities}, without those of these bounds.

    At most MOST_PRIMES primes. The coefficients are whole numbers and not negative, since what divides a product that
    fits does fit.
    """
    points = np.array(list(_exponents(primes, multiplicities, limit)), dtype=np.int64)
    largest = points.max(axis=0)
    free = [index for index, top in enumerate(largest) if top > 0]
    found = {_embedded({index: 1}, len(primes), 0) for index, top in enumerate(largest) if top == 0}
    found |= {_embedded({i: 1}, len(primes), int(largest[i])) for i in free if largest[i] < multiplicities[i]}
    if len(free) > 1:
        for normal, bound in _hull(points[:, free]):
            if np.count_nonzero(normal) > 1:
                found.add(_embedded(dict(zip(free, normal.tolist(), strict=True)), len(primes), bound))
    return tuple(sorted(found))


def _exponents(primes: Sequence[int], multiplicities: Sequence[int], limit: int) -> Iterator[tuple[int, ...]]:
    if not primes:
        yield ()
        return
    for exponent in range(multiplicities[0] + 1):
        if primes[0] ** exponent > limit:
            return
        for rest in _exponents(primes[1:], multiplicities[1:], limit // primes[0] ** exponent):
            yield (exponent, *rest)


def _hull(points: Whole) -> Iterator[tuple[Whole, int]]:
    """Facets of whole points that span their space, exactly; those through the origin are left out."""
    for corners in ConvexHull(points).simplices:
        edges = points[corners[1:]] - points[corners[0]]
        minors = [np.linalg.det(np.delete(edges, column, axis=1)) for column in range(points.shape[1])]
        normal = np.rint([(-1) ** column * minor for column, minor in enumerate(minors)]).astype(np.int64)
        normal //= math.gcd(*normal.tolist()) or 1
        bound = int(normal @ points[corners[0]])
        if bound < 0:
            normal, bound = -normal, -bound
        if bound > 0 and (points @ normal).max() == bound:
            yield normal, bound


def _embedded(normal: dict[int, int], size: int, bound: int) -> Facet:
    return tuple(normal.get(index, 0) for index in range(size)), bound
