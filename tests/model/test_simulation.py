"""The closed form against a plain simulation of the loop nest, and the simulation against recorded results."""

import json
import lzma
from pathlib import Path

import pytest
from hypothesis import assume, given, settings

from dse.model import evaluate
from dse.specification.architecture import parse_architecture
from dse.specification.document import Document
from dse.specification.mapping import parse_mapping
from dse.specification.problem import parse_problem
from tests.model.simulation import Counts, Simulation
from tests.strategies import Point, points

RECORDED = Path(__file__).resolve().parents[1] / "data" / "timeloop_points.jsonl.xz"


def counted(point: Point) -> list[dict[str, Counts]]:
    """The counts of the closed form; discards a mapping that is invalid."""
    evaluation = evaluate(*point)
    assume(evaluation.valid)
    return [
        {name: Counts(c.tile_words, c.reads, c.fills, c.updates) for name, c in level.data_spaces.items()}
        for level in evaluation.levels
    ]


@settings(max_examples=120)
@given(points(most_factors=7))
def test_closed_form_equals_simulation(point: Point) -> None:
    assert counted(point) == Simulation(*point).counts


@pytest.mark.soak
@settings(max_examples=2000)
@given(points(most_factors=9))
def test_closed_form_equals_simulation_often(point: Point) -> None:
    assert counted(point) == Simulation(*point).counts


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
