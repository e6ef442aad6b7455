"""`dse export`: the results of a study as CSV, JSON lines or Parquet."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dse.errors import Fault, InputError
from dse.report import FORMATS, LEVELS

__all__ = ["command"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--format", "file_format", type=click.Choice(FORMATS), required=True, help="What to write.")
@click.option("--level", type=click.Choice(LEVELS), default="layer", show_default=True, help="What a row is.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File (default: standard output).")
@click.option("--timings", is_flag=True, help="Add the seconds that scheduling took, which differ from run to run.")
def command(folder: Path, file_format: str, level: str, output: Path | None, timings: bool) -> None:
    """Every result of the study in FOLDER, as rows sorted by variant, network and layer."""
    from dse.report.export import columns_of, layer_rows, operating_rows, variant_rows, write_rows
    from dse.report.totals import StudyTotals
    from dse.sweep.reading import read_study

    if output is None and file_format == "parquet" and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal: give --output FILE, or redirect it")
    with read_study(folder) as study:
        if level == "operating-point":
            rows = operating_rows(study)
        else:
            rows = layer_rows(study, timings) if level == "layer" else variant_rows(StudyTotals(study), timings)
        columns = columns_of(study.plan, level, timings)
        if output is None:
            write_rows(rows, file_format, columns, study.plan, sys.stdout.buffer)
            sys.stdout.buffer.flush()
            return
        try:
            with output.open("wb") as file:
                write_rows(rows, file_format, columns, study.plan, file)
        except OSError as error:
            raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(output))) from error
