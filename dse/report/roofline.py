"""A roofline for a storage level (Williams, Waterman & Patterson, CACM 52:4, 2009) from what is stored of a result.

The bytes that pass at a level follow from its energy: accesses cost alike there, so energy over the energy of a byte is
their number, but for blocks that are filled in part. Levels whose reads and writes cost differently (reference tables),
or whose instances share their accesses (clusters), have no roofline.
"""

from __future__ import annotations

from dataclasses import dataclass

from dse.model.unit_costs import access_energies_pj
from dse.specification.architecture import Architecture, StorageLevel

__all__ = ["Slope", "slopes_of"]


@dataclass(frozen=True, slots=True)
class Slope:
    """A level with a limited bandwidth, over all its instances.

    `bytes_per_cycle` counts both directions together, `one_way` the narrower of them, where each has its own.
    `pj_per_byte` is what an access costs.
    """

    level: str
    bytes_per_cycle: float
    one_way: float
    pj_per_byte: float


def slopes_of(architecture: Architecture) -> list[Slope]:
    """The levels with a roofline, innermost first."""
    slopes = (_slope(level) for level in architecture.storage)
    return [slope for slope in slopes if slope is not None]


def _slope(level: StorageLevel) -> Slope | None:
    ways = [own for own in (level.read_bandwidth, level.write_bandwidth) if own is not None]
    limits = [sum(ways)] if len(ways) == 2 else []
    limits += [level.shared_bandwidth] if level.shared_bandwidth is not None else []
    energies = set(access_energies_pj(level))
    if not (ways or limits) or level.cluster_size > 1 or len(energies) > 1 or 0 in energies:
        return None
    bytes_a_word = level.word_bits / 8
    both = min(limits, default=min(ways, default=0.0))
    return Slope(
        level.name,
        both * level.instances * bytes_a_word,
        min([both, *ways]) * level.instances * bytes_a_word,
        energies.pop() / (level.block_size * bytes_a_word),
    )
