"""Temporary folders: nobody else's, gone with their owner, or else with the next sweep."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dse.sweep.executors.scratch import scratch_folder

HOLD = (
    "from dse.sweep.executors.scratch import scratch_folder\n"
    "with scratch_folder() as folder:\n"
    "    (folder / 'file').touch()\n"
    "    print(folder, flush=True)\n"
    "    input()\n"
)


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The system's folder for temporary files, here and in processes that a test starts."""
    folder = Path(tempfile.mkdtemp(prefix="t-"))
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield folder
    shutil.rmtree(folder)


def test_a_folder_is_private_and_removed(temporary: Path) -> None:
    with scratch_folder() as folder:
        assert folder.parent == temporary
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "deep").mkdir()
    assert not list(temporary.iterdir())


def test_an_error_removes_it_too(temporary: Path) -> None:
    with pytest.raises(KeyboardInterrupt), scratch_folder():
        raise KeyboardInterrupt
    assert not list(temporary.iterdir())


def test_the_next_start_removes_what_a_killed_process_has_left_and_nothing_else(temporary: Path) -> None:
    command = [sys.executable, "-c", HOLD]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as living,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as killed,
    ):
        assert living.stdout is not None
        assert killed.stdout is not None
        used, left = Path(living.stdout.readline().strip()), Path(killed.stdout.readline().strip())
        os.kill(killed.pid, signal.SIGKILL)
        killed.wait()
        others = temporary / "dse-results"  # of a user, who likes the name
        others.mkdir()
        (others / ".lock").touch()
        (temporary / "dse-link").symlink_to(used)
        assert (left / "file").exists()
        with scratch_folder():
            assert not left.exists()
            assert (used / "file").exists()
            assert (others / ".lock").exists()
        living.communicate("\n")
    assert not used.exists()


def test_a_long_path_is_avoided(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = temporary / ("x" * 60)
    long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    with scratch_folder() as folder:
        assert folder.parent == Path("/tmp")
    assert not folder.exists()
