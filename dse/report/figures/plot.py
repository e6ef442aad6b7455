"""A plot: rows, and the picture that is drawn from them."""

from __future__ import annotations

import csv
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dse.errors import Fault, InputError
from dse.report.front import on_front
from dse.report.totals import Total
from dse.specification.fields import nearest
from dse.specification.goals import Goals

__all__ = ["Plot", "Row", "chosen_variant", "write_plot"]

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Plot:
    """`columns` order the rows in CSV; `draw` writes the picture into files by their suffix."""

    columns: tuple[str, ...]
    rows: Sequence[Row]
    draw: Callable[[Sequence[Path]], None]


def write_plot(plot: Plot, files: Sequence[Path]) -> None:
    """Write pictures and CSV. Raises InputError where a file cannot be written."""
    tables = [file for file in files if file.suffix == ".csv"]
    pictures = [file for file in files if file.suffix != ".csv"]
    try:
        for file in tables:
            with file.open("w", encoding="utf-8", newline="") as output:
                writer = csv.DictWriter(output, plot.columns, lineterminator="\n")
                writer.writeheader()
                writer.writerows(plot.rows)
        if pictures:
            plot.draw(pictures)
    except OSError as error:
        raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(error.filename or files[0]))) from error


def chosen_variant(totals: Collection[Total], goals: Goals, name: str | None) -> Total:
    """The variant of that name, or the one of the front with the least EDP.

    Raises InputError where there is no such, or it is not complete.
    """
    if name is None:
        front = [total for total, flag in zip(totals, on_front(totals, goals), strict=True) if flag]
        if not front:
            raise InputError("no variant is complete: there is nothing to draw")
        return min(front, key=lambda total: total.edp or 0.0)
    named = {total.variant.name: total for total in totals}
    if name not in named:
        raise InputError(f'the sweep has come to no variant "{name}"{nearest(name, named)}')
    if not named[name].complete:
        raise InputError(f'the variant "{name}" is not complete: {named[name].missing[0]}')
    return named[name]
