"""Drawing mappings under constraints on loops, and telling which belong to a mapspace."""

import math
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.model.nest import Frame, NestBatch
from dse.search.baselines import SearchResult, hybrid_search, random_search
from dse.search.feasibility import why_nothing_fits
from dse.search.membership import allows, within_mapspace
from dse.search.sampling import sample_nests
from dse.search.tilings import Tilings
from dse.specification.architecture import Architecture, Arithmetic, StorageLevel
from dse.specification.mapping import LevelMapping, Mapping
from dse.specification.mapspace import LoopConstraint, Mapspace
from dse.specification.problem import Problem
from tests.strategies import SHAPES, Point, architectures, constraints_on, mappings, points, problems

MATMUL = SHAPES[1]
ARCHITECTURE = Architecture(
    Arithmetic(16, 4, 4),
    (StorageLevel("Local", 1, 1, 1, entries=64), StorageLevel("DRAM", 1, 1, 1, technology="DRAM")),
)
KEEP = ((True,) * 3,) * 2
FREE = (None,) * 3


def constraint(level: int, spatial: bool = False, **given: object) -> LoopConstraint:
    return LoopConstraint(level, spatial, **{"factors": FREE, "limits": FREE} | given)  # type: ignore[arg-type]


def keeps_to(own: LoopConstraint, level: LevelMapping, bounds: tuple[int, ...]) -> bool:
    """The constraint as Timeloop applies it: some complete permutation and split give the loops of the level."""
    factors = level.spatial if own.spatial else level.temporal
    for factor, bound, wanted, limit in zip(factors, bounds, own.factors, own.limits, strict=True):
        if (wanted is not None and factor != min(wanted or bound, bound)) or (limit is not None and factor > limit):
            return False
    order = level.spatial_permutation if own.spatial else level.permutation

    def loops(dimensions: tuple[int, ...]) -> list[int]:
        return [dimension for dimension in dimensions if factors[dimension] > 1]

    free = [dimension for dimension in range(len(bounds)) if dimension not in own.permutation]
    for rest in permutations(free):
        complete = (*own.permutation, *rest)
        if not own.spatial:
            if loops(complete) == loops(order):
                return True
            continue
        for split in range(len(bounds) + 1) if own.split is None else (own.split,):
            sides = loops(complete[:split]), loops(complete[split:])
            if sides == (loops(order[: level.split]), loops(order[level.split :])):
                return True
    return False


@settings(max_examples=80)
@given(st.data())
def test_membership_is_what_timeloop_builds(data: st.DataObject) -> None:
    architecture = data.draw(architectures(plain=True, most_levels=3))
    problem = data.draw(problems(MATMUL))
    mapping = data.draw(mappings(architecture, problem, plain=True))
    other = data.draw(mappings(architecture, problem, plain=True))
    loops = data.draw(constraints_on(architecture, mapping))
    mapspace = Mapspace(tuple(level.keep for level in mapping.levels), loops)
    assert allows(architecture, problem, mapspace, mapping)
    expected = all(keeps_to(own, other.levels[own.level], problem.bounds) for own in loops)
    assert allows(architecture, problem, mapspace, other) == expected
    assert not allows(architecture, problem, Mapspace(((False,) * 3, *mapspace.keep[1:]), loops), mapping)


@settings(max_examples=60)
@given(points(plain=True), st.data())
def test_every_sample_keeps_to_the_constraints(point: Point, data: st.DataObject) -> None:
    architecture, problem, mapping = point
    mapspace = Mapspace(tuple(level.keep for level in mapping.levels), data.draw(constraints_on(architecture, mapping)))
    tilings = Tilings(architecture, problem, mapspace)
    assert not tilings.impossible
    frame = Frame.plain(architecture, problem, mapspace.keep)
    nests = sample_nests(frame, problem, 50, np.random.default_rng(0), tilings)
    assert within_mapspace(frame, mapspace, nests).all()
    assert (nests.tiles[:, -1] == problem.bounds).all()
    for row in range(3):
        drawn = nests.mapping(row, frame)
        assert sorted(drawn.levels[0].permutation) == list(range(len(problem.bounds)))
    assert why_nothing_fits(architecture, problem, mapspace) is None


def test_factorisations_are_drawn_uniformly() -> None:
    problem = Problem(MATMUL, (12, 1, 1))
    mapspace = Mapspace(KEEP, (constraint(0, limits=(6, None, None)), constraint(1, factors=(2, None, None))))
    tilings = Tilings(ARCHITECTURE, problem, mapspace)
    drawn = tilings.sample(0, 6000, np.random.default_rng(0))
    found = Counter(map(tuple, drawn.tolist()))
    # (spatial, temporal, outer): 2 outside leaves 6, of which the mesh takes at most 4 along an axis.
    assert set(found) == {(1, 6, 2), (2, 3, 2), (3, 2, 2)}
    assert all(abs(number - 2000) < 200 for number in found.values())


def test_every_mapping_of_a_constrained_mapspace_is_drawn() -> None:
    problem = Problem(MATMUL, (4, 3, 2))
    loops = (constraint(0, True, permutation=(1,), split=2, limits=(None, None, 1)), constraint(1, permutation=(2, 0)))
    mapspace = Mapspace(KEEP, loops)
    frame = Frame.plain(ARCHITECTURE, problem, KEEP)
    nests = sample_nests(frame, problem, 20_000, np.random.default_rng(0), Tilings(ARCHITECTURE, problem, mapspace))

    def signature(level: LevelMapping) -> tuple[object, ...]:
        spatial = [d for d in level.spatial_permutation if level.spatial[d] > 1]
        along_x = [d for d in level.spatial_permutation[: level.split] if level.spatial[d] > 1]
        return tuple(spatial), len(along_x), level.spatial, level.temporal

    found = set()
    for row in range(len(nests)):
        levels = nests.mapping(row, frame).levels
        found.add((signature(levels[0]), tuple(d for d in levels[1].permutation if levels[1].temporal[d] > 1)))
    expected = set()
    for inner in product((1, 2, 4), (1, 3), (1,)):
        for along_x in ([1], [1, 0]):  # N along X, and M on either side
            sides = [d for d in (1, 0) if inner[d] > 1]
            own_x = [d for d in sides if d in along_x]
            for middle in product(
                *(
                    [f for f in (1, 2, 3, 4) if b // i % f == 0 and b % i == 0]
                    for b, i in zip(problem.bounds, inner, strict=True)
                )
            ):
                outer = [b // i // m for b, i, m in zip(problem.bounds, inner, middle, strict=True)]
                order = tuple(d for d in (2, 0, 1) if outer[d] > 1)
                expected.add(((tuple(sides), len(own_x), inner, tuple(middle)), order))
    assert found == expected


@pytest.mark.parametrize("search", [random_search, partial(hybrid_search, searchers=3, patience=60)])
def test_searches_stay_in_the_mapspace(search: Callable[..., SearchResult]) -> None:
    problem = Problem(MATMUL, (16, 12, 8))
    loops = (
        constraint(0, True, limits=(None, 1, None), permutation=(2,), split=1),
        constraint(1, permutation=(1,), factors=(None, 6, None)),
    )
    mapspace = Mapspace(KEEP, loops)
    result = search(ARCHITECTURE, problem, mapspace, "edp")
    assert result.mapping is not None
    assert allows(ARCHITECTURE, problem, mapspace, result.mapping)
    nothing = Mapspace(KEEP, (constraint(0, factors=(5, None, None)),))
    assert search(ARCHITECTURE, problem, nothing, "edp").mapping is None


REASONS = [
    (
        (constraint(0, factors=(5, None, None)),),
        "the constraints leave the bound 16 of M no factorisation: M<=4 spatial at Local, M=5 temporal at Local",
    ),
    (
        (constraint(0, factors=(8, None, None)), constraint(1, factors=(4, None, None))),
        "the constraints leave the bound 16 of M no factorisation: ",
    ),
    (
        (constraint(0, factors=(8, None, None), limits=(4, None, None)),),
        "M=8 is asked for temporal at Local, where at most 4 is allowed",
    ),
    (
        (constraint(0, True, factors=(8, None, None)),),
        "M=8 is asked for spatial at Local, where at most 4 is allowed",
    ),
    (
        (constraint(0, True, factors=(4, None, 2), permutation=(0, 2), split=2),),
        "spatial at Local, the factors M=4 K=2 exceed the fan-out of 4 along X",
    ),
    (
        (constraint(0, True, factors=(4, 4, 2)),),
        "spatial at Local, the factors M=4 N=4 K=2 exceed the fan-out of 16",
    ),
    (
        (constraint(0, factors=(8, None, 8)),),
        "Local is too small: the smallest tiles that the constraints allow need A 64 + B 8 + Z 8 words, its capacity",
    ),
    (
        (constraint(0, True, limits=(1, 1, 1)), constraint(1, factors=(1, 1, 1))),
        "Local is too small: the smallest tiles that the constraints allow need A 128 + B 96 + Z 192 words, its",
    ),
]


@pytest.mark.parametrize(("loops", "reason"), REASONS)
def test_what_is_infeasible_says_why(loops: tuple[LoopConstraint, ...], reason: str) -> None:
    problem = Problem(MATMUL, (16, 12, 8))
    found = why_nothing_fits(ARCHITECTURE, problem, Mapspace(KEEP, loops))
    assert found is not None
    assert found.startswith(reason)


@settings(max_examples=80)
@given(st.data())
def test_tilings_agree_with_an_enumeration(data: st.DataObject) -> None:
    architecture = data.draw(architectures(plain=True, most_levels=3))
    bound = data.draw(st.sampled_from((1, 6, 8, 12, 16)))
    problem = Problem(MATMUL, (bound, 1, 1))
    size = st.sampled_from((None, None, 0, 1, 2, 3, 4, 7, 40))
    limit = st.sampled_from((None, None, 1, 2, 3, 5))
    loops = tuple(
        constraint(level, spatial, factors=(data.draw(size), None, None), limits=(data.draw(limit), None, None))
        for level in range(len(architecture.storage))
        for spatial in (True, False)
        if data.draw(st.booleans()) and (not spatial or max(architecture.fanouts[level]) > 1)
    )
    tilings = Tilings(architecture, problem, Mapspace((), loops))
    ranges = [range(low, high + 1) for low, high in (tilings.range_at(nest, 0) for nest in tilings.nests)]
    expected = [choice for choice in product(*ranges) if math.prod(choice) == bound] if ranges else []
    allowed = tuple(tuple(sorted(set(column))) for column in zip(*expected, strict=True)) or ((),) * len(ranges)
    assert tilings.allowed(0) == allowed
    if expected and loops and 0 in tilings.constrained:
        drawn = {tuple(row) for row in tilings.sample(0, 400, np.random.default_rng(0)).tolist()}
        assert drawn <= set(expected)
        assert len(drawn) >= min(len(expected), 20) / 2
        level = data.draw(st.integers(0, len(architecture.storage) - 1))
        inside = sum(nest.level <= level for nest in tilings.nests)
        assert tilings.least_inside(level, 0) == min(math.prod(choice[:inside]) for choice in expected)


def test_whole_batches_are_told_apart() -> None:
    problem = Problem(MATMUL, (2, 2, 2))
    order, ones = (0, 1, 2), (1, 1, 1)
    nothing = (False,) * 3
    inner = LevelMapping(ones, (2, 1, 1), order, order, 3, (True,) * 3, nothing, nothing, nothing)
    batch = NestBatch.of(
        [
            Mapping((inner, LevelMapping((1, 2, 2), ones, outer, order, 3, (True,) * 3, nothing, nothing, nothing)))
            for outer in permutations(order)
        ]
    )
    frame = Frame.plain(ARCHITECTURE, problem, KEEP)
    innermost = within_mapspace(frame, Mapspace(KEEP, (constraint(1, permutation=(0, 2)),)), batch)
    assert innermost.tolist() == [list(outer).index(2) < list(outer).index(1) for outer in permutations(order)]
