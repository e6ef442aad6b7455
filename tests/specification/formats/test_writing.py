"""What is written in any format is read back as the same architecture, which costs the same."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings

from dse.errors import InputError
from dse.model import evaluate
from dse.search.baselines import random_search
from dse.specification.architecture import Architecture, Arithmetic, StorageLevel
from dse.specification.document import Document, load_documents, parse_document
from dse.specification.formats import FORMATS, translated, written
from dse.specification.mapping import parse_mapping
from dse.specification.mapspace import parse_mapspace
from dse.specification.problem import CNN_LAYER, Problem
from dse.specification.study import TEMPLATES, shipped_files
from dse.specification.template import load_architecture, load_template
from tests.strategies import architectures

LAYER = Problem(CNN_LAYER, (3, 3, 14, 14, 32, 64, 1), (1, 1, 1, 1))
TEMPLATE_FILES = shipped_files(TEMPLATES)


def read(text: str) -> Document:
    return translated(parse_document(text, "written.yaml"))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("name", TEMPLATE_FILES)
def test_every_template_costs_the_same_in_every_format(name: str, form: str, tmp_path: Path) -> None:
    template = load_template(TEMPLATE_FILES[name])
    architecture, data = template.instantiate()
    mapspace = parse_mapspace(template.document, data, architecture, CNN_LAYER)
    found = random_search(architecture, LAYER, mapspace, "edp", valid_mappings=1, max_samples=400_000)
    assert found.mapping is not None
    (tmp_path / "architecture.yaml").write_text(written(architecture, data, form), encoding="utf-8")
    point = {"problem": LAYER.to_dict(), "mapping": found.mapping.directives(architecture, LAYER.shape)}
    (tmp_path / "point.yaml").write_text(yaml.safe_dump(point), encoding="utf-8")
    document = translated(load_documents([tmp_path / "architecture.yaml", tmp_path / "point.yaml"]))
    reread = load_architecture(document)
    assert reread == architecture
    assert parse_mapspace(document, document.data["mapspace"], reread, CNN_LAYER) == mapspace
    mapping = parse_mapping(document, document.data["mapping"], reread, LAYER)
    assert evaluate(reread, LAYER, mapping) == found.evaluation


@settings(max_examples=60)
@given(architectures())
def test_any_architecture_is_read_back_as_it_was(architecture: Architecture) -> None:
    for form in FORMATS if architecture.storage[-1].instances == 1 else FORMATS[:-1]:
        document = read(written(architecture, None, form))
        assert load_architecture(document) == architecture, form


def test_energies_and_areas_of_reference_tables_are_written_beside() -> None:
    energies = {"read_energy_pj": 1.5, "fill_energy_pj": 2.5, "update_energy_pj": 3.5}
    buffer = StorageLevel("Buffer", 1, 1, 1, entries=64, area_um2=8.0, **energies)
    architecture = Architecture(Arithmetic(1, 1, 1, energy_pj=0.25, area_um2=2.0), (buffer,))
    for form in FORMATS:
        assert load_architecture(read(written(architecture, None, form))) == architecture


def test_constraints_on_the_same_loops_become_one_in_v04() -> None:
    levels = (
        StorageLevel("Local", 4, 2, 2, entries=64),
        StorageLevel("Shared", 1, 1, 1, entries=4096),
        StorageLevel("DRAM", 1, 1, 1, technology="DRAM", reduction_supported=False),
    )
    architecture = Architecture(Arithmetic(4, 2, 2), levels)
    data = {
        "dimensions": ["X"],
        "constraints": [
            {"target": "Shared", "type": "spatial", "factors": "K2 C<=2 X=1", "permutation": "K C", "split": 1},
            {"target": "Local", "type": "spatial", "factors": "R=1"},  # without fan-out
            {"target": "Shared", "type": "temporal", "factors": "R=1"},
            {"target": "Shared", "type": "temporal", "factors": "S=1", "default_max_factor": 4},
            {"target": "Shared", "type": "datatype", "bypass": ["Weights", "Inputs"]},
            {"target": "Shared", "type": "datatype", "keep": ["Weights"]},
        ],
    }
    wanted = parse_mapspace(Document({"mapspace": data}), data, architecture, CNN_LAYER)
    for form in FORMATS:
        document = read(written(architecture, data, form))
        assert parse_mapspace(document, document.data["mapspace"], architecture, CNN_LAYER) == wanted, form


def test_v04_has_one_outermost_instance() -> None:
    architecture = Architecture(Arithmetic(2, 2, 1), (StorageLevel("Memory", 2, 2, 1, technology="DRAM"),))
    with pytest.raises(InputError, match="one instance of the outermost level"):
        written(architecture, None, "v0.4")
