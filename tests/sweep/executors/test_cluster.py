"""A sweep on three nodes, of which one is killed and one joins: nothing is lost, and nothing is left behind."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import CHILD, WORKER, Cluster, cluster, sweep_call
from tests.processes import Family, wait_until


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    with cluster() as started:
        yield started


@pytest.fixture
def study(small_study: Path) -> Path:
    """24 schedules, for 48 layers."""
    small_study.write_text(small_study.read_text().replace("[32, 64, 128]", "{range: [16, 96, 16]}"))
    return small_study


def rows(folder: Path) -> list[dict[str, object]]:
    export = [sys.executable, "-m", "dse", "export", str(folder), "--format", "jsonl"]
    lines = subprocess.run(export, capture_output=True, check=True, text=True).stdout.splitlines()
    return [json.loads(line) for line in lines]


def test_a_node_is_killed_and_another_joins(nodes: Cluster, study: Path, tmp_path: Path) -> None:
    alone = subprocess.Popen(
        sweep_call(study, tmp_path / "alone", "--workers", "1", "--quiet"), stdout=subprocess.DEVNULL
    )
    head = nodes.start_head()
    first, second = nodes.add_nodes(2)
    environment = os.environ | nodes.environment
    output = tmp_path / "cluster"
    with subprocess.Popen(
        sweep_call(study, output, "--address", nodes.address, "--quiet"),
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as driver:
        assert wait_until(lambda: first.members(CHILD) and second.members(CHILD), 180)
        held = [process for node in (head, second) for process in node.members(CHILD)]
        for process in held:
            os.kill(process, signal.SIGSTOP)  # so that there is work left when the third node is there
        first.kill()
        (third,) = nodes.add_nodes(1)
        assert wait_until(lambda: third.members(CHILD), 180)
        for process in held:
            os.kill(process, signal.SIGCONT)
        printed, _ = driver.communicate(timeout=180)
    assert driver.returncode == 0
    assert "12 of 12 variants complete" in printed
    assert alone.wait() == 0
    assert rows(output) == rows(tmp_path / "alone")
    assert len(rows(output)) == 48
    token = nodes.environment["RAY_AUTH_TOKEN"]
    assert token not in nodes.family.command_lines()
    assert not [path for path in output.iterdir() if token.encode() in path.read_bytes()]


def test_a_killed_driver_leaves_no_worker_on_the_cluster(nodes: Cluster, study: Path, tmp_path: Path) -> None:
    family = Family()
    command = sweep_call(study, tmp_path / "run", "--address", nodes.address, "--quiet")
    with subprocess.Popen(command, env=family.environment(**nodes.environment)) as driver:
        assert wait_until(lambda: nodes.family.members(CHILD), 180)
        driver.kill()
    assert family.gone()
    assert wait_until(lambda: not nodes.family.members(CHILD) + nodes.family.members(WORKER), 180)
    assert nodes.family.members()


@pytest.mark.soak  # Ray tries for twenty seconds; its jobs are asked with a wrong token in tests/submission
def test_a_wrong_token_and_a_wrong_address_are_refused(study: Path, tmp_path: Path) -> None:
    with cluster() as nodes:
        nodes.start_head()
        wrong = os.environ | nodes.environment | {"RAY_AUTH_TOKEN": "0" * 64}
        for address in (nodes.address, f"{nodes.host}:1"):
            start = time.monotonic()
            command = sweep_call(study, tmp_path / "run", "--address", address, "--quiet")
            done = subprocess.run(command, env=wrong, capture_output=True, text=True, check=False)
            assert done.returncode == 3
            line = done.stderr.splitlines()[-1]  # Ray itself says something before
            assert line.startswith(f"dse: Ray cannot be used at {address}: ")
            assert "is this its token, in RAY_AUTH_TOKEN?" in line
            assert "0" * 64 not in done.stderr
            assert "Traceback" not in done.stderr
            assert time.monotonic() - start < 120


@pytest.mark.soak
def test_a_head_that_is_gone_ends_the_sweep_with_a_reason(study: Path, tmp_path: Path) -> None:
    with cluster() as nodes:
        head = nodes.start_head()
        command = sweep_call(study, tmp_path / "run", "--address", nodes.address, "--quiet")
        with subprocess.Popen(command, env=os.environ | nodes.environment, stderr=subprocess.PIPE, text=True) as driver:
            assert wait_until(lambda: head.members(CHILD), 180)
            head.kill()
            _, said = driver.communicate(timeout=120)
    assert driver.returncode == 3
    assert said == f"dse: the head of the cluster, {nodes.address}, is gone: the same command goes on\n"
    subprocess.run(
        sweep_call(study, tmp_path / "run", "--workers", "1", "--quiet"), check=True, stdout=subprocess.DEVNULL
    )
    assert len(rows(tmp_path / "run")) == 48
