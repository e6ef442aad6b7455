"""The name of the program stands for the source that decides results."""

import re
import shutil
from pathlib import Path

import pytest

import dse
from dse.sweep import program
from dse.sweep.program import program_name


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return shutil.copytree(Path(dse.__file__).parent, tmp_path / "dse", ignore=shutil.ignore_patterns("__pycache__"))


def test_names_version_and_source(copy: Path) -> None:
    assert re.fullmatch(rf"dse {re.escape(dse.__version__)} \(source [0-9a-f]{{12}}\)", program_name())
    assert program_name(copy) == program_name()  # wherever it is installed


@pytest.mark.parametrize("package", ["specification", "model", "proof", "scheduler", "sweep", "timeloop"])
def test_changes_with_whatever_decides_results(copy: Path, package: str) -> None:
    file = min((copy / package).glob("*.py"))
    file.write_text(file.read_text() + "\n")
    assert program_name(copy) != program_name()


@pytest.mark.parametrize("solver", ["cvxpy", "highspy", "pyscipopt"])
def test_changes_with_the_release_of_a_solver(monkeypatch: pytest.MonkeyPatch, solver: str) -> None:
    before = program_name()
    known = program.version
    monkeypatch.setattr(program, "version", lambda name: "0.0.1" if name == solver else known(name))
    program_name.cache_clear()
    assert program_name() != before
    program_name.cache_clear()


def test_sees_new_and_renamed_modules(copy: Path) -> None:
    (copy / "model" / "new.py").write_text("")
    new = program_name(copy)
    (copy / "model" / "new.py").rename(copy / "model" / "old.py")
    assert len({program_name(), new, _fresh(copy)}) == 3


def test_stays_the_same_where_only_the_showing_changes(copy: Path) -> None:
    for package in ("cli", "report"):
        (copy / package / "new.py").write_text("x = 1\n")
    assert program_name(copy) == program_name()


def _fresh(package: Path) -> str:
    program_name.cache_clear()
    return program_name(package)
