"""Batch scripts, and a real Slurm that runs one on two nodes, queues it again, and has it go on."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.processes import wait_until
from tests.submission.loopback_slurm import missing, slurm

CHILD = f"{sys.executable} -P -m dse.sweep.executors.child"
Call = Callable[..., subprocess.CompletedProcess[str]]


def test_a_script_says_what_it_asks_for(small_study: Path, dse: Call, tmp_path: Path) -> None:
    options = ("--cpus", "8", "--time", "4:00:00", "--partition", "short", "--sbatch", "--account=a b")
    output = tmp_path / "it's here"
    done = dse("submit", small_study, "--target", "slurm", "--output", output, "--nodes", "3", *options, "--dry-run")
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines[0] == "#!/bin/bash"
    directives = {line.removeprefix("#SBATCH ") for line in lines if line.startswith("#SBATCH")}
    assert directives == {
        "--job-name=dse-small",
        "--nodes=3",
        "--ntasks-per-node=1",
        "--cpus-per-task=8",
        "--time=4:00:00",
        "--partition=short",
        f'"--output={output}.slurm-%j.log"',
        "--open-mode=append",
        "--signal=B:USR1@120",
        "--requeue",
        "--no-kill",
        '"--account=a b"',
    }
    subprocess.run(["bash", "-n"], input=done.stdout, text=True, check=True)
    sweep = next(line for line in lines if " sweep " in line)
    assert sweep == (
        f"{sys.executable} -P -m dse sweep {small_study} --output '{tmp_path}/it'\"'\"'s here' --address \"$address\" &"
    )


def test_one_node_needs_no_cluster(small_study: Path, dse: Call, tmp_path: Path) -> None:
    done = dse("submit", small_study, "--target", "slurm", "--output", tmp_path / "run", "--dry-run")
    assert "srun" not in done.stdout
    assert '--workers "$SLURM_CPUS_ON_NODE" &' in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--nodes", "2"), "--cpus: expected the processors of each node"),
        (("--sbatch", "account=x"), 'expected an option of sbatch such as --account=chips, got "account=x"'),
        (("--", "--workers", "2"), "--workers is not for the sweep on a cluster"),
        (("--", "--output=x"), "--output=x is not for the sweep on a cluster"),
        (("--", "--retry"), "No such option"),
    ],
)
def test_a_wrong_call_is_refused(
    small_study: Path, dse: Call, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    done = dse("submit", small_study, "--target", "slurm", "--output", tmp_path / "run", "--dry-run", *options)
    assert done.returncode == 2
    assert message in done.stderr


def test_without_slurm_the_error_says_so(small_study: Path, dse: Call, tmp_path: Path) -> None:
    done = dse(
        "submit",
        small_study,
        "--target",
        "slurm",
        "--output",
        tmp_path / "run",
        env=os.environ | {"PATH": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (3, "dse: Slurm cannot be used: sbatch is not installed here\n")


@pytest.mark.skipif(missing() is not None, reason=f"Slurm is not installed here: no {missing()}")
def test_a_job_on_two_nodes_is_queued_again_and_ends_with_all_results(
    small_study: Path, dse: Call, tmp_path: Path, rows: Callable[[Path], list[dict[str, object]]]
) -> None:
    alone = [
        sys.executable,
        "-m",
        "dse",
        "sweep",
        str(small_study),
        "--no-cache",
        "--no-prune",
        "--workers",
        "1",
        "--quiet",
        "--output",
    ]
    run, log = tmp_path / "run", tmp_path / "run.slurm-1.log"
    with slurm() as (family, environment):

        def field(name: str) -> str:
            show = ["scontrol", "show", "job", "--oneliner", "1"]
            shown = subprocess.run(show, env=environment, capture_output=True, text=True, check=True).stdout
            return next(word.partition("=")[2] for word in shown.split() if word.startswith(f"{name}="))

        options = ("--nodes", "2", "--cpus", "1", "--output", run, "--", "--no-cache", "--no-prune")
        done = dse("submit", small_study, "--target", "slurm", *options, env=environment)
        assert (done.returncode, done.stdout.splitlines()[0]) == (0, "job 1"), done.stderr
        assert wait_until(lambda: family.members(CHILD), 180)
        for process in family.members(CHILD):
            os.kill(process, signal.SIGSTOP)  # so that the sweep does not end before its time
        looked = dse("status", "1", env=environment)
        assert looked.stdout.startswith("job 1: RUNNING\nsmall: running as process "), looked.stderr

        subprocess.run(
            ["scancel", "--batch", "--signal=USR1", "1"], env=environment, check=True
        )  # the time limit is near
        assert wait_until(lambda: field("JobState") == "PENDING", 180)
        assert field("Restarts") == "1"
        assert not family.members("ray::")
        subprocess.run(["scontrol", "update", "JobId=1", "StartTime=now"], env=environment, check=True)
        whole = subprocess.run([*alone, str(tmp_path / "alone")], check=True, stdout=subprocess.DEVNULL)
        assert whole.returncode == 0
        assert wait_until(lambda: field("JobState") in ("COMPLETED", "FAILED"), 180)
        assert field("JobState") == "COMPLETED", log.read_text()
        assert "job 1: COMPLETED\nsmall: finished" in dse("status", "1", env=environment).stdout
        assert dse("status", "2", env=environment).stderr == (
            "dse: Slurm knows no job 2 any more: ask for its folder, dse status DIR\n"
        )
    assert rows(run) == rows(tmp_path / "alone")
    _, found, after = log.read_text().rpartition("6 of 6 variants complete")
    assert found
    assert "error" not in after.lower(), after  # its nodes ended in peace
