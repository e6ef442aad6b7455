"""`dse evaluate`: what one mapping costs, or what each line of a batch costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from dse.cli.costs import costs_option
from dse.cli.evaluators import evaluator_options
from dse.cli.inputs import batch_options
from dse.specification.version import DEFAULT_VERSION, VERSIONS

if TYPE_CHECKING:
    from dse.specification.costs import CostChoice

__all__ = ["command"]


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@batch_options
@costs_option
@evaluator_options
@click.option(
    "--timeloop-version",
    "version",
    type=click.Choice(list(VERSIONS)),
    default=DEFAULT_VERSION.commit,
    show_default=True,
    help="The commit of Timeloop that the embedded evaluator counts as.",
)
@click.option("--compare", is_flag=True, help="Run both evaluators and print what differs (exit status 1 if anything).")
@click.option(
    "--write-files",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the point into this folder as files that timeloop-model reads.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def command(
    files: tuple[Path, ...],
    batch: Path | None,
    output: Path | None,
    costs: CostChoice | None,
    evaluator: str,
    timeloop_path: Path | None,
    timeloop_seconds: float,
    keep_failures: bool,
    version: str,
    compare: bool,
    folder: Path | None,
    as_json: bool,
) -> int:
    """What one mapping costs: cycles, energy, counts.

    FILES hold an architecture (arch), a problem and a mapping in Timeloop's YAML, in any number and order. With
    --batch, every line of a JSON-lines file holds such a point, and one line is written for each.
    """
    if batch is not None and (files or folder):
        raise click.UsageError("give FILES or --batch, not both; --write-files takes one point")
    if batch is None and not files:
        raise click.UsageError("give FILES, or --batch IN.jsonl --output OUT.jsonl")
    if batch is None and output is not None:
        raise click.UsageError("--output goes with --batch")
    from dse.cli.evaluation import compare_point, evaluate_point, read_point, run_batch
    from dse.timeloop import TimeloopEvaluator, write_inputs

    timeloop = None
    if compare or evaluator == "timeloop":
        timeloop = TimeloopEvaluator(timeloop_path, timeloop_seconds, keep_failures)
        if timeloop.version in VERSIONS:
            version = timeloop.version
    if batch is not None:
        return run_batch(batch, output, timeloop, compare, version, costs)
    point = read_point(files, costs)
    if folder is not None:
        write_inputs(folder, *point)
    if compare and timeloop is not None:
        return compare_point(point, timeloop, as_json, version)
    return evaluate_point(point, timeloop, as_json, version)
