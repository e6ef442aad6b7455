"""Schedules of all studies of a user on this machine: what was computed once is not computed again.

A schedule is found by the key that it has in every store: the hash of architecture, mapspace, problem, options,
evaluator and program. Rows carry a checksum, compared when they are read. Failures are not kept, nor answers without a
mapping. Several sweeps may use one cache at once. A cache that cannot be used is a notice and not an error: it only
saves time.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType

from dse.sweep.store import StoreReader, connect, result_row, signed
from dse.sweep.task import Result

__all__ = ["ScheduleCache", "default_cache_folder"]

_FILE = "schedules-3.sqlite"  # the number of the format of its rows
_INSERT = "INSERT OR REPLACE INTO result VALUES ({marks})"
_ROWS_PER_COMMIT = 100
_SECONDS_PER_COMMIT = 1.0
_BUSY_MILLISECONDS = 10_000


def default_cache_folder() -> Path | None:
    """`dse` under `$XDG_CACHE_HOME`, by default `~/.cache`; None for a user without a home."""
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    if named.is_absolute():  # the XDG base directory specification ignores others
        return named / "dse"
    home = Path("~").expanduser()
    return home / ".cache" / "dse" if home.is_absolute() else None


class ScheduleCache:
    """The cache in a folder, as a context manager; leaving it writes what is left.

    `notice` is told, once, why the cache cannot be used. With None for the folder it is empty and keeps nothing.
    """

    def __init__(self, folder: Path | None, program: str, notice: Callable[[str], None]) -> None:
        self._folder = folder
        self._program = program
        self._notice = notice
        self._connection: sqlite3.Connection | None = None
        self._unwritten: list[Result] = []
        self._written = time.monotonic()

    def __enter__(self) -> ScheduleCache:
        if self._folder is None:
            return self
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = connect(self._folder / _FILE)
            self._connection.execute("PRAGMA synchronous = NORMAL")  # a power cut may take the last seconds
            self._connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
        except (OSError, sqlite3.DatabaseError) as error:
            self._give_up(error)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._write()
        if self._connection is not None:
            self._connection.close()

    def results(self, keys: Iterable[str]) -> dict[str, Result]:
        """The schedules that there are of some keys, as they were written."""
        if self._connection is None:
            return {}
        reader = StoreReader(self._connection, Path(_FILE), self._program)
        try:
            found = reader.sound_results(keys)
        except sqlite3.DatabaseError as error:
            self._give_up(error)
            return {}
        return {key: result for key, result in found.items() if _kept(result)}

    def add(self, results: Iterable[Result]) -> None:
        """Keep those of the results that are schedules."""
        if self._connection is not None:
            self._unwritten += filter(_kept, results)
            late = time.monotonic() - self._written >= _SECONDS_PER_COMMIT
            if len(self._unwritten) >= _ROWS_PER_COMMIT or (late and self._unwritten):
                self._write()

    def _write(self) -> None:
        """Write in one short transaction: others are waiting."""
        rows = [signed(result_row(result), self._program) for result in self._unwritten]
        self._unwritten = []
        self._written = time.monotonic()
        if self._connection is None or not rows:
            return
        try:
            with self._connection:
                self._connection.executemany(_INSERT.format(marks=", ".join("?" * len(rows[0]))), rows)
        except sqlite3.DatabaseError as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) else error
        self._notice(f"the cache of schedules in {self._folder} is not used: {reason}")
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _kept(result: Result) -> bool:
    return result.valid and result.mapping is not None
