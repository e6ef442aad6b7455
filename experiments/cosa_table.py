"""`make cosa-table`: CoSA's comparison of schedulers (ISCA 2021, section V) anew, with the proven optimum beside it.

Every distinct layer of NETWORKS (default: those of the paper) is scheduled on Simba by random search, hybrid search,
CoSA's objective and with a proof. Results go to OUTPUT/outcomes.jsonl one by one, so that an interrupted run goes on;
the table to OUTPUT/table.md.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict
from pathlib import Path

import click

from dse import __version__
from dse.errors import DseError
from dse.report.method_tables import render_methods
from dse.report.methods import Effort, Job, Outcome, OutcomeFile, jobs_for, run_job
from dse.specification.architecture import Architecture
from dse.specification.mapspace import Mapspace, parse_mapspace
from dse.specification.network import load_network
from dse.specification.problem import CNN_LAYER
from dse.specification.template import load_template

ROOT = Path(__file__).resolve().parents[1]
NETWORKS = [
    ROOT / "workloads" / f"{name}.yaml"
    for name in ("alexnet", "resnet50", "resnext50_32x4d_cosa", "deepbench_ocr_face")
]


def simba() -> tuple[Architecture, Mapspace]:
    """CoSA's Simba: 16 processing elements, its bypass pattern."""
    template = load_template(ROOT / "arch_templates" / "simba.yaml")
    architecture, pattern = template.instantiate()
    return architecture, parse_mapspace(template.document, pattern, architecture, CNN_LAYER)


def work(job: Job, effort: Effort) -> Outcome:
    """One job, in whatever process."""
    return run_job(job, *simba(), effort)


def run(jobs: list[Job], effort: Effort, file: OutcomeFile, workers: int) -> None:
    """Run what the file does not have, each job on one thread of one process."""
    missing = [job for job in jobs if job.key not in file.outcomes]
    start = time.monotonic()
    for done, outcome in enumerate(outcomes(missing, effort, workers), 1):
        file.add(outcome)
        if done % 20 == 0 or done == len(missing):
            click.echo(f"{done}/{len(missing)} jobs, {time.monotonic() - start:,.0f} s", err=True)


def outcomes(jobs: list[Job], effort: Effort, workers: int) -> Iterator[Outcome]:
    """Outcomes as they come, from this process for one worker."""
    if workers == 1:
        yield from (work(job, effort) for job in jobs)
        return
    # Spawned, not forked: solvers start threads of their own.
    pool = ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))
    try:
        for future in as_completed([pool.submit(work, job, effort) for job in jobs]):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


@click.command(help=__doc__)
@click.argument("networks", nargs=-1, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "runs" / "cosa_table", show_default=True)
@click.option("--gap", type=float, default=0.01, show_default=True, help="A proof may stop at this ratio.")
@click.option("--time-limit", type=float, default=60.0, show_default=True, help="Seconds for one proof.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random and hybrid searches.")
@click.option("--searchers", type=int, default=32, show_default=True, help="Hybrid search: CoSA's threads.")
@click.option("--workers", type=click.IntRange(1), default=min(2, os.cpu_count() or 1), show_default=True)
def main(
    networks: tuple[Path, ...], output: Path, gap: float, time_limit: float, seed: int, searchers: int, workers: int
) -> None:
    """Run the comparison and print its table."""
    effort = Effort(gap, time_limit, seed, searchers=searchers)
    conditions = {"architecture": "simba", "version": __version__} | asdict(effort)
    try:
        loaded = [load_network(path) for path in networks or NETWORKS]
        file = OutcomeFile(output / "outcomes.jsonl", conditions)
        run(jobs_for(layer.problem for network in loaded for layer in network.layers), effort, file, workers)
        table = render_methods(loaded, file.outcomes)
        (output / "table.md").write_text(table, encoding="utf-8")
    except DseError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_status)
    click.echo(table)


if __name__ == "__main__":
    main()
