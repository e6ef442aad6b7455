"""What is submitted, whatever takes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

__all__ = ["SweepJob"]


@dataclass(frozen=True, slots=True)
class SweepJob:
    """A study to be swept into a folder, which is one of the cluster's where that has folders of its own.

    `python` is the interpreter that runs the sweep there; `options` are further ones of `dse sweep`.
    """

    study: Path
    name: str
    output: PurePosixPath
    python: str
    options: tuple[str, ...] = ()

    def command(self, study: str, *options: str) -> list[str]:
        """The call of `dse sweep` for the study in the file `study`; no module of the working folder is run (-P)."""
        sweep = [self.python, "-P", "-m", "dse", "sweep", study, "--output", str(self.output)]
        return [*sweep, *options, *self.options]
