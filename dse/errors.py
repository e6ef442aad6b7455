"""What can go wrong, and with which exit status it ends.

    DseError                      root of everything that the project raises on purpose
    ├── InputError (2)            what the user wrote, or the call, is wrong; carries every fault that was found
    ├── ToolError (3)             a tool that was asked for is missing or failed (a solver, `timeloop-model`, a cluster)
    └── InfeasibleError (1)       a well-formed question whose answer is that nothing fits

A mapping that does not fit an architecture is an answer of the evaluator, not an exception.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

__all__ = ["DseError", "Fault", "InfeasibleError", "InputError", "ToolError"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with an input: where it stands and what was expected there."""

    message: str
    key: str = ""
    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.file and self.line is not None else self.file
        return ": ".join(part for part in (place, self.key, self.message) if part)


class DseError(Exception):
    """Root of the errors that end a command with a clear line instead of a traceback."""

    exit_status: ClassVar[int] = 2


class InputError(DseError):
    """Raised with all faults of an input at once, so that one fault hides no other."""

    def __init__(self, faults: Fault | str | Sequence[Fault]) -> None:
        if isinstance(faults, str):
            faults = Fault(faults)
        self.faults: tuple[Fault, ...] = (faults,) if isinstance(faults, Fault) else tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))


class ToolError(DseError):
    """Raised when a solver, `timeloop-model` or a cluster that was asked for is missing or fails."""

    exit_status: ClassVar[int] = 3


class InfeasibleError(DseError):
    """Raised when a question is well formed and the answer is that no mapping exists."""

    exit_status: ClassVar[int] = 1
