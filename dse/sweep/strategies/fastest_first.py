"""All variants of a space, those first that may be fast: a good front early is what bounds are compared with."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from dse.sweep.strategies.grid import GridStrategy

__all__ = ["WAVES", "FastestFirst"]

WAVES = (4, 8, 16, 32, 64)
"""Variants of the first waves, and of all that follow: few before there is a front, many to keep workers busy."""

_BLOCK = 1024  # variants that are put into order at once


class FastestFirst(GridStrategy):
    """The grid in blocks; each block by a bound on the latency, ties by number.

    `cycles` bounds the latency of a combination; None where it is no variant. `settled` says whether nothing of some
    combinations is left to schedule, so that their order does not matter: a block that was finished before costs
    little.
    """

    def __init__(
        self,
        size: int,
        cycles: Callable[[int], int | None],
        settled: Callable[[Sequence[int]], bool],
    ) -> None:
        super().__init__(size, 1)
        self._cycles = cycles
        self._settled = settled
        self._waiting: list[int] = []
        self._block = 0
        self._waves = 0

    def ask(self) -> Sequence[int]:
        if not self._waiting:
            block = range(self._block, min(self._block + _BLOCK, self._size))
            self._block = block.stop
            if block and self._settled(block):
                return block
            least = [(self._cycles(number), number) for number in block]
            self._waiting = [number for _, number in sorted((own, at) for own, at in least if own is not None)]
            if len(self._waiting) < len(block):
                return [number for own, number in least if own is None]
        size = WAVES[min(self._waves, len(WAVES) - 1)]
        self._waves += 1
        wave, self._waiting = self._waiting[:size], self._waiting[size:]
        return wave
