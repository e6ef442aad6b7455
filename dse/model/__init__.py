"""The embedded evaluator."""

from dse.model.evaluator import evaluate, evaluate_many, evaluate_nests
from dse.model.result import DataSpaceCost, Evaluation, LevelCost

__all__ = ["DataSpaceCost", "Evaluation", "LevelCost", "evaluate", "evaluate_many", "evaluate_nests"]
