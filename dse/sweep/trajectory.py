"""How the front grew: a row for each wave, kept in the study's folder as `search.csv`.

The hypervolume is the share of the box from the origin to the reference point that the front dominates, in the costs of
the study's objectives for all networks together (`dse.specification.objectives`). The reference is the study's own, or
1.1 times the largest of each cost of any complete variant, so that it is known at the end alone: a row holds its front,
and all of them are written anew. Everything but `seconds` follows from the study: the time since the sweep began,
without that between its runs.
"""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from dse.errors import Fault, InputError
from dse.fronts import dominated_share, non_dominated, reference_costs
from dse.specification.goals import Goals
from dse.sweep.strategies.protocol import VariantOutcome

__all__ = ["Trajectory", "columns_of"]


def columns_of(goals: Goals) -> tuple[str, ...]:
    """The columns for a study with these goals."""
    return (
        *("wave", "variants", "complete", "pruned", "front", "hypervolume"),
        *(f"reference_{column}" for column in goals.columns),
        *("points", *(["goals"] * (goals != Goals())), "seconds"),
    )


_MOST_ROWS = 512  # beyond that, every other one is left out
_SECONDS_BETWEEN_WRITES = 2.0

Front = tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class _Row:
    """After a wave: variants looked at, those complete and those pruned; the front in costs."""

    wave: int
    variants: int
    complete: int
    pruned: int
    front: Front
    seconds: float


class Trajectory:
    """Takes in what came of every wave, and writes the file now and then and at the end.

    Rows of a former run stay, unless it had other goals. What it told of may be told again in other waves, as long as
    it is the same in the end.
    """

    def __init__(self, path: Path, goals: Goals) -> None:
        self._path = path
        self._goals = goals
        self._columns = columns_of(goals)
        self._digest = hashlib.sha256(json.dumps(goals.to_dict(), sort_keys=True).encode()).hexdigest()[:16]
        self._rows = self._read()
        self._step = min((after.wave - before.wave for before, after in pairwise(self._rows[:-1])), default=1)
        self._last = self._rows[-1] if self._rows else _Row(0, 0, 0, 0, (), 0.0)
        self._rows = [row for row in self._rows if row.wave % self._step == 0]
        self._started = self._written = time.monotonic()
        self._variants = self._complete = self._pruned = 0
        self._front: Front = ()
        self._worst = [0.0] * len(goals.objectives)

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        """Note a wave, unless a former run did."""
        complete = [outcome for outcome in outcomes if outcome.status == "complete"]
        points = [tuple(map(float, outcome.costs)) for outcome in complete if outcome.costs]
        every = [*self._front, *points]
        kept = non_dominated(np.array(every).reshape(-1, len(self._worst)))
        self._front = tuple(sorted(point for point, keep in zip(every, kept, strict=True) if keep))
        self._worst = list(map(max, zip(self._worst, *points, strict=True)))
        self._variants += sum(outcome.status != "excluded" for outcome in outcomes)
        self._complete += len(complete)
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
        reference = reference_costs(self._goals, self._worst)
        shown_reference = [
            f"{objective.value(cost):.12g}" for objective, cost in zip(self._goals.chosen, reference, strict=True)
        ]
        ends = [] if self._rows[-1:] == [self._last] or not self._last.wave else [self._last]
        part = self._path.with_name(f"{self._path.name}.part")
        digest = [self._digest] * ("goals" in self._columns)
        try:
            with part.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(self._columns)
                for row in (*self._rows, *ends):
                    share = dominated_share(np.array(row.front), reference)
                    counts = (row.wave, row.variants, row.complete, row.pruned, len(row.front))
                    shown = (f"{share:.9g}", *shown_reference, json.dumps(row.front), *digest)
                    writer.writerow((*counts, *shown, row.seconds))
            part.replace(self._path)
        except OSError as error:
            raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(self._path))) from error

    def _read(self) -> list[_Row]:
        """The rows that a former run wrote; nothing of a file that is no such table, or of other goals."""
        try:
            with self._path.open(encoding="utf-8", newline="") as file:
                rows = csv.DictReader(file)
                if tuple(rows.fieldnames or ()) != self._columns:
                    return []
                return [
                    _Row(
                        int(row["wave"]),
                        int(row["variants"]),
                        int(row["complete"]),
                        int(row["pruned"]),
                        tuple(map(tuple, json.loads(row["points"]))),
                        float(row["seconds"]),
                    )
                    for row in rows
                    if row.get("goals", self._digest) == self._digest
                ]
        except (OSError, ValueError, KeyError, TypeError, csv.Error):
            return []
