"""What must hold of every evaluation, whatever the architecture, the problem and the mapping."""

import math
import random
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dse.model import Evaluation, evaluate, evaluate_many
from dse.specification.architecture import Architecture, Arithmetic, StorageLevel
from dse.specification.mapping import LevelMapping, Mapping
from dse.specification.problem import CNN_LAYER, Problem
from tests.strategies import Point, architectures, mappings, points, problems, words

EXAMPLES = settings(max_examples=30)


def cost(point: Point) -> Evaluation:
    """The evaluation of a point; an invalid one is discarded."""
    evaluation = evaluate(*point)
    assume(evaluation.valid)
    return evaluation


def with_levels(point: Point, **changes: object) -> Point:
    """The point with the same change to every storage level."""
    storage = tuple(replace(level, **changes) for level in point.architecture.storage)  # type: ignore[arg-type]
    return replace(point, architecture=replace(point.architecture, storage=storage))


@EXAMPLES
@given(points(), st.randoms(use_true_random=False))
def test_loops_of_bound_one_may_stand_anywhere(point: Point, rng: random.Random) -> None:
    levels = []
    for level, (fan_x, fan_y) in zip(point.mapping.levels, point.architecture.fanouts, strict=True):
        moving = [d for d in level.permutation if level.temporal[d] > 1]
        along_x = [d for d in level.spatial_permutation[: level.split] if level.spatial[d] > 1]
        along_y = [d for d in level.spatial_permutation[level.split :] if level.spatial[d] > 1]
        for unit in rng.sample(level.permutation, len(level.permutation)):
            if level.temporal[unit] == 1:
                moving.insert(rng.randint(0, len(moving)), unit)
            if level.spatial[unit] == 1:
                side = along_x if rng.random() < 0.5 else along_y
                side.insert(rng.randint(0, len(side)), unit)
        changed = replace(level, permutation=tuple(moving))
        if fan_x * fan_y > 1:
            changed = replace(changed, spatial_permutation=(*along_x, *along_y), split=len(along_x))
        levels.append(changed)
    assert evaluate(*replace(point, mapping=Mapping(tuple(levels)))) == evaluate(*point)


@EXAMPLES
@given(points(), st.sampled_from((0.25, 2.0, 1024.0)))
def test_scaling_every_energy_scales_the_total(point: Point, scale: float) -> None:
    architecture = point.architecture

    def scaled(level: StorageLevel, factor: float) -> StorageLevel:
        return replace(
            level,
            vector_access_energy_pj=(level.vector_access_energy_pj or 1.0) * factor,
            address_generation_energy_pj=(level.address_generation_energy_pj or 0.5) * factor,
            energy_per_hop_pj=(level.energy_per_hop_pj or 0.25) * factor,
            router_energy_pj=(level.router_energy_pj or 0.0) * factor,
        )

    def total(factor: float) -> Evaluation:
        arithmetic = replace(architecture.arithmetic, energy_pj=(architecture.arithmetic.energy_pj or 0.75) * factor)
        storage = tuple(scaled(level, factor) for level in architecture.storage)
        return cost(replace(point, architecture=Architecture(arithmetic, storage)))

    once, often = total(1.0), total(scale)
    assert often.energy_pj == once.energy_pj * scale  # a power of two: exact
    assert often.latency_cycles == once.latency_cycles


@EXAMPLES
@given(points())
def test_macs_are_the_product_of_the_dimensions(point: Point) -> None:
    evaluation = cost(point)
    macs = math.prod(point.problem.bounds)
    assert point.problem.macs == macs
    assert evaluation.compute_cycles * math.prod(math.prod(level.spatial) for level in point.mapping.levels) == macs
    assert evaluation.utilization == macs / point.architecture.arithmetic.instances / evaluation.latency_cycles
    assert 0 < evaluation.utilization <= 1
    per_mac = (point.architecture.arithmetic.word_bits / 16) ** 2
    energy = point.architecture.arithmetic.energy_pj
    assert evaluation.arithmetic_energy_pj == macs * (per_mac if energy is None else energy)


@EXAMPLES
@given(points())
def test_outermost_level_delivers_every_word_and_receives_every_result(point: Point) -> None:
    """Holds for the data spaces whose axes are single dimensions (no halo, no stride): Weights and Outputs of a layer.

    Of Inputs it does not hold: of a stride that skips rows Timeloop counts the skipped words in a large tile, and not
    in several small ones.
    """
    evaluation, outermost = cost(point), point.mapping.levels[-1]
    for space, kept in zip(point.problem.shape.data_spaces, outermost.keep, strict=True):
        if kept and all(len(axis) == 1 for axis in space.axes):
            counts = evaluation.levels[-1].data_spaces[space.name]
            assert counts.fills == 0
            if space.read_write:
                assert counts.updates >= words(point.problem, space)
                assert counts.reads == counts.updates - words(point.problem, space)
            else:
                assert counts.reads >= words(point.problem, space)


@EXAMPLES
@given(points(plain=True))
def test_a_level_that_holds_everything_is_filled_once(point: Point) -> None:
    """With every loop at the innermost level each operand is fetched once, and each result written once."""
    ones = (1,) * len(point.problem.bounds)
    first, *others = point.mapping.levels
    nest = [replace(first, temporal=point.problem.bounds, spatial=ones)]
    nest += [replace(level, temporal=ones, spatial=ones) for level in others]
    assume(len(nest) > 1)
    roomy = with_levels(point, entries=2**40)
    evaluation = cost(replace(roomy, mapping=Mapping(tuple(nest))))
    for space in point.problem.shape.data_spaces:
        counts = evaluation.levels[-1].data_spaces[space.name]
        moved = counts.updates if space.read_write else counts.reads
        assert moved == point.problem.words(space)


@pytest.mark.parametrize("kind", ["read_bandwidth", "write_bandwidth", "shared_bandwidth"])
@EXAMPLES
@given(points(), st.data())
def test_more_bandwidth_is_never_slower(kind: str, point: Point, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(point.architecture.storage) - 1))
    slow, fast = sorted(data.draw(st.tuples(*[st.floats(0.01, 100.0)] * 2)))

    def latency(bandwidth: float | None) -> int:
        storage = list(point.architecture.storage)
        storage[index] = replace(storage[index], **{kind: bandwidth})  # type: ignore[arg-type]
        return cost(replace(point, architecture=replace(point.architecture, storage=tuple(storage)))).latency_cycles

    assert latency(slow) >= latency(fast) >= latency(None) >= cost(point).compute_cycles


@EXAMPLES
@given(points())
def test_energy_adds_up(point: Point) -> None:
    evaluation = cost(point)
    parts = [evaluation.arithmetic_energy_pj]
    for level in evaluation.levels:
        assert level.energy_pj == sum(counts.energy_pj for counts in level.data_spaces.values())
        parts += [level.energy_pj, level.network_energy_pj]
    assert math.isclose(evaluation.energy_pj, math.fsum(parts), rel_tol=1e-12)
    assert all(part >= 0 for part in parts)
    assert evaluation.edp == evaluation.energy_pj * evaluation.latency_cycles


@EXAMPLES
@given(points(), st.data())
def test_doubling_the_energy_of_one_level_adds_what_it_used(point: Point, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(point.architecture.storage) - 1))

    def with_energy(energy_pj: float) -> Evaluation:
        storage = list(point.architecture.storage)
        storage[index] = replace(storage[index], vector_access_energy_pj=energy_pj)
        return cost(replace(point, architecture=replace(point.architecture, storage=tuple(storage))))

    once, twice = with_energy(3.0), with_energy(6.0)
    assert twice.levels[index].energy_pj == 2 * once.levels[index].energy_pj
    added = twice.energy_pj - once.energy_pj
    assert math.isclose(added, once.levels[index].energy_pj, rel_tol=1e-9, abs_tol=1e-9 * once.energy_pj)
    for position, (before, after) in enumerate(zip(once.levels, twice.levels, strict=True)):
        assert position == index or before == after


@EXAMPLES
@given(points(), st.data())
def test_capacity_only_decides_validity(point: Point, data: st.DataObject) -> None:
    evaluation = cost(point)
    index = data.draw(st.integers(0, len(point.architecture.storage) - 1))
    used = sum(counts.tile_words for counts in evaluation.levels[index].data_spaces.values())
    assume(used > 0)
    energy = {"vector_access_energy_pj": 1.0, "multiple_buffering": 1.0, "min_utilization": 0.0}

    def with_entries(entries: int) -> Evaluation:
        storage = list(point.architecture.storage)
        storage[index] = replace(storage[index], entries=entries, **energy)  # type: ignore[arg-type]
        return evaluate(*replace(point, architecture=replace(point.architecture, storage=tuple(storage))))

    exact, roomy, short = with_entries(used), with_entries(2 * used), with_entries(used - 1)
    assert exact.valid
    assert exact == roomy
    name = point.architecture.storage[index].name
    assert short.error == f"couldn't map level {name}: mapped tile size {used} exceeds buffer capacity {used - 1}"


@EXAMPLES
@given(points())
def test_counts_do_not_depend_on_the_order_of_dimensions(point: Point) -> None:
    """The same einsum with its dimensions listed in another order, the loops in the order that they had."""
    shape = point.problem.shape
    order = list(permutations(range(len(shape.dimensions))))[-1]  # new position -> old dimension
    new = {old: position for position, old in enumerate(order)}
    spaces = tuple(
        replace(
            space,
            axes=tuple(tuple(replace(term, dimension=new[term.dimension]) for term in axis) for axis in space.axes),
        )
        for space in shape.data_spaces
    )
    renamed = replace(
        shape, name="renamed", dimensions=tuple(shape.dimensions[old] for old in order), data_spaces=spaces
    )
    problem = Problem(renamed, tuple(point.problem.bounds[old] for old in order), point.problem.coefficients)
    levels = tuple(
        replace(
            level,
            temporal=tuple(level.temporal[old] for old in order),
            spatial=tuple(level.spatial[old] for old in order),
            permutation=tuple(new[old] for old in level.permutation),
            spatial_permutation=tuple(new[old] for old in level.spatial_permutation),
        )
        for level in point.mapping.levels
    )
    assert evaluate(point.architecture, problem, Mapping(levels)) == evaluate(*point)


@settings(max_examples=25)
@given(st.lists(points(overflow=True), min_size=1, max_size=6), st.data())
def test_batch_equals_single_evaluation_bit_for_bit(some: list[Point], data: st.DataObject) -> None:
    """In any order, with repetitions, points of one frame and of several, valid and invalid ones."""
    chosen = data.draw(st.lists(st.sampled_from(some), max_size=20))
    assert evaluate_many(map(tuple, chosen)) == [evaluate(*point) for point in chosen]


@settings(max_examples=15)
@given(st.data())
def test_large_batch_of_one_frame_equals_single_evaluations(data: st.DataObject) -> None:
    """More mappings than are counted at once, of one architecture and problem; some rows are compared."""
    architecture, problem = data.draw(architectures()), data.draw(problems(most_factors=6))
    some = [data.draw(mappings(architecture, problem, plain=True, overflow=True)) for _ in range(4)]
    rng = data.draw(st.randoms(use_true_random=False))
    batch = [rng.choice(some) for _ in range(data.draw(st.sampled_from((1, 2, 7, 1023, 1025, 2500))))]
    expected = {mapping: evaluate(architecture, problem, mapping) for mapping in some}
    answers = evaluate_many((architecture, problem, mapping) for mapping in batch)
    assert answers == [expected[mapping] for mapping in batch]


def test_empty_batch() -> None:
    assert evaluate_many([]) == []


@EXAMPLES
@given(points(overflow=True))
def test_an_answer_is_valid_or_gives_a_reason(point: Point) -> None:
    evaluation = evaluate(*point)
    if evaluation.valid:
        assert evaluation.latency_cycles >= evaluation.compute_cycles >= 1
        assert [level.name for level in evaluation.levels] == [level.name for level in point.architecture.storage]
        for level, own in zip(evaluation.levels, point.mapping.levels, strict=True):
            kept = [s.name for s, keep in zip(point.problem.shape.data_spaces, own.keep, strict=True) if keep]
            assert list(level.data_spaces) == kept
            assert level.latency_cycles >= 1
    else:
        assert evaluation.error
        assert evaluation.to_dict() == {"valid": False, "error": evaluation.error}


def test_a_single_operation_costs_one_cycle_and_one_word_each() -> None:
    architecture = Architecture(Arithmetic(1, 1, 1), (StorageLevel("DRAM", 1, 1, 1, technology="DRAM"),))
    problem = Problem(CNN_LAYER, (1,) * 7, (1,) * 4)
    ones, order, no = (1,) * 7, tuple(range(7)), (False,) * 3
    evaluation = evaluate(
        architecture, problem, Mapping((LevelMapping(ones, ones, order, order, 7, (True,) * 3, no, no, no),))
    )
    assert (evaluation.latency_cycles, evaluation.utilization) == (1, 1.0)
    counts = evaluation.levels[0].data_spaces
    assert (counts["Weights"].reads, counts["Inputs"].reads) == (1, 1)
    assert (counts["Outputs"].reads, counts["Outputs"].updates) == (0, 1)
    assert evaluation.energy_pj == 1.0 + 3 * 200.0  # a MAC of 16 bits, three words of 16 bits at 12.5 pJ a bit
