"""`dse schedule`: the best mapping of a layer on an architecture, or of each line of a batch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from dse.cli.costs import costs_option, recorded_costs, warn_of_doubts
from dse.cli.inputs import (
    batch_options,
    collect,
    read_batch_line,
    read_lines,
    require_keys,
    require_values,
    write_lines,
)
from dse.errors import DseError, Fault, InputError
from dse.specification.architecture import Architecture
from dse.specification.cache import PointCache
from dse.specification.costs import CostChoice
from dse.specification.document import Document, load_documents
from dse.specification.formats import translated
from dse.specification.mapspace import parse_mapspace
from dse.specification.problem import Problem, parse_problem
from dse.specification.scheduling import OBJECTIVES, SOLVERS, TRAFFIC_MODELS, CosaWeights, ScheduleOptions
from dse.specification.template import load_architecture

if TYPE_CHECKING:
    from dse.scheduler import Schedule, Scheduler

__all__ = ["command"]

_WEIGHTS = CosaWeights()


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@batch_options
@costs_option
@click.option("--objective", type=click.Choice(OBJECTIVES), default="edp", show_default=True, help="What to minimise.")
@click.option("--solver", type=click.Choice(SOLVERS), help="Default: SCIP for cosa.")
@click.option("--gap", type=float, default=0.01, show_default=True, help="Stop at this ratio above the lower bound.")
@click.option("--time-limit", type=float, default=60.0, show_default=True, help="Seconds a layer.")
@click.option(
    "--weight-utilization", type=float, default=_WEIGHTS.utilization, show_default=True, help="cosa: of filled buffers."
)
@click.option("--weight-compute", type=float, default=_WEIGHTS.compute, show_default=True, help="cosa: of cycles.")
@click.option("--weight-traffic", type=float, default=_WEIGHTS.traffic, show_default=True, help="cosa: of words moved.")
@click.option(
    "--traffic-model",
    type=click.Choice(TRAFFIC_MODELS),
    default=_WEIGHTS.traffic_model,
    show_default=True,
    help="cosa: weigh transfers by their energy, or as published.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(
    files: tuple[Path, ...],
    batch: Path | None,
    output: Path | None,
    costs: CostChoice | None,
    objective: str,
    solver: str | None,
    gap: float,
    time_limit: float,
    weight_utilization: float,
    weight_compute: float,
    weight_traffic: float,
    traffic_model: str,
    as_json: bool,
) -> int:
    """The best mapping of one layer on one architecture.

    FILES hold an architecture (arch), a problem and, where the bypass pattern is not in the same file, a mapspace, in
    any number and order; --output writes the mapping as Timeloop's YAML. With --batch, every line of a JSON-lines file
    holds arch, problem and mapspace, and one line is written for each.
    """
    from dse.scheduler import Scheduler

    weights = CosaWeights(weight_utilization, weight_compute, weight_traffic, traffic_model)
    options = ScheduleOptions(objective, solver, gap, time_limit, weights)
    if batch is not None:
        if files:
            raise click.UsageError("give FILES or --batch, not both")
        write_lines(output, _batch_answers(batch, Scheduler(options), PointCache(costs)))
        return 0
    if not files:
        raise click.UsageError("give FILES, or --batch IN.jsonl --output OUT.jsonl")
    document = translated(load_documents(files))
    require_keys(document, "problem")
    faults: list[Fault] = []
    architecture = collect(faults, lambda: load_architecture(document, costs))
    problem = collect(faults, lambda: parse_problem(document, document.data["problem"]))
    if architecture is None or problem is None:
        raise InputError(faults)
    warn_of_doubts(document, architecture)
    mapspace = parse_mapspace(document, document.data.get("mapspace"), architecture, problem.shape)
    schedule = Scheduler(options).schedule(architecture, problem, mapspace)
    if output is not None and schedule.mapping is not None:
        _write_mapping(output, schedule.mapping.directives(architecture, problem.shape))
    if as_json:
        click.echo(json.dumps(schedule.to_dict(architecture, problem) | recorded_costs(architecture)))
    elif schedule.valid:
        click.echo(_render(architecture, problem, schedule))
    else:
        click.echo(f"{schedule.termination}: {schedule.error}", err=True)
    return 0 if schedule.valid else 1


def _batch_answers(path: Path, scheduler: Scheduler, cache: PointCache) -> Iterator[dict[str, Any]]:
    """One answer a line, in order; a line that cannot be read or scheduled is an invalid one."""
    for line in read_lines(path):
        echoed: dict[str, Any] = {}
        try:
            data = read_batch_line(line)
            if "id" in data:
                echoed["id"] = data["id"]
            require_values(data, "arch", "problem")
            architecture, problem = cache.architecture(data), cache.problem(data["problem"])
            pattern = data.get("mapspace")
            mapspace = parse_mapspace(Document({"mapspace": pattern}), pattern, architecture, problem.shape)
            schedule = scheduler.schedule(architecture, problem, mapspace)
            yield echoed | schedule.to_dict(architecture, problem) | recorded_costs(architecture)
        except DseError as error:
            yield echoed | {"valid": False, "error": str(error)}


def _write_mapping(path: Path, directives: list[dict[str, Any]]) -> None:
    text = yaml.safe_dump({"mapping": directives}, sort_keys=False, default_flow_style=None, width=200)
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(path))) from error


def _render(architecture: Architecture, problem: Problem, schedule: Schedule) -> str:
    """The nest and the figures of a schedule as text."""
    from dse.report.nest import render_nest, render_summary

    if schedule.mapping is None or schedule.evaluation is None:
        return f"{schedule.termination}: {schedule.error}"
    cost = schedule.evaluation
    unit = {"cosa": "", "latency": " cycles", "energy": " pJ", "edp": " pJ × cycles"}[schedule.objective]
    proof = "no bound is proven"
    if schedule.lower_bound is not None:
        gap = "" if schedule.gap is None else f": at most {schedule.gap:.2%} above the optimum"
        proof = f"proven {schedule.lower_bound:.6g}{unit} or more{gap}"
    figures = [
        f"objective    {schedule.objective}: {schedule.value:.6g}{unit} ({schedule.termination}); {proof}",
        f"solver       {schedule.solver}: {schedule.solve_seconds:.2f} s, {schedule.total_seconds:.2f} s in all",
    ]
    nest = render_nest(architecture, problem, schedule.mapping, cost)
    return "\n\n".join((nest, "\n".join((render_summary(architecture, problem, cost), *figures))))
