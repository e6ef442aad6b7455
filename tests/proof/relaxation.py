"""What a program charges for a given mapping: the smallest value of its objective with the decisions fixed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
from scipy.sparse import csc_array

from dse.proof.points import fixed_variables
from dse.proof.program import Floats, Program
from dse.solvers import HIGHS_TRUSTED
from dse.specification.mapping import Mapping

__all__ = ["Relaxation", "relaxed_cost"]


_GRID_ERROR = 0.02  # log2: more than what the fixed tangents may take off a sum
_OVERSTEP = 1e-6  # of a capacity, by a solver's tolerances


@dataclass(frozen=True)
class Relaxation:
    """A program with the figures of an architecture, and its rows with the fixed tangents alone."""

    program: Program
    rows: dict[str, Any]

    @classmethod
    def of(cls, program: Program) -> Relaxation:
        data, _, _ = program.problem.get_problem_data("HIGHS")
        return cls(program, data)

    def cost_at_most(self, mapping: Mapping) -> float:
        """log2 of a cost that the relaxed cost does not exceed: that of one point, infinite where it is none.

        The point is the best with the fixed tangents alone; its sums are then made exact.
        """
        answer = _solve(self.program, self.rows, *_decided(self.program, mapping))
        if answer is None:
            return float("inf")
        cost, point = answer
        for own in self.program.sums:
            if own.name.startswith("capacity"):
                filled = sum(2.0 ** self.program.value(term.exponent, point) for term in own.terms)
                if filled > 1.0 + _OVERSTEP:
                    return float("inf")
        return max(cost, self.program.value(self.program.objective, self.program.completed(point)))


def relaxed_cost(program: Program, mapping: Mapping, rounds: int = 3, enough: float = -np.inf) -> float:
    """log2 of the relaxed cost, with the sums made exact at the optimum; infinite where no point is left.

    Where exact sums could not lift it to `enough`, the cost that the fixed tangents give is returned.
    """
    decided = _decided(program, mapping)
    cost = -np.inf
    for _ in range(rounds):
        rows, _, _ = program.problem.get_problem_data("HIGHS")
        answer = _solve(program, rows, *decided)
        if answer is None:
            return float("inf")
        before, (cost, point) = cost, answer
        if cost <= before + 1e-6 or cost + _GRID_ERROR < enough:
            break
        program.add_tangents(point)
    return cost


def _decided(program: Program, mapping: Mapping) -> tuple[Floats, Floats]:
    """Bounds of the variables, with those that a mapping decides fixed."""
    lower, upper = program.lower.copy(), program.upper.copy()
    for variable, value in fixed_variables(program, mapping).items():
        lower[variable] = upper[variable] = value
    return lower, upper


def _solve(program: Program, rows: dict[str, Any], lower: Floats, upper: Floats) -> tuple[float, Floats] | None:
    """(objective, point) of the optimum of some rows; None where there is none.

    By HiGHS as the product uses it: the release inside SciPy 1.17 called a point optimal that was not.
    """
    matrix, equal = csc_array(rows["A"]), rows["dims"].zero
    model = highspy.HighsLp()
    model.num_row_, model.num_col_ = matrix.shape
    model.col_cost_, model.col_lower_, model.col_upper_ = rows["c"], lower, upper
    model.row_lower_ = np.concatenate([rows["b"][:equal], np.full(len(rows["b"]) - equal, -np.inf)])
    model.row_upper_ = rows["b"]
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.num_row_, model.a_matrix_.num_col_ = matrix.shape
    model.a_matrix_.start_, model.a_matrix_.index_ = matrix.indptr, matrix.indices
    model.a_matrix_.value_ = matrix.data
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    model.integrality_ = [kinds[whole] for whole in program.assembly.integer]
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", 0.0)
    for option, value in HIGHS_TRUSTED.items():
        highs.setOptionValue(option, value)
    highs.passModel(model)
    highs.run()
    if highs.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return highs.getInfo().objective_function_value, np.array(highs.getSolution().col_value)
