"""The files that a finished sweep leaves beside its store: tables and pictures of the front."""

from __future__ import annotations

from pathlib import Path

from dse.errors import Fault, InputError
from dse.report.export import layer_rows, variant_rows, write_rows
from dse.report.figure import draw_front
from dse.report.totals import study_totals
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import Plan

__all__ = ["write_report_files"]


def write_report_files(folder: StudyFolder, plan: Plan) -> list[Path]:
    """Write `pareto.csv`, `variants.csv`, `layers.csv`, `pareto.png` and `pareto.svg`; returns their paths."""
    results = folder.read_results()
    variants = variant_rows(plan, results)
    totals = study_totals(plan, results)
    front = [row for row in variants if row["on_front"] and row["network"] == totals[0].network]
    front.sort(key=lambda row: (row["cycles"], row["energy_pJ"], row["variant"]))
    layers = layer_rows(plan, results)
    tables = {
        "pareto.csv": (front, variants[0]),
        "variants.csv": (variants, variants[0]),
        "layers.csv": (layers, layers[0]),
    }
    try:
        for name, (rows, like) in tables.items():
            (folder.path / name).write_bytes(write_rows(rows, "csv", like))
        pictures = [folder.path / "pareto.png", folder.path / "pareto.svg"]
        draw_front(plan, totals, pictures)
    except OSError as error:
        raise InputError(Fault(f"cannot be written to: {error.strerror}", file=str(folder.path))) from error
    return [*(folder.path / name for name in tables), *pictures]
