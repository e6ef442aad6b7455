"""The layers of a variant under the roof of a level: MACs a cycle over MACs a byte."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dse.errors import InputError
from dse.model.breakdown import Breakdown
from dse.report.figures.canvas import ACCENT, INK, canvas, plain, save, tidy
from dse.report.figures.plot import Plot, Row, chosen_variant
from dse.report.roofline import Slope, slopes_of
from dse.report.totals import StudyTotals, group_named
from dse.specification.fields import nearest
from dse.sweep.judge import mac_units_of
from dse.sweep.reading import StoredStudy
from dse.sweep.variants import StudyVariants

__all__ = ["roofline_plot"]

COLUMNS = ("variant", "layer", "level", "macs", "bytes", "macs_per_byte", "macs_per_cycle", "bound_by")


def roofline_plot(study: StoredStudy, network: str | None, variant: str | None, level: str | None) -> Plot:
    """Of a variant (the front's of least EDP) at a level (the outermost with a roofline).

    Raises InputError where there is no such, or no level with a roofline.
    """
    plan, group = study.plan, group_named(study.plan, network)
    total = chosen_variant(StudyTotals(study).named(network), plan.goals, variant)
    made = StudyVariants(plan).variant(total.variant.number)
    slopes = {} if made is None else {slope.level: slope for slope in slopes_of(made.architecture)}
    if not slopes:
        raise InputError("no level has both a limited bandwidth and accesses that cost alike: there is no roofline")
    if level is not None and level not in slopes:
        raise InputError(f'the level "{level}" has no roofline{nearest(level, slopes)}')
    slope = slopes[level or list(slopes)[-1]]
    (stored,) = study.chosen([total.variant.number])
    rows: list[Row] = []
    peak = 0
    several = len(group.networks) > 1
    for own_network in group.networks:
        for layer in own_network.layers:
            result, macs = stored.results[layer.problem], plan.problems[layer.problem].macs
            if result is None or result.breakdown is None or not result.cycles:
                continue
            breakdown = Breakdown.from_json(result.breakdown)
            energies = {own.name: own.energy_pj for own in breakdown.levels}
            moved = energies.get(slope.level, 0.0) / slope.pj_per_byte
            peak = max(peak, mac_units_of(result, macs) or 0)
            if moved:
                rows.append(
                    {
                        "variant": total.variant.name,
                        "layer": f"{own_network.name} {layer.name}" if several else layer.name,
                        "level": slope.level,
                        "macs": macs,
                        "bytes": moved,
                        "macs_per_byte": macs / moved,
                        "macs_per_cycle": macs / result.cycles,
                        "bound_by": breakdown.bound_by,
                    }
                )
    if not rows or not peak:
        raise InputError(f'no layer of "{total.variant.name}" moves words at {slope.level}: there is nothing to draw')

    def draw(files: Sequence[Path]) -> None:
        _draw(rows, slope, peak, f"{plan.name}: {group.name}, {total.variant.name}", files)

    return Plot(COLUMNS, rows, draw)


def _draw(rows: Sequence[Row], slope: Slope, peak: int, title: str, files: Sequence[Path]) -> None:
    intensities = [row["macs_per_byte"] for row in rows]
    knee = peak / slope.bytes_per_cycle
    span = np.geomspace(min(*intensities, knee) / 2, max(*intensities, knee) * 2, 200)
    with canvas(4.8, 3.6) as figure:
        from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415  (a second to load)

        axes = figure.add_subplot()
        roof = np.minimum(peak, span * slope.bytes_per_cycle)
        axes.plot(span, roof, color=INK, linewidth=1.3, label=f"{peak:,} MACs/cycle, {slope.bytes_per_cycle:g} B/cycle")
        if slope.one_way < slope.bytes_per_cycle:
            label = f"all one way, {slope.one_way:g} B/cycle"
            roof = np.minimum(peak, span * slope.one_way)
            axes.plot(span, roof, color=INK, linewidth=0.9, linestyle="--", label=label)
        for bound, marker, colour, label in (
            (True, "o", ACCENT, "bound by compute"),
            (False, "D", "#d55e00", "bound by a bandwidth"),
        ):
            own = [row for row in rows if (row["bound_by"] == "compute") is bound]
            if own:
                places = ([row["macs_per_byte"] for row in own], [row["macs_per_cycle"] for row in own])
                axes.scatter(
                    *places,
                    s=22,
                    marker=marker,
                    color=colour,
                    linewidths=0.4,
                    edgecolors="white",
                    label=label,
                    zorder=3,
                )
        axes.set_xscale("log")
        axes.set_yscale("log")
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.4g}"))
            axis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(f"operational intensity at {plain(slope.level)} [MACs/byte]")
        axes.set_ylabel("throughput [MACs/cycle]")
        axes.set_title(plain(title), loc="left", fontsize=9.5)
        tidy(axes)
        axes.legend(frameon=False, fontsize=7.5, loc="lower right")
        save(figure, files)
