"""Progress of a sweep on standard error: one line that is rewritten on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TextIO

from dse.sweep.heartbeat import Heartbeat, write_heartbeat

__all__ = ["Progress", "format_seconds"]

_SECONDS_BETWEEN = {True: 0.2, False: 10.0}  # on a terminal; elsewhere
_SECONDS_BETWEEN_BEATS = 1.0


class Progress:
    """Counts points; `quiet` writes nothing but notices. `file` is kept up to date for `dse status`."""

    def __init__(self, stream: TextIO | None = None, quiet: bool = False, file: Path | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._file = file
        self._beaten = 0.0
        self._terminal = self._stream.isatty()
        self._quiet = quiet
        self._total = self._done = self._stored = self._ran = self._known = self._pruned = self._cached = (
            self._without
        ) = 0
        self._started = self._shown = self._first = time.monotonic()
        self._ran_at_first = 0
        self._line_open = False

    def start(self, total: int, stored: int) -> None:
        """Begin with so many points planned at most, and so many results stored."""
        self._total, self._stored = total, stored
        self._started = self._shown = self._first = time.monotonic()
        self._write(f"{total} schedules, {stored} of them stored already", end="\n")
        self._beat()

    def notice(self, text: str) -> None:
        """Say what the user has to know, quiet or not."""
        self.close()
        self._stream.write(f"{text}\n")
        self._stream.flush()

    def wave(self, known: int, pruned: int, dropped: int) -> None:
        """Of the points planned, some have a result, some need none, and some are none after all."""
        self._total -= dropped
        self._known += known
        self._pruned += pruned
        self._done += known + pruned
        self._show_now_and_then()

    def cached(self, points: int) -> None:
        """So many more results, from the cache."""
        self._cached += points
        self._done += points
        self._show_now_and_then()

    def advance(self, points: int, without_mapping: int) -> None:
        """So many more results, some of them without a mapping."""
        if self._ran == 0:  # start-up is no measure of the rest
            self._first, self._ran_at_first = time.monotonic(), points
        self._done += points
        self._ran += points
        self._without += without_mapping
        self._show_now_and_then()

    def finish(self) -> None:
        """Show the last state and end the line."""
        if self._ran or self._pruned or self._cached:
            self._show()
        self.close()
        self._beat(finished=True)

    def close(self) -> None:
        """End an open line, for whatever is written next."""
        if self._line_open:
            self._write("", end="\n")

    def _show_now_and_then(self) -> None:
        if time.monotonic() - self._shown >= _SECONDS_BETWEEN[self._terminal]:
            self._show()
        if time.monotonic() - self._beaten >= _SECONDS_BETWEEN_BEATS:
            self._beat()

    def _rate(self) -> float:
        """Schedules a second since the first; 0 where that says nothing yet."""
        since_first = time.monotonic() - self._first
        return (self._ran - self._ran_at_first) / since_first if since_first > 0 else 0.0

    def _seconds_left(self, rate: float) -> float:
        left = self._total - self._done - max(self._stored - self._known, 0)
        return max(left, 0) / rate

    def _beat(self, finished: bool = False) -> None:
        self._beaten = time.monotonic()
        if self._file is None:
            return
        rate = self._rate()
        seconds = self._beaten - self._started
        write_heartbeat(
            self._file,
            Heartbeat(
                self._total,
                self._done,
                self._ran,
                self._pruned,
                self._without,
                rate or None,
                self._seconds_left(rate) if rate else None,
                seconds,
                finished,
            ),
        )

    def _show(self) -> None:
        self._shown = time.monotonic()
        rate = self._rate()
        line = f"{self._done}/{self._total} schedules ({100 * self._done / max(self._total, 1):.0f} %)"
        if rate:
            line += f", {rate:.1f} a second"
        if self._cached:
            line += f", {self._cached} from the cache"
        if self._pruned:
            line += f", {self._pruned} saved by bounds"
        if self._without:
            line += f", {self._without} without a mapping"
        if self._done == self._total:
            line += f", {format_seconds(self._shown - self._started)} in all"
        elif rate:
            line += f", {format_seconds(self._seconds_left(rate))} left"
        self._write(f"\r{line:<78}" if self._terminal else line, end="" if self._terminal else "\n")

    def _write(self, text: str, end: str) -> None:
        if not self._quiet:
            self._stream.write(text + end)
            self._stream.flush()
            self._line_open = end == ""


def format_seconds(seconds: float) -> str:
    """`47 s`, `3 min 20 s`, `2 h 05 min`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
