"""Mapspaces: bypass patterns in Timeloop's constraints, as CoSA's files give them."""

from typing import Any

import pytest

from dse.errors import InputError
from dse.specification.architecture import parse_architecture
from dse.specification.document import Document
from dse.specification.mapspace import Mapspace, parse_mapspace
from dse.specification.problem import CNN_LAYER

ARCHITECTURE = parse_architecture(
    Document({}),
    {
        "arithmetic": {"instances": 1},
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
        (entry(kind="utilization"), 'constraints[0].type: expected one of temporal, spatial, datatype, bypass, got "utilization"'),
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
