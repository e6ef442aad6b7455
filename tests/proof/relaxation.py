"""What a program charges for a given mapping: the smallest value of its objective with the decisions fixed."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp

from dse.proof.points import fixed_variables
from dse.proof.program import Program
from dse.specification.mapping import Mapping

__all__ = ["relaxed_cost"]


_GRID_ERROR = 0.02  # log2: more than what the fixed tangents may take off a sum


def relaxed_cost(program: Program, mapping: Mapping, rounds: int = 3, enough: float = -np.inf) -> float:
    """log2 of the relaxed cost, with the sums made exact at the optimum; infinite where no point is left.

    Where exact sums could not lift it to `enough`, the cost that the fixed tangents give is returned.
    """
    data, _, _ = program.problem.get_problem_data("HIGHS")
    lower, upper = program.lower.copy(), program.upper.copy()
    for variable, value in fixed_variables(program, mapping).items():
        lower[variable] = upper[variable] = value
    cost = -np.inf
    for _ in range(rounds):
        data, _, _ = program.problem.get_problem_data("HIGHS")
        equal = data["dims"].zero
        low = np.concatenate([data["b"][:equal], np.full(len(data["b"]) - equal, -np.inf)])
        answer = milp(
            data["c"],
            constraints=LinearConstraint(data["A"], low, data["b"]),
            bounds=Bounds(lower, upper),
            integrality=np.array(program.assembly.integer, np.int64),
            options={"mip_rel_gap": 0.0},
        )
        if answer.x is None:
            return float("inf")
        if answer.fun <= cost + 1e-6:
            break
        cost = float(answer.fun)
        if cost + _GRID_ERROR < enough:
            break
        program.add_tangents(answer.x)
    return cost
