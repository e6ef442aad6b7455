"""A bound on the cost of a layer without a schedule: one linear program, whose dual solution serves many architectures.

An architecture enters a program only by its figures θ (capacities, bandwidths, energies), on the right-hand side of the
rows A x + B θ + c = 0 or ≤ 0. Every x that stands for a mapping lies in the box l ≤ x ≤ u. So for any multipliers y,
those of inequalities not negative, a mapping costs

    w·x  ≥  w·x + y·(A x + B θ + c)  ≥  y·c + (Bᵀy)·θ + Σ_j min(d_j l_j, d_j u_j),    d = w + Aᵀy.

The right-hand side is arithmetic. It holds whatever a solver says of y, and for every θ: one dual solution bounds all
architectures of the same structure, and is close for those that resemble the one it was found at (A. Neumaier and
O. Shcherbina, Safe bounds in linear and mixed-integer linear programming, Mathematical Programming 99, 2004).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from dse.proof.program import Program, figures
from dse.proof.rounding import rounded_down, trivial_bound
from dse.proof.structure import Structure
from dse.specification.architecture import Architecture

__all__ = ["Relaxation"]

Floats = npt.NDArray[np.float64]

_LN2 = math.log(2.0)
_ROUNDING = 1e-8  # log2: errors of floating point in the right-hand side
_VIOLATION = 3e-4  # a tangent is added where a term of a sum, which is at most 1, is that much too small
_ROUNDS = 8  # of adding tangents
_STEEPEST = 8.0  # log2 of a term beyond which its tangent is taken


class Relaxation:
    """Bounds for all architectures of one structure, on the objective that the structure names.

    They depend on the structure and the `anchors` alone, not on what was asked before.
    """

    def __init__(self, structure: Structure, anchors: Sequence[Architecture]) -> None:
        """One linear program is solved for each anchor; all have to be of the structure (tens of milliseconds)."""
        self.structure = structure
        program = Program(structure)
        self._parameters = dict(program.assembly.parameters)
        known = _solved(_Rows.of(program), [self._theta(anchor) for anchor in anchors])
        self._constants = np.array([constant for constant, _ in known])
        self._slopes = np.array([slope for _, slope in known])

    def bound(self, architecture: Architecture) -> float:
        """No valid mapping costs less: cycles, pJ or their product, as the evaluator counts (about 0.1 ms)."""
        least = trivial_bound(architecture, self.structure)
        if not len(self._constants):
            return least
        log_bound = float((self._constants + self._slopes @ self._theta(architecture)).max()) - _ROUNDING
        return max(rounded_down(architecture, self.structure, log_bound), least)

    def _theta(self, architecture: Architecture) -> Floats:
        values = figures(architecture, self.structure)
        theta = np.zeros(max(len(self._parameters), 1))
        for name, index in self._parameters.items():
            theta[index] = values[name]
        return theta


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """A program as arrays: minimise `weight` · x; `a` x + `b` θ + `c` = 0 in the first `equal` rows, ≤ 0 in the rest.

    A term of a sum is 2^(`g` x + `h` θ + `f`), and `z` x stands for it.
    """

    weight: Floats
    a: sp.csr_array
    b: sp.csr_array
    c: Floats
    equal: int
    lower: Floats
    upper: Floats
    g: sp.csr_array
    h: sp.csr_array
    f: Floats
    z: sp.csr_array

    @classmethod
    def of(cls, program: Program) -> _Rows:
        assembly = program.assembly
        a_equal, b_equal, c_equal = assembly.rows_equal
        a_below, b_below, c_below = assembly.rows_below
        terms = [term for own in program.sums for term in own.terms]
        g, h, f = assembly.matrices([term.exponent for term in terms])
        z, _, _ = assembly.matrices([term.part for term in terms])
        weight, _, _ = assembly.matrices([program.objective])
        return cls(
            weight.toarray()[0],
            sp.csr_array(sp.vstack([a_equal, a_below])),
            sp.csr_array(sp.vstack([b_equal, b_below])),
            np.concatenate([c_equal, c_below]),
            len(c_equal),
            program.lower,
            program.upper,
            g,
            h,
            f,
            z,
        )

    def limits(self, theta: Floats) -> tuple[Floats, Floats]:
        """(lower, upper) limits of a x at θ."""
        upper: Floats = -(self.c + self.b @ theta)
        return np.where(np.arange(len(upper)) < self.equal, upper, -math.inf), upper

    def with_tangents(self, point: Floats, theta: Floats) -> _Rows | None:
        """With z ≥ 2^p (1 + ln 2 (g − p)), p = g at the point, for every term too small there; None: none is."""
        at = np.minimum(self.g @ point + self.h @ theta + self.f, _STEEPEST)
        chosen = np.flatnonzero(2.0**at - self.z @ point > _VIOLATION)
        if not len(chosen):
            return None
        power = 2.0 ** at[chosen]
        scale = sp.diags_array(power * _LN2)
        return _Rows(
            self.weight,
            sp.csr_array(sp.vstack([self.a, scale @ self.g[chosen] - self.z[chosen]])),
            sp.csr_array(sp.vstack([self.b, scale @ self.h[chosen]])),
            np.concatenate([self.c, power * _LN2 * self.f[chosen] + power * (1.0 - _LN2 * at[chosen])]),
            self.equal,
            self.lower,
            self.upper,
            self.g,
            self.h,
            self.f,
            self.z,
        )


def _solved(rows: _Rows, thetas: Sequence[Floats]) -> list[tuple[float, Floats]]:
    """(right-hand side at θ = 0, its slope in θ) of the best multipliers at each θ; none where no mapping fits it."""
    solver = highspy.Highs()
    for option, value in (("output_flag", False), ("threads", 1), ("random_seed", 0), ("presolve", "off")):
        solver.setOptionValue(option, value)
    found: list[tuple[float, Floats]] = []
    for number, theta in enumerate(thetas):
        lower, upper = rows.limits(theta)
        if number:
            for row, (low, high) in enumerate(zip(lower.tolist(), upper.tolist(), strict=True)):
                solver.changeRowBounds(row, low, high)
        else:
            solver.passModel(_model(rows, lower, upper))
        best: tuple[float, Floats] | None = None
        for _ in range(_ROUNDS):
            solver.run()
            if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
                break
            solution = solver.getSolution()
            best = _right_hand_side(rows, -np.array(solution.row_dual))
            more = rows.with_tangents(np.array(solution.col_value), theta)
            if more is None:
                break
            first, rows = len(rows.c), more
            added = rows.a[first:]
            lower, upper = (side[first:] for side in rows.limits(theta))
            solver.addRows(len(upper), lower, upper, added.nnz, added.indptr[:-1], added.indices, added.data)
        if best is not None:
            found.append(best)
    return found


def _model(rows: _Rows, lower: Floats, upper: Floats) -> highspy.HighsLp:
    columns = sp.csc_array(rows.a)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(rows.weight), len(upper)
    model.col_cost_, model.col_lower_, model.col_upper_ = rows.weight, rows.lower, rows.upper
    model.row_lower_, model.row_upper_ = lower, upper
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = columns.indptr, columns.indices
    model.a_matrix_.value_ = columns.data
    return model


def _right_hand_side(rows: _Rows, y: Floats) -> tuple[float, Floats]:
    """(value at θ = 0, slope) for multipliers y; those of inequalities that are negative count as 0."""
    y[rows.equal :] = np.maximum(y[rows.equal :], 0.0)
    d = rows.weight + rows.a.T @ y
    corner = np.where(d > 0, d * rows.lower, d * rows.upper)
    return math.fsum([*(y * rows.c), *corner]), rows.b.T @ y
