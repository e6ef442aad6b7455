"""`dse import`: the network in an ONNX file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dse.errors import Fault, InputError

if TYPE_CHECKING:
    from dse.importing.network import ImportedNetwork

__all__ = ["command"]

_LARGEST_SIZE = 2**31


def _read_sizes(context: click.Context, parameter: click.Parameter, given: Sequence[str]) -> dict[str, int]:
    """The sizes in texts such as sequence=128; the name may have a = in it."""
    sizes: dict[str, int] = {}
    for text in given:
        name, _, size = text.rpartition("=")
        if not name or not (size.isascii() and size.isdigit()) or int(size[:20]) > _LARGEST_SIZE:
            raise click.BadParameter(f'expected a dimension and its size, such as sequence=128, got "{text}"')
        if name in sizes:
            raise click.BadParameter(f"{name} stands twice")
        sizes[name] = int(size)
    return sizes


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option("--batch", type=click.IntRange(1, _LARGEST_SIZE), help="First dimension of the inputs.")
@click.option(
    "--dim",
    "dimensions",
    metavar="NAME=SIZE",
    multiple=True,
    callback=_read_sizes,
    help="Size of a dynamic dimension of the inputs.",
)
@click.option("--name", help="Of the network (default: that of the file).")
@click.option("--skip-unsupported", is_flag=True, help="List what is not supported as not scheduled, and go on.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Network file to write.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def command(
    model: Path,
    batch: int | None,
    dimensions: dict[str, int],
    name: str | None,
    skip_unsupported: bool,
    output: Path | None,
    as_json: bool,
) -> int:
    """The layers of MODEL, an ONNX file, as a network that studies can name.

    Convolutions and matrix products become layers, equal ones counted once. Everything else is listed with its share of
    the operations. Weights are not read.
    """
    from dse.importing import import_network

    imported = import_network(model, name=name, batch=batch, dimensions=dimensions, skip_unsupported=skip_unsupported)
    if output is not None:
        _write(output, imported)
    if as_json:
        click.echo(json.dumps(_to_dict(imported)))
        return 0
    click.echo(_render(imported))
    if output is not None:
        click.echo(f"\nIn {output}")
    return 0


def _write(path: Path, imported: ImportedNetwork) -> None:
    from dse.specification.network import format_network

    network = imported.network
    comments = [f"{_summary(imported)}. Made by dse import.", *_others_lines(imported)]
    try:
        path.write_text(format_network(network, comments), encoding="utf-8")
    except OSError as error:
        raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(path))) from error


def _to_dict(imported: ImportedNetwork) -> dict[str, object]:
    network = imported.network
    return {
        "name": network.name,
        "source": network.source,
        "macs": network.macs,
        "operations": imported.operations,
        "layers": [
            {
                "name": layer.name,
                "count": layer.count,
                "macs": layer.problem.macs,
                "problem": layer.problem.to_dict(own_names=True),
            }
            for layer in network.layers
        ],
        "unscheduled": [
            {"operator": own.operator, "nodes": own.nodes, "operations": own.operations, "first": own.first}
            for own in imported.unscheduled
        ],
    }


def _summary(imported: ImportedNetwork) -> str:
    network = imported.network
    layers = sum(layer.count for layer in network.layers)
    return f"{network.name}: {layers} layers in {len(network.layers)} shapes, {network.macs:,} MACs"


def _render(imported: ImportedNetwork) -> str:
    from dse.report.table import render_rows

    total = imported.operations
    rows = []
    for layer in imported.network.layers:
        shape, bounds = layer.problem.shape, layer.problem.bounds
        sizes = [f"{name}{size}" for name, size in zip(shape.dimensions, bounds, strict=True) if size > 1]
        macs = layer.count * layer.problem.macs
        rows.append((layer.name, f"{layer.count}", " ".join(sizes), f"{macs:,}", f"{macs / total:.1%}"))
    table = render_rows(("layer", "count", "sizes", "MACs of all", "share"), rows)
    return "\n".join((_summary(imported), "", table, "", *_others_lines(imported)))


def _others_lines(imported: ImportedNetwork) -> list[str]:
    """What is not scheduled, as a table with a title."""
    from dse.report.table import render_rows

    if not imported.unscheduled:
        return ["Everything is scheduled."]
    total = imported.operations
    share = 1 - imported.network.macs / total
    unknown = any(own.operations is None for own in imported.unscheduled)
    title = f"Not scheduled: {share:.2%} of {total:,} operations{', as far as they are known' if unknown else ''}"
    rows = [
        (own.operator, f"{own.nodes}", "unknown", "")
        if own.operations is None
        else (own.operator, f"{own.nodes}", f"{own.operations:,}", f"{own.operations / total:.2%}")
        for own in imported.unscheduled
    ]
    return [title, *render_rows(("operator", "nodes", "operations", "share"), rows).splitlines()]
