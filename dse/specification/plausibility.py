"""Figures that are well formed and hardly meant: units mixed up. They are noted, never changed.

Each check compares a figure with the widest range that hardware has had, so that what it catches is off by a factor of
thousand (kilobytes for words, nJ for pJ, mm² for µm²) or, for counts, makes no sense beside the levels around it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dse.errors import Fault
from dse.specification.architecture import Architecture, StorageLevel
from dse.specification.document import Document, KeyPath

__all__ = ["doubts"]

_LARGEST_REGISTERS_BYTES = 1 << 20
"""Of one instance beside a few MACs: a register file of a GPU has 64 KiB."""

_MACS_OF_REGISTERS = 256
_LARGEST_ON_CHIP_BYTES = 1 << 30
_LARGEST_WORD_BITS = 128

_SRAM_ACCESS_PJ = (0.01, 1e4)
_SRAM_PJ_PER_BIT = 100.0
_DRAM_PJ_PER_BIT = (0.1, 1000.0)
_MAC_PJ = (1e-3, 1e3)
_SRAM_UM2_PER_BIT = (1e-3, 1e3)
_MAC_UM2 = (1.0, 1e6)

_LEAST_BYTES = 1024
"""Smaller memories are not judged by what an access costs: a flip-flop takes next to nothing."""


def doubts(document: Document, architecture: Architecture) -> list[Fault]:
    """What is hardly meant in an architecture, with the line in the document where it stands and what was assumed."""
    found = [*_of_arithmetic(architecture)]
    inner = architecture.arithmetic.instances
    outermost = len(architecture.storage) - 1
    for index, level in enumerate(architecture.storage):
        place: KeyPath = ("storage", index)
        if index < outermost and level.technology != "DRAM":
            found += [(place, text) for text in _of_capacity(level, architecture, inner)]
        found += [(place, text) for text in _of_costs(level)]
        inner = level.instances
    data: Mapping[str, object] = document.data if isinstance(document.data, dict) else {}
    key = next((key for key in ("arch", "architecture") if key in data), "arch")
    return [document.fault((key, *path), f"{text}: are the units right?") for path, text in found]


def _of_arithmetic(architecture: Architecture) -> Iterator[tuple[KeyPath, str]]:
    arithmetic = architecture.arithmetic
    place: KeyPath = ("arithmetic",)
    if arithmetic.word_bits > _LARGEST_WORD_BITS:
        yield place, f"word-bits is taken as the bits of a word: {arithmetic.word_bits}"
    if arithmetic.energy_pj and not _MAC_PJ[0] <= arithmetic.energy_pj <= _MAC_PJ[1]:
        yield place, f"an operation is taken to cost {arithmetic.energy_pj:g} pJ"
    if arithmetic.area_um2 and not _MAC_UM2[0] <= arithmetic.area_um2 <= _MAC_UM2[1]:
        yield place, f"a MAC is taken to have {arithmetic.area_um2:g} µm²"


def _of_capacity(level: StorageLevel, architecture: Architecture, inner: int) -> Iterator[str]:
    size = level.capacity_bytes
    if not size or not level.entries:
        return
    words = f"{level.entries:,} words of {level.word_bits} bits"
    taken = f"{level.name} is taken to hold {words}, {_bytes(size)} an instance"
    macs = architecture.arithmetic.instances // level.instances
    if size > _LARGEST_ON_CHIP_BYTES:
        yield f"{taken}, on chip"
    elif size > _LARGEST_REGISTERS_BYTES and macs <= _MACS_OF_REGISTERS and level.instances > 1:
        yield f"{taken}, and serves {macs} MACs"
    if level.entries < inner // level.instances // 2 and level.cluster_size == 1:
        yield f"{taken}, for {inner // level.instances} instances below it (sizeKB gives kilobytes)"
    if level.word_bits > _LARGEST_WORD_BITS:
        yield f"word-bits of {level.name} is taken as the bits of a word ({level.word_bits}), not of a row"


def _of_costs(level: StorageLevel) -> Iterator[str]:
    given = (level.vector_access_energy_pj, level.read_energy_pj, level.fill_energy_pj, level.update_energy_pj)
    energies = [energy for energy in given if energy]
    bits = level.word_bits * level.block_size * level.cluster_size
    if level.technology == "DRAM":
        wrong = [energy for energy in energies if not _DRAM_PJ_PER_BIT[0] <= energy / bits <= _DRAM_PJ_PER_BIT[1]]
        if wrong:
            yield f"an access to {bits} bits of {level.name} is taken to cost {wrong[0]:g} pJ"
        return
    size = level.capacity_bytes or 0.0
    least = _SRAM_ACCESS_PJ[0] if size >= _LEAST_BYTES else 0.0
    most = max(_SRAM_ACCESS_PJ[1], 10 * bits)  # a row of thousands of bits may take more than 10 nJ
    wrong = [energy for energy in energies if not least <= energy <= most or energy > _SRAM_PJ_PER_BIT * bits]
    if wrong:
        yield f"an access to {bits} bits of {level.name} is taken to cost {wrong[0]:g} pJ"
    area = level.area_um2
    if area is None and level.cluster_area_um2 is not None:
        area = level.cluster_area_um2 / level.cluster_size
    if area and size >= _LEAST_BYTES and not _SRAM_UM2_PER_BIT[0] <= area / (8 * size) <= _SRAM_UM2_PER_BIT[1]:
        yield f"{level.name} is taken to have {area:g} µm² for {_bytes(size)}"


def _bytes(size: float) -> str:
    for unit, scale in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size >= scale:
            return f"{size / scale:.4g} {unit}"
    return f"{size:.4g} bytes"
