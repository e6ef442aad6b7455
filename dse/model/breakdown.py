"""What a cost is made of, level by level, in a form that is short enough to be kept with every schedule."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dse.model.result import Evaluation

__all__ = ["Breakdown", "LevelShare"]


@dataclass(frozen=True, slots=True)
class LevelShare:
    """One storage level: the cycles that its bandwidths alone would need, the pJ of its accesses and of its network."""

    name: str
    latency_cycles: int
    energy_pj: float
    network_energy_pj: float


@dataclass(frozen=True, slots=True)
class Breakdown:
    """The cycles and pJ of the MACs, and of every storage level, innermost first."""

    compute_cycles: int
    arithmetic_energy_pj: float
    levels: tuple[LevelShare, ...]

    @classmethod
    def of(cls, evaluation: Evaluation) -> Breakdown:
        """The parts of an evaluation of a valid mapping."""
        return cls(
            evaluation.compute_cycles,
            evaluation.arithmetic_energy_pj,
            tuple(
                LevelShare(level.name, level.latency_cycles, level.energy_pj, level.network_energy_pj)
                for level in evaluation.levels
            ),
        )

    @property
    def bound_by(self) -> str:
        """What takes the cycles: the name of the slowest level, or "compute" where no level is slower than the MACs."""
        slowest = max(self.levels, key=lambda level: level.latency_cycles, default=None)
        if slowest is None or slowest.latency_cycles <= self.compute_cycles:
            return "compute"
        return slowest.name

    def to_json(self) -> str:
        """[compute cycles, pJ of the MACs, [name, cycles, pJ, pJ of the network] of every level]."""
        levels = [[own.name, own.latency_cycles, own.energy_pj, own.network_energy_pj] for own in self.levels]
        return json.dumps([self.compute_cycles, self.arithmetic_energy_pj, *levels], separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Breakdown:
        """The breakdown that `to_json` wrote."""
        compute_cycles, arithmetic_energy_pj, *levels = json.loads(text)
        return cls(compute_cycles, arithmetic_energy_pj, tuple(LevelShare(*own) for own in levels))
