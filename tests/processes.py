"""Which processes a test has started, however deep, and whether they are gone."""

import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

_NAME = "DSE_TEST_STARTED_BY"


class Family:
    """Processes that inherit a variable of the environment from those that a test starts with `environment`."""

    def __init__(self) -> None:
        self._mark = uuid.uuid4().hex

    def environment(self, **more: str) -> dict[str, str]:
        return dict(os.environ) | {_NAME: self._mark} | more

    def members(self, beginning: str = "") -> list[int]:
        """Those that run and whose command line begins so."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                marked = f"{_NAME}={self._mark}".encode() in (entry / "environ").read_bytes()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue  # it has just ended, or is another user's
            if marked and command.startswith(beginning):
                found.append(int(entry.name))
        return found

    def command_lines(self) -> str:
        lines = []
        for process in self.members():
            try:
                lines.append(
                    Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
                )
            except OSError:
                continue
        return "\n".join(lines)

    def gone(self, seconds: float = 15.0) -> bool:
        """Whether all have ended, at the latest after so many seconds."""
        return wait_until(lambda: not self.members(), seconds)


def wait_until(condition: Callable[[], object], seconds: float) -> bool:
    """Whether the condition came true in that time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
