"""The variants of a stored study as architectures again: to bound what they can do, and to count what a mapping moves.

A folder holds figures and mappings. Its plan holds the template, the parameters and the problems, from which everything
else follows.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dse.specification.costs import CostChoice
from dse.specification.document import Document
from dse.specification.mapping import Mapping, parse_mapping
from dse.specification.problem import Problem, parse_problem
from dse.specification.space import Variant, VariantSpace
from dse.specification.template import parse_template
from dse.sweep.bounds import Bounds
from dse.sweep.plan import Plan
from dse.sweep.strategies.protocol import LayerCost
from dse.sweep.task import Result

if TYPE_CHECKING:
    from dse.model import Evaluation

__all__ = ["StudyVariants"]

_TOLERANCE = 1e-9


class StudyVariants:
    """Makes what a plan describes. All methods raise InputError where this program no longer reads the plan."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @cached_property
    def problems(self) -> tuple[Problem, ...]:
        """The problems of the plan, in its order."""
        return tuple(
            parse_problem(Document({"problem": planned.problem}), planned.problem) for planned in self.plan.problems
        )

    @cached_property
    def space(self) -> VariantSpace:
        """The template over the grid, with the costs that the study was run with."""
        content = {key: value for key, value in self.plan.template.items() if key != "costs"}
        template = replace(parse_template(Document(content)), costs=_costs(self.plan))
        shapes = tuple(dict.fromkeys(problem.shape for problem in self.problems))
        return VariantSpace(template, self.plan.grid, self.plan.constraints, shapes)

    def variant(self, number: int) -> Variant | None:
        """A combination as an architecture; None where it is none, or a constraint leaves it out."""
        made = self.space.variant(number)
        return made if isinstance(made, Variant) else None

    def bounds(self, number: int) -> list[LayerCost] | None:
        """Per problem, what no schedule goes below in cycles and in pJ; None where there is no such variant.

        The bounds are the embedded evaluator's: of a study that another one costs, nothing is known.
        """
        variant = self.variant(number) if self.plan.evaluator == "embedded" else None
        return None if variant is None else self._bounds.layers(variant)

    @cached_property
    def _bounds(self) -> Bounds:
        return Bounds(self.space, self.problems)

    def mapping(self, number: int, problem: int, result: Result) -> Mapping | None:
        """The mapping of a stored result; None where it has none, or the variant is none."""
        variant = self.variant(number)
        if variant is None or result.mapping is None:
            return None
        directives = json.loads(result.mapping)
        own = self.problems[problem]
        return parse_mapping(Document({"mapping": directives}), directives, variant.architecture, own)

    def evaluation(self, number: int, problem: int, result: Result) -> Evaluation | None:
        """What a stored mapping moves and costs; None where the evaluator no longer says of it what is stored."""
        from dse.model import evaluate  # noqa: PLC0415  (it loads NumPy)

        variant, mapping = self.variant(number), self.mapping(number, problem, result)
        if variant is None or mapping is None or result.energy_pj is None:
            return None
        evaluation = evaluate(variant.architecture, self.problems[problem], mapping)
        same = evaluation.latency_cycles == result.cycles
        same = same and math.isclose(evaluation.energy_pj, result.energy_pj, rel_tol=_TOLERANCE)
        return evaluation if same else None


def _costs(plan: Plan) -> CostChoice | None:
    """The source of costs that the plan keeps; None where the study chose none."""
    if not plan.costs:
        return None
    block: dict[str, Any] = {key: value for key, value in plan.costs.items() if key not in ("label", "content")}
    tables = Document(plan.costs["content"]) if "content" in plan.costs else None
    return CostChoice(Document(block), (), tables)
