"""Prime factors and divisors of whole numbers."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product

__all__ = ["divisors", "exponent", "prime_factors"]


@lru_cache(maxsize=4096)
def prime_factors(number: int) -> tuple[tuple[int, int], ...]:
    """(prime, exponent) of a positive whole number, primes ascending."""
    factors: list[tuple[int, int]] = []
    divisor = 2
    while number > 1:
        if divisor * divisor > number:
            divisor = number
        exponent = 0
        while number % divisor == 0:
            exponent += 1
            number //= divisor
        if exponent:
            factors.append((divisor, exponent))
        divisor += 1
    return tuple(factors)


@lru_cache(maxsize=4096)
def divisors(number: int) -> tuple[int, ...]:
    """All divisors of a positive whole number, ascending."""
    powers = [[prime**power for power in range(top + 1)] for prime, top in prime_factors(number)]
    return tuple(sorted(math.prod(choice) for choice in product(*powers)))


@lru_cache(maxsize=65536)
def exponent(number: int, prime: int) -> int:
    """How often a prime divides a number."""
    count = 0
    while number % prime == 0:
        number //= prime
        count += 1
    return count
