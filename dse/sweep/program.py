"""Which program makes results: the version of the project, and a hash of the source that decides them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import cache
from pathlib import Path

import dse

__all__ = ["program_name", "source_digest"]

_DECIDE_NOTHING = ("api.py", "cli", "frames.py", "report", "submission")
"""Packages whose source decides no result; all others count, so that no part of the project can be forgotten."""


@cache
def program_name(package: Path = Path(dse.__file__).parent) -> str:
    """`dse 0.1.0 (source 5f0c3b9a7d21)`: two programs with this name give the same results."""
    return f"dse {dse.__version__} (source {source_digest(package, _DECIDE_NOTHING)[:12]})"


def source_digest(package: Path = Path(dse.__file__).parent, without: Collection[str] = ()) -> str:
    """SHA-256 of all source but that of some packages."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        name = path.relative_to(package)
        if name.parts[0] not in without:
            digest.update(f"{name.as_posix()}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
