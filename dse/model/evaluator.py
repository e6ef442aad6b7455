"""The embedded evaluator: what mappings cost, equal to Timeloop figure for figure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from dse.errors import InputError
from dse.model import unit_costs
from dse.model.cost import CostBatch, cost_nests
from dse.model.nest import Frame, NestBatch
from dse.model.result import Evaluation
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping
from dse.specification.problem import Problem
from dse.specification.version import DEFAULT_VERSION, VERSIONS

__all__ = ["evaluate", "evaluate_many", "evaluate_nests"]


CHUNK = 2048
"""Mappings that are costed at once: their arrays fit the second-level cache."""


def evaluate(
    architecture: Architecture, problem: Problem, mapping: Mapping, version: str = DEFAULT_VERSION.commit
) -> Evaluation:
    """Cost of one mapping, or why it does not fit. Raises InputError as `evaluate_many` does."""
    return evaluate_many([(architecture, problem, mapping)], version)[0]


def evaluate_many(
    points: Iterable[tuple[Architecture, Problem, Mapping]], version: str = DEFAULT_VERSION.commit
) -> list[Evaluation]:
    """Costs of any mix of points, in their order; those that share a frame are counted together.

    `version` is the commit of Timeloop to count as. Raises InputError for a version that is not known, and for wire or
    router energies with 4cf6d4c, which routes its networks in another way.
    """
    if version not in VERSIONS:
        raise InputError(f'version of Timeloop: expected one of {", ".join(VERSIONS)}, got "{version}"')
    rules = VERSIONS[version]
    groups: dict[Frame, list[tuple[int, Mapping]]] = defaultdict(list)
    count = 0
    for architecture, problem, mapping in points:
        groups[Frame.of(architecture, problem, mapping)].append((count, mapping))
        count += 1
    answers: list[Evaluation] = [Evaluation()] * count
    for frame, members in groups.items():
        if not rules.network_energy and any(map(unit_costs.has_network_energy, frame.architecture.storage)):
            raise InputError(
                f"wire and router energies are counted as in {DEFAULT_VERSION.commit} only, not as in {version}"
            )
        for start in range(0, len(members), CHUNK):
            part = members[start : start + CHUNK]
            costs = cost_nests(frame, NestBatch.of([mapping for _, mapping in part]), rules)
            for (position, _), answer in zip(part, costs.evaluations(), strict=True):
                answers[position] = answer
    return answers


def evaluate_nests(frame: Frame, nests: NestBatch) -> Iterator[CostBatch]:
    """Costs of a large batch as arrays, in chunks that fit the cache."""
    for start in range(0, len(nests), CHUNK):
        yield cost_nests(frame, nests[start : start + CHUNK])
