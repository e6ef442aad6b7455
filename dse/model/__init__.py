"""The embedded evaluator."""

from dse.model.evaluator import evaluate, evaluate_many, evaluate_nests
from dse.model.result import DataSpaceCost, Evaluation, LevelCost
from dse.specification.version import DEFAULT_VERSION, VERSIONS

__all__ = [
    "DEFAULT_VERSION",
    "VERSIONS",
    "DataSpaceCost",
    "Evaluation",
    "LevelCost",
    "evaluate",
    "evaluate_many",
    "evaluate_nests",
]
