"""What two evaluations of the same mapping disagree on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dse.model.result import Evaluation, LevelCost
from dse.specification.architecture import Architecture

__all__ = ["RELATIVE_TOLERANCE", "Difference", "differences"]

RELATIVE_TOLERANCE = 1e-9
"""Energies are sums of doubles whose order is Timeloop's own; counts, cycles and reasons have to be equal."""

_PRINTED_AREA_ERROR_UM2 = 0.00501
"""Timeloop gives the area of one storage instance with two decimals, and reads tables of areas in single precision."""

_SINGLE_PRECISION = 1.2e-7


@dataclass(frozen=True, slots=True)
class Difference:
    """A figure (or the reason of an invalid mapping) on which the two evaluators differ."""

    quantity: str
    embedded: float | str | None
    timeloop: float | str | None

    def to_dict(self) -> dict[str, Any]:
        return {"quantity": self.quantity, "embedded": self.embedded, "timeloop": self.timeloop}


def differences(embedded: Evaluation, timeloop: Evaluation, architecture: Architecture) -> list[Difference]:
    """Every figure that differs; empty if the two say the same."""
    if embedded.error is not None or timeloop.error is not None:
        if embedded.error == timeloop.error:
            return []
        return [Difference("error", embedded.error, timeloop.error)]
    return list(_of_valid(embedded, timeloop, architecture))


def _of_valid(one: Evaluation, other: Evaluation, architecture: Architecture) -> Iterator[Difference]:
    yield from _exact("cycles", one.latency_cycles, other.latency_cycles)
    yield from _exact("compute cycles", one.compute_cycles, other.compute_cycles)
    yield from _close("energy_pJ", one.energy_pj, other.energy_pj)
    yield from _close("arithmetic energy_pJ", one.arithmetic_energy_pj, other.arithmetic_energy_pj)
    yield from _close("utilization", one.utilization, other.utilization)
    rounding = _PRINTED_AREA_ERROR_UM2 * sum(level.instances for level in architecture.storage)
    yield from _close("area_um2", one.area_um2, other.area_um2, rounding + _SINGLE_PRECISION * (one.area_um2 or 0.0))
    for mine, theirs in zip(one.levels, other.levels, strict=True):
        yield from _of_level(mine, theirs)


def _of_level(one: LevelCost, other: LevelCost) -> Iterator[Difference]:
    yield from _exact(f"{one.name} cycles", one.latency_cycles, other.latency_cycles)
    yield from _close(f"{one.name} network energy_pJ", one.network_energy_pj, other.network_energy_pj)
    if one.data_spaces.keys() != other.data_spaces.keys():
        yield Difference(f"{one.name} keeps", ", ".join(one.data_spaces), ", ".join(other.data_spaces))
        return
    for name, mine in one.data_spaces.items():
        theirs, where = other.data_spaces[name], f"{one.name} {name}"
        yield from _exact(f"{where} reads", mine.reads, theirs.reads)
        yield from _exact(f"{where} fills", mine.fills, theirs.fills)
        yield from _exact(f"{where} updates", mine.updates, theirs.updates)
        yield from _exact(f"{where} tile words", mine.tile_words, theirs.tile_words)
        yield from _close(f"{where} energy_pJ", mine.energy_pj, theirs.energy_pj)
    if one.data_spaces:
        yield from _exact(f"{one.name} instances", one.instances, other.instances)


def _exact(quantity: str, one: int, other: int) -> Iterator[Difference]:
    if one != other:
        yield Difference(quantity, one, other)


def _close(quantity: str, one: float | None, other: float | None, absolute: float = 0.0) -> Iterator[Difference]:
    if one is None or other is None:
        if one is not other:
            yield Difference(quantity, one, other)
    elif not math.isclose(one, other, rel_tol=RELATIVE_TOLERANCE, abs_tol=max(absolute, RELATIVE_TOLERANCE)):
        yield Difference(quantity, one, other)
