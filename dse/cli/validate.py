"""`dse validate`: what files hold, and everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import click

from dse.cli.costs import warn_of_doubts
from dse.errors import Fault, InputError
from dse.specification.architecture import Architecture
from dse.specification.document import Document, load_document
from dse.specification.fields import describe, nearest
from dse.specification.formats import translated
from dse.specification.mapping import parse_mapping
from dse.specification.mapspace import parse_mapspace
from dse.specification.network import parse_network
from dse.specification.problem import CNN_LAYER, Problem, parse_problem
from dse.specification.study import parse_study
from dse.specification.template import parse_template
from dse.sweep.plan import check_areas

__all__ = ["command"]

T = TypeVar("T")

_KEYS = ("study", "network", "arch", "architecture", "variables", "mapspace", "costs", "problem", "mapping")


@dataclass
class _Files:
    """The files of one call: what was found in them, and where a mapping or mapspace waits for its architecture."""

    faults: list[Fault] = field(default_factory=list)
    found: dict[Path, list[str]] = field(default_factory=dict)
    given: dict[Path, Document] = field(default_factory=dict)
    """As they stand in the files; `documents` are in v0.1."""
    documents: dict[Path, Document] = field(default_factory=dict)
    architectures: dict[Path, Architecture] = field(default_factory=dict)
    problems: dict[Path, Problem] = field(default_factory=dict)

    def check(self, path: Path, read: Callable[[], str]) -> None:
        """Note what `read` says of a file, or its faults."""
        try:
            self.found[path].append(read())
        except InputError as error:
            self.faults += error.faults


@click.command()
@click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def command(paths: tuple[Path, ...]) -> None:
    """Check FILES and say what each holds: architecture, template, mapspace, problem, mapping, network or study.

    A mapping is checked against the architecture and the problem among the FILES, a mapspace against the architecture.
    A study is checked with its template, its networks and every variant.
    """
    files = _Files()
    for path in dict.fromkeys(paths):
        files.found[path] = []
        _read(files, path)
    for path, document in files.documents.items():
        if "mapspace" in document.data:
            files.check(path, partial(_mapspace, files, path))
        if "mapping" in document.data:
            files.check(path, partial(_mapping, files, path))
    if files.faults:
        raise InputError(files.faults)
    for path, found in files.found.items():
        click.echo(f"{path}: {'; '.join(found)}")


def _read(files: _Files, path: Path) -> None:
    """Check all of a file but what needs other files."""
    try:
        given = load_document(path)
        document = translated(given)
    except InputError as error:
        files.faults += error.faults
        return
    if not isinstance(document.data, dict) or not document.data:
        keys = ", ".join(_KEYS)
        files.faults.append(document.fault((), f"expected one of the keys {keys}, got {describe(document.data)}"))
        return
    for key in document.data:
        if key not in _KEYS:
            files.faults.append(document.fault((key,), f"unknown key{nearest(key, _KEYS)}"))
    files.given[path], files.documents[path] = given, document
    if "arch" in document.data or "architecture" in document.data or "variables" in document.data:
        files.check(path, partial(_architecture, files, path, document))
    if "problem" in document.data:
        files.check(path, partial(_problem, files, path, document))
    if "network" in document.data:
        files.check(path, partial(_network, document, path))
    if "study" in document.data:
        files.check(path, partial(_study, document, path))


def _architecture(files: _Files, path: Path, document: Document) -> str:
    template = parse_template(document)
    architecture, _ = template.instantiate()
    warn_of_doubts(document, architecture)
    files.architectures[path] = architecture
    levels = f"{len(architecture.storage)} storage levels, {architecture.arithmetic.instances} MACs"
    if not template.defaults:
        return f"architecture of {levels}"
    return f"template with the variables {', '.join(template.defaults)}; by default {levels}"


def _problem(files: _Files, path: Path, document: Document) -> str:
    problem = parse_problem(document, document.data["problem"])
    files.problems[path] = problem
    return f"problem {problem.shape.name} of {problem.macs:,} MACs"


def _network(document: Document, path: Path) -> str:
    network = parse_network(document, path)
    count = sum(layer.count for layer in network.layers)
    return f"network {network.name} of {count} layers ({len(network.layers)} listed), {network.macs:,} MACs"


def _study(document: Document, path: Path) -> str:
    study = parse_study(document, path.parent)
    check_areas(study)
    names = ", ".join(network.name for network in study.networks)
    distinct = len({layer.problem for network in study.networks for layer in network.layers})
    distinct *= 1 + len(study.goals.latency_factors) + bool(study.goals.operating_points)
    if study.variant_count is None:
        size = study.space.size
        most = f"up to {size * distinct:,} schedules"
        return f"study of up to {size:,} variants on {names}: {most}, objective {study.objective}"
    schedules = study.variant_count * distinct
    return f"study of {study.variant_count} variants on {names}: {schedules} schedules, objective {study.objective}"


def _mapspace(files: _Files, path: Path) -> str:
    architecture = _meant(files.architectures, path)
    if architecture is None:
        return "mapspace (not checked: give it together with one architecture)"
    problem, document = _meant(files.problems, path), _together(files, path)
    if problem is None and document.origins:  # the dimensions of Timeloop's examples have names of their own
        return "mapspace (not checked: give it together with one problem)"
    parse_mapspace(document, document.data["mapspace"], architecture, problem.shape if problem else CNN_LAYER)
    return "mapspace that fits the architecture"


def _mapping(files: _Files, path: Path) -> str:
    architecture, problem = _meant(files.architectures, path), _meant(files.problems, path)
    if architecture is None or problem is None:
        return "mapping (not checked: give it together with one architecture and one problem)"
    document = _together(files, path)
    parse_mapping(document, document.data["mapping"], architecture, problem)
    return "mapping of the problem onto the architecture (dse evaluate says whether its tiles fit)"


def _together(files: _Files, path: Path) -> Document:
    """A file in v0.1, read with its architecture and problem, which say what names in its other parts stand for."""
    own = files.given[path]
    data, positions, tags = dict(own.data), dict(own.positions), dict(own.tags)
    for items in (files.architectures, files.problems):
        other = files.given[_meant({each: each for each in items}, path) or path]
        for key in other.data.keys() - data.keys():
            data[key] = other.data[key]
            positions |= {place: line for place, line in other.positions.items() if place[:1] == (key,)}
            tags |= {place: tag for place, tag in other.tags.items() if place[:1] == (key,)}
    return translated(Document(data, positions, own.file, tags))


def _meant(items: Mapping[Path, T], path: Path) -> T | None:
    """The item of the same file, else the only one of all files; None where that is not clear."""
    if path in items or len(items) != 1:
        return items.get(path)
    return next(iter(items.values()))
