"""All variants of a space, in its order."""

from __future__ import annotations

from collections.abc import Sequence

from dse.sweep.strategies.protocol import VariantOutcome

__all__ = ["GridStrategy"]

_POINTS_A_WAVE = 1024  # minutes: workers hardly ever wait for the last of a wave, and a front is soon there
_SMALLEST, _LARGEST = 32, 1024


class GridStrategy:
    """Every number from 0 to `size` - 1, in waves of so many variants that the wave's end costs little time.

    `problems` is how many schedules a variant takes. `wave` sets the variants of a wave.
    """

    def __init__(self, size: int, problems: int, wave: int | None = None) -> None:
        self.planned = size
        self._size = size
        self._wave = wave or min(max(_POINTS_A_WAVE // problems, _SMALLEST), _LARGEST)
        self._next = 0

    def ask(self) -> Sequence[int]:
        wave = range(self._next, min(self._next + self._wave, self._size))
        self._next = wave.stop
        return wave

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        """Nothing: the grid asks for everything."""
