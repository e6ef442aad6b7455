"""The token of an existing Ray cluster, which Ray takes from RAY_AUTH_TOKEN or from a file.

The file is the one that RAY_AUTH_TOKEN_PATH names, or else Ray's own, ~/.ray/auth_token. The token itself passes
through no argument, message or file of ours.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from dse.errors import Fault, InputError

__all__ = ["token_settings"]


def token_settings() -> dict[str, str]:
    """What Ray has to be told in the environment, so that it uses the token that there is; empty where there is none.

    Raises InputError where Ray would take the token from a file that others can read, or that is not there.
    """
    if os.environ.get("RAY_AUTH_MODE") == "disabled":
        return {}
    if not os.environ.get("RAY_AUTH_TOKEN"):
        named = os.environ.get("RAY_AUTH_TOKEN_PATH")
        path = Path(named) if named else Path.home() / ".ray" / "auth_token"
        try:
            mode = path.stat().st_mode
        except OSError as error:
            if named:
                raise InputError(Fault(f"cannot be read as Ray's token: {error.strerror}", file=named)) from error
            return {}
        if stat.S_IMODE(mode) & 0o077:
            raise InputError(Fault(f"others can read this token: chmod 600 {path}", file=str(path)))
    return {"RAY_AUTH_MODE": "token"}
