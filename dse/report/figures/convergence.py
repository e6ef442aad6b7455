"""How the front of a study grew: its hypervolume over the variants looked at."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from dse.errors import InputError
from dse.report.figures.canvas import ACCENT, canvas, plain, save, tidy
from dse.report.figures.plot import Plot, Row
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import Plan

__all__ = ["convergence_plot", "convergence_rows"]

COLUMNS = ("wave", "variants", "complete", "pruned", "front", "hypervolume", "seconds")


def convergence_rows(folder: StudyFolder) -> list[Row]:
    """The sweep's own account, wave by wave; nothing where there is none."""
    try:
        with (folder.path / "search.csv").open(encoding="utf-8", newline="") as file:
            return [{name: float(row[name]) for name in COLUMNS} for row in csv.DictReader(file)]
    except (OSError, KeyError, TypeError, ValueError, csv.Error):
        return []


def convergence_plot(folder: StudyFolder, plan: Plan) -> Plot:
    """Of all networks together. Raises InputError where the sweep has not said how it went."""
    rows = convergence_rows(folder)
    if not rows:
        raise InputError(f"{folder.path / 'search.csv'}: nothing is known of how the front grew")

    def draw(files: Sequence[Path]) -> None:
        with canvas(4.8, 3.0) as figure:
            axes = figure.add_subplot()
            variants = [row["variants"] for row in rows]
            volumes = [row["hypervolume"] for row in rows]
            axes.step([0, *variants], [0.0, *volumes], where="post", color=ACCENT, linewidth=1.4)
            axes.set_xlim(left=0)
            axes.set_ylim(bottom=0)
            axes.set_xlabel("variants looked at")
            axes.set_ylabel("hypervolume [share of the box]")
            axes.set_title(plain(plan.name), loc="left", fontsize=9.5)
            tidy(axes)
            save(figure, files)

    return Plot(COLUMNS, rows, draw)
