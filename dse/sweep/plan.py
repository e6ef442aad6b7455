"""The plan of a sweep: distinct problems × variants, and the content hash that names each result.

A plan is plain data and holds all that the results mean, so that a folder of results can be read without the files
that the study was made of, and by later versions of the project.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dse.specification.problem import Problem
from dse.specification.scheduling import CosaWeights, ScheduleOptions
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
    "PlannedVariant",
    "Point",
    "Sweep",
    "plan_study",
    "schedule_options",
]


@dataclass(frozen=True)
class PlannedVariant:
    """A variant: its `arch:` as plain data; per shape of problem its mapspace as such, and the hash of all that."""

    name: str
    parameters: Mapping[str, Number]
    architecture: Mapping[str, Any]
    mapspaces: Sequence[Mapping[str, Any]]
    digests: Sequence[str]


@dataclass(frozen=True)
class PlannedProblem:
    """A distinct problem as plain data; `shape` is its index into the variants' `mapspaces` and `digests`."""

    problem: Mapping[str, Any]
    macs: int
    shape: int
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
    """One thing to schedule: indices of the variant and of the problem, and the key of the result."""

    variant: int
    problem: int
    key: str


@dataclass(frozen=True)
class Plan:
    """Everything that decides the results of a sweep, and what they are called.

    `options` are the scheduler's. `evaluator` names what costs the mappings, `timeloop-model` with its version.
    `program` is the project with the hash of its source: another one may answer differently, so results do not mix.
    """

    name: str
    description: str
    options: Mapping[str, Any]
    evaluator: str
    program: str
    variants: tuple[PlannedVariant, ...]
    problems: tuple[PlannedProblem, ...]
    networks: tuple[PlannedNetwork, ...]

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the swept parameters."""
        return tuple(self.variants[0].parameters)

    @cached_property
    def identity(self) -> str:
        """Hash of the study: of all but its description, and whatever program runs it."""
        return _digest(self.to_dict() | {"description": "", "program": ""})

    def key(self, variant: int, problem: int) -> str:
        """The content hash of a result: architecture, mapspace, problem, options, evaluator and program."""
        planned = self.problems[problem]
        text = self.program + self.variants[variant].digests[planned.shape] + planned.digest
        return hashlib.sha256(text.encode()).hexdigest()

    def points(self) -> Iterator[Point]:
        """All points, problem by problem. Points of equal content have the same key."""
        for problem in range(len(self.problems)):
            for variant in range(len(self.variants)):
                yield Point(variant, problem, self.key(variant, problem))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `study.json`."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """The plan that `to_dict` wrote. Raises KeyError or TypeError on anything else."""
        return cls(
            data["name"],
            data["description"],
            data["options"],
            data["evaluator"],
            data["program"],
            tuple(PlannedVariant(**variant) for variant in data["variants"]),
            tuple(PlannedProblem(**problem) for problem in data["problems"]),
            tuple(
                PlannedNetwork(
                    network["name"], network["source"], tuple(PlannedLayer(**layer) for layer in network["layers"])
                )
                for network in data["networks"]
            ),
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

    def task(self, points: Sequence[Point]) -> Task:
        """What a worker needs for some points of one problem."""
        problem = self.problems[points[0].problem]
        variants = [self.study.variants[point.variant] for point in points]
        return Task(
            self.options,
            problem,
            tuple(
                (point.key, variant.architecture, variant.mapspaces[problem.shape])
                for point, variant in zip(points, variants, strict=True)
            ),
            self.timeloop,
        )


def plan_study(study: Study, timeloop: TimeloopEvaluator | None = None) -> Sweep:
    """The plan of a study: its problems without repetition, and all options of the scheduler.

    Where the study's evaluator is `timeloop`, it is the program given, or the one that is found. Raises ToolError where
    there is none.
    """
    if study.evaluator != "timeloop":
        timeloop = None
    elif timeloop is None:
        from dse.timeloop import TimeloopEvaluator  # noqa: PLC0415  (it loads NumPy)

        timeloop = TimeloopEvaluator()
    problems = tuple(dict.fromkeys(layer.problem for network in study.networks for layer in network.layers))
    shapes = list(dict.fromkeys(problem.shape for problem in problems))
    index = {problem: position for position, problem in enumerate(problems)}
    options = schedule_options(study)
    evaluator = study.evaluator if timeloop is None else timeloop.name
    common = {"options": options, "evaluator": evaluator}
    variants: list[PlannedVariant] = []
    for variant in study.variants:
        architecture = variant.architecture.to_dict()
        mapspaces = [asdict(variant.mapspaces[shape]) for shape in shapes]
        digests = [_digest(common | {"architecture": architecture, "mapspace": mapspace}) for mapspace in mapspaces]
        variants.append(PlannedVariant(variant.name, variant.parameters, architecture, mapspaces, digests))
    plan = Plan(
        study.name,
        study.description,
        options,
        evaluator,
        program_name(),
        tuple(variants),
        tuple(
            PlannedProblem(problem.to_dict(), problem.macs, shapes.index(problem.shape), _digest(problem.to_dict()))
            for problem in problems
        ),
        tuple(
            PlannedNetwork(
                network.name,
                network.source,
                tuple(PlannedLayer(layer.name, layer.count, index[layer.problem]) for layer in network.layers),
            )
            for network in study.networks
        ),
    )
    return Sweep(study, plan, problems, timeloop)


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
    return asdict(ScheduleOptions(objective=study.objective, weights=CosaWeights(**weights), **chosen))


def _digest(data: object) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
