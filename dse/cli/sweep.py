"""`dse sweep`: run a study, or go on with one, and show its Pareto front."""

from __future__ import annotations

import os
import shlex
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from dse.cli.costs import warn_of_doubts
from dse.cli.evaluators import timeloop_options
from dse.specification.study import EVALUATORS, Study, load_study
from dse.sweep.cache import default_cache_folder
from dse.sweep.executors import ray_executor, serial_executor
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import Sweep, plan_study
from dse.sweep.progress import Progress
from dse.sweep.store import open_reader

if TYPE_CHECKING:
    from dse.sweep.driver import SweepCounts

__all__ = ["command"]


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.option("--output", required=True, type=click.Path(path_type=Path), help="Folder of the results.")
@click.option("--workers", type=click.IntRange(1), help="Processes here (default: the cores). 1: no Ray.")
@click.option("--address", help="Run on the Ray cluster at this address instead.")
@click.option("--evaluator", type=click.Choice(EVALUATORS), help="What costs a mapping (default: as the study says).")
@timeloop_options
@click.option(
    "--cache",
    "cache_folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the schedules of all studies (default: dse in the user's cache directory).",
)
@click.option("--no-cache", is_flag=True, help="Neither take schedules from the cache nor put them there.")
@click.option("--no-prune", is_flag=True, help="Schedule variants that provably cannot enter the front as well.")
@click.option("--retry-failed", is_flag=True, help="Run points again that ended with an error.")
@click.option("--quiet", is_flag=True, help="No progress on standard error.")
def command(
    study: Path,
    output: Path,
    workers: int | None,
    address: str | None,
    evaluator: str | None,
    timeloop_path: Path | None,
    timeloop_seconds: float,
    cache_folder: Path | None,
    no_cache: bool,
    no_prune: bool,
    retry_failed: bool,
    quiet: bool,
) -> int:
    """Schedule every layer of the STUDY's networks on every variant of its template.

    Results are stored as they arrive: after an interrupt, the same command goes on where it stopped.
    """
    from dse.sweep.driver import run_sweep
    from dse.sweep.search import Search

    if workers is not None and address is not None:
        raise click.UsageError("give --workers or --address, not both: a cluster has its own workers")
    if no_cache and cache_folder is not None:
        raise click.UsageError("give --cache or --no-cache, not both")
    folder = StudyFolder(output)
    progress = Progress(quiet=quiet, file=folder.progress_file)
    count = workers or len(os.sched_getaffinity(0))
    serial = address is None and count == 1
    try:
        with _stop_on_signals():
            sweep = _planned(_read(study), evaluator, timeloop_path, timeloop_seconds)
            search = Search(sweep, prune=not no_prune)
            if search.unproven and not no_prune:
                progress.notice("nothing is pruned: bounds are proven for another version of Timeloop")
            counts = run_sweep(
                sweep,
                folder,
                serial_executor if serial else partial(ray_executor, count, address),
                progress,
                retry_failed,
                search,
                cache_folder=None if no_cache else cache_folder or default_cache_folder(),
            )
            return _report(folder, counts)
    except KeyboardInterrupt:
        progress.close()
        click.echo(f"dse: interrupted; {_stored(folder)} schedules are stored in {output}, this goes on:", err=True)
        click.echo(f"     {_same_call(click.get_current_context())}", err=True)
        return 130


def _report(folder: StudyFolder, counts: SweepCounts) -> int:
    """Bring tables and pictures up to date with what is stored, and print the front; the exit status."""
    from dse.report.html import REPORT
    from dse.report.summary import summarize

    summary = summarize(folder)
    click.echo(summary.text)
    if counts.pruned:
        share = 100 * counts.pruned / counts.total
        click.echo(
            f"\n{counts.pruned} of {counts.total} schedules saved ({share:.0f} %): bounds keep them off the front"
        )
    click.echo(f"\nIn {folder.path}: {', '.join(summary.files)}")
    click.echo(f"Look further: dse pareto {folder.path} --all; dse export {folder.path} --format csv --level layer")
    if REPORT in summary.files:
        click.echo(f"Report: {folder.path / REPORT}")
    else:
        click.echo(f"Report: dse report {folder.path} makes it")
    return 0 if summary.complete else 1


def _stored(folder: StudyFolder) -> int:
    """Results of the study's program so far."""
    if not folder.plan_file.exists():
        return 0
    with open_reader(folder.store_file, folder.read_plan().program) as store:
        return store.count()


def _same_call(context: click.Context) -> str:
    """The call as it was typed, to be typed again, but for --retry-failed: those were tried."""
    words = ["dse", "sweep"]
    for parameter in context.command.params:
        name = parameter.name or ""
        if context.get_parameter_source(name) is not ParameterSource.COMMANDLINE or name == "retry_failed":
            continue
        if isinstance(parameter, click.Option):
            words.append(parameter.opts[0])
        if not (isinstance(parameter, click.Option) and parameter.is_flag):
            words.append(str(context.params[name]))
    return shlex.join(words)


def _read(path: Path) -> Study:
    """The study, with warnings of what is hardly meant in its first variant."""
    study = load_study(path)
    first = next(study.space.variants(), None)
    if first is not None:
        warn_of_doubts(study.space.template.document, first.architecture)
    return study


def _planned(study: Study, evaluator: str | None, timeloop_path: Path | None, timeloop_seconds: float) -> Sweep:
    """The plan of a study with the evaluator of the call, or else its own."""
    study = replace(study, evaluator=evaluator or study.evaluator)
    if study.evaluator != "timeloop":
        if timeloop_path is not None:
            raise click.UsageError(f"--timeloop goes with --evaluator timeloop; the study's is {study.evaluator}")
        return plan_study(study)
    from dse.timeloop import TimeloopEvaluator

    return plan_study(study, TimeloopEvaluator(timeloop_path, timeloop_seconds))


@contextmanager
def _stop_on_signals() -> Iterator[None]:
    """End on SIGTERM (a batch system's time limit) as on Ctrl-C; also where a script started us with SIGINT ignored."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
