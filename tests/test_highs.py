"""The release of HiGHS in use on programs that other releases answer wrongly: a bound is only as true as its solver."""

from itertools import product
from math import inf
from typing import NamedTuple

import highspy
import numpy as np
import pytest


class Program(NamedTuple):
    """Minimise cost · x over lower ≤ x ≤ upper, entries · x ≤ most (or = most) in each row."""

    cost: dict[int, float]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    whole: tuple[int, ...]
    rows: tuple[tuple[dict[int, float], float], ...]
    equal: tuple[tuple[dict[int, float], float], ...] = ()


# What is left of a program of `latency` with a mapping fixed, once every row that is not needed is taken away. Of HiGHS
# 1.13.0 to 1.15.1, each calls a point optimal that is not, for some seeds.
CUT_OFF = Program(
    {8: 1},
    (0, 0, 0, 0, 0, 0, 0, 0, 11.981, 0, 0, -54.494, 0),
    (0.585, 0.415, 1, 1, 2, 1, 0.585, 1, 64, 1, 1, 0, 1),
    (2, 3, 5, 7),
    (
        ({1: 1, 2: -0.415}, 0),
        ({0: -1, 2: 0.585}, 0),
        ({0: -0.798, 1: -0.46, 3: -0.25, 4: -0.083, 6: -0.03, 8: 1.124, 11: 1.124}, 10.504),
        ({1: -1, 3: 0.415}, 0),
        ({4: 1, 5: -2}, 0),
        ({0: 0.798, 1: 0.46, 4: 0.083, 5: 0.25, 6: 0.03, 8: -1.124, 11: -1.124}, -10.504),
        ({6: 1, 7: -0.585}, 0),
        ({4: -1, 7: 2}, 0),
        ({0: 0.548, 1: 0.21, 4: -0.167, 6: -0.22, 8: -1.124, 11: -1.124}, -11.15),
        ({9: 1, 10: 1, 12: 1}, 1),
        ({8: -0.022, 9: -1}, -0.324),
        ({8: -0.347, 10: -1}, -4.999),
        ({11: 0.146, 12: -1}, -0.538),
        ({11: 0.123, 12: -1}, -0.483),
    ),
)
# A program of `cosa` with a constraint on a loop, which HiGHS 1.10 and 1.11 call infeasible.
THIRD = 1.584962500721156  # log2 3
DENIED = Program(
    {0: -2.571, 1: -2.571, 2: 10, 3: 10.429, 4: -4.076, 5: -4.076, 6: 15.85, 7: 16.529, 8: 0.429, 9: 0.429, 10: 10.429}
    | {11: 10.429, 16: -0.429},
    (0,) * 17,
    (1, 1, 1, 1, 1, 1, 1, 1, 6, 6, 6, 6, 1, 1, 1, 1, 2.584962500721156),
    tuple(range(16)),
    (
        ({0: 1, 4: THIRD, 8: 1}, 1.00001),
        ({1: 1, 5: THIRD, 9: 1}, 1.00001),
        ({8: 1, 9: 1, 10: 1}, 6.00001),
        ({1: 1, 12: -1}, 0),
        ({0: 1, 12: 1}, 1),
        ({5: 1, 12: -1}, 0),
        ({4: 1, 12: 1}, 1),
        ({9: 1, 13: -6}, 0),
        ({8: 1, 13: 6}, 6),
        ({2: 1, 6: THIRD}, THIRD),
        ({3: -1, 7: -THIRD, 16: 1}, 0),
        ({15: -1 - THIRD, 16: 1}, 0),
    ),
    (
        ({0: 1, 1: 1, 2: 1, 3: 1}, 1),
        ({4: 1, 5: 1, 6: 1, 7: 1}, 1),
        ({8: 1, 9: 1, 10: 1, 11: 1}, 6),
        ({14: 1, 15: 1}, 1),
    ),
)


def optimum(program: Program, *, fixed: tuple[int, ...] | None = None, **options: object) -> float:
    """The least cost; infinite where HiGHS says that there is none. `fixed`: the whole numbers, which leaves an LP."""
    solver = highspy.Highs()
    for option, value in ({"output_flag": False, "mip_rel_gap": 0.0} | options).items():
        solver.setOptionValue(option, value)
    lower, upper = list(program.lower), list(program.upper)
    for column, number in zip(program.whole, fixed or (), strict=False):
        lower[column] = upper[column] = number
    for column, (low, high) in enumerate(zip(lower, upper, strict=True)):
        solver.addCol(program.cost.get(column, 0.0), low, high, 0, np.zeros(0, np.int32), np.zeros(0))
    for rows, equal in ((program.rows, False), (program.equal, True)):
        for entries, most in rows:
            columns, weights = np.array(list(entries), np.int32), np.array(list(entries.values()), float)
            solver.addRow(most if equal else -highspy.kHighsInf, most, len(columns), columns, weights)
    for column in program.whole if fixed is None else ():
        solver.changeColIntegrality(column, highspy.HighsVarType.kInteger)
    solver.run()
    value: float = solver.getInfo().objective_function_value
    return value if solver.getModelStatus() == highspy.HighsModelStatus.kOptimal else inf


def test_no_optimum_is_cut_off() -> None:
    least = min(optimum(CUT_OFF, fixed=fixed) for fixed in product((0, 1), repeat=len(CUT_OFF.whole)))
    found = [optimum(CUT_OFF, random_seed=seed, presolve="off") for seed in range(12)]
    assert found == pytest.approx([least] * 12, abs=1e-6)


def test_nothing_is_infeasible_that_has_a_point() -> None:
    point = (0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 5, 0, 0, 0, 1, 0)
    known = optimum(DENIED, fixed=point)
    assert known < inf
    found = [optimum(DENIED, random_seed=seed) for seed in range(3)]
    assert found == pytest.approx([found[0]] * 3)
    assert found[0] <= known + 1e-6
