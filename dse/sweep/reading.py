"""A study as its folder holds it, variant by variant, finished or not; nothing else is needed, and little memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from dse.specification.template import Number
from dse.sweep.folder import StudyFolder, open_folder
from dse.sweep.plan import Plan
from dse.sweep.store import StoreReader, VariantRow, open_reader
from dse.sweep.task import Result

__all__ = ["StoredStudy", "StoredVariant", "VariantName", "read_study"]

_VARIANTS_AT_ONCE = 64
_KEPT_RESULTS = 30_000  # about 70 MB


@dataclass(frozen=True, slots=True)
class VariantName:
    """What a variant is called: its number, `v07`, and the values of the swept parameters."""

    number: int
    name: str
    parameters: dict[str, Number]


@dataclass(frozen=True, slots=True)
class StoredVariant:
    """A variant that was looked at; `results` has one entry per problem of the plan, None where there is none yet."""

    variant: VariantName
    row: VariantRow
    results: tuple[Result | None, ...]


class StoredStudy:
    """The plan of a folder, and an iteration over its variants in the order of the grid, as of one moment.

    What is read is kept, up to a limit: tables and reports go through the same variants one after the other.
    """

    def __init__(self, plan: Plan, reader: StoreReader) -> None:
        self.plan = plan
        self._reader = reader
        self._kept: dict[int, StoredVariant] = {}

    def __len__(self) -> int:
        """Variants that the sweep has come to."""
        return len(self.numbers)

    def __iter__(self) -> Iterator[StoredVariant]:
        for start in range(0, len(self.numbers), _VARIANTS_AT_ONCE):
            yield from self.chosen(self.numbers[start : start + _VARIANTS_AT_ONCE])

    def fingerprint(self) -> list[tuple[int, int]]:
        """The same for two moments at which the program's results are the same."""
        return self._reader.fingerprint()

    @cached_property
    def numbers(self) -> list[int]:
        """Of the variants that the sweep has come to, in the order of the grid."""
        read = (self.plan.grid.read(row.parameters) for row in self._reader.variants())
        return sorted(number for number in read if number is not None)

    def chosen(self, numbers: Sequence[int]) -> list[StoredVariant]:
        """Some of the variants that the sweep has come to."""
        missing = [number for number in numbers if number not in self._kept]
        read = {stored.variant.number: stored for stored in self._read(missing)} if missing else {}
        chosen = [self._kept.get(number) or read[number] for number in numbers]
        if (len(self._kept) + len(read)) * len(self.plan.problems) <= _KEPT_RESULTS:
            self._kept |= read
        return chosen

    def _read(self, numbers: Sequence[int]) -> list[StoredVariant]:
        grid = self.plan.grid
        texts = {number: grid.text(number) for number in numbers}
        rows = self._reader.variant_rows(texts.values())
        keys = {number: self._keys(number, rows[text]) for number, text in texts.items()}
        results = self._reader.results(key for of_variant in keys.values() for key in of_variant)
        return [
            StoredVariant(
                VariantName(number, grid.name(number), grid.parameters(number)),
                rows[text],
                tuple(map(results.get, keys[number])) or (None,) * len(self.plan.problems),
            )
            for number, text in texts.items()
        ]

    def operating(self, stored: StoredVariant) -> dict[str, tuple[Result | None, ...]]:
        """Label of an operating point -> the results of a variant, one for each problem of the plan."""
        plan = self.plan
        keys = self._keys(stored.variant.number, stored.row)
        wanted = {label: [plan.operating_key(key, label) for key in keys] for label in plan.operating_options}
        found = self._reader.results(key for of_label in wanted.values() for key in of_label)
        return {label: tuple(map(found.get, of_label)) for label, of_label in wanted.items() if of_label}

    def _keys(self, number: int, row: VariantRow) -> list[str]:
        """The keys of a variant's results; none where it has none, or the study has just grown by a shape."""
        if row.status is not None or not self._shapes <= row.digests.keys():
            return []
        return [point.key for point in self.plan.points(number, row.digests)]

    @cached_property
    def _shapes(self) -> set[str]:
        return {problem.shape for problem in self.plan.problems}


@contextmanager
def read_study(path: str | Path | StudyFolder) -> Iterator[StoredStudy]:
    """The study in a folder, for as long as the context lasts. Raises InputError where there is none."""
    folder = path if isinstance(path, StudyFolder) else open_folder(path)
    plan = folder.read_plan()
    with open_reader(folder.store_file, plan.program) as reader:
        yield StoredStudy(plan, reader)
