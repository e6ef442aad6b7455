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

    A front of other objectives has no dots. Empty where all points have the same latency, or the same energy.
    """
    columns, rows = max(columns, _LEAST_COLUMNS), max(rows, _LEAST_ROWS)
    points = sorted((point.cycles, point.energy_pJ) for point in front if point.cycles > 0 and point.energy_pJ > 0)
    latencies, energies = sorted(cycles for cycles, _ in points), sorted(energy for _, energy in points)
    if not points or any(math.log(own[0]) == math.log(own[-1]) for own in (latencies, energies)):
        return ""
    places = [
        (_place(cycles, latencies[0], latencies[-1], columns), _place(energy, energies[0], energies[-1], rows))
        for cycles, energy in points
    ]
    canvas = [[" "] * columns for _ in range(rows)]
    falling = all(later <= earlier for (_, earlier), (_, later) in itertools.pairwise(points))
    for (column, row), (later, lower) in itertools.pairwise(places if falling else []):
        for between in range(column, later + 1):
            canvas[row][between] = "."
        for between in range(lower, row + 1):
            canvas[between][later] = "."
    for column, row in places:
        canvas[row][column] = "o"
    size, unit = energy_unit(energies[-1])
    most, least = f"{energies[-1] / size:.4g} {unit}", f"{energies[0] / size:.4g} {unit}"
    margin = max(len(most), len(least))
    labels = [most, *[""] * (rows - 2), least]
    lines = [f"{label:>{margin}} |{''.join(row).rstrip()}" for label, row in zip(labels, canvas[::-1], strict=True)]
    first, last = f"{latencies[0]:,}", f"{latencies[-1]:,} cycles"
    axis = f"{'':>{margin}} +{'-' * columns}"
    return "\n".join([*lines, axis, f"{'':>{margin}}  {first}{last:>{max(columns - len(first), len(last) + 1)}}"])


def _place(value: float, low: float, high: float, cells: int) -> int:
    """The cell, 0 to cells - 1, on a logarithmic axis."""
    share = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
    return round(min(max(share, 0.0), 1.0) * (cells - 1))
