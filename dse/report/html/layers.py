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
        self._levels: dict[str, list[list[float | None]]] = {}
        self._rows = 0
        self._figures: dict[str, list[float | None]] = {
            name: []
            for name in ("cycles", "energy_pj", "utilization", "compute_cycles", "arithmetic_energy_pj", "gap", "bound")
        }
        self._texts = {name: Interned() for name in ("nest", "kept", "ended", "error")}
        self._codes: dict[str, list[int]] = {name: [] for name in self._texts}

    def add(self, result: Result | None) -> None:
        """A result, or that there is none."""
        breakdown = None if result is None or result.breakdown is None else Breakdown.from_json(result.breakdown)
        figures: dict[str, float | None] = dict.fromkeys(self._figures)
        texts: dict[str, str | None] = dict.fromkeys(self._codes)
        if result is not None:
            figures |= {"cycles": result.cycles, "energy_pj": result.energy_pj, "utilization": result.utilization}
            figures |= {"gap": result.gap, "bound": result.lower_bound}
            texts["ended"] = " by ".join(filter(None, [result.termination.replace("_", " "), result.solver]))
            texts["error"] = None if result.valid else describe_failure(result)
            if result.mapping is not None:
                texts["nest"], texts["kept"] = short_nest(result.mapping)
        if breakdown is not None:
            figures["compute_cycles"] = breakdown.compute_cycles
            figures["arithmetic_energy_pj"] = breakdown.arithmetic_energy_pj
            for own in breakdown.levels:
                columns = self._levels.setdefault(own.name, [[], [], []])
                own_figures = (own.latency_cycles, own.energy_pj, own.network_energy_pj)
                for column, value in zip(columns, own_figures, strict=True):
                    if len(column) < self._rows:  # results without this level came before
                        column.extend([None] * (self._rows - len(column)))
                    column.append(value)
        self._rows += 1
        for name, figure in figures.items():
            self._figures[name].append(figure)
        for name, text in texts.items():
            self._codes[name].append(_ABSENT if text is None else self._texts[name](text))

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
