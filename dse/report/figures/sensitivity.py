"""What each parameter does to each objective: main effects as multiples of the geometric mean."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from dse.errors import InputError
from dse.report.figures.canvas import ACCENT, canvas, plain, save, tidy
from dse.report.figures.plot import Plot, Row
from dse.report.sensitivity import Effects, effects_of
from dse.report.totals import StudyTotals, group_named
from dse.specification.objectives import OBJECTIVES
from dse.sweep.reading import StoredStudy

__all__ = ["sensitivity_plot"]

COLUMNS = ("objective", "parameter", "share", "value", "factor", "lower_quartile", "upper_quartile", "variants")


def sensitivity_plot(study: StoredStudy, network: str | None) -> Plot:
    """Over all variants that are complete. Raises InputError where too few are."""
    plan = study.plan
    effects = effects_of(list(StudyTotals(study).named(network)), plan.grid, plan.goals)
    if not effects:
        raise InputError("too few variants are complete to say what a parameter does")
    rows: list[Row] = [
        dict(zip(COLUMNS, (own.objective, main.parameter, main.share, *figures), strict=True))
        for own in effects
        for main in own.main
        for figures in zip(main.values, main.factors, main.low, main.high, main.counts, strict=True)
    ]
    title = f"{plan.name}: {group_named(plan, network).name}"

    def draw(files: Sequence[Path]) -> None:
        _draw(effects, title, files)

    return Plot(COLUMNS, rows, draw)


def _draw(effects: Sequence[Effects], title: str, files: Sequence[Path]) -> None:
    varied = [place for place, main in enumerate(effects[0].main) if len(main.values) > 1]
    with canvas(max(3.0, 1.9 * len(varied)), 0.5 + 1.9 * len(effects)) as figure:
        grid = figure.subplots(len(effects), len(varied), sharey="row", squeeze=False)
        for own, line in zip(effects, grid, strict=True):
            for place, axes in zip(varied, line, strict=True):
                main = own.main[place]
                known = [
                    (index, factor, low, high)
                    for index, (factor, low, high) in enumerate(zip(main.factors, main.low, main.high, strict=True))
                    if factor is not None and low is not None and high is not None
                ]
                indices, factors, lows, highs = zip(*known, strict=True)
                axes.axhline(1.0, color="#9aa5b0", linewidth=0.8)
                axes.vlines(indices, lows, highs, color="#b9c6d3", linewidth=5)
                axes.plot(indices, factors, color=ACCENT, marker="o", markersize=3.5, linewidth=1.3)
                step = -(-len(main.values) // 6)
                axes.set_xticks(range(0, len(main.values), step), [f"{value:g}" for value in main.values[::step]])
                axes.set_title(f"{main.share:.0%} of the spread", fontsize=8, loc="left")
                axes.set_xlabel(plain(main.parameter))
                tidy(axes)
            word = OBJECTIVES[own.objective].label.partition(" [")[0]
            line[0].set_ylabel(f"{word} / its mean")
        figure.suptitle(plain(title), fontsize=10, x=0.01, ha="left")
        save(figure, files)
