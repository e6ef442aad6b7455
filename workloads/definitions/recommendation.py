"""Recommendation."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from .layers import Definition, Occurrence, batched_product, product

__all__ = ["dlrm"]


def dlrm() -> Definition:
    """Two stacks of fully connected layers, and between them the products of each pair of 27 vectors."""
    batch, vectors, width = 128, 1 + 26, 128

    def layers() -> Iterator[Occurrence]:
        for layer, (inputs, outputs) in enumerate(pairwise((13, 512, 256, width))):
            yield f"bottom.{layer}", product(1, inputs, outputs, batch)
        yield "interaction", batched_product(batch, vectors, width, vectors)
        features = width + vectors * (vectors - 1) // 2
        for layer, (inputs, outputs) in enumerate(pairwise((features, 1024, 1024, 512, 256, 1))):
            yield f"top.{layer}", product(1, inputs, outputs, batch)

    return Definition(
        "DLRM",
        "DLRM of MLPerf (Criteo Terabyte), batch 128: bottom 13-512-256-128, top 479-1024-1024-512-256-1, and the "
        "products of all pairs of 27 vectors of 128, half of which the network uses. Looking up embeddings is no "
        "layer.",
        "facebookresearch/dlrm, bench/run_and_time.sh (MLPerf), after M. Naumov et al., Deep Learning Recommendation "
        "Model for Personalization and Recommendation Systems, 2019, arXiv:1906.00091",
        tuple(layers()),
    )
