"""One node of a Ray cluster that lives as long as a batch job: `python -m dse.submission.node`.

address          print an address for the head of a cluster on this machine
wait ADDRESS     until the head answers there
run ADDRESS      be a node of that cluster, the head on the machine of that address, until ended by a signal

The token comes with the environment. The node's temporary files are in a folder of its own, which goes with it.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import FrameType

from dse.processes import die_with
from dse.sweep.executors.scratch import scratch_folder

__all__ = ["main"]

_SECONDS_TO_START = 120.0


def main(arguments: list[str] | None = None) -> int:
    """Do what the arguments say; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dse.submission.node")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("address")
    commands.add_parser("wait").add_argument("address")
    run = commands.add_parser("run")
    run.add_argument("address")
    run.add_argument("--cpus", type=int, required=True)
    given = parser.parse_args(arguments)
    match given.command:
        case "address":
            sys.stdout.write(f"{_own_ip()}:{_free_port()}\n")
            return 0
        case "wait":
            return 0 if _answers(given.address) else _failed(f"no head answers at {given.address}")
        case _:
            return _run(given.address, given.cpus)


def _run(address: str, cpus: int) -> int:
    host, _, port = address.partition(":")
    # The first node of the allocation is the head: another may share its machine, and even its address, in a test.
    if os.environ.get("SLURM_PROCID", "0") == "0":
        role = ["--head", f"--node-ip-address={host}", f"--port={port}", "--include-dashboard=false"]
    else:
        if not _answers(address):
            return _failed(f"no head answers at {address}")
        role = [f"--address={address}"]
    common = ["--block", f"--num-cpus={cpus}", "--min-worker-port=0", "--max-worker-port=0", "--disable-usage-stats"]
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    with scratch_folder() as folder, suppress(SystemExit):
        ray = subprocess.Popen(
            [str(Path(sys.executable).with_name("ray")), "start", *role, *common],
            env=os.environ | {"RAY_TMPDIR": str(folder / "r")},
            preexec_fn=partial(die_with, os.getpid()),  # noqa: PLW1509  (there are no threads)
            stdout=subprocess.DEVNULL,
        )
        try:
            return ray.wait()
        finally:
            ray.terminate()
            with suppress(subprocess.TimeoutExpired):
                ray.wait(timeout=10)
            ray.kill()
    return 0


def _end(number: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _own_ip() -> str:
    import ray  # noqa: PLC0415

    address: str = ray.util.get_node_ip_address()
    return address


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("", 0))
        port: int = listening.getsockname()[1]
        return port


def _answers(address: str) -> bool:
    host, _, port = address.partition(":")
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((host, int(port)), timeout=1.0):
            return True
        time.sleep(0.2)
    return False


def _failed(message: str) -> int:
    sys.stderr.write(f"dse: {message} after {_SECONDS_TO_START:g} s\n")
    return 3


if __name__ == "__main__":
    sys.exit(main())
