"""Which of two is better, and whether that is proven.

Of a figure two things are known: the value that a mapping was found for, and a floor that no mapping goes below. The
best possible lies between the two. So "A is better than B" is proven where the value of A is below the floor of B.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["Known", "Verdict", "verdict"]

_SAME = 1e-12


@dataclass(frozen=True, slots=True)
class Known:
    """A figure of which less is better: the value found, and what it cannot be below (None: nothing is proven)."""

    value: float
    floor: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Which of two has less of a quantity.

    `saving` = 1 − less / more, of the values found. With the best mappings of both it is at least `proven` and at most
    `at_most`: a negative `proven` leaves open which of the two is better. None where nothing is proven.
    """

    quantity: str
    better: str
    worse: str
    saving: float
    proven: float | None
    at_most: float | None

    @property
    def is_open(self) -> bool:
        """Whether better mappings could turn it round."""
        return self.proven is None or self.proven < 0

    @property
    def equal(self) -> bool:
        return self.saving <= _SAME

    @property
    def cells(self) -> tuple[str, str, str]:
        """Which is better, by how much, and what of that is proven, for a table."""
        if self.equal:
            return "-", "-", "-"
        proven = "nothing" if self.proven is None else "open" if self.proven < 0 else _percent(self.proven, math.floor)
        return self.better, _percent(self.saving), proven

    def __str__(self) -> str:
        if self.equal:
            words = f"{self.better} and {self.worse} are equal in {self.quantity}"
            return f"{words}, as scheduled; that is not proven." if self.is_open else f"{words}."
        words = f"{self.better} beats {self.worse} by {_percent(self.saving)} in {self.quantity}"
        if self.proven is None:
            return f"{words} as scheduled; nothing is proven."
        if self.proven < 0:
            other = 1.0 - 1.0 / (1.0 - self.proven)
            return (
                f"{words} as scheduled; the gaps leave it open: at its best, {self.worse} may be up to "
                f"{_percent(other, math.ceil)} better."
            )
        return f"{words}; proven at least {_percent(self.proven, math.floor)}."

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON; shares, not per cent."""
        return {
            "quantity": self.quantity,
            "better": None if self.equal else self.better,
            "worse": None if self.equal else self.worse,
            "saving": self.saving,
            "proven_at_least": self.proven,
            "at_most": self.at_most,
            "open": self.is_open,
            "text": str(self),
        }


def verdict(quantity: str, first: tuple[str, Known], second: tuple[str, Known]) -> Verdict | None:
    """Compare two named figures; None where a value is not above 0, so that no ratio says anything."""
    (better, less), (worse, more) = sorted((first, second), key=lambda named: named[1].value)
    if less.value <= 0:
        return None
    proven = None if not more.floor else 1.0 - less.value / more.floor
    at_most = None if less.floor is None else 1.0 - less.floor / more.value
    return Verdict(quantity, better, worse, 1.0 - less.value / more.value, proven, at_most)


def _percent(share: float, rounded: Callable[[float], float] = round) -> str:
    """Two or three figures: what is proven is rounded down, what may be is rounded up."""
    percent = 100.0 * share
    digits = 0 if percent >= 10 else 1 if percent >= 1 else 2
    return f"{rounded(percent * 10**digits) / 10**digits:.{digits}f} %"
