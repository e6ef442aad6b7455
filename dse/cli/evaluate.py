"""`dse evaluate`: what one mapping costs, or what each line of a batch costs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import click

from dse.cli.inputs import (
    batch_options,
    collect,
    read_batch_line,
    read_lines,
    require_keys,
    require_values,
    write_lines,
)
from dse.errors import Fault, InputError
from dse.model import Evaluation, evaluate, evaluate_many
from dse.report.nest import render_evaluation
from dse.specification.architecture import Architecture
from dse.specification.cache import PointCache
from dse.specification.document import Document, load_documents
from dse.specification.mapping import Mapping, parse_mapping
from dse.specification.problem import Problem, parse_problem
from dse.specification.template import load_architecture

__all__ = ["command"]

BLOCK_LINES = 4096

Point = tuple[Architecture, Problem, Mapping]


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@batch_options
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def command(files: tuple[Path, ...], batch: Path | None, output: Path | None, as_json: bool) -> int:
    """What one mapping costs: cycles, energy, counts.

    FILES hold an architecture (arch), a problem and a mapping in Timeloop's YAML, in any number and order. With --batch,
    every line of a JSON-lines file holds such a point, and one line is written for each.
    """
    if batch is not None:
        if files:
            raise click.UsageError("give FILES or --batch, not both")
        write_lines(output, _batch_answers(batch))
        return 0
    if not files:
        raise click.UsageError("give FILES, or --batch IN.jsonl --output OUT.jsonl")
    architecture, problem, mapping = _read_point(load_documents(files))
    evaluation = evaluate(architecture, problem, mapping)
    if as_json:
        click.echo(json.dumps(evaluation.to_dict()))
    elif evaluation.valid:
        click.echo(render_evaluation(architecture, problem, mapping, evaluation))
    else:
        click.echo(f"invalid: {evaluation.error}", err=True)
    return 0 if evaluation.valid else 1


def _read_point(document: Document) -> Point:
    require_keys(document, "problem", "mapping")
    faults: list[Fault] = []
    architecture = collect(faults, lambda: load_architecture(document))
    problem = collect(faults, lambda: parse_problem(document, document.data["problem"]))
    if architecture is None or problem is None:
        raise InputError(faults)
    return architecture, problem, parse_mapping(document, document.data["mapping"], architecture, problem)


def _batch_answers(path: Path) -> Iterator[dict[str, Any]]:
    """One answer a line, in order; a line that cannot be read is an invalid point."""
    cache = PointCache()
    lines = read_lines(path)
    while block := list(islice(lines, BLOCK_LINES)):
        yield from _block_answers(block, cache)


def _block_answers(lines: Iterable[bytes], cache: PointCache) -> Iterator[dict[str, Any]]:
    points: list[Point] = []
    outcomes: list[tuple[dict[str, Any], str | None]] = []
    for line in lines:
        echoed: dict[str, Any] = {}
        try:
            data = read_batch_line(line)
            if "id" in data:
                echoed["id"] = data["id"]
            require_values(data, "arch", "problem", "mapping")
            architecture, problem = cache.architecture(data["arch"]), cache.problem(data["problem"])
            points.append((architecture, problem, cache.mapping(data["mapping"], architecture, problem)))
            outcomes.append((echoed, None))
        except InputError as error:
            outcomes.append((echoed, str(error)))
    answers = iter(evaluate_many(points))
    for echoed, fault in outcomes:
        yield echoed | (Evaluation(error=fault) if fault else next(answers)).to_dict()
