"""What a schedule's cycles and energy are made of, as parts that add up."""

from __future__ import annotations

from dse.model.breakdown import Breakdown

__all__ = ["MACS", "cycle_pieces", "energy_parts"]

MACS = "MACs"


def cycle_pieces(breakdown: Breakdown) -> dict[str, int]:
    """Part -> cycles: those of the MACs, and of each slower level what it needs beyond all faster ones.

    The latency is that of the slowest (Timeloop's overlap of all levels), so the pieces add up to it.
    """
    pieces = {MACS: breakdown.compute_cycles}
    reached = breakdown.compute_cycles
    for level in sorted(breakdown.levels, key=lambda own: own.latency_cycles):
        if level.latency_cycles > reached:
            pieces[level.name] = level.latency_cycles - reached
            reached = level.latency_cycles
    return pieces


def energy_parts(breakdown: Breakdown) -> dict[str, float]:
    """Part -> pJ: the MACs, then every level with its network, innermost first."""
    levels = {level.name: level.energy_pj + level.network_energy_pj for level in breakdown.levels}
    return {MACS: breakdown.arithmetic_energy_pj, **levels}
