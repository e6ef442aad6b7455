"""Ends what a driver leaves that was killed: processes of its Ray, and their folder.

Ray's processes end with the driver, but those that are just starting first look for the others for a minute or more.
The guard waits at the end of a pipe that the driver holds open. It needs nothing but the standard library, so that it
costs little to start and to keep.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["guarded", "main"]

_VARIABLE = "DSE_SCRATCH"
_SECONDS = 30.0


@contextmanager
def guarded(folder: Path) -> Iterator[dict[str, str]]:
    """Have a guard for the folder; gives the variable that is to mark the environment of all that belongs to it."""
    command = [sys.executable, "-I", "-S", str(Path(__file__).resolve()), str(folder)]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,  # Ctrl-C is for the driver
    ):
        yield {_VARIABLE: str(folder)}


def main(folder: Path) -> None:
    """Wait for the end of the driver; where its folder is still there, it was killed."""
    sys.stdin.buffer.read()
    deadline = time.monotonic() + _SECONDS
    while folder.exists() and time.monotonic() < deadline:
        left = _left_behind(str(folder))
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        if not left:
            shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.1)


def _left_behind(folder: str) -> list[int]:
    """The processes of this user that were marked, or have a file in the folder open; not the driver, where it lives.

    Either may be all that there is to see: those that show a title of their own write it over their environment.
    """
    variable = f"{_VARIABLE}={folder}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # another user's, or it has just ended
            marked = variable in (process / "environ").read_bytes().split(b"\0")
            if process.name != str(os.getppid()) and (marked or _has_open(process, folder)):
                found.append(int(process.name))
    return found


def _has_open(process: Path, folder: str) -> bool:
    for file in (process / "fd").iterdir():
        with suppress(OSError):  # just closed
            if os.readlink(file).startswith(f"{folder}/"):  # noqa: PTH115  (of sockets it is no path)
                return True
    return False


if __name__ == "__main__":
    main(Path(sys.argv[1]))
