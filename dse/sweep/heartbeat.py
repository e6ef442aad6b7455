"""`progress.json`: where a sweep stands, written by it now and then for whoever asks from outside."""

from __future__ import annotations

import json
import os
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dse.errors import Fault, InputError

__all__ = ["Heartbeat", "read_heartbeat", "write_heartbeat"]


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Counts of points, as the progress line shows them, and when they were so.

    `total` are the points planned, `done` those that need no more work, `ran` those that this run has scheduled, of
    which `without_mapping` have none; bounds saved `pruned` schedules. `per_second` and `seconds_left` are None where
    nothing was measured yet. `updated` is in seconds since 1970.
    """

    total: int
    done: int
    ran: int
    pruned: int
    without_mapping: int
    per_second: float | None
    seconds_left: float | None
    seconds: float
    finished: bool = False
    process: int = field(default_factory=os.getpid)
    host: str = field(default_factory=lambda: os.uname().nodename)
    updated: float = field(default_factory=time.time)


def write_heartbeat(path: Path, heartbeat: Heartbeat) -> None:
    """Replace the file as a whole. A disk that is full is the store's to report."""
    part = path.with_name(f"{path.name}.part")
    with suppress(OSError):
        part.write_text(json.dumps(asdict(heartbeat)) + "\n", encoding="utf-8")
        part.replace(path)


def read_heartbeat(path: Path) -> Heartbeat | None:
    """What a sweep has last said; None where it has said nothing yet. Raises InputError for any other file."""
    try:
        return Heartbeat(**json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(Fault(f"cannot be read: {error.strerror}", file=str(path))) from error
    except (ValueError, TypeError) as error:
        raise InputError(Fault("was not written by dse sweep", file=str(path))) from error
