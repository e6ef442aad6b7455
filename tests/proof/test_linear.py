"""The linear relaxation of a program: its bound, its tangents, and the mappings that a dive through it leads to."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest

from dse.proof import prove
from dse.proof.diving import dive, rounded
from dse.proof.linear import COARSE, Linear
from dse.proof.points import mapping_of
from dse.proof.program import Program
from dse.proof.structure import Structure
from dse.search.membership import allows
from tests.proof.test_prove import ARCHITECTURE, MAPSPACE, PROBLEM


@pytest.fixture(scope="module")
def program() -> Program:
    made = Program(Structure.of(ARCHITECTURE, PROBLEM, MAPSPACE, "edp"))
    made.set_architecture(ARCHITECTURE)
    return made


def relaxation(program: Program) -> Linear:
    return Linear(program.rows, np.asarray(program.theta.value))


def test_bound_by_arithmetic_is_the_optimum_and_below_every_mapping(program: Program) -> None:
    linear = relaxation(program)
    solution = linear.solve(1e-4)
    assert solution is not None
    constant, slope = linear.lagrangian(solution.multipliers)
    bound = constant + float(slope @ np.asarray(program.theta.value))
    assert bound == pytest.approx(solution.value, abs=1e-4)
    proof = prove(ARCHITECTURE, PROBLEM, MAPSPACE, "edp", 0.05, 60.0)
    assert proof.value is not None
    assert 2.0**bound <= proof.value


def test_tangents_make_every_term_as_large_as_its_exponent_says(program: Program) -> None:
    linear = relaxation(program)
    coarse = len(linear.at)
    assert coarse == len(COARSE) * len(program.terms)
    values = [found.value for found in (linear.solve(violation, rounds=40) for violation in (1.0, 1e-2, 1e-5)) if found]
    assert len(values) == 3
    assert all(low <= high + 1e-7 for low, high in pairwise(values))
    solution = linear.solve(1e-5)
    assert solution is not None
    short = 2.0 ** solution.point[program.rows.log] - solution.point[program.rows.part]
    assert short.max() <= 1e-5
    assert len(linear.at) > coarse


def test_a_dive_ends_at_a_mapping(program: Program) -> None:
    linear = relaxation(program)
    before = linear.solve(1e-4)
    assert before is not None
    points = list(dive(linear, program, before.point, math.inf))
    assert points
    assert all(float(program.rows.weight @ point) >= before.value - 1e-3 for point in points)
    last = mapping_of(program, rounded(program, points[-1]))
    assert allows(ARCHITECTURE, PROBLEM, MAPSPACE, last)


def test_tangents_that_touch_at_the_same_place_are_one(program: Program) -> None:
    program.start_tangents()
    terms = np.arange(len(program.terms))
    for _ in range(3):
        program.touch(terms, np.full(len(terms), -0.3))
    program.touch(terms, np.full(len(terms), -40.0))  # too small to matter
    used = [parameter for parameter in program.problem.parameters() if parameter.name() == "slope"]
    assert np.count_nonzero(np.asarray(used[0].value)) == len(terms) * (len(COARSE) + 1)


def test_the_latest_tangents_take_the_place_of_the_oldest_but_never_of_the_first(program: Program) -> None:
    program.start_tangents()
    for at in np.linspace(-3.0, -0.2, 80):
        program.touch(np.zeros(1, np.int64), np.array([at]))
    (slope,) = (np.asarray(own.value) for own in program.problem.parameters() if own.name() == "slope")
    touched = np.log2(slope[: len(slope) // len(program.terms)] / math.log(2.0))
    assert np.allclose(touched[: len(COARSE)], COARSE)
    assert touched.max() <= 0.0
    assert np.isclose(touched, -0.2).any()
