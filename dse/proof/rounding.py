"""What Timeloop's integers may lose against the exact counts of a program, taken off its bound."""

from __future__ import annotations

import math

from dse.model import unit_costs
from dse.proof.latency import least_cycles, least_words
from dse.proof.structure import CAPPED, Structure
from dse.specification.architecture import Architecture

__all__ = ["exact_cycles", "least_energy_pj", "rounded_down", "trivial_bound"]


def rounded_down(architecture: Architecture, structure: Structure, log_bound: float) -> float:
    """A bound on Timeloop's own figure, from log2 of a bound on the exact one.

    Reads are rounded (half a word an instance is lost at most) and fills cut off (one word). Both are whole numbers to
    begin with, except for data spaces with windows, whose tiles are shared and handed on unevenly by fan-outs.
    Cycles are rounded up, so that a bound on them alone may be as well.
    """
    if not math.isfinite(log_bound):
        return 0.0
    energy_loss, cycle_loss = _losses(architecture, structure)
    bound: float = 2.0**log_bound
    macs = structure.problem.macs
    least_energy = least_energy_pj(architecture, structure)
    least_cycles = macs / math.prod(structure.fans)
    if structure.objective == "latency":
        return float(max(math.ceil(bound - cycle_loss - 1e-6 * bound), 0)) if bound < 2**50 else bound - cycle_loss
    if structure.objective in ("energy", CAPPED):
        return max(bound - energy_loss, 0.0)
    # Energy × cycles: with E ≥ the least energy, (E − loss) ≥ E · (1 − loss / least), and likewise the cycles.
    kept_energy = max(1.0 - energy_loss / least_energy, 0.0) if least_energy > 0 else 0.0
    kept_cycles = max(1.0 - cycle_loss / least_cycles, 0.0)
    if not energy_loss:
        kept_energy = 1.0
    return bound * kept_energy * kept_cycles


def exact_cycles(architecture: Architecture, structure: Structure, cycles: float) -> float:
    """What a program counts at most for a mapping that takes Timeloop so many cycles."""
    return (cycles + _losses(architecture, structure)[1]) * (1.0 + 1e-6)


def trivial_bound(architecture: Architecture, structure: Structure) -> float:
    """A bound that needs no solver: full use of all MACs, every operation once, every word once."""
    cycles = float(least_cycles(architecture, structure.problem, structure.mapspace))
    energy = least_energy_pj(architecture, structure)
    return {"latency": cycles, "energy": energy, "edp": cycles * energy, CAPPED: energy}[structure.objective]


def least_energy_pj(architecture: Architecture, structure: Structure) -> float:
    """All operations, and every word of every data space once at the outermost level that keeps it."""
    energy = unit_costs.mac_energy_pj(architecture) * structure.problem.macs
    for space, own in enumerate(structure.problem.shape.data_spaces):
        index = structure.kept_levels[space][-1]
        level = architecture.storage[index]
        read, _, update = unit_costs.access_energies_pj(level)
        discount = structure.clusters[index] / max(level.instances, structure.clusters[index])
        words = least_words(structure.problem, own)
        energy += words * (update if own.read_write else read) / level.block_size * discount
    return energy


def _losses(architecture: Architecture, structure: Structure) -> tuple[float, float]:
    """(pJ, cycles)."""
    energy = cycles = 0.0
    for level in architecture.storage:
        # Router accesses are cut off after every record of equal multicast.
        records = sum(16 if own.windows else 2 for own in structure.spaces)
        energy += records * level.instances * (level.router_energy_pj or 0.0)
    for space, own in enumerate(structure.spaces):
        if not own.windows:
            continue
        for index in structure.kept_levels[space]:
            level = architecture.storage[index]
            copies = math.prod(structure.fans[index + 1 :]) > 1  # instances that may get unequal numbers of words
            uneven = any(structure.fans[inner + 1] > 1 and not structure.keep[inner][space] for inner in range(index))
            reads = 0.5 if copies or uneven else 0.0
            fills = 1.0 if copies else 0.0
            price = max(unit_costs.access_energies_pj(level)) / level.block_size
            price += max(level.address_generation_energy_pj or 0.0, 0.0)
            energy += (reads + fills) * level.instances * price
            for words, bandwidth in (
                (reads, level.read_bandwidth),
                (fills, level.write_bandwidth),
                (reads + fills, level.shared_bandwidth),
            ):
                if bandwidth is not None:
                    cycles = max(cycles, words / bandwidth)
    return energy, cycles
