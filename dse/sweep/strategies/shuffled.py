"""All variants of a space in a random order, without listing them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from dse.sweep.strategies.fastest_first import WAVES
from dse.sweep.strategies.protocol import VariantOutcome

__all__ = ["Permutation", "RandomStrategy"]

_ROUNDS = 4


class Permutation:
    """A pseudorandom permutation of 0 to `size` - 1 in no memory.

    A Feistel network on the smallest even number of bits that holds the size; numbers beyond it are passed through
    again until they fall inside (cycle walking: J. Black and P. Rogaway, Ciphers with Arbitrary Finite Domains, 2002).
    """

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        self._seed = seed
        self._half = max((max(size - 1, 1).bit_length() + 1) // 2, 1)
        self._mask = (1 << self._half) - 1

    def __getitem__(self, position: int) -> int:
        """What stands at a position. Raises IndexError beyond the end."""
        if not 0 <= position < self._size:
            raise IndexError(f"position {position} of {self._size}")
        number = self._mixed(position)
        while number >= self._size:
            number = self._mixed(number)
        return number

    def _mixed(self, number: int) -> int:
        left, right = number >> self._half, number & self._mask
        for turn in range(_ROUNDS):
            text = f"{self._seed} {turn} {right}".encode()
            left, right = right, left ^ (int.from_bytes(hashlib.blake2b(text, digest_size=8).digest()) & self._mask)
        return left << self._half | right


class RandomStrategy:
    """Every combination once, in an order that the seed decides."""

    def __init__(self, size: int, seed: int) -> None:
        self.planned = size
        self._order = Permutation(size, seed)
        self._next = 0
        self._waves = 0

    def ask(self) -> Sequence[int]:
        first = self._next
        self._next = min(first + WAVES[min(self._waves, len(WAVES) - 1)], self.planned)
        self._waves += 1
        return [self._order[position] for position in range(first, self._next)]

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        """Nothing: chance asks no questions."""
