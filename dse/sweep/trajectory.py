"""How the front grew: a row for each wave, kept in the study's folder as `search.csv`.

The hypervolume is the share of the rectangle from the origin to the reference point that the front dominates, on the
latency and energy of all networks together. The reference is 1.1 times the largest latency and the largest energy of
any complete variant, so that it is known at the end alone: a row holds its front, and all of them are written anew.
Everything but `seconds` follows from the study: the time since the sweep began, without that between its runs.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    "points",
    "seconds",
)
_REFERENCE = 1.1
_MOST_ROWS = 512  # beyond that, every other one is left out
_SECONDS_BETWEEN_WRITES = 2.0

Front = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """After a wave: variants looked at, those complete and those pruned; the front of (cycles, pJ)."""

    wave: int
    variants: int
    complete: int
    pruned: int
    front: Front
    seconds: float


class Trajectory:
    """Takes in what came of every wave, and writes the file now and then and at the end.

    Rows of a former run stay. What it told of may be told again in other waves, as long as it is the same in the end.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rows = _read(path)
        self._step = min((after.wave - before.wave for before, after in pairwise(self._rows[:-1])), default=1)
        self._last = self._rows[-1] if self._rows else _Row(0, 0, 0, 0, (), 0.0)
        self._rows = [row for row in self._rows if row.wave % self._step == 0]
        self._started = self._written = time.monotonic()
        self._variants = self._complete = self._pruned = 0
        self._front: Front = ()
        self._worst = (0.0, 0.0)

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        """Note a wave, unless a former run did."""
        points = [
            (float(sum(own.latency_cycles for own in outcome.networks)), sum(own.energy_pj for own in outcome.networks))
            for outcome in outcomes
            if outcome.status == "complete"
        ]
        every = [*self._front, *points]
        kept = non_dominated(np.array(every).reshape(-1, 2))
        self._front = tuple(sorted(point for point, keep in zip(every, kept, strict=True) if keep))
        for cycles, energy_pj in points:
            self._worst = (max(self._worst[0], cycles), max(self._worst[1], energy_pj))
        self._variants += sum(outcome.status != "excluded" for outcome in outcomes)
        self._complete += len(points)
        self._pruned += sum(outcome.status == "pruned" for outcome in outcomes)
        if self._variants <= self._last.variants:
            return
        now = time.monotonic()
        seconds = self._last.seconds + now - self._started
        self._started = now
        self._last = _Row(
            self._last.wave + 1, self._variants, self._complete, self._pruned, self._front, round(seconds, 1)
        )
        if self._last.wave % self._step == 0:
            self._rows.append(self._last)
        if len(self._rows) > _MOST_ROWS:
            self._step *= 2
            self._rows = [row for row in self._rows if row.wave % self._step == 0]
        if now - self._written > _SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        """Write the file anew, whole or not at all. Raises InputError where it cannot be written."""
        self._written = time.monotonic()
        reference = (_REFERENCE * self._worst[0], _REFERENCE * self._worst[1])
        ends = [] if self._rows[-1:] == [self._last] or not self._last.wave else [self._last]
        part = self._path.with_name(f"{self._path.name}.part")
        try:
            with part.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(COLUMNS)
                for row in (*self._rows, *ends):
                    share = hypervolume(np.array(row.front) / reference, np.ones(2)) if row.front else 0.0
                    counts = (row.wave, row.variants, row.complete, row.pruned, len(row.front))
                    shown = (f"{share:.9g}", f"{reference[0]:.12g}", f"{reference[1]:.12g}", json.dumps(row.front))
                    writer.writerow((*counts, *shown, row.seconds))
            part.replace(self._path)
        except OSError as error:
            raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(self._path))) from error


def _read(path: Path) -> list[_Row]:
    """The rows that a former run wrote; nothing of a file that is no such table."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return [
                _Row(
                    int(row["wave"]),
                    int(row["variants"]),
                    int(row["complete"]),
                    int(row["pruned"]),
                    tuple((cycles, energy_pj) for cycles, energy_pj in json.loads(row["points"])),
                    float(row["seconds"]),
                )
                for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        return []
