"""`dse convert`: an architecture in another of Timeloop's formats."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from dse.cli.inputs import require_keys
from dse.errors import Fault, InputError
from dse.specification.document import load_documents
from dse.specification.formats import FORMATS, translated, written
from dse.specification.mapspace import parse_mapspace
from dse.specification.problem import CNN_LAYER, parse_problem
from dse.specification.reference_tables import apply_reference_tables
from dse.specification.template import Number, parse_template

__all__ = ["command"]

_KEYS = ("arch", "architecture", "variables", "mapspace", "problem", "ERT", "ART", "costs")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--to", "form", type=click.Choice(FORMATS), required=True, help="The format to write.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="The value of a template's variable.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="A file (default: the terminal).")
def command(files: tuple[Path, ...], form: str, settings: tuple[str, ...], output: Path | None) -> None:
    """Write the architecture in FILES, with its mapspace and reference tables, in another of Timeloop's formats.

    FILES may be in v0.1 to v0.4. The variables of a template are written as the values that they have. A problem among
    FILES says which data spaces and dimensions the mapspace speaks of, where these are not those of a convolution.
    """
    document = translated(load_documents(files))
    require_keys(document)
    unknown = [key for key in document.data if key not in _KEYS]
    if unknown:
        raise InputError([document.fault((key,), "is no part of an architecture: not converted") for key in unknown])
    architecture, mapspace = parse_template(document).instantiate(dict(_setting(text) for text in settings))
    architecture = apply_reference_tables(document, architecture)
    shape = parse_problem(document, document.data["problem"]).shape if "problem" in document.data else CNN_LAYER
    if mapspace is not None:
        parse_mapspace(document, mapspace, architecture, shape)
    text = written(architecture, _named(mapspace, [space.name for space in shape.data_spaces]), form)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(output))) from error


def _setting(text: str) -> tuple[str, Number]:
    name, _, value = text.partition("=")
    for kind in (int, float):
        try:
            return name.strip(), kind(value)
        except ValueError:
            continue
    raise InputError(f'--set: expected NAME=NUMBER, got "{text}"')


def _named(mapspace: Any, spaces: list[str]) -> Any:
    """A mapspace whose constraints name the data spaces that a "*" stands for: only v0.4 knows it."""
    if mapspace is None:
        return None
    constraints: list[dict[str, Any]] = []
    for entry in mapspace.get("constraints") or []:
        own = dict(entry)
        for key, other in (("keep", "bypass"), ("bypass", "keep")):
            if "*" in (entry.get(key) or []):
                own[key] = [name for name in spaces if name not in (entry.get(other) or [])]
        constraints.append(own)
    return mapspace | {"constraints": constraints}
