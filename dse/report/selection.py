"""Picking variants of a stored study by their names."""

from __future__ import annotations

from collections.abc import Collection

from dse.errors import InputError
from dse.report.totals import Total
from dse.specification.goals import Goals
from dse.sweep.reading import StoredStudy, StoredVariant

__all__ = ["pruned_elsewhere", "variant_named"]


def variant_named(study: StoredStudy, name: str) -> StoredVariant:
    """The variant of that name (`v07`, or the number alone). Raises InputError where the sweep has come to none."""
    grid = study.plan.grid
    digits = name.removeprefix("v")
    number = int(digits) if digits.isascii() and digits.isdecimal() else -1
    found = study.chosen([number]) if number in study.numbers else []
    if not found:
        told = f"from {grid.name(0)} to {grid.name(grid.size - 1)}"
        state = (
            "is no variant that the sweep has come to"
            if 0 <= number < grid.size
            else f"is none of its variants, {told}"
        )
        raise InputError(f'{study.plan.name}: "{name}" {state}')
    return found[0]


def pruned_elsewhere(goals: Goals, totals: Collection[Total]) -> int:
    """Variants that were left out for reasons which say nothing at equal area: pruned where area was no objective."""
    return 0 if "area" in goals.objectives else sum(total.pruned and not total.over_budget for total in totals)
