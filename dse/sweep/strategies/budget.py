"""A strategy that stops after so many variants, or so much time."""

from __future__ import annotations

import time
from collections.abc import Sequence

from dse.sweep.strategies.protocol import Strategy, VariantOutcome

__all__ = ["Budgeted"]


class Budgeted:
    """Another strategy within limits; None: no limit.

    `points` counts variants, pruned ones included, and not what constraints leave out. `seconds` are those of one run,
    looked at between waves.
    """

    def __init__(self, strategy: Strategy, points: int | None, seconds: float | None) -> None:
        self._strategy = strategy
        self._left = points
        self._deadline = None if seconds is None else time.monotonic() + seconds

    @property
    def planned(self) -> int:
        return self._strategy.planned if self._left is None else min(self._strategy.planned, self._left)

    def ask(self) -> Sequence[int]:
        if self._left == 0 or (self._deadline is not None and time.monotonic() >= self._deadline):
            return []
        wave = self._strategy.ask()
        return wave if self._left is None else wave[: self._left]

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        if self._left is not None:
            self._left -= sum(outcome.status != "excluded" for outcome in outcomes)
        self._strategy.tell(outcomes)
