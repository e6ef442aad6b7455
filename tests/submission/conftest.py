"""What the tests of all targets have in common."""

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Call = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def dse() -> Call:
    """Runs the command line in a process of its own."""

    def call(*arguments: object, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "dse", *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=env)

    return call


@pytest.fixture
def rows() -> Callable[[Path], list[dict[str, object]]]:
    """Reads the exported layers of a folder."""

    def read(folder: Path) -> list[dict[str, object]]:
        command = [sys.executable, "-m", "dse", "export", str(folder), "--format", "jsonl"]
        lines = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
        return [json.loads(line) for line in lines]

    return read
