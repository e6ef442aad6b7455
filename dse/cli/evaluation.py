"""What `dse evaluate` does: one point or a batch, costed by either evaluator or compared by both.

`version` is the commit of Timeloop that the embedded evaluator counts as.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dse.cli.costs import recorded_costs, warn_of_doubts
from dse.cli.inputs import collect, read_batch_line, read_lines, require_keys, require_values, write_lines
from dse.errors import Fault, InputError
from dse.model import Evaluation, evaluate, evaluate_many
from dse.report.nest import format_table, render_evaluation
from dse.specification.architecture import Architecture
from dse.specification.cache import PointCache
from dse.specification.costs import CostChoice
from dse.specification.document import load_documents
from dse.specification.formats import translated
from dse.specification.mapping import Mapping, parse_mapping
from dse.specification.problem import Problem, parse_problem
from dse.specification.template import load_architecture

if TYPE_CHECKING:  # loaded where timeloop-model is asked for: a batch on the embedded evaluator starts sooner
    from dse.timeloop import Difference, TimeloopEvaluator

__all__ = ["compare_point", "evaluate_point", "read_point", "run_batch"]

BLOCK_LINES = 4096

Point = tuple[Architecture, Problem, Mapping]


def read_point(files: Sequence[Path], costs: CostChoice | None = None) -> Point:
    """The point in some files, with `costs` or else those of the files; doubts about the architecture are printed.

    Raises InputError with the faults of all of its parts.
    """
    document = translated(load_documents(files))
    require_keys(document, "problem", "mapping")
    faults: list[Fault] = []
    architecture = collect(faults, lambda: load_architecture(document, costs))
    problem = collect(faults, lambda: parse_problem(document, document.data["problem"]))
    if architecture is None or problem is None:
        raise InputError(faults)
    warn_of_doubts(document, architecture)
    return architecture, problem, parse_mapping(document, document.data["mapping"], architecture, problem)


def evaluate_point(point: Point, timeloop: TimeloopEvaluator | None, as_json: bool, version: str) -> int:
    """Print what a point costs; 0 if it is valid."""
    evaluation = evaluate(*point, version) if timeloop is None else timeloop.evaluate(*point)
    if as_json:
        click.echo(json.dumps(evaluation.to_dict() | recorded_costs(point[0])))
    elif evaluation.valid:
        click.echo(render_evaluation(*point, evaluation))
    else:
        click.echo(f"invalid: {evaluation.error}", err=True)
    return 0 if evaluation.valid else 1


def compare_point(point: Point, timeloop: TimeloopEvaluator, as_json: bool, version: str) -> int:
    """Print what both say of a point where they differ; 0 if they agree."""
    from dse.timeloop import differences

    embedded, other = evaluate(*point, version), timeloop.evaluate(*point)
    found = differences(embedded, other, point[0])
    if as_json:
        click.echo(json.dumps(_comparison(found) | {"embedded": embedded.to_dict(), "timeloop": other.to_dict()}))
    elif found:
        rows = [[each.quantity, _shown(each.embedded), _shown(each.timeloop)] for each in found]
        click.echo(format_table(["differs", "embedded", timeloop.name], rows))
    elif embedded.valid:
        cost = f"{embedded.latency_cycles:,} cycles, {embedded.energy_pj:,.1f} pJ"
        click.echo(f"equal: embedded and {timeloop.name} agree on every figure ({cost})")
    else:
        click.echo(f"equal: embedded and {timeloop.name} agree that the mapping is invalid: {embedded.error}")
    return 1 if found else 0


def _shown(value: float | str | None) -> str:
    """A figure in full: differences may lie in the last digits."""
    return "-" if value is None else str(value)


def _comparison(found: list[Difference]) -> dict[str, Any]:
    return {"equal": not found, "differences": [difference.to_dict() for difference in found]}


def run_batch(
    path: Path,
    output: Path | None,
    timeloop: TimeloopEvaluator | None,
    compare: bool,
    version: str,
    costs: CostChoice | None = None,
) -> int:
    """Answer every line, with `costs` or else the line's own.

    The status is 3 if timeloop-model failed on any, 1 if a comparison found a difference.
    """
    status = 0
    gc.set_threshold(
        200_000
    )  # answers hold no cycles: looking for them every 700 objects takes a twentieth of the time

    def watched() -> Iterator[dict[str, Any]]:
        nonlocal status
        for answer in _batch_answers(path, timeloop, compare, version, PointCache(costs)):
            status = max(status, 3 if "failed" in answer else 0 if answer.get("equal", True) else 1)
            yield answer

    write_lines(output, watched())
    return status


def _batch_answers(
    path: Path, timeloop: TimeloopEvaluator | None, compare: bool, version: str, cache: PointCache
) -> Iterator[dict[str, Any]]:
    """One answer a line, in order; a line that cannot be read is an invalid point."""
    lines = read_lines(path)
    while block := list(islice(lines, BLOCK_LINES)):
        yield from _block_answers(block, cache, timeloop, compare, version)


def _block_answers(
    lines: Iterable[bytes], cache: PointCache, timeloop: TimeloopEvaluator | None, compare: bool, version: str
) -> Iterator[dict[str, Any]]:
    points: list[Point] = []
    outcomes: list[tuple[dict[str, Any], str | None, dict[str, str]]] = []
    for line in lines:
        echoed: dict[str, Any] = {}
        try:
            data = read_batch_line(line)
            if "id" in data:
                echoed["id"] = data["id"]
            require_values(data, "arch", "problem", "mapping")
            architecture, problem = cache.architecture(data), cache.problem(data["problem"])
            points.append((architecture, problem, cache.mapping(data["mapping"], architecture, problem)))
            outcomes.append((echoed, None, recorded_costs(architecture)))
        except InputError as error:
            outcomes.append((echoed, str(error), {}))
    answers = _answers(points, timeloop, compare, version)
    for echoed, fault, costs in outcomes:
        yield echoed | (Evaluation(error=fault).to_dict() if fault else next(answers)) | costs


def _answers(
    points: list[Point], timeloop: TimeloopEvaluator | None, compare: bool, version: str
) -> Iterator[dict[str, Any]]:
    if timeloop is None:
        for evaluation in evaluate_many(points, version):
            yield evaluation.to_dict()
        return
    from dse.timeloop import TimeloopError, differences

    embedded = evaluate_many(points, version) if compare else [None] * len(points)
    for point, own, outcome in zip(points, embedded, timeloop.evaluate_many(points), strict=True):
        if isinstance(outcome, TimeloopError):
            yield {"valid": False, "error": str(outcome), "evaluator": timeloop.name, "failed": True}
        elif isinstance(outcome, InputError):
            yield Evaluation(error=str(outcome), evaluator=timeloop.name).to_dict()
        elif own is not None:
            yield _comparison(differences(own, outcome, point[0])) | {"evaluator": timeloop.name}
        else:
            yield outcome.to_dict()
