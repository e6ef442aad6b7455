"""What the commands share in reading their inputs and writing batches."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO, Any, TypeVar

import click

from dse.errors import Fault, InputError
from dse.specification.document import Document

__all__ = [
    "batch_options",
    "collect",
    "read_batch_line",
    "read_lines",
    "require_keys",
    "require_values",
    "write_lines",
]

Command = TypeVar("Command", bound=Callable[..., Any])
Part = TypeVar("Part")


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


def collect(faults: list[Fault], read: Callable[[], Part]) -> Part | None:
    """What `read` returns; None where it raises InputError, whose faults are added to `faults`.

    So one part of an input hides no fault of another.
    """
    try:
        return read()
    except InputError as error:
        faults += error.faults
        return None


def read_lines(path: Path) -> Iterator[bytes]:
    """The lines of a batch as they stand in the file; raises InputError where it cannot be read."""
    try:
        with path.open("rb") as lines:
            yield from lines
    except OSError as error:
        raise InputError(Fault(f"cannot be read: {error.strerror}", file=str(path))) from error


def read_batch_line(line: bytes) -> dict[str, Any]:
    """One line of a batch; raises InputError where it is no JSON object."""
    try:
        data = json.loads(line)
    except UnicodeDecodeError as error:
        raise InputError("not valid JSON: not a text in UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid JSON: {error}") from error
    if not isinstance(data, dict):
        raise InputError("expected a JSON object")
    return data


def require_values(data: dict[str, Any], *keys: str) -> None:
    """Raise InputError naming every one of `keys` that a line of a batch lacks."""
    missing = [key for key in keys if key not in data]
    if missing:
        raise InputError([Fault("expected a value, got nothing", key) for key in missing])


def write_lines(output: Path | None, answers: Iterable[dict[str, Any]]) -> None:
    """Write one JSON object a line, to a file that takes its name when it is complete, or to the terminal.

    What exists and is no plain file (a pipe, /dev/stdout) is written to as it is.
    """
    if output is None:
        for answer in answers:
            click.echo(json.dumps(answer))
        return
    in_place = output.is_symlink() or (output.exists() and not output.is_file())
    target = output if in_place else output.with_name(f".{output.name}.partial")
    try:
        try:
            with target.open("w", encoding="utf-8") as file:
                _write_answers(file, answers)
            if not in_place:
                target.replace(output)
        finally:
            if not in_place:
                target.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(output))) from error


def _write_answers(file: IO[str], answers: Iterable[dict[str, Any]]) -> None:
    for answer in answers:
        file.write(json.dumps(answer))
        file.write("\n")
