"""What is explained: a variant of a stored study, or a schedule that was just made."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dse.errors import InputError
from dse.model.breakdown import Breakdown
from dse.report.explanation import (
    Better,
    Cost,
    Explanation,
    LayerState,
    Neighbours,
    Scheduled,
    cost_of,
    neighbouring_values,
    steps_of,
)
from dse.report.nest import render_nest
from dse.report.totals import no_schedules
from dse.scheduler import Schedule
from dse.specification.fields import nearest
from dse.specification.goals import Goals
from dse.specification.objectives import Figures
from dse.specification.problem import Problem
from dse.specification.space import ParameterGrid, RefusedVariant, Variant, VariantSpace
from dse.specification.template import Number, Template
from dse.sweep.bounds import Bounds
from dse.sweep.judge import mac_units_of
from dse.sweep.plan import PlannedNetwork
from dse.sweep.reading import StoredStudy, StoredVariant
from dse.sweep.strategies.protocol import LayerCost
from dse.sweep.variants import StudyVariants

__all__ = ["explain_schedule", "explain_variant"]

_BETTER_SHOWN = 5


class _WiderSpace:
    """The bounds of variants that may lie a step outside the grid, for some of the problems."""

    def __init__(self, space: VariantSpace, problems: Mapping[int, Problem]) -> None:
        self._space = space
        self._places = list(problems)
        self._bounds = Bounds(space, list(problems.values()))

    def bounds(self, parameters: Mapping[str, Number]) -> Mapping[int, LayerCost] | str | None:
        """Per problem; or the reason why these parameters make no variant."""
        number = self._space.grid.number(parameters)
        made = None if number is None else self._space.variant(number)
        if isinstance(made, RefusedVariant):
            return f"no valid architecture: {made.reason}"
        if not isinstance(made, Variant):
            return "left out by a constraint"
        return dict(zip(self._places, self._bounds.layers(made), strict=True))


def _widened(space: VariantSpace, parameters: Mapping[str, Number]) -> VariantSpace:
    """The space with the values one step beyond the ends of each parameter as well."""
    values = {}
    for name, own in space.grid.values.items():
        around = (*own, *neighbouring_values(own, parameters[name]))
        values[name] = tuple(dict.fromkeys(value for value in around if value is not None))
    return replace(space, grid=ParameterGrid(values))


def explain_variant(
    study: StoredStudy, variants: StudyVariants, stored: StoredVariant, network: PlannedNetwork, layer: str | None
) -> Explanation:
    """A variant on a network, or on one layer of it. Raises InputError where a layer has no mapping or is unknown."""
    plan = study.plan
    chosen = [own for own in network.layers if layer in (None, own.name)]
    if not chosen:
        names = [own.name for own in network.layers]
        raise InputError(f'{network.name} has no layer "{layer}"{nearest(layer or "", names)}')
    left_out = no_schedules(plan, stored)
    if left_out is not None:
        raise InputError(f"{stored.variant.name} has no schedules: {left_out}")
    states = []
    for own in chosen:
        result = stored.results[own.problem]
        if result is None or result.cycles is None or result.energy_pj is None:
            reason = "it is not scheduled" if result is None else result.error or result.termination
            raise InputError(f"{stored.variant.name} has no mapping of {network.name} {own.name}: {reason}")
        breakdown = None if result.breakdown is None else Breakdown.from_json(result.breakdown)
        cost = Cost(result.cycles, result.energy_pj)
        count = own.count if layer is None else 1
        states.append(LayerState(own.name, own.problem, count, cost, result.utilization, breakdown))
    parameters = stored.variant.parameters
    problems = {state.problem: variants.problems[state.problem] for state in states}
    wide = _WiderSpace(_widened(variants.space, parameters), problems) if plan.evaluator == "embedded" else None
    neighbours = Neighbours(
        plan.grid,
        str(plan.options["objective"]),
        (lambda changed: None) if wide is None else wide.bounds,
        lambda number: _scheduled(study, number),
    )
    on_front, better = _better(study, stored, states)
    return Explanation(
        stored.variant.name,
        network.name,
        parameters,
        layer,
        cost_of(states),
        tuple(states),
        steps_of(parameters, states, plan.grid.values, neighbours),
        better,
        on_front,
        None if layer is None else _nest(variants, stored, states[0].problem),
    )


def _scheduled(study: StoredStudy, number: int) -> dict[int, Scheduled]:
    """What a variant of the study was scheduled for, as far as the sweep has come to it."""
    if number not in study.numbers:
        return {}
    (stored,) = study.chosen([number])
    return {
        problem: Scheduled(Cost(result.cycles, result.energy_pj), result.lower_bound)
        for problem, result in enumerate(stored.results)
        if result is not None and result.cycles is not None and result.energy_pj is not None
    }


@dataclass(frozen=True, slots=True)
class _Compared:
    stored: StoredVariant
    cost: Cost
    costs: tuple[float, ...]
    distance: int


def _better(
    study: StoredStudy, stored: StoredVariant, states: Sequence[LayerState]
) -> tuple[bool | None, tuple[Better, ...]]:
    """(whether nothing beats the variant in these layers, the nearest variants that do).

    Where nothing does, the nearest that is better in one objective, for each of them.
    """
    goals = study.plan.goals
    found = list(_compared(study, stored.variant.parameters, states, goals))
    own = next((each for each in found if each.stored.variant.number == stored.variant.number), None)
    if own is None or len(found) < 2:
        return None, ()
    order = sorted(found, key=lambda each: (each.distance, each.costs, each.stored.variant.number))
    beating = [each for each in order if _dominates(each.costs, own.costs)]
    if beating:
        return False, tuple(_as_better(each, None) for each in beating[:_BETTER_SHOWN])
    singles = []
    for position, objective in enumerate(goals.chosen):
        nearer = next((each for each in order if each.costs[position] < own.costs[position]), None)
        if nearer is not None:
            singles.append(_as_better(nearer, objective.name))
    return True, tuple(singles)


def _dominates(costs: Sequence[float], others: Sequence[float]) -> bool:
    """Whether `costs` are nowhere worse than `others`, and somewhere better."""
    pairs = list(zip(costs, others, strict=True))
    return all(own <= other for own, other in pairs) and any(own < other for own, other in pairs)


def _as_better(each: _Compared, objective: str | None) -> Better:
    variant = each.stored.variant
    return Better(variant.name, variant.parameters, each.distance, each.cost, objective)


def _compared(
    study: StoredStudy, parameters: Mapping[str, Number], states: Sequence[LayerState], goals: Goals
) -> Iterator[_Compared]:
    """All variants that have a mapping for each of the layers and keep the budgets."""
    plan = study.plan
    ranks = {name: {value: rank for rank, value in enumerate(sorted(own))} for name, own in plan.grid.values.items()}
    macs = sum(state.count * plan.problems[state.problem].macs for state in states)
    for stored in study:
        results = [stored.results[state.problem] for state in states]
        known = [result for result in results if result is not None and result.cycles is not None]
        if len(known) < len(results) or not known:
            continue
        costs = [
            replace(state, cost=Cost(result.cycles or 0, result.energy_pj or 0.0))
            for state, result in zip(states, known, strict=True)
        ]
        cost = cost_of(costs)
        units = mac_units_of(known[0], plan.problems[states[0].problem].macs)
        figures = Figures(cost.cycles, cost.energy_pj, macs, units, known[0].area_um2)
        compared = goals.costs(figures)
        if any(map(math.isnan, compared)) or any(True for _ in goals.exceeded(figures)):
            continue
        own = stored.variant.parameters
        distance = sum(abs(of[own[name]] - of[parameters[name]]) for name, of in ranks.items())
        yield _Compared(stored, cost, compared, distance)


def _nest(variants: StudyVariants, stored: StoredVariant, problem: int) -> str | None:
    """The loop nest of a stored schedule; None where it cannot be made again."""
    result, variant = stored.results[problem], variants.variant(stored.variant.number)
    if result is None or variant is None:
        return None
    evaluation = variants.evaluation(variant.number, problem, result)
    mapping = variants.mapping(variant.number, problem, result)
    if evaluation is None or mapping is None:
        return None
    return render_nest(variant.architecture, variants.problems[problem], mapping, evaluation)


def explain_schedule(template: Template, problem: Problem, schedule: Schedule, name: str) -> Explanation:
    """A schedule of one layer on a template's defaults, whose numbers are stepped by factors of two.

    Raises InputError where there is no schedule.
    """
    if schedule.mapping is None or schedule.evaluation is None:
        raise InputError(f"nothing to explain: {schedule.termination}: {schedule.error}")
    evaluation = schedule.evaluation
    cost = Cost(evaluation.latency_cycles, evaluation.energy_pj)
    state = LayerState("layer", 0, 1, cost, evaluation.utilization, Breakdown.of(evaluation))
    values = template.values()
    free = {key: (values[key],) for key, default in template.defaults.items() if not isinstance(default, str)}
    parameters = {key: own[0] for key, own in free.items()}
    space = VariantSpace(template, ParameterGrid(free), (), (problem.shape,))
    wide = _WiderSpace(_widened(space, parameters), {0: problem})
    neighbours = Neighbours(
        ParameterGrid(free), schedule.objective, wide.bounds, lambda number: {0: Scheduled(cost, schedule.lower_bound)}
    )
    architecture = template.instantiate()[0]
    return Explanation(
        name,
        "layer",
        parameters,
        "layer",
        cost,
        (state,),
        steps_of(parameters, [state], free, neighbours),
        nest=render_nest(architecture, problem, schedule.mapping, evaluation),
        of_study=False,
    )
