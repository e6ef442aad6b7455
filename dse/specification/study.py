"""Studies: which variants of a template are to be scheduled on which networks, and how.

study:
  name: simba_resnet50
  template: simba                        # a shipped template, or a path relative to this file
  parameters:                            # every combination is a variant
    pe_count: [4, 8, 16]
    global_buffer_kib: {powers_of_two: [32, 256]}
    macs_per_lane: {range: [4, 16, 4]}   # start, stop (included where it is hit), step
  constraints: [mac_count <= 4096]       # in the template's variables; a variant has to meet all
  networks: [resnet50, {network: alexnet, weight: 2}]   # shipped networks, or paths of network or problem files
  objective: cosa                        # of each layer's schedule; what the front is about: dse.specification.goals
  scheduler: {solver: SCIP, gap: 0.01, time_limit: 60, weights: {traffic: 2.0}}
  evaluator: embedded                    # or timeloop
  costs: {source: cacti, node_nm: 22}    # dse.specification.costs; in place of the template's own
  search: {strategy: grid, prune: true}  # dse.specification.search
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.specification.costs import read_costs
from dse.specification.document import Document, format_key, load_document
from dse.specification.expressions import ExpressionError, names_in_expression
from dse.specification.fields import Reader, Section, describe, nearest
from dse.specification.goals import Goals, read_goals
from dse.specification.network import Network, load_network
from dse.specification.scheduling import OBJECTIVES, SOLVERS, TRAFFIC_MODELS
from dse.specification.search import SearchSettings, read_search
from dse.specification.space import ParameterGrid, VariantSpace, check_space
from dse.specification.template import Number, Template, load_template

__all__ = [
    "EVALUATORS",
    "MAX_VALUES",
    "NETWORKS",
    "TEMPLATES",
    "WEIGHTS",
    "SchedulerSettings",
    "Study",
    "load_study",
    "parse_study",
    "shipped_files",
]

WEIGHTS = ("utilization", "compute", "traffic")
EVALUATORS = ("embedded", "timeloop")
MAX_VALUES = 100_000
"""A range of more values than this is taken for a slip: it is refused."""

TEMPLATES = "arch_templates"
NETWORKS = "workloads"

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class SchedulerSettings:
    """What the study says of the scheduler; None: its default."""

    solver: str | None = None
    gap: float | None = None
    time_limit_seconds: float | None = None
    weights: Mapping[str, float | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Study:
    """A study with everything that it names read and checked; `document` gives places for later faults.

    `variant_count` is the number of variants where the space was checked in full (`space.CHECKED_IN_FULL`), else None.
    """

    name: str
    description: str
    space: VariantSpace
    variant_count: int | None
    networks: tuple[Network, ...]
    objective: str
    scheduler: SchedulerSettings
    evaluator: str
    document: Document
    search: SearchSettings = field(default_factory=SearchSettings)
    goals: Goals = field(default_factory=Goals)

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the swept parameters."""
        return tuple(self.space.grid.values)

    @staticmethod
    def from_dict(data: Mapping[str, Any], folder: str | Path = ".") -> Study:
        """The study of plain data, what stands under `study:` in a file; paths are relative to `folder`.

        Raises InputError with every fault.
        """
        return parse_study(Document({"study": dict(data)}), Path(folder))


def shipped_files(folder: str) -> dict[str, Path]:
    """Name -> path of the templates (`arch_templates`) or networks (`workloads`) that come with the project."""
    package = Path(__file__).resolve().parent.parent
    files = [path for base in (package, package.parent) for path in sorted((base / folder).glob("*.yaml"))]
    here = Path.cwd()
    return {path.stem: path.relative_to(here) if path.is_relative_to(here) else path for path in files}


def load_study(path: str | Path) -> Study:
    """Read a study with its template and networks. Raises InputError with the faults of all of these files."""
    return parse_study(load_document(path), Path(path).parent)


def parse_study(document: Document, folder: Path) -> Study:
    """The study in a document; the paths in it are relative to `folder`.

    Raises InputError with every fault: unknown keys, templates, networks, parameters or variables, empty lists of
    values, constraints that refuse every variant, variants that are no valid architecture (as far as a space is checked
    before it is explored).
    """
    reader = Reader(document)
    data = document.data if isinstance(document.data, dict) else {}
    if "study" not in data:
        reader.fault((), "expected the key study")
        reader.raise_faults()
    top = reader.section(data, ())
    section = top.section("study")
    top.finish()
    name = section.required_text("name")
    description = section.text("description", "")
    template = _with_costs(section, _read_template(section, folder), folder)
    values = _read_parameters(section, template)
    constraints = _read_constraints(section, template)
    networks, weights = _read_networks(section, folder)
    objective = section.text("objective", "edp", choices=OBJECTIVES)
    scheduler = _read_scheduler(section.section("scheduler", required=False))
    evaluator = section.text("evaluator", "embedded", choices=EVALUATORS)
    search = read_search(section.section("search", required=False))
    goals = read_goals(section, weights)
    section.finish()
    reader.raise_faults()
    if template is None:
        raise ValueError("a study without a template has faults")
    shapes = tuple(dict.fromkeys(layer.problem.shape for network in networks for layer in network.layers))
    space = VariantSpace(template, ParameterGrid(values), tuple(constraints), shapes)
    count = check_space(reader, space)
    reader.raise_faults()
    return Study(name, description, space, count, networks, objective, scheduler, evaluator, document, search, goals)


def _resolve(section: Section, path: tuple[str | int, ...], value: object, folder: Path, kind: str) -> Path | None:
    """The file that a study means: a path, or the name of a shipped file."""
    what = "template" if kind == TEMPLATES else "network"
    if not isinstance(value, str) or not value:
        section.reader.fault(path, f"expected the name or the path of a {what}, got {describe(value)}")
        return None
    if value.endswith(_SUFFIXES):
        if (folder / value).is_file():
            return folder / value
        section.reader.fault(path, f"there is no file {folder / value}")
        return None
    shipped = shipped_files(kind)
    if value not in shipped:
        section.reader.fault(path, f'unknown {what} "{value}"{nearest(value, shipped)} (or a path that ends in .yaml)')
    return shipped.get(value)


def _read_template(section: Section, folder: Path) -> Template | None:
    _, value = section.raw("template")
    path = _resolve(section, (*section.path, "template"), value, folder, TEMPLATES)
    if path is None:
        return None
    try:
        return load_template(path)
    except InputError as error:
        section.reader.faults += error.faults
        return None


def _with_costs(section: Section, template: Template | None, folder: Path) -> Template | None:
    """The template with the study's own costs; what is wrong with them, but for single variants, is noted."""
    if not section.has("costs") or template is None:
        section.raw("costs")
        return template
    section.raw("costs")
    path = (*section.path, "costs")
    try:
        template = replace(template, costs=read_costs(section.reader.document, path, folder))
        template.instantiate()
    except InputError as error:
        section.reader.faults += [fault for fault in error.faults if fault.key != format_key(path)]
    return template


def _read_networks(section: Section, folder: Path) -> tuple[tuple[Network, ...], dict[str, float]]:
    """The networks, and the weights of those that have one other than 1."""
    networks: list[Network] = []
    weights: dict[str, float] = {}
    for position, named in enumerate(section.items("networks")):
        path: tuple[str | int, ...] = (*section.path, "networks", position)
        value, weight = named, 1.0
        if isinstance(named, dict):
            entry = section.reader.section(named, path)
            path = (*path, "network")
            _, value = entry.raw("network")
            weight = entry.number("weight", default=1.0, above=0.0)
            entry.finish()
        file = _resolve(section, path, value, folder, NETWORKS)
        if file is None:
            continue
        try:
            network = load_network(file)
        except InputError as error:
            section.reader.faults += error.faults
            continue
        if any(network.name == other.name for other in networks):
            section.reader.fault(path, f'another network is called "{network.name}" already')
        networks.append(network)
        if weight != 1:
            weights[network.name] = _plain(weight)
    return tuple(networks), weights


def _read_parameters(section: Section, template: Template | None) -> dict[str, tuple[Number, ...]]:
    """Values per swept parameter, in the order of the file."""
    parameters = section.section("parameters")
    if "parameters" in section.data and section.data["parameters"] == {}:
        section.fault("parameters", "expected at least one parameter: the sweep is empty")
    result: dict[str, tuple[Number, ...]] = {}
    for name, value in parameters.data.items():
        if template and name not in template.defaults:
            hint = nearest(name, template.defaults) if template.defaults else "; the template has no variables"
            parameters.fault(name, f"the template has no variable of this name{hint}")
        values = tuple(map(_plain, _read_values(parameters, name, value)))
        repeated = sorted({item for item in values if values.count(item) > 1})
        if repeated:
            parameters.fault(name, f"{', '.join(map(str, repeated))} stands twice")
        result[name] = values
    return result


def _read_values(parameters: Section, name: str, value: object) -> tuple[Number, ...]:
    path = (*parameters.path, name)
    if isinstance(value, list):
        wrong = [item for item in value if not _is_number(item)]
        for item in wrong:
            parameters.fault(name, f"expected numbers, got {describe(item)}")
        if not value:
            parameters.fault(name, "expected at least one value: the sweep is empty")
        return () if wrong else tuple(value)
    if isinstance(value, dict) and len(value) == 1:
        ((kind, bounds),) = value.items()
        if kind == "range":
            return _range(parameters, name, bounds)
        if kind == "powers_of_two":
            return _powers_of_two(parameters, name, bounds)
        parameters.reader.fault((*path, kind), f"unknown key{nearest(kind, ('range', 'powers_of_two'))}")
        return ()
    wanted = "a list of numbers, {range: [start, stop, step]} or {powers_of_two: [low, high]}"
    parameters.fault(name, f"expected {wanted}, got {describe(value)}")
    return ()


def _plain(value: Number) -> Number:
    """Whole numbers as integers: 4.0 and 4 are one variant with one name."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _range(parameters: Section, name: str, bounds: object) -> tuple[Number, ...]:
    """start, start + step, ... up to stop, which belongs to the range where a step hits it."""
    if not isinstance(bounds, list) or len(bounds) != 3 or not all(map(_is_number, bounds)):
        parameters.fault(name, f"expected range: [start, stop, step], three numbers, got {_shown(bounds)}")
        return ()
    start, stop, step = bounds
    if step <= 0 or stop < start:
        parameters.fault(name, f"range: [{start}, {stop}, {step}] is empty: expected start <= stop and step > 0")
        return ()
    count = math.floor((stop - start) / step * (1 + 1e-12)) + 1
    if count > MAX_VALUES:
        parameters.fault(name, f"the range has {count} values, more than {MAX_VALUES}")
        return ()
    return tuple(start + index * step for index in range(count))


def _powers_of_two(parameters: Section, name: str, bounds: object) -> tuple[Number, ...]:
    fits = isinstance(bounds, list) and len(bounds) == 2 and all(isinstance(item, int) for item in bounds)
    if not isinstance(bounds, list) or not fits or not 1 <= bounds[0] <= bounds[1]:
        wanted = "powers_of_two: [low, high], whole numbers with 1 <= low <= high"
        parameters.fault(name, f"expected {wanted}, got {_shown(bounds)}")
        return ()
    for bound in bounds:
        if bound & (bound - 1):
            parameters.fault(name, f"powers_of_two: {bound} is no power of two")
            return ()
    return tuple(2**exponent for exponent in range(bounds[0].bit_length() - 1, bounds[1].bit_length()))


def _shown(bounds: object) -> str:
    return str(bounds) if isinstance(bounds, list) else describe(bounds)


def _read_constraints(section: Section, template: Template | None) -> list[str]:
    """Each constraint that can be evaluated."""
    result: list[str] = []
    for position, text in enumerate(section.items("constraints", required=False)):
        path = (*section.path, "constraints", position)
        if not isinstance(text, str):
            section.reader.fault(path, f"expected a comparison such as mac_count <= 4096, got {describe(text)}")
            continue
        try:
            names = names_in_expression(text)
        except ExpressionError as error:
            section.reader.fault(path, str(error))
            continue
        unknown = sorted(names - template.defaults.keys()) if template else []
        for name in unknown:
            hint = nearest(name, template.defaults) if template else ""
            section.reader.fault(path, f'the template has no variable "{name}"{hint}')
        if not unknown:
            result.append(text)
    return result


def _read_scheduler(section: Section) -> SchedulerSettings:
    solver = section.text("solver", None, choices=SOLVERS)
    gap = section.number("gap", default=None)
    time_limit_seconds = section.number("time_limit", default=None, above=0.0)
    given = section.section("weights", required=False)
    weights: dict[str, float | str | None] = {name: given.number(name, default=None) for name in WEIGHTS}
    weights["traffic_model"] = given.text("traffic_model", None, choices=TRAFFIC_MODELS)
    given.finish()
    section.finish()
    chosen = {name: weight for name, weight in weights.items() if weight is not None}
    return SchedulerSettings(solver, gap, time_limit_seconds, chosen)
