"""The option --costs, and warnings about figures that are hardly meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from dse.specification.document import Document

if TYPE_CHECKING:
    from dse.specification.architecture import Architecture
    from dse.specification.costs import CostChoice
    from dse.sweep.plan import Plan

__all__ = ["costs_option", "recorded_costs", "warn_of_doubts", "warn_of_sources"]

Command = TypeVar("Command", bound=Callable[..., Any])


def costs_option(function: Command) -> Command:
    """The option --costs; the command gets a CostChoice, or None."""

    def read(context: click.Context, parameter: click.Parameter, text: str | None) -> CostChoice | None:
        from dse.specification.costs import costs_from_text

        return None if text is None else costs_from_text(text)

    return click.option(
        "--costs",
        metavar="SOURCE[,KEY=VALUE...]",
        callback=read,
        help="Where energies and areas come from (docs/costs.md): pat, cacti,node_nm=22,dram=LPDDR4, "
        "table,file=own.yaml or accelergy,file=ert.yaml; in place of a block costs: in FILES.",
    )(function)


def recorded_costs(architecture: Architecture) -> dict[str, str]:
    """What a JSON answer says of the source of its costs; nothing where it is PAT."""
    return {} if architecture.costs == "pat" else {"costs": architecture.costs}


def warn_of_doubts(document: Document, architecture: Architecture) -> None:
    """Say on standard error what in an architecture looks like units mixed up, and what was assumed."""
    from dse.specification.plausibility import doubts

    for doubt in doubts(document, architecture):
        click.echo(f"warning: {doubt}", err=True)


def warn_of_sources(plans: Iterable[Plan]) -> None:
    """Say on standard error where studies that are to be compared have their energies from different sources."""
    labels = {}
    for plan in plans:
        chosen = {"source": "pat"} | {key: value for key, value in plan.costs.items() if key not in _OF_ONE_TEMPLATE}
        labels[str(sorted(chosen.items()))] = plan.costs.get("label", "pat")
    if len(labels) > 1:
        click.echo(f"warning: energies and areas come from different sources: {'; '.join(labels.values())}", err=True)


_OF_ONE_TEMPLATE = ("label", "arithmetic", "storage")  # and its levels
