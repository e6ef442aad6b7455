"""`dse plot`: pictures of a study for papers, and the rows behind them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dse.report.figures import KINDS, SUFFIXES

if TYPE_CHECKING:
    from dse.report.figures.plot import Plot
    from dse.sweep.reading import StoredStudy

__all__ = ["command"]


@click.command()
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to write, .svg, .pdf, .png or .csv; may stand several times (default: all four, in the folder).",
)
@click.option("--network", help="Of this network alone (default: all networks together).")
@click.option("--variant", help="Of this variant: breakdown by layer, roofline (default: the front; its least EDP).")
@click.option("--level", help="Storage level of the roofline (default: the outermost with a limited bandwidth).")
def command(
    kind: str, folder: Path, outputs: tuple[Path, ...], network: str | None, variant: str | None, level: str | None
) -> None:
    """Draw the KIND of picture of the study in FOLDER, and write the rows behind it as CSV."""
    from dse.report.figures.plot import write_plot
    from dse.sweep.reading import read_study

    if variant is not None and kind not in ("breakdown", "roofline"):
        raise click.UsageError(f"--variant goes with breakdown and roofline, not with {kind}")
    if level is not None and kind != "roofline":
        raise click.UsageError(f"--level goes with roofline, not with {kind}")
    if network is not None and kind == "convergence":
        raise click.UsageError("the front's growth is known of all networks together: leave --network out")
    for file in outputs:
        if file.suffix not in SUFFIXES:
            raise click.BadParameter(
                f"{file}: expected a name that ends in {', '.join(SUFFIXES)}", param_hint="--output"
            )
    with read_study(folder) as study:
        plot = _plot(kind, folder, study, network, variant, level)
    files = outputs or tuple(folder / f"{kind}{suffix}" for suffix in SUFFIXES)
    write_plot(plot, files)
    click.echo("\n".join(map(str, files)))


def _plot(
    kind: str, folder: Path, study: StoredStudy, network: str | None, variant: str | None, level: str | None
) -> Plot:
    if kind == "front":
        from dse.report.figures.front import front_plot

        return front_plot(study, network)
    if kind == "breakdown":
        from dse.report.figures.breakdown import breakdown_plot

        return breakdown_plot(study, network, variant)
    if kind == "roofline":
        from dse.report.figures.roofline import roofline_plot

        return roofline_plot(study, network, variant, level)
    if kind == "sensitivity":
        from dse.report.figures.sensitivity import sensitivity_plot

        return sensitivity_plot(study, network)
    from dse.report.figures.convergence import convergence_plot
    from dse.sweep.folder import open_folder

    return convergence_plot(open_folder(folder), study.plan)
