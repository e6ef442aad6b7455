"""Which processes a test has started, however deep, and whether they are gone."""

import os
import signal
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path


class Family:
    """Processes that inherit a variable of the environment, whose name is the family's own."""

    def __init__(self) -> None:
        self.mark = {f"DSE_TEST_{uuid.uuid4().hex}": "1"}

    def environment(self, **more: str) -> dict[str, str]:
        """What a test starts a process of the family with; `more` may hold marks of other families."""
        return dict(os.environ) | self.mark | more

    def members(self, beginning: str = "") -> list[int]:
        """Those that run and whose command line begins so."""
        (name,) = map(str.encode, self.mark)
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                marked = name in (entry / "environ").read_bytes()
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

    def kill(self) -> None:
        """Kill them all with SIGKILL."""
        while members := self.members():
            for process in members:
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            wait_until(lambda: not self.members(), 1.0)

    def gone(self, seconds: float = 60.0) -> bool:
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
