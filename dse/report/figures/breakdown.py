"""Where cycles and energy go: stacked bars by level, of the layers of a variant or of the variants of a front."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dse.errors import InputError
from dse.model.breakdown import Breakdown
from dse.report.figures.canvas import canvas, part_colours, plain, save, tidy
from dse.report.figures.plot import Plot, Row, chosen_variant
from dse.report.front import on_front
from dse.report.pieces import MACS, cycle_pieces, energy_parts
from dse.report.table import energy_unit
from dse.report.totals import StudyTotals, group_named
from dse.sweep.reading import StoredStudy, StoredVariant

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["breakdown_plot"]

COLUMNS = ("variant", "layer", "count", "part", "cycles", "energy_pJ")
_MOST_BARS = 32
_LAYER = "layer"


def breakdown_plot(study: StoredStudy, network: str | None, variant: str | None) -> Plot:
    """Of the layers of a variant, each as often as it occurs; without one, of the variants of the front.

    Raises InputError where there is nothing to draw.
    """
    group = group_named(study.plan, network)
    totals = StudyTotals(study).named(network)
    if variant is not None:
        numbers = [chosen_variant(totals, study.plan.goals, variant).variant.number]
    else:
        flags = on_front(totals, study.plan.goals)
        front = [total for total, flag in zip(totals, flags, strict=True) if flag]
        numbers = [total.variant.number for total in sorted(front, key=lambda total: total.cycles or 0)][:_MOST_BARS]
    rows = [row for stored in study.chosen(numbers) for row in _rows(study, stored, group.name, by_layer=bool(variant))]
    if not rows:
        raise InputError("no variant with its costs level by level: there is nothing to draw")
    bars = _LAYER if variant is not None else "variant"
    title = f"{study.plan.name}: {group.name}" + (f", {variant}" if variant else ", variants of the front")

    def draw(files: Sequence[Path]) -> None:
        _draw(rows, bars, title, files)

    return Plot(COLUMNS, rows, draw)


def _rows(study: StoredStudy, stored: StoredVariant, group: str, *, by_layer: bool) -> Iterator[Row]:
    """The parts of each layer, or of all layers together."""
    plan = study.plan
    networks = [own for own in plan.networks if own.name == group] or plan.networks
    together: dict[str, tuple[float, float]] = {}
    for network in networks:
        weight = plan.goals.weight(network.name) if len(networks) > 1 else 1
        for layer in network.layers:
            result = stored.results[layer.problem]
            if result is None or result.breakdown is None:
                continue
            breakdown = Breakdown.from_json(result.breakdown)
            count = weight * layer.count
            cycles, energies = cycle_pieces(breakdown), energy_parts(breakdown)
            label = f"{network.name} {layer.name}" if len(networks) > 1 else layer.name
            for part, energy_pj in energies.items():
                own = (count * cycles.get(part, 0), count * energy_pj)
                before = together.get(part, (0.0, 0.0))
                together[part] = (before[0] + own[0], before[1] + own[1])
                if by_layer:
                    yield _row(stored, label, count, part, own)
    if not by_layer:
        for part, figures in together.items():
            yield _row(stored, "", 1, part, figures)


def _row(stored: StoredVariant, layer: str, count: float, part: str, figures: tuple[float, float]) -> Row:
    cycles, energy_pj = figures
    names = {"variant": stored.variant.name, "layer": layer, "count": count, "part": part}
    return names | {"cycles": cycles, "energy_pJ": energy_pj}


def _draw(rows: Sequence[Row], bars: str, title: str, files: Sequence[Path]) -> None:
    names = list(dict.fromkeys(row[bars] for row in rows))
    parts = list(dict.fromkeys(row["part"] for row in rows))
    colour = part_colours(parts, MACS)
    energies = {name: sum(row["energy_pJ"] for row in rows if row[bars] == name) for name in names}
    size, unit = energy_unit(max(energies.values()))
    with canvas(7.2, 1.3 + 0.2 * max(4, len(names))) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        for axes, column, scale, label in (
            (left, "cycles", 1.0, "latency [cycles]"),
            (right, "energy_pJ", size, f"energy [{unit}]"),
        ):
            _stack(axes, [(row[bars], row["part"], row[column] / scale) for row in rows], names, parts, colour)
            axes.set_xlabel(label)
            tidy(axes)
            axes.grid(visible=False, axis="y")
        left.set_yticks(range(len(names)), [plain(name) for name in names], fontsize=7.5)
        left.set_ylim(len(names) - 0.4, -0.6)
        from matplotlib.ticker import EngFormatter  # noqa: PLC0415  (loaded with the canvas)

        left.xaxis.set_major_formatter(EngFormatter(sep=""))
        handles, labels = right.get_legend_handles_labels()
        labels = ["MACs / compute" if label == MACS else label for label in labels]
        figure.legend(handles, labels, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
        figure.suptitle(plain(title), fontsize=10, x=0.01, ha="left")
        save(figure, files)


def _stack(
    axes: Axes,
    values: Sequence[tuple[str, str, float]],
    names: Sequence[str],
    parts: Sequence[str],
    colour: Callable[[str], str],
) -> None:
    """Horizontal bars, their parts one behind the other."""
    found = {(name, part): value for name, part, value in values}
    starts = [0.0] * len(names)
    for part in parts:
        widths = [found.get((name, part), 0.0) for name in names]
        axes.barh(range(len(names)), widths, left=starts, height=0.72, color=colour(part), label=plain(part))
        starts = [start + width for start, width in zip(starts, widths, strict=True)]
