"""How many words move between levels, in the log2 domain, and what they weigh in CoSA's objective."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from dse.model.unit_costs import access_energies_pj
from dse.scheduler.cosa.variables import Row, Variables
from dse.scheduler.options import CosaWeights
from dse.specification.architecture import Architecture, StorageLevel

__all__ = ["Transfer", "cosa_cost", "energy_weights", "transfers"]


@dataclass(frozen=True)
class Transfer:
    """Words of a data space that a level hands to, or takes from, another one, over all instances.

    `row` is log2 of the words; `reads`, `fills` and `updates` say how often the level accesses each. `child` is the
    level on the inner side (-1: the MACs).
    """

    level: int
    space: int
    child: int
    row: Row
    reads: int = 0
    fills: int = 0
    updates: int = 0

    def word_energy_pj(self, storage: StorageLevel) -> float:
        """Energy of one word at the level where all instances work (Timeloop counts the cluster size twice there)."""
        energies = zip((self.reads, self.fills, self.updates), access_energies_pj(storage), strict=True)
        return sum(number * energy for number, energy in energies) / storage.block_size / storage.cluster_size


def transfers(variables: Variables) -> list[Transfer]:
    """All transfers of a layer.

    The MACs read every operand from, and write every result to, the innermost level that keeps it; between two kept
    levels a tile moves whenever the loops outside it move it. A fan-out serves children that use the same words at
    once (multicast, or the sum of partial results). A tile's overlap with the one before it is not taken off.
    """
    structure = variables.structure
    result: list[Transfer] = []
    for space, data_space in enumerate(structure.problem.shape.data_spaces):
        idle = variables.active - structure.relevant(space)
        updates = int(data_space.read_write)  # a partial result is read and written
        kept = structure.kept_levels[space]
        macs = variables.row(constant=math.log2(structure.problem.macs))
        shared = variables.row_factors(idle, "s", range(kept[0] + 1))
        result.append(Transfer(kept[0], space, -1, macs - shared, reads=1, updates=updates))
        for child, parent in pairwise(kept):
            levels = range(child + 1, structure.levels)
            fetched = variables.row_tile(space, child) + variables.row_fetches(space, child)
            fills = fetched + variables.row_factors(variables.active, "s", levels)
            shared = variables.row_factors(idle, "s", range(child + 1, parent + 1))
            result.append(Transfer(child, space, child, fills, fills=1))
            result.append(Transfer(parent, space, child, fills - shared, reads=1, updates=updates))
    return result


def cosa_cost(variables: Variables, architecture: Architecture, weights: CosaWeights) -> Row:
    """CoSA's objective as a linear form."""
    structure = variables.structure
    compute = variables.row_factors(variables.active, "t", range(structure.levels))
    traffic = _energy_traffic if weights.traffic_model == "energy" else _published_traffic
    cost: Row = weights.compute * compute + weights.traffic * traffic(variables, architecture)
    for factor, space, level in _utilization(variables):
        cost -= weights.utilization * factor * variables.row_tile(space, level)
    return cost


def _utilization(variables: Variables) -> Iterator[tuple[float, int, int]]:
    """(weight, data space, level) of the tiles inside the outermost on-chip level, as published.

    What the outermost level fills directly counts 1 % more: published CoSA does so for its weight buffer.
    """
    structure = variables.structure
    for space, kept in enumerate(structure.kept_levels):
        for child, parent in pairwise(kept):
            if child < structure.levels - 2:
                direct = parent == structure.levels - 1 and child > 0
                yield 1.01 if direct else 1.0, space, child


def energy_weights(variables: Variables, architecture: Architecture) -> list[tuple[Transfer, float]]:
    """Every transfer with its estimated part of the energy.

    The parts are those at a reference point, which moves words about as rarely as a buffer of that size allows: a data
    space at least once, and MACs / √words of the inner side (Hong and Kung, "I/O complexity: the red-blue pebble
    game", STOC 1981). What the MACs use is shared by the square root of the MACs below one instance, as where two data
    spaces divide a mesh. The parts add up to the number of data spaces, as the weights of the published sum do.
    """
    structure = variables.structure
    problem = structure.problem
    spaces = problem.shape.data_spaces
    moved = transfers(variables)
    energies: list[float] = []
    for transfer in moved:
        if transfer.child < 0:
            below = math.prod(x * y for x, y in architecture.fanouts[: transfer.level + 1])
            words = problem.macs / math.sqrt(below)
        else:
            level = architecture.storage[transfer.child]
            room = float(level.effective_entries or math.inf) * level.instances
            words = max(float(problem.words(spaces[transfer.space])), problem.macs / math.sqrt(room))
        energies.append(transfer.word_energy_pj(architecture.storage[transfer.level]) * words)
    total = sum(energies) or 1.0
    return [(transfer, len(spaces) * energy / total) for transfer, energy in zip(moved, energies, strict=True)]


def _energy_traffic(variables: Variables, architecture: Architecture) -> Row:
    """Σ (estimated part of the energy) · log2 words: the tangent of log2 energy at the reference point."""
    result = variables.row()
    for transfer, weight in energy_weights(variables, architecture):
        result += weight * transfer.row
    return result


def _published_traffic(variables: Variables, architecture: Architecture) -> Row:
    """CoSA's sum for transfers between the outermost on-chip level and what lies inside it, with its hand weights.

    Per data space: the tile inside, 0.99 · (0.8 + 0.04 · level) a factor; the spatial loops of the outermost on-chip
    level, 0.99; its temporal loops less what stays in place; the loops of the outermost level, 1.01 for data that
    bypasses the on-chip level. Factors that a halo adds to an input tile do not count (R and S of a convolution).
    """
    structure = variables.structure
    outer = structure.levels - 1
    hub = max(outer - 1, 0)
    output_dimensions = {
        dimension for space in structure.problem.shape.data_spaces if space.read_write for dimension in space.dimensions
    }
    result = variables.row()
    for space, kept in enumerate(structure.kept_levels):
        halo = {
            term.dimension
            for axis in structure.box_axes(space)
            if len(axis) > 1
            for term in axis
            if term.dimension not in output_dimensions
        }
        for level in range(hub):
            inside = variables.row_factors(structure.relevant(space) - halo, "ts", range(level, level + 1))
            result += 0.99 * (0.8 + 0.04 * level) * inside
        result += 0.99 * variables.row_factors(variables.active, "s", range(hub, hub + 1))
        result += variables.row_factors(variables.active, "t", range(hub, hub + 1))
        if outer > hub:
            bypasses = hub not in kept
            result += (1.01 if bypasses else 1.0) * variables.row_factors(
                variables.active, "t", range(outer, outer + 1)
            )
        inner = [level for level in kept if level < hub]
        for (own, child, level, _), index in variables.saved.items():
            if inner and (own, child) == (space, inner[-1]) and level >= hub:
                result[index] -= 1.0
    return result
