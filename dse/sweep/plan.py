"""The plan of a sweep: distinct problems × a grid of variants, and the content hash that names each result.

A plan is plain data and holds all that the results mean, so that a folder of results can be read without the files
that the study was made of, and by later versions of the project. It holds the template and the values of its
parameters, not the variants: a plan of a million is as short as one of ten.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dse.errors import InputError
from dse.specification.goals import Goals
from dse.specification.problem import Problem
from dse.specification.reference_tables import reference_tables
from dse.specification.scheduling import CosaWeights, ScheduleOptions
from dse.specification.space import ParameterGrid, Variant
from dse.specification.study import Study
from dse.specification.template import Number
from dse.sweep.program import program_name
from dse.sweep.task import Task

if TYPE_CHECKING:
    from dse.timeloop import TimeloopEvaluator

__all__ = [
    "Plan",
    "PlannedLayer",
    "PlannedNetwork",
    "PlannedProblem",
    "Point",
    "Sweep",
    "check_areas",
    "plan_study",
    "schedule_options",
]


@dataclass(frozen=True)
class PlannedProblem:
    """A distinct problem as plain data; `shape` names its shape, and equal shapes have equal names."""

    problem: Mapping[str, Any]
    macs: int
    shape: str
    digest: str


@dataclass(frozen=True, slots=True)
class PlannedLayer:
    """A layer of a network; `problem` is an index into the plan's problems."""

    name: str
    count: int
    problem: int


@dataclass(frozen=True, slots=True)
class PlannedNetwork:
    """A network over the plan's problems."""

    name: str
    source: str
    layers: tuple[PlannedLayer, ...]


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to schedule: the variant's number, the index of the problem, and the key of the result."""

    variant: int
    problem: int
    key: str


@dataclass(frozen=True)
class Plan:
    """Everything that decides the results of a sweep, and what they are called.

    `template` is the content of the template's file. `options` are the scheduler's. `evaluator` names what costs the
    mappings, `timeloop-model` with its version. `program` is the project with the hash of its source: another one may
    answer differently, so results do not mix. `variant_count` is known for spaces that were checked in full. `goals`
    decide no result, but what is compared, and with it what may be left out. `costs` is the choice of a source of
    energies and areas with the content of its files, and its `label`; empty where it is PAT.
    """

    name: str
    description: str
    template: Mapping[str, Any]
    parameters: Mapping[str, tuple[Number, ...]]
    constraints: tuple[str, ...]
    search: Mapping[str, Any]
    options: Mapping[str, Any]
    evaluator: str
    program: str
    problems: tuple[PlannedProblem, ...]
    networks: tuple[PlannedNetwork, ...]
    variant_count: int | None = None
    goals: Goals = field(default_factory=Goals)
    costs: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def grid(self) -> ParameterGrid:
        """The combinations of parameter values; a constraint may leave some out."""
        return ParameterGrid(self.parameters)

    @cached_property
    def asked(self) -> str:
        """Hash of all but how the space is searched."""
        return _digest({name: value for name, value in self.to_dict().items() if name != "search"})

    @cached_property
    def workload(self) -> str:
        """Hash of the networks with their problems and of the goals: what the pruning of a variant holds for."""
        data = self.to_dict()
        return _digest([data["networks"], [problem.digest for problem in self.problems], data["goals"]])

    def macs(self, network: PlannedNetwork) -> int:
        """Operations of one pass through a network."""
        return sum(layer.count * self.problems[layer.problem].macs for layer in network.layers)

    def key(self, digests: Mapping[str, str], problem: int) -> str:
        """The content hash of a result: architecture, mapspace, problem, options, evaluator and program.

        `digests` are those of the variant, one per shape of problem.
        """
        planned = self.problems[problem]
        text = self.program + digests[planned.shape] + planned.digest
        return hashlib.sha256(text.encode()).hexdigest()

    @cached_property
    def operating_options(self) -> dict[str, str]:
        """Label -> options of the scheduler, in JSON, for the schedules between the fastest and the least energy.

        `latency` is the fastest, which bounds the cycles; then come the points of least energy within growing limits.
        """
        if not self.goals.operating_points:
            return {}
        free = dict(self.options) | {"solver": None}
        chosen: dict[str, dict[str, Any]] = {"latency": {"objective": "latency"}}
        for factor in self.goals.latency_factors:
            if factor is None:
                chosen["energy"] = {"objective": "energy"}
            else:
                chosen[f"{factor:.4g}"] = {"objective": "energy", "latency_factor": factor}
        return {label: json.dumps(free | options, sort_keys=True) for label, options in chosen.items()}

    def operating_key(self, key: str, label: str) -> str:
        """The key of the schedule with `operating_options` where that of the study's objective has `key`."""
        return hashlib.sha256(f"{key} {self.operating_options[label]}".encode()).hexdigest()

    def points(self, variant: int, digests: Mapping[str, str]) -> list[Point]:
        """What is to be scheduled on a variant. Points of equal content have the same key."""
        return [Point(variant, problem, self.key(digests, problem)) for problem in range(len(self.problems))]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `study.json`."""
        return asdict(self) | {"goals": self.goals.to_dict()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """The plan that `to_dict` wrote. Raises KeyError or TypeError on anything else."""
        return cls(
            data["name"],
            data["description"],
            data["template"],
            {name: tuple(values) for name, values in data["parameters"].items()},
            tuple(data["constraints"]),
            data["search"],
            data["options"],
            data["evaluator"],
            data["program"],
            tuple(PlannedProblem(**problem) for problem in data["problems"]),
            tuple(
                PlannedNetwork(
                    network["name"], network["source"], tuple(PlannedLayer(**layer) for layer in network["layers"])
                )
                for network in data["networks"]
            ),
            data["variant_count"],
            Goals.from_dict(data["goals"]) if "goals" in data else Goals(),  # older folders have none
            data.get("costs", {}),
        )


@dataclass(frozen=True)
class Sweep:
    """A plan with the study that it came from: what is needed to run it. `problems` are those of the plan, in order.

    `timeloop` costs the mappings in place of the embedded evaluator.
    """

    study: Study
    plan: Plan
    problems: tuple[Problem, ...]
    timeloop: TimeloopEvaluator | None = None

    @cached_property
    def options(self) -> str:
        """The scheduler's options as workers get them."""
        return json.dumps(self.plan.options, sort_keys=True)

    def digests(self, variant: Variant) -> dict[str, str]:
        """Per shape of problem, the hash of all that the variant brings to a result."""
        architecture = variant.architecture.to_dict() | reference_tables(variant.architecture)
        common = {"options": self.plan.options, "evaluator": self.plan.evaluator, "architecture": architecture}
        return {
            planned.shape: _digest(common | {"mapspace": asdict(variant.mapspaces[problem.shape])})
            for planned, problem in self._of_shapes.values()
        }

    def points(self) -> list[Point]:
        """All points of a space that is small enough to be listed, variant by variant."""
        variants = self.study.space.variants()
        return [point for variant in variants for point in self.plan.points(variant.number, self.digests(variant))]

    def task(self, points: Sequence[Point], variants: Mapping[int, Variant], options: str | None = None) -> Task:
        """What a worker needs for some points of one problem, whose variants are given by number.

        `options` of the scheduler take the place of the plan's.
        """
        problem = self.problems[points[0].problem]
        chosen = [variants[point.variant] for point in points]
        return Task(
            options or self.options,
            problem,
            tuple(
                (point.key, variant.architecture, variant.mapspaces[problem.shape])
                for point, variant in zip(points, chosen, strict=True)
            ),
            self.timeloop,
        )

    @cached_property
    def _of_shapes(self) -> dict[str, tuple[PlannedProblem, Problem]]:
        """Per shape, a problem that has it."""
        pairs = zip(self.plan.problems, self.problems, strict=True)
        return {planned.shape: (planned, problem) for planned, problem in pairs}


def plan_study(study: Study, timeloop: TimeloopEvaluator | None = None) -> Sweep:
    """The plan of a study: its problems without repetition, and all options of the scheduler.

    Where the study's evaluator is `timeloop`, it is the program given, or the one that is found. Raises ToolError where
    there is none, InputError where the goals need areas that the architecture does not give.
    """
    check_areas(study)
    if study.evaluator != "timeloop":
        timeloop = None
    elif timeloop is None:
        from dse.timeloop import TimeloopEvaluator  # noqa: PLC0415  (it loads NumPy)

        timeloop = TimeloopEvaluator()
    problems = tuple(dict.fromkeys(layer.problem for network in study.networks for layer in network.layers))
    index = {problem: position for position, problem in enumerate(problems)}
    space = study.space
    plan = Plan(
        study.name,
        study.description,
        space.template.document.data,
        space.grid.values,
        space.constraints,
        study.search.to_dict(),
        schedule_options(study),
        study.evaluator if timeloop is None else timeloop.name,
        program_name(),
        tuple(_planned(problem) for problem in problems),
        tuple(
            PlannedNetwork(
                network.name,
                network.source,
                tuple(PlannedLayer(layer.name, layer.count, index[layer.problem]) for layer in network.layers),
            )
            for network in study.networks
        ),
        study.variant_count,
        study.goals,
        _costs_of(study),
    )
    return Sweep(study, plan, problems, timeloop)


def _costs_of(study: Study) -> dict[str, Any]:
    chosen = study.space.template.costs
    first = None if chosen is None else next(study.space.variants(), None)
    return {} if chosen is None or first is None else {"label": first.architecture.costs} | chosen.to_dict()


def check_areas(study: Study) -> None:
    """Raise InputError where the goals of a study need areas and its first variant gives none."""
    wanted = study.goals.needs_area
    if wanted is None:
        return
    from dse.model.unit_costs import area_um2  # noqa: PLC0415  (the package loads NumPy)

    first = next(study.space.variants(), None)
    if first is not None and area_um2(first.architecture) is None:
        key = "objectives" if "area" in study.goals.objectives else "budgets"
        message = (
            f"{wanted} needs areas, and {study.space.template.document.file or 'the template'} gives none: give it "
            "costs from a source that has areas, such as {source: cacti, node_nm: 22}, or area and cluster-area"
        )
        raise InputError(study.document.fault(("study", key), message))


def _planned(problem: Problem) -> PlannedProblem:
    shape = _digest(problem.shape.to_dict())[:16]
    return PlannedProblem(problem.to_dict(), problem.macs, shape, _digest(problem.to_dict()))


def schedule_options(study: Study) -> dict[str, Any]:
    """All options of the scheduler, those that the study leaves open at their defaults, as plain data."""
    settings = study.scheduler
    given = {
        "solver": settings.solver,
        "gap": settings.gap,
        "time_limit_seconds": settings.time_limit_seconds,
    }
    chosen: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    weights: dict[str, Any] = dict(settings.weights)
    options = asdict(ScheduleOptions(objective=study.objective, weights=CosaWeights(**weights), **chosen))
    del options["latency_factor"]  # of operating points alone
    return options


def _digest(data: object) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
