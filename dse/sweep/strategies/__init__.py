"""Which variants of a space are looked at, and in which order."""

from dse.sweep.strategies.grid import GridStrategy
from dse.sweep.strategies.protocol import LayerCost, NetworkCost, Pruner, Pruning, Strategy, VariantOutcome

__all__ = ["GridStrategy", "LayerCost", "NetworkCost", "Pruner", "Pruning", "Strategy", "VariantOutcome"]
