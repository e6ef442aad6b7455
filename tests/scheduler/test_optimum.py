"""The program against an enumeration of everything that it decides, costed by counting fetches loop by loop."""

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import permutations, product

import pytest

from dse.scheduler import CosaWeights, Schedule, ScheduleOptions, Scheduler
from dse.scheduler.cosa.decode import encode
from dse.scheduler.cosa.factors import Structure
from dse.scheduler.cosa.traffic import cosa_cost, energy_weights
from dse.scheduler.cosa.variables import Variables
from dse.specification.architecture import Architecture, Arithmetic, StorageLevel
from dse.specification.mapping import LevelMapping, Mapping
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

# A processing element keeps weights and results, a buffer that it shares with three others keeps inputs and results.
KEEP = ((True, False, True), (False, True, True), (True, True, True))


def _architecture(pe_entries: int, buffer_entries: int) -> Architecture:
    return Architecture(
        Arithmetic(4, 2, 2),
        (
            StorageLevel("PE", 4, 2, 2, entries=pe_entries),
            StorageLevel("Buffer", 1, 1, 1, entries=buffer_entries),
            StorageLevel("DRAM", 1, 1, 1, technology="DRAM"),
        ),
    )


def _splits(bound: int, slots: int) -> Iterator[tuple[int, ...]]:
    """All ways to write a bound as a product over slots."""
    if slots == 1:
        yield (bound,)
        return
    for first in range(1, bound + 1):
        if bound % first == 0:
            yield from ((first, *rest) for rest in _splits(bound // first, slots - 1))


def _mappings(problem: Problem) -> Iterator[Mapping]:
    """All mappings within a fan-out of 2 × 2 at the buffer: five slots, one axis of it for a dimension."""
    dimensions = range(len(problem.bounds))
    nothing = (False,) * 3
    for choice in product(*(_splits(bound, 5) for bound in problem.bounds)):
        inner, along_x, along_y, middle, outer = zip(*choice, strict=True)
        if math.prod(along_x) > 2 or math.prod(along_y) > 2:
            continue
        if any(x > 1 and y > 1 for x, y in zip(along_x, along_y, strict=True)):
            continue
        x_first = tuple(sorted(dimensions, key=lambda dimension: along_y[dimension] > 1))
        split = sum(size == 1 for size in along_y)
        spatial = tuple(x * y for x, y in zip(along_x, along_y, strict=True))
        ones = tuple(1 for _ in dimensions)
        for middle_order, outer_order in product(_orders(middle), _orders(outer)):
            yield Mapping(
                (
                    LevelMapping(inner, ones, tuple(dimensions), tuple(dimensions), 7, KEEP[0], *(nothing,) * 3),
                    LevelMapping(middle, spatial, middle_order, x_first, split, KEEP[1], *(nothing,) * 3),
                    LevelMapping(outer, ones, outer_order, tuple(dimensions), 7, KEEP[2], *(nothing,) * 3),
                )
            )


def _orders(sizes: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    loops = [dimension for dimension, size in enumerate(sizes) if size > 1]
    rest = tuple(dimension for dimension, size in enumerate(sizes) if size == 1)
    return ((*order, *rest) for order in permutations(loops))


def _tile(problem: Problem, mapping: Mapping, space: int, level: int) -> int:
    sizes = [
        math.prod(own.temporal[d] * own.spatial[d] for own in mapping.levels[: level + 1])
        for d in range(len(problem.bounds))
    ]
    axes = problem.shape.data_spaces[space].axes
    return math.prod(1 + sum(problem.weight(term) * (sizes[term.dimension] - 1) for term in axis) for axis in axes)


def _fetches(problem: Problem, mapping: Mapping, space: int, child: int) -> int:
    """How often the loops outside a level move a data space's tile, by running them."""
    relevant = problem.shape.data_spaces[space].dimensions
    loops = [
        (dimension, own.temporal[dimension])
        for own in reversed(mapping.levels[child + 1 :])
        for dimension in reversed(own.permutation)
    ]
    moves, held = 0, None
    for position in product(*(range(size) for _, size in loops)):
        tile = [index for (dimension, _), index in zip(loops, position, strict=True) if dimension in relevant]
        moves += tile != held
        held = tile
    return moves


def _objective(architecture: Architecture, problem: Problem, mapping: Mapping, parts: list[tuple[int, ...]]) -> float:
    """The objective with the default weights from its definition; `parts` are (level, space, child, weight) tuples."""
    compute = math.log2(math.prod(size for own in mapping.levels for size in own.temporal))
    traffic = 0.0
    for level, space, child, weight in parts:
        relevant = problem.shape.data_spaces[space].dimensions
        words = problem.macs
        if child >= 0:
            instances = math.prod(size for own in mapping.levels[child + 1 :] for size in own.spatial)
            words = _tile(problem, mapping, space, child) * _fetches(problem, mapping, space, child) * instances
        shared = [own.spatial for own in mapping.levels[child + 1 : level + 1]]
        words //= math.prod(sizes[d] for sizes in shared for d in range(len(sizes)) if d not in relevant)
        traffic += weight * math.log2(words)
    utilization = sum(math.log2(_tile(problem, mapping, space, 0)) * weight for space, weight in ((0, 1.0), (2, 1.0)))
    return 10.0 * compute + traffic - 0.1 * utilization


CASES = (
    ({"K": 4, "C": 2, "P": 3}, 4, 8),
    ({"K": 2, "C": 2, "P": 2, "R": 2}, 3, 5),
    ({"K": 2, "P": 4, "R": 2, "Wstride": 2}, 6, 14),
)


@pytest.mark.parametrize(("bounds", "pe_entries", "buffer_entries"), CASES)
def test_optimum_equals_enumeration(
    layer: Callable[..., Problem], bounds: dict[str, int], pe_entries: int, buffer_entries: int
) -> None:
    problem = layer(**bounds)
    architecture = _architecture(pe_entries, buffer_entries)
    mapspace = Mapspace(KEEP)
    variables = Variables(Structure.of(architecture, problem, mapspace))
    parts = [(t.level, t.space, t.child, weight) for t, weight in energy_weights(variables, architecture)]
    least = math.inf
    for mapping in _mappings(problem):
        tiles = [
            sum(_tile(problem, mapping, space, level) for space in range(3) if KEEP[level][space]) for level in (0, 1)
        ]
        if tiles[0] <= pe_entries and tiles[1] <= buffer_entries:
            least = min(least, _objective(architecture, problem, mapping, parts))
    schedule = Scheduler(ScheduleOptions("cosa", gap=0.0)).schedule(architecture, problem, mapspace)
    assert schedule.termination == "optimal"
    assert schedule.mapping is not None
    assert schedule.value == pytest.approx(least, abs=1e-6)
    assert schedule.value == pytest.approx(_objective(architecture, problem, schedule.mapping, parts), abs=1e-9)


def _scheduled(architecture: Architecture, problem: Problem, mapspace: Mapspace, **options: object) -> Schedule:
    return Scheduler(replace(ScheduleOptions("cosa", gap=0.0), **options)).schedule(architecture, problem, mapspace)


@pytest.mark.parametrize("model", ["energy", "published"])
@pytest.mark.parametrize(
    "bounds", [{"K": 12, "C": 8, "P": 6, "Q": 6}, {"K": 8, "C": 4, "P": 6, "Q": 6, "R": 3, "S": 3}]
)
def test_solvers_agree(
    simba: Callable[..., tuple[Architecture, Mapspace]],
    layer: Callable[..., Problem],
    model: str,
    bounds: dict[str, int],
) -> None:
    architecture, mapspace = simba(pe_count=2, lanes_per_pe=4, macs_per_lane=4, input_buffer_kib=1)
    weights = CosaWeights(traffic_model=model)
    answers = [
        _scheduled(architecture, layer(**bounds), mapspace, solver=solver, weights=weights)
        for solver in ("SCIP", "GLPK_MI", "HIGHS")
    ]
    assert [answer.termination for answer in answers] == ["optimal"] * 3
    assert [answer.value for answer in answers] == pytest.approx([answers[0].value] * 3, abs=1e-6)


def test_published_weights_are_those_of_cosa(
    simba: Callable[..., tuple[Architecture, Mapspace]], layer: Callable[..., Problem]
) -> None:
    """The published sum for one mapping, by hand (src/cosa/cosa.py of ucb-bar/cosa)."""
    architecture, mapspace = simba()
    problem = layer(K=32, C=8, P=4)
    dimensions = problem.shape.index
    ones = dict.fromkeys("RSPQCKN", 1)
    nothing = (False,) * 3
    temporal = [{"P": 4}, {"C": 8}, {"K": 2}, {}, {}, {"K": 2}]
    spatial = [{}, {"K": 2}, {}, {"K": 2}, {"K": 2}, {}]
    mapping = Mapping(
        tuple(
            LevelMapping(
                tuple((ones | own).values()),
                tuple((ones | along).values()),
                tuple(dimensions.values()),
                tuple(dimensions.values()),
                7,
                keep,
                *(nothing,) * 3,
            )
            for own, along, keep in zip(temporal, spatial, mapspace.keep, strict=True)
        )
    )
    variables = Variables(Structure.of(architecture, problem, mapspace))
    value = float(
        cosa_cost(variables, architecture, CosaWeights(traffic_model="published")) @ encode(variables, mapping)
    )
    level = [0.99 * (0.8 + 0.04 * index) for index in range(4)]
    weights_inside = level[1] * 1 + level[1] * 3 + level[2] * 1 + level[3] * 1  # K2 C8 K2 K2
    inputs_inside = level[0] * 2 + level[1] * 3  # P4 C8
    outputs_inside = level[0] * 2 + level[1] * 1 + level[2] * 1 + level[3] * 1  # P4 K2 K2 K2
    # One spatial K at the global buffer for each; at DRAM one K, which leaves inputs in place.
    traffic = weights_inside + inputs_inside + outputs_inside + 3 * 0.99 + (1.01 + 0 + 1)
    utilization = 0 + 1.01 * 5 + 5 + 3  # registers 1; weight buffer K4·C8; input buffer C8·P4; accumulators P4·K2
    compute = 2 + 3 + 1 + 1
    assert value == pytest.approx(10 * compute + traffic - 0.1 * utilization, abs=1e-9)
