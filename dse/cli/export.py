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
    from dse.report.export import layer_rows, variant_rows, write_rows
    from dse.sweep.folder import open_folder

    if output is None and file_format == "parquet" and sys.stdout.isatty():
        raise click.UsageError("Parquet is not for a terminal: give --output FILE, or redirect it")
    opened = open_folder(folder)
    plan, results = opened.read_plan(), opened.read_results()
    rows = (layer_rows if level == "layer" else variant_rows)(plan, results, timings)
    content = write_rows(rows, file_format)
    if output is None:
        sys.stdout.buffer.write(content)
        sys.stdout.buffer.flush()
        return
    try:
        output.write_bytes(content)
    except OSError as error:
        raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(output))) from error
