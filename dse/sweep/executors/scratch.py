"""A folder for the temporary files of a sweep, which is removed with it, and at the latest by the next sweep.

A process that is killed removes nothing. Its lock ends with it, though: whoever can lock the folder's file may remove
the folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["scratch_folder"]

_PREFIX = "dse-"
_LOCK = "locked-by-its-owner"
_LONGEST = 30
"""Characters of the path that such folders may stand in: Ray adds 62 for its sockets, whose paths end at 107."""


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder that only this user can enter, for as long as the context lasts.

    Folders that killed processes of this user have left are removed first.
    """
    place = Path(tempfile.gettempdir())
    if len(str(place)) > _LONGEST:
        place = Path("/tmp")
    _remove_stale(place)
    folder, lock = _new_folder(place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _new_folder(place: Path) -> tuple[Path, int]:
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=place))
        lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        if _locked(lock):
            return folder, lock
        os.close(lock)  # another sweep that looks for stale folders was in between; it removes this one


def _remove_stale(place: Path) -> None:
    for folder in place.glob(f"{_PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:
            continue  # not one of ours, or another sweep has just removed it
        try:
            if _locked(lock):
                shutil.rmtree(folder, ignore_errors=True)
        finally:
            os.close(lock)


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
