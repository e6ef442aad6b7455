"""A batch script for Slurm that starts Ray over the allocation, sweeps, and is queued again where its time runs out.

Only Slurm's own commands are called. What a job is about is in its log's name, which Slurm keeps: the folder of the
results, beside which the log lies.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from dse.errors import InputError, ToolError
from dse.submission.job import SweepJob

__all__ = ["Allocation", "SlurmJob", "batch_script", "slurm_job", "submit"]

_LOG_SUFFIX = ".slurm-%j.log"
_SECONDS_TO_END = 120
"""Before the time limit, the job is told to end: time for the driver to store what it has."""

_SEVERAL_NODES = """\
# The token is of this job alone, and stands in no file and no command line.
RAY_AUTH_TOKEN=$(od -vAn -N32 -tx1 /dev/urandom | tr -d ' \\n')
export RAY_AUTH_TOKEN RAY_AUTH_MODE=token RAY_USAGE_STATS_ENABLED=0
address=$({python} -P -m dse.submission.node address)
srun --nodes="$SLURM_JOB_NUM_NODES" --ntasks="$SLURM_JOB_NUM_NODES" --ntasks-per-node=1 \\
    --cpus-per-task="$SLURM_CPUS_PER_TASK" --no-kill --kill-on-bad-exit=0 \\
    {python} -P -m dse.submission.node run "$address" --cpus "$SLURM_CPUS_PER_TASK" &
nodes=$!
{python} -P -m dse.submission.node wait "$address"
"""
_SCRIPT = """\
#!/bin/bash
{directives}
# Sweeps {name}; submitted again with the same folder, it goes on where it stopped.
set -euo pipefail
umask 077
again= driver= nodes=
stop() {{ if [[ $driver ]]; then kill -TERM "$driver" 2>/dev/null || true; fi; }}
trap 'again=1; stop' USR1  # the time limit is near
trap stop TERM             # cancelled or preempted: Slurm itself queues a preempted job again
# Told themselves, the nodes end in peace; a step that is killed ends the log of a job that went well with errors.
end() {{ scancel --signal=INT "$SLURM_JOB_ID.0" || kill -TERM "$nodes"; }}
trap 'if [[ $nodes ]]; then end 2>/dev/null && wait "$nodes" || true; fi' EXIT
{start}{sweep} &
driver=$!
status=0
wait "$driver" || status=$?
while kill -0 "$driver" 2>/dev/null; do  # a signal ended the wait, and the driver is about to end
    status=0
    wait "$driver" || status=$?
done
if [[ $again && $status != 0 ]]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$status"
"""


@dataclass(frozen=True, slots=True)
class Allocation:
    """What is asked of Slurm; `options` are further ones of `sbatch`, such as `--account=chips`."""

    nodes: int = 1
    cpus_per_node: int | None = None
    time_limit: str | None = None
    partition: str | None = None
    options: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.nodes > 1 and self.cpus_per_node is None:
            raise InputError("--cpus: expected the processors of each node, where there are several nodes")
        for option in self.options:
            if not re.fullmatch(r"--?[A-Za-z][^\n]*", option):
                raise InputError(f'expected an option of sbatch such as --account=chips, got "{option}"')


def batch_script(job: SweepJob, allocation: Allocation) -> str:
    """The script for `sbatch`. Every path in it is absolute."""
    given = {
        "job-name": f"dse-{job.name}",
        "nodes": allocation.nodes,
        "ntasks-per-node": 1,
        "cpus-per-task": allocation.cpus_per_node,
        "time": allocation.time_limit,
        "partition": allocation.partition,
        "output": f"{job.output}{_LOG_SUFFIX}",
        "open-mode": "append",
        "signal": f"B:USR1@{_SECONDS_TO_END}",
    }
    lines = [f"--{name}={value}" for name, value in given.items() if value is not None]
    lines += ["--requeue", "--no-kill", *allocation.options]
    python = shlex.quote(job.python)
    if allocation.nodes == 1:
        start, options = "", ["--workers", "$SLURM_CPUS_ON_NODE"]
    else:
        start, options = _SEVERAL_NODES.format(python=python), ["--address", "$address"]
    sweep = shlex.join(job.command(str(job.study.absolute())))
    option, variable = options
    return _SCRIPT.format(
        directives="\n".join(f"#SBATCH {_directive(line)}" for line in lines),
        name=job.name,
        start=start,
        sweep=f'{sweep} {option} "{variable}"',
    )


def _directive(line: str) -> str:
    """One word of a line that `sbatch` reads; it knows quotes as a shell does."""
    if any(character in line for character in "\n\r\0"):
        raise InputError(f"{line!r} cannot stand in a batch script")
    return line if re.fullmatch(r"[A-Za-z0-9@%:=,./_+-]+", line) else f'"{line}"' if '"' not in line else f"'{line}'"


def submit(script: str, wait: bool = False) -> str:
    """Hand a script to Slurm; the number of the job. Raises ToolError where Slurm is missing or refuses it."""
    answer = _call(["sbatch", "--parsable", *(["--wait"] if wait else [])], script)
    return answer.strip().partition(";")[0]


@dataclass(frozen=True, slots=True)
class SlurmJob:
    """A job as Slurm knows it: its state (PENDING, RUNNING, COMPLETED, ...) and the folder of the results."""

    state: str
    reason: str
    output: Path


def slurm_job(number: str) -> SlurmJob:
    """Ask Slurm for a job. Raises InputError where it knows none, or none of ours."""
    text = _call(["scontrol", "show", "job", "--oneliner", number])
    fields = dict(re.findall(r"(\w+)=(.*?)(?=\s\w+=|\s*$)", text))
    suffix = _LOG_SUFFIX.replace("%j", number)
    log = fields.get("StdOut", "")
    if not log.endswith(suffix):
        raise InputError(f"the job {number} is not one of dse submit")
    return SlurmJob(fields.get("JobState", "?"), fields.get("Reason", ""), Path(log.removesuffix(suffix)))


def _call(command: list[str], text: str | None = None) -> str:
    try:
        done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise ToolError(f"Slurm cannot be used: {command[0]} is not installed here") from error
    if done.returncode:
        reason = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
        if "Invalid job id" in done.stderr:
            raise InputError(f"Slurm knows no job {command[-1]} any more: ask for its folder, dse status DIR")
        raise ToolError(f"{command[0]}: {reason.removeprefix(f'{command[0]}: ')}")
    return done.stdout
