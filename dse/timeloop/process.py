"""One call of `timeloop-model`: its environment, its time limit, and what its end means.

Exit statuses and messages are those of Timeloop 019f107, src/applications/model/model.cpp and
src/workload/workload.cpp (`ShapeFileName`); the environment variables that change the model are read in
src/loop-analysis/nest-analysis.cpp and src/loop-analysis/tiling.cpp.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dse.errors import InputError, ToolError
from dse.processes import die_with
from dse.timeloop.locate import INSTALLATION, PROGRAM

__all__ = ["Finished", "InvalidMapping", "Outputs", "TimeloopError", "judge", "run_model"]

_INHERITED = ("PATH", "HOME", "TMPDIR", "LD_LIBRARY_PATH")
_LIBRARY = "libtimeloop-model.so"
_UNMAPPABLE = "ERROR: couldn't map level "
_SIGNAL_STATUS = 128
"""A shell, and so a wrapper script, reports the death of its child by signal N as 128 + N."""


class TimeloopError(ToolError):
    """Raised when `timeloop-model` ran and failed: it crashed, took too long, or wrote what cannot be read."""


@dataclass(frozen=True)
class Finished:
    """What a call left: its exit status (negative: the signal that ended it), its messages, the files it wrote."""

    status: int
    stderr: str
    xml: bytes | None
    statistics: str | None


@dataclass(frozen=True)
class InvalidMapping:
    """Timeloop's reason why the mapping does not fit."""

    reason: str


@dataclass(frozen=True)
class Outputs:
    """The two files of a valid mapping: `timeloop-model.map+stats.xml` and `timeloop-model.stats.txt`."""

    xml: bytes
    statistics: str


def run_model(executable: Path, folder: Path, files: Sequence[Path], seconds: float) -> Finished:
    """Run the program in `folder` on `files`, which stand there, and wait for its end at most `seconds`.

    Raises ToolError where it cannot be started, TimeloopError where it takes longer (it is killed then).
    """
    command = [str(executable), *(path.name for path in files)]
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=_environment(executable),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a group of its own: what a wrapper script starts can be killed with it
            preexec_fn=partial(die_with, os.getpid()),  # noqa: PLW1509  (it takes no lock)
        )
    except OSError as error:
        raise ToolError(f"{executable} cannot be started: {error.strerror}") from error
    try:
        _, stderr = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired as error:
        raise TimeloopError(f"{PROGRAM} was stopped after the time limit of {seconds:g} s") from error
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    xml, statistics = folder / f"{PROGRAM}.map+stats.xml", folder / f"{PROGRAM}.stats.txt"
    return Finished(
        process.returncode,
        stderr.decode(errors="replace"),
        xml.read_bytes() if xml.is_file() else None,
        statistics.read_text(encoding="utf-8", errors="replace") if statistics.is_file() else None,
    )


def _environment(executable: Path) -> dict[str, str]:
    """Little more than PATH and library paths, to which the places of Timeloop's own library are added.

    What would change the model (TIMELOOP_DISABLE_LINK_TRANSFERS, ENABLE_FIRST_READ_ELISION and others) stays out, and
    so do other folders of problem shapes. TIMELOOP_DIR is where the shapes of this very program stand; unset, it looks
    where it was built.
    """
    environment = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    environment["LC_ALL"] = "C"  # the dynamic linker's messages in English
    home = executable.resolve().parent.parent
    libraries = [environment["LD_LIBRARY_PATH"]] if environment.get("LD_LIBRARY_PATH") else []
    libraries += [str(place) for place in (executable.resolve().parent, home / "lib") if (place / _LIBRARY).is_file()]
    if libraries:
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(libraries)
    for place in (str(home), os.environ.get("TIMELOOP_DIR")):
        if place and Path(place, "problem-shapes").is_dir():
            environment["TIMELOOP_DIR"] = place
            break
    return environment


def judge(finished: Finished) -> InvalidMapping | Outputs:
    """Tell the ends of a call apart.

    Raises InputError with Timeloop's messages where it refuses the input; ToolError where its installation is at
    fault (a library or the problem shapes are missing); TimeloopError where it crashed.
    """
    lines = [line.strip() for line in finished.stderr.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR: ")]
    if finished.status == 0:
        if finished.xml is None or finished.statistics is None:
            raise TimeloopError(f"{PROGRAM} ended well, but wrote no {PROGRAM}.map+stats.xml and {PROGRAM}.stats.txt")
        return Outputs(finished.xml, finished.statistics)
    for line in lines:
        if "error while loading shared libraries" in line or "not found (required by" in line:
            raise ToolError(f"{PROGRAM} lacks a library (LD_LIBRARY_PATH?): {line}; {INSTALLATION}")
        if "problem shape files" in line and "not found" in line:
            raise ToolError(
                f"{PROGRAM} does not find its problem shapes: set TIMELOOP_DIR to the folder with problem-shapes/"
            )
    if finished.status == 1 and errors:
        if errors[0].startswith(_UNMAPPABLE):
            return InvalidMapping(errors[0].removeprefix("ERROR: "))
        raise InputError("\n".join(f"{PROGRAM} refuses the input: {line.removeprefix('ERROR: ')}" for line in errors))
    told = [line for line in lines if not line.startswith(("WARNING", "MESSAGE"))]
    message = f": {' | '.join(told[-2:])}" if told else ""
    raise TimeloopError(f"{PROGRAM} {_ending(finished.status)}{message}")


def _ending(status: int) -> str:
    number = -status if status < 0 else status - _SIGNAL_STATUS
    if number in set(signal.Signals):
        return f"crashed ({signal.Signals(number).name})"
    return f"failed with exit status {status}"
