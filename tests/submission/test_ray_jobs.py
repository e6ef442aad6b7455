"""Jobs of a real Ray cluster: sent, looked at while they run, and ended with results."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster import Cluster, cluster, free_port

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def jobs() -> Iterator[tuple[Cluster, str]]:
    """A cluster of one node, and where it takes jobs."""
    with cluster() as started:
        port = free_port(started.host)
        started.start_head("--include-dashboard=true", f"--dashboard-host={started.host}", f"--dashboard-port={port}")
        yield started, f"http://{started.host}:{port}"


def test_a_dry_run_prints_what_would_be_sent_and_needs_no_cluster(small_study: Path, dse: Call) -> None:
    options = ("--address", "http://127.0.0.1:1", "--output", "/data/run", "--dry-run", "--", "--retry-failed")
    done = dse("submit", small_study, "--target", "ray", *options)
    assert done.returncode == 0
    request = json.loads(done.stdout)
    assert request.pop("submission_id").startswith("dse-small-")
    assert request == {
        "address": "http://127.0.0.1:1",
        "entrypoint": "python -P -m dse sweep study/study.yaml --output /data/run --address auto --retry-failed",
        "metadata": {"dse_output": "/data/run", "dse_python": "python", "dse_study": "small"},
        "files": [
            *("study/study.yaml", "study/template.yaml"),
            *("study/network0/first.yaml", "study/network1/second.yaml"),
            "dse/",
        ],
    }


def test_a_job_ends_with_results_and_can_be_looked_at(
    jobs: tuple[Cluster, str],
    small_study: Path,
    dse: Call,
    tmp_path: Path,
    rows: Callable[[Path], list[dict[str, object]]],
) -> None:
    started, address = jobs
    environment = os.environ | started.environment
    run = tmp_path / "run"
    target = ("--target", "ray", "--address", address, "--python", sys.executable)
    done = dse(
        "submit", small_study, *target, "--output", run, "--wait", "--", "--no-cache", "--no-prune", env=environment
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "6 of 6 variants complete" in done.stdout
    assert done.stdout.endswith(": SUCCEEDED\n")
    job = done.stdout.split()[1]
    assert len(rows(run)) == 24

    looked = dse("status", job, "--address", address, env=environment)
    assert looked.stdout.startswith(f"job {job}: SUCCEEDED\nsmall: finished"), looked.stderr
    assert "The Pareto front" in looked.stdout
    assert json.loads(dse("status", job, "--address", address, "--json", env=environment).stdout)["complete"] == 6

    token = started.environment["RAY_AUTH_TOKEN"]
    assert token not in started.family.command_lines()
    written = [path for path in (*run.rglob("*"), *started.folder.rglob("*")) if path.is_file()]
    assert any(path.name.startswith("job-driver-dse-small") for path in written)
    assert not [path for path in written if token.encode() in path.read_bytes()]


def test_a_job_that_is_not_there_and_a_wrong_token(jobs: tuple[Cluster, str], dse: Call) -> None:
    started, address = jobs
    done = dse("status", "nothing", "--address", address, env=os.environ | started.environment)
    assert (done.returncode, done.stderr) == (2, f'dse: {address} has no job "nothing"\n')
    wrong = os.environ | started.environment | {"RAY_AUTH_TOKEN": "0" * 64}
    done = dse("status", "nothing", "--address", address, env=wrong)
    assert done.returncode == 3
    assert done.stderr.startswith(f"dse: Ray's jobs at {address}: Authentication failed")
    assert len(done.stderr.splitlines()) == 1


def test_no_cluster_there(dse: Call, small_study: Path, tmp_path: Path) -> None:
    address = "http://127.0.0.1:1"
    options = ("--target", "ray", "--address", address, "--output", "/data/run")
    done = dse("submit", small_study, *options, env=os.environ | {"HOME": str(tmp_path)})
    assert done.returncode == 3
    assert done.stderr.startswith(f"dse: Ray's jobs at {address} cannot be used: ")
    done = dse("status", "nothing")
    assert done.returncode == 2
    assert 'there is no folder "nothing"' in done.stderr
