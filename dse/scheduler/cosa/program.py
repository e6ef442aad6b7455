"""The mixed-integer linear program of a layer: the constraints on its decisions, compiled once for every variant.

Every row is linear in the variables. A Structure fixes the matrices. Capacities and fan-outs are parameters of
right-hand sides and of facets, and the energies of the architecture with the user's weights make up `cost`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property

import cvxpy as cp
import numpy as np
import scipy.sparse as sp

from dse.errors import ToolError
from dse.integers import exponent
from dse.scheduler.cosa.constraints import constraint_rows
from dse.scheduler.cosa.facets import MOST_FACETS, facets
from dse.scheduler.cosa.factors import Slot, Structure, largest_product, log_limit
from dse.scheduler.cosa.variables import Row, Variables
from dse.specification.architecture import Architecture

__all__ = ["Program"]

SPARE_CUTS = 6
"""Rows kept free for tangents at solutions that overflow a shared buffer."""

MORE_CUTS = 30
"""The same under constraints on loops, which may forbid to shrink a tile that overflows."""

_SLACK = 1e-3  # a solver's tolerance (1e-6) times the coefficients of a row, with room to spare
_TANGENTS = (0.0, -0.25, -0.5, -0.75, -1.0, -1.5, -2.0, -3.0, -4.5, -6.5)


class Program:
    """One compiled program in `variables`; `problem` is solved by a façade."""

    def __init__(self, structure: Structure) -> None:
        self.structure = structure
        self.variables = Variables(structure)
        self.spare_cuts = MORE_CUTS if structure.loops else SPARE_CUTS
        self._parameter_rows: list[tuple[int, int]] = []  # (row of _below, entry of the parameter `limit`)
        self.limits: list[tuple[str, int]] = []  # what an entry of `limit` is: ("capacity"|"x"|"y", level)
        self._equal: list[Row] = []
        self._below: list[Row] = []
        self._place_factors()
        equal, below = constraint_rows(self.variables)
        self._equal += equal
        self._below += below
        self._choose_orders()
        self._choose_tiles()
        self._limit_capacities()
        self._count_primes()
        self._break_symmetry()
        self._compile()

    # ---- constraints

    def _limit(self, row: Row, what: tuple[str, int]) -> None:
        """row <= the parameter that stands for `what`."""
        if what not in self.limits:
            self.limits.append(what)
        self._parameter_rows.append((len(self._below), self.limits.index(what)))
        self._below.append(row)

    def _place_factors(self) -> None:
        structure, variables = self.structure, self.variables
        for position, factor in enumerate(structure.factors):
            self._equal.append(variables.row(((int(i), 1.0) for i in variables.count[position]), -factor.multiplicity))
        for column, slot in enumerate(structure.slots):
            if slot.kind != "temporal":
                logs = zip(variables.count[:, column], variables.prime_logs, strict=True)
                self._limit(variables.row((int(index), float(log)) for index, log in logs), (slot.kind, slot.level))
        # A permutation names a dimension once, so it unrolls along one axis of a 2-D mesh.
        for (dimension, level), binary in variables.axis.items():
            for position, factor in enumerate(structure.factors):
                if factor.dimension == dimension:
                    top = float(factor.multiplicity)
                    x, y = (
                        int(
                            variables.count[
                                position,
                                next(c for c, s in enumerate(structure.slots) if (s.level, s.kind) == (level, kind)),
                            ]
                        )
                        for kind in "xy"
                    )
                    self._below.append(variables.row([(y, 1.0), (binary, -top)]))
                    self._below.append(variables.row([(x, 1.0), (binary, top)], -top))

    def _choose_orders(self) -> None:
        structure, variables = self.structure, self.variables
        for level in variables.ordered:
            choices = ((variables.order[level, index], 1.0) for index in range(len(variables.classes[level])))
            self._equal.append(variables.row(choices, -1.0))
        without = [(level, structure.relevant(space), binary) for (space, level), binary in variables.passes.items()]
        without += [(level, dimensions, binary) for (level, dimensions), binary in variables.still.items()]
        for level, dimensions, binary in without:
            column = structure.slots.index(Slot(level, "temporal"))
            for position, factor in enumerate(structure.factors):
                if factor.dimension in dimensions:
                    top = float(factor.multiplicity)
                    self._below.append(
                        variables.row([(int(variables.count[position, column]), 1.0), (binary, top)], -top)
                    )
        for (space, _, level, index), saved in variables.saved.items():
            run = variables.runs[space, level][index]
            top = variables.most_log(run.dimensions)
            own = variables.row([(saved, 1.0)])
            self._below.append(own - variables.row_factors(run.dimensions, "t", range(level, level + 1)))
            if run.order is not None:
                self._below.append(own - variables.row([(variables.order[level, run.order], top)]))
            if run.still:
                self._below.append(own - variables.row([(variables.still[level, run.still], top)]))
        # Outside a level with a loop that moves the data space, nothing is saved. Each idle factor is at one level, so
        # that all levels outside save no more than all of them together.
        for (space, between), binary in variables.passes.items():
            idle = variables.most_log(variables.active - structure.relevant(space))
            for child in (kept for kept in structure.kept_levels[space][:-1] if kept < between):
                outside = [
                    (index, 1.0)
                    for (own, kept, level, _), index in variables.saved.items()
                    if (own, kept) == (space, child) and level > between
                ]
                self._below.append(variables.row([*outside, (binary, -idle)]))

    def _choose_tiles(self) -> None:
        structure, variables = self.structure, self.variables
        for (level, axis), columns in variables.columns.items():
            span = range(columns.first, columns.first + len(columns.sizes))
            self._equal.append(variables.row(((index, 1.0) for index in span), -1.0))
            for position, term in enumerate(axis):
                for item, factor in enumerate(structure.factors):
                    if factor.dimension != term.dimension:
                        continue
                    inside = [
                        int(variables.count[item, c]) for c, slot in enumerate(structure.slots) if slot.level <= level
                    ]
                    exponents = (exponent(size[position], factor.prime) for size in columns.sizes)
                    chosen = zip(span, map(float, exponents), strict=True)
                    self._equal.append(variables.row([*chosen, *((index, -1.0) for index in inside)]))
        for (level, axis), index in variables.extent.items():
            for term in axis:  # (size - 1) · weight + 1 >= size
                own = variables.row([(index, -1.0)])
                self._below.append(own + variables.row_factors([term.dimension], "ts", range(level + 1)))

    def _limit_capacities(self) -> None:
        structure, variables = self.structure, self.variables
        for level in range(structure.levels - 1):
            kept = [space for space, keeps in enumerate(structure.keep[level]) if keeps]
            if len(kept) == 1:
                self._limit(variables.row_tile(kept[0], level), ("capacity", level))
            if len(kept) <= 1:
                continue
            self._below.append(variables.row(((variables.share[level, space], 1.0) for space in kept), -1.0))
            for space in kept:
                # share >= 2^(tile - capacity), by tangents of the exponential
                tile = variables.row([(variables.tile[level, space], 1.0)])
                self._equal.append(variables.row_tile(space, level) - tile)
                for point in _TANGENTS:
                    slope = math.log(2.0) * 2.0**point
                    value = 2.0**point * (1.0 - math.log(2.0) * point)
                    row = (tile + variables.row(constant=value / slope)) - variables.row(
                        [(variables.share[level, space], 1.0 / slope)]
                    )
                    self._limit(row, ("capacity", level))

    def _count_primes(self) -> None:
        """`power`, so that facets are rows of few entries."""
        variables = self.variables
        for (kind, level, prime), power in variables.power.items():
            counts = variables.count[variables.products[kind, level][prime]]
            inside = [
                slot.level <= level if kind == "capacity" else (slot.kind, slot.level) == (kind, level)
                for slot in self.structure.slots
            ]
            self._equal.append(variables.row([*((int(index), 1.0) for index in counts[:, inside].flat), (power, -1.0)]))

    def _break_symmetry(self) -> None:
        """Of two mappings that differ in the names of two dimensions alone, keep one."""
        if self.structure.symmetry is not None:
            variables = self.variables
            one, other = self.structure.symmetry
            row = variables.row()
            for position, factor in enumerate(self.structure.factors):
                sign = {one: 1.0, other: -1.0}.get(factor.dimension, 0.0)
                weights = sign * variables.prime_logs[position] * 0.7 ** np.arange(len(self.structure.slots))
                row[variables.count[position]] += weights
            self._below.append(row)

    # ---- the compiled problem

    def _compile(self) -> None:
        variables = self.variables
        number = {kind: variables.kinds.count(kind) for kind in ("count", "choice", "real")}
        order = [i for kind in number for i, own in enumerate(variables.kinds) if own == kind]
        upper = np.array(variables.upper)
        blocks = {kind: [i for i in order if variables.kinds[i] == kind] for kind in number}
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
        equal, below = np.array(self._equal), np.array(self._below).reshape(-1, variables.size + 1)
        self.cost = cp.Parameter(variables.size, name="cost")
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
        if variables.products:
            constraints.append(self._facet_rows(x))
        self._x = x
        self._uncut = self.problem = cp.Problem(cp.Minimize(self.cost @ x), constraints)
        self._equal_rows, self._below_rows = equal, below

    def _facet_rows(self, x: cp.Expression) -> cp.Constraint:
        """Rows for the facets of the products that fit; their number depends on the limits, so that some stay free."""
        variables = self.variables
        places: list[int] = []  # of each coefficient, its place in x
        rows: list[int] = []  # and its row
        self._facet_places: dict[tuple[str, int], tuple[int, int]] = {}  # (first coefficient, first row)
        number = 0
        for what, product in variables.products.items():
            self._facet_places[what] = len(places), number
            powers = [variables.power[*what, prime] for prime in product]
            most = MOST_FACETS[len(product)]
            places += powers * most
            rows += [number + row for row in range(most) for _ in powers]
            number += most
        self.facet = cp.Parameter(len(places), name="facet")
        self.facet_limit = cp.Parameter(number, name="facet_limit")
        chosen = sp.csr_array(np.eye(variables.size)[places][:, self._order])
        added = sp.csr_array((np.ones(len(rows)), (rows, range(len(rows)))), shape=(number, len(rows)))
        return added @ cp.multiply(self.facet, chosen @ x) <= self.facet_limit

    def _set_facets(self, architecture: Architecture) -> None:
        coefficients, limits = np.zeros(self.facet.size), np.zeros(self.facet_limit.size)
        for what, (first, row) in self._facet_places.items():
            product = self.variables.products[what]
            powers = (self.variables.power[*what, prime] for prime in product)
            multiplicities = tuple(round(self.variables.upper[power]) for power in powers)
            limit = self._limit_of(architecture, *what)
            found = facets(tuple(product), multiplicities, limit) if limit else ()
            found = found[: MOST_FACETS[len(product)]]  # any of them may be left out
            flat = [float(entry) for normal, _ in found for entry in normal]
            coefficients[first : first + len(flat)] = flat
            limits[row : row + len(found)] = [bound for _, bound in found]
        self.facet.value, self.facet_limit.value = coefficients, limits

    def set_parameters(self, architecture: Architecture, cost: Row) -> None:
        """Give the compiled problem the limits of an architecture and the coefficients of an objective."""
        limits = [self._log_limit(architecture, what, level) for what, level in self.limits]
        if self.limit is not None:
            self.limit.value = np.array(limits)
        self._limit_values = np.zeros(len(self._below))
        for row, entry in self._parameter_rows:
            self._limit_values[row] = limits[entry]
        self.cost.value = cost[:-1][self._order]
        if self.variables.products:
            self._set_facets(architecture)
        self.set_cuts([])

    def _log_limit(self, architecture: Architecture, what: str, level: int) -> float:
        """log2 of the largest product of factors that fits: a tighter relaxation than the limit itself."""
        limit = self._limit_of(architecture, what, level)
        dimensions = self.structure.product_under(what, level)
        if limit and dimensions is not None:
            limit = largest_product(tuple(self.structure.problem.bounds[own] for own in sorted(dimensions)), limit)
        return log_limit(limit)

    @staticmethod
    def _limit_of(architecture: Architecture, what: str, level: int) -> int | None:
        if what in ("x", "y"):
            return architecture.fanouts[level][what == "y"]
        return architecture.storage[level].effective_entries

    def set_cuts(self, cuts: Sequence[tuple[Mapping[tuple[int, int], float], float]]) -> None:
        """Extra rows, at most `spare_cuts`: ({(level, data space): coefficient of its log2 tile}, upper limit).

        The level is one that several data spaces share. Few solutions have to be cut off, so `problem` has room for
        such rows only while there are some.
        """
        variables = self.variables
        if not cuts:
            self.problem = self._uncut
            return
        coefficients = np.zeros((self.spare_cuts, len(variables.share)))
        limits = np.ones(self.spare_cuts)
        positions = {pair: position for position, pair in enumerate(variables.share)}
        for row, (tiles, limit) in enumerate(cuts):
            limits[row] = limit
            for pair, coefficient in tiles.items():
                coefficients[row, positions[pair]] = coefficient
        self.problem, cut, cut_limit = self._with_cuts
        cut.value, cut_limit.value = coefficients, limits

    @cached_property
    def _with_cuts(self) -> tuple[cp.Problem, cp.Parameter, cp.Parameter]:
        """The problem with spare rows on the tiles of shared buffers, their coefficients and their limits."""
        variables = self.variables
        cut = cp.Parameter((self.spare_cuts, len(variables.share)), name="cut")
        limit = cp.Parameter(self.spare_cuts, name="cut_limit")
        tiles = np.array([variables.row([(variables.tile[pair], 1.0)]) for pair in variables.share])
        row = cut @ (sp.csr_array(tiles[:, self._order]) @ self._x) <= limit
        return cp.Problem(self._uncut.objective, [*self._uncut.constraints, row]), cut, limit

    def solution(self) -> Row:
        """x with a final 1, after a solve; count and choice rounded to whole numbers.

        Raises ToolError where a solver's point is not integral or breaks a row: no status is believed unseen.
        """
        variables = self.variables
        result = np.ones(variables.size + 1)
        result[self._order] = np.concatenate([np.asarray(variable.value) for variable in self._variables])
        whole = np.array([kind != "real" for kind in variables.kinds])
        rounded = np.where(np.append(whole, False), np.rint(result), result)
        faults = [
            float(np.abs(rounded - result).max()),
            float(np.abs(self._equal_rows @ rounded).max()),
            float((self._below_rows @ rounded - self._limit_values).max(initial=0.0)),
            float((rounded[:-1] - variables.upper).max()),
            float(-rounded.min()),
        ]
        if max(faults) > _SLACK:
            raise ToolError(f"the solver's point breaks its own constraints by {max(faults):.3g}")
        return rounded
