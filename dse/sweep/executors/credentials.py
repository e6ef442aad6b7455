"""The token of an existing Ray cluster, which Ray takes from RAY_AUTH_TOKEN or from a file.

The file is the one that RAY_AUTH_TOKEN_PATH names, or else Ray's own, ~/.ray/auth_token. The token itself passes
through no argument, message or file of ours.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dse.errors import Fault, InputError

__all__ = ["check_token_file"]


def check_token_file() -> None:
    """Raises InputError where Ray would take the token from a file that others can read."""
    if os.environ.get("RAY_AUTH_TOKEN") or os.environ.get("RAY_AUTH_MODE") == "disabled":
        return
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    path = Path(named) if named else Path.home() / ".ray" / "auth_token"
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if named:
            raise InputError(Fault(f"cannot be read as Ray's token: {error.strerror}", file=named)) from error
        return  # a cluster without a token
    if stat.S_IMODE(mode) & 0o077:
        raise InputError(Fault(f"others can read this token: chmod 600 {path}", file=str(path)))
