"""A sweep as it runs, for a terminal: progress, the front as a plot of characters, failures."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from dse.report.status import FrontPoint, StudyStatus, render_status
from dse.report.table import energy_unit

__all__ = ["plot_front", "render_live"]

_BAR = 40
_LEAST_COLUMNS, _LEAST_ROWS = 24, 6
_MOST_COLUMNS, _MOST_ROWS = 72, 16


def render_live(status: StudyStatus, columns: int = 80, rows: int = 24) -> str:
    """Everything that is known now, with a plot where the front has two points or more.

    The plot takes what the `columns` and `rows` of the terminal leave beside the text, within reason, and stands above
    the list of its points.
    """
    text = render_status(status).splitlines()
    head, *rest = text
    if status.heartbeat is not None and status.heartbeat.total:
        head += f"\n  {progress_bar(status.heartbeat.done / status.heartbeat.total)}"
    height = min(max(rows - len(text) - 6, _LEAST_ROWS), _MOST_ROWS)
    plot = plot_front(status.front, min(columns - 14, _MOST_COLUMNS), height)
    front = next((index for index, line in enumerate(rest) if line.startswith("The Pareto front")), len(rest))
    return "\n".join([head, *rest[:front], *([plot, ""] if plot else []), *rest[front:]])


def progress_bar(share: float) -> str:
    """`[##########..............................]`"""
    filled = math.floor(max(0.0, min(share, 1.0)) * _BAR)
    return f"[{'#' * filled}{'.' * (_BAR - filled)}]"


def plot_front(front: Sequence[FrontPoint], columns: int, rows: int) -> str:
    """Latency to the right, energy upwards, both logarithmic: `o` a variant, dots where the front runs between two.

    Empty where there are fewer than two points, or where all have the same latency or energy.
    """
    columns, rows = max(columns, _LEAST_COLUMNS), max(rows, _LEAST_ROWS)
    points = sorted((point.cycles, point.energy_pJ) for point in front if point.cycles > 0 and point.energy_pJ > 0)
    if len(points) < 2 or any(
        math.log(one) == math.log(other) for one, other in zip(points[0], points[-1], strict=True)
    ):
        return ""
    places = [
        (_place(cycles, points[0][0], points[-1][0], columns), _place(energy, points[-1][1], points[0][1], rows))
        for cycles, energy in points
    ]
    canvas = [[" "] * columns for _ in range(rows)]
    for (column, row), (later, lower) in itertools.pairwise(places):
        for between in range(column, later + 1):
            canvas[row][between] = "."
        for between in range(min(row, lower), max(row, lower) + 1):
            canvas[between][later] = "."
    for column, row in places:
        canvas[row][column] = "o"
    size, unit = energy_unit(points[0][1])
    most, least = f"{points[0][1] / size:.4g} {unit}", f"{points[-1][1] / size:.4g} {unit}"
    margin = max(len(most), len(least))
    labels = [most, *[""] * (rows - 2), least]
    lines = [f"{label:>{margin}} |{''.join(row).rstrip()}" for label, row in zip(labels, canvas[::-1], strict=True)]
    first, last = f"{points[0][0]:,}", f"{points[-1][0]:,} cycles"
    axis = f"{'':>{margin}} +{'-' * columns}"
    return "\n".join([*lines, axis, f"{'':>{margin}}  {first}{last:>{max(columns - len(first), len(last) + 1)}}"])


def _place(value: float, low: float, high: float, cells: int) -> int:
    """The cell, 0 to cells - 1, on a logarithmic axis."""
    share = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
    return round(min(max(share, 0.0), 1.0) * (cells - 1))
