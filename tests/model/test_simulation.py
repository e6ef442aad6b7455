"""The closed form against a plain simulation of the loop nest, and the simulation against recorded results."""

import itertools
import json
import lzma
from pathlib import Path

import pytest
from hypothesis import assume, given, settings

from dse.model import evaluate
from dse.specification.architecture import Architecture, Arithmetic, StorageLevel, parse_architecture
from dse.specification.document import Document
from dse.specification.mapping import LevelMapping, Mapping, parse_mapping
from dse.specification.problem import Problem, parse_problem
from tests.model.simulation import Counts, Simulation
from tests.strategies import SHAPES, Point, points

RECORDED = Path(__file__).resolve().parents[1] / "data" / "timeloop_points.jsonl.xz"


def counted(point: Point) -> list[dict[str, Counts]]:
    """The counts of the closed form; none for a mapping that is invalid."""
    evaluation = evaluate(*point)
    return [
        {name: Counts(c.tile_words, c.reads, c.fills, c.updates) for name, c in level.data_spaces.items()}
        for level in evaluation.levels
    ]


@settings(max_examples=120)
@given(points(most_factors=7))
def test_closed_form_equals_simulation(point: Point) -> None:
    counts = counted(point)
    assume(counts)
    assert counts == Simulation(*point).counts


@pytest.mark.soak
@settings(max_examples=2000)
@given(points(most_factors=9))
def test_closed_form_equals_simulation_often(point: Point) -> None:
    counts = counted(point)
    assume(counts)
    assert counts == Simulation(*point).counts


def test_halos_that_move_from_neighbour_to_neighbour() -> None:
    """Kernel rows and output rows unrolled side by side, kernel rows stepping outside: random points seldom have it.

    Tiles overlap themselves and their neighbours, and a step lands, or does not land, where a neighbour was before.
    """
    shape = next(shape for shape in SHAPES if shape.name == "depthwise")
    linked = 0
    for r_tile, p_tile, r_across, p_across, r_inner, r_outer, stride, rows_first in itertools.product(
        (1, 2), (1, 2, 4), (1, 2), (2, 3), (2, 3), (1, 2), (1, 2), (True, False)
    ):
        across = (r_across, p_across)
        x, y = across if rows_first else across[::-1]
        arithmetic = Arithmetic(x * y, x, y)
        storage = (
            StorageLevel("Registers", x * y, x, y, entries=1000),
            StorageLevel("Buffer", 1, 1, 1, entries=1000),
            StorageLevel("DRAM", 1, 1, 1, technology="DRAM"),
        )
        factors = (
            ((r_tile, p_tile), (1, 1)),
            ((r_inner, 1), across),
            ((r_outer, 1), (1, 1)),
        )
        no = (False,) * 3
        order = (0, 1, 2, 3) if rows_first else (1, 0, 2, 3)
        levels = [
            LevelMapping(
                (*temporal, 1, 1), (*spatial, 1, 1), (0, 1, 2, 3), order if level == 1 else (0, 1, 2, 3),
                1 if level == 1 else 4, (True,) * 3, no, no, no,
            )
            for level, (temporal, spatial) in enumerate(factors)
        ]  # fmt: skip
        bounds = (r_tile * r_across * r_inner * r_outer, p_tile * p_across, 1, 1)
        mapping = Mapping(tuple(levels))
        point = Point(Architecture(arithmetic, storage), Problem(shape, bounds, (stride, 1)), mapping)
        simulation = Simulation(*point)
        assert counted(point) == simulation.counts
        linked += simulation.traffic(1, 1).link_words > 0
    assert linked >= 20


def test_simulation_equals_recorded_counts() -> None:
    """So that closed form and simulation are not wrong alike: the smallest of the recorded random points."""
    with lzma.open(RECORDED, "rt", encoding="utf-8") as lines:
        recorded = [json.loads(line) for line in lines]
    small = 0
    for point in recorded:
        if point["origin"] != "random" or not point["expected"]["valid"]:
            continue
        document = Document(point)
        architecture, problem = parse_architecture(document, point["arch"]), parse_problem(document, point["problem"])
        mapping = parse_mapping(document, point["mapping"], architecture, problem)
        loops = sum(factor > 1 for level in mapping.levels for factor in level.temporal)
        if problem.macs > 3000 or loops > 7:
            continue
        small += 1
        simulated = Simulation(architecture, problem, mapping).counts
        for level, wanted in zip(simulated, point["expected"]["levels"], strict=True):
            got = {name: (own.reads, own.fills, own.updates) for name, own in level.items()}
            assert got == {name: (c["reads"], c["fills"], c["updates"]) for name, c in wanted["tensors"].items()}
    assert small >= 20
