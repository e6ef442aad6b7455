"""What a program's rows depend on: the layer, the mesh, the bypass pattern and the mapspace's restrictions.

Capacities, bandwidths and energies are left out: they are parameters, so that one compiled program serves every
variant of an architecture with the same mesh.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

from dse.integers import prime_factors
from dse.model import unit_costs
from dse.specification.architecture import Architecture
from dse.specification.mapspace import LoopConstraint, Mapspace
from dse.specification.problem import Problem

__all__ = ["CAPPED", "Axis", "Factor", "Group", "Slot", "Space", "Structure"]

CAPPED = "energy within cycles"
"""An objective beside latency, energy and edp: the energy of mappings that take so many cycles at most."""

Axis = tuple[tuple[int, int], ...]
"""(group, weight) of the terms whose sum is the coordinate along an axis; groups of bound 1 are left out."""


@dataclass(frozen=True, slots=True)
class Group:
    """Dimensions that no cost tells apart, taken as one of bound `bound`; most groups are a single dimension."""

    dimensions: tuple[int, ...]
    bound: int


@dataclass(frozen=True, slots=True)
class Space:
    """A data space over groups.

    `relevant` are the groups that move it. `boxes` are the axes along which the extent of a tile is no plain product:
    strides (one term), windows (two) and sums of more terms. `tangled`: a group moves several axes.
    """

    name: str
    read_write: bool
    relevant: frozenset[int]
    boxes: tuple[Axis, ...]
    tangled: bool

    @property
    def windows(self) -> tuple[int, ...]:
        """Positions in `boxes` of the axes on which tiles of different indices can overlap."""
        return tuple(position for position, axis in enumerate(self.boxes) if len(axis) > 1)


@dataclass(frozen=True, slots=True)
class Slot:
    """A loop nest that prime factors can go to: `kind` is "t" (temporal), "x" or "y" (spatial along a mesh axis)."""

    level: int
    kind: str


@dataclass(frozen=True, slots=True)
class Factor:
    """A distinct prime factor of a group's bound. Equal primes are interchangeable: only their numbers matter."""

    group: int
    prime: int
    multiplicity: int


@dataclass(frozen=True)
class Structure:
    """The key of a compiled program. All tuples run over storage levels, innermost first."""

    problem: Problem
    keep: tuple[tuple[bool, ...], ...]
    fanouts: tuple[tuple[int, int], ...]
    clusters: tuple[int, ...]
    bounded: tuple[bool, ...]
    bandwidths: tuple[tuple[bool, bool, bool], ...]
    priced: tuple[bool, ...]
    alike: tuple[bool, ...]
    addressed: tuple[bool, ...]
    networked: tuple[bool, ...]
    reducing: tuple[bool, ...]
    loops: tuple[LoopConstraint, ...]
    objective: str

    @classmethod
    def of(cls, architecture: Architecture, problem: Problem, mapspace: Mapspace, objective: str) -> Structure:
        storage = architecture.storage
        widths = unit_costs.tile_widths_um(architecture)
        energy, time = objective != "latency", objective != "energy"
        return cls(
            problem,
            mapspace.keep,
            architecture.fanouts,
            tuple(max(level.instances // level.cluster_size, 1) if energy else level.instances for level in storage),
            tuple(level.effective_entries is not None for level in storage),
            tuple(
                (
                    time and level.read_bandwidth is not None,
                    time and level.write_bandwidth is not None,
                    time and level.shared_bandwidth is not None,
                )
                for level in storage
            ),
            tuple(energy and any(unit_costs.access_energies_pj(level)) for level in storage),
            tuple(len(set(unit_costs.access_energies_pj(level))) == 1 for level in storage),
            tuple(energy and (level.address_generation_energy_pj or 0.0) > 0 for level in storage),
            tuple(
                energy and (unit_costs.wire_energy_per_hop_pj(level, width) > 0 or (level.router_energy_pj or 0.0) > 0)
                for level, width in zip(storage, widths, strict=True)
            ),
            tuple(level.reduction_supported for level in storage),
            mapspace.loops,
            objective,
        )

    @property
    def levels(self) -> int:
        return len(self.fanouts)

    @property
    def mapspace(self) -> Mapspace:
        return Mapspace(self.keep, self.loops)

    @cached_property
    def fans(self) -> tuple[int, ...]:
        """Instances of the next inner level below one instance."""
        return tuple(x * y for x, y in self.fanouts)

    @cached_property
    def kept_levels(self) -> tuple[tuple[int, ...], ...]:
        """Per data space, the levels that keep it, innermost first."""
        return tuple(
            tuple(level for level in range(self.levels) if self.keep[level][space])
            for space in range(len(self.problem.shape.data_spaces))
        )

    @cached_property
    def _axes(self) -> tuple[tuple[tuple[tuple[int, int], ...], ...], ...]:
        """Per data space and axis, the (dimension, weight) of the terms that move."""
        problem = self.problem
        return tuple(
            tuple(
                tuple((t.dimension, problem.weight(t)) for t in axis if problem.bounds[t.dimension] > 1)
                for axis in space.axes
            )
            for space in problem.shape.data_spaces
        )

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """Dimensions with a bound above 1. Those that are plain in, and relevant to, the same data spaces are one.

        Not on a 2-D mesh, where a dimension may be unrolled along one axis of a level only, nor under constraints.
        """
        problem = self.problem
        active = [d for d, bound in enumerate(problem.bounds) if bound > 1]
        flat = all(min(fan) == 1 for fan in self.fanouts) and not self.loops
        merged: dict[object, list[int]] = {}
        for dimension in active:
            uses = [
                (space, axis)
                for space, axes in enumerate(self._axes)
                for axis in axes
                if any(dimension == own for own, _ in axis)
            ]
            once = len({space for space, _ in uses}) == len(uses)
            plain = flat and once and all(axis == ((dimension, 1),) for _, axis in uses)
            key: object = frozenset(space for space, _ in uses) if plain else dimension
            merged.setdefault(key, []).append(dimension)
        return tuple(
            Group(tuple(members), math.prod(problem.bounds[d] for d in members)) for members in merged.values()
        )

    @cached_property
    def spaces(self) -> tuple[Space, ...]:
        """The data spaces over groups."""
        group_of = {d: index for index, group in enumerate(self.groups) for d in group.dimensions}
        merged = {index for index, group in enumerate(self.groups) if len(group.dimensions) > 1}
        result: list[Space] = []
        for space, axes in zip(self.problem.shape.data_spaces, self._axes, strict=True):
            sums: list[dict[int, int]] = []
            for axis in axes:
                weights: dict[int, int] = {}
                for dimension, weight in axis:
                    weights[group_of[dimension]] = weights.get(group_of[dimension], 0) + weight
                sums.append(weights)
            uses = [group for weights in sums for group in weights]
            repeated = {group for group in uses if uses.count(group) > 1} - merged
            boxes = tuple(
                tuple(weights.items())
                for weights in sums
                if len(weights) > 1 or any(weight > 1 or group in repeated for group, weight in weights.items())
            )
            result.append(Space(space.name, space.read_write, frozenset(uses), boxes, bool(repeated)))
        return tuple(result)

    def idle(self, space: int) -> frozenset[int]:
        """Groups that do not move a data space."""
        return frozenset(range(len(self.groups))) - self.spaces[space].relevant

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """The rows of the matrix of counts."""
        return tuple(
            Factor(index, prime, multiplicity)
            for index, group in enumerate(self.groups)
            for prime, multiplicity in prime_factors(group.bound)
        )

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The columns of the matrix of counts, from the innermost level; spatial loops stand inside temporal ones."""
        result: list[Slot] = []
        for level, (fan_x, fan_y) in enumerate(self.fanouts):
            result += [Slot(level, "x")] * (fan_x > 1) + [Slot(level, "y")] * (fan_y > 1) + [Slot(level, "t")]
        return tuple(result)

    def extent(self, axis: Axis, sizes: tuple[int, ...]) -> int:
        """Words that a tile of the given sizes, one a term, spans along an axis (skipped rows included)."""
        return 1 + sum(weight * (size - 1) for (_, weight), size in zip(axis, sizes, strict=True))
