"""Words that the temporal loops move into a tile, in closed form.

Timeloop (019f107, src/loop-analysis/nest-analysis.cpp: ComputeTemporalWorkingSet; operation-space.cpp:
SaveAndSubtractIfSameStride) simulates the loops above a tile with indices in {0, 1} and scales what happens at 1. A
move fetches the tile's box minus the previous box if it is displaced as the move before (or if that one was a jump),
else the whole box. Let loop 1 be the innermost loop of bound >= 2 above the tile, and T_j = step_j − (steps of the
loops between the tile and loop j) the displacement when loop j advances. Every second move is one of loop 1, hence

- every advance of loop 1 fetches the box minus the box shifted by T_1 (the slab);
- an advance of loop j fetches the slab as well where T_j = T_1, and the whole box otherwise;
- loop j advances (n_j − 1) × (product of the bounds outside it) times.

Displacements are vectors over the axes of a data space. They are compared as single integers: the axes are packed in a
mixed radix wide enough for every displacement that can occur.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dse.model.nest import Bools, Frame, Ints, NestBatch, Tensor

__all__ = ["Loops", "Motion", "axis_weights", "tile_motion"]


@dataclass(frozen=True)
class Loops:
    """The temporal loops of a batch, (mapping, loop), from the innermost outwards.

    `advances` counts how often a loop steps, `after` is the product of the bounds outside it.
    """

    dimension: Ints
    bound: Ints
    step: Ints
    after: Ints
    advances: Ints

    @classmethod
    def of(cls, nests: NestBatch) -> Loops:
        """The loops of all levels in one row; steps in units of the problem's indices."""
        rows = len(nests)
        order = nests.permutation
        step = nests.tiles[:, :-1] * nests.spatial  # spatial loops stand inside the temporal ones of their level

        def flat(values: Ints) -> Ints:
            return np.take_along_axis(values, order, axis=2).reshape(rows, -1)

        bound = flat(nests.temporal)
        inclusive = np.cumprod(bound[:, ::-1], axis=1)[:, ::-1]
        after = np.concatenate([inclusive[:, 1:], np.ones((rows, 1), np.int64)], axis=1)
        return cls(order.reshape(rows, -1), bound, flat(step), after, inclusive - after)


def axis_weights(tensor: Tensor, problem_extents: Ints) -> Ints:
    """(mapping, dimension): the displacement of one index step, the axes packed into one integer.

    A displacement along an axis is at most twice its extent in size, so a radix of more than four extents keeps sums of
    two displacements apart.
    """
    weights = np.zeros_like(problem_extents)
    radix = np.ones(len(problem_extents), np.int64)
    for axis in tensor.axes:
        for dimension, factor in axis:
            weights[:, dimension] += factor * radix
        radix = radix * (4 * tensor.axis_extent(axis, problem_extents) + 1)
    return weights


@dataclass(frozen=True)
class Motion:
    """How one data space moves through the tiles below one storage level; arrays over mappings.

    `words`: fetched by one child over the whole run. `box`, `slab`: words of a whole and of a sliding fetch.
    The rest describes the moves for link transfers, over the loops of this level and further out: `same` marks those
    with
    T_j = T_1 and `same_advances` counts their steps, `displacement` packs T_j, `first` is loop 1 (-1: there is none).
    `still_advances` counts the steps that fetch nothing since the tile stays (0 unless slides go on over them).
    """

    words: Ints
    box: Ints
    slab: Ints
    same: Bools
    same_advances: Ints
    still_advances: Ints
    displacement: Ints
    first: Ints


def tile_motion(
    frame: Frame, nests: NestBatch, loops: Loops, tensor_index: int, boxes: Ints, weights: Ints, slides_on: bool
) -> list[Motion]:
    """The motion of a data space below each storage level, innermost first.

    Entry l concerns the tile inside level l, moved by the temporal loops of level l and further out. Below level 0
    that is the single operation, which is fetched anew every cycle. `boxes` (mapping, level + 1) are the words of the
    data space in `nests.tiles`, `weights` its `axis_weights`.

    With `slides_on` (Timeloop's master) moves that leave the tile where it is fetch nothing and are forgotten: loop 1
    is the innermost loop that moves the tile, and T_j = 0 fetches nothing at any j.
    """
    tensor = frame.tensors[tensor_index]
    count = nests.temporal.shape[2]
    moving = loops.bound > 1
    shift = np.where(moving, np.take_along_axis(weights, loops.dimension, axis=1) * loops.step, 0)
    inner = np.cumsum(shift, axis=1) - shift
    jump = shift - inner
    rows = np.arange(len(nests))
    motions = []
    for level in range(frame.levels):
        begin = level * count
        own = moving[:, begin:]
        reuse = level > 0 and not frame.no_temporal_reuse[level - 1][tensor_index]
        starts = own & (shift[:, begin:] != 0) if reuse and slides_on else own
        first = np.argmax(starts, axis=1)
        any_loop = starts[rows, first]
        visits = loops.after[:, begin] * loops.bound[:, begin]
        box = boxes[:, level]
        same = own & (jump[:, begin:] == jump[rows, begin + first][:, None])
        same_advances = np.sum(np.where(same, loops.advances[:, begin:], 0), axis=1)
        slab = box
        if reuse:
            slab = box - _overlap(tensor, nests.tiles[:, level], loops, begin + first)
        base = inner[rows, begin + first]
        displacement = jump[:, begin:] + base[:, None]
        still_advances = np.zeros_like(visits)
        if reuse and slides_on:
            same &= any_loop[:, None] & (displacement != 0)
            same_advances = np.sum(np.where(same, loops.advances[:, begin:], 0), axis=1)
            still_advances = np.sum(np.where(own & (displacement == 0), loops.advances[:, begin:], 0), axis=1)
        words = box * (visits - still_advances) - (box - slab) * same_advances
        motions.append(
            Motion(words, box, slab, same, same_advances, still_advances, displacement, np.where(any_loop, first, -1))
        )
    return motions


def _overlap(tensor: Tensor, tile: Ints, loops: Loops, first: Ints) -> Ints:
    """Words that a tile shares with itself after one step of its loop 1."""
    rows = np.arange(len(tile))
    dimension, step = loops.dimension[rows, first], loops.step[rows, first]
    overlap = np.ones(len(tile), np.int64)
    for axis in tensor.axes:
        shift = np.zeros(len(tile), np.int64)
        for own, factor in axis:
            shift += np.where(dimension == own, factor * step, 0)
        overlap *= np.maximum(tensor.axis_extent(axis, tile) - shift, 0)
    return overlap
