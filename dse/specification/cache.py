"""Reading many points that repeat the same architectures and problems."""

from __future__ import annotations

import marshal
from pathlib import Path
from typing import Any

from dse.specification.architecture import Architecture, parse_architecture
from dse.specification.costs import CostChoice, read_costs
from dse.specification.document import Document
from dse.specification.formats import translated
from dse.specification.mapping import Mapping, parse_mapping
from dse.specification.problem import Problem, parse_problem
from dse.specification.reference_tables import apply_reference_tables

__all__ = ["PointCache"]


def _content(data: Any) -> bytes:
    """Equal bytes for equal content, booleans and numbers told apart; the fastest there is for plain data."""
    return marshal.dumps(data, 2)  # version 2 keeps no note of which objects are the same


class PointCache:
    """Parses plain data (JSON) and gives back the same object for the same content."""

    def __init__(self, costs: CostChoice | None = None) -> None:
        self._costs = costs
        self._architectures: dict[bytes, Architecture] = {}
        self._problems: dict[bytes, Problem] = {}

    def architecture(self, point: dict[str, Any]) -> Architecture:
        """The architecture of a point's `arch`, with its `costs`, `ERT` and `ART`; raises InputError.

        Costs that the cache was made with take the place of the point's.
        """
        parts = {key: point[key] for key in ("arch", "costs", "ERT", "ART") if key in point}
        key = _content(parts)
        if key not in self._architectures:
            document = translated(Document(parts))
            architecture = parse_architecture(document, document.data["arch"])
            costs = self._costs
            if costs is None and "costs" in parts:
                costs = read_costs(document, ("costs",), Path())
            if costs is not None:
                architecture = costs.apply(architecture)
            self._architectures[key] = apply_reference_tables(document, architecture)
        return self._architectures[key]

    def problem(self, data: Any) -> Problem:
        """The problem of `data`, the content of `problem:`; raises InputError."""
        key = _content(data)
        if key not in self._problems:
            self._problems[key] = parse_problem(Document({"problem": data}), data)
        return self._problems[key]

    @staticmethod
    def mapping(data: Any, architecture: Architecture, problem: Problem) -> Mapping:
        """The mapping of `data`, the content of `mapping:`; raises InputError."""
        return parse_mapping(Document({"mapping": data}), data, architecture, problem)
