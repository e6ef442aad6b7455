"""Energy of one access and area of one instance: what an architecture says, and where it says nothing, PAT's figures.

Of adders, wires and areas PAT says nothing (dse/technology/pat.py): they cost what the architecture gives.
"""

from __future__ import annotations

import math

from dse.specification.architecture import Architecture, StorageLevel
from dse.specification.costs import memory_of
from dse.technology.pat import PatSource

__all__ = [
    "access_energies_pj",
    "area_um2",
    "mac_energy_pj",
    "tile_widths_um",
    "vector_access_energy_pj",
    "wire_energy_per_hop_pj",
]

_PAT = PatSource()


def mac_energy_pj(architecture: Architecture) -> float:
    """Energy of one operation."""
    arithmetic = architecture.arithmetic
    return _PAT.mac(arithmetic.word_bits).read_energy_pj if arithmetic.energy_pj is None else arithmetic.energy_pj


def vector_access_energy_pj(level: StorageLevel) -> float:
    """Energy of one access to a block of words of one instance, shared by the instances of its cluster.

    Where the architecture says nothing, it is PAT's for the row of a cluster over the instances of the cluster
    (buffer.cpp:ParseSpecs), whose energy Timeloop then shares out once more.
    """
    if level.vector_access_energy_pj is not None:
        return level.vector_access_energy_pj
    if level.technology == "DRAM":
        return _PAT.dram(level.word_bits * level.block_size).read_energy_pj
    memory = memory_of(level)
    return 0.0 if memory is None else _PAT.memory(memory).read_energy_pj / level.cluster_size


def access_energies_pj(level: StorageLevel) -> tuple[float, float, float]:
    """Energy of a read, a fill and an update of one block; alike unless a reference table tells them apart."""
    alike = vector_access_energy_pj(level)
    given = (level.read_energy_pj, level.fill_energy_pj, level.update_energy_pj)
    read, fill, update = (alike if energy is None else energy for energy in given)
    return read, fill, update


def _instance_area_um2(level: StorageLevel) -> float:
    if level.area_um2 is not None:
        return level.area_um2
    return 0.0 if not level.cluster_area_um2 else level.cluster_area_um2 / level.cluster_size


def area_um2(architecture: Architecture) -> float | None:
    """Area of all instances; None where the architecture gives none (PAT has no areas)."""
    arithmetic = architecture.arithmetic
    if arithmetic.area_um2 is None and not any(map(_instance_area_um2, architecture.storage)):
        return None
    total = (arithmetic.area_um2 or 0.0) * arithmetic.instances
    return total + sum(_instance_area_um2(level) * level.instances for level in architecture.storage)


def tile_widths_um(architecture: Architecture) -> tuple[float, ...]:
    """Per storage level the side of the square that one child with all inside it occupies (topology.cpp:FloorPlan)."""
    area, inner, widths = architecture.arithmetic.area_um2 or 0.0, architecture.arithmetic.instances, []
    for level in architecture.storage:
        widths.append(math.sqrt(area))
        area = _instance_area_um2(level) + area * (inner // level.instances)
        inner = level.instances
    return tuple(
        level.tile_width_um if level.tile_width_um is not None else width
        for level, width in zip(architecture.storage, widths, strict=True)
    )


def has_network_energy(level: StorageLevel) -> bool:
    """Whether moving words on the network below a level costs anything."""
    return bool(level.energy_per_hop_pj or level.wire_energy_pj_per_bit_mm or level.router_energy_pj)


def wire_energy_per_hop_pj(level: StorageLevel, tile_width_um: float) -> float:
    """Energy to move a word by one tile on the network below a level."""
    if level.energy_per_hop_pj is not None:
        return level.energy_per_hop_pj
    bits = level.network_word_bits if level.network_word_bits is not None else level.word_bits
    return bits * (tile_width_um / 1000) * (level.wire_energy_pj_per_bit_mm or 0.0)
