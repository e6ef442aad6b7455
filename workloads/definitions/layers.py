"""What definitions are written with: layers under their module's names, and equal ones counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from dse.specification.network import Layer, Network
from dse.specification.problem import CNN_LAYER, GROUPED_CONVOLUTION, Problem

__all__ = ["Definition", "Occurrence", "batched_product", "convolution", "output_size", "product"]

Occurrence = tuple[str, Problem]
"""A layer where it occurs: the name of its module and its problem."""


@dataclass(frozen=True)
class Definition:
    """A network file: its comment, its source, its layers in the order of the network."""

    name: str
    comment: str
    source: str
    occurrences: tuple[Occurrence, ...]

    @property
    def network(self) -> Network:
        """Distinct problems with their counts, each named after its first occurrence."""
        counts = Counter(problem for _, problem in self.occurrences)
        names: dict[Problem, str] = {}
        for name, problem in self.occurrences:
            names.setdefault(problem, name)
        return Network(self.name, self.source, tuple(Layer(names[own], count, own) for own, count in counts.items()))


def problem(groups: int = 1, **sizes: int) -> Problem:
    """A `cnn-layer`, or with several groups a `grouped-convolution`; what is not given is 1."""
    shape = CNN_LAYER if groups == 1 else GROUPED_CONVOLUTION
    given = sizes | {"G": groups}
    return Problem(
        shape,
        tuple(given.get(name, 1) for name in shape.dimensions),
        tuple(given.get(name, 1) for name in shape.coefficients),
    )


def output_size(size: int, window: int, stride: int = 1, padding: int | None = None) -> int:
    """Outputs along an axis; by default padded so that a stride of 1 keeps the size of an odd window."""
    return (size + 2 * (window // 2 if padding is None else padding) - window) // stride + 1


def convolution(
    channels: int, filters: int, window: int, outputs: int, stride: int = 1, groups: int = 1, batch: int = 1
) -> Problem:
    """A square convolution with `outputs` × `outputs` results; channels and filters are those of all groups."""
    return problem(
        groups,
        R=window,
        S=window,
        P=outputs,
        Q=outputs,
        C=channels // groups,
        K=filters // groups,
        N=batch,
        Wstride=stride,
        Hstride=stride,
    )


def product(rows: int, inner: int, columns: int, batch: int = 1) -> Problem:
    """Rows by a matrix of weights: a fully connected layer, or one that every token goes through."""
    return problem(P=rows, C=inner, K=columns, N=batch)


def batched_product(groups: int, rows: int, inner: int, columns: int) -> Problem:
    """As many products of two matrices that share nothing, as those of the heads of attention."""
    return problem(groups, P=rows, C=inner, K=columns)


def stack(*parts: Iterable[Occurrence]) -> tuple[Occurrence, ...]:
    """Layers of parts that follow each other."""
    return tuple(occurrence for part in parts for occurrence in part)
