"""Hypothesis strategies for architectures, problems and mappings, small enough to be simulated loop by loop."""

import math
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from dse.specification.architecture import Architecture, Arithmetic, StorageLevel
from dse.specification.document import Document
from dse.specification.mapping import LevelMapping, Mapping
from dse.specification.mapspace import LoopConstraint
from dse.specification.problem import CNN_LAYER, DataSpace, Problem, Shape, parse_problem

__all__ = ["SHAPES", "Point", "architectures", "constraints_on", "mappings", "points", "problems", "words"]

PRIMES = (2, 2, 2, 3, 5)


@dataclass(frozen=True)
class Point:
    architecture: Architecture
    problem: Problem
    mapping: Mapping

    def __iter__(self) -> Any:
        return iter((self.architecture, self.problem, self.mapping))


def _shape(name: str, dimensions: str, result: str, coefficients: str = "", **spaces: str) -> Shape:
    """A shape through the parser: axes of a data space are separated by blanks, `R*D+P` is a sum of terms."""
    description = {
        "name": name,
        "dimensions": list(dimensions),
        "coefficients": [{"name": coefficient, "default": 1} for coefficient in coefficients.split()],
        "data-spaces": [
            {"name": space, "projection": [[term.split("*") for term in axis.split("+")] for axis in axes.split()]}
            | ({"read-write": True} if space == result else {})
            for space, axes in spaces.items()
        ],
    }
    problem = {"shape": description} | dict.fromkeys(dimensions, 1)
    return parse_problem(Document({"problem": problem}), problem).shape


SHAPES = (
    CNN_LAYER,
    _shape("matmul", "MNK", "Z", A="M K", B="K N", Z="M N"),
    _shape("result-first", "MNK", "Z", Z="M N", B="K N", A="M K"),
    _shape("attention", "BHMNE", "Scores", Queries="B H M E", Keys="B H N E", Scores="B H M N"),
    _shape(
        "depthwise", "RPCN", "Outputs", "Stride Dilation", W="C R", Inputs="N C R*Dilation+P*Stride", Outputs="N C P"
    ),
    _shape("conv1d", "RPCK", "Outputs", W="C K R", Inputs="C R+P", Outputs="K P"),
    _shape("diagonal", "PQC", "Z", A="P P+Q", B="Q C", Z="P C"),
)


@st.composite
def problems(draw: st.DrawFn, shape: Shape | None = None, most_factors: int = 8) -> Problem:
    """A problem whose bounds have half of `most_factors` to `most_factors` prime factors in all."""
    own = draw(st.sampled_from(SHAPES)) if shape is None else shape
    bounds = [1] * len(own.dimensions)
    for prime in draw(st.lists(st.sampled_from(PRIMES), min_size=most_factors // 2, max_size=most_factors)):
        bounds[draw(st.integers(0, len(bounds) - 1))] *= prime
    return Problem(own, tuple(bounds), tuple(draw(st.integers(1, 3)) for _ in own.coefficients))


def _optional(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | values


BANDWIDTHS = _optional(st.sampled_from((0.25, 0.7, 1.0, 3.0, 16.0)))
ENERGIES = st.sampled_from((0.0, 0.3, 1.0, 2.5, 100.0))


@st.composite
def architectures(draw: st.DrawFn, most_levels: int = 4, plain: bool = False) -> Architecture:
    """One to four storage levels with 1-D and 2-D fan-outs; `plain`: nothing but capacities and fan-outs."""
    count = draw(st.integers(1, most_levels))
    side = st.sampled_from((2, 1, 3, 4))
    x, y = draw(st.sampled_from(((1, 1),) * 4 + ((2, 1), (1, 2), (2, 2))))
    levels: list[StorageLevel] = []
    for index in range(count):
        dram = index == 0 and draw(st.booleans())
        level = StorageLevel(
            f"L{count - 1 - index}",
            x * y,
            x,
            y,
            entries=None if index == 0 else draw(st.sampled_from((2**10, 2**16, 2**20))),
            technology="DRAM" if dram else "SRAM",
            reduction_supported=not dram,
        )
        levels.insert(0, level if plain else draw(_adorned(level)))
        if draw(st.integers(0, 3)):
            x, y = x * draw(side), y * draw(side)
    energy = None if plain else draw(_optional(ENERGIES))
    area = None if plain else draw(_optional(st.sampled_from((50.0, 400.0))))
    word_bits = 16 if plain else draw(st.sampled_from((8, 16, 32)))
    arithmetic = Arithmetic(x * y, x, y, word_bits=word_bits, energy_pj=energy, area_um2=area)
    return Architecture(arithmetic, tuple(levels))


@st.composite
def _adorned(draw: st.DrawFn, level: StorageLevel) -> StorageLevel:
    clusters = [size for size in (1, 2, 4) if level.technology == "SRAM" and level.instances % size == 0] or [1]
    return replace(
        level,
        word_bits=draw(st.sampled_from((8, 16, 24))),
        block_size=draw(st.sampled_from((1, 1, 3, 8))),
        cluster_size=draw(st.sampled_from(clusters)),
        multiple_buffering=draw(st.sampled_from((1.0, 1.0, 1.5, 2.0))),
        read_bandwidth=draw(BANDWIDTHS),
        write_bandwidth=draw(BANDWIDTHS),
        shared_bandwidth=draw(BANDWIDTHS),
        reduction_supported=draw(st.booleans()),
        vector_access_energy_pj=draw(_optional(ENERGIES)),
        address_generation_energy_pj=draw(_optional(ENERGIES)),
        cluster_area_um2=draw(_optional(st.sampled_from((0.0, 640.0)))),
        network_word_bits=draw(_optional(st.sampled_from((8, 20)))),
        wire_energy_pj_per_bit_mm=draw(_optional(st.sampled_from((0.0, 0.05, 0.3)))),
        energy_per_hop_pj=draw(_optional(ENERGIES)),
        router_energy_pj=draw(_optional(ENERGIES)),
        tile_width_um=draw(_optional(st.sampled_from((100.0, 350.5)))),
    )


def _primes(number: int) -> list[int]:
    found = []
    divisor = 2
    while number > 1:
        while number % divisor == 0:
            found.append(divisor)
            number //= divisor
        divisor += 1
    return found


@st.composite
def mappings(
    draw: st.DrawFn, architecture: Architecture, problem: Problem, plain: bool = False, overflow: bool = False
) -> Mapping:
    """Every prime factor at some level, spatial only where the mesh has room for it.

    `plain`: everything is kept everywhere and all switches have their defaults; otherwise any data space may be
    bypassed anywhere, but not everywhere. `overflow` lets spatial factors exceed the mesh: such a mapping may be
    invalid.
    """
    dimensions, spaces = len(problem.bounds), len(problem.shape.data_spaces)
    count = len(architecture.storage)
    temporal = [[1] * dimensions for _ in range(count)]
    along = [[[1] * dimensions, [1] * dimensions] for _ in range(count)]
    for dimension, bound in enumerate(problem.bounds):
        for prime in _primes(bound):
            level = draw(st.integers(0, count - 1))
            axis = draw(st.integers(0, 3))  # mostly temporal: 2 and 3 stand for no axis
            fan = architecture.fanouts[level]
            fits = axis < 2 and along[level][1 - axis][dimension] == 1 and math.prod(fan) > 1
            if fits and (overflow or math.prod(along[level][axis]) * prime <= fan[axis]):
                along[level][axis][dimension] *= prime
            else:
                temporal[level][dimension] *= prime
    flags = st.tuples(*[st.booleans()] * spaces)
    switches = st.just((False,) * spaces) if plain else st.sampled_from([(False,) * spaces]) | flags
    keep = [[True] * spaces if plain else list(draw(flags)) for _ in range(count)]
    for space in range(spaces):
        if not any(level[space] for level in keep):
            keep[draw(st.integers(0, count - 1))][space] = True
    order = st.permutations(range(dimensions))
    levels = []
    for level in range(count):
        along_x, along_y = along[level]
        fans_out = math.prod(architecture.fanouts[level]) > 1
        wanted = draw(order) if fans_out else list(range(dimensions))
        first = [d for d in wanted if along_y[d] == 1]
        levels.append(
            LevelMapping(
                tuple(temporal[level]),
                tuple(a * b for a, b in zip(along_x, along_y, strict=True)),
                tuple(draw(order)),
                (*first, *(d for d in wanted if along_y[d] > 1)),
                len(first),
                tuple(keep[level]),
                draw(switches) if fans_out else (False,) * spaces,
                draw(switches) if fans_out else (False,) * spaces,
                draw(switches),
            )
        )
    return Mapping(tuple(levels))


@st.composite
def constraints_on(draw: st.DrawFn, architecture: Architecture, mapping: Mapping) -> tuple[LoopConstraint, ...]:
    """Constraints on some loops that a mapping keeps to."""
    result: list[LoopConstraint] = []
    for level, own in enumerate(mapping.levels):
        for spatial in (True, False):
            if not draw(st.booleans()) or (spatial and max(architecture.fanouts[level]) == 1):
                continue
            factors = own.spatial if spatial else own.temporal
            order = own.spatial_permutation if spatial else own.permutation
            exact = [draw(st.sampled_from((None, None, size))) for size in factors]
            limits = [draw(st.sampled_from((None, None, size, size + 1))) for size in factors]
            innermost = order[: draw(st.integers(0, len(order)))] if draw(st.booleans()) else ()
            split = own.split if spatial and draw(st.integers(0, 2)) == 0 else None
            result.append(LoopConstraint(level, spatial, tuple(exact), tuple(limits), innermost, split))
    return tuple(result)


@st.composite
def points(draw: st.DrawFn, plain: bool = False, overflow: bool = False, most_factors: int = 8) -> Point:
    """A mapping of a problem on an architecture."""
    architecture = draw(architectures(plain=plain))
    problem = draw(problems(most_factors=most_factors))
    return Point(architecture, problem, draw(mappings(architecture, problem, plain, overflow)))


def words(problem: Problem, space: DataSpace) -> int:
    """Distinct words of a data space that no halo or stride blurs: the product of its dimensions."""
    return math.prod(problem.bounds[dimension] for dimension in space.dimensions)
