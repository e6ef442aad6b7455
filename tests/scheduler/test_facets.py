"""The convex hull of products that fit, against all of them."""

from itertools import product
from math import prod

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.scheduler.cosa.facets import MOST_FACETS, MOST_PRIMES, facets

PRIMES = (2, 3, 5, 7, 11, 13)


@st.composite
def products(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    primes = tuple(sorted(draw(st.sets(st.sampled_from(PRIMES), min_size=1, max_size=MOST_PRIMES))))
    multiplicities = tuple(draw(st.integers(1, 6 if prime == 2 else 3)) for prime in primes)
    return primes, multiplicities, draw(st.integers(1, 5000))


@given(products())
def test_of_whole_exponents_exactly_those_that_fit_keep_to_the_facets(
    given: tuple[tuple[int, ...], tuple[int, ...], int],
) -> None:
    primes, multiplicities, limit = given
    found = facets(*given)
    for exponents in product(*(range(top + 1) for top in multiplicities)):
        fits = prod(prime**exponent for prime, exponent in zip(primes, exponents, strict=True)) <= limit
        assert fits == all(np.dot(normal, exponents) <= bound for normal, bound in found)


@settings(max_examples=30)
@given(products(), st.lists(st.floats(0.01, 1.0), min_size=MOST_PRIMES, max_size=MOST_PRIMES))
def test_over_the_facets_a_linear_program_has_a_product_that_fits_as_its_optimum(
    given: tuple[tuple[int, ...], tuple[int, ...], int], weights: list[float]
) -> None:
    primes, multiplicities, limit = given
    weight = np.array(weights[: len(primes)])
    e = cp.Variable(len(primes), bounds=[0.0, np.array(multiplicities, dtype=float)])
    rows = [np.array(normal, dtype=float) @ e <= bound for normal, bound in facets(*given)]
    relaxed = cp.Problem(cp.Maximize(weight @ e), rows).solve(solver="HIGHS")
    best = max(
        weight @ exponents
        for exponents in product(*(range(top + 1) for top in multiplicities))
        if prod(prime**exponent for prime, exponent in zip(primes, exponents, strict=True)) <= limit
    )
    assert relaxed == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("limit", [2**power for power in range(1, 19)] + [1000, 12_345])
def test_the_rows_kept_free_hold_all_facets_of_the_products_of_networks(limit: int) -> None:
    for primes, multiplicities in (((2, 7), (18, 4)), ((2, 3, 7), (18, 4, 2)), ((2, 3, 5, 7), (14, 3, 2, 2))):
        assert len(facets(primes, multiplicities, limit)) <= MOST_FACETS[len(primes)]


def test_a_seven_takes_all_of_a_fan_out_of_eight() -> None:
    assert facets((2, 7), (6, 2), 8) == (((0, 1), 1), ((1, 0), 3), ((1, 3), 3))
