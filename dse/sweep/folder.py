"""The folder of a study: which files it holds, and who may write there.

study.json       the plan, from which the folder can be read alone
results.sqlite   one row for each point
progress.json    where the sweep stood a moment ago
.lock            locked by the sweep that is writing, for as long as its process lives
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.errors import Fault, InputError
from dse.sweep.extension import changes_of_study
from dse.sweep.plan import Plan
from dse.sweep.store import read_results
from dse.sweep.task import Result

__all__ = ["StudyFolder", "open_folder"]

_FORMAT = "dse study 5"
_ANY_FORMAT = "dse study "


@dataclass(frozen=True)
class StudyFolder:
    """File names of a study's folder."""

    path: Path

    @property
    def plan_file(self) -> Path:
        return self.path / "study.json"

    @property
    def store_file(self) -> Path:
        return self.path / "results.sqlite"

    @property
    def lock_file(self) -> Path:
        return self.path / ".lock"

    @property
    def progress_file(self) -> Path:
        return self.path / "progress.json"

    def fault(self, message: str) -> InputError:
        return InputError(Fault(message, file=str(self.path)))

    @contextmanager
    def claimed(self, plan: Plan) -> Iterator[None]:
        """Hold the folder for a sweep of `plan`, making it where it does not exist.

        Where the study grew, or another program made the folder, this plan takes the place of the old one. Raises
        InputError, and leaves the folder as it was, where it holds another study or anything else, or another sweep is
        writing there.
        """
        self.made_by(plan)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.lock_file, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise self.fault(f"cannot be written to: {error.strerror}") from error
        try:
            self._lock(lock)
            self.made_by(plan)  # nobody else can have come in between from here on
            self._write_plan(plan)
            yield
        finally:
            os.close(lock)

    def read_plan(self) -> Plan:
        """The plan of the study that the folder holds. Raises InputError where it holds none."""
        data = self._read()
        if data is None:
            raise self.fault("holds no study: expected the output folder of dse sweep")
        return self._plan(data)

    def _plan(self, data: dict[str, Any]) -> Plan:
        try:
            return Plan.from_dict(data)
        except (KeyError, TypeError, ValueError, AttributeError, InputError) as error:
            raise InputError(Fault(f"is damaged: {error!r}", file=str(self.plan_file))) from error

    def read_results(self) -> dict[str, Result]:
        """The results so far, by key; a large study is better read variant by variant (`reading.py`)."""
        return read_results(self.store_file)

    def _read(self) -> dict[str, Any] | None:
        """The content of study.json; None where the folder holds none."""
        try:
            data = json.loads(self.plan_file.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise InputError(Fault(f"cannot be read: {error.strerror}", file=str(self.plan_file))) from error
        except ValueError:
            data = None
        written = data.get("format") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(written, str) or not written.startswith(_ANY_FORMAT):
            raise InputError(Fault("was not written by dse sweep", file=str(self.plan_file)))
        if written != _FORMAT:
            message = f'has the format "{written}", and this program reads "{_FORMAT}"'
            raise InputError(Fault(message, file=str(self.plan_file)))
        return data

    def made_by(self, plan: Plan) -> str | None:
        """The program that last wrote the folder; None where it is new or empty. Nothing is written.

        Raises InputError unless the folder is new, empty or of the same study.
        """
        try:
            is_folder = self.path.is_dir()
            if self.path.exists() and not is_folder:
                raise self.fault("is a file: expected a folder")
            entries = {entry.name for entry in self.path.iterdir()} if is_folder else set()
        except OSError as error:
            raise self.fault(f"cannot be read: {error.strerror}") from error
        data = self._read()
        if data is None:
            others = sorted(entries - {self.lock_file.name, _part(self.plan_file).name})
            if others:
                wanted = "expected a new or empty folder, or the one of the same study"
                raise self.fault(f'holds something else ("{others[0]}"): {wanted}')
            return None
        changes = changes_of_study(self._plan(data), plan)
        if changes:
            listed = "; ".join(changes)
            raise self.fault(f"holds another study (this one has {listed}): use another folder, or remove this one")
        return str(data.get("program"))

    def _write_plan(self, plan: Plan) -> None:
        """Write study.json where it holds anything else, so that a kill leaves the whole of the one or of the other."""
        text = json.dumps({"format": _FORMAT} | plan.to_dict(), indent=1, default=str) + "\n"
        part = _part(self.plan_file)
        try:
            if self.plan_file.exists() and self.plan_file.read_text(encoding="utf-8") == text:
                return
            with part.open("w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.plan_file)
        except OSError as error:
            raise self.fault(f"cannot be written to: {error.strerror}") from error

    def _lock(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            owner = os.read(lock, 200).decode(errors="replace").strip()
            raise self.fault(f"another sweep is writing here ({owner or 'its process is just starting'})") from error
        os.ftruncate(lock, 0)
        os.write(lock, f"process {os.getpid()} on {os.uname().nodename}\n".encode())


def open_folder(path: str | Path) -> StudyFolder:
    """The folder of a study that has been started. Raises InputError where there is none."""
    folder = StudyFolder(Path(path))
    try:
        is_folder = folder.path.is_dir()
    except OSError as error:
        raise folder.fault(f"cannot be read: {error.strerror}") from error
    if not is_folder:
        raise folder.fault("there is no such folder")
    return folder


def _part(path: Path) -> Path:
    return path.with_name(f"{path.name}.part")
