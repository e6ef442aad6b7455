"""What the children of a fan-out have in common along an axis of two terms, by enumeration.

`factors` are the spatial factors of the two terms, `steps` how far apart the tiles of children with neighbouring
indices stand, in a common unit.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

__all__ = ["hops", "in_units", "log_hop_loss", "log_overlap", "share_fetched"]

Pair = tuple[int, int]
Floats = npt.NDArray[np.float64]


@lru_cache(maxsize=65536)
def log_overlap(factors: Pair, steps: Pair, largest: bool) -> float:
    """log2 of the mean (or the largest) number of children with equal tiles, along one axis."""
    a, b = factors
    offsets = (np.arange(a)[:, None] * steps[0] + np.arange(b)[None, :] * steps[1]).ravel()
    _, counts = np.unique(offsets, return_counts=True)
    return math.log2(counts.max() if largest else len(offsets) / len(counts))


@lru_cache(maxsize=65536)
def share_fetched(factors: Pair, steps: Pair, moves: frozenset[int] | None, *, line: bool) -> float:
    """The least share of a fan-out's tiles that neighbours cannot hand on, whichever of some moves the tile makes.

    In a line (a mesh of one row) the neighbours are the next and the last index; all groups of the axis next to each
    other, in either order, and the ends joined, serve most. On a mesh of more rows, every child whose tile any other
    child had is taken as served. `moves` None: any.
    """
    grid = np.arange(factors[0])[:, None] * steps[0] + np.arange(factors[1])[None, :] * steps[1]
    every = np.unique(grid)
    fewest = len(every)
    if not line:
        for move in range(1, int(every[-1]) + 1) if moves is None else moves:
            if move:
                fewest = min(fewest, len(every) - int(np.isin(every + move, every).sum()))
        return fewest / len(every)
    for offsets in (grid.ravel(), grid.T.ravel()):
        ahead, behind = np.roll(offsets, -1) - offsets, np.roll(offsets, 1) - offsets
        for move in {int(d) for d in (*ahead, *behind) if d and (moves is None or abs(int(d)) in moves)}:
            served = (ahead == move) | (behind == move)
            fewest = min(fewest, len(np.unique(offsets[~served])))
    return fewest / len(every)


def in_units(moves: frozenset[int] | None, unit: int) -> frozenset[int] | None:
    """Those of the moves that are multiples of a unit, as such."""
    return None if moves is None else frozenset(move // unit for move in moves if move % unit == 0)


def hops(children: Floats | float, multicast: Floats | float) -> Floats:
    """Hops of a word to some of `children` (Timeloop 019f107, network-legacy.cpp:ComputeNetworkEnergy)."""
    fan, shared = np.sqrt(children), np.sqrt(multicast)
    result: Floats = fan * shared + 0.5 * (fan - shared) - fan / shared + 0.5
    return result


@lru_cache(maxsize=16384)
def log_hop_loss(factors: Pair, steps: Pair, fanout: int) -> float:
    """log2 of the least ratio of the tiles' hops to those if all tiles had the mean multicast; at most 0.

    Over all fan-outs up to `fanout` and all numbers of children that the other loops add to each tile, on a grid so
    fine that 0.002 covers what lies between.
    """
    a, b = factors
    offsets = (np.arange(a)[:, None] * steps[0] + np.arange(b)[None, :] * steps[1]).ravel()
    _, counts = np.unique(offsets, return_counts=True)
    if counts.min() == counts.max():
        return 0.0
    least = 1.0
    for beside in 2.0 ** np.arange(0.0, math.log2(fanout / (a * b)) + 0.25, 0.25):
        every = np.geomspace(a * b * beside, max(fanout, a * b * beside), 17)
        own = sum(hops(every, beside * count) for count in counts)
        least = min(least, float(np.min(own / (len(counts) * hops(every, beside * counts.mean())))))
    return math.log2(least) - 0.002
