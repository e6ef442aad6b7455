"""Which program makes results: the version of the project, and a hash of the source and solvers that decide them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import dse

__all__ = ["program_name", "release", "source_digest"]

_DECIDE_NOTHING = ("api.py", "cli", "frames.py", "report", "submission")
"""Packages whose source decides no result; all others count, so that no part of the project can be forgotten."""

_SOLVERS = ("cvxopt", "cvxpy", "highspy", "pyscipopt")
"""Of these, another release may find another mapping, or prove another bound."""


@cache
def program_name(package: Path = Path(dse.__file__).parent) -> str:
    """`dse 0.1.0 (source 5f0c3b9a7d21)`: two programs with this name give the same results."""
    digest = hashlib.sha256(source_digest(package, _DECIDE_NOTHING).encode())
    for name in _SOLVERS:
        digest.update(f"{name} {release(name)}\0".encode())
    return f"dse {dse.__version__} (source {digest.hexdigest()[:12]})"


def release(package: str) -> str | None:
    """The installed release of a package; None where there is none."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def source_digest(package: Path = Path(dse.__file__).parent, without: Collection[str] = ()) -> str:
    """SHA-256 of all source but that of some packages."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package)
        if name.parts[0] not in without:
            digest.update(f"{name.as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
