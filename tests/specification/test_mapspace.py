"""Mapspaces: bypass patterns and constraints on loops in Timeloop's format."""

from pathlib import Path
from typing import Any

import pytest

from dse.errors import InputError
from dse.specification.architecture import parse_architecture
from dse.specification.document import Document, load_document
from dse.specification.mapspace import LoopConstraint, Mapspace, parse_mapspace
from dse.specification.problem import CNN_LAYER

ARCHITECTURE = parse_architecture(
    Document({}),
    {
        "arithmetic": {"instances": 4, "meshX": 2},
        "storage": [
            {"name": "Registers", "instances": 1, "entries": 8},
            {"name": "DRAM", "instances": 1, "technology": "DRAM"},
        ],
    },
)


def entry(target: object = "Registers", kind: object = "datatype", **keys: Any) -> dict[str, Any]:
    return {"target": target, "type": kind} | keys


def parse(*constraints: object) -> Mapspace:
    data = {"constraints": list(constraints)}
    return parse_mapspace(Document({"mapspace": data}), data, ARCHITECTURE, CNN_LAYER)


def faults(*constraints: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        parse(*constraints)
    return [str(fault) for fault in caught.value.faults]


def test_everything_is_kept_unless_bypassed() -> None:
    everything = Mapspace(((True, True, True), (True, True, True)))
    assert parse_mapspace(Document({}), None, ARCHITECTURE, CNN_LAYER) == everything
    assert parse() == everything
    assert parse(entry(keep=["Weights"], bypass=["Inputs", "Outputs"])).keep[0] == (True, False, False)
    assert parse(entry(kind="bypass", bypass=["Inputs"])).keep == ((True, False, True), (True, True, True))
    assert parse(entry(keep=None, bypass=["Inputs"])).keep[0] == (True, False, True)


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (entry("Registres"), 'constraints[0].target: unknown storage level "Registres"; did you mean "Registers"?'),
        (entry(None), "constraints[0].target: expected a text, got nothing"),
        (
            entry(kind="utilization"),
            'constraints[0].type: expected one of temporal, spatial, datatype, bypass, got "utilization"',
        ),
        (entry(keep=["Weight"]), 'constraints[0].keep: unknown data space "Weight"; did you mean "Weights"?'),
        (entry(bypass="Weights"), 'constraints[0].bypass: expected a list of data spaces, got "Weights"'),
        (entry(bypass=[["Weights"]]), "constraints[0].bypass: unknown data space"),
        (entry(keep=["Weights"], bypass=["Weights"]), "constraints[0].bypass: Weights is kept and bypassed at once"),
        (entry(kep=["Weights"]), 'constraints[0].kep: unknown key; did you mean "keep"?'),
        ("Registers", 'constraints[0]: expected a mapping of keys, got "Registers"'),
    ],
)
def test_each_fault_names_its_key(constraint: object, message: str) -> None:
    assert any(fault.startswith(f"mapspace.{message}") for fault in faults(constraint))


def test_a_data_space_must_be_kept_somewhere() -> None:
    assert faults(entry(bypass=["Weights"]), entry("DRAM", bypass=["Weights", "Inputs"])) == [
        "mapspace: Weights is bypassed at every storage level"
    ]


@pytest.mark.parametrize("data", [[], "all", {"constraint": []}, {"constraints": {}}])
def test_no_mapspace(data: object) -> None:
    with pytest.raises(InputError, match="mapspace"):
        parse_mapspace(Document({"mapspace": data}), data, ARCHITECTURE, CNN_LAYER)


FREE = (None,) * 7


def loops(*constraints: object) -> tuple[LoopConstraint, ...]:
    return parse(*constraints).loops


def test_constraints_on_loops() -> None:
    # R, S, P, Q, C, K, N
    assert loops(entry(kind="temporal", factors="K=4 C0; P7 Q<=3 N == 2", permutation="K C")) == (
        LoopConstraint(0, False, (None, None, 7, None, 0, 4, 2), (None, None, None, 3, None, None, None), (5, 4)),
    )
    assert loops(entry(kind="spatial", factors="K=4 C<=8", default_max_factor=1, split=9)) == (
        LoopConstraint(0, True, (None,) * 5 + (4, None), (1, 1, 1, 1, 8, None, 1), split=7),
    )
    assert loops(entry(kind="temporal"), entry("DRAM", "temporal", factors=" ")) == ()
    # Several entries on the same loops, out of order: spatial loops are inside temporal ones.
    assert loops(
        entry("DRAM", "temporal", factors="K=2"),
        entry(kind="temporal", permutation="PQ"),
        entry(kind="spatial", split=1),
        entry(kind="temporal", factors="R<=3"),
        entry(kind="temporal", factors="R=3 S<=1"),
    ) == (
        LoopConstraint(0, True, FREE, FREE, split=1),
        LoopConstraint(0, False, (3, *FREE[1:]), (3, 1, *FREE[2:]), (2, 3)),
        LoopConstraint(1, False, (*FREE[2:], 2, None), FREE),
    )
    # A level without fan-out has no spatial loops, which factors of 1 and limits do not contradict.
    assert len(loops(entry("DRAM", "spatial", factors="K=1 C<=4", default_max_factor=1))) == 1


@pytest.mark.parametrize(
    ("constraint", "message"),
    [
        (entry(kind="temporal", factors="K=4 X=2"), 'constraints[0].factors: unknown dimension "X"; allowed: '),
        (entry(kind="temporal", factors="K=4,2"), 'constraints[0].factors: expected factors such as "K=4 C<=16", got'),
        (entry(kind="temporal", factors="K>=4"), 'constraints[0].factors: expected factors such as "K=4 C<=16", got'),
        (entry(kind="temporal", factors="K=4 K=2"), "constraints[0].factors: the factor of K stands twice"),
        (entry(kind="temporal", factors="K<=4 K<=2"), "constraints[0].factors: the limit of K stands twice"),
        (entry(kind="temporal", factors="K<=0"), "constraints[0].factors: K<=0: expected a limit of at least 1"),
        (entry(kind="temporal", factors=4), "constraints[0].factors: expected a text, got 4"),
        (entry(kind="temporal", permutation="KXC"), 'constraints[0].permutation: unknown dimension "X"; allowed: '),
        (entry(kind="temporal", permutation="KCK"), "constraints[0].permutation: dimension K stands twice"),
        (entry(kind="temporal", split=2), "constraints[0].split: unknown key; allowed: "),
        (
            entry(kind="temporal", default_max_factor=0),
            "constraints[0].default_max_factor: expected a positive",
        ),
        (entry(kind="spatial", split=-1), "constraints[0].split: expected an integer of at least 0, got -1"),
        (entry(kind="spatial", no_link_transfer=[]), "constraints[0].no_link_transfer: unknown key"),
        (entry(kind="temporal", keep=["Weights"]), "constraints[0].keep: unknown key"),
        (
            entry("DRAM", "spatial", factors="K=2"),
            "constraints[0].factors: DRAM has no fan-out for a spatial factor",
        ),
        (entry("Dram", "spatial", factors="X=2"), 'constraints[0].target: unknown storage level "Dram"'),
        (entry("Dram", "spatial", factors="X=2"), 'constraints[0].factors: unknown dimension "X"'),
    ],
)
def test_each_fault_of_a_constraint_on_loops_names_its_key(constraint: object, message: str) -> None:
    assert any(fault.startswith(f"mapspace.{message}") for fault in faults(constraint))


@pytest.mark.parametrize(
    ("one", "other", "key"),
    [
        ({"factors": "K=4"}, {"factors": "K=4"}, "factors"),
        ({"factors": "K<=4"}, {"factors": "C=1 K<=2"}, "factors"),
        ({"permutation": "K"}, {"permutation": "C"}, "permutation"),
        ({"split": 1}, {"split": 1}, "split"),
        ({"default_max_factor": 1}, {"default_max_factor": 2}, "default_max_factor"),
    ],
)
def test_nothing_is_said_twice(one: dict[str, Any], other: dict[str, Any], key: str) -> None:
    found = faults(entry(kind="spatial", **one), entry(kind="spatial", **other))
    assert [fault.split(":")[0] for fault in found] == [f"mapspace.constraints[1].{key}"]
    assert parse(entry(kind="spatial", **one)).loops


def test_all_faults_come_at_once_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "mapspace.yaml"
    path.write_text(
        "mapspace:\n  constraints:\n"
        "    - {target: Registers, type: temporal, factors: X=1}\n"
        "    - target: Registers\n      type: spatial\n      permutation: KK\n"
        "    - {target: Regs, type: datatype, keep: [Weights]}\n"
    )
    document = load_document(path)
    with pytest.raises(InputError) as caught:
        parse_mapspace(document, document.data["mapspace"], ARCHITECTURE, CNN_LAYER)
    assert [fault.line for fault in caught.value.faults] == [3, 6, 7]


def test_factors_of_a_bound() -> None:
    (own,) = loops(entry(kind="temporal", factors="K=4 C0 P<=3 Q=6 Q<=2"))
    ranges = {
        (5, 8): (4, 4),
        (5, 2): (2, 2),
        (4, 9): (9, 9),
        (2, 9): (1, 3),
        (2, 2): (1, 2),
        (3, 9): (6, 2),
        (0, 5): (1, 5),
    }
    assert {key: own.range_of(*key) for key in ranges} == ranges


def test_axes_and_spatial_orders() -> None:
    (own,) = loops(entry(kind="spatial", permutation="KC", split=1))
    assert [own.axis_of(dimension) for dimension in range(7)] == ["y", "y", "y", "y", "y", "x", "y"]
    assert own.rooms() is None
    assert own.spatial_order([5], [4, 2]) == ((5, 4, 0, 1, 3, 6, 2), 1)
    (own,) = loops(entry(kind="spatial", permutation="K", split=3))
    assert [own.axis_of(dimension) for dimension in range(7)] == [None] * 5 + ["x", None]
    assert own.rooms() == (2, 4)
    assert own.spatial_order([3], [0, 1]) == ((5, 3, 2, 4, 6, 0, 1), 3)
    (own,) = loops(entry(kind="spatial", permutation="KC"))
    assert own.axis_of(0) is None
    assert own.spatial_order([5], [4, 0]) == ((5, 4, 1, 2, 3, 6, 0), 1)
    assert own.spatial_order([5, 4], [])[1] == 7
