"""Random mappings: complete, of the mapspace, evenly spread, and the same for the same seed."""

import math
from collections import Counter

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.model.nest import Frame, NestBatch
from dse.search.membership import within_fanouts
from dse.search.sampling import sample_nests
from dse.specification.architecture import Architecture, Arithmetic, StorageLevel
from dse.specification.problem import CNN_LAYER, Problem
from tests.strategies import architectures, problems

DRAWS = 20_000
TWO_LEVELS = Architecture(
    Arithmetic(4, 4, 1),
    (StorageLevel("Local", 1, 1, 1, entries=4096), StorageLevel("DRAM", 1, 1, 1, technology="DRAM")),
)


def draw(architecture: Architecture, problem: Problem, count: int, seed: int) -> tuple[Frame, NestBatch]:
    keep = ((True,) * len(problem.shape.data_spaces),) * len(architecture.storage)
    frame = Frame.plain(architecture, problem, keep)
    return frame, sample_nests(frame, problem, count, np.random.default_rng(seed))


def convolution(**bounds: int) -> Problem:
    return Problem(CNN_LAYER, tuple(bounds.get(name, 1) for name in CNN_LAYER.dimensions), (1, 1, 1, 1))


def chi_square(counts: Counter[object], cells: int) -> float:
    """Pearson's statistic of counts that should be equal over `cells`, in standard deviations above its mean."""
    expected = counts.total() / cells
    seen = math.fsum((count - expected) ** 2 / expected for count in counts.values())
    statistic = seen + (cells - len(counts)) * expected
    return (statistic - (cells - 1)) / math.sqrt(2 * (cells - 1))


@settings(max_examples=40)
@given(architectures(plain=True), problems(), st.integers(0, 2**32))
def test_every_mapping_is_a_whole_one(architecture: Architecture, problem: Problem, seed: int) -> None:
    _, nests = draw(architecture, problem, 50, seed)
    assert (nests.tiles[:, -1] == problem.bounds).all()
    dimensions = list(range(len(problem.bounds)))
    for orders in (nests.permutation, nests.spatial_permutation):
        assert (np.sort(orders, axis=2) == dimensions).all()
    assert ((nests.split >= 0) & (nests.split <= len(dimensions))).all()
    for level, fan in enumerate(architecture.fanouts):
        if max(fan) == 1:
            assert (nests.spatial[:, level] == 1).all()


@settings(max_examples=40)
@given(architectures(plain=True), problems(), st.integers(0, 2**32))
def test_fanouts_are_those_of_each_axis(architecture: Architecture, problem: Problem, seed: int) -> None:
    frame, nests = draw(architecture, problem, 50, seed)
    inside = within_fanouts(frame, nests)
    for row in range(len(nests)):
        mapping = nests.mapping(row, frame)
        fits = True
        for level, (fan_x, fan_y) in zip(mapping.levels, architecture.fanouts, strict=True):
            along_x, along_y = level.spatial_permutation[: level.split], level.spatial_permutation[level.split :]
            fits &= math.prod(level.spatial[d] for d in along_x) <= fan_x
            fits &= math.prod(level.spatial[d] for d in along_y) <= fan_y
        assert inside[row] == fits


def test_factorisations_are_equally_likely() -> None:
    _, nests = draw(TWO_LEVELS, convolution(K=8, C=3), DRAWS, seed=1)
    slots = np.concatenate([nests.temporal, nests.spatial[:, :1]], axis=1)
    eights = Counter(map(tuple, slots[:, :, CNN_LAYER.index["K"]].tolist()))
    # Three factors of 2 over three slots: (3 + 2 choose 2) ways. One factor of 3: three ways, whatever the others do.
    assert len(eights) == 10
    assert chi_square(eights, 10) < 4
    threes = Counter(map(tuple, slots[:, :, [CNN_LAYER.index["K"], CNN_LAYER.index["C"]]].reshape(DRAWS, -1).tolist()))
    assert len(threes) == 30
    assert chi_square(threes, 30) < 4


def test_loop_orders_are_equally_likely() -> None:
    _, nests = draw(TWO_LEVELS, convolution(K=8), DRAWS, seed=2)
    ranks = nests.permutation[:, 1, :3]
    assert chi_square(Counter(map(tuple, ranks.tolist())), 7 * 6 * 5) < 4


def test_the_same_seed_draws_the_same() -> None:
    first, again, other = (draw(TWO_LEVELS, convolution(K=64, P=6), 100, seed)[1] for seed in (3, 3, 4))
    for name in ("temporal", "spatial", "permutation", "spatial_permutation", "split"):
        assert np.array_equal(getattr(first, name), getattr(again, name))
    assert not np.array_equal(first.permutation, other.permutation)
