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
    from dse.report.html import write_report
    from dse.sweep.folder import open_folder

    study = open_folder(folder)
    written = write_report(study, output or study.path / "report.html")
    click.echo(f"{written} ({written.stat().st_size / 1e6:.1f} MB)")
