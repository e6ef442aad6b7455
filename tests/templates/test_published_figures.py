"""Templates of published accelerators: their figures, what each buffer keeps, what may be unrolled where."""

import math
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from dse.model import evaluate
from dse.model.unit_costs import access_energies_pj, mac_energy_pj
from dse.scheduler import ScheduleOptions, Scheduler
from dse.search.membership import allows
from dse.specification.architecture import Architecture
from dse.specification.document import Document
from dse.specification.mapspace import Mapspace, parse_mapspace
from dse.specification.problem import CNN_LAYER, Problem
from dse.specification.template import load_template

ROOT = Path(__file__).resolve().parents[2]
FIGURES: dict[str, dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "figures.yaml").read_text("utf-8"))
PINNED: dict[str, Any] = yaml.safe_load((ROOT / "tests/specification/data/architectures.yaml").read_text("utf-8"))
SETTINGS = [(name, setting) for name, figures in FIGURES.items() for setting in figures["settings"]]
ANY_FACTOR = 2**40


def instantiated(name: str, **parameters: float) -> tuple[Architecture, Mapspace]:
    template = load_template(ROOT / "arch_templates" / f"{name}.yaml")
    architecture, data = template.instantiate(parameters)
    return architecture, parse_mapspace(Document({"mapspace": data}), data, architecture, CNN_LAYER)


def off_chip(figures: dict[str, Any]) -> dict[str, list[str]]:
    """What the memories outside the chip keep."""
    kept: dict[str, list[str]] = figures.get("off_chip", {"DRAM": ["Weights", "Inputs", "Outputs"]})
    return kept


def bytes_of(architecture: Architecture) -> dict[str, float]:
    """Capacity of all instances of each level of the chip together."""
    return {
        level.name: level.capacity_bytes * level.instances
        for level in architecture.storage
        if level.capacity_bytes is not None
    }


def test_every_shipped_template_has_its_figures_asserted() -> None:
    assert {path.stem for path in (ROOT / "arch_templates").glob("*.yaml")} == FIGURES.keys() | PINNED.keys()


@pytest.mark.parametrize("name", sorted(FIGURES.keys() | PINNED.keys()))
def test_documentation_has_the_figures_of_the_template(name: str) -> None:
    architecture = load_template(ROOT / "arch_templates" / f"{name}.yaml").instantiate()[0]
    documentation = (ROOT / "docs" / "architectures.md").read_text("utf-8")
    row = re.search(rf"^\| `{name}` \| (\d+) \((\d+)\) \| ([\d.]+) \|", documentation, re.MULTILINE)
    assert row is not None
    assert int(row[1]) == architecture.arithmetic.instances
    assert int(row[2]) == architecture.arithmetic.word_bits
    assert float(row[3]) == pytest.approx(sum(bytes_of(architecture).values()) / 1024, abs=0.05)


@pytest.mark.parametrize("name", FIGURES)
def test_default_has_the_published_macs_and_capacities(name: str) -> None:
    figures = FIGURES[name]
    architecture, _ = instantiated(name)
    assert architecture.arithmetic.instances == figures["macs"]
    assert architecture.arithmetic.word_bits == figures["mac_bits"]
    assert bytes_of(architecture) == {level: buffer["bytes"] for level, buffer in figures["buffers"].items()}
    instances = {level.name: level.instances for level in architecture.storage}
    assert instances == {
        **{level: buffer["instances"] for level, buffer in figures["buffers"].items()},
        **dict.fromkeys(off_chip(figures), 1),
    }
    assert [level.name for level in architecture.storage if level.technology == "DRAM"] == list(off_chip(figures))


@pytest.mark.parametrize("name", [name for name, figures in FIGURES.items() if "peak_gops" in figures])
def test_macs_at_the_published_clock_have_the_published_throughput(name: str) -> None:
    figures = FIGURES[name]
    architecture, _ = instantiated(name)
    peak_gops = 2 * architecture.arithmetic.instances * figures["clock_mhz"] / 1000
    assert peak_gops == pytest.approx(figures["peak_gops"], rel=figures.get("peak_rounded_by", 0) + 1e-9)


@pytest.mark.parametrize("name", FIGURES)
def test_every_buffer_keeps_its_own_data_spaces(name: str) -> None:
    architecture, mapspace = instantiated(name)
    kept = {
        level.name: [space.name for space, flag in zip(CNN_LAYER.data_spaces, flags, strict=True) if flag]
        for level, flags in zip(architecture.storage, mapspace.keep, strict=True)
    }
    expected = {level: buffer["keeps"] for level, buffer in FIGURES[name]["buffers"].items()}
    assert kept == expected | off_chip(FIGURES[name])


@pytest.mark.parametrize("name", FIGURES)
def test_only_the_dimensions_of_the_dataflow_are_unrolled(name: str) -> None:
    architecture, mapspace = instantiated(name)
    unrolled = {}
    for index, (level, fan_out) in enumerate(zip(architecture.storage, architecture.fanouts, strict=True)):
        if math.prod(fan_out) == 1:
            continue
        held = mapspace.loop_constraint(index, spatial=True)
        unrolled[level.name] = {
            dimension
            for position, dimension in enumerate(CNN_LAYER.dimensions)
            if held is None or held.range_of(position, ANY_FACTOR)[1] > 1
        }
    assert unrolled == {level: set(dimensions) for level, dimensions in FIGURES[name]["unrolled"].items()}


@pytest.mark.parametrize(("name", "setting"), SETTINGS)
def test_other_settings_give_what_they_mean(name: str, setting: dict[str, Any]) -> None:
    architecture, _ = instantiated(name, **setting["parameters"])
    assert architecture.arithmetic.instances == setting["macs"]
    found = bytes_of(architecture)
    assert {level: found[level] for level in setting["bytes"]} == setting["bytes"]


@pytest.mark.parametrize("name", FIGURES)
def test_energies_are_those_of_the_public_tables(name: str) -> None:
    """But for those that the figures name; and no word of a memory of the chip costs what one from outside does."""
    figures = FIGURES[name]
    architecture, _ = instantiated(name)
    assert mac_energy_pj(architecture) == (architecture.arithmetic.word_bits / 16) ** 2
    own = [level.name for level in architecture.storage if level.read_energy_pj is not None]
    assert all(level.vector_access_energy_pj is None for level in architecture.storage)
    assert own == figures.get("own_energies", [])
    pj_per_bit = {
        level.name: max(access_energies_pj(level)) / (level.block_size * level.word_bits)
        for level in architecture.storage
    }
    outside = {pj_per_bit.pop(level) for level in off_chip(figures)}
    assert 0 < min(pj_per_bit.values()) <= max(pj_per_bit.values()) < min(outside)


@pytest.mark.parametrize("objective", ["cosa", "edp"])
@pytest.mark.parametrize("name", FIGURES)
def test_schedules_a_small_convolution_within_the_mapspace(name: str, objective: str) -> None:
    architecture, mapspace = instantiated(name)
    problem = Problem(CNN_LAYER, (3, 3, 4, 4, 8, 8, 1), (1, 1, 1, 1))
    options = ScheduleOptions(objective, gap=0.5, time_limit_seconds=20)
    schedule = Scheduler(options).schedule(architecture, problem, mapspace)
    assert schedule.mapping is not None
    assert allows(architecture, problem, mapspace, schedule.mapping)
    assert evaluate(architecture, problem, schedule.mapping).valid
