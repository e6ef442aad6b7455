"""The results of a sweep in SQLite: one row a point, named by its content, and one row a variant that was looked at.

The driver is the only writer. The journal is a write-ahead log with full synchronisation, so a row that was committed
survives a kill and a power cut, and readers never wait. Every row carries a checksum.
"""

from __future__ import annotations

import json
import math
import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any

from dse.errors import Fault, InputError
from dse.sweep.task import FAILED, Result

__all__ = ["RESULT_COLUMNS", "ResultStore", "StoreReader", "VariantRow", "open_reader", "read_results"]

RESULT_COLUMNS = tuple(item.name for item in fields(Result))
_REALS = frozenset(item.name for item in fields(Result) if "float" in str(item.type))
_TYPES = {"cycles": "INTEGER", "least_cycles": "INTEGER"} | dict.fromkeys(_REALS, "REAL")
_RESULT_TABLE = (
    "CREATE TABLE IF NOT EXISTS result (key TEXT NOT NULL UNIQUE, "
    + ", ".join(f"{name} {_TYPES.get(name, 'TEXT')}" for name in RESULT_COLUMNS[1:])
    + ", program TEXT NOT NULL, checksum INTEGER NOT NULL)"
)
_VARIANT_TABLE = (
    "CREATE TABLE IF NOT EXISTS variant (parameters TEXT NOT NULL, digests TEXT NOT NULL, status TEXT, reason TEXT, "
    "bounds TEXT, beaten_by TEXT, workload TEXT, program TEXT NOT NULL, checksum INTEGER NOT NULL, "
    "UNIQUE (parameters, program))"
)
_BOUND_TABLE = (
    "CREATE TABLE IF NOT EXISTS bound (parameters TEXT NOT NULL, study TEXT NOT NULL, costs TEXT NOT NULL, "
    "program TEXT NOT NULL, checksum INTEGER NOT NULL, UNIQUE (parameters, program))"
)
TABLES = {"result": _RESULT_TABLE, "variant": _VARIANT_TABLE, "bound": _BOUND_TABLE}
_INSERT_RESULT = f"INSERT OR IGNORE INTO result VALUES ({', '.join('?' * (len(RESULT_COLUMNS) + 2))})"
_INSERT_VARIANT = f"INSERT OR REPLACE INTO variant VALUES ({', '.join('?' * 9)})"
_INSERT_BOUND = f"INSERT OR REPLACE INTO bound VALUES ({', '.join('?' * 5)})"

_ROWS_PER_COMMIT = 100
_SECONDS_PER_COMMIT = 1.0
_KEYS_PER_QUERY = 500


@dataclass(frozen=True, slots=True)
class VariantRow:
    """A variant that was looked at: `parameters` as the plan's grid writes them, and the digests its keys are made of.

    `status` is None where its points are scheduled, `refused` where it is no architecture, for `reason`, and `pruned`
    where no schedule can bring it onto the front: `bounds` are (cycles, pJ) per network of the plan, `beaten_by`
    are the parameters of the variant that is better, and `workload` is the plan's, what this holds for. Without such a
    variant `reason` says what budget is exceeded.
    """

    parameters: str
    digests: Mapping[str, str] = field(default_factory=dict)
    status: str | None = None
    reason: str | None = None
    bounds: tuple[tuple[int, float], ...] = ()
    beaten_by: str | None = None
    workload: str | None = None

    def to_row(self) -> tuple[Any, ...]:
        """The columns of the table but the last two."""
        bounds = json.dumps(self.bounds) if self.bounds else None
        digests = json.dumps(dict(self.digests), sort_keys=True, separators=(",", ":"))
        return (self.parameters, digests, self.status, self.reason, bounds, self.beaten_by, self.workload)

    @classmethod
    def from_row(cls, row: Sequence[Any]) -> VariantRow:
        """The variant of the columns that `to_row` gave."""
        parameters, digests, status, reason, bounds, beaten_by, workload = row
        pairs = tuple((cycles, energy_pj) for cycles, energy_pj in json.loads(bounds or "[]"))
        return cls(parameters, json.loads(digests), status, reason, pairs, beaten_by, workload)


class StoreReader:
    """Rows of one program in a store that is open, checked as they are read."""

    def __init__(self, connection: sqlite3.Connection, path: Path, program: str) -> None:
        self._connection = connection
        self._path = path
        self._program = program

    def count(self) -> int:
        """Results of the program."""
        with self._named():
            ((count,),) = self._connection.execute("SELECT count(*) FROM result WHERE program = ?", (self._program,))
        return int(count)

    def fingerprint(self) -> list[tuple[int, int]]:
        """Of results and of variants, how many rows the program has and the sum of their checksums."""
        query = "SELECT count(*), coalesce(sum(checksum), 0) FROM {} WHERE program = ?"
        queries = [query.format(table) for table in ("result", "variant")]
        with self._named():
            found = [self._connection.execute(query, (self._program,)).fetchone() for query in queries]
        return [(int(count), int(total)) for count, total in found]

    def results(self, keys: Iterable[str]) -> dict[str, Result]:
        """The results that there are of some keys. Raises InputError where one is not as it was written."""
        with self._named():
            return {row[0]: Result(*self._checked(row)) for row in self._rows(keys)}

    def stored(self, keys: Iterable[str]) -> int:
        """How many of some distinct keys have a result."""
        with self._named():
            return sum(count for (count,) in self._rows(keys, "count(*)"))

    def sound_results(self, keys: Iterable[str]) -> dict[str, Result]:
        """The results that there are of some keys and are as they were written. Raises DatabaseError."""
        return {row[0]: Result(*row[:-2]) for row in self._rows(keys) if checksum(row[:-1]) == row[-1]}

    def _rows(self, keys: Iterable[str], columns: str = "*") -> Iterator[tuple[Any, ...]]:
        wanted = list(keys)
        for start in range(0, len(wanted), _KEYS_PER_QUERY):
            part = wanted[start : start + _KEYS_PER_QUERY]
            marks = ", ".join("?" * len(part))
            yield from self._connection.execute(f"SELECT {columns} FROM result WHERE key IN ({marks})", part)

    def all_results(self) -> Iterator[Result]:
        """Every result, whatever the program."""
        with self._named():
            for row in self._connection.execute("SELECT * FROM result"):
                yield Result(*self._checked(row))

    def failures(self) -> Iterator[Result]:
        """The program's results that another try may end otherwise."""
        with self._named():
            query = "SELECT * FROM result WHERE program = ? AND termination = ?"
            for row in self._connection.execute(query, (self._program, FAILED)):
                yield Result(*self._checked(row))

    def variants(self) -> Iterator[VariantRow]:
        """Every variant that the program looked at, in no order that means anything."""
        with self._named():
            for row in self._connection.execute("SELECT * FROM variant WHERE program = ?", (self._program,)):
                yield VariantRow.from_row(self._checked(row))

    def variant_rows(self, parameters: Iterable[str]) -> dict[str, VariantRow]:
        """The rows that there are of variants with these parameters."""
        query = "SELECT * FROM variant WHERE parameters = ? AND program = ?"
        with self._named():
            rows = [self._connection.execute(query, (text, self._program)).fetchone() for text in parameters]
            return {row[0]: VariantRow.from_row(self._checked(row)) for row in rows if row is not None}

    def _checked(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """A row without its program and checksum. Raises DatabaseError where it is not as it was written."""
        if checksum(row[:-1]) != row[-1]:
            raise sqlite3.DatabaseError(f"the row {row[0]!r} is not as it was written")
        return row[:-2]

    @contextmanager
    def _named(self) -> Iterator[None]:
        """Say which file it is that cannot be read."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise unreadable(self._path, error) from error


class ResultStore(StoreReader):
    """Where a sweep's results go, as a context manager; leaving it commits.

    A key that is stored already is left as it is, so a task that ran twice does no harm.
    """

    def __init__(self, path: Path, program: str) -> None:
        """Open or make the file. Raises InputError where it is no database, or cannot be written."""
        try:
            if not path.exists():
                _make(path)
            connection = connect(path)
        except (OSError, sqlite3.DatabaseError) as error:
            raise InputError(Fault(f"cannot be used as a store of results: {error}", file=str(path))) from error
        super().__init__(connection, path, program)
        self._uncommitted = 0
        self._committed = time.monotonic()

    def __enter__(self) -> ResultStore:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            if isinstance(error, InputError):  # the file cannot be written, and there is no use in trying again
                self._connection.rollback()
            else:
                self.commit()
        finally:
            self._connection.close()

    def add(self, results: Iterable[Result]) -> None:
        """Add results; they are on disk after 100 rows or a second, whichever comes first."""
        self._insert(_INSERT_RESULT, [signed(result_row(result), self._program) for result in results])

    def add_variants(self, rows: Iterable[VariantRow]) -> None:
        """Add variants, in the place of rows of the same parameters."""
        self._insert(_INSERT_VARIANT, [signed(row.to_row(), self._program) for row in rows])

    def bound(self, parameters: str, study: str) -> tuple[float, ...] | None:
        """What `add_bound` was told of a variant, where the study was the same; else None."""
        query = "SELECT * FROM bound WHERE parameters = ? AND study = ? AND program = ?"
        with self._named():
            row = self._connection.execute(query, (parameters, study, self._program)).fetchone()
            return None if row is None else tuple(json.loads(self._checked(row)[2]))

    def add_bound(self, parameters: str, study: str, costs: Sequence[float]) -> None:
        """Keep what a variant cannot cost less than, in a study named by its content."""
        self._insert(_INSERT_BOUND, [signed((parameters, study, json.dumps(list(costs))), self._program)])

    def commit(self) -> None:
        """Bring everything onto the disk. Raises InputError where that fails; what was committed before stays."""
        with self._written():
            self._connection.commit()
        self._uncommitted = 0
        self._committed = time.monotonic()

    def forget_failures(self) -> int:
        """Drop the program's results that are failures, so that their points run again; returns their number."""
        with self._written():
            dropped = self._connection.execute(
                "DELETE FROM result WHERE program = ? AND termination = ?", (self._program, FAILED)
            ).rowcount
        self.commit()
        return dropped

    def _insert(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        with self._written():
            self._connection.executemany(statement, rows)
        self._uncommitted += len(rows)
        if self._uncommitted >= _ROWS_PER_COMMIT or time.monotonic() - self._committed >= _SECONDS_PER_COMMIT:
            self.commit()

    @contextmanager
    def _written(self) -> Iterator[None]:
        """Say what it means that the file cannot be written: a full disk, a quota, a folder that became read-only."""
        try:
            yield
        except sqlite3.DatabaseError as error:
            message = f"cannot be written: {error}; what was stored before stays, and the same command goes on there"
            raise InputError(Fault(message, file=str(self._path))) from error


@contextmanager
def open_reader(path: Path, program: str) -> Iterator[StoreReader]:
    """Read a store as it is at one moment, also while a sweep is writing; it is empty where the file does not exist.

    Raises InputError where the file is no store of results.
    """
    connection = _connect_for_reading(path)
    try:
        with connection:
            yield StoreReader(connection, path, program)
    finally:
        connection.close()


def read_results(path: Path) -> dict[str, Result]:
    """All results by key, whatever the program; none where the file does not exist. A large study is better streamed.

    Raises InputError where the file is no store of results.
    """
    with open_reader(path, "") as reader:
        return {result.key: result for result in reader.all_results()}


def _make(path: Path) -> None:
    """Make an empty store in one step: whoever reads it, and whatever is killed, it has its tables."""
    part = path.with_name(f"{path.name}.part")
    for suffix in ("", "-wal", "-shm"):
        Path(f"{part}{suffix}").unlink(missing_ok=True)  # what a kill has left
    connect(part).close()
    part.replace(path)


def connect(path: Path) -> sqlite3.Connection:
    """A connection that writes, with its tables made. Raises DatabaseError."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA page_size = 4096")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        for statement in TABLES.values():
            connection.execute(statement)
        connection.commit()
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _connect_for_reading(path: Path) -> sqlite3.Connection:
    if not path.exists():
        connection = sqlite3.connect(":memory:")
        for statement in TABLES.values():
            connection.execute(statement)
        return connection
    mode = "mode=rw"
    if not os.access(path.parent, os.W_OK, effective_ids=True):
        # Without the right to write beside it, SQLite can read a log-less file only when told that nobody changes it.
        mode = "mode=ro" if Path(f"{path}-wal").exists() else "immutable=1"
    try:
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?{mode}", uri=True, isolation_level=None)
        connection.execute("PRAGMA query_only = ON")
        connection.execute("BEGIN")  # what is read belongs together
        connection.execute("SELECT 1 FROM result LIMIT 1").fetchone()
    except sqlite3.DatabaseError as error:
        raise unreadable(path, error) from error
    return connection


def unreadable(path: Path, error: sqlite3.DatabaseError) -> InputError:
    """What to tell of a store that cannot be read."""
    advice = "dse sweep with the same study and folder saves what is readable"
    return InputError(Fault(f"cannot be read as a store of results: {error} ({advice})", file=str(path)))


def result_row(result: Result) -> tuple[Any, ...]:
    """The columns of a result but the last two, as SQLite gives them back: a real number is no integer, NaN is NULL."""
    return tuple(
        _real(value) if name in _REALS else value for name, value in zip(RESULT_COLUMNS, astuple(result), strict=True)
    )


def _real(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else float(value) + 0.0  # SQLite keeps no negative zero


def signed(row: tuple[Any, ...], program: str) -> tuple[Any, ...]:
    """A row with the program and the checksum of all that."""
    return (*row, program, checksum((*row, program)))


def checksum(row: tuple[Any, ...]) -> int:
    """CRC-32 of a row: against bits that changed on the disk, not against hands."""
    return zlib.crc32(repr(row).encode(errors="surrogatepass"))
