"""`dse report`: what came of a study, as one HTML file."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--output", type=click.Path(path_type=Path, dir_okay=False), help="File (default: report.html in the folder)."
)
def command(folder: Path, output: Path | None) -> None:
    """Write what came of the study in FOLDER, finished or not, as one HTML file that needs nothing beside it."""
    from dse.report.html import REPORT, write_report
    from dse.sweep.folder import open_folder

    study = open_folder(folder)
    file = output or study.path / REPORT
    write_report(study, file)
    click.echo(f"Report: {file}", err=file.exists() and not file.is_file())
