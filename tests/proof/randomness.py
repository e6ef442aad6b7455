"""Random hierarchies, layers and mappings, from a NumPy generator."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from dse.integers import prime_factors
from dse.model import evaluate_nests
from dse.model.nest import Floats, Frame, Ints, NestBatch
from dse.model.validity import fits
from dse.proof.structure import Structure
from dse.specification.architecture import Architecture, parse_architecture
from dse.specification.document import Document
from dse.specification.problem import CNN_LAYER, Problem, Shape, parse_problem

BOUNDS = {
    "R": (1, 1, 2, 3, 3, 5),
    "S": (1, 1, 2, 3, 3),
    "P": (1, 2, 4, 6, 7, 8, 14),
    "Q": (1, 2, 3, 4, 7, 8),
    "C": (1, 2, 3, 4, 8, 12, 16),
    "K": (1, 2, 4, 6, 8, 16),
    "N": (1, 1, 1, 2, 3),
}


def _shape(name: str, dimensions: str, coefficients: tuple[str, ...], **spaces: list[Any]) -> Shape:
    data: dict[str, Any] = {
        "shape": {
            "name": name,
            "dimensions": list(dimensions),
            "coefficients": [{"name": c, "default": 1} for c in coefficients],
            "data-spaces": [
                {"name": space, "projection": axes} | ({"read-write": True} if space == "Z" else {})
                for space, axes in spaces.items()
            ],
        }
    } | dict.fromkeys(dimensions, 2)
    return parse_problem(Document(data), data).shape


EINSUMS = (
    _shape("matrix product", "MNK", (), A=["M", "K"], B=["K", "N"], Z=["M", "N"]),
    _shape("batched matrix product", "BMNK", (), A=["B", "M", "K"], B=["B", "K", "N"], Z=["B", "M", "N"]),
    _shape(
        "depthwise",
        "GPQRS",
        ("u",),
        A=["G", "R", "S"],
        B=["G", [["P", "u"], ["R"]], [["Q", "u"], ["S"]]],
        Z=["G", "P", "Q"],
    ),
    _shape("three tensors", "IJKL", (), A=["I", "J", "K"], B=["J", "L"], D=["K", "L"], Z=["I", "L"]),
    _shape("vector sum", "PR", (), A=["P"], B=[[["P"], ["R"]]], Z=["P"]),
    _shape("three terms", "PRTK", (), A=["K", "R", "T"], B=[[["P"], ["R"], ["T"]]], Z=["K", "P"]),
    _shape("transposed", "PRKC", (), A=["K", "C", "R"], B=["C", "P"], Z=["K", [["P"], ["R"]]]),
    _shape("diagonal", "PRK", (), A=["P", [["P"], ["R"]]], B=["K", "R"], Z=["K", "P"]),
)


WINDOWED = {"depthwise", "vector sum", "three terms", "transposed", "diagonal"}


def random_problem(rng: np.random.Generator, *, einsums: bool = True, largest: int = 200_000) -> Problem:
    """A convolution with random sizes, strides and dilations, or (one in four) another einsum."""
    while True:
        if einsums and rng.random() < 0.25:
            shape = EINSUMS[int(rng.integers(len(EINSUMS)))]
            bounds = tuple(int(rng.choice((1, 2, 3, 4, 6, 8, 12))) for _ in shape.dimensions)
            coefficients = tuple(int(rng.choice((1, 1, 2))) for _ in shape.coefficients)
        else:
            shape = CNN_LAYER
            bounds = tuple(int(rng.choice(BOUNDS[d])) for d in shape.dimensions)
            strides = [int(rng.choice((1, 1, 2, 3))) for _ in range(2)]
            dilations = [int(rng.choice((1, 1, 1, 2))) for _ in range(2)]
            coefficients = (*strides, *dilations)
        problem = Problem(shape, bounds, coefficients)
        if 8 <= problem.macs <= largest:
            return problem


def random_architecture(rng: np.random.Generator, *, levels: int | None = None, roomy: bool = True) -> Architecture:
    """2 to 6 storage levels, meshes in one or two dimensions, any mix of bandwidths, blocks, clusters and prices."""
    levels = int(rng.integers(2, 7)) if levels is None else levels
    fan = (1, 1, 2, 2, 3, 4, 8)
    x = y = 1
    two_dimensional = rng.random() < 0.5
    networked = rng.random() < 0.25
    storage: list[dict[str, Any]] = []
    for position in range(levels):  # outermost first
        outermost = position == 0
        level: dict[str, Any] = {"name": f"L{levels - 1 - position}", "instances": x * y, "meshX": x}
        level["word-bits"] = int(rng.choice((8, 16)))
        if rng.random() < 0.4:
            level["block-size"] = int(rng.choice((2, 4)))
        if outermost:
            level["technology"] = "DRAM"
        else:
            depth = position / levels
            level["entries"] = int(2 ** rng.uniform(4 if roomy else 2, 14 - 6 * depth)) + 3
            if x * y > 1 and rng.random() < 0.3:
                level["cluster-size"] = int(rng.choice([c for c in (2, 4) if x * y % c == 0] or [1]))
            if rng.random() < 0.2:
                level["multiple-buffering"] = 2.0
            if rng.random() < 0.2:
                level["vector-access-energy"] = float(2 ** rng.uniform(-3, 4))
        if rng.random() < 0.15:
            level["addr-gen-energy"] = float(2 ** rng.uniform(-6, 1))
        if networked:
            level |= {"router-energy": float(2 ** rng.uniform(-3, 2)), "wire-energy": 0.05, "tile-width": 400.0}
        kind = rng.random()
        if kind < 0.25:
            level["bandwidth"] = float(2 ** rng.uniform(0, 5))
        elif kind < 0.4:
            level["read_bandwidth"] = float(2 ** rng.uniform(-1, 4))
        elif kind < 0.5:
            level["write_bandwidth"] = float(2 ** rng.uniform(-1, 4))
        elif kind < 0.6:
            level["shared_bandwidth"] = float(2 ** rng.uniform(-1, 4))
        storage.append(level)
        fan_x = int(rng.choice(fan))
        fan_y = int(rng.choice(fan)) if two_dimensional else 1
        if x * fan_x * y * fan_y <= 256:
            x, y = x * fan_x, y * fan_y
    data = {"arithmetic": {"instances": x * y, "meshX": x, "word-bits": 8}, "storage": storage[::-1]}
    architecture = parse_architecture(Document(data), data)
    if rng.random() < 0.85:
        return architecture
    apart = [  # as a reference table may say
        replace(
            level,
            read_energy_pj=float(rng.uniform(0, 8)),
            fill_energy_pj=float(rng.uniform(0, 8)),
            update_energy_pj=float(rng.uniform(0, 8)),
        )
        for level in architecture.storage
    ]
    return replace(architecture, storage=tuple(apart))


def with_one_price(rng: np.random.Generator, architecture: Architecture) -> Architecture:
    """The same with energy for one level only, of its accesses or of the network below it, so that no slack hides."""
    only = int(rng.integers(len(architecture.storage)))
    reads, fills, updates, routers, hops = (float(price) for price in rng.random(5) < 0.6)
    if rng.random() < 0.5:
        reads = fills = updates = 0.0
    else:
        routers = hops = 0.0
    storage = [
        replace(
            level,
            read_energy_pj=reads * (index == only),
            fill_energy_pj=fills * (index == only),
            update_energy_pj=updates * (index == only),
            address_generation_energy_pj=None,
            router_energy_pj=routers * (index == only),
            energy_per_hop_pj=hops * (index == only),
        )
        for index, level in enumerate(architecture.storage)
    ]
    arithmetic = replace(architecture.arithmetic, energy_pj=1e-3)
    return replace(architecture, arithmetic=arithmetic, storage=tuple(storage))


def windowed_problem(rng: np.random.Generator) -> Problem:
    """A small einsum whose tiles overlap."""
    shapes = [shape for shape in EINSUMS if shape.name in WINDOWED]
    while True:
        shape = shapes[int(rng.integers(len(shapes)))]
        bounds = tuple(int(rng.choice((1, 2, 3, 4, 6, 7, 8, 9, 12))) for _ in shape.dimensions)
        problem = Problem(shape, bounds, tuple(int(rng.choice((1, 1, 2, 3))) for _ in shape.coefficients))
        if 8 <= problem.macs <= 20_000:
            return problem


def random_keep(rng: np.random.Generator, architecture: Architecture, spaces: int) -> tuple[tuple[bool, ...], ...]:
    """A bypass pattern; nearly always the outermost level keeps everything."""
    share = rng.uniform(0.3, 1.0)
    keep = [[bool(rng.random() < share) for _ in range(spaces)] for _ in architecture.storage]
    for space in range(spaces):
        if rng.random() < 0.95 or not any(level[space] for level in keep):
            keep[-1][space] = True
    return tuple(map(tuple, keep))


def random_nests(rng: np.random.Generator, structure: Structure, count: int) -> NestBatch:
    """Mappings that keep to each level's own fan-out; whether they fit the capacities is not looked at."""
    bounds, levels = structure.problem.bounds, structure.levels
    temporal = np.ones((count, levels, len(bounds)), np.int64)
    spatial, on_x = temporal.copy(), np.zeros(temporal.shape, np.bool_)
    for row in range(count):
        room = [[x, y] for x, y in structure.fanouts]
        appetite = rng.random()
        outward = rng.uniform(0.3, 3.0)
        weights = np.arange(1, levels + 1) ** outward
        for dimension, bound in enumerate(bounds):
            along = rng.integers(0, 2, levels)
            for prime, multiplicity in prime_factors(bound):
                for _ in range(multiplicity):
                    level = int(rng.integers(levels))
                    axis = int(along[level])
                    if rng.random() < appetite and room[level][axis] >= prime:
                        room[level][axis] //= prime
                        spatial[row, level, dimension] *= prime
                        on_x[row, level, dimension] = axis == 0
                    else:
                        level = int(rng.choice(levels, p=weights / weights.sum()))
                        temporal[row, level, dimension] *= prime
    permutation = np.argsort(rng.random(temporal.shape), axis=2)
    order = np.argsort(rng.random(temporal.shape) + np.where(on_x, 0, 2), axis=2)
    return NestBatch(temporal, spatial, permutation, order, on_x.sum(axis=2))


def valid_nests(
    rng: np.random.Generator, architecture: Architecture, structure: Structure, count: int
) -> tuple[NestBatch, Floats, Floats]:
    """(mappings that fit, their cycles, their energies in pJ) out of `count` random ones."""
    frame = Frame.plain(architecture, structure.problem, structure.keep)
    nests = random_nests(rng, structure, count)
    nests = nests[fits(frame, nests)]
    if not len(nests):
        return nests, np.zeros(0), np.zeros(0)
    costs = list(evaluate_nests(frame, nests))
    valid = np.concatenate([cost.valid for cost in costs])
    cycles = np.concatenate([cost.latency_cycles for cost in costs]).astype(np.float64)
    energy = np.concatenate([cost.energy_pj for cost in costs])
    return nests[valid], cycles[valid], energy[valid]


def rows(array: Ints) -> Iterator[int]:
    """Row numbers of an array."""
    yield from range(len(array))
