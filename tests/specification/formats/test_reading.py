"""Timeloop's later formats: what they mean, and what is wrong in a file, at its own line."""

import copy
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dse.errors import InputError
from dse.specification.architecture import Architecture
from dse.specification.document import Document, parse_document
from dse.specification.formats import translated
from dse.specification.mapspace import Mapspace, parse_mapspace
from dse.specification.problem import CNN_LAYER
from dse.specification.template import load_architecture, parse_template

TREE = """\
architecture:
  version: 0.2
  subtree:
    - name: system
      local:
        - {name: Memory, class: DRAM, attributes: {width: 64, word-bits: 8}}
      subtree:
        - name: PE[0..3]
          local:
            - name: Buffer
              class: SRAM
              attributes: {depth: 64, width: 32, word-bits: 8}
            - {name: "lane[0..1]", class: regfile, attributes: {entries: 2}}
            - {name: "mac[0..1]", class: fpmac, attributes: {datawidth: 8}}
"""
NODES = """\
architecture:
  version: 0.4
  nodes:
    - !Component {name: Memory, class: DRAM, attributes: {width: 64, datawidth: 8}}
    - !Container
      name: PE
      spatial: {meshX: 4}
    - !Component
      name: Buffer
      class: SRAM
      attributes: {depth: 64, width: 32, datawidth: 8}
    - !Component {name: mac, class: intmac}
"""


def read(text: str) -> tuple[Document, Architecture]:
    document = translated(parse_document(textwrap.dedent(text), "a.yaml"))
    return document, load_architecture(document)


def mapspace(text: str) -> Mapspace:
    document, architecture = read(text)
    return parse_mapspace(document, document.data["mapspace"], architecture, CNN_LAYER)


def faults(text: str) -> list[str]:
    """Every fault of a text, those of its mapspace included."""
    with pytest.raises(InputError) as caught:
        mapspace(text)
    return [str(fault) for fault in caught.value.faults]


def test_a_tree() -> None:
    _, architecture = read(TREE)
    assert [level.name for level in architecture.storage] == ["lane", "Buffer", "Memory"]
    assert [level.instances for level in architecture.storage] == [8, 4, 1]
    assert [level.entries for level in architecture.storage] == [2, 256, None]
    assert [level.technology for level in architecture.storage] == ["SRAM", "SRAM", "DRAM"]
    assert (architecture.arithmetic.name, architecture.arithmetic.instances) == ("mac", 8)
    assert architecture.arithmetic.word_bits == 8
    assert architecture.fanouts == ((1, 1), (2, 1), (4, 1))


def test_a_list_of_nodes_and_a_tree_may_be_equal() -> None:
    tree = TREE.replace('            - {name: "lane[0..1]", class: regfile, attributes: {entries: 2}}\n', "")
    tree = tree.replace('"mac[0..1]", class: fpmac, attributes: {datawidth: 8}', "mac, class: intmac")
    nodes = NODES.replace("datawidth: 8}}", "datawidth: 8, reduction_supported: false}}")
    assert read(tree)[1] == read(nodes)[1]


def test_fan_outs_after_the_first_have_levels_of_their_own() -> None:
    text = NODES.replace(
        "spatial: {meshX: 4}", "spatial: {meshX: 4}\n    - !Container {name: row, spatial: {meshY: 3}}"
    )
    document, architecture = read(text)
    assert [level.name for level in architecture.storage] == ["Buffer", "row", "Memory"]
    assert architecture.fanouts == ((1, 1), (1, 3), (4, 1))
    assert mapspace(text).keep == ((True,) * 3, (False,) * 3, (True,) * 3)
    assert document.data["mapspace"]["constraints"][0]["target"] == "row"


def test_a_component_has_its_fan_out_above_it() -> None:
    text = NODES.replace("class: intmac", "class: intmac, spatial: {meshX: 2, meshY: 2}")
    _, architecture = read(text)
    assert architecture.fanouts == ((2, 2), (4, 1))
    assert architecture.arithmetic.instances == 16


def test_attributes_are_inherited_and_made_of_each_other() -> None:
    text = NODES.replace("spatial: {meshX: 4}", "attributes: {datawidth: 4 * unit, unit: 2, rows: 8, depth: rows}")
    text = text.replace("depth: 64, width: 32, datawidth: 8", "width: 4 * datawidth, datawidth: 2 * datawidth, tall: 2")
    assert faults(text)[0].startswith("a.yaml:11: architecture.nodes[2].attributes.tall: unknown attribute")
    _, architecture = read(text.replace(", tall: 2", ""))
    buffer = architecture.storage[0]
    assert (buffer.word_bits, buffer.block_size, buffer.entries) == (16, 4, 32)
    assert architecture.arithmetic.word_bits == 8


def test_variables_make_a_template() -> None:
    text = f"variables: {{version: 0.4, node: 45nm, pes: 4, rows: 16 * pes}}\n{NODES}"
    text = text.replace("meshX: 4", "meshX: pes").replace("depth: 64", "depth: rows")
    template = parse_template(translated(parse_document(text, "a.yaml")))
    assert template.defaults == {"pes": 4, "rows": "16 * pes"}
    architecture, _ = template.instantiate({"pes": 8})
    assert (architecture.arithmetic.instances, architecture.storage[0].entries) == (8, 512)


def test_nodes_may_be_disabled_nested_and_passed_by() -> None:
    text = """\
    architecture:
      version: 0.4
      nodes:
        - !Component {name: Memory, class: DRAM, attributes: {width: 16, datawidth: 16}}
        - !Component {name: Off, class: SRAM, enabled: false, attributes: {depth: 1}}
        - !Hierarchical
          nodes:
            - !Parallel
              nodes:
                - !Component
                  name: W
                  class: storage
                  attributes: {depth: 4, width: 16}
                  constraints: {dataspace: {keep: [Weights]}}
                - !Component
                  name: I
                  class: storage
                  attributes: {depth: 2, width: 16}
                  constraints: {dataspace: {keep: [Inputs]}}
                - !Nothing {constraints: {dataspace: {keep: [Outputs]}}}
        - !Component {name: mac, class: compute}
    """
    _, architecture = read(text)
    assert [level.name for level in architecture.storage] == ["I", "W", "Memory"]
    assert mapspace(text).keep == ((False, True, False), (True, False, False), (True, True, True))


def test_constraints_beside_the_architecture() -> None:
    text = f"""{TREE}
architecture_constraints:
  targets:
    - {{target: Memory, type: spatial, factors: "K<=4,C=1", permutation: [K, C], split: 1}}
mapspace_constraints:
  version: 0.2
  targets:
    - {{target: lane, type: bypass, keep: [Weights], bypass: ["*"]}}
    - {{target: Buffer, type: temporal, factors_only: [R=0]}}
"""
    found = mapspace(text)
    assert found.keep == ((True, False, False), (True, True, True), (True, True, True))
    spatial, temporal = found.loop_constraint(2, True), found.loop_constraint(1, False)
    assert spatial is not None
    assert (spatial.factors[4], spatial.limits[5], spatial.permutation, spatial.split) == (1, 4, (5, 4), 1)
    assert temporal is not None
    assert (temporal.factors[0], temporal.limits[1:]) == (0, (1,) * 6)


def test_what_is_already_v01_stays_as_it_is() -> None:
    document = parse_document("arch: {arithmetic: {instances: 1}, storage: [{name: A, instances: 1}]}", "a.yaml")
    assert translated(document) is document


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("depth: 64", "depth: -1", "a.yaml:11: architecture.nodes[2].attributes.depth: expected an integer of at"),
        ("depth: 64", "dept: 64", "a.yaml:11: architecture.nodes[2].attributes.dept: unknown attribute; did you"),
        ("class: SRAM", "class: SRM", 'a.yaml:10: architecture.nodes[2].class: unknown class "SRM"'),
        ("class: SRAM", "class: XY_NoC", "networks of their own are not modelled"),
        ("name: Buffer", "nam: Buffer", "a.yaml:9: architecture.nodes[2].nam: unknown key"),
        ("name: Buffer", "name: PE", 'a.yaml:9: architecture.nodes[2].name: another node is called "PE" already'),
        ("- !Container", "- !Box", 'a.yaml:5: architecture.nodes[1]: unknown tag "!Box" (known: !Component,'),
        ("- !Container", "-", "expected a node with one of the tags !Component, !Container"),
        ("- !Container", "- !Parallel", "a.yaml:5: architecture.nodes[1].nodes: expected a list"),
        ("meshX: 4", "meshX: 0", "a.yaml:7: architecture.nodes[1].spatial.meshX: expected a positive integer, got 0"),
        ("meshX: 4", "meshZ: 4", "a.yaml:7: architecture.nodes[1].spatial.meshZ: unknown key"),
        ("version: 0.4", "version: 0.5", "a.yaml:2: architecture.version: expected 0.4 with nodes, got 0.5"),
        ("class: DRAM,", "class: DRAM, energy_scale: 2,", "architecture.nodes[0].energy_scale: scales of estimators"),
        ("class: DRAM,", "class: DRAM, spatial: {meshX: 2},", "a fan-out above the outermost storage level"),
        (", class: intmac}", ", class: SRAM, attributes: {depth: 1}}", "a.yaml:1: architecture: no MACs"),
        ("  nodes:", "  nodes:\n    - !Component {name: m, class: mac}", "stands inside m, which computes"),
        ("meshX: 4}", "meshX: 4}\n      sparse_optimizations: {x: 1}", "sparse tensors are not modelled"),
        (
            "meshX: 4}",
            "meshX: 4}\n      constraints: {spatial: {factors: [K=2, X=3]}}",
            'a.yaml:8: architecture.nodes[1].constraints.spatial.factors: unknown dimension "X"',
        ),
        ("meshX: 4}", "meshX: 4}\n      constraints: {spatial: {factors: [K>=2]}}", "least factors (>=)"),
        ("meshX: 4}", "meshX: 4}\n      constraints: {spatial: {maximize_dims: [[K]]}}", "not supported: give the"),
        (
            "meshX: 4}",
            "meshX: 4}\n      constraints: {spatial: {no_reuse: [Inputs]}}",
            "multicast, reduction and reuse",
        ),
        ("meshX: 4}", "meshX: 4}\n      constraints: {temporal: {factors: [K=1]}}", "PE stores nothing"),
        ("spatial: {meshX: 4}", "constraints: {spatial: {factors: [K=1]}}", "PE has no fan-out"),
        ("meshX: 4}", "meshX: 4}\n      constraints: {dimension: {}}", "unknown kind of constraint"),
        ("meshX: 4", "meshX: wide", 'a.yaml:7: architecture.nodes[1].spatial: unknown variable "wide"'),
    ],
)
def test_faults_name_their_place(old: str, new: str, expected: str) -> None:
    found = faults(NODES.replace(old, new, 1))
    assert any(expected in fault for fault in found), found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("PE[0..3]", "PE[3..0]", "a.yaml:8: architecture.subtree[0].subtree[0].name: expected a name such as PE"),
        ("PE[0..3]", "PE[n]", 'expected a name such as PE or PE[0..15], got "PE[n]"'),
        ("entries: 2", "entries: 2.5", "local[1].attributes.entries: expected an integer of at least 0, got 2.5"),
        ("depth: 64,", "depth: 64, entries: 7,", 'means the same as "entries", which stands there too'),
        ("name: system", "name: system\n      attributes: {datawidth: 8}", "a subtree gives it to no component"),
        ("version: 0.2", "version: true", "expected 0.2 or 0.3 or 0.4 with subtree, got True"),
        ("      local:", "      locl:", 'unknown key; did you mean "local"?'),
    ],
)
def test_faults_of_a_tree_name_their_place(old: str, new: str, expected: str) -> None:
    found = faults(TREE.replace(old, new, 1))
    assert any(expected in fault for fault in found), found


def test_all_faults_are_reported_together() -> None:
    text = NODES.replace("depth: 64", "dept: 64").replace("meshX: 4", "meshX: 0").replace("version: 0.4", "version: 1")
    assert len(faults(text)) >= 3


def test_a_data_space_has_one_place_in_a_parallel() -> None:
    text = """\
    architecture:
      version: 0.4
      nodes:
        - !Component {name: Memory, class: DRAM, attributes: {width: 16}}
        - !Parallel
          nodes:
            - !Component {name: A, class: SRAM, attributes: {depth: 4}, constraints: {dataspace: {keep: [Inputs]}}}
            - !Component {name: B, class: SRAM, attributes: {depth: 4}, constraints: {dataspace: {keep: [Inputs]}}}
            - !Component {name: C, class: SRAM, attributes: {depth: 4}}
        - !Component {name: mac, class: compute}
    """
    found = faults(text)
    assert "a.yaml:8: " in found[0]
    assert "Inputs is kept by another node of this !Parallel already" in found[0]
    assert "C keeps no data space" in found[1]


@pytest.mark.parametrize("mark", ["{% if registers %}", "    {{ include('defines.yaml') }}"])
def test_jinja_is_refused_by_its_name(mark: str) -> None:
    (fault,) = faults(f"{NODES}{mark}\n  - !Container {{name: x}}\n")
    assert fault.startswith("a.yaml:13: Jinja templates are not rendered here")


def test_attributes_that_grow_without_end_are_refused() -> None:
    grown = ", ".join(f"a{i}: a{i + 1} + a{i + 1}" for i in range(40))
    text = NODES.replace("spatial: {meshX: 4}", f"attributes: {{{grown}, a40: 1}}").replace("depth: 64", "depth: a0")
    assert any("longer than 500 characters" in fault for fault in faults(text))
    text = NODES.replace("depth: 64", "depth: depth + 1")
    assert any('unknown variable "depth"' in fault for fault in faults(text))


def places(data: Any) -> Iterator[tuple[Any, Any]]:
    """(container, key or index) of everything in some data."""
    entries: list[tuple[Any, Any]] = []
    if isinstance(data, dict):
        entries = list(data.items())
    elif isinstance(data, list):
        entries = list(enumerate(data))
    for key, value in entries:
        yield data, key
        yield from places(value)


CONSTRAINED = NODES.replace(
    "spatial: {meshX: 4}",
    "spatial: {meshX: 4}\n      constraints: {spatial: {factors: [K=2], permutation: [K], split: 1, no_reuse: []}}",
).replace(
    "class: intmac}",
    "class: intmac}\nmapping:\n  - {target: PE, type: spatial, factors: [K=4]}\nvariables: {rows: 4, version: 0.4}",
)
ODD = (None, True, 0, -1, 2.5, float("nan"), "", "K=2", "rows + 1", "1/0", "*", ["*"], [], {}, [[]], [None], {"a": 1})


@settings(max_examples=100)
@given(st.sampled_from((TREE, CONSTRAINED)), st.data())
def test_whatever_stands_in_a_place_is_read_or_a_fault(text: str, draw: st.DataObject) -> None:
    document = parse_document(text, "a.yaml")
    data = copy.deepcopy(document.data)
    for _ in range(draw.draw(st.integers(1, 3))):
        holder, key = draw.draw(st.sampled_from(list(places(data)) or [({}, "a")]))
        holder[key] = copy.deepcopy(draw.draw(st.sampled_from(ODD)))
    with suppress(InputError):
        reread = translated(Document(data, document.positions, "a.yaml", document.tags))
        architecture = load_architecture(reread)
        parse_mapspace(reread, reread.data.get("mapspace"), architecture, CNN_LAYER)
