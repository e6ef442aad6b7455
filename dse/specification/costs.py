"""Where an architecture takes its energies and areas from: the block `costs:` of an architecture file or a study.

costs:
  source: cacti              # pat (default), cacti, table, accelergy
  node_nm: 22                # cacti: 7 to 45
  dram: LPDDR4               # cacti: the type of every DRAM, or dram_energy_pj_per_bit: 6.5
  numbers: integer           # cacti: or float; adder_bits: 32
  extrapolate: false         # cacti, table: go on beyond the ends of the table
  file: own.yaml             # table: a file with the two keys below; accelergy: one with ERT and ART, or a list
  arithmetic: {energy_pj: 0.4, area_um2: 600}
  storage:                   # levels that have figures, or a source, of their own
    GlobalBuffer: {read_energy_pj: 12.5, write_energy_pj: 14, area_um2: 250000}
    InputBuffer: {capacity_bytes: [4096, 16384], energy_pj: [3.4, 11.6], area_um2: [13500, 50700]}
    UnifiedBuffer: {source: cacti, node_nm: 28}

Energies are of one access to a row, the words of a block in all instances of a cluster; areas are of one instance.
What the architecture itself says of a level stays, as Timeloop has it, but for `table` and `accelergy`, which name
levels. Under `pat`, which has no areas, a level with a source of its own takes its energies alone. Figures may be
expressions of a template's variables.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.specification.architecture import Architecture, Arithmetic, StorageLevel
from dse.specification.document import Document, KeyPath, load_document, load_documents
from dse.specification.fields import Reader, Section, describe, nearest
from dse.specification.reference_tables import apply_reference_tables
from dse.technology.arithmetic import ADDER_BITS, NUMBERS
from dse.technology.cacti import CactiSource
from dse.technology.component import ComponentCost, CostSource, Memory, OutsideTableError
from dse.technology.dram import DRAMS
from dse.technology.interpolation import interpolated
from dse.technology.pat import PAT, PatSource

__all__ = ["SOURCES", "CostChoice", "costs_from_text", "memory_of", "read_costs"]

SOURCES = (PAT, "cacti", "table", "accelergy")

_LEAST_ROWS_A_BANK = 64
"""CACTI builds no smaller banks: a memory counts as having fewer of them."""

_ENERGIES = ("energy_pj", "energy_pj_per_bit", "read_energy_pj", "write_energy_pj", "update_energy_pj")


def memory_of(level: StorageLevel) -> Memory | None:
    """The memory that a cluster of instances of an on-chip level is; None for one without room or without bounds."""
    if not level.entries:
        return None
    rows = math.ceil(level.entries / level.block_size)
    width_bits = level.word_bits * level.block_size * level.cluster_size
    banks = max(1, min(level.banks or 1, rows // _LEAST_ROWS_A_BANK))
    return Memory(rows, width_bits, level.ports or 1, banks)


@dataclass(frozen=True)
class CostChoice:
    """A block `costs:` at `path` of a document; `tables` are the content of the files that it names."""

    document: Document
    path: KeyPath
    tables: Document | None = None

    @cached_property
    def data(self) -> Mapping[str, Any]:
        data: Any = self.document.data
        for key in self.path:
            data = data[key]
        content: Mapping[str, Any] = data
        return content

    def to_dict(self) -> dict[str, Any]:
        """The choice as plain data, complete without the files that it names."""
        own = {key: value for key, value in self.data.items() if key != "file"}
        return own if self.tables is None else own | {"content": self.tables.data}

    def apply(self, architecture: Architecture, variables: Mapping[str, int | float] | None = None) -> Architecture:
        """The architecture with all energies and areas that the source knows, said explicitly.

        Raises InputError with every fault: unknown keys and levels, components outside the source's tables.
        """
        applied = _Application(self, architecture, variables)
        return applied.architecture()


def read_costs(document: Document, path: KeyPath, folder: Path) -> CostChoice:
    """The block at `path`; the files in it are relative to `folder`. Raises InputError where it is no such block."""
    reader = Reader(document)
    data: Any = document.data
    for key in path:
        data = data[key]
    section = reader.section(data, path)
    source = section.text("source", PAT, choices=SOURCES)
    _, named = section.raw("file")
    names = [named] if isinstance(named, str) else named if isinstance(named, list) else []
    if named is not None and not (names and all(isinstance(name, str) and name for name in names)):
        section.fault("file", f"expected the path of a file, or a list of them, got {describe(named)}")
    if named is not None and source in (PAT, "cacti"):
        section.fault("file", f"has no meaning with the source {source}")
    if source == "accelergy" and named is None:
        section.fault("file", "expected the file that holds ERT (and ART), got nothing")
    reader.raise_faults()
    if not names:
        return CostChoice(document, path)
    paths = [folder / name for name in names]
    return CostChoice(document, path, load_document(paths[0]) if len(paths) == 1 else load_documents(paths))


def costs_from_text(text: str) -> CostChoice:
    """`cacti,node_nm=22,dram=LPDDR4` as the block that it abbreviates. Raises InputError."""
    source, *rest = text.split(",")
    data: dict[str, Any] = {"source": source}
    for item in rest:
        key, equals, value = item.partition("=")
        if not equals:
            raise InputError(f'--costs: expected key=value, got "{item}"')
        data[key.strip()] = _plain(value.strip())
    return read_costs(Document({"costs": data}, file="--costs"), ("costs",), Path())


def _plain(text: str) -> int | float | bool | str:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


class _Application:
    """One choice applied to one architecture."""

    def __init__(
        self, choice: CostChoice, architecture: Architecture, variables: Mapping[str, int | float] | None
    ) -> None:
        self._choice = choice
        self._given = architecture
        self._variables = variables
        self._reader = Reader(choice.document, variables)
        self._readers = [self._reader]
        self._section = self._reader.section(choice.data, choice.path)
        self._kind = self._section.text("source", PAT, choices=SOURCES)
        self._section.raw("file")
        self._source = _read_source(self._section, self._kind)
        self._extrapolate = self._section.boolean("extrapolate", False) if self._kind in ("cacti", "table") else False
        self._labels: list[str] = []
        self._gives_areas = False

    def architecture(self) -> Architecture:
        arithmetic_entries, storage_entries = self._entries()
        arithmetic = self._given.arithmetic
        if arithmetic_entries:
            arithmetic = self._own_arithmetic(arithmetic_entries[-1], arithmetic)
        elif self._kind == "table":
            self._section.fault("arithmetic", "expected the energy of an operation: the table has none")
        else:
            arithmetic = self._sourced_arithmetic(self._source, arithmetic)
        storage = []
        for level in self._given.storage:
            if level.name in storage_entries:
                storage.append(self._own_level(storage_entries[level.name], level))
            elif self._kind == "table":
                self._section.fault("storage", f"expected figures of the level {level.name}: the table has none")
                storage.append(level)
            else:
                storage.append(self._sourced_level(self._source, level))
        self._section.finish()
        self._check_areas(arithmetic, storage)
        faults = [fault for reader in self._readers for fault in reader.faults]
        if faults:
            raise InputError(faults)
        found = Architecture(arithmetic, tuple(storage), ", ".join([self._label, *self._labels]))
        if self._kind == "accelergy" and self._choice.tables is not None:
            found = replace(apply_reference_tables(self._choice.tables, found), costs=found.costs)
        return found

    def _check_areas(self, arithmetic: Arithmetic, storage: Sequence[StorageLevel]) -> None:
        """Areas of some components alone would be summed up as if they were those of all."""
        if not self._gives_areas:
            return
        without = ["the MACs"] if arithmetic.area_um2 is None else []
        for level in storage:
            on_chip = level.technology != "DRAM" and level.entries
            if on_chip and level.area_um2 is None and level.cluster_area_um2 is None:
                without.append(level.name)
        if without:
            self._section.fault("", f"gives areas, but none of {', '.join(without)}: give those of all, or of none")

    @property
    def _label(self) -> str:
        if self._kind in (PAT, "cacti"):
            return self._source.label
        tables = self._choice.tables
        named = tables.file if tables is not None and tables.file else ""
        return f"{self._kind} {Path(named).name}".strip()

    def _entries(self) -> tuple[list[Section], dict[str, Section]]:
        """The sections on the arithmetic, and on levels by name: those of the file, then those of the block itself."""
        sections = [self._section]
        tables = self._choice.tables
        if self._kind == "table" and tables is not None:
            reader = Reader(tables, self._variables)
            self._readers.append(reader)
            top = reader.section(tables.data, ())
            sections.insert(0, top)
        arithmetic: list[Section] = []
        storage: dict[str, Section] = {}
        known = [level.name for level in self._given.storage]
        for section in sections:
            if section.has("arithmetic"):
                arithmetic.append(section.section("arithmetic"))
            levels = section.section("storage", required=False)
            for name in levels.data:
                if name not in known:
                    levels.fault(name, f"the architecture has no such level{nearest(str(name), known)}")
                else:
                    storage[name] = levels.section(name)
            if section is not self._section:
                section.finish()
        return arithmetic, storage

    def _sourced_arithmetic(self, source: CostSource, arithmetic: Arithmetic) -> Arithmetic:
        if isinstance(source, PatSource):
            return arithmetic
        cost = self._asked("the MACs", lambda: source.mac(arithmetic.word_bits))
        return replace(
            arithmetic,
            energy_pj=cost.read_energy_pj if arithmetic.energy_pj is None else arithmetic.energy_pj,
            area_um2=cost.area_um2 if arithmetic.area_um2 is None else arithmetic.area_um2,
        )

    def _sourced_level(self, source: CostSource, level: StorageLevel) -> StorageLevel:
        if isinstance(source, PatSource):
            return level
        if level.technology == "DRAM":
            cost = self._asked(level.name, lambda: source.dram(level.word_bits * level.block_size))
        else:
            memory = memory_of(level)
            if memory is None and level.entries is None:
                self._section.fault("", f"{level.name} has no entries: a memory without bounds has no cost")
            cost = (
                ComponentCost(0.0, 0.0, 0.0)
                if memory is None
                else self._asked(level.name, lambda: source.memory(memory))
            )
        return _with_cost(level, cost)

    def _asked(self, name: str, ask: Callable[[], ComponentCost]) -> ComponentCost:
        try:
            return ask()
        except OutsideTableError as error:
            self._section.fault("", f"{name}: {error} (extrapolate: true goes on beyond the table)")
            return ComponentCost(0.0, 0.0, 0.0)

    def _own_arithmetic(self, entry: Section, arithmetic: Arithmetic) -> Arithmetic:
        if entry.has("source"):
            source = self._own_source(entry, "arithmetic")
            entry.finish()
            return self._sourced_arithmetic(source, replace(arithmetic, energy_pj=None, area_um2=None))
        energy_pj, area_um2 = entry.number("energy_pj", default=None), entry.number("area_um2", default=None)
        if energy_pj is None and not entry.has("energy_pj"):
            entry.fault("energy_pj", "expected a number of at least 0, got nothing")
        self._note("arithmetic", area_um2)
        entry.finish()
        own = replace(arithmetic, energy_pj=energy_pj, area_um2=area_um2)
        return own if self._kind != "cacti" else self._sourced_arithmetic(self._source, own)

    def _own_level(self, entry: Section, level: StorageLevel) -> StorageLevel:
        plain = replace(
            level, vector_access_energy_pj=None, read_energy_pj=None, fill_energy_pj=None, update_energy_pj=None
        )
        if entry.has("source"):
            source = self._own_source(entry, level.name)
            entry.finish()
            found = self._sourced_level(source, plain)
            if self._kind == PAT:  # whose other levels have no area: that of one would pass for that of all
                found = replace(found, area_um2=level.area_um2, cluster_area_um2=level.cluster_area_um2)
            return found
        figures = dict(self._figures(entry, level))
        entry.finish()
        alike = figures.get("energy_pj")
        if "energy_pj_per_bit" in figures:
            alike = figures["energy_pj_per_bit"] * level.word_bits * level.block_size * level.cluster_size
        read, write = figures.get("read_energy_pj", alike), figures.get("write_energy_pj", alike)
        if read is None or write is None:
            entry.fault("", f"expected energy_pj, or read_energy_pj and write_energy_pj, of {level.name}")
            return level
        self._note(level.name, figures.get("area_um2"))
        own = replace(
            plain,
            read_energy_pj=read,
            fill_energy_pj=write,
            update_energy_pj=figures.get("update_energy_pj", write),
            area_um2=figures.get("area_um2"),
            cluster_area_um2=None,
        )
        return own if self._kind != "cacti" else self._sourced_level(self._source, own)

    def _note(self, name: str, area_um2: float | None) -> None:
        self._gives_areas = self._gives_areas or area_um2 is not None
        if self._kind != "table":
            self._labels.append(f"own figures of {name}")

    def _own_source(self, entry: Section, name: str) -> CostSource:
        kind = entry.text("source", PAT, choices=SOURCES[:2])
        source = _read_source(entry, kind)
        self._labels.append(f"{name} from {source.label.partition(',')[0]}")
        return source

    def _figures(self, entry: Section, level: StorageLevel) -> Iterator[tuple[str, float]]:
        """The figures of an entry, those that are lists at the capacity of an instance."""
        grid = self._rising(entry)
        for key in (*_ENERGIES, "area_um2"):
            if not entry.has(key):
                continue
            if grid is None:
                figure = entry.number(key, default=None)
                if figure is not None:
                    yield key, figure
                continue
            values = [float(value) for value in entry.items(key) if isinstance(value, int | float) and value > 0]
            if len(values) != len(grid):
                entry.fault(key, f"expected {len(grid)} positive numbers, one for each of capacity_bytes")
                continue
            capacity = level.capacity_bytes or 0.0
            try:
                yield key, interpolated(grid, values, capacity, self._extrapolate, "a capacity in bytes of")
            except OutsideTableError as error:
                self._section.fault("", f"{level.name}: {error} (extrapolate: true goes on beyond the table)")

    @staticmethod
    def _rising(entry: Section) -> list[float] | None:
        if not entry.has("capacity_bytes"):
            return None
        values = entry.items("capacity_bytes")
        grid = [float(value) for value in values if isinstance(value, int | float) and value > 0]
        if len(grid) < 2 or len(grid) < len(values) or sorted(set(grid)) != grid:
            entry.fault("capacity_bytes", "expected two positive numbers or more, each larger than the one before")
            return [1.0, 2.0]
        return grid


def _with_cost(level: StorageLevel, cost: ComponentCost) -> StorageLevel:
    """The level with what a source says of it, where it says nothing itself."""
    if level.vector_access_energy_pj is None and level.read_energy_pj is None:
        level = replace(
            level,
            read_energy_pj=cost.read_energy_pj,
            fill_energy_pj=cost.write_energy_pj,
            update_energy_pj=cost.write_energy_pj,
        )
    if level.area_um2 is None and level.cluster_area_um2 is None and cost.area_um2 is not None:
        level = replace(level, area_um2=cost.area_um2 / level.cluster_size)
    return level


def _read_source(section: Section, kind: str) -> CostSource:
    """The source that a section describes; for `table` and `accelergy`, what their files leave open."""
    if kind != "cacti":
        return PatSource()
    dram = section.text("dram", "LPDDR4", choices=tuple(DRAMS))
    return CactiSource(
        section.number("node_nm", default=45.0, above=0.0),
        dram,
        section.number("dram_energy_pj_per_bit", default=None, above=0.0),
        section.text("numbers", NUMBERS[0], choices=NUMBERS),
        section.integer("adder_bits", default=ADDER_BITS),
        section.boolean("extrapolate", False),
    )
