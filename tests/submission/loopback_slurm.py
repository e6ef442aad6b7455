"""A real Slurm of two nodes on this machine, with a key of its own, for as long as a test needs it."""

import getpass
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.processes import Family, wait_until

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "scontrol")
PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])

CONFIGURATION = """\
ClusterName=loopback
SlurmctldHost=localhost(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
SlurmctldPort={controller}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
MpiDefault=none
KillWait=5
NodeName=n1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={first} CPUs=1 State=UNKNOWN
NodeName=n2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={second} CPUs=1 State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> str | None:
    """Which program of Slurm is not installed here; None where all are."""
    return next((program for program in PROGRAMS if shutil.which(program, path=PATH) is None), None)


@contextmanager
def slurm() -> Iterator[tuple[Family, dict[str, str]]]:
    """(all its processes and those of its jobs, the environment in which its commands find it)."""
    folder = Path(tempfile.mkdtemp(prefix="t-slurm-"))
    family = Family()
    daemons: list[subprocess.Popen[bytes]] = []
    try:
        yield family, _start(folder, family, daemons)
    finally:
        family.kill()
        for daemon in daemons:
            daemon.wait()
        shutil.rmtree(folder)


def _start(folder: Path, family: Family, daemons: list[subprocess.Popen[bytes]]) -> dict[str, str]:
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    (folder / "state").mkdir()
    ports = _free_ports(3)
    configuration = folder / "slurm.conf"
    names = dict(zip(("controller", "first", "second"), ports, strict=True))
    configuration.write_text(CONFIGURATION.format(user=getpass.getuser(), folder=folder, **names))
    environment = family.environment(PATH=PATH, SLURM_CONF=str(configuration))

    def daemon(*command: str) -> None:
        log = folder / f"{command[0]}-{command[-1].rpartition('/')[2]}.log"
        with log.open("wb") as messages:
            daemons.append(subprocess.Popen(command, env=environment, stdout=messages, stderr=messages))

    places = {"key-file": key, "socket": folder / "munge.socket", "pid-file": folder / "munge.pid"}
    places |= {"log-file": folder / "munge.log", "seed-file": folder / "munge.seed"}
    daemon("munged", "--foreground", "--force", *(f"--{name}={place}" for name, place in places.items()))
    assert wait_until((folder / "munge.socket").exists, 120)
    daemon("slurmctld", "-D", "-f", str(configuration))
    for node in ("n1", "n2"):
        daemon("slurmd", "-D", "-f", str(configuration), "-N", node)

    def idle() -> bool:
        command = ["sinfo", "--noheader", "--format=%T %D"]
        return (
            subprocess.run(command, env=environment, capture_output=True, text=True, check=False).stdout == "idle 2\n"
        )

    assert wait_until(idle, 120), "\n".join(log.read_text(errors="replace")[-2000:] for log in folder.glob("*.log"))
    return environment


def _free_ports(count: int) -> list[int]:
    listening = [socket.socket() for _ in range(count)]
    try:
        for one in listening:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in listening]
    finally:
        for one in listening:
            one.close()
