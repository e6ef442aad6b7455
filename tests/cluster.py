"""A real Ray cluster of several nodes on this machine, each a family of processes that a test can kill."""

import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import Family

_TRIES = 3
WORKER = "ray::_run_on_worker"
CHILD = f"{sys.executable} -P -m dse.sweep.executors.child"
"""How a Ray worker and its child process show in a list of processes."""
RAY = Path(sys.executable).with_name("ray")


class Cluster:
    """A head node, at `address`, and others that come and go; `environment` holds the cluster's token."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Loopback addresses of its own, so that tests of two checkouts on one machine do not meet.
        self._network = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(250)}"
        self.host = f"{self._network}.1"
        self.address = f"{self.host}:{free_port(self.host)}"
        self.environment = {
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_USAGE_STATS_ENABLED": "0",
            "RAY_TMPDIR": str(folder),
        }
        self.family = Family()
        self._nodes = 0

    def start_head(self, *options: str) -> Family:
        """Start the head, with one processor, and wait until it is there."""
        host, _, port = self.address.partition(":")
        dashboard = options or ("--include-dashboard=false",)
        return self._start("--head", f"--node-ip-address={host}", f"--port={port}", *dashboard)

    def add_nodes(self, count: int) -> list[Family]:
        """Start more nodes of one processor each, one by one: Ray does not take two at a time on one machine."""
        nodes = []
        for _ in range(count):
            self._nodes += 1
            nodes.append(
                self._start(f"--address={self.address}", f"--node-ip-address={self._network}.{1 + self._nodes}")
            )
        return nodes

    def _start(self, *options: str) -> Family:
        ports = [
            "--min-worker-port=0",
            "--max-worker-port=0",
            f"--dashboard-agent-listen-port={free_port('127.0.0.1')}",
        ]
        small = ["--num-cpus=1", "--object-store-memory=80000000", "--disable-usage-stats"]
        for _ in range(_TRIES):  # Ray gives a node 30 seconds to start, which a busy machine exceeds
            node = Family()
            done = subprocess.run(
                [RAY, "start", *options, *ports, *small],
                env=node.environment(**self.environment, **self.family.mark, TMPDIR=str(self.folder)),
                capture_output=True,
                check=False,
            )
            if done.returncode == 0:
                return node
            node.kill()
        raise AssertionError("Ray does not start")


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster whose processes are all killed in the end."""
    cluster = Cluster(Path(tempfile.mkdtemp(prefix="t-")))
    try:
        yield cluster
    finally:
        cluster.family.kill()
        shutil.rmtree(cluster.folder, ignore_errors=True)


def free_port(host: str) -> int:
    with socket.socket() as listening:
        listening.bind((host, 0))
        port: int = listening.getsockname()[1]
        return port


def sweep_call(study: Path, output: Path, *options: str) -> list[str]:
    """The command of a sweep that takes nothing from a cache and computes all."""
    plain = ["--no-cache", "--no-prune", "--output", str(output)]
    return [sys.executable, "-m", "dse", "sweep", str(study), *plain, *options]
