"""Architectures: an arithmetic level and storage levels, innermost first, in Timeloop's v0.1 format.

Keys and defaults follow Timeloop 019f107, src/model/buffer.cpp (`BufferLevel::ParseSpecs`, `ValidateTopology`),
src/model/arithmetic.cpp and src/model/network-legacy.cpp; fan-outs follow src/mapping/arch-properties.cpp.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any

from dse.specification.document import Document, KeyPath
from dse.specification.fields import Reader, Section

__all__ = ["Architecture", "Arithmetic", "StorageLevel", "parse_architecture"]

DEFAULT_WORD_BITS = 16
LEAST_BANDWIDTH = 1e-6  # words per cycle: what is slower makes no sense, and its cycles may exceed 64 bits


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """The MAC units: `mesh_x` × `mesh_y` instances. Energy and area None: Timeloop's PAT tables."""

    instances: int
    mesh_x: int
    mesh_y: int
    name: str = "__ARITH__"
    word_bits: int = DEFAULT_WORD_BITS
    energy_pj: float | None = None
    area_um2: float | None = None


@dataclass(frozen=True, slots=True)
class StorageLevel:
    """One storage level. `entries` in words and bandwidths in words per cycle, both per instance; None: unlimited."""

    name: str
    instances: int
    mesh_x: int
    mesh_y: int
    entries: int | None = None
    technology: str = "SRAM"
    word_bits: int = DEFAULT_WORD_BITS
    block_size: int = 1
    cluster_size: int = 1
    multiple_buffering: float = 1.0
    min_utilization: float = 0.0
    read_bandwidth: float | None = None
    write_bandwidth: float | None = None
    shared_bandwidth: float | None = None
    reduction_supported: bool = True
    vector_access_energy_pj: float | None = None
    address_generation_energy_pj: float | None = None
    cluster_area_um2: float | None = None
    network_word_bits: int | None = None
    wire_energy_pj_per_bit_mm: float | None = None
    energy_per_hop_pj: float | None = None
    router_energy_pj: float | None = None
    tile_width_um: float | None = None
    read_energy_pj: float | None = None
    """Energy of one block access of each kind and area of an instance, from reference tables (Accelergy)."""
    fill_energy_pj: float | None = None
    update_energy_pj: float | None = None
    area_um2: float | None = None
    ports: int | None = None
    """Read-write ports, and banks: an access may cost more or less with them. None: not stated."""
    banks: int | None = None

    @property
    def effective_entries(self) -> int | None:
        """Words that tiles may occupy: entries over the multiple-buffering factor, rounded down."""
        return None if self.entries is None else math.floor(self.entries / self.multiple_buffering)

    @property
    def capacity_bytes(self) -> float | None:
        """Capacity of one instance."""
        return None if self.entries is None else self.entries * self.word_bits / 8


@dataclass(frozen=True)
class Architecture:
    """Arithmetic and storage, innermost level first.

    `costs` says where the energies and areas come from; equal figures are equal architectures, whoever gave them.
    """

    arithmetic: Arithmetic
    storage: tuple[StorageLevel, ...]
    costs: str = field(default="pat", compare=False)

    @cached_property
    def fanouts(self) -> tuple[tuple[int, int], ...]:
        """Per storage level, the instances of the next inner level (or MACs) below one instance, along X and Y."""
        inner: list[Arithmetic | StorageLevel] = [self.arithmetic, *self.storage[:-1]]
        return tuple(
            (child.mesh_x // level.mesh_x, child.mesh_y // level.mesh_y)
            for child, level in zip(inner, self.storage, strict=True)
        )

    @cached_property
    def level_index(self) -> dict[str, int]:
        """Storage level name -> index."""
        return {level.name: index for index, level in enumerate(self.storage)}

    def to_dict(self) -> dict[str, Any]:
        """The content of Timeloop's v0.1 `arch:`; values that are defaults are left out."""
        arithmetic = _written(self.arithmetic, _ARITHMETIC_KEYS)
        storage = [_written(level, _STORAGE_KEYS) for level in self.storage]
        for entry, level in zip(storage, self.storage, strict=True):
            entry["reduction_supported"] = level.reduction_supported  # its default depends on the technology
        return {"arithmetic": arithmetic, "storage": storage}


# Attribute -> the key that Timeloop reads.
_ARITHMETIC_KEYS = {
    "name": "name",
    "instances": "instances",
    "mesh_x": "meshX",
    "mesh_y": "meshY",
    "word_bits": "word-bits",
    "energy_pj": "energy",
    "area_um2": "area",
}
_STORAGE_KEYS = {
    "name": "name",
    "instances": "instances",
    "mesh_x": "meshX",
    "mesh_y": "meshY",
    "entries": "entries",
    "technology": "technology",
    "word_bits": "word-bits",
    "block_size": "block-size",
    "cluster_size": "cluster-size",
    "multiple_buffering": "multiple-buffering",
    "min_utilization": "min-utilization",
    "read_bandwidth": "read_bandwidth",
    "write_bandwidth": "write_bandwidth",
    "shared_bandwidth": "shared_bandwidth",
    "reduction_supported": "reduction_supported",
    "vector_access_energy_pj": "vector-access-energy",
    "address_generation_energy_pj": "addr-gen-energy",
    "cluster_area_um2": "cluster-area",
    "network_word_bits": "network-word-bits",
    "wire_energy_pj_per_bit_mm": "wire-energy",
    "energy_per_hop_pj": "energy-per-hop",
    "router_energy_pj": "router-energy",
    "tile_width_um": "tile-width",
    "ports": "num-ports",
    "banks": "num-banks",
}


def _written(level: Arithmetic | StorageLevel, keys: Mapping[str, str]) -> dict[str, Any]:
    defaults = {each.name: each.default for each in fields(level)}
    return {
        key: getattr(level, name)
        for name, key in keys.items()
        if getattr(level, name) is not None and getattr(level, name) != defaults[name]
    }


def parse_architecture(
    document: Document,
    data: object,
    path: KeyPath = ("arch",),
    variables: Mapping[str, int | float] | None = None,
) -> Architecture:
    """An architecture from the content of `arch:`; `variables` gives values to expressions (templates).

    Raises InputError with every fault: unknown keys, sizes that are no positive integers, meshes that do not multiply
    to the instances, fan-outs that do not divide.
    """
    reader = Reader(document, variables)
    section = reader.section(data, path)
    if section.has("subtree") or section.has("nodes") or section.has("version"):
        reader.fault(path, "expected Timeloop's v0.1 format (arithmetic and storage), got a tree of components")
        reader.raise_faults()
    section.text("name", None)
    arithmetic = _read_arithmetic(section.section("arithmetic"))
    storage: list[StorageLevel] = []
    for position, entry in enumerate(section.items("storage")):
        level = _read_storage(reader.section(entry, (*path, "storage", position)))
        if any(level.name == other.name for other in storage):
            reader.fault((*path, "storage", position, "name"), f'another level is called "{level.name}" already')
        storage.append(level)
    section.finish()
    _check_fanouts(reader, path, arithmetic, storage)
    reader.raise_faults()
    return Architecture(arithmetic, tuple(storage))


def _read_mesh(section: Section) -> tuple[int, int, int]:
    """(instances, meshX, meshY); whichever is not given follows from the others. Zeros where they are wrong."""
    faults = len(section.reader.faults)
    instances: int | None = section.integer("instances", default=None)
    mesh_x: int | None = section.integer("meshX", default=None)
    mesh_y: int | None = section.integer("meshY", default=None)
    if len(section.reader.faults) > faults:
        return 0, 0, 0
    if instances is None:
        if mesh_x is None or mesh_y is None:
            section.required_integer("instances")
            return 0, 0, 0
        return mesh_x * mesh_y, mesh_x, mesh_y
    if mesh_x is None and mesh_y is None:
        return instances, instances, 1
    given_key, given = ("meshX", mesh_x) if mesh_x is not None else ("meshY", mesh_y or 1)
    if instances % given:
        section.fault(given_key, f"{instances} instances are no multiple of {given}")
        return 0, 0, 0
    other = instances // given
    if mesh_x is not None and mesh_y is not None and mesh_y != other:
        section.fault("meshY", f"meshX × meshY is {mesh_x * mesh_y}, but there are {instances} instances")
        return 0, 0, 0
    return (instances, given, other) if mesh_x is not None else (instances, other, given)


def _without_range(name: str) -> str:
    """`mac[0..15]` is called `mac`: Timeloop ignores what stands in brackets (compound-config.cpp: `parseName`)."""
    return name.partition("[")[0] or name


def _read_arithmetic(section: Section) -> Arithmetic:
    instances, mesh_x, mesh_y = _read_mesh(section)
    arithmetic = Arithmetic(
        instances,
        mesh_x,
        mesh_y,
        name=_without_range(section.text("name", "__ARITH__")),
        word_bits=section.integer("word-bits", "datawidth", default=DEFAULT_WORD_BITS),
        energy_pj=section.number("energy", default=None),
        area_um2=section.number("area", default=None),
    )
    section.finish()
    return arithmetic


def _read_storage(section: Section) -> StorageLevel:
    name = _without_range(section.required_text("name"))
    instances, mesh_x, mesh_y = _read_mesh(section)
    word_bits = section.integer("word-bits", "word_width", "datawidth", default=DEFAULT_WORD_BITS)
    block_size, cluster_size = _read_block(section, word_bits)
    technology = section.text("technology", None) or section.text("class", None) or "SRAM"
    section.text("class", None)
    technology = (
        "DRAM" if "DRAM" in technology else "SRAM"
    )  # whatever is no DRAM is modelled as SRAM (PAT has no registers)
    entries = _read_entries(section, word_bits, block_size)
    bandwidth = section.number("bandwidth", default=None, minimum=2 * LEAST_BANDWIDTH)
    half = None if bandwidth is None else bandwidth / 2  # deprecated key: half each way
    section.text("network-type", None, choices=("1:1", "1:N"))
    level = StorageLevel(
        name,
        instances,
        mesh_x,
        mesh_y,
        entries=entries,
        technology=technology,
        word_bits=word_bits,
        block_size=block_size,
        cluster_size=cluster_size,
        multiple_buffering=section.number("multiple-buffering", default=1.0, minimum=1.0),
        min_utilization=section.number("min-utilization", default=0.0),
        read_bandwidth=section.number("read_bandwidth", default=half, minimum=LEAST_BANDWIDTH),
        write_bandwidth=section.number("write_bandwidth", default=half, minimum=LEAST_BANDWIDTH),
        shared_bandwidth=section.number("shared_bandwidth", default=None, minimum=LEAST_BANDWIDTH),
        reduction_supported=section.boolean("reduction_supported", technology != "DRAM"),
        vector_access_energy_pj=section.number("vector-access-energy", default=None),
        address_generation_energy_pj=section.number("addr-gen-energy", default=None, minimum=-math.inf),
        cluster_area_um2=section.number("cluster-area", default=None),
        network_word_bits=section.integer("network-word-bits", default=None),
        wire_energy_pj_per_bit_mm=section.number("wire-energy", default=None),
        energy_per_hop_pj=section.number("energy-per-hop", default=None),
        router_energy_pj=section.number("router-energy", default=None),
        tile_width_um=section.number("tile-width", default=None),
        ports=section.integer("num-ports", "n_ports", default=None),
        banks=section.integer("num-banks", "n_banks", default=None),
    )
    section.finish()
    if 0 < instances < cluster_size:  # Timeloop would count no energy at all
        section.fault("cluster-size", f"a cluster of {cluster_size} needs as many instances, there are {instances}")
    if technology == "DRAM" and cluster_size != 1:
        section.fault("cluster-size", f"a DRAM has a cluster-size of 1, got {cluster_size}")
    return level


def _read_block(section: Section, word_bits: int) -> tuple[int, int]:
    """(block size, cluster size) in words and instances; a width in bits gives the one that is missing."""
    block_size: int | None = section.integer("block-size", "block_size", "n_words", default=None)
    cluster_size: int | None = section.integer("cluster-size", default=None)
    width_key, _ = section.raw("width", "memory_width", "data_storage_width")
    width: int | None = section.integer(width_key, default=None)
    if width is None:
        return block_size or 1, cluster_size or 1
    if width % (word_bits * (block_size or 1) * (cluster_size or 1)):
        section.fault(width_key, f"{width} bits are no multiple of a block of {word_bits * (block_size or 1)} bits")
        return block_size or 1, cluster_size or 1
    if block_size is None:
        return width // word_bits // (cluster_size or 1), cluster_size or 1
    if cluster_size is None:
        return block_size, width // (word_bits * block_size)
    if block_size * word_bits * cluster_size != width:
        section.fault(
            width_key,
            f"expected block-size × word-bits × cluster-size = {block_size * word_bits * cluster_size}, got {width}",
        )
    return block_size, cluster_size


def _read_entries(section: Section, word_bits: int, block_size: int) -> int | None:
    """Capacity in words: given as words, as a depth in blocks, or in KB."""
    given = [key for key in ("entries", "depth", "memory_depth", "data_storage_depth", "sizeKB") if section.has(key)]
    section.raw("entries", "depth", "memory_depth", "data_storage_depth", "sizeKB")
    if not given:
        return None
    value = section.required_integer(given[0], minimum=0)  # a level that keeps nothing may have no room
    if given[0] == "entries":
        return value
    return value * 1024 * 8 // word_bits if given[0] == "sizeKB" else value * block_size


def _check_fanouts(reader: Reader, path: KeyPath, arithmetic: Arithmetic, storage: list[StorageLevel]) -> None:
    inner: list[Arithmetic | StorageLevel] = [arithmetic, *storage]
    sound = not reader.faults  # a capacity may be missing since its key is misspelt, which is reported already
    for position, level in enumerate(storage):
        child = inner[position]
        child_name = "the arithmetic level" if position == 0 else child.name
        for axis, below, own in (("X", child.mesh_x, level.mesh_x), ("Y", child.mesh_y, level.mesh_y)):
            if below and own and below % own:
                key = f"mesh{axis}" if axis == "Y" or level.mesh_y > 1 or child.mesh_y > 1 else "instances"
                reader.fault(
                    (*path, "storage", position, key),
                    f"the fan-out of {level.name} does not divide: {child_name} has {below} along {axis}, it has {own}",
                )
        if sound and level.technology == "SRAM" and level.entries is None and position < len(storage) - 1:
            reader.fault((*path, "storage", position), f"{level.name} needs entries (or depth, or sizeKB)")
