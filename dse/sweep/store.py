"""The results of a sweep in SQLite: one row a point, named by its content.

The driver is the only writer. The journal is a write-ahead log with full synchronisation, so a row that was committed
survives a kill and a power cut, and readers never wait.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path
from types import TracebackType

from dse.errors import Fault, InputError
from dse.sweep.task import FAILED, Result

__all__ = ["ResultStore", "read_results"]

_COLUMNS = tuple(field.name for field in fields(Result))
_TYPES = {"cycles": "INTEGER"} | dict.fromkeys(
    (
        "value",
        "lower_bound",
        "gap",
        "energy_pj",
        "utilization",
        "area_um2",
        "solve_seconds",
        "total_seconds",
    ),
    "REAL",
)
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS result ("
    + ", ".join(f"{name} {_TYPES.get(name, 'TEXT')}{' PRIMARY KEY' if name == 'key' else ''}" for name in _COLUMNS)
    + ") WITHOUT ROWID"
)
_INSERT = f"INSERT OR IGNORE INTO result VALUES ({', '.join('?' * len(_COLUMNS))})"

_ROWS_PER_COMMIT = 100
_SECONDS_PER_COMMIT = 1.0


class ResultStore:
    """Where a sweep's results go, as a context manager; leaving it commits.

    A key that is stored already is left as it is, so a task that ran twice does no harm.
    """

    def __init__(self, path: Path) -> None:
        """Open or make the file. Raises InputError where it is no database."""
        try:
            self._connection = sqlite3.connect(path)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            self._connection.execute(_SCHEMA)
            self._connection.commit()
        except sqlite3.DatabaseError as error:
            raise InputError(Fault(f"cannot be used as a store of results: {error}", file=str(path))) from error
        self._uncommitted = 0
        self._committed = time.monotonic()

    def __enter__(self) -> ResultStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.commit()
        self._connection.close()

    def keys(self) -> set[str]:
        """The keys that have a result."""
        return {key for (key,) in self._connection.execute("SELECT key FROM result")}

    def add(self, results: Iterable[Result]) -> None:
        """Add results; they are on disk after 100 rows or a second, whichever comes first."""
        rows = [astuple(result) for result in results]
        self._connection.executemany(_INSERT, rows)
        self._uncommitted += len(rows)
        if self._uncommitted >= _ROWS_PER_COMMIT or time.monotonic() - self._committed >= _SECONDS_PER_COMMIT:
            self.commit()

    def commit(self) -> None:
        self._connection.commit()
        self._uncommitted = 0
        self._committed = time.monotonic()

    def forget_failures(self, keys: Iterable[str]) -> int:
        """Drop those of the results that are failures, so that their points run again; returns their number."""
        dropped = self._connection.executemany(
            "DELETE FROM result WHERE key = ? AND termination = ?", [(key, FAILED) for key in keys]
        ).rowcount
        self.commit()
        return dropped


def read_results(path: Path) -> dict[str, Result]:
    """All results by key, also while a sweep is writing; none where the file does not exist.

    Raises InputError where the file is no store of results.
    """
    if not path.exists():
        return {}
    # Without the right to write beside it, SQLite can read a log-less file only when told that nobody changes it.
    mode = "mode=rw" if os.access(path.parent, os.W_OK) else "immutable=1"
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True)
        try:
            connection.execute("PRAGMA query_only = ON")
            rows = connection.execute(f"SELECT {', '.join(_COLUMNS)} FROM result").fetchall()
        finally:
            connection.close()
    except sqlite3.DatabaseError as error:
        raise InputError(Fault(f"cannot be read as a store of results: {error}", file=str(path))) from error
    return {row[0]: Result(*row) for row in rows}
