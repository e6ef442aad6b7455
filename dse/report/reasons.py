"""Why variants are not on a front, grouped: what was pruned, refused or failed, and how often."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dse.report.certainty import Standing
from dse.report.totals import Total

__all__ = ["Reason", "grouped_reasons"]

_NUMBER = re.compile(r"\d[\d.,e+]*(?:[eE][+-]?\d+)?")
_MOST_EXAMPLES = 24
_MOST_GROUPS = 200
_EXPLAINED = (Standing.PRUNED, Standing.OVER_BUDGET, Standing.REFUSED, Standing.INCOMPLETE)


@dataclass(frozen=True, slots=True)
class Reason:
    """Variants that lack a place on the front for reasons which differ in numbers alone; `example` is the first's."""

    standing: Standing
    example: str
    count: int
    variants: tuple[str, ...]


def grouped_reasons(totals: Iterable[Total], standings: Sequence[Standing]) -> list[Reason]:
    """The groups, those of most variants first. A variant with several failed layers is in the group of the first."""
    found: dict[tuple[Standing, str], tuple[str, list[str]]] = {}
    for total, standing in zip(totals, standings, strict=True):
        if standing in _EXPLAINED:
            text = _reason(total, standing)
            key = (standing, _NUMBER.sub("#", _without_names(text, standing)))
            _, names = found.setdefault(key, (text, []))
            names.append(total.variant.name)
    groups = [
        Reason(standing, example, len(names), tuple(names[:_MOST_EXAMPLES]))
        for (standing, _), (example, names) in found.items()
    ]
    return sorted(groups, key=lambda group: -group.count)[:_MOST_GROUPS]


def _reason(total: Total, standing: Standing) -> str:
    if standing is Standing.OVER_BUDGET and total.over_budget:
        return "; ".join(total.over_budget)
    more = f" (and {len(total.missing) - 1} more layers)" if len(total.missing) > 1 else ""
    return f"{total.missing[0]}{more}"


def _without_names(text: str, standing: Standing) -> str:
    """Of a failed layer the name does not count, nor how many more there are."""
    if standing is not Standing.INCOMPLETE:
        return text
    _, _, reason = text.partition(": ")
    return reason.partition(" (and ")[0]
