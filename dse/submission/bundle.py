"""A study with all that it names, as a few small files that stand by themselves on another machine."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

from dse.specification.document import load_document
from dse.specification.study import NETWORKS, TEMPLATES, load_study, shipped_files

__all__ = ["STUDY_FILE", "bundle_study"]

STUDY_FILE = "study.yaml"


def bundle_study(path: Path) -> dict[str, str]:
    """File name -> content; `study.yaml` names the others, and no name leads out of the folder that they are put in.

    Raises InputError with every fault of the study.
    """
    load_study(path)
    data = copy.deepcopy(load_document(path).data)
    study = data["study"]
    files: dict[str, str] = {}
    template = _place(study["template"], path.parent, TEMPLATES)
    files["template.yaml"] = template.read_text(encoding="utf-8")
    own = load_document(template).data
    if _take_costs(own, template.parent, "template_costs", files):
        files["template.yaml"] = _dump(own)
    _take_costs(study, path.parent, "costs", files)
    networks: list[Any] = []
    for position, value in enumerate(study["networks"]):
        place = _place(value["network"] if isinstance(value, dict) else value, path.parent, NETWORKS)
        name = f"network{position}/{place.stem}.yaml"
        files[name] = _network(place)
        networks.append(value | {"network": name} if isinstance(value, dict) else name)
    study |= {"template": "template.yaml", "networks": networks}
    return {STUDY_FILE: _dump(data)} | files


def _take_costs(data: dict[str, Any], folder: Path, name: str, files: dict[str, str]) -> bool:
    """Put the files that a block `costs:` names among the others, and their new names into it; whether it has any."""
    named = data.get("costs", {}).get("file")
    if named is None:
        return False
    moved = []
    for position, value in enumerate([named] if isinstance(named, str) else named):
        place = folder / value
        moved.append(f"{name}{position}/{place.name}")
        files[moved[-1]] = place.read_text(encoding="utf-8")
    data["costs"]["file"] = moved[0] if isinstance(named, str) else moved
    return True


def _place(value: str, folder: Path, kind: str) -> Path:
    """The file that a study means by a name or a path."""
    shipped = shipped_files(kind)
    return shipped[value] if value in shipped else folder / value


def _network(path: Path) -> str:
    """A network's file; problems that stand in files of their own are put into it."""
    data = load_document(path).data
    layers = data["network"]["layers"] if "network" in data else []
    apart = [layer for layer in layers if isinstance(layer["problem"], str)]
    if not apart:
        return path.read_text(encoding="utf-8")
    for layer in apart:
        layer["problem"] = load_document(path.parent / layer["problem"]).data["problem"]
    return _dump(data)


def _dump(data: Any) -> str:
    text: str = yaml.safe_dump(data, sort_keys=False, width=120)
    return text
