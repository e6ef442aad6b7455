"""Energy and area reference tables, as Accelergy writes them and Timeloop reads them in place of its own numbers.

Timeloop 019f107, src/model/topology.cpp: ParseAccelergyERT, ParseAccelergyART; which action stands for which access:
include/model/topology.hpp. A component belongs to the level whose name is its last dotted part.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from dse.specification.architecture import Architecture
from dse.specification.document import Document, KeyPath
from dse.specification.fields import Reader, Section, describe

__all__ = ["apply_reference_tables", "reference_tables"]

_MAC_ACTIONS = ("mac_random", "mult_random", "mac", "mult", "compute")
_READ_ACTIONS = ("random_read", "read")
_FILL_ACTIONS = ("random_fill", "write")
_UPDATE_ACTIONS = ("random_update", "random_fill", "write")


def apply_reference_tables(document: Document, architecture: Architecture) -> Architecture:
    """The architecture with the energies of `ERT:` and the areas of `ART:` in the document, where it has them.

    Energies are per access of a block, areas per instance; components that are no level of the architecture are left
    aside. Raises InputError with every fault of the tables.
    """
    reader = Reader(document)
    arithmetic, storage = architecture.arithmetic, list(architecture.storage)
    index = {level.name: position for position, level in enumerate(storage)}
    for name, actions in _energies(reader):
        if name in ("wire", "Wire"):
            if actions.get("transfer_random"):
                energy = _single_precision(actions["transfer_random"])
                storage = [replace(level, wire_energy_pj_per_bit_mm=energy) for level in storage]
        elif name == arithmetic.name:
            arithmetic = replace(arithmetic, energy_pj=_action(actions, _MAC_ACTIONS, arithmetic.energy_pj))
        elif name in index:
            level = storage[index[name]]
            storage[index[name]] = replace(
                level,
                read_energy_pj=_action(actions, _READ_ACTIONS, level.read_energy_pj),
                fill_energy_pj=_action(actions, _FILL_ACTIONS, level.fill_energy_pj),
                update_energy_pj=_action(actions, _UPDATE_ACTIONS, level.update_energy_pj),
            )
    for name, area in _areas(reader):
        if name == arithmetic.name:
            arithmetic = replace(arithmetic, area_um2=area)
        elif name in index:
            storage[index[name]] = replace(storage[index[name]], cluster_area_um2=None, area_um2=area)
    reader.raise_faults()
    tabled = "ERT" in document.data or "ART" in document.data
    costs = "accelergy" if tabled else architecture.costs
    return Architecture(arithmetic, tuple(storage), costs)


def reference_tables(architecture: Architecture) -> dict[str, Any]:
    """The `ERT:` and `ART:` that say of an architecture what Timeloop's v0.1 format cannot."""
    energies = [
        {
            "name": level.name,
            "actions": [
                {"name": action, "arguments": {}, "energy": energy}
                for action, energy in (
                    ("random_read", level.read_energy_pj),
                    ("random_fill", level.fill_energy_pj),
                    ("random_update", level.update_energy_pj),
                )
                if energy is not None
            ],
        }
        for level in architecture.storage
        if (level.read_energy_pj, level.fill_energy_pj, level.update_energy_pj) != (None, None, None)
    ]
    areas = [
        {"name": level.name, "area": level.area_um2} for level in architecture.storage if level.area_um2 is not None
    ]
    tables: dict[str, Any] = {}
    if energies or areas:  # Timeloop reads areas only beside energies
        tables["ERT"] = {"version": 0.3, "tables": energies}
    if areas:
        tables["ART"] = {"version": 0.3, "tables": areas}
    return tables


def _action(actions: dict[str, float], names: tuple[str, ...], default: float | None) -> float | None:
    """The energy of the first of `names` that the table has; without any, the built-in figure stays."""
    return next((actions[name] for name in names if name in actions), default)


def _single_precision(value: float) -> float:
    """Timeloop keeps areas and wire energies in single precision."""
    rounded: float = struct.unpack("f", struct.pack("f", value))[0]
    return rounded


def _component(name: str) -> str:
    """`system.chip.Buffer[0..3]` as `Buffer`."""
    base = name[: name.rindex("[")] if name.endswith("]") and "[" in name else name
    return base.rsplit(".", 1)[-1]


def _energies(reader: Reader) -> Iterator[tuple[str, dict[str, float]]]:
    """(component, {action: pJ}) of the table; of several entries for one action the dearest counts."""
    if "ERT" not in reader.document.data:
        return
    section = reader.section(reader.document.data["ERT"], ("ERT",))
    version = section.number("version", default=0.3)
    if version not in (0.2, 0.3):
        section.fault("version", f"expected 0.2 or 0.3, got {version}")
        return
    if version == 0.2:
        tables = section.section("tables")
        for name, component in tables.data.items():
            actions = reader.section(component, (*tables.path, name))
            yield (
                _component(name),
                {
                    action: _dearest(reader, entries, (*actions.path, action))
                    for action, entries in actions.data.items()
                },
            )
        return
    for position, entry in enumerate(section.items("tables", required=False)):
        component = reader.section(entry, ("ERT", "tables", position))
        energies: dict[str, float] = {}
        for at, item in enumerate(component.items("actions", required=False)):
            action = reader.section(item, (*component.path, "actions", at))
            name = action.required_text("name")
            energies[name] = max(energies.get(name, 0.0), action.number("energy", default=0.0))
        yield _component(component.required_text("name")), energies


def _dearest(reader: Reader, entries: Any, path: KeyPath) -> float:
    """The largest energy of an action of version 0.2: one entry, or a list of them."""
    items = entries if isinstance(entries, list) else [entries]
    return max((reader.section(item, path).number("energy", default=0.0) for item in items), default=0.0)


def _areas(reader: Reader) -> Iterator[tuple[str, float]]:
    if "ART" not in reader.document.data:
        return
    section = reader.section(reader.document.data["ART"], ("ART",))
    for position, entry in enumerate(section.items("tables")):
        component = reader.section(entry, ("ART", "tables", position))
        yield _component(component.required_text("name")), _single_precision(_area(component))


def _area(component: Section) -> float:
    if not component.has("area"):
        component.fault("area", f"expected a number of at least 0, got {describe(None)}")
    return component.number("area", default=0.0)
