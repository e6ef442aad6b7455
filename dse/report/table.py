"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from dse.report.front import on_front
from dse.report.totals import ALL_NETWORKS, Total
from dse.specification.template import Number
from dse.sweep.plan import Plan

__all__ = ["energy_unit", "parameters_text", "render_front", "render_incomplete", "render_rows"]

_ENERGY_UNITS = ((1e12, "J"), (1e9, "mJ"), (1e6, "µJ"), (1e3, "nJ"), (1.0, "pJ"))
_MAX_INCOMPLETE = 10


def render_rows(header: Sequence[str], rows: Iterable[Sequence[str]], indent: str = "  ") -> str:
    """Columns aligned right, the first one left."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]

    def text(line: Sequence[str]) -> str:
        cells = [f"{cell:>{width}}" for cell, width in zip(line, widths, strict=True)]
        return (indent + "  ".join([f"{line[0]:<{widths[0]}}", *cells[1:]])).rstrip()

    return "\n".join(map(text, lines))


def energy_unit(largest_pj: float) -> tuple[float, str]:
    """(pJ per unit, unit) in which `largest_pj` reads well."""
    return next(((size, unit) for size, unit in _ENERGY_UNITS if largest_pj >= size), _ENERGY_UNITS[-1])


def parameters_text(parameters: Iterable[tuple[str, Number]]) -> str:
    """`pe_count=16 global_buffer_kib=64`."""
    return " ".join(f"{name}={value}" for name, value in parameters)


def render_front(plan: Plan, totals: Collection[Total], everything: bool = False) -> str:
    """The front of `totals`, fastest first; with `everything`, all complete variants with the front marked."""
    flags = on_front(totals)
    shown: list[tuple[Total, bool]] = []
    complete = pruned = 0
    network = ""
    for total, flag in zip(totals, flags, strict=True):
        complete += total.complete
        pruned += total.pruned
        network = total.network
        if flag or (everything and total.complete):
            shown.append((total, flag))
    shown.sort(key=lambda item: (item[0].cycles or 0, item[0].energy_pj or 0.0, item[0].variant.name))
    names = " + ".join(item.name for item in plan.networks) if network in ("", ALL_NETWORKS) else network
    costs = "" if plan.evaluator == "embedded" else f", costs by {plan.evaluator}"
    left_out = f"{pruned} pruned, " if pruned else ""
    title = (
        f"{plan.name}: {names}, objective {plan.options['objective']}{costs}. "
        f"{complete} of {len(totals)} variants complete, {left_out}"
        f"{sum(flags)} on the Pareto front of latency and energy"
    )
    if not shown:
        return title
    size, unit = energy_unit(max(total.energy_pj or 0.0 for total, _ in shown))
    with_area = any(total.area_um2 is not None for total, _ in shown)
    proven = any(total.gap is not None for total, _ in shown)
    header = ["variant", *plan.parameters, "cycles", f"energy [{unit}]", "EDP [pJ cycles]"]
    header += [f"{plan.options['objective']} gap"] * proven + ["area [mm2]"] * with_area
    rows = []
    for total, flag in shown:
        row = [total.variant.name + (" *" if everything and flag else ""), *map(str, total.variant.parameters.values())]
        row += [f"{total.cycles:,}", f"{(total.energy_pj or 0.0) / size:,.4g}", f"{total.edp:.4g}"]
        if proven:
            row.append("?" if total.gap is None else f"{total.gap:.2%}")
        if with_area:
            row.append("?" if total.area_um2 is None else f"{total.area_um2 / 1e6:.4g}")
        rows.append(row)
    legend = "\n  * on the front" if everything else ""
    return f"{title}\n\n{render_rows(header, rows)}{legend}"


def render_incomplete(totals: Collection[Total]) -> str:
    """The variants that lack a layer and were not pruned, with the first reasons; empty where there are none."""
    first: list[Total] = []
    incomplete = 0
    for total in totals:
        if total.complete or total.pruned:
            continue
        incomplete += 1
        if len(first) < _MAX_INCOMPLETE:
            first.append(total)
    if not incomplete:
        return ""
    lines = [f"{incomplete} of {len(totals)} variants incomplete, not compared:"]
    for total in first:
        more = f" (and {len(total.missing) - 1} more layers)" if len(total.missing) > 1 else ""
        parameters = parameters_text(total.variant.parameters.items())
        lines.append(f"  {total.variant.name} {parameters}: {total.missing[0]}{more}")
    if incomplete > _MAX_INCOMPLETE:
        lines.append(f"  and {incomplete - _MAX_INCOMPLETE} more: dse export --level variant lists them all")
    return "\n".join(lines)
