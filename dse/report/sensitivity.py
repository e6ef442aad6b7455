"""What each parameter does: main effects and interactions over a sweep, and single steps around the front.

The costs of a sweep multiply (twice the elements, half the cycles), so the effects are those of an additive model of
their logarithms, fitted by least squares over the variants that are complete (Box, Hunter & Hunter, Statistics for
Experimenters, ch. 5). On a full grid that is the analysis of variance; where variants are missing the fit keeps one
parameter's effect from being taken for another's. A share is the sum of squares that the model loses without a
parameter, or gains by a pair of them, over that of the whole sweep: on a full grid the shares add up to 1 at most.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dse.report.front import costs, non_dominated
from dse.report.totals import Total
from dse.specification.goals import Goals
from dse.specification.space import ParameterGrid
from dse.specification.template import Number

__all__ = ["Effects", "Interaction", "MainEffect", "Step", "StepSummary", "effects_of", "steps_around", "summaries_of"]

_MOST_ROWS = 20_000
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class MainEffect:
    """One parameter on one objective: per value, the objective as a multiple of its geometric mean over the sweep.

    Parameters that change together in all variants, as a constraint may say, are one: `rows with columns`, by the
    values of the first.
    `low` and `high` are the quartiles of the variants with that value, likewise; None where no variant has it.
    """

    parameter: str
    share: float
    values: tuple[Number, ...]
    factors: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Interaction:
    """How much of an objective's spread two parameters explain together beyond what each does by itself."""

    first: str
    second: str
    share: float


@dataclass(frozen=True, slots=True)
class Effects:
    """All effects on one objective, over `variants` of them; `explained` by main effects alone, 0 to 1."""

    objective: str
    variants: int
    explained: float
    main: tuple[MainEffect, ...]
    interactions: tuple[Interaction, ...]


def effects_of(totals: Sequence[Total], grid: ParameterGrid, goals: Goals) -> list[Effects]:
    """The effects on every objective of the goals; none of one that no two complete variants differ in."""
    found = np.array([total.figures is not None for total in totals], dtype=np.bool_)
    chosen = np.flatnonzero(found)
    if len(chosen) > _MOST_ROWS:
        chosen = chosen[np.linspace(0, len(chosen) - 1, _MOST_ROWS).astype(np.intp)]
    picked = [totals[index] for index in chosen.tolist()]
    digits = _digits(picked, grid)
    points = np.array([goals.costs(total.figures) for total in picked if total.figures is not None], np.float64)
    points = points.reshape(len(picked), len(goals.objectives))
    effects: list[Effects] = []
    for column, objective in enumerate(goals.chosen):
        values = points[:, column]
        usable = np.isfinite(values) & (values > 0)
        logs = np.log(values[usable]) * (-1.0 if objective.maximise else 1.0)
        if len(logs) > 1 and np.ptp(logs) > 0:
            effects.append(_effects(objective.name, logs, digits[usable], grid))
    return effects


def _digits(totals: Sequence[Total], grid: ParameterGrid) -> npt.NDArray[np.intp]:
    """(totals, parameters): the position of each value in the list of its parameter."""
    places = [{value: place for place, value in enumerate(values)} for values in grid.values.values()]
    rows = [
        [own[value] for own, value in zip(places, total.variant.parameters.values(), strict=True)] for total in totals
    ]
    return np.array(rows, dtype=np.intp).reshape(len(totals), len(places))


def _effects(name: str, logs: Matrix, digits: npt.NDArray[np.intp], grid: ParameterGrid) -> Effects:
    together = _together(digits)
    names = list(grid.values)
    parameters = [" with ".join(names[place] for place in group) for group in together]
    listed = [grid.values[names[group[0]]] for group in together]
    digits = digits[:, [group[0] for group in together]]
    centred = logs - logs.mean()
    whole = float(centred @ centred)
    columns = [_contrasts(digits[:, place], len(values)) for place, values in enumerate(listed)]
    left, fitted = _residual(centred, columns)
    main = [
        _main(own, values, digits[:, place], logs, fitted[place], (_without(centred, columns, place) - left) / whole)
        for place, (own, values) in enumerate(zip(parameters, listed, strict=True))
    ]
    interactions: list[Interaction] = []
    for first, second in itertools.combinations(range(len(parameters)), 2):
        pair = np.einsum("ni,nj->nij", columns[first], columns[second]).reshape(len(logs), -1)
        if pair.shape[1]:
            gained = left - _residual(centred, [*columns, pair])[0]
            interactions.append(Interaction(parameters[first], parameters[second], max(0.0, gained / whole)))
    return Effects(name, len(logs), max(0.0, 1.0 - left / whole), tuple(main), tuple(interactions))


def _together(digits: npt.NDArray[np.intp]) -> list[list[int]]:
    """Parameters in groups: those of a group tell the variants apart in the same way."""
    groups: dict[bytes, list[int]] = {}
    for place in range(digits.shape[1]):
        _, first, inverse = np.unique(digits[:, place], return_index=True, return_inverse=True)
        same = first[inverse].tobytes() if len(first) > 1 else f"constant {place}".encode()
        groups.setdefault(same, []).append(place)
    return list(groups.values())


def _contrasts(digits: npt.NDArray[np.intp], values: int) -> Matrix:
    """Columns that sum to zero over the values of a parameter (effect coding)."""
    coding = np.vstack([np.eye(values - 1), -np.ones((1, values - 1))]) if values > 1 else np.zeros((1, 0))
    columns: Matrix = coding[digits]
    return columns


def _residual(logs: Matrix, columns: Sequence[Matrix]) -> tuple[float, list[Matrix]]:
    """(sum of squares that is left, per block of columns its coefficients)."""
    design = np.hstack([np.ones((len(logs), 1)), *columns])
    solution: Matrix = np.linalg.lstsq(design, logs, rcond=None)[0].astype(np.float64)
    rest = logs - design @ solution
    ends = np.cumsum([1, *(block.shape[1] for block in columns)])
    return float(rest @ rest), [solution[start:end] for start, end in itertools.pairwise(ends)]


def _without(logs: Matrix, columns: Sequence[Matrix], place: int) -> float:
    return _residual(logs, [block for other, block in enumerate(columns) if other != place])[0]


def _main(
    name: str, values: tuple[Number, ...], digits: npt.NDArray[np.intp], logs: Matrix, fitted: Matrix, share: float
) -> MainEffect:
    effects = np.append(fitted, -fitted.sum()) if len(values) > 1 else np.zeros(1)
    centre = logs.mean()
    factors: list[float | None] = []
    low: list[float | None] = []
    high: list[float | None] = []
    counts: list[int] = []
    for place in range(len(values)):
        own = logs[digits == place] - centre
        counts.append(len(own))
        known = len(own) > 0
        factors.append(float(np.exp(effects[place])) if known else None)
        low.append(float(np.exp(np.quantile(own, 0.25))) if known else None)
        high.append(float(np.exp(np.quantile(own, 0.75))) if known else None)
    return MainEffect(name, max(0.0, share), values, tuple(factors), tuple(low), tuple(high), tuple(counts))


@dataclass(frozen=True, slots=True)
class Step:
    """From a variant of the front to its neighbour, one value of one parameter up or down, all others equal.

    `ratios` are the neighbour's objectives over its own, in the order of the goals; None where it has no figures.
    """

    variant: str
    parameter: str
    up: bool
    neighbour: str
    ratios: tuple[float, ...] | None


@dataclass(frozen=True, slots=True)
class StepSummary:
    """All steps of one parameter in one direction: per objective (least, median, largest) ratio; how many have one."""

    parameter: str
    up: bool
    known: int
    unknown: int
    ratios: tuple[tuple[float, float, float], ...]


def steps_around(totals: Sequence[Total], grid: ParameterGrid, goals: Goals) -> Iterator[Step]:
    """Every step from a variant of the front that stays in the grid and leads to a variant the sweep has come to."""
    points = costs(totals, goals)
    numbered = {total.variant.number: index for index, total in enumerate(totals)}
    for index in np.flatnonzero(non_dominated(points)).tolist():
        own = totals[index]
        for name, values in grid.values.items():
            place = values.index(own.variant.parameters[name])
            for target in (place - 1, place + 1):
                if not 0 <= target < len(values):
                    continue
                number = grid.number(own.variant.parameters | {name: values[target]})
                if number not in numbered:
                    continue
                other = totals[numbered[number]]
                figures, before = other.figures, own.figures
                ratios = None
                if figures is not None and before is not None:
                    pairs = zip(goals.costs(figures), goals.costs(before), goals.chosen, strict=True)
                    ratios = tuple(_ratio(new, old, objective.maximise) for new, old, objective in pairs)
                yield Step(own.variant.name, name, target > place, other.variant.name, ratios)


def _ratio(new: float, old: float, maximise: bool) -> float:
    if maximise:
        new, old = old, new
    return new / old if old else float("nan")


def summaries_of(steps: Sequence[Step]) -> list[StepSummary]:
    """The steps by parameter and direction, in the order in which they come."""
    groups: dict[tuple[str, bool], list[Step]] = {}
    for step in steps:
        groups.setdefault((step.parameter, step.up), []).append(step)
    summaries: list[StepSummary] = []
    for (parameter, up), own in groups.items():
        known = [step.ratios for step in own if step.ratios is not None]
        ratios = tuple((min(column), statistics.median(column), max(column)) for column in zip(*known, strict=True))
        summaries.append(StepSummary(parameter, up, len(known), len(own) - len(known), ratios))
    return summaries
