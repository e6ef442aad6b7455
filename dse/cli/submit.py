"""`dse submit`: hand a study to Ray, Slurm or Kubernetes."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path, PurePosixPath

import click

from dse.errors import InputError
from dse.specification.study import load_study
from dse.submission.job import SweepJob
from dse.submission.slurm import Allocation, batch_script, submit

__all__ = ["command"]

_TARGETS = ("ray", "slurm", "kubernetes")
_SET_BY_US = ("--output", "--address", "--workers")


@click.command()
@click.argument("study", type=click.Path(path_type=Path))
@click.argument("options", nargs=-1)
@click.option("--target", required=True, type=click.Choice(_TARGETS), help="What takes the job.")
@click.option("--output", required=True, help="Folder of the results, as the job sees it.")
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")
@click.option("--wait", is_flag=True, help="Wait for the end of the job (ray, slurm).")
@click.option("--python", help="Interpreter there that has the project's packages (slurm: default this one).")
@click.option("--address", envvar="RAY_API_SERVER_ADDRESS", help="ray: where the cluster takes jobs, http://HEAD:8265.")
@click.option("--nodes", type=click.IntRange(1), default=1, show_default=True, help="slurm: nodes of the allocation.")
@click.option("--cpus", type=click.IntRange(1), help="slurm, kubernetes: processors of a node.")
@click.option("--time", "time_limit", help="slurm: time limit of a run; the sweep goes on in the next one.")
@click.option("--partition", help="slurm: partition.")
@click.option("--sbatch", "sbatch", multiple=True, metavar="OPTION", help="slurm: one more option, --account=x.")
@click.option("--image", help="kubernetes: image that has the project installed.")
@click.option("--claim", help="kubernetes: PersistentVolumeClaim of the results.")
@click.option("--secret", help="kubernetes: Secret that holds Ray's token as auth_token.")
@click.option("--pods", type=click.IntRange(1), default=2, show_default=True, help="kubernetes: pods of workers.")
@click.option("--memory", default="8Gi", show_default=True, help="kubernetes: memory of a pod.")
def command(
    study: Path,
    options: tuple[str, ...],
    target: str,
    output: str,
    dry_run: bool,
    wait: bool,
    python: str | None,
    address: str | None,
    nodes: int,
    cpus: int | None,
    time_limit: str | None,
    partition: str | None,
    sbatch: tuple[str, ...],
    image: str | None,
    claim: str | None,
    secret: str | None,
    pods: int,
    memory: str,
) -> int:
    """Sweep STUDY on a cluster; what stands after -- is for dse sweep there.

    Secrets are taken from the environment or from files that only you can read, never from an option.
    """
    name = re.sub(r"[^a-z0-9]+", "-", load_study(study).name.lower()).strip("-") or "study"
    _check_options(study, options)
    if target == "slurm":
        place = PurePosixPath(Path(output).absolute())
        job = SweepJob(study, name, place, python or sys.executable, options)
        return _to_slurm(job, Allocation(nodes, cpus, time_limit, partition, sbatch), dry_run, wait)
    place = PurePosixPath(output)
    if not place.is_absolute():
        raise click.UsageError(f"--output: expected an absolute path, a folder of the cluster's, got {output}")
    job = SweepJob(study, name, place, python or "python", options)
    if target == "ray":
        if address is None:
            raise click.UsageError("--target ray needs --address: where the cluster takes jobs, http://HEAD:8265")
        return _to_ray(job, address, dry_run, wait)
    if image is None or claim is None or secret is None:
        raise click.UsageError("--target kubernetes needs --image, --claim and --secret")
    if wait:
        raise click.UsageError("--wait goes with ray and slurm; kubectl wait does that for a RayJob")
    import ray

    from dse.submission.kubernetes import Pods, apply, manifest

    text = manifest(job, Pods(image, claim, secret, ray.__version__, workers=pods, cpus=cpus or 4, memory=memory))
    click.echo(text if dry_run else apply(text), nl=False)
    return 0


def _to_ray(job: SweepJob, address: str, dry_run: bool, wait: bool) -> int:
    from dse.submission.bundle import bundle_study
    from dse.submission.ray_jobs import RayJobs, ray_request

    request = ray_request(job)
    if dry_run:
        files = [f"study/{file}" for file in bundle_study(job.study)]
        click.echo(json.dumps({"address": address} | request | {"files": [*files, "dse/"]}, indent=1))
        return 0
    jobs = RayJobs(address)
    name = jobs.submit(job, request)
    click.echo(f"job {name}\nLook: dse status {name} --address {address}")
    if not wait:
        return 0
    state = jobs.wait(name)
    click.echo(f"{jobs.output(name).rstrip()}\njob {name}: {state}")
    return 0 if state == "SUCCEEDED" else 1


def _to_slurm(job: SweepJob, allocation: Allocation, dry_run: bool, wait: bool) -> int:
    script = batch_script(job, allocation)
    if dry_run:
        click.echo(script, nl=False)
        return 0
    Path(job.output).parent.mkdir(parents=True, exist_ok=True)
    number = submit(script, wait)
    click.echo(f"job {number}\nLook: dse status {number}, or dse status {job.output}")
    return 0


def _check_options(study: Path, options: tuple[str, ...]) -> None:
    """Have wrong options for `dse sweep` refused here, and not hours later."""
    from dse.cli.sweep import command as sweep

    given = [option for option in options if option.partition("=")[0] in _SET_BY_US]
    if given:
        raise InputError(f"{given[0]} is not for the sweep on a cluster: dse submit sets it")
    sweep.make_context("sweep", [str(study), "--output", "results", *options])
