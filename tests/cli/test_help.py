"""`--help` answers at once: it loads nothing that only a run needs."""

import json
import subprocess
import sys

import pytest

from dse.cli import COMMANDS

SLOW = {"cvxopt", "cvxpy", "highspy", "matplotlib", "moocore", "numpy", "pyarrow", "pyscipopt", "ray", "scipy"}
PROGRAM = """
import contextlib, io, json, sys
from dse.cli import main
with contextlib.redirect_stdout(io.StringIO()) as text:
    status = main(sys.argv[1:])
print(json.dumps([status, text.getvalue(), sorted({name.partition(".")[0] for name in sys.modules})]))
"""


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_loads_nothing_slow(command: str) -> None:
    arguments = [*command.split(), "--help"]
    done = subprocess.run([sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, check=True)
    status, text, modules = json.loads(done.stdout)
    assert status == 0
    assert text.startswith(f"Usage: dse {command}".rstrip())
    assert SLOW.isdisjoint(modules)
