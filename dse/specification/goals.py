"""What the front of a study is about: objectives, budgets, and how networks are combined.

study:
  objectives: [latency, energy, area]    # two or three of dse.specification.objectives; default [latency, energy]
  clock_mhz: 1000                        # turns cycles into seconds
  budgets: [area_mm2 <= 10, power_w <= 5]
  combine: sum                           # or geometric_mean, of the networks with their weights
  reference: {latency: 1e8, energy: 1e10, area: 1e7}   # of the hypervolume, in the units of the objectives
  operating_points: 4                    # of each layer: schedules between the fastest and the least energy

None of these changes a schedule: they say how schedules are compared, and ask for more of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dse.specification.fields import Section, describe, nearest
from dse.specification.objectives import OBJECTIVES, QUANTITIES, Figures, Objective, combined

__all__ = ["COMBINATIONS", "DEFAULT_CLOCK_MHZ", "Budget", "Goals", "read_goals"]

COMBINATIONS = ("sum", "geometric_mean")
DEFAULT_CLOCK_MHZ = 1000.0

_MOST_OBJECTIVES = 3
_MOST_OPERATING_POINTS = 16
_SLOWEST = 4.0
_BUDGET = re.compile(r"\s*([A-Za-z_]\w*)\s*(<=|>=)\s*(\S+)\s*")


@dataclass(frozen=True, slots=True)
class Budget:
    """A limit on a quantity of `QUANTITIES`: at most where less is better, else at least."""

    quantity: str
    limit: float

    @property
    def objective(self) -> Objective:
        return QUANTITIES[self.quantity].objective

    def value(self, figures: Figures, clock_mhz: float) -> float:
        """The quantity; NaN where the figures lack what it needs."""
        return QUANTITIES[self.quantity].value(figures, clock_mhz)

    def exceeded(self, figures: Figures, clock_mhz: float) -> bool:
        """Whether the limit is known to be exceeded."""
        value = self.value(figures, clock_mhz)
        return value < self.limit if self.objective.maximise else value > self.limit

    def __str__(self) -> str:
        return f"{self.quantity} {'>=' if self.objective.maximise else '<='} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Goals:
    """What a study compares its variants by. `weights` names the networks that count other than once.

    `operating_points` of each layer are scheduled beside what the study's objective gives; 0 for none.
    """

    objectives: tuple[str, ...] = ("latency", "energy")
    clock_mhz: float = DEFAULT_CLOCK_MHZ
    budgets: tuple[Budget, ...] = ()
    combine: str = "sum"
    weights: Mapping[str, float] = field(default_factory=dict)
    reference: Mapping[str, float] = field(default_factory=dict)
    operating_points: int = 0

    @property
    def latency_factors(self) -> tuple[float | None, ...]:
        """How many times the least cycles the operating points of a layer may take, up to `_SLOWEST`; None: any."""
        steps = self.operating_points - 1
        return (*(_SLOWEST ** (step / steps) for step in range(steps)), None) if steps > 0 else ()

    @property
    def chosen(self) -> tuple[Objective, ...]:
        """The objectives themselves."""
        return tuple(OBJECTIVES[name] for name in self.objectives)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the objectives in tables."""
        return tuple(objective.column for objective in self.chosen)

    @property
    def asked(self) -> set[str]:
        """The names of all objectives that are compared or have a budget."""
        return {*self.objectives, *(budget.objective.name for budget in self.budgets)}

    @property
    def needs_area(self) -> str | None:
        """What asks for areas, for a message; None where nothing does."""
        if "area" in self.objectives:
            return "the objective area"
        return next((f"the budget {budget}" for budget in self.budgets if budget.objective.name == "area"), None)

    def weight(self, network: str) -> float:
        """How much a network counts beside others."""
        return self.weights.get(network, 1)

    def costs(self, figures: Figures) -> tuple[float, ...]:
        """One cost for each objective, better small; NaN where the figures lack what it needs."""
        return tuple(objective.cost(figures, self.clock_mhz) for objective in self.chosen)

    def combined(self, networks: Sequence[tuple[str, Figures]]) -> Figures:
        """All networks of a study on one variant, each given with its name."""
        weights = [self.weight(name) for name, _ in networks]
        return combined([figures for _, figures in networks], weights, self.combine)

    def exceeded(self, figures: Figures) -> Iterator[str]:
        """What of the budgets the figures exceed, in words."""
        for budget in self.budgets:
            if budget.exceeded(figures, self.clock_mhz):
                yield f"{budget.quantity} {budget.value(figures, self.clock_mhz):.4g} (budget {budget})"

    def to_dict(self) -> dict[str, Any]:
        """Plain data, in the form of the study file but for the weights."""
        return {
            "objectives": list(self.objectives),
            "clock_mhz": self.clock_mhz,
            "budgets": [[budget.quantity, budget.limit] for budget in self.budgets],
            "combine": self.combine,
            "weights": dict(self.weights),
            "reference": dict(self.reference),
            "operating_points": self.operating_points,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Goals:
        """The goals that `to_dict` wrote. Raises KeyError or TypeError on anything else."""
        return cls(
            tuple(data["objectives"]),
            data["clock_mhz"],
            tuple(Budget(quantity, limit) for quantity, limit in data["budgets"]),
            data["combine"],
            data["weights"],
            data["reference"],
            data.get("operating_points", 0),  # older folders have none
        )


def read_goals(section: Section, weights: Mapping[str, float]) -> Goals:
    """The goals among the keys of a study; `weights` are those of its networks."""
    objectives = _read_objectives(section)
    clock_mhz = section.number("clock_mhz", default=DEFAULT_CLOCK_MHZ, above=0.0)
    budgets = _read_budgets(section)
    combine = section.text("combine", "sum", choices=COMBINATIONS)
    given = section.section("reference", required=False)
    reference: dict[str, float] = {}
    if section.has("reference"):
        for name in objectives:
            _, value = given.raw(name)
            number = None if isinstance(value, bool) else _number(str(value))
            if not given.has(name):
                given.fault(name, "expected a value for every objective of the study, got nothing")
            elif number is None:
                given.fault(name, f"expected a number above 0, got {describe(value)}")
            reference[name] = number or 1.0
        given.finish()
    operating_points = section.integer("operating_points", default=0, minimum=2)
    if operating_points > _MOST_OPERATING_POINTS:
        section.fault("operating_points", f"expected at most {_MOST_OPERATING_POINTS}, got {operating_points}")
    if operating_points and combine != "sum":
        section.fault("operating_points", f"they are added up over networks: expected combine: sum, got {combine}")
    return Goals(objectives, clock_mhz, budgets, combine, dict(weights), reference, operating_points)


def _read_objectives(section: Section) -> tuple[str, ...]:
    default = Goals().objectives
    if not section.has("objectives"):
        return default
    faults = len(section.reader.faults)
    names = section.items("objectives")
    for position, name in enumerate(names):
        path = (*section.path, "objectives", position)
        if not isinstance(name, str):
            section.reader.fault(path, f"expected the name of an objective, got {describe(name)}")
        elif name not in OBJECTIVES:
            section.reader.fault(path, f'unknown objective "{name}"{nearest(name, OBJECTIVES)}')
        elif name in names[:position]:
            section.reader.fault(path, f"{name} stands twice")
    if len(section.reader.faults) > faults:
        return default
    if not 2 <= len(names) <= _MOST_OBJECTIVES:
        section.fault("objectives", f"expected two or three objectives, got {len(names)}")
        return default
    return tuple(names)


def _read_budgets(section: Section) -> tuple[Budget, ...]:
    found: list[Budget] = []
    for position, text in enumerate(section.items("budgets", required=False)):
        path = (*section.path, "budgets", position)
        match = _BUDGET.fullmatch(text) if isinstance(text, str) else None
        limit = None if match is None else _number(match[3])
        if match is None or limit is None:
            section.reader.fault(path, f"expected a limit such as area_mm2 <= 10, got {describe(text)}")
            continue
        if match[1] not in QUANTITIES:
            section.reader.fault(path, f'unknown quantity "{match[1]}"{nearest(match[1], QUANTITIES)}')
            continue
        budget = Budget(match[1], limit)
        sense = ">=" if budget.objective.maximise else "<="
        if match[2] != sense:
            better = "more" if budget.objective.maximise else "less"
            section.reader.fault(path, f"of {match[1]} {better} is better: expected {budget}")
            continue
        found.append(budget)
    return tuple(found)


def _number(text: str) -> float | None:
    """A finite number above 0; 1e9 is one, which YAML takes for a text."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None
