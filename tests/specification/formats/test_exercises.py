"""Files of the kind that Timeloop's tutorials use: they evaluate, to the counts of their reference outputs."""

from pathlib import Path

import pytest

from dse.model import evaluate
from dse.scheduler import Scheduler
from dse.specification.architecture import Architecture
from dse.specification.document import Document, load_document
from dse.specification.formats import translated
from dse.specification.mapping import parse_mapping
from dse.specification.mapspace import parse_mapspace
from dse.specification.problem import CNN_LAYER, Problem, parse_problem
from dse.specification.scheduling import ScheduleOptions
from dse.specification.template import load_architecture, load_template

DATA = Path(__file__).parent / "data"
EXERCISES = load_document(DATA / "exercises.yaml")
VGG_LAYER = Problem(CNN_LAYER, (3, 3, 56, 56, 128, 256, 1), (1, 1, 1, 1))


def exercise(name: str) -> Document:
    """One exercise as a document of its own."""
    tags = {path[1:]: tag for path, tag in EXERCISES.tags.items() if path[0] == name}
    data = {key: EXERCISES.data[name][key] for key in ("architecture", "problem", "mapping")}
    return translated(Document(data, tags=tags))


@pytest.mark.parametrize("name", EXERCISES.data)
def test_counts_are_those_of_the_reference_output(name: str) -> None:
    document, expected = exercise(name), EXERCISES.data[name]
    architecture = load_architecture(document)
    problem = parse_problem(document, document.data["problem"])
    mapping = parse_mapping(document, document.data["mapping"], architecture, problem)
    evaluation = evaluate(architecture, problem, mapping)
    assert evaluation.latency_cycles == expected["cycles"]
    levels = {level["name"]: level["tensors"] for level in evaluation.to_dict()["levels"]}
    for level, tensors in expected["levels"].items():
        for tensor, (reads, fills, updates) in tensors.items():
            found = levels[level][tensor]
            assert (found["reads"], found["updates"]) == (reads, updates), (level, tensor)
            assert fills in (None, found["fills"]), (level, tensor)


def eyeriss(version: str) -> tuple[Architecture, Document]:
    document = translated(load_document(DATA / f"eyeriss_like_{version}.yaml"))
    return load_architecture(document), document


@pytest.mark.parametrize(("version", "bits"), [("v03", 16), ("v04", 8)])
def test_the_eyeriss_like_accelerator(version: str, bits: int) -> None:
    architecture, _ = eyeriss(version)
    names = [level.name for level in architecture.storage]
    array = "Column" if version == "v03" else "Element"  # where the second fan-out lies
    assert names == ["SumPad", "WeightPad", "InputPad", array, "Shared", "Memory"]
    assert architecture.arithmetic.word_bits == bits
    assert [(level.mesh_x, level.mesh_y) for level in architecture.storage] == [(14, 12)] * 3 + [(14, 1)] + [(1, 1)] * 2
    sizes = [level.entries for level in architecture.storage]
    assert sizes == ([16, 192, 12, 16, 65536, None] if version == "v03" else [16, 384, 24, 0, 131072, None])
    assert architecture.storage[-1].technology == "DRAM"
    assert architecture.storage[-1].block_size == 64 // bits


@pytest.mark.parametrize("version", ["v03", "v04"])
def test_the_eyeriss_like_accelerator_is_scheduled_within_its_constraints(version: str) -> None:
    architecture, document = eyeriss(version)
    mapspace = parse_mapspace(document, document.data["mapspace"], architecture, CNN_LAYER)
    kept = [set(pattern) for pattern in zip(*mapspace.keep, strict=True)]
    assert kept == [{True, False}] * 3
    assert mapspace.keep[3] == (False, False, False)
    schedule = Scheduler(ScheduleOptions("cosa")).schedule(architecture, VGG_LAYER, mapspace)
    assert schedule.mapping is not None
    assert schedule.evaluation is not None
    assert schedule.evaluation.latency_cycles == VGG_LAYER.macs // 168  # every element at work, as in the reference
    columns, rows = schedule.mapping.levels[4], schedule.mapping.levels[3]
    assert all(columns.spatial[CNN_LAYER.index[name]] == 1 for name in "NCPRS")
    assert all(rows.spatial[CNN_LAYER.index[name]] == 1 for name in "NPQR")


def test_a_file_in_v04_with_variables_is_a_template() -> None:
    template = load_template(DATA / "eyeriss_like_v04.yaml")
    assert template.defaults == {"sum_bits": 16, "global_cycle_seconds": "1e-9"}
    architecture, mapspace = template.instantiate({"sum_bits": 32})
    assert architecture.storage[0].word_bits == 32
    assert architecture.storage[0].entries == 16
    parse_mapspace(template.document, mapspace, architecture, CNN_LAYER)
