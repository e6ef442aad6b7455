"""The linear relaxation of a program, with tangents of its sums where a solution needs them.

HiGHS goes on from the last basis, so that a solve after a change of some bounds takes a few milliseconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from dse.proof.forms import Assembly, Form

__all__ = ["COARSE", "Linear", "Rows", "Solution"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

COARSE = (0.0, -1.0, -2.0, -3.5, -6.0)
"""Where the tangents touch 2^x that every solve starts with."""

_LN2 = math.log(2.0)
_ROUNDS = 8  # of adding tangents
_STEEPEST = 3.0  # log2 of a term beyond which its tangent is taken


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A program as arrays: minimise `weight` · x; `a` x + `b` θ + `c` = 0 in the first `equal` rows, ≤ 0 in the rest.

    Of each exponential of a sum, `log` is the variable that is its exponent or more, and `part` that of 2^log or more.
    """

    weight: Floats
    a: sp.csr_array
    b: sp.csr_array
    c: Floats
    equal: int
    lower: Floats
    upper: Floats
    log: Ints
    part: Ints

    @classmethod
    def of(cls, assembly: Assembly, objective: Form, log: Ints, part: Ints) -> Rows:
        a_equal, b_equal, c_equal = assembly.rows_equal
        a_below, b_below, c_below = assembly.rows_below
        weight, _, _ = assembly.matrices([objective])
        return cls(
            weight.toarray()[0],
            sp.csr_array(sp.vstack([a_equal, a_below])),
            sp.csr_array(sp.vstack([b_equal, b_below])),
            np.concatenate([c_equal, c_below]),
            len(c_equal),
            np.array(assembly.lower),
            np.array(assembly.upper),
            log,
            part,
        )

    def limits(self, theta: Floats) -> tuple[Floats, Floats]:
        """(lower, upper) limits of a x at θ."""
        upper: Floats = -(self.c + self.b @ theta)
        return np.where(np.arange(len(upper)) < self.equal, upper, -math.inf), upper


class Solution(NamedTuple):
    """The optimum of a linear program: its value, the variables, and the multipliers of its rows."""

    value: float
    point: Floats
    multipliers: Floats


class Linear:
    """The relaxation at some θ. `term`, `at`: of each tangent added so far, whose it is and where it touches."""

    def __init__(self, rows: Rows, theta: Floats) -> None:
        self.rows = rows
        self.term: Ints = np.zeros(0, np.int64)
        self.at: Floats = np.zeros(0)
        self._solver = highspy.Highs()
        for option, value in (("output_flag", False), ("threads", 1), ("random_seed", 0), ("presolve", "off")):
            self._solver.setOptionValue(option, value)
        columns = sp.csc_array(rows.a)
        model = highspy.HighsLp()
        model.num_col_, model.num_row_ = len(rows.weight), len(rows.c)
        model.col_cost_, model.col_lower_, model.col_upper_ = rows.weight, rows.lower, rows.upper
        model.row_lower_, model.row_upper_ = rows.limits(theta)
        model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        model.a_matrix_.start_, model.a_matrix_.index_ = columns.indptr, columns.indices
        model.a_matrix_.value_ = columns.data
        self._solver.passModel(model)
        every = np.arange(len(rows.log))
        for at in COARSE:
            self._touch(every, np.full(len(every), at))

    def move(self, theta: Floats) -> None:
        """Go to another θ; the tangents stay, since the exponents are variables."""
        for row, (low, high) in enumerate(zip(*(side.tolist() for side in self.rows.limits(theta)), strict=True)):
            self._solver.changeRowBounds(row, low, high)

    def limit(self, column: int, lower: float, upper: float) -> None:
        """Bound a variable anew."""
        self._solver.changeColBounds(column, lower, upper)

    def solve(self, violation: float, rounds: int = _ROUNDS) -> Solution | None:
        """The optimum, with tangents wherever a term is too small by more than `violation`; None: there is no point.

        The sums of terms are at most 1. What the last of the rounds adds is left to the next solve.
        """
        found: Solution | None = None
        for _ in range(rounds):
            self._solver.run()
            if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                return found
            solution = self._solver.getSolution()
            point = np.array(solution.col_value)
            found = Solution(self._solver.getObjectiveValue(), point, -np.array(solution.row_dual))
            at = np.minimum(point[self.rows.log], _STEEPEST)
            small = np.flatnonzero(2.0**at - point[self.rows.part] > violation)
            if not len(small):
                break
            self._touch(small, at[small])
        return found

    def _touch(self, term: Ints, at: Floats) -> None:
        """Add part ≥ 2^at (1 + ln 2 (log − at)) for some terms."""
        count = len(term)
        if not count:
            return
        power = 2.0**at
        index = np.stack([self.rows.log[term], self.rows.part[term]], axis=1).ravel().astype(np.int32)
        value = np.stack([power * _LN2, np.full(count, -1.0)], axis=1).ravel()
        start = np.arange(0, 2 * count, 2, dtype=np.int32)
        self._solver.addRows(
            count, np.full(count, -math.inf), -power * (1.0 - _LN2 * at), 2 * count, start, index, value
        )
        self.term, self.at = np.concatenate([self.term, term]), np.concatenate([self.at, at])

    def lagrangian(self, multipliers: Floats) -> tuple[float, Floats]:
        """(constant, slope) of a bound on the optimum that is linear in θ, whatever the multipliers of a solution are.

        Those of inequalities that are negative count as 0.
        """
        rows = self.rows
        y = multipliers.copy()
        y[rows.equal :] = np.maximum(y[rows.equal :], 0.0)
        own, tangent = y[: len(rows.c)], y[len(rows.c) :]
        power = 2.0 ** self.at[: len(tangent)]
        term = self.term[: len(tangent)]
        d = rows.weight + rows.a.T @ own
        np.add.at(d, rows.log[term], tangent * power * _LN2)
        np.subtract.at(d, rows.part[term], tangent)
        corner = np.where(d > 0, d * rows.lower, d * rows.upper)
        touched = tangent * power * (1.0 - _LN2 * self.at[: len(tangent)])
        return math.fsum([*(own * rows.c), *touched, *corner]), rows.b.T @ own
