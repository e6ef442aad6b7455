"""`dse pareto`: the Pareto front of a study, finished or not."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from dse.report.operating_points import OperatingPoint
    from dse.report.totals import Total

__all__ = ["command"]


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--network", help="Of this network alone (default: the sum over all networks).")
@click.option("--all", "everything", is_flag=True, help="List dominated variants too.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def command(folder: Path, network: str | None, everything: bool, as_json: bool) -> int:
    """The Pareto front of the study in FOLDER, in the objectives of the study (by default latency and energy)."""
    from dse.report.export import objective_row
    from dse.report.front import on_front, volume_of
    from dse.report.operating_points import operating_points
    from dse.report.table import render_front, render_incomplete, render_operating_points
    from dse.report.totals import StudyTotals, group_named
    from dse.specification.goals import Goals
    from dse.sweep.reading import read_study

    with read_study(folder) as study:
        plan = study.plan
        goals = plan.goals
        of_study = StudyTotals(study)
        totals = of_study.named(network)
        if not as_json:
            click.echo(render_front(plan, totals, everything))
            incomplete = render_incomplete(totals)
            if incomplete:
                click.echo(f"\n{incomplete}")
            if goals.operating_points:
                click.echo(f"\n{render_operating_points(plan, list(operating_points(study, network)))}")
            return 0
        head: dict[str, Any] = {
            "study": plan.name,
            "network": group_named(plan, network).name,
            "objectives": list(goals.columns),
        }
        if plan.costs:
            head["costs"] = plan.costs["label"]
        if goals != Goals():
            volume = volume_of(totals, goals)
            head |= {
                "maximised": [objective.column for objective in goals.chosen if objective.maximise],
                "clock_mhz": goals.clock_mhz,
                "budgets": list(map(str, goals.budgets)),
                "combine": goals.combine,
                "weights": dict(goals.weights),
                "hypervolume": None if volume is None else volume.share,
                "reference": None if volume is None else dict(zip(goals.columns, volume.reference, strict=True)),
            }
        click.echo(f'{json.dumps(head)[:-1]}, "points": [', nl=False)
        flags = on_front(totals, goals)
        for index, (total, parts, flag) in enumerate(zip(totals, of_study, flags, strict=True)):
            networks = {
                part.network: _figures(part) | objective_row(part, goals) for part in parts.totals[: len(plan.networks)]
            }
            point = _point(total, flag) | objective_row(total, goals) | {"networks": networks}
            click.echo(", " * (index > 0) + json.dumps(point), nl=False)
        click.echo("]", nl=False)
        if goals.operating_points:
            chosen = list(operating_points(study, network))
            flags = on_front([point.total for point in chosen], goals)
            listed = [
                _operating(point, flag) | objective_row(point.total, goals)
                for point, flag in zip(chosen, flags, strict=True)
                if flag or everything
            ]
            click.echo(f', "operating_points": {json.dumps(listed)}', nl=False)
        click.echo("}")
    return 0


def _point(total: Total, flag: bool) -> dict[str, Any]:
    return {
        "variant": total.variant.name,
        "parameters": dict(total.variant.parameters),
        **_figures(total),
        "area_um2": total.area_um2,
        "on_front": flag,
        "complete": total.complete,
        "error": "; ".join(total.missing) or None,
    }


def _operating(point: OperatingPoint, flag: bool) -> dict[str, Any]:
    total = point.total
    return {
        "variant": total.variant.name,
        "point": point.number,
        "cycles": total.cycles,
        "energy_pJ": total.energy_pj,
        "edp": total.edp,
        "least_energy_pJ": total.lower_bound,
        "gap": total.gap,
        "on_front": flag,
        "choices": point.choices,
    }


def _figures(total: Total) -> dict[str, Any]:
    figures = {"cycles": total.cycles, "energy_pJ": total.energy_pj, "edp": total.edp}
    return figures | {"lower_bound": total.lower_bound, "gap": total.gap}
