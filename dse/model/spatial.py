"""What a storage level sends to the instances below it: multicast of equal tiles, and words that neighbours hand on.

Timeloop (019f107, src/loop-analysis/nest-analysis.cpp: ComputeSpatialWorkingSet, ComputeAccurateMulticastedAccesses,
ComputeNetworkLinkTransfers) treats the spatial loops of a level as one step. Every child's tile is child 0's, shifted
by the projection of its index; children with the same shift share one access. A child whose tile equals what a
neighbour on the mesh held one step before is served by that neighbour, if that saves accesses.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dse.model.nest import Bools, Floats, Frame, Ints, NestBatch, Tensor
from dse.model.temporal import Loops, Motion

__all__ = ["Accesses", "level_accesses"]

Histogram = tuple[tuple[int, int], ...]
"""(multicast, number of sets) pairs, ascending: so many sets of so many children with equal tiles."""


@dataclass
class Accesses:
    """Accesses of one level for one data space, per instance and over the whole run, as records of equal multicast.

    `multicast`, `words` (mapping, record); records are sorted as Timeloop sorts them and padded with 0 words.
    `link_words` (mapping,): words that neighbours below this level hand to each other.
    """

    multicast: Ints
    words: Floats
    link_words: Floats

    def total(self) -> Floats:
        """Accesses of the level, one per set of children."""
        return _sum_in_order(self.words)

    def delivered(self) -> Floats:
        """Words that arrive at the children, summed over the children."""
        return _sum_in_order(self.words * self.multicast)


def _sum_in_order(values: Floats) -> Floats:
    """Row sums from left to right: NumPy's own order of summation depends on the shape of the batch."""
    total = np.zeros(len(values))
    for column in values.T:
        total = total + column
    return total


def level_accesses(
    frame: Frame, nests: NestBatch, loops: Loops, level: int, tensor_index: int, motion: Motion, weights: Ints
) -> Accesses:
    """The accesses of a level for one data space; `weights` are the data space's packed displacements."""
    tensor = frame.tensors[tensor_index]
    group = nests.fanout[:, level]
    spatial = nests.spatial[:, level]
    multicasting = not frame.no_multicast[level][tensor_index]
    if multicasting:
        relevant = list(tensor.relevant)
        sets = np.prod(spatial[:, relevant], axis=1)
        colliding = _colliding(tensor, spatial)
    else:
        sets = group
        colliding = np.zeros(len(nests), np.bool_)
    multicast = group // sets
    words = (motion.words * sets).astype(np.float64)
    steps = weights * nests.tiles[:, level]
    links = _link_candidates(frame, nests, loops, level, tensor_index, motion, steps)

    irregular: dict[int, dict[tuple[int, int], float]] = {}
    link_words = np.zeros(len(nests))
    for row in np.flatnonzero(colliding | links.any(axis=1)).tolist():
        order = nests.spatial_permutation[row, level]
        children, unit = _children(
            spatial[row, order].tolist(), steps[row, order].tolist(), multicasting, *_mesh(frame, nests, row, level)
        )
        served = [
            (displacement // unit, times)
            for displacement, times in _served_moves(loops, motion, links, row)
            if displacement % unit == 0
        ]
        irregular[row], link_words[row] = _records(children, int(motion.words[row]), int(motion.slab[row]), served)
    return Accesses(*_padded(multicast, words, irregular), link_words)


def _colliding(tensor: Tensor, spatial: Ints) -> Bools:
    """Rows in which two dimensions of one axis are unrolled, so that different indices can give the same tile."""
    colliding = np.zeros(len(spatial), np.bool_)
    for axis in tensor.axes:
        if len(axis) > 1:
            colliding |= np.sum(spatial[:, [dimension for dimension, _ in axis]] > 1, axis=1) > 1
    return colliding


def _mesh(frame: Frame, nests: NestBatch, row: int, level: int) -> tuple[int, int]:
    """(columns, rows) of the mesh on which neighbours are looked for: the larger of what exists and what is mapped."""
    fan_x, fan_y = frame.architecture.fanouts[level]
    mapped_x = int(nests.fanout_x[row, level])
    return max(fan_x, mapped_x), max(fan_y, int(nests.fanout[row, level]) // mapped_x)


def _link_candidates(
    frame: Frame, nests: NestBatch, loops: Loops, level: int, tensor_index: int, motion: Motion, steps: Ints
) -> Bools:
    """(mapping, loop of this level and further out): moves that may show a child what its neighbour held before.

    Only a necessary condition. Tiles that do not overlap move by whole groups of children, so that nothing matches,
    except where the tile is fetched anew at every step (below level 0, or with no_temporal_reuse).
    """
    begin = level * nests.temporal.shape[2]
    moving = loops.bound[:, begin:] > 1
    nothing = np.zeros_like(moving)
    refetched = level == 0 or frame.no_temporal_reuse[level - 1][tensor_index]
    if frame.no_link_transfer[level][tensor_index] or not (refetched or frame.tensors[tensor_index].slides):
        return nothing
    active = (nests.fanout[:, level] > 1) & (motion.slab > 0) & (motion.first >= 0)
    # Loops inside loop 1 leave the tile where it is: before each of its moves the children fetched nothing.
    active &= ~(moving & (np.arange(moving.shape[1]) < motion.first[:, None])).any(axis=1)
    if not active.any():
        return nothing
    # A fetch equals the previous one in shape if both are slabs, or if the slab is the whole box.
    whole = motion.slab == motion.box
    is_first = np.arange(moving.shape[1]) == motion.first[:, None]
    moves = moving & active[:, None] & (is_first | (whole[:, None] & ~motion.same))
    order = nests.spatial_permutation[:, level]
    bounds = np.take_along_axis(nests.spatial[:, level], order, axis=1)
    ordered = np.take_along_axis(steps, order, axis=1)
    along_x = np.arange(bounds.shape[1]) < nests.split[:, level, None]
    reach = (bounds - 1) * ordered
    reachable = nothing
    for inside in (np.ones_like(along_x), ~along_x):  # the next child, and the child in the next row
        distance = ordered - (np.cumsum(np.where(inside, reach, 0), axis=1) - reach)
        for loop in range(bounds.shape[1]):
            usable = (inside[:, loop] & (bounds[:, loop] > 1))[:, None]
            reachable = reachable | (usable & (np.abs(motion.displacement) == np.abs(distance[:, loop, None])))
    fan_x, _ = frame.architecture.fanouts[level]
    # Rows of the mesh need not be rows of the nest: then every move is looked at.
    ragged = (nests.fanout_x[:, level] < fan_x) & (nests.fanout[:, level] > fan_x)
    candidates: Bools = moves & (reachable | ragged[:, None])
    return candidates


def _served_moves(loops: Loops, motion: Motion, links: Bools, row: int) -> list[tuple[int, int]]:
    """(displacement, how often) of the candidate moves of one mapping, where the shapes of both fetches agree."""
    begin = loops.bound.shape[1] - links.shape[1]
    first = int(motion.first[row])
    whole = bool(motion.slab[row] == motion.box[row])
    moves = []
    for loop in np.flatnonzero(links[row]).tolist():
        times = int(loops.advances[row, begin + loop])
        if loop == first:
            chained = int(motion.same_advances[row])
            # Loop 1 after any move and the others like it after loop 1; if slabs are not whole boxes, the advance of
            # loop 1 right after a jump (or at the start) finds a whole box before it and matches nothing.
            times = chained if whole else (chained - times) * int(loops.bound[row, begin + first])
            if whole:  # nor does it match after a move that fetched nothing
                times -= int(motion.still_advances[row]) * (int(loops.bound[row, begin + first]) - 1)
        if times:
            moves.append((int(motion.displacement[row, loop]), times))
    return moves


@dataclass(frozen=True)
class _Children:
    """The children of one instance: bounds and packed steps of the spatial loops (innermost first), and the mesh."""

    bounds: tuple[int, ...]
    steps: tuple[int, ...]
    multicasting: bool
    columns: int
    rows: int


def _children(
    bounds: list[int], steps: list[int], multicasting: bool, columns: int, rows: int
) -> tuple[_Children, int]:
    """(children, unit of their steps) in a form that many mappings share: what follows from it is remembered."""
    loops = [(bound, step) for bound, step in zip(bounds, steps, strict=True) if bound > 1]
    unit = math.gcd(*(step for _, step in loops)) or 1
    count = math.prod(bound for bound, _ in loops)
    if count <= columns:
        columns, rows = count, 1
    own_bounds, own_steps = tuple(bound for bound, _ in loops), tuple(step // unit for _, step in loops)
    return _Children(own_bounds, own_steps, multicasting, columns, rows), unit


def _records(
    children: _Children, words: int, slab: int, moves: Sequence[tuple[int, int]]
) -> tuple[dict[tuple[int, int], float], float]:
    """({(multicast, sets): accesses}, link words) of one instance with a child that moves `words` in all."""
    everyone = _match_sets(children)
    linked: Counter[tuple[int, int]] = Counter()
    link_words = 0
    distances = _neighbour_distances(children) if moves else frozenset()
    for displacement, times in moves:
        if displacement not in distances:
            continue
        served, remaining = _after_links(children, displacement)
        if sum(sets for _, sets in remaining) < sum(sets for _, sets in everyone):
            words -= slab * times
            link_words += served * slab * times
            for multicast, sets in remaining:
                linked[multicast, sets] += sets * slab * times
    for multicast, sets in everyone:
        linked[multicast, sets] += sets * words
    return {key: float(linked[key]) for key in sorted(linked) if linked[key]}, float(link_words)


@lru_cache(maxsize=16384)
def _offsets(bounds: tuple[int, ...], steps: tuple[int, ...]) -> Ints:
    """Packed shift of every child, in the order of the linear index (innermost loop fastest)."""
    offsets = np.zeros(1, np.int64)
    for bound, step in zip(bounds, steps, strict=True):
        offsets = (offsets[None, :] + (np.arange(bound) * step)[:, None]).reshape(-1)
    return offsets


def _histogram(offsets: Ints, multicasting: bool) -> Histogram:
    if not len(offsets):
        return ()
    if not multicasting:
        return ((1, len(offsets)),)
    ordered = np.sort(offsets)
    ends = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    multiplicities = np.diff(ends, prepend=0, append=len(ordered))
    return tuple(sorted(Counter(multiplicities.tolist()).items()))


@lru_cache(maxsize=16384)
def _match_sets(children: _Children) -> Histogram:
    return _histogram(_offsets(children.bounds, children.steps), children.multicasting)


def _neighbours(children: _Children) -> Iterator[tuple[Ints, Ints]]:
    """(child, neighbour) index pairs: beside each other in a row of the mesh, and above each other in a column."""
    index = np.arange(math.prod(children.bounds))
    beside = index[:-1][index[:-1] % children.columns < children.columns - 1]
    yield beside, beside + 1
    if children.rows > 1:
        above = index[: max(len(index) - children.columns, 0)]
        yield above, above + children.columns


@lru_cache(maxsize=16384)
def _neighbour_distances(children: _Children) -> frozenset[int]:
    """Every shift from a child to a neighbour: a move by anything else lets no neighbour serve a child."""
    offsets = _offsets(children.bounds, children.steps)
    distances = {
        distance for one, other in _neighbours(children) for distance in (offsets[other] - offsets[one]).tolist()
    }
    return frozenset(distances | {-distance for distance in distances})


@lru_cache(maxsize=65536)
def _after_links(children: _Children, displacement: int) -> tuple[int, Histogram]:
    """(children that a neighbour serves after a move by `displacement`, match sets of the others)."""
    offsets = _offsets(children.bounds, children.steps)
    served = np.zeros(len(offsets), np.bool_)
    for one, other in _neighbours(children):
        distance = offsets[other] - offsets[one]
        served[one[distance == displacement]] = True
        served[other[distance == -displacement]] = True
    return int(served.sum()), _histogram(offsets[~served], children.multicasting)


def _padded(multicast: Ints, words: Floats, irregular: dict[int, dict[tuple[int, int], float]]) -> tuple[Ints, Floats]:
    """Records as arrays: one record a row, except for the irregular rows."""
    width = max([1, *map(len, irregular.values())])
    all_multicast = np.ones((len(words), width), np.int64)
    all_words = np.zeros((len(words), width))
    all_multicast[:, 0], all_words[:, 0] = multicast, words
    for row, records in irregular.items():
        all_multicast[row], all_words[row] = 1, 0.0
        for column, ((own, _), value) in enumerate(records.items()):
            all_multicast[row, column], all_words[row, column] = own, value
    return all_multicast, all_words
