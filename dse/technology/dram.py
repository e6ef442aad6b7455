"""Energy of a bit from a DRAM by type: device, interface and row activations of streaming accesses.

Published figures of one type differ by half and more with the access pattern; `spread_pj_per_bit` gives what the
sources say. A memory's own figure is better: `dram_energy_pj_per_bit` in the `costs:` block.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DRAMS", "Dram"]


@dataclass(frozen=True, slots=True)
class Dram:
    """A type of DRAM: energy of a bit, the range of the published figures, and where they stand."""

    energy_pj_per_bit: float
    spread_pj_per_bit: tuple[float, float]
    source: str


_JOUPPI = "N. P. Jouppi et al., ISCA 2021, table 2, per access of 64 bits"
_HOROWITZ = "M. Horowitz, ISSCC 2014, figure 1.1.9 (1.3 to 2.6 nJ for 64 bits)"
_HA = "H. Ha, PhD thesis, Stanford 2018 (13 to 14 pJ)"
_OCONNOR = "M. O'Connor et al., Fine-Grained DRAM, MICRO 2017, figure 1 and section 2"

DRAMS = {
    "DDR3": Dram(1300 / 64, (1300 / 64, 2600 / 64), f"{_JOUPPI} (1300 pJ); {_HOROWITZ}"),
    "DDR4": Dram(1300 / 64, (1300 / 64, 2600 / 64), f"{_JOUPPI} (1300 pJ); {_HOROWITZ}"),
    "LPDDR4": Dram(8.0, (4.0, 14.0), f"hwcomponents-cacti 1.0.40 (8 pJ); {_HA}"),
    "GDDR5": Dram(14.0, (14.0, 14.0), _OCONNOR),
    "GDDR6": Dram(415 / 64, (350 / 64, 480 / 64), f"{_JOUPPI} (350 to 480 pJ)"),
    "HBM2": Dram(3.92, (250 / 64, 450 / 64), f"{_OCONNOR} (3.92 pJ); {_JOUPPI} (250 to 450 pJ)"),
}
