"""Which mappings fit an architecture, and in Timeloop's words why the others do not.

Timeloop 019f107: src/model/topology.cpp:Evaluate, include/model/arithmetic.hpp:Evaluate,
src/model/buffer.cpp:ComputeScalarAccesses. Expansions are products over all outer levels, compared with the whole mesh;
the fan-out of a single level is not checked there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from dse.model.nest import Bools, Frame, Ints, NestBatch

__all__ = ["fits", "reasons"]


def _used_words(frame: Frame, nests: NestBatch, level: int) -> Ints:
    """Words that the kept tiles occupy in one instance of a level."""
    words = np.zeros(len(nests), np.int64)
    for tensor, kept in zip(frame.tensors, frame.keep[level], strict=True):
        if kept:
            words += tensor.box(nests.tiles[:, level + 1])
    return words


def fits(frame: Frame, nests: NestBatch) -> Bools:
    """Per mapping whether it fits; far cheaper than its cost. False throughout where a data space is kept nowhere."""
    if not frame.keeps_all:
        return np.zeros(len(nests), np.bool_)
    macs_x = nests.instances_x[:, 0] * nests.fanout_x[:, 0]
    macs = nests.instances[:, 0] * nests.fanout[:, 0]
    arithmetic = frame.architecture.arithmetic
    valid = (macs <= arithmetic.instances) & (macs_x <= arithmetic.mesh_x) & (macs // macs_x <= arithmetic.mesh_y)
    for index, level in enumerate(frame.architecture.storage):
        if level.effective_entries is not None:
            words = _used_words(frame, nests, index)
            valid &= (words <= level.effective_entries) & (words >= level.effective_entries * level.min_utilization)
        x = nests.instances_x[:, index]
        valid &= (nests.instances[:, index] <= level.instances) & (x <= level.mesh_x)
        valid &= nests.instances[:, index] // x <= level.mesh_y
    return valid


def reasons(frame: Frame, nests: NestBatch) -> Iterator[str]:
    """Why the only mapping of a batch does not fit, first reason first (Timeloop stops there)."""
    architecture = frame.architecture
    arithmetic = architecture.arithmetic
    if not frame.keeps_all:
        yield f"couldn't map level {arithmetic.name}: one of the tensors is bypassed in all storage levels"
    macs, macs_x = (
        int(own[0, 0] * fan[0, 0])
        for own, fan in ((nests.instances, nests.fanout), (nests.instances_x, nests.fanout_x))
    )
    where = f"couldn't map level {arithmetic.name}: mapped max Arithmetic"
    for mapped, available, what in (
        (macs, arithmetic.instances, "instances"),
        (macs_x, arithmetic.mesh_x, "X expansion"),
        (macs // macs_x, arithmetic.mesh_y, "Y expansion"),
    ):
        if mapped > available:
            yield f"{where} {what} {mapped} exceeds hardware instances {available}"
    for index, level in enumerate(architecture.storage):
        words = int(_used_words(frame, nests, index)[0])
        capacity = level.effective_entries
        text = ""
        if capacity is not None and words > capacity:
            text = f"mapped tile size {words} exceeds buffer capacity {capacity}"
        elif capacity is not None and words < capacity * level.min_utilization:
            least = capacity * level.min_utilization
            text = f"mapped tile size {words} is less than constrained minimum utilization {least:g}"
        instances, x = int(nests.instances[0, index]), int(nests.instances_x[0, index])
        for mapped, available, what in (
            (instances, level.instances, "instances"),
            (x, level.mesh_x, "X expansion"),
            (instances // x, level.mesh_y, "Y expansion"),
        ):
            if mapped > available:
                text += f"mapped {what} {mapped} exceeds available hardware instances {available}"
                break
        if text:
            yield f"couldn't map level {level.name}: {text}"
    yield "partial sums are accessed less often than they are kept: Timeloop stops on this mapping"
