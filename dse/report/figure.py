"""The picture of a front: every variant by its objectives, the front as a staircase, its points named.

A third objective is the colour of the points; then the front is no line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dse.report.front import costs, non_dominated
from dse.report.table import energy_unit
from dse.report.totals import ALL_NETWORKS, Total
from dse.sweep.plan import Plan
from dse.sweep.reading import VariantName

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

__all__ = ["draw_front"]

_FRONT = "#b2182b"
_DOMINATED = "#8aa6c1"
_LOG_SPAN = 8.0  # a wider span than this is drawn on a logarithmic axis
_MOST_NAMES = 24  # of a longer front only some points are named
_AXIS_WORDS = {"edp": "EDP", "tops_per_watt": "energy efficiency"}
_DATELESS: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
# Left of and below a point of the front there is nothing: no other point, and not the staircase.
_LABEL_OFFSETS = ((-8, -4), (-6, -12), (0, -15), (-14, -20), (-22, -4), (7, 6), (7, -13), (16, 14))
_LONGEST_NAME = 80  # characters of the study and its networks in the title
_CLEARANCE = 3.0  # pixels that a name keeps from points, which have a size


def draw_front(plan: Plan, totals: Collection[Total], files: Iterable[Path]) -> None:
    """Write the picture into each of `files` (PNG, SVG or PDF by suffix); equal studies give equal files."""
    import matplotlib as mpl  # noqa: PLC0415  (a second to load)
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    goals = plan.goals
    points = costs(totals, goals)
    flags = non_dominated(points)
    known = ~np.isnan(points).any(axis=1)
    order = [int(index) for index in np.argsort(points[:, 0], kind="stable") if flags[index]]
    labels: list[str] = []
    for column, objective in enumerate(goals.chosen):
        size, unit = 1.0, objective.unit
        if objective.name == "energy":
            size, unit = energy_unit(float(points[known, column].max()) if known.any() else 1.0)
        elif objective.name == "area":
            size, unit = 1e6, "mm2"
        points[:, column] = (1.0 / points[:, column] if objective.maximise else points[:, column]) / size
        labels.append(f"{_AXIS_WORDS.get(objective.name, objective.name)} [{unit}]" if unit else objective.name)
    named = {index: total.variant for index, total in enumerate(totals) if flags[index]}
    style: dict[Any, Any] = {"svg.hashsalt": "dse", "svg.fonttype": "path", "font.size": 10, "axes.axisbelow": True}
    with mpl.rc_context(style):
        figure = Figure(figsize=(9.5, 5.6), layout="constrained")
        FigureCanvasAgg(figure)
        axes = figure.add_subplot()
        _draw_points(axes, points, known & ~flags, order, labels)
        _draw_axes(axes, points[known], labels)
        axes.set_title(_title(plan, totals), loc="left", fontsize=11, parse_math=False)  # a $ in a name is a $
        _draw_key(axes, [named[index] for index in _named(order)], goals.objectives[0].replace("_", " "))
        figure.draw_without_rendering()
        figure.set_layout_engine("none")  # the names below are placed for the layout as it is now
        _name_points(axes, points[:, :2], [(index, named[index].name) for index in _named(order)])
        for file in files:
            metadata = (
                {"Date": None} if file.suffix == ".svg" else {"CreationDate": None} if file.suffix == ".pdf" else {}
            )
            figure.savefig(file, dpi=160, metadata=metadata)


def _left_out(total: Total) -> str | None:
    """Why a total is no point of the picture."""
    if total.over_budget:
        return "over budget"
    return "pruned" if total.pruned else None if total.complete else "incomplete"


def _title(plan: Plan, totals: Collection[Total]) -> str:
    networks = {total.network for total in totals} or {ALL_NETWORKS}
    names = " + ".join(item.name for item in plan.networks) if ALL_NETWORKS in networks else networks.pop()
    left_out = Counter(map(_left_out, totals))
    note = "".join(
        f", {left_out[why]} {why} not drawn" for why in ("incomplete", "pruned", "over budget") if left_out[why]
    )
    name = f"{plan.name}: {names}"
    if len(name) > _LONGEST_NAME:
        name = f"{name[:_LONGEST_NAME]}..."
    name = "".join(character if character.isprintable() else " " for character in name)
    return f"{name}, {len(totals)} variants{note}"


def _draw_points(
    axes: Axes, points: npt.NDArray[np.float64], dominated: npt.NDArray[np.bool_], order: list[int], labels: list[str]
) -> None:
    if len(labels) > 2:
        _draw_coloured(axes, points, dominated, order, labels[2])
        return
    if dominated.any():
        axes.scatter(
            points[dominated, 0], points[dominated, 1], s=26, color=_DOMINATED, label="dominated", linewidths=0
        )
    if order:
        front = points[order]
        axes.step(front[:, 0], front[:, 1], where="post", color=_FRONT, linewidth=1.2, alpha=0.7)
        axes.scatter(front[:, 0], front[:, 1], s=42, color=_FRONT, label="Pareto front", linewidths=0, zorder=3)


def _draw_coloured(
    axes: Axes, points: npt.NDArray[np.float64], dominated: npt.NDArray[np.bool_], order: list[int], label: str
) -> None:
    """Three objectives: the third one by colour, dominated points small."""
    known = [*order, *np.flatnonzero(dominated).tolist()]
    if not known:
        return
    colours = points[known, 2]
    scale: dict[str, Any] = {"cmap": "viridis", "vmin": float(colours.min()), "vmax": float(colours.max())}
    if dominated.any():
        axes.scatter(
            points[dominated, 0],
            points[dominated, 1],
            c=points[dominated, 2],
            s=20,
            marker="x",
            label="dominated",
            **scale,
        )
    front = axes.scatter(
        points[order, 0],
        points[order, 1],
        c=points[order, 2],
        s=46,
        edgecolors=_FRONT,
        linewidths=1.2,
        label="Pareto front",
        zorder=3,
        **scale,
    )
    figure = axes.get_figure(root=True)
    if figure is not None:
        figure.colorbar(front, ax=axes, label=label, location="bottom", shrink=0.6, aspect=40)


def _draw_axes(axes: Axes, points: npt.NDArray[np.float64], labels: list[str]) -> None:
    from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415

    for axis, values in ((axes.xaxis, points[:, 0]), (axes.yaxis, points[:, 1])):
        if len(values) and values.min() > 0 and values.max() / values.min() > _LOG_SPAN:
            (axes.set_xscale if axis is axes.xaxis else axes.set_yscale)("log")
            axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            axis.set_minor_formatter(NullFormatter())
        if axis is axes.xaxis:
            axis.set_major_formatter(EngFormatter(sep=" "))
        else:
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.margins(0.08)
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    if len(points):
        axes.legend(loc="best", frameon=False)
    else:
        axes.text(0.5, 0.5, "no variant is complete", transform=axes.transAxes, ha="center")


def _named(order: list[int]) -> list[int]:
    """The points of the front that get a name: all, or an even choice with both ends."""
    if len(order) <= _MOST_NAMES:
        return order
    return [order[round(position)] for position in np.linspace(0, len(order) - 1, _MOST_NAMES)]


def _draw_key(axes: Axes, names: list[VariantName], by: str) -> None:
    """What the names stand for, in a column to the right: the parameters of each named point."""
    if not names:
        return
    header = ["", *names[0].parameters]
    rows = [[variant.name, *map(str, variant.parameters.values())] for variant in names]
    widths = [max(len(row[column]) for row in rows) for column in range(len(header))]
    lines = ["  ".join(f"{cell:>{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows]
    starts = [sum(widths[:column]) + 2 * column for column in range(len(header))]
    caption = "\n".join(" " * start + name for start, name in zip(starts[1:], header[1:], strict=True))
    text = f"Pareto front, by {by}\n{caption}\n\n" + "\n".join(lines)
    axes.annotate(
        text,
        (1.02, 1.0),
        xycoords="axes fraction",
        va="top",
        ha="left",
        fontsize=8,
        family="monospace",
        linespacing=1.35,
    )


def _name_points(axes: Axes, points: npt.NDArray[np.float64], names: list[tuple[int, str]]) -> None:
    """Write each name beside its point, at the first offset where it covers neither a point nor another name."""
    known = points[~np.isnan(points).any(axis=1)]
    marks = axes.transData.transform(known)
    taken: list[Bbox] = []
    for index, name in names:
        label: Annotation | None = None
        for dx, dy in _LABEL_OFFSETS:
            if label is not None:
                label.remove()
            side = "left" if dx > 0 else "right" if dx < 0 else "center"
            label = axes.annotate(
                name, tuple(points[index]), (dx, dy), textcoords="offset points", ha=side, fontsize=8, color=_FRONT
            )
            box = label.get_window_extent().padded(_CLEARANCE)
            if not any(box.overlaps(other) for other in taken) and not any(box.contains(*mark) for mark in marks):
                break
        if label is not None:
            taken.append(label.get_window_extent())
