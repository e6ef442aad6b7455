"""The files that timeloop-model reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from dse.errors import InputError
from dse.specification.document import load_documents
from dse.specification.mapping import parse_mapping
from dse.specification.problem import parse_problem
from dse.specification.template import load_architecture
from dse.timeloop import write_inputs
from dse.timeloop.files import input_documents


def test_reading_them_gives_the_same_point(point_name, points, tmp_path) -> None:
    architecture, problem, mapping = points[point_name]
    document = load_documents(write_inputs(tmp_path, architecture, problem, mapping))
    assert parse_problem(document, document.data["problem"]) == problem
    assert parse_mapping(document, document.data["mapping"], architecture, problem) == mapping
    assert load_architecture(document) == architecture


def test_names_the_shape_that_timeloop_ships_and_describes_others(points) -> None:
    assert input_documents(*points["strided"])["problem.yaml"]["problem"]["shape"] == "cnn-layer"
    described = input_documents(*points["neighbours"])["problem.yaml"]["problem"]["shape"]
    assert described["data-spaces"][1]["projection"] == [[["R"], ["P", "Stride"]]]


def test_whole_energies_are_integers_and_others_go_into_tables(points) -> None:
    architecture, problem, mapping = points["strided"]

    def documents(energy_pj, area_um2):
        arithmetic = replace(architecture.arithmetic, energy_pj=energy_pj, area_um2=area_um2)
        return input_documents(replace(architecture, arithmetic=arithmetic), problem, mapping)

    whole = documents(2.0, 300.0)
    assert whole["arch.yaml"]["arch"]["arithmetic"]["energy"] == 2
    assert isinstance(whole["arch.yaml"]["arch"]["arithmetic"]["energy"], int)
    assert isinstance(whole["arch.yaml"]["arch"]["arithmetic"]["area"], int)
    assert "tables.yaml" not in whole
    for energy_pj, area_um2, mac_energy_pj in ((0.5, 300.0, 0.5), (None, 12.5, 0.25), (2.0**31, None, 2.0**31)):
        broken = documents(energy_pj, area_um2)
        assert not broken["arch.yaml"]["arch"]["arithmetic"].keys() & {"energy", "area"}
        (table,) = broken["tables.yaml"]["ERT"]["tables"]
        assert table == {"name": "MAC", "actions": [{"name": "compute", "energy": mac_energy_pj}]}
        areas = broken["tables.yaml"].get("ART", {"tables": []})["tables"]
        assert areas == ([{"name": "MAC", "area": area_um2}] if area_um2 else [])


def test_they_are_plain_yaml(points, tmp_path) -> None:
    for path in write_inputs(tmp_path / "new" / "folder", *points["matrix-products"]):
        assert "!!" not in path.read_text()
        assert yaml.safe_load(path.read_text())


def test_a_folder_that_cannot_be_written(points, tmp_path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written"):
        write_inputs(tmp_path / "file", *points["strided"])
