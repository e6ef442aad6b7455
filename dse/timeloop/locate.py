"""Finding `timeloop-model` on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from dse.errors import ToolError

__all__ = ["INSTALLATION", "PROGRAM", "find_timeloop"]

PROGRAM = "timeloop-model"

INSTALLATION = (
    "upstream describes the installation at https://timeloop.csail.mit.edu and in the README of "
    "https://github.com/NVlabs/timeloop; https://github.com/Accelergy-Project/accelergy-timeloop-infrastructure builds "
    "it with its dependencies"
)


def find_timeloop(given: str | Path | None = None) -> Path:
    """The absolute path of `timeloop-model`.

    `given`, the program itself or a folder that holds it, is the only place that counts if it is not None. Else the
    folder of the environment variable TIMELOOP_DIR, then PATH. In a folder, the program may also stand in bin/ or
    build/, where upstream's builds put it. Raises ToolError with the places that were looked at.
    """
    if given is not None:
        place = Path(given).expanduser()
        found = _in_folder(place) if place.is_dir() else _executable(place)
        if found is None:
            raise ToolError(f"{place}: {_what_is_wrong(place)}; {INSTALLATION}")
        return found
    looked: list[str] = []
    variable = os.environ.get("TIMELOOP_DIR")
    if variable:
        found = _in_folder(Path(variable).expanduser())
        if found is not None:
            return found
        looked.append(f"TIMELOOP_DIR ({variable}, its bin/ and build/)")
    else:
        looked.append("TIMELOOP_DIR (not set)")
    on_path = shutil.which(PROGRAM)
    if on_path is not None:
        return Path(on_path).absolute()
    looked.append(f"PATH ({os.environ.get('PATH', '')})")
    raise ToolError(
        f"{PROGRAM} was not found; looked at {' and '.join(looked)}\n"
        f"name it with --timeloop PATH, or install it: {INSTALLATION}"
    )


def _in_folder(folder: Path) -> Path | None:
    for candidate in (folder / PROGRAM, folder / "bin" / PROGRAM, folder / "build" / PROGRAM):
        found = _executable(candidate)
        if found is not None:
            return found
    return None


def _executable(path: Path) -> Path | None:
    return path.absolute() if path.is_file() and os.access(path, os.X_OK) else None


def _what_is_wrong(place: Path) -> str:
    if place.is_dir():
        return f"no {PROGRAM} that can be run stands there, nor in its bin/ or build/"
    return "is no program that can be run" if place.exists() else "does not exist"
