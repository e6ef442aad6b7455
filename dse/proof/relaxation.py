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

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dse.proof.linear import Linear, Rows
from dse.proof.program import Program, figures
from dse.proof.rounding import rounded_down, trivial_bound
from dse.proof.structure import Structure
from dse.specification.architecture import Architecture

__all__ = ["Relaxation"]

Floats = npt.NDArray[np.float64]

_ROUNDING = 1e-8  # log2: errors of floating point in the right-hand side
_VIOLATION = 3e-4  # a tangent is added where a term of a sum, which is at most 1, is that much too small


class Relaxation:
    """Bounds for all architectures of one structure, on the objective that the structure names.

    They depend on the structure and the `anchors` alone, not on what was asked before.
    """

    def __init__(self, structure: Structure, anchors: Sequence[Architecture]) -> None:
        """One linear program is solved for each anchor; all have to be of the structure (tens of milliseconds)."""
        self.structure = structure
        program = Program(structure)
        self._parameters = dict(program.assembly.parameters)
        known = _solved(program.rows, [self._theta(anchor) for anchor in anchors])
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


def _solved(rows: Rows, thetas: Sequence[Floats]) -> list[tuple[float, Floats]]:
    """(right-hand side at θ = 0, its slope in θ) of the best multipliers at each θ; none where no mapping fits it."""
    found: list[tuple[float, Floats]] = []
    linear: Linear | None = None
    for theta in thetas:
        if linear is None:
            linear = Linear(rows, theta)
        else:
            linear.move(theta)
        solution = linear.solve(_VIOLATION)
        if solution is not None:
            found.append(linear.lagrangian(solution.multipliers))
    return found
