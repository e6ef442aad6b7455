"""The plan of a sweep: distinct problems × variants, and the content hash that names each result.

A plan holds all that the results mean, so a folder of results can be read without the files that the study was made of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from dse import __version__
from dse.specification.architecture import Architecture, parse_architecture
from dse.specification.document import Document
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem, parse_problem
from dse.specification.study import Study
from dse.specification.template import Number

__all__ = ["Plan", "PlannedLayer", "PlannedNetwork", "PlannedVariant", "Point", "plan_study", "schedule_options"]


@dataclass(frozen=True)
class PlannedVariant:
    """A variant; `mapspaces` follows the order of the plan's problems' shapes (`Plan.shape_of`)."""

    name: str
    parameters: Mapping[str, Number]
    architecture: Architecture
    mapspaces: tuple[Mapspace, ...]


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

    `options` are the scheduler's, as plain data: who only reads results does not import the scheduler. `program` is the
    version of the project: another version may answer differently, so its results do not mix.
    """

    name: str
    description: str
    options: Mapping[str, Any]
    evaluator: str
    variants: tuple[PlannedVariant, ...]
    problems: tuple[Problem, ...]
    networks: tuple[PlannedNetwork, ...]
    program: str = f"dse {__version__}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of the swept parameters."""
        return tuple(self.variants[0].parameters)

    @cached_property
    def shape_of(self) -> tuple[int, ...]:
        """Per problem, the index of its mapspace in each variant's `mapspaces`."""
        shapes = list(dict.fromkeys(problem.shape for problem in self.problems))
        return tuple(shapes.index(problem.shape) for problem in self.problems)

    @cached_property
    def identity(self) -> str:
        """Hash of all but the descriptions: two plans with the same identity give the same results."""
        return _digest(self.to_dict() | {"description": ""})

    @cached_property
    def _digests(self) -> tuple[list[list[str]], list[str]]:
        """(per variant and shape, per problem) the hashes that a key is made of."""
        common = _digest({"options": self.options, "evaluator": self.evaluator, "program": self.program})
        variants = [
            [_digest([common, variant.architecture.to_dict(), mapspace.keep]) for mapspace in variant.mapspaces]
            for variant in self.variants
        ]
        return variants, [_digest(problem.to_dict()) for problem in self.problems]

    def key(self, variant: int, problem: int) -> str:
        """The content hash of a result: architecture, mapspace, problem, options, evaluator and program."""
        variants, problems = self._digests
        text = variants[variant][self.shape_of[problem]] + problems[problem]
        return hashlib.sha256(text.encode()).hexdigest()

    def points(self) -> Iterator[Point]:
        """All points, problem by problem. Points of equal content have the same key."""
        for problem in range(len(self.problems)):
            for variant in range(len(self.variants)):
                yield Point(variant, problem, self.key(variant, problem))

    def to_dict(self) -> dict[str, Any]:
        """Plain data for `study.json`."""
        return {
            "name": self.name,
            "description": self.description,
            "program": self.program,
            "evaluator": self.evaluator,
            "options": dict(self.options),
            "problems": [problem.to_dict() for problem in self.problems],
            "networks": [asdict(network) for network in self.networks],
            "variants": [
                {
                    "name": variant.name,
                    "parameters": dict(variant.parameters),
                    "architecture": variant.architecture.to_dict(),
                    "keep": [mapspace.keep for mapspace in variant.mapspaces],
                }
                for variant in self.variants
            ],
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Plan:
        """The plan that `to_dict` wrote. Raises KeyError, TypeError or InputError on anything else."""
        return cls(
            data["name"],
            data["description"],
            data["options"],
            data["evaluator"],
            tuple(
                PlannedVariant(
                    variant["name"],
                    variant["parameters"],
                    parse_architecture(Document(variant), variant["architecture"]),
                    tuple(Mapspace(tuple(tuple(level) for level in keep)) for keep in variant["keep"]),
                )
                for variant in data["variants"]
            ),
            tuple(parse_problem(Document(problem), problem) for problem in data["problems"]),
            tuple(
                PlannedNetwork(
                    network["name"],
                    network["source"],
                    tuple(PlannedLayer(**layer) for layer in network["layers"]),
                )
                for network in data["networks"]
            ),
            data["program"],
        )


def plan_study(study: Study) -> Plan:
    """The plan of a study: its problems without repetition, and all options of the scheduler."""
    layers = [layer for network in study.networks for layer in network.layers]
    problems = list(dict.fromkeys(layer.problem for layer in layers))
    shapes = list(dict.fromkeys(problem.shape for problem in problems))
    index = {problem: position for position, problem in enumerate(problems)}
    return Plan(
        study.name,
        study.description,
        schedule_options(study),
        study.evaluator,
        tuple(
            PlannedVariant(
                variant.name,
                variant.parameters,
                variant.architecture,
                tuple(variant.mapspaces[shape] for shape in shapes),
            )
            for variant in study.variants
        ),
        tuple(problems),
        tuple(
            PlannedNetwork(
                network.name,
                network.source,
                tuple(PlannedLayer(layer.name, layer.count, index[layer.problem]) for layer in network.layers),
            )
            for network in study.networks
        ),
    )


def schedule_options(study: Study) -> dict[str, Any]:
    """All options of the scheduler, those that the study leaves open at their defaults, as plain data."""
    # It loads the solvers' interfaces: only who runs a study waits for them.
    from dse.scheduler import CosaWeights, ScheduleOptions  # noqa: PLC0415

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
