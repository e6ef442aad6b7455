"""The decisions of a layer and linear forms in them, in the log2 domain.

x = (count, choice, real):

count   integer matrix, prime factors × slots: how many equal prime factors of a dimension go to a loop nest
choice  binaries: `order` (the class of loop order of a level), `passes` (a level has no temporal loop that moves a
        data space), `still` (a level has no temporal loop of some dimensions), `axis` (a dimension unrolls along Y,
        where a level fans out along X and Y), `unrolled` (a dimension unrolls at all), `column` (the tile sizes of the
        dimensions that share an axis of a data space: exact extents in spite of strides and halos)
real    `saved` (log2 of the fetches that a loop order saves), `extent` (fallback for axes with too many columns),
        `share` and `tile` (of a shared buffer and the log2 words in it, per data space), `power` (how often a prime is
        in a product that has a limit)
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt

from dse.integers import divisors
from dse.scheduler.cosa.facets import MOST_PRIMES
from dse.scheduler.cosa.factors import Axis, Structure
from dse.scheduler.cosa.orders import order_classes

__all__ = ["Row", "Run", "Variables"]

Row = npt.NDArray[np.float64]
"""A linear form in x; its last entry is the constant."""

_COLUMNS = 400  # more combinations of tile sizes on one axis than this: bounded from below instead


@dataclass(frozen=True, slots=True)
class Columns:
    """Tile sizes of the moving dimensions of an axis at a level, one binary each, and the extents that they span."""

    first: int
    sizes: tuple[tuple[int, ...], ...]
    log_extents: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Run:
    """Dimensions in an innermost idle run, where the order is of a class (None: any) and `still` ones have no loop."""

    dimensions: frozenset[int]
    order: int | None
    still: frozenset[int]


class Variables:
    """Where each decision stands in x. `row_*` methods give the linear forms of constraints and objectives."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.active = frozenset(factor.dimension for factor in structure.factors)
        # Where a constraint says what stands innermost, the classes are those of the other loops.
        self.classes = [
            order_classes(structure.problem.shape, self.active - frozenset(structure.innermost(level)))
            for level in range(structure.levels)
        ]
        self._log_bound = [math.log2(bound) for bound in structure.problem.bounds]
        slots, factors = structure.slots, structure.factors
        self.count_size = len(factors) * len(slots)
        self.count = np.arange(self.count_size).reshape(len(factors), len(slots))
        self.kinds = ["count"] * self.count_size
        self.upper = [float(factor.multiplicity) for factor in factors for _ in slots]
        self.prime_logs = np.array([math.log2(factor.prime) for factor in factors])
        self._declare()

    def _new(self, kind: str, number: int, upper: float = 1.0) -> int:
        """Index of the first of `number` new entries of x between 0 and `upper`."""
        first = len(self.kinds)
        self.kinds += [kind] * number
        self.upper += [upper] * number
        return first

    def _declare(self) -> None:
        """All variables, so that every row has its full length."""
        structure = self.structure
        data_spaces = structure.problem.shape.data_spaces
        levels, spaces = structure.levels, len(data_spaces)
        self.axis = {
            (dimension, level): self._new("choice", 1)
            for level, (fans_x, fans_y) in enumerate(structure.fans)
            if fans_x and fans_y
            for dimension in sorted(self.active)
        }
        self.unrolled = {
            (dimension, own.level): self._new("choice", 1)
            for own in structure.loops
            if own.rooms() is not None and sum(structure.fans[own.level]) == 1
            for dimension in sorted(self.active - set(own.permutation))
        }
        # The innermost level's own order moves nothing: what the MACs use is read once an operation in any order.
        self.ordered = range(1 if levels > 1 else 0, levels)
        self.order = {
            (level, index): self._new("choice", 1)
            for level in self.ordered
            for index in range(len(self.classes[level]))
        }
        children = [(space, kept) for space in range(spaces) for kept in structure.kept_levels[space][:-1]]
        self.runs = {(space, level): self._runs(space, level) for space in range(spaces) for level in range(levels)}
        self.saved = {
            (space, child, level, index): self._new("real", 1, self.most_log(run.dimensions))
            for space, child in children
            for level in range(child + 1, levels)
            for index, run in enumerate(self.runs[space, level])
        }
        needed = {(i, self.runs[space, i][index].still) for space, _, i, index in self.saved}
        self.still = {
            (level, dimensions): self._new("choice", 1)
            for level, dimensions in sorted(needed, key=lambda own: (own[0], sorted(own[1])))
            if dimensions
        }
        self.passes = {
            (space, level): self._new("choice", 1)
            for space, level in sorted({(s, between) for s, c, i, _ in self.saved for between in range(c + 1, i)})
        }
        self.columns: dict[tuple[int, Axis], Columns] = {}
        self.extent: dict[tuple[int, Axis], int] = {}
        for space in range(spaces):
            for level in structure.kept_levels[space]:
                if level == levels - 1:
                    continue  # the whole data space
                for axis in structure.box_axes(space):
                    if (level, axis) not in self.columns and (level, axis) not in self.extent:
                        self._declare_axis(level, axis)
        self.share = {
            (level, space): self._new("real", 1)
            for level in range(levels - 1)
            if sum(structure.keep[level]) > 1
            for space in range(spaces)
            if structure.keep[level][space]
        }
        # Variables that equal `row_tile`, so that the many tangents at a tile are rows of two entries.
        self.tile = {
            (level, space): self._new("real", 1, math.log2(structure.problem.words(data_spaces[space])))
            for level, space in self.share
        }
        limits = [(slot.kind, slot.level) for slot in structure.slots if slot.kind != "temporal"]
        limits += [("capacity", level) for level in range(levels - 1)]
        self.products = {limit: rows for limit in limits if len(rows := self._rows_by_prime(*limit)) > 1}
        self.power = {
            (*limit, prime): self._new("real", 1, float(sum(structure.factors[row].multiplicity for row in rows)))
            for limit, product in self.products.items()
            for prime, rows in product.items()
        }
        self.size = len(self.kinds)

    def _rows_by_prime(self, kind: str, level: int) -> dict[int, list[int]]:
        """Of a product that has a limit, its few smallest primes with the rows of `count` that hold them."""
        dimensions = self.structure.product_under(kind, level) or frozenset()
        result: dict[int, list[int]] = {}
        for row, factor in enumerate(self.structure.factors):
            if factor.dimension in dimensions:
                result.setdefault(factor.prime, []).append(row)
        return dict(sorted(result.items())[:MOST_PRIMES])

    def _runs(self, space: int, level: int) -> list[Run]:
        """The loops that may stand in a data space's innermost idle run at a level."""
        runs: list[Run] = []
        still: frozenset[int] = frozenset()
        for dimension in self.structure.innermost(level):
            if dimension in self.structure.relevant(space):
                still |= {dimension}
            else:
                runs.append(Run(frozenset((dimension,)), None, still))
        for index, order in enumerate(self.classes[level]):
            if order.runs[space]:
                runs.append(Run(order.runs[space], index, still))
        return runs

    def _declare_axis(self, level: int, axis: Axis) -> None:
        structure = self.structure
        dimensions = [term.dimension for term in axis]
        choices = [divisors(structure.problem.bounds[dimension]) for dimension in dimensions]
        if math.prod(map(len, choices)) > _COLUMNS:
            full = structure.extent(axis, dict(enumerate(structure.problem.bounds)))
            self.extent[level, axis] = self._new("real", 1, math.log2(full))
            return
        sizes = tuple(product(*choices))
        extents = [structure.extent(axis, dict(zip(dimensions, size, strict=True))) for size in sizes]
        self.columns[level, axis] = Columns(
            self._new("choice", len(sizes)), sizes, tuple(math.log2(extent) for extent in extents)
        )

    def most_log(self, dimensions: Iterable[int]) -> float:
        """log2 of all the factors of some dimensions."""
        return sum(self._log_bound[dimension] for dimension in dimensions)

    # ---- linear forms

    def row(self, entries: Iterable[tuple[int, float]] = (), constant: float = 0.0) -> Row:
        """A linear form from (index in x, coefficient) pairs."""
        result = np.zeros(self.size + 1)
        for index, coefficient in entries:
            result[index] += coefficient
        result[-1] = constant
        return result

    def row_factors(self, dimensions: Iterable[int], kinds: str, levels: range, logs: bool = True) -> Row:
        """log2 of the product (or the number) of the prime factors of `dimensions` in some slots.

        `kinds` holds "t" for the temporal loops and "s" for the spatial ones of the `levels`.
        """
        wanted = frozenset(dimensions)
        rows = np.array([factor.dimension in wanted for factor in self.structure.factors], dtype=bool)
        columns = np.array(
            [
                slot.level in levels and ("t" if slot.kind == "temporal" else "s") in kinds
                for slot in self.structure.slots
            ]
        )
        result = np.zeros(self.size + 1)
        weights = self.prime_logs if logs else np.ones(len(self.structure.factors))
        result[: self.count_size] = np.outer(weights * rows, columns).ravel()
        return result

    def row_tile(self, space: int, level: int) -> Row:
        """log2 of the words of a data space's tile at a level that keeps it (halos and strides included)."""
        structure = self.structure
        if level == structure.levels - 1:
            words = structure.problem.words(structure.problem.shape.data_spaces[space])
            return self.row(constant=math.log2(words))
        boxes = structure.box_axes(space)
        result = self.row()
        for axis in structure.problem.shape.data_spaces[space].axes:
            moving = tuple(term for term in axis if term.dimension in self.active)
            if moving and moving not in boxes:
                result += self.row_factors([moving[0].dimension], "ts", range(level + 1))
        for axis in boxes:
            if (level, axis) in self.columns:
                columns = self.columns[level, axis]
                result[columns.first : columns.first + len(columns.sizes)] += columns.log_extents
            else:
                result[self.extent[level, axis]] += 1.0
        return result

    def row_fetches(self, space: int, child: int) -> Row:
        """log2 of how often a data space's tile at level `child` is fetched, by each of its instances."""
        levels = range(child + 1, self.structure.levels)
        result = self.row_factors(self.active, "t", levels)
        for (own, kept, _, _), index in self.saved.items():
            if (own, kept) == (space, child):
                result[index] -= 1.0
        return result
