"""Tables for a terminal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from dse.report.front import costs, non_dominated, objective_value, volume_of
from dse.report.operating_points import OperatingPoint
from dse.report.totals import ALL_NETWORKS, Total
from dse.specification.goals import Goals
from dse.specification.objectives import OBJECTIVES
from dse.specification.template import Number
from dse.sweep.plan import Plan

__all__ = [
    "energy_unit",
    "objectives_text",
    "parameters_text",
    "render_front",
    "render_incomplete",
    "render_operating_points",
    "render_rows",
]

_ENERGY_UNITS = ((1e12, "J"), (1e9, "mJ"), (1e6, "µJ"), (1e3, "nJ"), (1.0, "pJ"))
_MAX_INCOMPLETE = 10
_MOST_OPERATING_POINTS = 24
_WORDS = {"edp": "EDP", "tops_per_watt": "TOPS/W"}
_ASKED = ("power", "utilization", "throughput", "tops_per_watt")
"""Objectives that a table shows where the study asks for them; the others stand there anyway."""


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
    goals = plan.goals
    points = costs(totals, goals)
    flags = [bool(flag) for flag in non_dominated(points)]
    shown: list[tuple[Total, bool, list[float]]] = []
    complete = pruned = over = 0
    network = ""
    for total, flag, point in zip(totals, flags, points, strict=True):
        complete += total.complete
        over += bool(total.over_budget)
        pruned += total.pruned and not total.over_budget
        network = total.network
        if flag or (everything and total.complete):
            shown.append((total, flag, point.tolist()))
    if goals.objectives == Goals().objectives:
        shown.sort(key=lambda item: (item[0].cycles or 0, item[0].energy_pj or 0.0, item[0].variant.name))
    else:
        shown.sort(key=lambda item: (bool(item[0].over_budget), item[2], item[0].variant.name))
    title = _title(plan, network)
    left_out = f"{over} over budget, " * bool(over) + f"{pruned} pruned, " * bool(pruned)
    title += (
        f"{complete} of {len(totals)} variants complete, {left_out}"
        f"{sum(flags)} on the Pareto front of {objectives_text(goals)}"
    )
    if not shown:
        return title
    size, unit = energy_unit(max(total.energy_pj or 0.0 for total, _, _ in shown))
    with_area = any(total.area_um2 is not None for total, _, _ in shown)
    proven = any(total.gap is not None for total, _, _ in shown)
    asked = [OBJECTIVES[name] for name in _ASKED if name in goals.asked]
    header = ["variant", *plan.parameters, "cycles", f"energy [{unit}]", "EDP [pJ cycles]"]
    header += [f"{plan.options['objective']} gap"] * proven + ["area [mm2]"] * with_area
    header += [objective.label for objective in asked] + ["over budget"] * (everything and over > 0)
    rows = []
    for total, flag, _ in shown:
        row = [total.variant.name + (" *" if everything and flag else ""), *map(str, total.variant.parameters.values())]
        row += [_cycles(total.cycles), f"{(total.energy_pj or 0.0) / size:,.4g}", f"{total.edp:.4g}"]
        if proven:
            row.append("?" if total.gap is None else f"{total.gap:.2%}")
        if with_area:
            row.append("?" if total.area_um2 is None else f"{total.area_um2 / 1e6:.4g}")
        for objective in asked:
            value = objective_value(total, objective, goals)
            row.append("?" if value is None else f"{value:.4g}")
        if everything and over:
            row.append("; ".join(total.over_budget) or "-")
        rows.append(row)
    legend = "\n  * on the front" if everything else ""
    volume = volume_of(totals, goals) if goals != Goals() else None
    below = "" if volume is None else f"\n\n{volume}"
    return f"{title}\n\n{render_rows(header, rows)}{legend}{below}"


def _title(plan: Plan, network: str) -> str:
    goals = plan.goals
    names = network
    if network in ("", ALL_NETWORKS):
        weighted = [(item.name, goals.weight(item.name)) for item in plan.networks]
        names = " + ".join(name if weight == 1 else f"{weight:g} × {name}" for name, weight in weighted)
        if goals.combine != "sum" and len(weighted) > 1:
            names = f"geometric mean of {names}"
    by = "" if plan.evaluator == "embedded" else f", costs by {plan.evaluator}"
    by += f", energies and areas from {plan.costs['label']}" if plan.costs else ""
    return f"{plan.name}: {names}, objective {plan.options['objective']}{by}. "


def _cycles(cycles: float | None) -> str:
    number = float(cycles or 0)
    return f"{number:,.0f}" if number.is_integer() else f"{number:,.1f}"


def objectives_text(goals: Goals) -> str:
    """`latency, energy and area`."""
    names = [_WORDS.get(name, name) for name in goals.objectives]
    return f"{', '.join(names[:-1])} and {names[-1]}"


def render_operating_points(plan: Plan, points: Sequence[OperatingPoint]) -> str:
    """The front over variants and operating points, an even choice of it where it is long."""
    goals = plan.goals
    compared = costs((point.total for point in points), goals)
    front = [
        (own.tolist(), point)
        for own, point, flag in zip(compared, points, non_dominated(compared), strict=True)
        if flag
    ]
    front.sort(key=lambda item: (item[0], item[1].total.variant.number, item[1].number))
    variants = len({point.total.variant.number for _, point in front})
    title = (
        f"Operating points: {len(points):,} on {len({point.total.variant.number for point in points})} variants, "
        f"{len(front):,} of them, on {variants}, on the Pareto front of {objectives_text(goals)}"
    )
    if not front:
        return title
    step = max(1, -(-len(front) // _MOST_OPERATING_POINTS))
    shown = [point.total for _, point in front[::step]]
    if shown[-1] is not front[-1][1].total:
        shown.append(front[-1][1].total)
    size, unit = energy_unit(max(total.energy_pj or 0.0 for total in shown))
    asked = [OBJECTIVES[name] for name in _ASKED if name in goals.asked]
    header = ["variant", *plan.parameters, "cycles", f"energy [{unit}]", "EDP [pJ cycles]", "energy gap"]
    header += [objective.label for objective in asked]
    rows = []
    for total in shown:
        row = [total.variant.name, *map(str, total.variant.parameters.values()), _cycles(total.cycles)]
        row += [f"{(total.energy_pj or 0.0) / size:,.4g}", f"{total.edp:.4g}"]
        row.append("?" if total.gap is None else f"{total.gap:.2%}")
        values = [objective_value(total, objective, goals) for objective in asked]
        rows.append(row + ["?" if value is None else f"{value:.4g}" for value in values])
    more = "" if step == 1 else f"\n  every {step}th is shown: --json and dse export --level operating-point have all"
    return f"{title}\n\n{render_rows(header, rows)}{more}"


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
