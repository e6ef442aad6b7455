"""Figures as short columns: what makes a page of many thousand results small."""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["Interned", "shortened"]

Value = float | int | None

_EXACT = 2**53


class Interned:
    """Texts by number, each kept once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def texts(self) -> list[str]:
        return list(self._numbers)


def shortened(values: Iterable[float | None], digits: int = 6) -> list[Value]:
    """The values to some significant digits; whole numbers below 2^53 stay as they are, what is no number is None."""
    return [_short(value, digits) for value in values]


def _short(value: float | None, digits: int) -> Value:
    if value is None or not math.isfinite(value):
        return None
    if -_EXACT < value < _EXACT and (isinstance(value, int) or value.is_integer()):
        return int(value)
    short = float(f"{value:.{digits}g}")
    return int(short) if short.is_integer() and abs(short) < _EXACT else short
