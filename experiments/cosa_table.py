"""`make cosa-table`: CoSA's comparison of schedulers (ISCA 2021, section V) anew, with the proven optimum beside it.

Every distinct layer of the networks is scheduled on Simba by random search, hybrid search, CoSA's objective and with a
proof. Results go to OUTPUT/outcomes.jsonl one by one, so that an interrupted run goes on; the table to OUTPUT/table.md.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
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
NETWORKS = ("alexnet", "resnet50", "resnext50_32x4d", "deepbench_ocr_face")


def simba() -> tuple[Architecture, Mapspace]:
    """CoSA's Simba: 16 processing elements, its bypass pattern."""
    template = load_template(ROOT / "arch_templates" / "simba.yaml")
    architecture, pattern = template.instantiate()
    return architecture, parse_mapspace(template.document, pattern, architecture, CNN_LAYER)


def work(job: Job, effort: Effort) -> Outcome:
    """One job in a process of the pool."""
    return run_job(job, *simba(), effort)


def run(jobs: list[Job], effort: Effort, file: OutcomeFile, workers: int) -> None:
    """Run what the file does not have, each job on one thread of one process."""
    missing = [job for job in jobs if job.key not in file.outcomes]
    start = time.monotonic()
    # Spawned, not forked: solvers start threads of their own.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        futures = [pool.submit(work, job, effort) for job in missing]
        try:
            for done, future in enumerate(as_completed(futures), 1):
                file.add(future.result())
                if done % 20 == 0 or done == len(missing):
                    passed = time.monotonic() - start
                    click.echo(f"{done}/{len(missing)} jobs, {passed:,.0f} s", err=True)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@click.command(help=__doc__)
@click.option("--network", "names", multiple=True, help="File name in workloads/ without .yaml; default: the paper's.")
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "runs" / "cosa_table", show_default=True)
@click.option("--gap", type=float, default=0.01, show_default=True, help="A proof may stop at this ratio.")
@click.option("--time-limit", type=float, default=60.0, show_default=True, help="Seconds for one proof.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the random and hybrid searches.")
@click.option("--workers", type=int, default=min(2, os.cpu_count() or 1), show_default=True)
def main(names: tuple[str, ...], output: Path, gap: float, time_limit: float, seed: int, workers: int) -> None:
    """Run the comparison and print its table."""
    effort = Effort(gap, time_limit, seed)
    try:
        networks = [load_network(ROOT / "workloads" / f"{name}.yaml") for name in names or NETWORKS]
        conditions = {"architecture": "simba", "gap": gap, "time_limit_seconds": time_limit, "seed": seed}
        file = OutcomeFile(output / "outcomes.jsonl", conditions | {"version": __version__})
        run(jobs_for(layer.problem for network in networks for layer in network.layers), effort, file, workers)
        table = render_methods(networks, file.outcomes)
        (output / "table.md").write_text(table, encoding="utf-8")
    except DseError as error:
        click.echo(str(error), err=True)
        sys.exit(error.exit_status)
    click.echo(table)


if __name__ == "__main__":
    main()
