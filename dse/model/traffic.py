"""Reads, fills and updates of every storage level, from how tiles move and which levels keep a data space.

Timeloop 019f107, src/loop-analysis/tiling.cpp: CollapseDataMovementNest and the functions it calls, in their order.
Floating-point expressions are evaluated as there, since a count may depend on the last bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dse.model.nest import Floats, Frame, Ints, NestBatch
from dse.model.spatial import Accesses, level_accesses
from dse.model.temporal import Loops, axis_weights, tile_motion
from dse.specification.version import Version

__all__ = ["Traffic", "tensor_traffic"]


@dataclass(frozen=True)
class Traffic:
    """One data space at all storage levels, arrays (mapping, level); words per instance over the whole run.

    Levels that do not keep the data space hold zeros. `records` are the accesses that cross the network below each
    level
    (None where the level lies outside the outermost one that keeps the data space); they stay where a level is
    bypassed.
    """

    tile_words: Ints
    partition_words: Ints
    reads: Ints
    fills: Ints
    updates: Ints
    records: tuple[Accesses | None, ...]
    consistent: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    """Per mapping: False where Timeloop stops because partial sums are accessed less often than they are kept."""


def tensor_traffic(frame: Frame, nests: NestBatch, loops: Loops, tensor_index: int, version: Version) -> Traffic:
    """Counts of one data space, as a version of Timeloop has them."""
    tensor = frame.tensors[tensor_index]
    count, levels = len(nests), frame.levels
    weights = axis_weights(tensor, nests.tiles[:, -1])
    boxes = tensor.box(nests.tiles)
    motions = tile_motion(frame, nests, loops, tensor_index, boxes, weights, version.slides_on)
    records: list[Accesses | None] = [
        level_accesses(frame, nests, loops, level, tensor_index, motions[level], weights) for level in range(levels)
    ]
    keep = [flags[tensor_index] for flags in frame.keep]
    tiles = boxes[:, 1:].copy()
    partition = _partition_words(frame, nests, tensor_index, tiles)
    content: list[Floats] = []
    share: list[Floats] = []  # words that arrive from the next outer level, before bypasses are considered
    for level in range(levels):
        own = _present(records[level])
        content.append(own.total())
        outer = records[level + 1] if level + 1 < levels else None
        share.append(np.zeros(count) if outer is None else _share(outer, nests.fanout[:, level + 1]))
    _bypass(nests, keep, records, content)
    outermost = max(level for level in range(levels) if keep[level])
    for level in range(outermost + 1, levels):
        records[level] = None
    share[outermost] = np.zeros(count)

    shape = (count, levels)
    reads, fills, updates = np.zeros(shape, np.int64), np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    consistent = np.ones(count, np.bool_)
    for level in range(levels):
        if not keep[level]:
            tiles[:, level] = 0
            partition[:, level] = 0
            continue
        outer = records[level + 1] if level < outermost else None
        peer = np.zeros(count) if outer is None else outer.link_words / nests.instances[:, level]
        arriving = share[level] + peer
        if tensor.space.read_write:
            again = content[level] + peer - partition[:, level]
            consistent &= content[level] + peer >= partition[:, level]
            reads[:, level] = _rounded(np.maximum(again, 0.0))
            updates[:, level] = _rounded(content[level])
            if version.elides_first_fill and level < outermost:
                fills[:, level] = _rounded(np.maximum(arriving - partition[:, level], 0.0))
                continue
        else:
            reads[:, level] = _rounded(content[level] + peer)
        fills[:, level] = arriving.astype(np.int64)
    return Traffic(tiles, partition, reads, fills, updates, tuple(records), consistent)


def _present(accesses: Accesses | None) -> Accesses:
    if accesses is None:
        raise ValueError("a level has no accesses")
    return accesses


def _rounded(values: Floats) -> Ints:
    """C's round(): halves away from zero."""
    whole = np.floor(values)
    return (whole + (values - whole >= 0.5)).astype(np.int64)


def _partition_words(frame: Frame, nests: NestBatch, tensor_index: int, tiles: Ints) -> Ints:
    """Words of the data space that each instance is responsible for (tiling.cpp:ComputePartitionSizes)."""
    tensor = frame.tensors[tensor_index]
    partition = tiles.copy()
    groups = tensor.box(nests.tiles[:, 1:-1] * nests.spatial[:, 1:])
    for level in range(frame.levels - 2, -1, -1):
        partition[:, level] = partition[:, level + 1] * tiles[:, level] // groups[:, level]
    return partition


def _share(outer: Accesses, fanout: Ints) -> Floats:
    """Mean words that reach one child (tiling.cpp:ComputeParentAccessShare)."""
    share = np.zeros(len(fanout))
    for column in range(outer.words.shape[1]):
        share = share + outer.words[:, column] * outer.multicast[:, column] / fanout
    return share


def _bypass(nests: NestBatch, keep: list[bool], records: list[Accesses | None], content: list[Floats]) -> None:
    """Pass the accesses of every bypassed level on to the next outer one, in place (tiling.cpp:MaskTiles)."""
    for level, kept in enumerate(keep):
        if kept:
            continue
        if level + 1 < len(keep):
            outer = _present(records[level + 1])
            factor = content[level] * nests.fanout[:, level + 1] / outer.delivered()
            passed = Accesses(outer.multicast, outer.words * factor[:, None], np.zeros(len(nests)))
            records[level + 1], content[level + 1] = passed, passed.total()
        content[level] = np.zeros(len(nests))
