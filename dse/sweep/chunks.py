"""Chunks: points of one problem, so many that handing them out costs little beside them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from dse.sweep.plan import Point
from dse.sweep.task import Result

__all__ = ["Chunks", "Pace"]

_CHUNK_SECONDS = 1.0  # well above what it costs to hand out a task, and short enough to balance the workers
_FIRST_CHUNK = 2
_LARGEST_CHUNK = 64


class Pace:
    """How long points take, as far as was measured."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._measured = 0

    def learn(self, results: Sequence[Result]) -> None:
        """Note how long these took."""
        for result in results:
            if result.total_seconds is not None:
                self._seconds += result.total_seconds
                self._measured += 1

    def chunk(self) -> int:
        """Points that make a chunk worth handing out."""
        if not self._measured:
            return _FIRST_CHUNK
        return min(round(_CHUNK_SECONDS * self._measured / max(self._seconds, 1e-9)), _LARGEST_CHUNK)


class Chunks:
    """Cuts points, sorted by problem, into chunks of one problem."""

    def __init__(self, pending: Sequence[Point], workers: int, pace: Pace) -> None:
        self._workers = workers
        self._pace = pace
        self._waiting = [list(points) for _, points in groupby(pending, key=lambda point: point.problem)]
        self._waiting.reverse()  # taken from the end
        self._left = len(pending)

    def next_chunk(self) -> list[Point]:
        """The next chunk; empty where all points have been handed out."""
        if not self._waiting:
            return []
        points = self._waiting[-1]
        fair = -(-self._left // (2 * self._workers))  # the last chunks shrink, so that all workers end together
        size = max(1, min(self._pace.chunk(), fair))
        chunk, rest = points[:size], points[size:]
        if rest:
            self._waiting[-1] = rest
        else:
            self._waiting.pop()
        self._left -= len(chunk)
        return chunk
