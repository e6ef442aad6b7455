"""What the page shows of single variants: every layer's cost, level by level, and its loop nest, in columns."""

from __future__ import annotations

from typing import Any

from dse.errors import InputError
from dse.model.breakdown import Breakdown
from dse.report.html.columns import Interned, shortened
from dse.report.html.overview import Shown
from dse.report.nests import short_nest
from dse.report.roofline import slopes_of
from dse.report.totals import describe_failure
from dse.sweep.reading import StoredStudy
from dse.sweep.task import Result
from dse.sweep.variants import StudyVariants

__all__ = ["MOST_RESULTS", "layer_details"]

MOST_RESULTS = 30_000
"""Of a larger study the layers are shown of the variants on a front and near it, then of others."""

_AT_ONCE = 64
_ABSENT = -1
_FIGURES = ("cycles", "energy_pj", "utilization", "compute_cycles", "arithmetic_energy_pj", "gap", "bound")
_TEXTS = ("nest", "kept", "ended", "error")


def layer_details(study: StoredStudy, shown: Shown) -> dict[str, Any]:
    """Columns over (variant, problem): the results of a variant stand together, in the order of the plan's problems.

    `variants` are places on the page. Cycles and pJ are of a layer once.
    """
    problems = len(study.plan.problems)
    position = {place: shown_at for shown_at, place in enumerate(shown.places)}
    numbers = {
        shown.groups[-1][place].variant.number: position[place]
        for place in shown.ranked()[: max(1, MOST_RESULTS // problems)]
    }
    columns = _Columns()
    chosen = list(numbers)
    variants: list[int] = []
    slopes = _Slopes(study)
    for start in range(0, len(chosen), _AT_ONCE):
        for stored in study.chosen(chosen[start : start + _AT_ONCE]):
            if not any(result is not None for result in stored.results):
                continue
            variants.append(numbers[stored.variant.number])
            slopes.add(stored.variant.number)
            for result in stored.results:
                columns.add(result)
    return {"variants": variants, "problems": problems, **columns.to_dict(), "slopes": slopes.found}


class _Slopes:
    """Per variant, the levels with a roofline."""

    def __init__(self, study: StoredStudy) -> None:
        self._variants = StudyVariants(study.plan)
        self.found: list[list[list[str | float]]] = []

    def add(self, number: int) -> None:
        try:
            architecture, _ = self._variants.space.template.instantiate(self._variants.plan.grid.parameters(number))
        except InputError:  # another program planned the study, and this one does not read its template
            self.found.append([])
            return
        slopes = slopes_of(architecture)
        self.found.append(
            [[slope.level, slope.bytes_per_cycle, slope.one_way, slope.pj_per_byte] for slope in slopes]
        )  # fmt: skip


class _Columns:
    def __init__(self) -> None:
        self._levels: dict[str, tuple[list[float | None], list[float | None], list[float | None]]] = {}
        self._rows = 0
        self._figures: dict[str, list[float | None]] = {name: [] for name in _FIGURES}
        self._texts = {name: Interned() for name in _TEXTS}
        self._codes: dict[str, list[int]] = {name: [] for name in _TEXTS}

    def add(self, result: Result | None) -> None:
        """A result, or that there is none."""
        compute_cycles = arithmetic_energy_pj = None
        if result is not None and result.breakdown is not None:
            breakdown = Breakdown.from_json(result.breakdown)
            compute_cycles, arithmetic_energy_pj = breakdown.compute_cycles, breakdown.arithmetic_energy_pj
            for own in breakdown.levels:
                columns = self._levels.setdefault(own.name, ([], [], []))
                if len(columns[0]) < self._rows:  # results without this level came before
                    for column in columns:
                        column.extend([None] * (self._rows - len(column)))
                columns[0].append(own.latency_cycles)
                columns[1].append(own.energy_pj)
                columns[2].append(own.network_energy_pj)
        self._rows += 1
        figures: tuple[float | None, ...] = (None,) * len(_FIGURES)
        texts: tuple[str | None, ...] = (None,) * len(_TEXTS)
        if result is not None:
            own_figures = (result.cycles, result.energy_pj, result.utilization, compute_cycles, arithmetic_energy_pj)
            figures = (*own_figures, result.gap, result.lower_bound)
            nest, kept = (None, None) if result.mapping is None else short_nest(result.mapping)
            ended = " by ".join(filter(None, [result.termination.replace("_", " "), result.solver]))
            texts = (nest, kept, ended, None if result.valid else describe_failure(result))
        for column, figure in zip(self._figures.values(), figures, strict=True):
            column.append(figure)
        for codes, interned, text in zip(self._codes.values(), self._texts.values(), texts, strict=True):
            codes.append(_ABSENT if text is None else interned(text))

    def to_dict(self) -> dict[str, Any]:
        """The columns; levels stand innermost first, each with its cycles, pJ and pJ of its network."""
        for columns in self._levels.values():
            for column in columns:
                column.extend([None] * (self._rows - len(column)))
        return {
            **{name: shortened(values) for name, values in self._figures.items()},
            "levels": [
                {
                    "name": name,
                    "cycles": shortened(cycles),
                    "energy_pj": shortened(energy),
                    "network_pj": _some(network),
                }
                for name, (cycles, energy, network) in self._levels.items()
            ],
            **self._codes,
            **{f"{name}_texts": interned.texts for name, interned in self._texts.items()},
        }


def _some(values: list[float | None]) -> list[float | int | None]:
    """Nothing where all are zero."""
    return shortened(values) if any(values) else []
