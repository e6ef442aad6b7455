"""The front: every variant by its objectives."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dse.report.certainty import certainty_of
from dse.report.figure import draw_front
from dse.report.figures.plot import Plot, Row
from dse.report.front import objective_value
from dse.report.totals import StudyTotals
from dse.sweep.reading import StoredStudy

__all__ = ["front_plot"]


def front_plot(study: StoredStudy, network: str | None) -> Plot:
    """All variants with figures, those on the front marked, with what is proven of them."""
    plan = study.plan
    totals = list(StudyTotals(study).named(network))
    standings = certainty_of(totals, plan.goals, str(plan.options["objective"])).standings
    rows: list[Row] = [
        {
            "variant": total.variant.name,
            **{f"parameters.{name}": value for name, value in total.variant.parameters.items()},
            **{own.column: objective_value(total, own, plan.goals) for own in plan.goals.chosen},
            "lower_bound": total.lower_bound,
            "standing": standing.value,
        }
        for total, standing in zip(totals, standings, strict=True)
        if total.complete
    ]
    parameters = (f"parameters.{name}" for name in plan.parameters)
    columns = ("variant", *parameters, *plan.goals.columns, "lower_bound", "standing")

    def draw(files: Sequence[Path]) -> None:
        draw_front(plan, totals, files)

    return Plot(columns, rows, draw)
