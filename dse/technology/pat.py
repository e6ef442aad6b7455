"""Timeloop's public tables of energies (PAT): the source that the papers on Timeloop and CoSA compare with.

The formulas are those of Timeloop 019f107, pat-public/src/pat/pat.cpp and src/model/buffer.cpp (ParseSpecs). PAT has
no areas, and no register files: a memory of any kind costs as an SRAM, linear in its capacity, whatever its ports.
"""

from __future__ import annotations

from dse.technology.component import ComponentCost, Memory

__all__ = ["PAT", "PatSource"]

PAT = "pat"


class PatSource:
    """`pat`: the default."""

    label = PAT

    def memory(self, memory: Memory) -> ComponentCost:
        kilobytes = memory.width_bits * memory.rows / 8192
        energy_pj = ((5 / 99.5) * (kilobytes - 0.5) + 1) * memory.width_bits / 16
        return ComponentCost(energy_pj, energy_pj)

    def dram(self, width_bits: int) -> ComponentCost:
        energy_pj = 200.0 * width_bits / 16
        return ComponentCost(energy_pj, energy_pj)

    def mac(self, word_bits: int) -> ComponentCost:
        energy_pj = (word_bits / 16) ** 2
        return ComponentCost(energy_pj, energy_pj)
