"""Schedules under constraints on loops: CoSA's objective, the dataflows of the documentation, the commands."""

import json
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from itertools import permutations, product
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dse.cli import main
from dse.model import evaluate
from dse.model.cost import cost_nests
from dse.model.nest import Frame, NestBatch
from dse.model.validity import fits
from dse.scheduler import ScheduleOptions, Scheduler
from dse.scheduler.cosa.decode import encode
from dse.scheduler.cosa.factors import Structure
from dse.scheduler.cosa.method import CosaMethod
from dse.scheduler.cosa.traffic import cosa_cost
from dse.scheduler.cosa.variables import Variables
from dse.search.membership import allows, within_mapspace
from dse.specification.architecture import Architecture, Arithmetic, StorageLevel
from dse.specification.document import Document
from dse.specification.mapping import LevelMapping, Mapping
from dse.specification.mapspace import LoopConstraint, Mapspace, parse_mapspace
from dse.specification.problem import CNN_LAYER, Problem
from dse.specification.template import load_template
from tests.strategies import SHAPES, architectures, constraints_on, mappings, problems

MATMUL = SHAPES[1]
REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = re.findall(
    r"```yaml\n# (arch_templates/\w+\.yaml)\n(.*?)```", (REPOSITORY / "docs/mapspace.md").read_text("utf-8"), re.DOTALL
)


def keep_of(mapping: Mapping) -> tuple[tuple[bool, ...], ...]:
    return tuple(level.keep for level in mapping.levels)


@settings(max_examples=40)
@given(st.data())
def test_no_mapping_of_the_mapspace_has_a_lower_objective(data: st.DataObject) -> None:
    """Constraints that a valid mapping keeps to: it is not better than the schedule, and that keeps to them too."""
    architecture = data.draw(architectures())
    problem = data.draw(problems())
    mapping = data.draw(mappings(architecture, problem))
    outermost = replace(mapping.levels[-1], keep=(True,) * len(problem.shape.data_spaces))
    mapping = Mapping((*mapping.levels[:-1], outermost))
    assume(evaluate(architecture, problem, mapping).valid)
    mapspace = Mapspace(keep_of(mapping), data.draw(constraints_on(architecture, mapping)))
    method = CosaMethod(ScheduleOptions("cosa", solver="HIGHS", gap=0.0))
    schedule = method.schedule(architecture, problem, mapspace)
    assert schedule.valid
    assert schedule.mapping is not None
    assert schedule.value is not None
    assert schedule.lower_bound is not None
    assert allows(architecture, problem, mapspace, schedule.mapping)
    variables = method.program(Structure.of(architecture, problem, mapspace)).variables
    cost = cosa_cost(variables, architecture, method.options.weights)
    value = float(cost @ encode(variables, mapping))
    assert schedule.lower_bound <= value + 1e-5
    if schedule.termination == "optimal":
        assert schedule.value <= value + 1e-5


def _splits(bound: int, slots: int) -> Iterator[tuple[int, ...]]:
    """All ways to write a bound as a product over slots."""
    if slots == 1:
        yield (bound,)
        return
    for first in range(1, bound + 1):
        if bound % first == 0:
            yield from ((first, *rest) for rest in _splits(bound // first, slots - 1))


def _spatial_orders(along_x: tuple[int, ...], along_y: tuple[int, ...]) -> Iterator[tuple[tuple[int, ...], int]]:
    """Orders of the loops on either axis, dimensions without one in between."""
    sides = [[d for d, size in enumerate(sizes) if size > 1] for sizes in (along_x, along_y)]
    still = [d for d in range(len(along_x)) if d not in sides[0] + sides[1]]
    for first, last in product(permutations(sides[0]), permutations(sides[1])):
        yield (*first, *still, *last), len(first)


KEEP = ((True, False, True), (True, True, True), (True, True, True))


def _small(entries: int, mesh: tuple[int, int]) -> Architecture:
    """A buffer over a mesh, and a register below each of its elements."""
    x, y = mesh
    return Architecture(
        Arithmetic(x * y, x, y),
        (
            StorageLevel("Register", x * y, x, y, entries=2),
            StorageLevel("Buffer", 1, 1, 1, entries=entries),
            StorageLevel("DRAM", 1, 1, 1, technology="DRAM"),
        ),
    )


@cache
def _all_mappings(problem: Problem, mesh: tuple[int, int]) -> NestBatch:
    order, nothing = (0, 1, 2), (False,) * 3
    ones = (1, 1, 1)
    found: list[Mapping] = []
    for choice in product(*(_splits(bound, 5) for bound in problem.bounds)):
        inner, along_x, along_y, middle, outer = zip(*choice, strict=True)
        if math.prod(along_x) > mesh[0] or math.prod(along_y) > mesh[1]:
            continue
        if any(x > 1 and y > 1 for x, y in zip(along_x, along_y, strict=True)):
            continue
        spatial = tuple(x * y for x, y in zip(along_x, along_y, strict=True))
        for spatial_order, split in _spatial_orders(along_x, along_y):
            for orders in product(permutations(order), repeat=2):
                found.append(
                    Mapping(
                        (
                            LevelMapping(inner, ones, order, order, 3, KEEP[0], *(nothing,) * 3),
                            LevelMapping(middle, spatial, orders[0], spatial_order, split, KEEP[1], *(nothing,) * 3),
                            LevelMapping(outer, ones, orders[1], order, 3, KEEP[2], *(nothing,) * 3),
                        )
                    )
                )
    return NestBatch.of(found)


@settings(max_examples=60)
@given(st.data())
def test_tiny_layers_against_all_their_mappings(data: st.DataObject) -> None:
    """Constraints of any kind: what is called infeasible is, and the proven bound is one."""
    mesh = data.draw(st.sampled_from(((2, 1), (1, 2), (2, 2))))
    architecture = _small(data.draw(st.sampled_from((4, 6, 9))), mesh)
    problem = Problem(MATMUL, data.draw(st.sampled_from(((2, 2, 2), (4, 2, 1), (6, 1, 2)))))
    size = st.sampled_from((None, None, None, 0, 1, 2, 3))
    limit = st.sampled_from((None, None, None, 1, 2))
    loops = tuple(
        LoopConstraint(
            level,
            spatial,
            tuple(data.draw(size) for _ in range(3)),
            tuple(data.draw(limit) for _ in range(3)),
            tuple(data.draw(st.permutations(range(3))))[: data.draw(st.integers(0, 3))],
            data.draw(st.none() | st.integers(0, 3)) if spatial else None,
        )
        for level, spatial in ((0, False), (1, True), (1, False), (2, False))
        if data.draw(st.booleans())
    )
    mapspace = Mapspace(KEEP, loops)
    frame, every = Frame.plain(architecture, problem, KEEP), _all_mappings(problem, mesh)
    inside = every[within_mapspace(frame, mapspace, every) & fits(frame, every)]
    for objective in ("cosa", "edp"):
        schedule = Scheduler(ScheduleOptions(objective, solver="HIGHS")).schedule(architecture, problem, mapspace)
        assert schedule.valid == (len(inside) > 0)
        if schedule.mapping is None:
            assert schedule.termination == "infeasible"
            assert schedule.error
            continue
        assert allows(architecture, problem, mapspace, schedule.mapping)
        if objective == "edp":
            costs = cost_nests(frame, inside)
            best = float((costs.energy_pj * costs.latency_cycles)[costs.valid].min())
            assert schedule.lower_bound is not None
            assert schedule.value is not None
            assert schedule.lower_bound <= best * (1 + 1e-9) <= schedule.value * (1 + 2e-9)


def test_what_no_single_constraint_rules_out() -> None:
    """M and N may be unrolled or stand at the registers, but the mesh has room for one and the registers for none."""
    outside = [LoopConstraint(level, False, (1, 1, None), (None,) * 3) for level in (1, 2)]
    method = CosaMethod(ScheduleOptions("cosa"))
    architecture, problem = _small(64, (2, 1)), Problem(MATMUL, (2, 2, 2))
    schedule = method.schedule(architecture, problem, Mapspace(KEEP, tuple(outside)))
    assert schedule.termination == "infeasible"
    assert schedule.error == (
        "no mapping keeps to the fan-outs, the capacities and the mapspace's constraints on loops all at once"
    )
    assert method.schedule(architecture, problem, Mapspace(KEEP, tuple(outside[:1]))).valid


@pytest.mark.parametrize("solver", ["SCIP", "HIGHS", "GLPK_MI"])
def test_overflow_is_cut_off_where_tiles_must_not_shrink(solver: str) -> None:
    """The buffer's tiles overflow unless the factors are chosen so that the sum fits; none may move to DRAM but K."""
    architecture = _small(24, (2, 2))
    problem = Problem(MATMUL, (6, 4, 8))
    loops = (LoopConstraint(2, False, (None, 1, None), (3, None, None)),)
    mapspace = Mapspace(KEEP, loops)
    schedule = CosaMethod(ScheduleOptions("cosa", solver=solver)).schedule(architecture, problem, mapspace)
    assert schedule.valid
    assert schedule.mapping is not None
    assert allows(architecture, problem, mapspace, schedule.mapping)


def example(template: str, lines: str) -> tuple[Architecture, Mapspace]:
    """A template with constraints of the documentation added to its own."""
    architecture, pattern = load_template(REPOSITORY / template).instantiate()
    data = {"constraints": pattern["constraints"] + yaml.safe_load(lines)}
    return architecture, parse_mapspace(Document({"mapspace": data}), data, architecture, CNN_LAYER)


@pytest.mark.parametrize(("template", "lines"), EXAMPLES)
@pytest.mark.parametrize("objective", ["cosa", "edp"])
def test_documented_dataflows(template: str, lines: str, objective: str, layer: Callable[..., Problem]) -> None:
    architecture, mapspace = example(template, lines)
    assert len(mapspace.loops) == len(lines.splitlines()) == 3
    scheduler = Scheduler(ScheduleOptions(objective, gap=0.2, time_limit_seconds=2.0))
    for problem in (layer(R=3, S=3, P=14, Q=14, C=32, K=48), layer(C=512, K=100, N=4)):
        schedule = scheduler.schedule(architecture, problem, mapspace)
        assert schedule.valid, schedule.error
        assert schedule.mapping is not None
        assert allows(architecture, problem, mapspace, schedule.mapping)


def test_weights_stay_where_they_are_asked_to(layer: Callable[..., Problem]) -> None:
    """One weight an element, C along X and K along Y, and all loops over pixels inside those over weights."""
    architecture, mapspace = example(*EXAMPLES[0])
    problem = layer(R=3, S=3, P=14, Q=14, C=32, K=48)
    schedule = Scheduler(ScheduleOptions("cosa")).schedule(architecture, problem, mapspace)
    assert schedule.mapping is not None
    registers, scratchpad, _ = schedule.mapping.levels
    assert registers.temporal == (1,) * 7
    R, S, P, Q, C, K, N = (CNN_LAYER.index[name] for name in "RSPQCKN")
    unrolled = [d for d in range(7) if scratchpad.spatial[d] > 1]
    assert unrolled == [C, K]
    assert scratchpad.spatial_permutation[: scratchpad.split] == (C,)
    order = [d for d in scratchpad.permutation if scratchpad.temporal[d] > 1]
    streaming = [d for d in order if d in (P, Q, N)]
    assert order[: len(streaming)] == streaming
    assert {R, S} & set(order) == {R, S}


# Published: github.com/ucb-bar/cosa, c4798a7, src/cosa/cosa_constants.py (_Z), BSD-2-Clause.
PUBLISHED_Z = {
    "Weights": {0: "100000", 2: "111000", 5: "111111"},
    "Inputs": {3: "111100", 4: "111110", 5: "111111"},
    "Outputs": {1: "110000", 4: "111110", 5: "111111"},
}


def test_tiles_span_the_levels_of_published_z(layer: Callable[..., Problem]) -> None:
    architecture, pattern = load_template(REPOSITORY / "arch_templates/simba.yaml").instantiate()
    mapspace = parse_mapspace(Document({"mapspace": pattern}), pattern, architecture, CNN_LAYER)
    problem = layer(P=4, Q=4, C=4, K=4, N=2)
    variables = Variables(Structure.of(architecture, problem, mapspace))
    levels = [slot.level for slot in variables.structure.slots]
    for space, data_space in enumerate(CNN_LAYER.data_spaces):
        expected = PUBLISHED_Z[data_space.name]
        assert set(variables.structure.kept_levels[space]) == set(expected)
        for level in list(expected)[:-1]:  # the outermost holds everything
            counts = variables.row_tile(space, level)[: variables.count_size].reshape(variables.count.shape)
            spanned = {levels[column] for column in range(len(levels)) if counts[:, column].any()}
            assert spanned == {own for own, flag in enumerate(expected[level]) if flag == "1"} & set(levels)


def _files(folder: Path, lines: list[dict[str, object]], bounds: dict[str, int]) -> list[str]:
    """A template with additional constraints, and a layer."""
    data = yaml.safe_load((REPOSITORY / "arch_templates/weight_stationary.yaml").read_text("utf-8"))
    data["mapspace"]["constraints"] += lines
    paths = [folder / "template.yaml", folder / "layer.yaml"]
    paths[0].write_text(yaml.safe_dump(data))
    paths[1].write_text(yaml.safe_dump({"problem": dict.fromkeys("RSPQCKN", 1) | bounds}))
    return list(map(str, paths))


def test_commands_take_constraints(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = _files(tmp_path, yaml.safe_load(EXAMPLES[0][1]), {"C": 64, "K": 64, "P": 14})
    assert main(["validate", *files]) == 0
    assert "mapspace that fits the architecture" in capsys.readouterr().out
    assert main(["schedule", *files, "--objective", "cosa", "--json"]) == 0
    directives = json.loads(capsys.readouterr().out)["mapping"]
    (mesh,) = [own for own in directives if (own["target"], own["type"]) == ("Scratchpad", "spatial")]
    assert mesh["permutation"][:2] == "CK"
    assert mesh["split"] == 1


@pytest.mark.parametrize("objective", ["cosa", "edp"])
def test_commands_say_what_constraints_rule_out(
    tmp_path: Path, objective: str, capsys: pytest.CaptureFixture[str]
) -> None:
    files = _files(tmp_path, [{"target": "PERegs", "type": "temporal", "factors": "K=5"}], {"C": 64, "K": 64, "P": 14})
    assert main(["schedule", *files, "--objective", objective]) == 1
    error = capsys.readouterr().err
    assert error.startswith("infeasible: the constraints leave the bound 64 of K no factorisation: ")
    assert "K=5 temporal at PERegs" in error


def test_commands_name_the_line_of_a_fault(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = _files(tmp_path, [{"target": "PERegs", "type": "temporal", "factors": "L=5"}], {"K": 64})
    for command in ("validate", "schedule"):
        assert main([command, *files]) == 2
        assert re.search(
            r"template\.yaml:\d+: mapspace\.constraints\[3\]\.factors: unknown dimension", capsys.readouterr().err
        )
