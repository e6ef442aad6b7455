"""Components as their costs see them, and the one interface of all sources of costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["ComponentCost", "CostSource", "Memory", "OutsideTableError"]


class OutsideTableError(Exception):
    """Raised where a source has no figure for a component: its size, width or node lies outside what is known."""


@dataclass(frozen=True, slots=True)
class Memory:
    """An on-chip memory: `rows` of `width_bits` each, one of which is read or written at a time."""

    rows: int
    width_bits: int
    ports: int = 1
    banks: int = 1

    @property
    def capacity_bytes(self) -> float:
        return self.rows * self.width_bits / 8


@dataclass(frozen=True, slots=True)
class ComponentCost:
    """Energy of one action (a row read, a row written, an operation) and area of one component.

    `area_um2` and `leakage_uw` (static power) are None where the source does not know them.
    """

    read_energy_pj: float
    write_energy_pj: float
    area_um2: float | None = None
    leakage_uw: float | None = None


class CostSource(Protocol):
    """Where costs come from. Each method raises OutsideTableError where the source has no figure."""

    @property
    def label(self) -> str:
        """What is recorded with every result: the source, its node and its kind of DRAM."""
        ...

    def memory(self, memory: Memory) -> ComponentCost: ...

    def dram(self, width_bits: int) -> ComponentCost:
        """An access to `width_bits` of a memory outside the chip, whose area is not the chip's."""
        ...

    def mac(self, word_bits: int) -> ComponentCost:
        """A multiplier and the adder behind it; both energies are that of one operation."""
        ...
