"""The input files of one call of `timeloop-model`: an architecture, a problem, a mapping."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from dse.errors import Fault, InputError
from dse.model.unit_costs import mac_energy_pj
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping
from dse.specification.problem import Problem
from dse.specification.reference_tables import reference_tables

__all__ = ["input_documents", "write_inputs"]

_LARGEST_INT = 2**31 - 1
_TABLE_VERSION = 0.3
"""The only version that is common to Timeloop's readers of ERT and ART (src/model/topology.cpp)."""


def input_documents(architecture: Architecture, problem: Problem, mapping: Mapping) -> dict[str, dict[str, Any]]:
    """File name -> content. `timeloop-model` merges the files by their top-level keys.

    Shapes that Timeloop ships (`cnn-layer`) are named, all others are described in the problem itself. Timeloop reads
    `energy` and `area` of the arithmetic as integers and refuses others (src/model/arithmetic.cpp: `ParseSpecs`);
    such a value goes into the reference tables, as Accelergy would write them. (Timeloop reads areas in these tables in
    single precision.)
    """
    arch = _with_integers(architecture.to_dict())
    tables = reference_tables(architecture)
    documents: dict[str, dict[str, Any]] = {"arch.yaml": {"arch": arch}}
    if any(isinstance(arch["arithmetic"].get(key), float) for key in ("energy", "area")):
        arithmetic = architecture.arithmetic
        for key in ("energy", "area"):
            arch["arithmetic"].pop(key, None)
        compute = [{"name": "compute", "energy": mac_energy_pj(architecture)}]
        energies = tables.setdefault("ERT", {"version": _TABLE_VERSION, "tables": []})
        energies["tables"].append({"name": arithmetic.name, "actions": compute})
        if arithmetic.area_um2 is not None:
            areas = tables.setdefault("ART", {"version": _TABLE_VERSION, "tables": []})
            areas["tables"].append({"name": arithmetic.name, "area": arithmetic.area_um2})
    if tables:
        documents["tables.yaml"] = tables
    documents["problem.yaml"] = {"problem": problem.to_dict()}
    documents["mapping.yaml"] = {"mapping": mapping.directives(architecture, problem.shape)}
    return documents


def _with_integers(value: Any) -> Any:
    """The same data with whole numbers written as integers, where a C++ int holds them."""
    if isinstance(value, dict):
        return {key: _with_integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_integers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) <= _LARGEST_INT else value


def write_inputs(folder: Path, architecture: Architecture, problem: Problem, mapping: Mapping) -> list[Path]:
    """Write the files into `folder`, which is made if need be, and return their paths.

    `timeloop-model arch.yaml problem.yaml mapping.yaml` (and tables.yaml where it is written) runs on them as they
    are. Raises InputError where the folder cannot be written.
    """
    paths: list[Path] = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in input_documents(architecture, problem, mapping).items():
            path = folder / name
            path.write_text(yaml.safe_dump(content, sort_keys=False, width=120), encoding="utf-8")
            paths.append(path)
    except OSError as error:
        raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(folder))) from error
    return paths
