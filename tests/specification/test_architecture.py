"""Architectures in Timeloop's v0.1 format: what is read, what is written, what is refused and where."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings

from dse.errors import InputError
from dse.specification.architecture import Architecture, parse_architecture
from dse.specification.document import Document, parse_document
from tests.strategies import architectures

TEMPLATES = Path(__file__).resolve().parents[2] / "arch_templates"

YAML = """\
arch:
  arithmetic:
    instances: 64
    meshX: 8
    word-bits: 8
  storage:
  - name: Registers
    entries: 2
    instances: 64
    meshX: 8
  - name: Buffer
    entries: 4096
    instances: 8
    meshX: 8
    block-size: 4
    bandwidth: 20.0
  - name: DRAM
    technology: DRAM
    instances: 1
"""
DATA = yaml.safe_load(YAML)["arch"]


def parse(data: Any) -> Architecture:
    return parse_architecture(Document({"arch": data}), data)


def changed(path: str, value: Any) -> Any:
    """DATA with one entry set, or taken out where `value` is ...; a path such as `storage.1.entries`."""
    data = copy.deepcopy(DATA)
    *parents, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    place = data
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return data


def faults(data: Any) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse(data)
    return [str(fault) for fault in caught.value.faults]


def test_levels_and_fanouts() -> None:
    architecture = parse(DATA)
    assert [level.name for level in architecture.storage] == ["Registers", "Buffer", "DRAM"]
    assert (architecture.arithmetic.mesh_x, architecture.arithmetic.mesh_y) == (8, 8)
    assert architecture.fanouts == ((1, 1), (1, 8), (8, 1))
    buffer = architecture.storage[1]
    assert (buffer.read_bandwidth, buffer.write_bandwidth, buffer.shared_bandwidth) == (10.0, 10.0, None)
    assert buffer.capacity_bytes == 4096 * 16 / 8
    assert architecture.storage[2].reduction_supported is False
    assert architecture.level_index == {"Registers": 0, "Buffer": 1, "DRAM": 2}


@pytest.mark.parametrize(
    ("keys", "mesh"),
    [
        ({"instances": 12}, (12, 12, 1)),
        ({"instances": 12, "meshX": 4}, (12, 4, 3)),
        ({"instances": 12, "meshY": 4}, (12, 3, 4)),
        ({"meshX": 4, "meshY": 3}, (12, 4, 3)),
        ({"instances": 12, "meshX": 4, "meshY": 3}, (12, 4, 3)),
    ],
)
def test_mesh_follows_from_what_is_given(keys: dict[str, int], mesh: tuple[int, int, int]) -> None:
    arithmetic = parse({"arithmetic": keys, "storage": [{"name": "A", "instances": 1}]}).arithmetic
    assert (arithmetic.instances, arithmetic.mesh_x, arithmetic.mesh_y) == mesh


@settings(max_examples=60)
@given(architectures())
def test_what_is_written_reads_as_the_same_architecture(architecture: Architecture) -> None:
    assert parse(architecture.to_dict()) == architecture
    assert parse(yaml.safe_load(yaml.safe_dump(architecture.to_dict()))) == architecture


@pytest.mark.parametrize("value", [0, -8, 2.5, "16k", "", None, True, [8], float("nan"), 2**60])
@pytest.mark.parametrize("key", ["instances", "meshX", "word-bits"])
def test_sizes_are_positive_integers(key: str, value: object) -> None:
    found = faults(changed(f"arithmetic.{key}", value))
    assert found[0].startswith(f"arch.arithmetic.{key}: expected a")
    assert len(found) == 1


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("storage.0.entires", 4, 'arch.storage[0].entires: unknown key; did you mean "entries"?'),
        ("storage.1.block_szie", 4, 'arch.storage[1].block_szie: unknown key; did you mean "block_size"?'),
        ("stroage", [], 'arch.stroage: unknown key; did you mean "storage"?'),
        ("storage.1.entries", "16k", 'arch.storage[1].entries: expected an integer of at least 0, got "16k"'),
        ("storage.1.entries", ..., "arch.storage[1]: Buffer needs entries (or depth, or sizeKB)"),
        ("storage.1.name", ..., "arch.storage[1].name: expected a text, got nothing"),
        ("storage.1.name", "DRAM", 'arch.storage[2].name: another level is called "DRAM" already'),
        ("storage.1.instances", ..., "arch.storage[1].instances: expected a positive integer, got nothing"),
        ("storage.1.meshX", 3, "arch.storage[1].meshX: 8 instances are no multiple of 3"),
        ("storage.1.meshY", 2, "arch.storage[1].meshY: meshX × meshY is 16, but there are 8 instances"),
        ("storage.1.bandwidth", 0, "arch.storage[1].bandwidth: expected a number of at least 2e-06, got 0"),
        ("storage.1.read_bandwidth", -1, "arch.storage[1].read_bandwidth: expected a number of at least 1e-06, got -1"),
        ("storage.1.bandwidth", "fast", 'arch.storage[1].bandwidth: expected a number of at least 2e-06, got "fast"'),
        ("storage.1.multiple-buffering", 0.5, "multiple-buffering: expected a number of at least 1, got 0.5"),
        ("storage.1.vector-access-energy", -1, "vector-access-energy: expected a number of at least 0, got -1"),
        ("storage.1.reduction_supported", "yes", 'expected true or false, got "yes"'),
        ("storage.1.width", 100, "arch.storage[1].width: 100 bits are no multiple of a block of 64 bits"),
        ("storage.1.depth", 4, 'arch.storage[1].depth: means the same as "entries", which stands there too'),
        ("storage.2.cluster-size", 4, "arch.storage[2].cluster-size: a DRAM has a cluster-size of 1, got 4"),
        ("storage", [], "arch.storage: expected a list with at least one entry, got none"),
        ("storage", {"name": "A"}, "arch.storage: expected a list with at least one entry, got a mapping of keys"),
        ("storage.0", "Registers", 'arch.storage[0]: expected a mapping of keys, got "Registers"'),
        ("arithmetic", ..., "arch.arithmetic: expected a mapping of keys, got nothing"),
        ("version", 0.4, "arch: expected Timeloop's v0.1 format (arithmetic and storage), got a tree of components"),
    ],
)
def test_each_fault_names_its_key(path: str, value: object, message: str) -> None:
    assert any(message in fault for fault in faults(changed(path, value)))


def test_fanouts_must_divide() -> None:
    data = changed("storage.1.instances", 48)
    data["storage"][1]["meshX"] = 6
    found = faults(data)
    assert found == [
        "arch.storage[1].meshX: the fan-out of Buffer does not divide: Registers has 8 along X, it has 6",
    ]


def test_a_file_with_four_faults_reports_four_with_their_lines() -> None:
    text = YAML.replace("word-bits: 8", "word-bits: 8.5").replace("entries: 2\n", "entires: 2\n")
    text = text.replace("block-size: 4", "block-size: -4").replace("technology: DRAM", "technology: [DRAM]")
    document = parse_document(text, "a.yaml")
    with pytest.raises(InputError) as caught:
        parse_architecture(document, document.data["arch"])
    assert [(fault.line, fault.key) for fault in caught.value.faults] == [
        (5, "arch.arithmetic.word-bits"),
        (8, "arch.storage[0].entires"),
        (15, "arch.storage[1].block-size"),
        (18, "arch.storage[2].technology"),
    ]


@pytest.mark.parametrize("data", [None, [], "arch", 3, {}])
def test_no_architecture(data: object) -> None:
    assert all(fault.startswith("arch") for fault in faults(data))


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_template_without_its_variables_is_refused_value_by_value(path: Path) -> None:
    document = parse_document(path.read_text(), path.name)
    with pytest.raises(InputError) as caught:
        parse_architecture(document, document.data["arch"])
    assert all(fault.line for fault in caught.value.faults)
