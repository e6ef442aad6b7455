"""Ten kills of workers, and ten of nodes in a cluster of three: nothing is lost, nothing twice, nothing left behind."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pytest

from tests.cluster import CHILD, WORKER, cluster, sweep_call
from tests.conftest import write_small_study
from tests.processes import Family, wait_until

pytestmark = pytest.mark.soak

KILLS = 10
POINTS = 1280


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """640 variants, and more schedules than are done before the tenth kill."""
    path = write_small_study(tmp_path_factory.mktemp("study"))
    path.write_text(path.read_text().replace("[32, 64, 128]", "{range: [16, 5120, 16]}"))
    return path


def export(folder: Path) -> bytes:
    command = [sys.executable, "-m", "dse", "export", str(folder), "--format", "csv", "--level", "layer"]
    return subprocess.run(command, check=True, capture_output=True).stdout


def count(folder: Path) -> int:
    connection = sqlite3.connect(folder / "results.sqlite")
    try:
        results: int = connection.execute("SELECT count(*) FROM result").fetchone()[0]
    finally:
        connection.close()
    return results


def at_work(nodes: list[Family]) -> bool:
    return any(node.members(CHILD) for node in nodes)


@pytest.fixture(scope="module")
def alone(study: Path) -> bytes:
    """The export of a sweep that nobody disturbs."""
    folder = study.with_name("alone")
    subprocess.run(sweep_call(study, folder, "--workers", "1", "--quiet"), check=True, stdout=subprocess.DEVNULL)
    return export(folder)


@contextmanager
def held(nodes: Family) -> Iterator[None]:
    """No point goes on meanwhile, so that there is work left for the nodes to come, however long they take."""
    children = nodes.members(CHILD)
    for process in children:
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in children:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def test_ten_kills_of_a_worker(study: Path, tmp_path: Path, alone: bytes) -> None:
    """Of Ray's worker processes and of the processes in which points are scheduled, in turn, at random moments."""
    chance = random.Random(0)
    family = Family()
    run = tmp_path / "run"
    killed = 0
    with subprocess.Popen(
        sweep_call(study, run, "--workers", "2"), env=family.environment(), stdout=subprocess.DEVNULL
    ) as driver:
        while killed < KILLS and driver.poll() is None:
            assert wait_until(lambda: len(family.members(CHILD)) == 2 or driver.poll() is not None, 180)
            time.sleep(chance.uniform(0.0, 3.0))
            found = family.members((WORKER, CHILD)[killed % 2])
            if found:
                os.kill(chance.choice(found), signal.SIGKILL)
                killed += 1
        assert driver.wait(timeout=600) == 0
    assert killed == KILLS
    assert family.gone()
    assert count(run) == POINTS
    assert export(run) == alone


def test_ten_kills_of_a_node(study: Path, tmp_path: Path, alone: bytes) -> None:
    """In a cluster of three nodes, one dies and another comes, ten times."""
    chance = random.Random(0)
    run = tmp_path / "run"
    with cluster() as nodes:
        nodes.start_head()
        there = nodes.add_nodes(2)
        environment = os.environ | nodes.environment
        killed = 0
        command = sweep_call(study, run, "--address", nodes.address)
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as driver:
            while killed < KILLS and driver.poll() is None:
                assert wait_until(partial(at_work, there), 180) or driver.poll() is not None
                time.sleep(chance.uniform(0.0, 2.0))
                there.pop(0).kill()
                killed += 1
                with held(nodes.family):
                    there += nodes.add_nodes(1)
            assert driver.wait(timeout=900) == 0
        assert killed == KILLS
        assert wait_until(lambda: not nodes.family.members(CHILD) + nodes.family.members(WORKER), 180)
    assert count(run) == POINTS
    assert export(run) == alone
