"""What an evaluation says: the answer of the embedded model and of `timeloop-model` alike."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dse.frames import frame

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EMBEDDED", "DataSpaceCost", "Evaluation", "LevelCost"]

EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class DataSpaceCost:
    """One data space at one level: words per instance, energy over all instances (as Timeloop reports them)."""

    reads: int
    fills: int
    updates: int
    energy_pj: float
    tile_words: int = 0


@dataclass(frozen=True, slots=True)
class LevelCost:
    """One storage level. `latency_cycles` is what the level's bandwidths alone would need."""

    name: str
    latency_cycles: int
    data_spaces: dict[str, DataSpaceCost]
    energy_pj: float
    network_energy_pj: float = 0.0
    instances: int = 1


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Cost of one mapping, or the reason why it does not fit (then `error` is set and the figures are zero).

    `area_um2` is None where the architecture gives no area. `edp` is in pJ × cycles. `evaluator` says who computed it:
    the embedded model, or `timeloop-model` with its version.
    """

    error: str | None = None
    latency_cycles: int = 0
    energy_pj: float = 0.0
    utilization: float = 0.0
    area_um2: float | None = None
    compute_cycles: int = 0
    arithmetic_energy_pj: float = 0.0
    levels: tuple[LevelCost, ...] = field(default=())
    evaluator: str = EMBEDDED

    @property
    def valid(self) -> bool:
        return self.error is None

    @property
    def edp(self) -> float:
        return self.energy_pj * self.latency_cycles

    def to_frame(self) -> pd.DataFrame:
        """One row for each level and data space that it keeps: words per instance, pJ over all instances.

        Raises ToolError where pandas is missing.
        """
        rows = (
            {
                "level": level.name,
                "data_space": name,
                "reads": cost.reads,
                "fills": cost.fills,
                "updates": cost.updates,
                "energy_pJ": cost.energy_pj,
                "tile_words": cost.tile_words,
                "instances": level.instances,
            }
            for level in self.levels
            for name, cost in level.data_spaces.items()
        )
        return frame(rows)

    def to_dict(self) -> dict[str, Any]:
        """The object that `dse evaluate --json` prints; it names the evaluator where that is not the embedded one."""
        origin = {} if self.evaluator == EMBEDDED else {"evaluator": self.evaluator}
        if self.error is not None:
            return {"valid": False, "error": self.error, **origin}
        return {
            "valid": True,
            **origin,
            "cycles": self.latency_cycles,
            "energy_pJ": self.energy_pj,
            "utilization": self.utilization,
            "area_um2": self.area_um2,
            "levels": [
                {
                    "name": level.name,
                    "cycles": level.latency_cycles,
                    "energy_pJ": level.energy_pj,
                    "network_energy_pJ": level.network_energy_pj,
                    "tensors": {
                        name: {
                            "reads": cost.reads,
                            "fills": cost.fills,
                            "updates": cost.updates,
                            "energy_pJ": cost.energy_pj,
                        }
                        for name, cost in level.data_spaces.items()
                    },
                }
                for level in self.levels
            ],
        }
