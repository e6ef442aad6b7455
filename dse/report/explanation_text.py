"""An explanation as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping

from dse.report.explanation import Cost, Explanation, LayerState, Step, parts_of
from dse.report.table import energy_unit, parameters_text, render_rows

__all__ = ["render_explanation"]

_LEVELS_NAMED = 4


def render_explanation(explanation: Explanation) -> str:
    """What limits it, what a step of each parameter brings at most, which variants do better."""
    where = explanation.network if explanation.layer is None else f"{explanation.network} {explanation.layer}"
    size, unit = energy_unit(explanation.cost.energy_pj)
    cost = explanation.cost
    title = explanation.subject if explanation.layer == explanation.network else f"{explanation.subject} on {where}"
    parts = [
        f"{title}: {cost.cycles:,} cycles, {cost.energy_pj / size:,.4g} {unit}, EDP {cost.edp:.4g} pJ cycles"
        + f"\n  {parameters_text(explanation.parameters.items())}" * bool(explanation.parameters)
    ]
    if explanation.nest is not None:
        parts.append(explanation.nest)
    parts.append(_limits(explanation))
    parts.append(_steps(explanation))
    better = _better(explanation)
    return "\n\n".join([*parts, better] if better else parts)


def _limits(explanation: Explanation) -> str:
    if explanation.layer is not None:
        return _limits_of_layer(explanation.layers[0])
    bounds = ", ".join(f"{name} {share:.0%}" for name, share in explanation.cycles_by_bound().items())
    lines = [
        f"What bounds the cycles: {bounds}",
        f"Where the energy goes: {_shares(explanation.energy_by_level())}",
        "",
    ]
    size, unit = energy_unit(max(layer.count * layer.cost.energy_pj for layer in explanation.layers))
    header = ["layer", "times", "cycles", "share", f"energy [{unit}]", "share", "MACs busy", "bound by"]
    header += ["most energy"]
    rows = []
    for layer in sorted(explanation.layers, key=lambda layer: -layer.count * layer.cost.cycles):
        cycles, energy_pj = layer.count * layer.cost.cycles, layer.count * layer.cost.energy_pj
        parts = dict(parts_of(layer.breakdown))
        most = max(parts, key=lambda name: parts[name], default="?")
        rows.append(
            [
                layer.name,
                str(layer.count),
                f"{cycles:,}",
                _share(cycles, explanation.cost.cycles),
                f"{energy_pj / size:,.4g}",
                _share(energy_pj, explanation.cost.energy_pj),
                "?" if layer.utilization is None else f"{layer.utilization:.0%}",
                "?" if layer.breakdown is None else layer.breakdown.bound_by,
                f"{most} {_share(parts.get(most, 0.0), layer.cost.energy_pj)}",
            ]
        )
    return "\n".join([*lines, render_rows(header, rows)])


def _limits_of_layer(layer: LayerState) -> str:
    """Each level: the cycles that its bandwidth alone would need, and its energy."""
    breakdown = layer.breakdown
    if breakdown is None:
        return "What limits it: not recorded"
    busy = "" if layer.utilization is None else f", with {layer.utilization:.0%} of the MACs busy on average"
    bound = breakdown.bound_by
    limit = f"compute{busy}" if bound == "compute" else f"the bandwidth of {bound}{busy}"
    size, unit = energy_unit(layer.cost.energy_pj)
    needed = {"MACs": breakdown.compute_cycles} | {own.name: own.latency_cycles for own in breakdown.levels}
    rows = [
        [name, f"{needed[name]:,}", f"{energy / size:,.4g}", _share(energy, layer.cost.energy_pj)]
        for name, energy in parts_of(breakdown)
    ]
    return f"Bound by {limit}.\n\n" + render_rows(["", "needs cycles", f"energy [{unit}]", "share"], rows)


def _shares(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in list(shares.items())[:_LEVELS_NAMED])


def _share(part: float, whole: float) -> str:
    return f"{part / whole:.0%}" if whole else "-"


def _steps(explanation: Explanation) -> str:
    """A line for each step: what it saves at most, and what it has brought where it was scheduled."""
    now = explanation.cost
    rows = [_step(step, now, explanation.of_study) for step in explanation.steps if step.refused is None]
    scheduled = any(step.scheduled is not None for step in explanation.steps)
    header = ["step", "latency", "energy", "EDP"] + ["as scheduled: latency", "energy", "EDP"] * scheduled
    table = render_rows(header, [row[: len(header)] for row in rows])
    refused = [
        f"  {step.parameter} = {step.stepped}: {step.refused}" for step in explanation.steps if step.refused is not None
    ]
    title = "What one step saves at most, by bounds that no schedule goes below (+: it costs at least so much more):"
    return "\n".join([title, table, *refused])


def _step(step: Step, now: Cost, of_study: bool) -> list[str]:
    name = "another mapping" if step.parameter is None else f"{step.parameter} {step.value} -> {step.stepped}"
    if step.parameter is not None and of_study:
        name += f" ({step.variant})" if step.variant else " (not in the study)"
    at_most = step.at_most(now)
    cells = ["?"] * 3 if at_most is None else [_saved(at_most[key]) for key in ("cycles", "energy_pJ", "edp")]
    if step.scheduled is None:
        return [name, *cells, "-", "-", "-"]
    there = step.scheduled
    pairs = ((there.cycles, now.cycles), (there.energy_pj, now.energy_pj), (there.edp, now.edp))
    return [name, *cells, *(_change(value, before) for value, before in pairs)]


def _change(value: float, before: float) -> str:
    if not before or value == before:
        return "same"
    change = value / before - 1.0
    return f"{change:+.1%}" if abs(change) >= 1e-3 else f"{change:+.2%}"


def _saved(share: float) -> str:
    """`12.0%` saved at most, `none`, or `+12.0%` where it costs more at least."""
    if abs(share) < 5e-4:
        return "none"
    return f"-{share:.1%}" if share > 0 else f"+{-share:.1%}"


def _better(explanation: Explanation) -> str:
    if explanation.on_front is None:
        return ""
    now = explanation.cost
    header = ["variant", "steps away", "parameters", "latency", "energy", "EDP"]
    rows = [
        [
            own.variant if own.beats else f"{own.variant} ({own.objective})",
            str(own.distance),
            parameters_text(own.parameters.items()),
            *(
                _change(value, before)
                for value, before in (
                    (own.cost.cycles, now.cycles),
                    (own.cost.energy_pj, now.energy_pj),
                    (own.cost.edp, now.edp),
                )
            ),
        ]
        for own in explanation.better
    ]
    if not explanation.on_front:
        return "The nearest variants that are worse in no objective, and better in one:\n" + render_rows(header, rows)
    title = "No variant of the study beats it in all objectives"
    if not rows:
        return f"{title}, and none in any."
    return f"{title}; the nearest that is better in one:\n" + render_rows(header, rows)
