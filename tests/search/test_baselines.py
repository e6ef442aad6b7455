"""Random and hybrid search: valid, reproducible, and honest about the work they did."""

import math
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.model import evaluate
from dse.model.nest import Floats, Frame
from dse.search.baselines import FIGURES, SearchResult, _loop_orders, _walk, hybrid_search, random_search
from dse.search.membership import allows
from dse.search.sampling import sample_nests
from dse.specification.architecture import Architecture, Arithmetic, StorageLevel
from dse.specification.mapspace import Mapspace
from dse.specification.problem import CNN_LAYER, Problem

LAYER = Problem(CNN_LAYER, (3, 3, 4, 4, 8, 16, 1), (1, 1, 1, 1))
EVERYTHING = Mapspace(((True,) * 3,) * 3)
FEW = {"searchers": 4, "patience": 50}


def array(buffer: int = 512) -> Architecture:
    """Sixteen MACs with a register file each, a shared buffer, and DRAM."""
    return Architecture(
        Arithmetic(16, 4, 4),
        (
            StorageLevel("Registers", 16, 4, 4, entries=16, vector_access_energy_pj=0.1),
            StorageLevel("Buffer", 1, 1, 1, entries=buffer, vector_access_energy_pj=2.0),
            StorageLevel("DRAM", 1, 1, 1, technology="DRAM", shared_bandwidth=4.0),
        ),
    )


def figure(result: SearchResult, objective: str) -> float:
    assert result.evaluation is not None
    cost = result.evaluation
    return {"latency": float(cost.latency_cycles), "energy": cost.energy_pj, "edp": cost.edp}[objective]


@pytest.mark.parametrize("objective", list(FIGURES))
@pytest.mark.parametrize("search", [random_search, hybrid_search])
def test_a_result_is_a_valid_mapping_with_its_cost(search, objective: str) -> None:  # type: ignore[no-untyped-def]
    options = FEW if search is hybrid_search else {}
    result = search(array(), LAYER, EVERYTHING, objective, **options)
    assert result.mapping is not None
    assert evaluate(array(), LAYER, result.mapping) == result.evaluation
    assert result.evaluation.valid
    assert allows(array(), LAYER, EVERYTHING, result.mapping)
    assert search(array(), LAYER, EVERYTHING, objective, **options) == result
    assert search(array(), LAYER, EVERYTHING, objective, seed=1, **options) != result


def test_random_counts_what_it_drew() -> None:
    results = [random_search(array(), LAYER, EVERYTHING, "edp", valid) for valid in range(1, 30)]
    assert [result.evaluations for result in results] == list(range(1, 30))
    for fewer, more in pairwise(results):
        # The same stream, a little further: each valid mapping costs at least one sample and can only help.
        assert more.samples > fewer.samples
        assert figure(more, "edp") <= figure(fewer, "edp")
    # A budget that ends right before the last valid sample misses exactly that one.
    last = results[-1]
    assert random_search(array(), LAYER, EVERYTHING, "edp", 29, last.samples) == last
    short = random_search(array(), LAYER, EVERYTHING, "edp", 29, last.samples - 1)
    assert (short.samples, short.evaluations) == (last.samples - 1, 28)


def test_hybrid_ends_of_its_own_accord() -> None:
    result = hybrid_search(array(), LAYER, EVERYTHING, "edp", **FEW)
    # Each searcher improves at least once and then sees 50 that do not.
    assert result.evaluations >= 4 * 51
    assert result.samples >= result.evaluations
    more = hybrid_search(array(), LAYER, EVERYTHING, "edp", searchers=8, patience=50)
    assert more.samples > result.samples
    assert figure(more, "edp") <= figure(result, "edp")


def test_hybrid_counts_tilings_and_their_further_orders() -> None:
    """One searcher of endless patience, so that all that is drawn is looked at."""
    drawn = 1500
    one_loop, two_loops = (Problem(CNN_LAYER, (1, 1, P, 1, 1, 12, 1), (1, 1, 1, 1)) for P in (1, 4))
    single = hybrid_search(array(8), one_loop, EVERYTHING, "energy", 1, 10**9, drawn)
    # A level has one loop to order here: nothing to explore, valid or not.
    assert single.samples == drawn
    assert 0 < single.evaluations < drawn
    double = hybrid_search(array(8), two_loops, EVERYTHING, "energy", 1, 10**9, drawn)
    assert double.samples > drawn
    assert double.evaluations <= double.samples


def test_what_fits_nowhere_gives_nothing() -> None:
    result = hybrid_search(array(2), LAYER, EVERYTHING, "edp", searchers=2, patience=5, max_samples=300)
    assert result == SearchResult(None, None, 0, 0)
    # Three words are room for the tile of a single MAC alone, which no sample has.
    result = hybrid_search(array(3), LAYER, EVERYTHING, "edp", searchers=2, patience=5, max_samples=300)
    assert result == SearchResult(None, None, 600, 0)
    assert random_search(array(3), LAYER, EVERYTHING, "edp", max_samples=300) == SearchResult(None, None, 300, 0)


@given(
    st.lists(st.sampled_from([1.0, 2.0, 3.0, 4.0, math.inf]), min_size=1, max_size=30),
    st.sampled_from([2.0, math.inf]),
    st.integers(0, 3),
    st.integers(4, 8),
)
def test_patience_is_counted_as_one_by_one(values: list[float], best: float, stale: int, patience: int) -> None:
    ended, least, since = 0, best, stale
    for value in values:
        ended += 1
        if value < least:
            least, since = value, 0
        elif value < math.inf:
            since += 1
        if since == patience:
            break
    array_of: Floats = np.array(values)
    assert _walk(array_of, best, stale, patience) == (ended, least, since)


def test_a_tiling_is_tried_in_every_order_once() -> None:
    problem = Problem(CNN_LAYER, (1, 1, 4, 1, 4, 4, 1), (1, 1, 1, 1))
    frame = Frame.plain(array(), problem, EVERYTHING.keep)
    nests = sample_nests(frame, problem, 200, np.random.default_rng(0))
    for row in range(len(nests)):
        tiling = nests[row : row + 1]
        moving = [np.flatnonzero(factors > 1).tolist() for factors in tiling.temporal[0]]
        seen = [
            tuple(tuple(d for d in order[level].tolist() if d in moving[level]) for level in (1, 2))
            for batch in _loop_orders(tiling, EVERYTHING, 7)
            for order in batch.permutation
        ]
        wanted = {(inner, outer) for inner in permutations(moving[1]) for outer in permutations(moving[2])}
        assert set(seen) == wanted
        assert len(seen) == len(wanted)
