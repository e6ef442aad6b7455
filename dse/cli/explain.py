"""`dse explain`: what limits a variant or a layer, and what would help."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dse.cli.costs import costs_option
from dse.errors import InputError
from dse.specification.costs import CostChoice
from dse.specification.scheduling import OBJECTIVES, SOLVERS, ScheduleOptions

if TYPE_CHECKING:
    from dse.report.explanation import Explanation

__all__ = ["command"]


@click.command()
@click.argument("subject", nargs=-1, required=True, metavar="DIR VARIANT [LAYER] | FILE...")
@click.option("--network", help="DIR: on this network alone (default: on each).")
@costs_option
@click.option(
    "--objective", type=click.Choice(OBJECTIVES), default="edp", show_default=True, help="FILES: what to minimise."
)
@click.option("--solver", type=click.Choice(SOLVERS), help="FILES: default SCIP for cosa.")
@click.option("--gap", type=float, default=0.01, show_default=True, help="FILES: stop at this ratio above the bound.")
@click.option("--time-limit", type=float, default=60.0, show_default=True, help="FILES: seconds.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def command(
    subject: tuple[str, ...],
    network: str | None,
    costs: CostChoice | None,
    objective: str,
    solver: str | None,
    gap: float,
    time_limit: float,
    as_json: bool,
) -> int:
    """What limits a variant, what one more step of each parameter would bring at most, and which variants do better.

    DIR VARIANT [LAYER]: a variant of the study in DIR, on its networks or on one layer. FILES: an architecture, a
    problem and, where it stands apart, a mapspace, as dse schedule has them; the layer is scheduled, and the variables
    of a template are halved and doubled.
    """
    if Path(subject[0]).is_dir():
        if not 2 <= len(subject) <= 3:
            raise click.UsageError("give DIR VARIANT, or DIR VARIANT LAYER")
        if costs is not None:
            raise click.UsageError("--costs goes with FILES: a study was run with its own")
        found = _of_study(subject[0], subject[1], subject[2] if len(subject) == 3 else None, network)
    else:
        if network is not None:
            raise click.UsageError("--network goes with the folder of a study")
        options = ScheduleOptions(objective, solver, gap, time_limit)
        found = [_of_files([Path(name) for name in subject], costs, options)]
    if as_json:
        click.echo(json.dumps({"explanations": [explanation.to_dict() for explanation in found]}))
        return 0
    from dse.report.explanation_text import render_explanation

    click.echo("\n\n".join(map(render_explanation, found)))
    return 0


def _of_study(folder: str, variant: str, layer: str | None, network: str | None) -> list[Explanation]:
    """The variant on each network, or on those that have the layer."""
    from dse.report.explaining import explain_variant
    from dse.report.selection import variant_named
    from dse.report.totals import group_named
    from dse.sweep.reading import read_study
    from dse.sweep.variants import StudyVariants

    with read_study(folder) as study:
        plan = study.plan
        stored = variant_named(study, variant)
        networks = plan.networks if network is None else group_named(plan, network).networks
        having = [own for own in networks if layer is None or any(layer == each.name for each in own.layers)]
        variants = StudyVariants(plan)
        return [explain_variant(study, variants, stored, own, layer) for own in having or networks[:1]]


def _of_files(paths: Sequence[Path], costs: CostChoice | None, options: ScheduleOptions) -> Explanation:
    """One layer on an architecture, scheduled now."""
    from dse.cli.inputs import require_keys
    from dse.report.explaining import explain_schedule
    from dse.scheduler import Scheduler
    from dse.specification.document import load_documents
    from dse.specification.formats import translated
    from dse.specification.mapspace import parse_mapspace
    from dse.specification.problem import parse_problem
    from dse.specification.template import parse_template

    missing = [path for path in paths if not path.exists()]
    if missing:
        raise InputError(f"there is no folder or file {missing[0]}")
    document = translated(load_documents(paths))
    require_keys(document, "problem")
    template = parse_template(document)
    if costs is not None:
        template = replace(template, costs=costs)
    problem = parse_problem(document, document.data["problem"])
    architecture, _ = template.instantiate()
    mapspace = parse_mapspace(document, document.data.get("mapspace"), architecture, problem.shape)
    schedule = Scheduler(options).schedule(architecture, problem, mapspace)
    return explain_schedule(template, problem, schedule, f"the layer on {paths[0].stem}")
