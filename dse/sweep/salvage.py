"""A store that was damaged, by a disk or by hands: recognised before anything is written, and what is readable saved.

The damaged file is kept beside the new one, which takes its place in one step.
"""

from __future__ import annotations

import itertools
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from dse.errors import Fault, InputError
from dse.sweep.store import TABLES, checksum, connect

__all__ = ["damage_of", "mend_store"]

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)

# Of SQLite's file format (https://www.sqlite.org/fileformat2.html, section 1.3): fields of the header, big-endian.
_PAGE_BYTES = 4096
_CHANGES, _PAGES, _VALID_FOR = slice(24, 28), slice(28, 32), slice(92, 96)
_ROWS = 0x0D  # first byte of a page that holds rows of a table


def mend_store(path: Path) -> str | None:
    """Where a store is damaged, put a sound one with all that is readable in its place; what happened, in a sentence.

    None where it is sound or does not exist. Raises InputError where it can neither be read nor replaced.
    """
    reason = damage_of(path)
    if reason is None:
        return None
    part = path.with_name(f"{path.name}.part")
    kept = next(name for name in _names(path) if not name.exists())
    try:
        part.unlink(missing_ok=True)
        with closing(connect(part)) as sound:
            count = _copy_readable(path, sound)
            sound.execute("PRAGMA journal_mode = DELETE")  # all of it in the one file
        os.link(path, kept)
        for suffix in ("-wal", "-shm"):
            log = Path(f"{path}{suffix}")
            if log.exists():
                log.replace(f"{kept}{suffix}")
        part.replace(path)
    except (OSError, sqlite3.DatabaseError) as error:
        part.unlink(missing_ok=True)
        message = f"is damaged ({reason}), and what is readable cannot be saved: {error}"
        raise InputError(Fault(message, file=str(path))) from error
    return (
        f"{path} was damaged ({reason}): {count} of its results were readable and stay, the others are "
        f"scheduled again; the damaged file is kept as {kept.name}"
    )


def damage_of(path: Path) -> str | None:
    """What is wrong with a store as a database; None where nothing is, or there is no file.

    Raises InputError where it cannot be opened for another reason, a lock or missing rights.
    """
    if not path.exists():
        return None
    if path.stat().st_size == 0 and not Path(f"{path}-wal").exists():
        return "it is empty"
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.text_factory = _lenient_text
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                return " ".join(str(verdict).split())
            known = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
            for table in TABLES.keys() & {name for (name,) in known}:
                for row in connection.execute(f"SELECT * FROM {table}"):
                    if checksum(row[:-1]) != row[-1]:
                        return f"the row {row[0]!r} is not as it was written"
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF in _DAMAGE:
            return str(error)
        raise InputError(Fault(f"cannot be used as a store of results: {error}", file=str(path))) from error
    return None


def _names(path: Path) -> Iterator[Path]:
    return (path.with_name(f"{path.stem}.damaged-{number}{path.suffix}") for number in itertools.count(1))


def _copy_readable(path: Path, sound: sqlite3.Connection) -> int:
    """Copy every row that can be read and is as it was written; returns the number of results.

    Every page that holds rows is read by itself, so that a broken page takes no others with it. SQLite reads nothing of
    a file whose first page is broken or counts more pages than there are; all stores have the same first page but for
    these counts, so that of the new one serves.
    """
    copy = path.with_name(f"{path.name}.copy")
    counts = dict.fromkeys(TABLES, 0)
    try:
        shutil.copyfile(path, copy)
        if Path(f"{path}-wal").exists():
            shutil.copyfile(f"{path}-wal", f"{copy}-wal")
        _lend_first_page(sound, copy)
        with closing(sqlite3.connect(copy, isolation_level=None)) as damaged, sound:
            damaged.text_factory = _lenient_text
            for table, row in _readable(damaged, copy):
                if checksum(row[:-1]) == row[-1]:
                    marks = ", ".join("?" * len(row))
                    counts[table] += sound.execute(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", row).rowcount
    finally:
        for suffix in ("", "-wal", "-shm"):
            Path(f"{copy}{suffix}").unlink(missing_ok=True)
    return counts["result"]


def _lend_first_page(sound: sqlite3.Connection, copy: Path) -> None:
    """Give the copy the first page of a store that is sound and empty."""
    page = bytearray(sound.serialize()[:_PAGE_BYTES])
    pages = -(-copy.stat().st_size // _PAGE_BYTES)
    page[_PAGES] = pages.to_bytes(4, "big")
    page[_VALID_FOR] = page[_CHANGES]
    with copy.open("r+b") as file:
        file.write(page)
        file.truncate(pages * _PAGE_BYTES)


def _readable(connection: sqlite3.Connection, copy: Path) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """(table, row) for all rows of all pages that hold any, each page read as if it were the whole of each table."""
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("PRAGMA journal_mode = OFF")  # this brings the log into the file
    with copy.open("rb") as file:
        roots = [page + 1 for page in range(1, copy.stat().st_size // _PAGE_BYTES) if _first_byte(file, page) == _ROWS]
    connection.execute("PRAGMA writable_schema = ON")
    for root, table in itertools.product(roots, TABLES):
        try:
            connection.execute("UPDATE sqlite_schema SET rootpage = ? WHERE name = ?", (root, table))
            connection.execute("PRAGMA writable_schema = RESET")
            rows = connection.execute(f"SELECT * FROM {table} NOT INDEXED").fetchall()
        except sqlite3.DatabaseError:
            continue
        finally:
            connection.execute("PRAGMA writable_schema = ON")
        yield from ((table, row) for row in rows)


def _first_byte(file: IO[bytes], page: int) -> int:
    file.seek(page * _PAGE_BYTES)
    return file.read(1)[0]


def _lenient_text(text: bytes) -> str:
    """Text of a row, be it damaged: its checksum tells."""
    return text.decode(errors="replace")
