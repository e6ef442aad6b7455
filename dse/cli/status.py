"""`dse status`: how a sweep goes, on this machine or as a job of a cluster."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dse.errors import InputError

if TYPE_CHECKING:
    from dse.report.status import StudyStatus

__all__ = ["command"]


@click.command()
@click.argument("sweep", metavar="DIR|JOB")
@click.option(
    "--address", envvar="RAY_API_SERVER_ADDRESS", help="Of the Ray cluster that JOB runs on: http://HEAD:8265."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def command(sweep: str, address: str | None, as_json: bool) -> int:
    """Progress, rate, time left, failures by reason and the front so far of a sweep, while it runs or afterwards.

    DIR is the sweep's folder; JOB is what dse submit has printed: a number of Slurm, or a job of Ray.
    """
    state, status = _asked(sweep, address)
    if as_json:
        parts = {} if state is None else {"job": state}
        click.echo(json.dumps(parts | ({} if status is None else status.to_dict())))
        return 0
    from dse.report.status import render_status

    if state is not None:
        click.echo(f"job {sweep}: {state}")
    if status is not None:
        click.echo(render_status(status))
    return 0


def _asked(sweep: str, address: str | None) -> tuple[str | None, StudyStatus | None]:
    """(state of the job, or None; what is in its folder, or None where the job has not begun)."""
    from dse.report.status import StudyStatus, study_status
    from dse.sweep.folder import StudyFolder, open_folder

    if Path(sweep).is_dir():
        return None, study_status(open_folder(sweep))
    if sweep.isdecimal():
        from dse.submission.slurm import slurm_job

        job = slurm_job(sweep)
        state = job.state if job.reason in ("", "None") else f"{job.state} ({job.reason})"
        folder = StudyFolder(job.output)
        return state, study_status(folder) if folder.plan_file.is_file() else None
    if address is None:
        raise InputError(f'there is no folder "{sweep}"; where it is a job of a Ray cluster, give its --address')
    from dse.submission.ray_jobs import RayJobs

    jobs = RayJobs(address)
    answer = jobs.status(sweep)
    return jobs.state(sweep), None if answer is None else StudyStatus.from_dict(answer)
