"""The files that a finished sweep leaves beside its store: tables, pictures of the front, and the report."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from dse.errors import Fault, InputError
from dse.report.export import Row, columns_of, layer_rows, variant_rows, write_rows
from dse.report.figure import draw_front
from dse.report.html import REPORT, report_html, write_page
from dse.report.totals import StudyTotals
from dse.sweep.folder import StudyFolder
from dse.sweep.reading import StoredStudy

__all__ = ["MOST_REPORTED", "write_report_files"]

MOST_REPORTED = 20_000


def write_report_files(folder: StudyFolder, study: StoredStudy, totals: StudyTotals) -> list[Path]:
    """Write the tables, pictures and `report.html`; returns their paths.

    The report of a study of more than `MOST_REPORTED` variants is left to `dse report`. Raises InputError where a file
    cannot be written.
    """
    front: list[Row] = []
    group = totals.groups[-1]

    def variants() -> Iterable[Row]:
        for row in variant_rows(totals):
            if row["on_front"] and row["network"] == group.name:
                front.append(row)
            yield row

    tables = {"variants.csv": ("variant", variants()), "layers.csv": ("layer", layer_rows(study))}
    pictures = [folder.path / "pareto.png", folder.path / "pareto.svg"]
    try:
        for name, (level, rows) in tables.items():
            _write(folder.path / name, level, rows, study)
        front.sort(key=lambda row: (row["cycles"], row["energy_pJ"], row["variant"]))
        _write(folder.path / "pareto.csv", "variant", front, study)
        draw_front(study.plan, totals.named(), pictures)
        reports = [folder.path / REPORT] if len(study) <= MOST_REPORTED else []
        for file in reports:
            write_page(file, report_html(folder, study, totals))
    except OSError as error:
        raise InputError(Fault(f"cannot be written to: {error.strerror}", file=str(folder.path))) from error
    return [folder.path / "pareto.csv", *(folder.path / name for name in tables), *pictures, *reports]


def _write(path: Path, level: str, rows: Iterable[Row], study: StoredStudy) -> None:
    """Write a table, the whole of it or nothing."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as file:
            write_rows(rows, "csv", columns_of(study.plan, level), study.plan, file)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
