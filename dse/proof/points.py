"""From a point of a program to the mapping that it stands for, and from a mapping to the counts that it fixes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dse.integers import exponent, prime_factors
from dse.proof.forms import Form
from dse.proof.program import Program
from dse.proof.structure import Slot
from dse.specification.mapping import LevelMapping, Mapping

__all__ = ["fixed_variables", "mapping_of"]

Floats = npt.NDArray[np.float64]


def _number(form: Form, point: Floats) -> int:
    return round(float(point[int(form.column[0]) - 1]))


def mapping_of(program: Program, point: Floats) -> Mapping:
    """The mapping of an integral point. Of the chosen classes of loop orders, a representative."""
    structure = program.structure
    shape = structure.problem.shape
    sizes = _tiling_factors(program, point)
    nothing = (False,) * len(shape.data_spaces)
    levels: list[LevelMapping] = []
    for level in range(structure.levels):
        temporal = sizes[Slot(level, "t")]
        along_x = sizes.get(Slot(level, "x"), [1] * len(temporal))
        along_y = sizes.get(Slot(level, "y"), [1] * len(temporal))
        every = range(len(temporal))
        wide, tall = [d for d in every if along_x[d] > 1], [d for d in every if along_y[d] > 1]
        held = structure.mapspace.loop_constraint(level, spatial=True)
        if held is None:
            spatial_permutation: tuple[int, ...] = (*(d for d in every if d not in tall), *tall)
            split = len(temporal) - len(tall)
        else:
            spatial_permutation, split = held.spatial_order(wide, tall)
        levels.append(
            LevelMapping(
                temporal=tuple(temporal),
                spatial=tuple(x * y for x, y in zip(along_x, along_y, strict=True)),
                permutation=_permutation(program, point, level),
                spatial_permutation=spatial_permutation,
                split=split,
                keep=structure.keep[level],
                no_multicast=nothing,
                no_link_transfer=nothing,
                no_temporal_reuse=nothing,
            )
        )
    return Mapping(tuple(levels))


def _tiling_factors(program: Program, point: Floats) -> dict[Slot, list[int]]:
    """Per slot the factor of every dimension; the primes of a group are dealt out to its dimensions in turn."""
    structure = program.structure
    bounds = structure.problem.bounds
    sizes = {slot: [1] * len(bounds) for slot in structure.slots}
    for row, factor in enumerate(structure.factors):
        supply = [
            dimension
            for dimension in structure.groups[factor.group].dimensions
            for _ in range(exponent(bounds[dimension], factor.prime))
        ]
        for slot in structure.slots:
            for _ in range(_number(program.decisions.counts[row, slot], point)):
                sizes[slot][supply.pop()] *= factor.prime
    return sizes


def _permutation(program: Program, point: Floats, level: int) -> tuple[int, ...]:
    """An order of the chosen class, innermost first; within it, the group along which a tile slides comes first."""
    structure, orders = program.structure, program.orders
    every = range(len(structure.problem.bounds))
    chosen = [i for i in range(len(orders.classes)) if (level, i) in orders.chosen]
    held = structure.mapspace.loop_constraint(level, spatial=False)
    innermost = () if held is None else held.permutation
    if not chosen:
        return (*innermost, *(d for d in every if d not in innermost))
    runs = orders.classes[max(chosen, key=lambda index: _number(orders.chosen[level, index], point))]
    sliding = {
        structure.spaces[space].boxes[position][column.slides][0]
        for (space, child, position), columns in program.windows.columns.items()
        for column in columns
        if child < level and column.slides >= 0 and _number(column.binary, point)
    }
    depth = {group: sum(group in run for run in runs) for group in range(len(structure.groups))}
    group_of = {d: index for index, group in enumerate(structure.groups) for d in group.dimensions}

    def rank(dimension: int) -> tuple[int, bool, int]:
        group = group_of.get(dimension)
        return (1, False, dimension) if group is None else (-depth[group], group not in sliding, dimension)

    return (*innermost, *sorted((d for d in every if d not in innermost), key=rank))


def fixed_variables(program: Program, mapping: Mapping) -> dict[int, float]:
    """Variable number -> value, for the counts of a mapping and for the class of every level's order.

    Where several classes cover an order, the first one is taken.
    """
    structure, decisions, orders = program.structure, program.decisions, program.orders
    fixed: dict[int, float] = {}
    for slot in structure.slots:
        own = mapping.levels[slot.level]
        along_x = set(own.spatial_permutation[: own.split])
        for row, factor in enumerate(structure.factors):
            count = 0
            for dimension in structure.groups[factor.group].dimensions:
                if slot.kind == "t":
                    size = own.temporal[dimension]
                else:
                    size = own.spatial[dimension] if (dimension in along_x) == (slot.kind == "x") else 1
                count += dict(prime_factors(size)).get(factor.prime, 0)
            fixed[int(decisions.counts[row, slot].column[0]) - 1] = float(count)
    for level in range(structure.levels):
        classes = [index for index in range(len(orders.classes)) if (level, index) in orders.chosen]
        if not classes:
            continue
        own = mapping.levels[level]
        group_of = {d: index for index, group in enumerate(structure.groups) for d in group.dimensions}
        loops = [group_of[d] for d in own.permutation if own.temporal[d] > 1]
        covering = next(index for index in classes if _covers(program, loops, index))
        for index in classes:
            fixed[int(orders.chosen[level, index].column[0]) - 1] = float(index == covering)
    return fixed


def _covers(program: Program, loops: list[int], index: int) -> bool:
    """Whether a class of orders credits each data space with the innermost idle run that some loops have."""
    for space, run in enumerate(program.orders.classes[index]):
        moving = program.structure.spaces[space].relevant
        for group in loops:
            if group in moving:
                break
            if group not in run:
                return False
    return True
