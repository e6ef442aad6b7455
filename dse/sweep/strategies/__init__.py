"""Which variants of a space are looked at, and in which order."""

from dse.sweep.strategies.bound_guided import BoundGuided
from dse.sweep.strategies.budget import Budgeted
from dse.sweep.strategies.fastest_first import FastestFirst
from dse.sweep.strategies.grid import GridStrategy
from dse.sweep.strategies.nsga2 import Nsga2
from dse.sweep.strategies.protocol import LayerCost, NetworkCost, Pruner, Pruning, Strategy, VariantOutcome
from dse.sweep.strategies.shuffled import RandomStrategy

__all__ = [
    "BoundGuided",
    "Budgeted",
    "FastestFirst",
    "GridStrategy",
    "LayerCost",
    "NetworkCost",
    "Nsga2",
    "Pruner",
    "Pruning",
    "RandomStrategy",
    "Strategy",
    "VariantOutcome",
]
