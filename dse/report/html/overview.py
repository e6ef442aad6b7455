"""What the page shows first: the study, its variants with their totals, its fronts and what parameters do, as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from dse.report.certainty import PROVEN, Certainty, Standing, best_costs, certainty_of
from dse.report.front import objective_value, volume_of
from dse.report.html.columns import Interned, shortened
from dse.report.reasons import grouped_reasons
from dse.report.sensitivity import effects_of, steps_around, summaries_of
from dse.report.totals import StudyTotals, Total
from dse.specification.objectives import OBJECTIVES
from dse.sweep.plan import Plan

__all__ = ["MOST_VARIANTS", "Shown", "overview"]

MOST_VARIANTS = 5000
"""A larger study is shown by so many of its variants: those on a front or near it, and an even choice of the others."""

_FIRST = (Standing.FRONT, Standing.OPEN, Standing.CONTENDER)


class Shown:
    """The totals of every group, where each stands, and which variants the page shows, by their place in the study."""

    def __init__(self, totals: StudyTotals) -> None:
        plan = totals.plan
        objective = str(plan.options["objective"])
        rows = [of_variant.totals for of_variant in totals]
        self.plan = plan
        self.groups = [[row[place] for row in rows] for place in range(len(totals.groups))]
        self.names = [group.name for group in totals.groups]
        self.certainties = [certainty_of(group, plan.goals, objective) for group in self.groups]
        self.places = self._chosen(len(rows))

    def ranked(self) -> list[int]:
        """The shown places, those on a front or near it first."""
        return sorted(self.places, key=lambda place: (self._rank(place), place))

    def _rank(self, place: int) -> int:
        """0 on the front of all networks, 1 on another's, 2 near one, 3 elsewhere with figures, 4 without."""
        standings = [certainty.standings[place] for certainty in self.certainties]
        if standings[-1] in _FIRST[:2]:
            return 0
        if any(standing in _FIRST[:2] for standing in standings):
            return 1
        if Standing.CONTENDER in standings:
            return 2
        return 3 if self.groups[-1][place].complete else 4

    def _chosen(self, count: int) -> list[int]:
        if count <= MOST_VARIANTS:
            return list(range(count))
        first = sorted(range(count), key=self._rank)
        kept = [place for place in first if self._rank(place) < 3][:MOST_VARIANTS]
        rest = [place for place in first if self._rank(place) >= 3]
        room = MOST_VARIANTS - len(kept)
        return sorted(kept + [rest[index * len(rest) // room] for index in range(room)])


def overview(shown: Shown) -> dict[str, Any]:
    """Everything but the layers of single variants."""
    plan = shown.plan
    variants = [shown.groups[-1][place].variant for place in shown.places]
    counts = {standing: shown.certainties[-1].standings.count(standing) for standing in Standing}
    return {
        "name": plan.name,
        "description": plan.description,
        "objective": plan.options["objective"],
        "evaluator": plan.evaluator,
        "costs": plan.costs.get("label", ""),
        "goals": plan.goals.to_dict(),
        "combinations": plan.grid.size,
        "planned": plan.variant_count,
        "reached": len(shown.groups[-1]),
        "counts": counts,
        "parameters": [{"name": name, "values": list(values)} for name, values in plan.parameters.items()],
        "axes": _axes(shown),
        "names": [variant.name for variant in variants],
        "digits": [
            [values.index(variant.parameters[name]) for variant in variants]
            for name, values in plan.parameters.items()
        ],
        "groups": [_group(shown, place) for place in range(len(shown.names))],
        "networks": _networks(plan),
        "problems": [
            {"text": _problem_text(problem.problem), "macs": problem.macs} for problem in plan.problems
        ],
    }  # fmt: skip


def _networks(plan: Plan) -> list[dict[str, Any]]:
    return [
        {
            "name": network.name,
            "source": network.source,
            "weight": plan.goals.weight(network.name),
            "macs": plan.macs(network),
            "layers": [[layer.name, layer.count, layer.problem] for layer in network.layers],
        }
        for network in plan.networks
    ]


def _problem_text(problem: Any) -> str:
    """`R3 S3 P14 ... Wstride 2`: the bounds, and the coefficients that are not 1."""
    items = [(name, value) for name, value in problem.items() if isinstance(value, int)]
    bounds = [f"{name}{value}" for name, value in items if len(name) == 1]
    return " ".join(bounds + [f"{name} {value}" for name, value in items if len(name) > 1 and value != 1])


def _axes(shown: Shown) -> list[dict[str, Any]]:
    """The objectives of the study, then all other figures that any variant has."""
    plan = shown.plan
    others = [name for name in OBJECTIVES if name not in plan.goals.objectives]
    axes: list[dict[str, Any]] = []
    for name in (*plan.goals.objectives, *others):
        objective = OBJECTIVES[name]
        asked = name in plan.goals.objectives
        if asked or any(objective_value(total, objective, plan.goals) is not None for total in shown.groups[-1]):
            unit = {"um2": "µm²", "pJ cycles": "pJ × cycles"}.get(objective.unit, objective.unit)
            title = objective.label.partition(" [")[0]
            axes.append(
                {"name": name, "title": title, "unit": unit, "maximise": objective.maximise, "objective": asked}
            )
    return axes


def _group(shown: Shown, place: int) -> dict[str, Any]:
    """A network, or all together: one column a figure over the shown variants."""
    plan, totals, certainty = shown.plan, shown.groups[place], shown.certainties[place]
    own = [totals[index] for index in shown.places]
    standings = [certainty.standings[index] for index in shown.places]
    position = {index: shown_at for shown_at, index in enumerate(shown.places)}
    reasons = Interned()
    codes = list(Standing)
    proven = plan.options["objective"] in PROVEN
    steps = list(steps_around(totals, plan.grid, plan.goals))
    volume = volume_of(totals, plan.goals)
    return {
        "name": shown.names[place],
        "layers": next((total.layers for total in totals), 0),
        "front": sum(standing in _FIRST[:2] for standing in certainty.standings),
        "figures": {
            axis["name"]: shortened(objective_value(total, OBJECTIVES[axis["name"]], plan.goals) for total in own)
            for axis in _axes(shown)
        },
        "proven": certainty.proven,
        "value": shortened((total.value for total in own), 9) if proven else [],
        "bound": shortened((total.lower_bound for total in own), 9) if proven else [],
        "best": _best(own, plan) if certainty.proven else {},
        "standing": [codes.index(standing) for standing in standings],
        "rivals": _rivals(certainty, position),
        "reason": [reasons(_reason(total)) for total in own],
        "reasons": reasons.texts,
        "volume": None if volume is None else str(volume),
        "effects": [_short_effects(asdict(effects)) for effects in effects_of(totals, plan.grid, plan.goals)],
        "steps": [asdict(summary) for summary in summaries_of(steps)],
        "groups": [asdict(reason) for reason in grouped_reasons(totals, certainty.standings)],
    }


def _best(totals: Sequence[Total], plan: Plan) -> dict[str, list[float | int | None]]:
    """Per objective of the study, the best that the proven gap of each variant leaves possible."""
    least = best_costs(totals, plan.goals, str(plan.options["objective"]))
    return {
        objective.name: shortened(map(objective.value, least[:, column].tolist()))
        for column, objective in enumerate(plan.goals.chosen)
    }


def _rivals(certainty: Certainty, position: dict[int, int]) -> dict[str, list[int]]:
    """By the variant's place on the page, those of its rivals that are there."""
    return {
        str(position[index]): [position[other] for other in others if other in position]
        for index, others in certainty.rivals.items()
        if index in position
    }


def _reason(total: Total) -> str:
    texts: Iterable[str] = total.over_budget or total.missing
    return "; ".join(texts)[:2000]


def _short_effects(effects: dict[str, Any]) -> dict[str, Any]:
    for main in effects["main"]:
        for name in ("factors", "low", "high"):
            values: Sequence[float | None] = main[name]
            main[name] = shortened(values)
    return effects
