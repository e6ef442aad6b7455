import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import cvxpy as cp
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.model import evaluate
from dse.scheduler import CosaWeights, Schedule, ScheduleOptions, Scheduler
from dse.scheduler.cosa.decode import overflow, tile_words
from dse.scheduler.cosa.factors import Structure
from dse.scheduler.cosa.method import CosaMethod
from dse.scheduler.cosa.program import Program
from dse.scheduler.cosa.repair import overflow_cut, shrunk
from dse.scheduler.cosa.traffic import cosa_cost
from dse.scheduler.cosa.variables import Variables
from dse.specification.architecture import Architecture, Arithmetic, StorageLevel
from dse.specification.mapping import LevelMapping, Mapping
from dse.specification.mapspace import Mapspace
from dse.specification.problem import CNN_LAYER, Problem
from tests.strategies import architectures, problems

Variant = Callable[..., tuple[Architecture, Mapspace]]
Layer = Callable[..., Problem]

VARIANTS: tuple[dict[str, int], ...] = (
    {},
    {"global_buffer_kib": 16},
    {"pe_count": 4, "weight_buffer_kib": 2},
    {"lanes_per_pe": 2, "accumulation_entries": 16, "input_buffer_kib": 1},
)


def check(schedule: Schedule, architecture: Architecture, problem: Problem) -> None:
    """What holds of every schedule."""
    assert schedule.valid
    assert schedule.mapping is not None
    assert schedule.value is not None
    assert evaluate(architecture, problem, schedule.mapping) == schedule.evaluation
    if schedule.lower_bound is not None:
        assert schedule.lower_bound <= schedule.value
    for level, (fan_x, fan_y) in zip(schedule.mapping.levels, architecture.fanouts, strict=True):
        along_x = level.spatial_permutation[: level.split]
        assert math.prod(level.spatial[dimension] for dimension in along_x) <= fan_x
        assert math.prod(level.spatial[d] for d in level.spatial_permutation[level.split :]) <= fan_y


def test_one_compiled_program_serves_every_variant(simba: Variant, layer: Layer) -> None:
    problem = layer(K=32, C=16, P=14, Q=14, R=3, S=3)
    method = CosaMethod(ScheduleOptions("cosa", solver="HIGHS", gap=0.0))
    structures = {Structure.of(simba(**own)[0], problem, simba()[1]) for own in VARIANTS}
    assert len(structures) == 1
    program = method.program(*structures)
    for own in VARIANTS:
        architecture, mapspace = simba(**own)
        reused = method.schedule(architecture, problem, mapspace)
        fresh = CosaMethod(method.options).schedule(architecture, problem, mapspace)
        check(reused, architecture, problem)
        assert reused.termination == fresh.termination == "optimal"
        assert reused.value == pytest.approx(fresh.value, abs=1e-6)
    assert method.program(*structures) is program


def test_programs_are_disciplined_parametrized_ones(simba: Variant, layer: Layer) -> None:
    architecture, mapspace = simba()
    program = Program(Structure.of(architecture, layer(K=8, C=8, P=7, R=3), mapspace))
    program.set_parameters(architecture, cosa_cost(program.variables, architecture, CosaWeights()))
    cuts: list[tuple[dict[tuple[int, int], float], float]] = [({next(iter(program.variables.share)): 1.0}, 1.0)]
    values = []
    for own in ([], cuts):
        program.set_cuts(own)
        assert program.problem.is_dcp(dpp=True)
        program.problem.solve(solver="HIGHS", enforce_dpp=True)
        assert program.problem.status == cp.OPTIMAL
        values.append(program.problem.value)
    assert values[0] < values[1], "a cut takes the best point away"


def test_programs_are_small(simba: Variant, layer: Layer) -> None:
    architecture, mapspace = simba()
    pointwise = Variables(Structure.of(architecture, layer(K=256, C=64, P=56, Q=56), mapspace))
    assert pointwise.size < 120
    square = Variables(Structure.of(architecture, layer(K=64, C=64, P=56, Q=56, R=3, S=3), mapspace))
    assert square.size < 200


@settings(max_examples=40)
@given(st.data())
def test_every_schedule_is_valid(data: st.DataObject) -> None:
    architecture, problem = data.draw(architectures()), data.draw(problems())
    capacities = [data.draw(st.sampled_from((None, 2, 3, 5, 8, 40))) for _ in architecture.storage[:-1]]
    levels = [
        level if entries is None else replace(level, entries=entries, multiple_buffering=1.0)
        for level, entries in zip(architecture.storage, capacities, strict=False)
    ]
    architecture = replace(architecture, storage=(*levels, architecture.storage[-1]))
    spaces = len(problem.shape.data_spaces)
    flags = st.tuples(*[st.booleans()] * spaces)
    mapspace = Mapspace((*(data.draw(flags) for _ in levels), (True,) * spaces))
    schedule = Scheduler(ScheduleOptions("cosa")).schedule(architecture, problem, mapspace)
    smallest = [
        sum(keep) <= (level.effective_entries or 99) for level, keep in zip(levels, mapspace.keep, strict=False)
    ]
    assert schedule.valid == all(smallest)
    if schedule.valid:
        check(schedule, architecture, problem)
        assert schedule.termination in ("optimal", "gap_reached")
    else:
        assert schedule.termination == "infeasible"
        assert schedule.error is not None
        assert levels[smallest.index(False)].name in schedule.error


def test_what_does_not_fit_names_level_and_data_spaces(simba: Variant, layer: Layer) -> None:
    architecture, mapspace = simba()
    hub = replace(architecture.storage[4], entries=1)
    architecture = replace(architecture, storage=(*architecture.storage[:4], hub, architecture.storage[5]))
    schedule = Scheduler(ScheduleOptions("cosa")).schedule(architecture, layer(K=8), mapspace)
    assert not schedule.valid
    assert schedule.termination == "infeasible"
    expected = "GlobalBuffer is too small: the smallest tiles need Inputs 1 + Outputs 1 words, its capacity is 1"
    assert schedule.error == expected
    assert schedule.to_dict(architecture, layer(K=8))["valid"] is False


def test_a_layer_of_one_operation(simba: Variant, layer: Layer) -> None:
    architecture, mapspace = simba()
    schedule = Scheduler(ScheduleOptions("cosa")).schedule(architecture, layer(), mapspace)
    check(schedule, architecture, layer())
    assert schedule.termination == "optimal"


@pytest.mark.parametrize("solver", ["SCIP", "GLPK_MI", "HIGHS"])
def test_no_time_at_all(simba: Variant, layer: Layer, solver: str) -> None:
    """Either nothing is found, and that is said, or what was found fits; it is optimal only where that is proven."""
    architecture, mapspace = simba()
    problem = layer(K=512, C=512, P=28, Q=28, R=3, S=3)
    options = ScheduleOptions("cosa", solver=solver, gap=0.0, time_limit_seconds=0.02)
    schedule = Scheduler(options).schedule(architecture, problem, mapspace)
    assert schedule.termination == "time_limit"
    if schedule.mapping is None:
        assert schedule.error == "no mapping was found within 0.02 s"
    else:
        check(schedule, architecture, problem)


def test_least_utilizations_are_refused(simba: Variant, layer: Layer) -> None:
    architecture, mapspace = simba()
    first = replace(architecture.storage[0], min_utilization=0.5)
    architecture = replace(architecture, storage=(first, *architecture.storage[1:]))
    with pytest.raises(InputError, match="Registers: a schedule cannot be asked for a min-utilization"):
        Scheduler(ScheduleOptions("cosa")).schedule(architecture, layer(K=2), mapspace)


@pytest.mark.parametrize("weights", [{"compute": -1.0}, {"traffic": math.inf}, {"traffic_model": "guess"}])
def test_senseless_weights_are_refused(weights: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        CosaWeights(**weights)


def test_weights_change_what_is_optimal(simba: Variant, layer: Layer) -> None:
    """Without a weight on cycles nothing asks for parallelism; with one all multipliers that can work do."""
    architecture, mapspace = simba()
    problem = layer(K=64, C=64, P=7, Q=7)
    fast, slow = (
        Scheduler(ScheduleOptions("cosa", solver="HIGHS", weights=CosaWeights(compute=compute))).schedule(
            architecture, problem, mapspace
        )
        for compute in (10.0, 0.0)
    )
    assert fast.evaluation is not None
    assert slow.evaluation is not None
    assert fast.evaluation.compute_cycles == problem.macs / 1024
    assert slow.evaluation.compute_cycles > fast.evaluation.compute_cycles


def _mapping(structure: Structure, temporal: list[tuple[int, ...]]) -> Mapping:
    """A mapping without spatial loops."""
    dimensions = len(structure.problem.bounds)
    order, ones, nothing = tuple(range(dimensions)), (1,) * dimensions, (False,) * 3
    return Mapping(
        tuple(
            LevelMapping(sizes, ones, order, order, dimensions, keep, nothing, nothing, nothing)
            for sizes, keep in zip(temporal, structure.keep, strict=True)
        )
    )


@pytest.mark.parametrize("level", range(6))
def test_shrinking_makes_any_mapping_fit(simba: Variant, layer: Layer, level: int) -> None:
    architecture, mapspace = simba(global_buffer_kib=8)
    problem = layer(K=96, C=40, P=28, Q=14, R=3, S=5, Wstride=2)
    structure = Structure.of(architecture, problem, mapspace)
    ones = (1,) * len(problem.bounds)
    mapping = _mapping(structure, [problem.bounds if own == level else ones for own in range(6)])
    fitting = shrunk(architecture, structure, mapping)
    assert overflow(architecture, structure, fitting) is None
    assert evaluate(architecture, problem, fitting).valid
    assert shrunk(architecture, structure, fitting) == fitting


SIZES = st.tuples(*[st.sampled_from((1, 2, 3, 6, 12, 24))] * 3)


@given(SIZES, SIZES, st.integers(3, 400))
def test_a_cut_removes_what_overflows_and_nothing_that_fits(
    one: tuple[int, ...], other: tuple[int, ...], capacity: int
) -> None:
    problem = Problem(CNN_LAYER, (1, 1, 24, 1, 24, 24, 1), (1, 1, 1, 1))
    level = StorageLevel("Buffer", 1, 1, 1, entries=capacity)
    architecture = Architecture(Arithmetic(1, 1, 1), (level, StorageLevel("DRAM", 1, 1, 1, technology="DRAM")))
    structure = Structure.of(architecture, problem, Mapspace(((True,) * 3, (True,) * 3)))

    def mapping(sizes: tuple[int, ...]) -> Mapping:
        p, c, k = sizes
        return _mapping(structure, [(1, 1, p, 1, c, k, 1), (1, 1, 24 // p, 1, 24 // c, 24 // k, 1)])

    def left_hand_side(own: Mapping) -> float:
        return sum(slope * math.log2(tile_words(structure, own, space, 0)) for (_, space), slope in slopes.items())

    assume(overflow(architecture, structure, mapping(one)) == 0)
    slopes, limit = overflow_cut(structure, architecture, mapping(one), 0)
    assert left_hand_side(mapping(one)) > limit + 1e-9
    if overflow(architecture, structure, mapping(other)) is None:
        assert left_hand_side(mapping(other)) <= limit + 1e-9


def test_shared_buffers_are_filled_and_never_overflow(layer: Layer) -> None:
    """Three data spaces in one small buffer, where the tangents alone let the sum of the tiles exceed it."""
    problem = layer(K=24, C=36, P=20, Q=10)
    for entries in (37, 61, 101, 150, 333):
        level = StorageLevel("Buffer", 1, 1, 1, entries=entries)
        architecture = Architecture(Arithmetic(1, 1, 1), (level, StorageLevel("DRAM", 1, 1, 1, technology="DRAM")))
        mapspace = Mapspace(((True,) * 3, (True,) * 3))
        schedule = Scheduler(ScheduleOptions("cosa", solver="HIGHS")).schedule(architecture, problem, mapspace)
        check(schedule, architecture, problem)
        assert schedule.evaluation is not None
        used = sum(space.tile_words for space in schedule.evaluation.levels[0].data_spaces.values())
        assert 0.5 * entries < used <= entries


def test_layers_of_resnet50_against_published_cosa(simba: Variant, published: list[dict[str, Any]]) -> None:
    """A few of the 24 layers: one 7 × 7, a 3 × 3, 1 × 1 with strides 1 and 2, the dense one."""
    _compare(simba, [published[index] for index in (0, 1, 8, 13, 16, 23)])


@pytest.mark.soak
def test_all_layers_of_resnet50_against_published_cosa(simba: Variant, published: list[dict[str, Any]]) -> None:
    _compare(simba, published)


def _compare(simba: Variant, layers: list[dict[str, Any]]) -> None:
    architecture, mapspace = simba()
    scheduler = Scheduler(ScheduleOptions("cosa"))
    ratios = []
    for entry in layers:
        schedule = scheduler.schedule(architecture, entry["problem"], mapspace)
        check(schedule, architecture, entry["problem"])
        assert schedule.evaluation is not None
        ratios.append(schedule.evaluation.edp / entry["edp"])
    assert np.exp(np.mean(np.log(ratios))) <= 0.95
    assert max(ratios) <= 1.6
