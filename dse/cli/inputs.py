"""What the commands share in reading their inputs and writing batches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from dse.errors import Fault, InputError
from dse.specification.document import Document

__all__ = ["batch_options", "read_batch_line", "require_keys", "write_lines"]

Command = TypeVar("Command", bound=Callable[..., Any])


def batch_options(function: Command) -> Command:
    """The options --batch and --output of the commands that answer JSON lines."""
    function = click.option(
        "--output",
        type=click.Path(path_type=Path, dir_okay=False),
        help="Where the answers go (default: the terminal).",
    )(function)
    return click.option(
        "--batch", type=click.Path(path_type=Path, dir_okay=False), help="JSON lines to answer one by one."
    )(function)


def require_keys(document: Document, *keys: str) -> None:
    """Raise InputError naming every top-level key that no file has."""
    missing = [key for key in keys if key not in document.data]
    if "arch" not in document.data and "architecture" not in document.data:
        missing.insert(0, "arch")
    if missing:
        given = ", ".join(document.data) or "nothing"
        raise InputError([Fault(f"no file has the key {key}: (found: {given})") for key in missing])


def read_batch_line(line: str, keys: tuple[str, ...]) -> dict[str, Any]:
    """One line of a batch as a mapping that has all `keys`; raises InputError."""
    try:
        data = json.loads(line)
    except ValueError as error:
        raise InputError(f"not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise InputError("expected a JSON object")
    missing = [key for key in keys if key not in data]
    if missing:
        raise InputError([Fault("expected a value, got nothing", key) for key in missing])
    return data


def write_lines(output: Path | None, answers: Iterable[dict[str, Any]]) -> None:
    """Write one JSON object a line, to a file that takes its name when it is complete, or to the terminal."""
    if output is None:
        for answer in answers:
            click.echo(json.dumps(answer))
        return
    partial = output.with_name(f".{output.name}.partial")
    try:
        with partial.open("w", encoding="utf-8") as file:
            for answer in answers:
                file.write(json.dumps(answer))
                file.write("\n")
        partial.replace(output)
    except OSError as error:
        raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(output))) from error
    finally:
        partial.unlink(missing_ok=True)
