"""How the front grew: a row for each wave, kept in the study's folder as `search.csv`.

The hypervolume is the share of the rectangle from the origin to the reference point that the front dominates, on the
latency and energy of all networks together. The reference is 1.1 times the largest latency and the largest energy of
any complete variant so far, so it is known at the end: each row holds its front, and what is written is made of all.
Everything but the last column follows from the study. That one is the time since the sweep began, interrupts left out.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dse.errors import Fault, InputError
from dse.fronts import hypervolume, non_dominated
from dse.sweep.strategies.protocol import VariantOutcome

__all__ = ["COLUMNS", "Trajectory"]

COLUMNS = (
    "wave",
    "variants",
    "complete",
    "pruned",
    "front",
    "hypervolume",
    "reference_cycles",
    "reference_energy_pJ",
    "seconds",
)
_REFERENCE = 1.1
_MOST_ROWS = 512  # beyond that, every other one is left out
_SECONDS_BETWEEN_WRITES = 5.0


@dataclass(frozen=True, slots=True)
class _Row:
    wave: int
    variants: int
    complete: int
    pruned: int
    front: tuple[tuple[float, float], ...]
    seconds: float


class Trajectory:
    """Takes in what came of every wave, and writes the file now and then and at the end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._before = _seconds_of(path)
        self._started = time.monotonic()
        self._offset = max(self._before.values(), default=0.0)
        self._written = self._started
        self._rows: list[_Row] = []
        self._step = 1
        self._worst = (0.0, 0.0)
        self._last = _Row(0, 0, 0, 0, (), 0.0)

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        """Note a wave. What a former run noted of it keeps its time."""
        last = self._last
        points = [
            (float(sum(own.latency_cycles for own in outcome.networks)), sum(own.energy_pj for own in outcome.networks))
            for outcome in outcomes
            if outcome.status == "complete"
        ]
        every = [*last.front, *points]
        kept = non_dominated(np.array(every).reshape(-1, 2))
        front = tuple(sorted(point for point, keep in zip(every, kept, strict=True) if keep))
        for cycles, energy_pj in points:
            self._worst = (max(self._worst[0], cycles), max(self._worst[1], energy_pj))
        wave = last.wave + 1
        self._last = _Row(
            wave,
            last.variants + sum(outcome.status != "excluded" for outcome in outcomes),
            last.complete + len(points),
            last.pruned + sum(outcome.status == "pruned" for outcome in outcomes),
            front,
            self._before.get(wave, self._offset + time.monotonic() - self._started),
        )
        if wave % self._step == 0:
            self._rows.append(self._last)
        if len(self._rows) > _MOST_ROWS:
            self._step *= 2
            self._rows = [row for row in self._rows if row.wave % self._step == 0]
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        """Write the file anew, whole or not at all. Raises InputError where it cannot be written."""
        self._written = time.monotonic()
        reference = (_REFERENCE * self._worst[0], _REFERENCE * self._worst[1])
        area = reference[0] * reference[1]
        rows = self._rows if self._rows[-1:] == [self._last] or not self._last.wave else [*self._rows, self._last]
        part = self._path.with_name(f"{self._path.name}.part")
        try:
            with part.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(COLUMNS)
                for row in rows:
                    share = hypervolume(np.array(row.front), np.array(reference)) / area if row.front else 0.0
                    figures = (row.wave, row.variants, row.complete, row.pruned, len(row.front), f"{share:.9g}")
                    writer.writerow((*figures, f"{reference[0]:.12g}", f"{reference[1]:.12g}", f"{row.seconds:.1f}"))
            part.replace(self._path)
        except OSError as error:
            raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(self._path))) from error


def _seconds_of(path: Path) -> dict[int, float]:
    """Wave -> seconds of what a former run wrote; nothing of a file that is no such table."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return {int(row["wave"]): float(row["seconds"]) for row in csv.DictReader(file)}
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return {}
