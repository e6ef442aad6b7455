"""The mixed-integer linear program of a layer: decisions and constraints, in the log2 domain.

Every row is linear in x = (count, choice, real):

count   integer matrix, prime factors × slots: how many equal prime factors of a dimension go to a loop nest
choice  binaries: `order` (the class of loop order of a level), `passes` (a level has no temporal loop that moves a
        data space), `still` (a level has no temporal loop of some dimensions), `axis` (a dimension unrolls along Y,
        where a level fans out along X and Y), `unrolled` (a dimension unrolls at all), `column` (the tile sizes of the
        dimensions that share an axis of a data space: exact extents in spite of strides and halos)
real    `saved` (log2 of the fetches that a loop order saves), `extent` (fallback for axes with too many columns),
        `share` and `tile` (of a shared buffer and the log2 words in it, per data space)

A Structure fixes the matrices. Capacities and fan-outs are parameters of right-hand sides, and the energies of the
architecture with the user's weights make up the parameter `cost`: one compiled program serves every variant.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import cvxpy as cp
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from dse.errors import ToolError
from dse.integers import divisors, exponent
from dse.scheduler.cosa.constraints import constraint_rows
from dse.scheduler.cosa.factors import Axis, Slot, Structure, largest_product, log_limit
from dse.scheduler.cosa.orders import order_classes
from dse.specification.architecture import Architecture

__all__ = ["Program", "Row"]

Row = npt.NDArray[np.float64]
"""A linear form in x; its last entry is the constant."""

SPARE_CUTS = 6
"""Rows kept free for tangents at solutions that overflow a shared buffer."""

MORE_CUTS = 30
"""The same under constraints on loops, which may forbid to shrink a tile that overflows."""

_SLACK = 1e-3  # a solver's tolerance (1e-6) times the coefficients of a row, with room to spare
_COLUMNS = 400  # more combinations of tile sizes on one axis than this: bounded from below instead
_TANGENTS = (0.0, -0.25, -0.5, -0.75, -1.0, -1.5, -2.0, -3.0, -4.5, -6.5)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Tile sizes of the moving dimensions of an axis at a level, one binary each, and the extents that they span."""

    first: int
    sizes: tuple[tuple[int, ...], ...]
    log_extents: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class _Run:
    """Dimensions in an innermost idle run, where the order is of a class (None: any) and `still` ones have no loop."""

    dimensions: frozenset[int]
    order: int | None
    still: frozenset[int]


class Program:
    """One compiled program. `row_*` methods give linear forms for objectives; `problem` is solved by a façade."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.spare_cuts = MORE_CUTS if structure.loops else SPARE_CUTS
        self.active = frozenset(factor.dimension for factor in structure.factors)
        # Where a constraint says what stands innermost, the classes are those of the other loops.
        self.classes = [
            order_classes(structure.problem.shape, self.active - frozenset(structure.innermost(level)))
            for level in range(structure.levels)
        ]
        self._log_bound = [math.log2(bound) for bound in structure.problem.bounds]
        self._kinds: list[str] = []
        self._upper: list[float] = []
        self._equal: list[Row] = []
        self._below: list[Row] = []
        self._parameter_rows: list[tuple[int, int]] = []  # (row of _below, entry of the parameter `limit`)
        self.limits: list[tuple[str, int]] = []  # what an entry of `limit` is: ("capacity"|"x"|"y", level)

        slots, factors = structure.slots, structure.factors
        self.count_size = len(factors) * len(slots)
        self.count = np.arange(self.count_size).reshape(len(factors), len(slots))
        self._kinds += ["count"] * self.count_size
        self._upper += [float(factor.multiplicity) for factor in factors for _ in slots]
        self._slot_logs = np.array([math.log2(factor.prime) for factor in factors])
        self._declare()
        self._place_factors()
        equal, below = constraint_rows(self)
        self._equal += equal
        self._below += below
        self._choose_orders()
        self._choose_tiles()
        self._limit_capacities()
        self._break_symmetry()
        self._compile()

    # ---- variables

    def _new(self, kind: str, number: int, upper: float = 1.0) -> int:
        """Index of the first of `number` new entries of x between 0 and `upper`."""
        first = len(self._kinds)
        self._kinds += [kind] * number
        self._upper += [upper] * number
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
            (space, child, level, index): self._new("real", 1, self._run_log(run))
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
        self.columns: dict[tuple[int, Axis], _Columns] = {}
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
        self.size = len(self._kinds)

    def _runs(self, space: int, level: int) -> list[_Run]:
        """The loops that may stand in a data space's innermost idle run at a level."""
        runs: list[_Run] = []
        still: frozenset[int] = frozenset()
        for dimension in self.structure.innermost(level):
            if dimension in self.structure.relevant(space):
                still |= {dimension}
            else:
                runs.append(_Run(frozenset((dimension,)), None, still))
        for index, order in enumerate(self.classes[level]):
            if order.runs[space]:
                runs.append(_Run(order.runs[space], index, still))
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
        self.columns[level, axis] = _Columns(
            self._new("choice", len(sizes)), sizes, tuple(math.log2(extent) for extent in extents)
        )

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
        weights = self._slot_logs if logs else np.ones(len(self.structure.factors))
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

    # ---- constraints

    def _run_log(self, run: _Run) -> float:
        return sum(self._log_bound[dimension] for dimension in run.dimensions)

    def _limit(self, row: Row, what: tuple[str, int]) -> None:
        """row <= the parameter that stands for `what`."""
        if what not in self.limits:
            self.limits.append(what)
        self._parameter_rows.append((len(self._below), self.limits.index(what)))
        self._below.append(row)

    def _place_factors(self) -> None:
        structure = self.structure
        for position, factor in enumerate(structure.factors):
            self._equal.append(self.row(((int(i), 1.0) for i in self.count[position]), -factor.multiplicity))
        for column, slot in enumerate(structure.slots):
            if slot.kind != "temporal":
                logs = zip(self.count[:, column], self._slot_logs, strict=True)
                self._limit(self.row((int(index), float(log)) for index, log in logs), (slot.kind, slot.level))
        # A permutation names a dimension once, so it unrolls along one axis of a 2-D mesh.
        for (dimension, level), binary in self.axis.items():
            for position, factor in enumerate(structure.factors):
                if factor.dimension == dimension:
                    top = float(factor.multiplicity)
                    x, y = (
                        int(
                            self.count[
                                position,
                                next(c for c, s in enumerate(structure.slots) if (s.level, s.kind) == (level, kind)),
                            ]
                        )
                        for kind in "xy"
                    )
                    self._below.append(self.row([(y, 1.0), (binary, -top)]))
                    self._below.append(self.row([(x, 1.0), (binary, top)], -top))

    def _choose_orders(self) -> None:
        structure = self.structure
        for level in self.ordered:
            choices = ((self.order[level, index], 1.0) for index in range(len(self.classes[level])))
            self._equal.append(self.row(choices, -1.0))
        without = [(level, structure.relevant(space), binary) for (space, level), binary in self.passes.items()]
        without += [(level, dimensions, binary) for (level, dimensions), binary in self.still.items()]
        for level, dimensions, binary in without:
            column = structure.slots.index(Slot(level, "temporal"))
            for position, factor in enumerate(structure.factors):
                if factor.dimension in dimensions:
                    top = float(factor.multiplicity)
                    self._below.append(self.row([(int(self.count[position, column]), 1.0), (binary, top)], -top))
        for (space, child, level, index), saved in self.saved.items():
            run = self.runs[space, level][index]
            top = self._run_log(run)
            own = self.row([(saved, 1.0)])
            self._below.append(own - self.row_factors(run.dimensions, "t", range(level, level + 1)))
            if run.order is not None:
                self._below.append(own - self.row([(self.order[level, run.order], top)]))
            if run.still:
                self._below.append(own - self.row([(self.still[level, run.still], top)]))
            for between in range(child + 1, level):
                self._below.append(own - self.row([(self.passes[space, between], top)]))

    def _choose_tiles(self) -> None:
        structure = self.structure
        for (level, axis), columns in self.columns.items():
            span = range(columns.first, columns.first + len(columns.sizes))
            self._equal.append(self.row(((index, 1.0) for index in span), -1.0))
            for position, term in enumerate(axis):
                for item, factor in enumerate(structure.factors):
                    if factor.dimension != term.dimension:
                        continue
                    inside = [int(self.count[item, c]) for c, slot in enumerate(structure.slots) if slot.level <= level]
                    exponents = (exponent(size[position], factor.prime) for size in columns.sizes)
                    chosen = zip(span, map(float, exponents), strict=True)
                    self._equal.append(self.row([*chosen, *((index, -1.0) for index in inside)]))
        for (level, axis), index in self.extent.items():
            for term in axis:  # (size - 1) · weight + 1 >= size
                own = self.row([(index, -1.0)])
                self._below.append(own + self.row_factors([term.dimension], "ts", range(level + 1)))

    def _limit_capacities(self) -> None:
        structure = self.structure
        for level in range(structure.levels - 1):
            kept = [space for space, keeps in enumerate(structure.keep[level]) if keeps]
            if len(kept) == 1:
                self._limit(self.row_tile(kept[0], level), ("capacity", level))
            if len(kept) <= 1:
                continue
            self._below.append(self.row(((self.share[level, space], 1.0) for space in kept), -1.0))
            for space in kept:
                # share >= 2^(tile - capacity), by tangents of the exponential
                tile = self.row([(self.tile[level, space], 1.0)])
                self._equal.append(self.row_tile(space, level) - tile)
                for point in _TANGENTS:
                    slope = math.log(2.0) * 2.0**point
                    value = 2.0**point * (1.0 - math.log(2.0) * point)
                    row = (tile + self.row(constant=value / slope)) - self.row(
                        [(self.share[level, space], 1.0 / slope)]
                    )
                    self._limit(row, ("capacity", level))

    def _break_symmetry(self) -> None:
        """Of two mappings that differ in the names of two dimensions alone, keep one."""
        if self.structure.symmetry is not None:
            one, other = self.structure.symmetry
            row = self.row()
            for position, factor in enumerate(self.structure.factors):
                sign = {one: 1.0, other: -1.0}.get(factor.dimension, 0.0)
                weights = sign * self._slot_logs[position] * 0.7 ** np.arange(len(self.structure.slots))
                row[self.count[position]] += weights
            self._below.append(row)

    # ---- the compiled problem

    def _compile(self) -> None:
        number = {kind: self._kinds.count(kind) for kind in ("count", "choice", "real")}
        order = [i for kind in number for i, own in enumerate(self._kinds) if own == kind]
        upper = np.array(self._upper)
        blocks = {kind: [i for i in order if self._kinds[i] == kind] for kind in number}
        self._order = np.array(order)
        self._variables: list[cp.Variable] = []
        for kind, indices in blocks.items():
            if not indices:
                continue
            if kind == "choice":
                self._variables.append(cp.Variable(len(indices), name=kind, boolean=True))
            else:
                bounds = [np.zeros(len(indices)), upper[indices]]
                self._variables.append(cp.Variable(len(indices), name=kind, integer=kind == "count", bounds=bounds))
        x = cp.hstack(self._variables) if len(self._variables) > 1 else self._variables[0]
        equal, below = np.array(self._equal), np.array(self._below).reshape(-1, self.size + 1)
        self.cost = cp.Parameter(self.size, name="cost")
        constraints = [sp.csr_array(equal[:, order]) @ x == -equal[:, -1]]
        self.limit = cp.Parameter(len(self.limits), name="limit") if self.limits else None
        fixed = np.ones(len(below), dtype=bool)
        if self.limit is not None:
            limited = [row for row, _ in self._parameter_rows]
            fixed[limited] = False
            uses = sp.csr_array(np.eye(len(self.limits))[[entry for _, entry in self._parameter_rows]])
            constraints.append(sp.csr_array(below[limited][:, order]) @ x <= uses @ self.limit - below[limited, -1])
        if fixed.any():
            constraints.append(sp.csr_array(below[fixed][:, order]) @ x <= -below[fixed, -1])
        self._x = x
        self._uncut = self.problem = cp.Problem(cp.Minimize(self.cost @ x), constraints)
        self._equal_rows, self._below_rows = equal, below

    def set_parameters(self, architecture: Architecture, cost: Row) -> None:
        """Give the compiled problem the limits of an architecture and the coefficients of an objective."""
        limits = [self._log_limit(architecture, what, level) for what, level in self.limits]
        if self.limit is not None:
            self.limit.value = np.array(limits)
        self._limit_values = np.zeros(len(self._below))
        for row, entry in self._parameter_rows:
            self._limit_values[row] = limits[entry]
        self.cost.value = cost[:-1][self._order]
        self.set_cuts([])

    def _log_limit(self, architecture: Architecture, what: str, level: int) -> float:
        """log2 of the largest product of factors that fits: a tighter relaxation than the limit itself."""
        structure = self.structure
        if what in ("x", "y"):
            return log_limit(largest_product(structure.problem.bounds, architecture.fanouts[level][what == "y"]))
        entries = architecture.storage[level].effective_entries
        kept = [space for space, keeps in enumerate(structure.keep[level]) if keeps]
        if entries and len(kept) == 1 and not structure.box_axes(kept[0]):
            relevant = structure.relevant(kept[0])
            entries = largest_product(tuple(structure.problem.bounds[dimension] for dimension in relevant), entries)
        return log_limit(entries)

    def set_cuts(self, cuts: Sequence[tuple[Mapping[tuple[int, int], float], float]]) -> None:
        """Extra rows, at most `spare_cuts`: ({(level, data space): coefficient of its log2 tile}, upper limit).

        The level is one that several data spaces share. Few solutions have to be cut off, so `problem` has room for
        such rows only while there are some.
        """
        if not cuts:
            self.problem = self._uncut
            return
        coefficients = np.zeros((self.spare_cuts, len(self.share)))
        limits = np.ones(self.spare_cuts)
        positions = {pair: position for position, pair in enumerate(self.share)}
        for row, (tiles, limit) in enumerate(cuts):
            limits[row] = limit
            for pair, coefficient in tiles.items():
                coefficients[row, positions[pair]] = coefficient
        self.problem, cut, cut_limit = self._with_cuts
        cut.value, cut_limit.value = coefficients, limits

    @cached_property
    def _with_cuts(self) -> tuple[cp.Problem, cp.Parameter, cp.Parameter]:
        """The problem with spare rows on the tiles of shared buffers, their coefficients and their limits."""
        cut = cp.Parameter((self.spare_cuts, len(self.share)), name="cut")
        limit = cp.Parameter(self.spare_cuts, name="cut_limit")
        tiles = np.array([self.row([(self.tile[pair], 1.0)]) for pair in self.share])
        row = cut @ (sp.csr_array(tiles[:, self._order]) @ self._x) <= limit
        return cp.Problem(self._uncut.objective, [*self._uncut.constraints, row]), cut, limit

    def solution(self) -> Row:
        """x with a final 1, after a solve; count and choice rounded to whole numbers.

        Raises ToolError where a solver's point is not integral or breaks a row: no status is believed unseen.
        """
        result = np.ones(self.size + 1)
        result[self._order] = np.concatenate([np.asarray(variable.value) for variable in self._variables])
        whole = np.array([kind != "real" for kind in self._kinds])
        rounded = np.where(np.append(whole, False), np.rint(result), result)
        faults = [
            float(np.abs(rounded - result).max()),
            float(np.abs(self._equal_rows @ rounded).max()),
            float((self._below_rows @ rounded - self._limit_values).max(initial=0.0)),
            float((rounded[:-1] - self._upper).max()),
            float(-rounded.min()),
        ]
        if max(faults) > _SLACK:
            raise ToolError(f"the solver's point breaks its own constraints by {max(faults):.3g}")
        return rounded
