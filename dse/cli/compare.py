"""`dse compare`: two or more studies side by side."""

from __future__ import annotations

import json
from collections.abc import Collection
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from dse.errors import InputError

if TYPE_CHECKING:
    from dse.report.totals import Total

__all__ = ["command"]


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def command(folders: tuple[Path, ...], as_json: bool) -> int:
    """The fronts of the studies in FOLDERS, for every network that two of them share."""
    from dse.report.comparison import compare_network, render_comparison
    from dse.report.totals import totals_named
    from dse.specification.goals import Goals
    from dse.sweep.reading import read_study

    if len(folders) < 2:
        raise click.UsageError("give two folders or more")
    if len(set(map(str, folders))) < len(folders):
        raise click.UsageError("a folder stands twice")
    studies: dict[str, dict[str, Collection[Total]]] = {}
    asked: list[Goals] = []
    with ExitStack() as stack:
        for path in folders:
            study = stack.enter_context(read_study(path))
            asked.append(study.plan.goals)
            for network in study.plan.networks:
                studies.setdefault(network.name, {})[str(path)] = totals_named(study, network.name)
        shared = {name: of_network for name, of_network in studies.items() if len(of_network) > 1}
        if not shared:
            raise InputError(f"no two of these studies share a network (found: {', '.join(studies)})")
        alike = all((own.objectives, own.clock_mhz) == (asked[0].objectives, asked[0].clock_mhz) for own in asked)
        goals = asked[0] if alike else Goals()
        comparisons = [compare_network(name, of_network, goals) for name, of_network in shared.items()]
    if as_json:
        click.echo(json.dumps({"networks": [comparison.to_dict() for comparison in comparisons]}))
        return 0
    click.echo("\n\n".join(render_comparison(comparison) for comparison in comparisons))
    if not alike:
        click.echo("\nThe studies have objectives of their own: compared by latency and energy.")
    elif goals.objectives != Goals().objectives:
        click.echo(f"\nCompared by {', '.join(goals.objectives)}.")
    alone = sorted(studies.keys() - shared.keys())
    if alone:
        click.echo(f"\nIn one study only: {', '.join(alone)}")
    click.echo(
        "\ndominated: points of a study's front that a point of another dominates; hypervolume: share that a front\n"
        "dominates of the box between the best and the worst figures of all variants; more is better."
    )
    return 0
