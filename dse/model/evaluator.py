"""The embedded evaluator: what mappings cost, equal to Timeloop figure for figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from dse.model.cost import CostBatch, cost_nests
from dse.model.nest import Frame, NestBatch
from dse.model.result import Evaluation
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping
from dse.specification.problem import Problem

__all__ = ["evaluate", "evaluate_many", "evaluate_nests"]

CHUNK = 2048
"""Mappings that are costed at once: their arrays fit the second-level cache."""


def evaluate(architecture: Architecture, problem: Problem, mapping: Mapping) -> Evaluation:
    """Cost of one mapping, or why it does not fit."""
    return cost_nests(Frame.of(architecture, problem, mapping), NestBatch.of([mapping])).evaluation(0)


def evaluate_many(points: Iterable[tuple[Architecture, Problem, Mapping]]) -> list[Evaluation]:
    """Costs of any mix of points, in their order; those that share a frame are counted together."""
    groups: dict[Frame, list[tuple[int, Mapping]]] = defaultdict(list)
    count = 0
    for architecture, problem, mapping in points:
        groups[Frame.of(architecture, problem, mapping)].append((count, mapping))
        count += 1
    answers: list[Evaluation] = [Evaluation()] * count
    for frame, members in groups.items():
        for start in range(0, len(members), CHUNK):
            part = members[start : start + CHUNK]
            costs = cost_nests(frame, NestBatch.of([mapping for _, mapping in part]))
            for (position, _), answer in zip(part, costs.evaluations(), strict=True):
                answers[position] = answer
    return answers


def evaluate_nests(frame: Frame, nests: NestBatch) -> Iterator[CostBatch]:
    """Costs of a large batch as arrays, in chunks that fit the cache."""
    for start in range(0, len(nests), CHUNK):
        yield cost_nests(frame, nests[start : start + CHUNK])
