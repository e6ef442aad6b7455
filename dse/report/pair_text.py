"""The comparison of two variants, and of two studies at equal budgets, as text."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dse.report.iso import IsoComparison
from dse.report.pair import LayerDifference, PairComparison
from dse.report.table import energy_unit, render_rows

__all__ = ["render_iso", "render_pair"]

_LAYERS_SHOWN = 8
_ACCESSES_SHOWN = 4
_UNITS = {"um2": (1e6, "mm2"), "pJ cycles": (1.0, "pJ cycles"), "cycles": (1.0, "cycles")}


def render_pair(comparison: PairComparison, proves: bool) -> str:
    """Figures, verdicts, layers, levels and accesses; `proves`: the objectives of both studies prove bounds."""
    one, other = comparison.labels
    lines = [f"{comparison.network}: {one} against {other}", "", _figures(comparison), ""]
    lines += [f"  {verdict}" for verdict in comparison.verdicts]
    if not proves:
        lines += [
            "",
            "  The objective cosa proves nothing of these figures: what is proven above follows from bounds that",
        ]
        lines += ["  hold for every schedule of the variants, and that are looser than those of a proven objective."]
    if comparison.layers and comparison.layers[0].share is not None:
        lines += ["", "  Layers that make the difference in EDP:", _layers(comparison)]
    lines += ["", "  Energy by level:", _levels(comparison)]
    for layer in comparison.layers:
        if layer.accesses:
            lines += ["", f"  {layer.name}, words moved where the energy differs most:", _accesses(layer, (one, other))]
    return "\n".join(lines)


def _figures(comparison: PairComparison) -> str:
    totals = comparison.totals
    size, unit = energy_unit(max(total.energy_pj or 0.0 for total in totals))
    rows = [
        [name, *("-" if value is None else str(value) for value in pair), ""]
        for name, pair in comparison.parameters.items()
    ]
    energies = [(total.energy_pj or 0.0) / size for total in totals]
    rows.append(["cycles", *(f"{total.cycles:,}" for total in totals), _change([t.cycles or 0 for t in totals])])
    rows.append([f"energy [{unit}]", *(f"{value:,.4g}" for value in energies), _change(energies)])
    rows.append(["EDP [pJ cycles]", *(f"{t.edp:.4g}" for t in totals), _change([t.edp or 0 for t in totals])])
    areas = [total.area_um2 for total in totals]
    if areas[0] is not None and areas[1] is not None:
        rows.append(
            ["area [mm2]", *(f"{area / 1e6:.4g}" for area in areas if area is not None), _change(_known(areas))]
        )
    return render_rows(["", *comparison.labels, "change"], rows)


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]


def _change(pair: Sequence[float]) -> str:
    """From the first to the second, in per cent of the first."""
    one, other = pair
    return "-" if not one else f"{other / one - 1.0:+.1%}"


def _layers(comparison: PairComparison) -> str:
    one, other = comparison.labels
    shown = [layer for layer in comparison.layers if layer.share is not None][:_LAYERS_SHOWN]
    size, unit = energy_unit(max(max(layer.energy_pj) for layer in shown))
    header = ["layer", "times", "share", f"cycles {one}", f"cycles {other}", f"energy {one} [{unit}]"]
    header += [f"energy {other} [{unit}]", f"bound by ({one})", f"({other})"]
    rows = [
        [
            layer.name,
            str(layer.count),
            f"{layer.share:.0%}",
            *(f"{cycles:,}" for cycles in layer.cycles),
            *(f"{energy / size:,.4g}" for energy in layer.energy_pj),
            *layer.bound_by,
        ]
        for layer in shown
    ]
    table = render_rows(header, rows)
    left = len(comparison.layers) - len(shown)
    return table + (f"\n  and {left} layers more, with smaller shares" if left else "")


def _levels(comparison: PairComparison) -> str:
    pairs = comparison.energy_by_level
    size, unit = energy_unit(max((max(pair) for pair in pairs.values()), default=0.0))
    change = sum(other - one for one, other in pairs.values())
    rows = [
        [
            name,
            *(f"{energy / size:,.4g}" for energy in pair),
            f"{(pair[1] - pair[0]) / size:+,.4g}",
            _change(pair),
        ]
        for name, pair in pairs.items()
    ]
    sums = [math.fsum(pair[side] for pair in pairs.values()) for side in (0, 1)]
    rows.append(["all", *(f"{energy / size:,.4g}" for energy in sums), f"{change / size:+,.4g}", _change(sums)])
    return render_rows([f"[{unit}]", *comparison.labels, "difference", "change"], rows)


def _accesses(layer: LayerDifference, labels: tuple[str, str]) -> str:
    size, unit = energy_unit(max(max(own.energy_pj) for own in layer.accesses))
    rows = [
        [
            f"{own.level} {own.data_space}",
            *(f"{words:,}" for words in own.words),
            *(f"{energy / size:,.4g}" for energy in own.energy_pj),
        ]
        for own in layer.accesses[:_ACCESSES_SHOWN]
    ]
    return render_rows(["", *(f"words {own}" for own in labels), *(f"{own} [{unit}]" for own in labels)], rows)


def render_iso(comparison: IsoComparison, labels: tuple[str, str]) -> str:
    """One table: a budget a line, the best of both studies within it, and the verdict."""
    title = f"  Least {comparison.quantity} at equal {comparison.at_equal}:"
    if not comparison.points:
        return f"{title} {comparison.reason or 'no budget that both keep'}"
    scale, unit = _scaled(comparison.budget_unit, [point.budget for point in comparison.points])
    size, value_unit = _scaled(comparison.value_unit, [value for point in comparison.points for value in point.values])
    header = [f"{comparison.at_equal} <= [{unit}]", *(f"{label} [{value_unit}]" for label in labels)]
    header += ["better", "by", "proven at least"]
    rows = [
        [
            f"{point.budget / scale:,.6g}",
            *(f"{value / size:,.4g} ({variant})" for value, variant in zip(point.values, point.variants, strict=True)),
            *point.verdict.cells,
        ]
        for point in comparison.points
    ]
    return f"{title}\n{render_rows(header, rows)}"


def _scaled(unit: str, values: Sequence[float]) -> tuple[float, str]:
    return energy_unit(max(values)) if unit == "pJ" else _UNITS[unit]
