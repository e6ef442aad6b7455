import math
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from dse.integers import divisors, prime_factors
from dse.scheduler.cosa.factors import Structure, largest_product
from dse.specification.problem import CNN_LAYER, Problem


@given(st.integers(1, 10**6))
def test_prime_factors_multiply_to_the_number(number: int) -> None:
    factors = prime_factors(number)
    assert math.prod(prime**power for prime, power in factors) == number
    assert all(prime_factors(prime) == ((prime, 1),) for prime, _ in factors)


@given(st.integers(1, 5000))
def test_divisors_are_those_that_divide(number: int) -> None:
    assert divisors(number) == tuple(own for own in range(1, number + 1) if number % own == 0)


@given(st.lists(st.integers(1, 30), min_size=1, max_size=3), st.integers(1, 500))
def test_largest_product_is_that_of_all_choices(numbers: list[int], limit: int) -> None:
    products = (math.prod(choice) for choice in product(*map(divisors, numbers)))
    assert largest_product(tuple(numbers), limit) == max(own for own in products if own <= limit)


def _structure(bounds: tuple[int, ...], strides: tuple[int, int]) -> Structure:
    return Structure(Problem(CNN_LAYER, bounds, (*strides, 1, 1)), ((False, False),), ((True, True, True),))


def test_rows_and_columns_of_a_square_convolution_are_interchangeable() -> None:
    height_and_width = (CNN_LAYER.index["P"], CNN_LAYER.index["Q"])
    assert _structure((3, 3, 14, 14, 8, 4, 1), (2, 2)).symmetry == height_and_width
    assert _structure((3, 3, 14, 14, 8, 4, 1), (1, 2)).symmetry is None
    assert _structure((3, 1, 14, 14, 8, 4, 1), (1, 1)).symmetry is None
    assert _structure((1, 1, 14, 7, 8, 8, 1), (1, 1)).symmetry is None
