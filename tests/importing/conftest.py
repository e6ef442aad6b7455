from collections.abc import Callable
from pathlib import Path

import pytest

from dse.importing import import_network
from dse.importing.network import ImportedNetwork
from dse.specification.problem import Problem
from tests.importing.models import Model

Import = Callable[..., ImportedNetwork]


@pytest.fixture
def imported(tmp_path: Path) -> Import:
    """Imports a model that has been built, with the options of import_network."""

    def run(model: Model, **options: object) -> ImportedNetwork:
        return import_network(model.save(tmp_path / "model.onnx"), **options)  # type: ignore[arg-type]

    return run


@pytest.fixture
def layers(imported: Import) -> Callable[..., list[tuple[int, dict[str, int]]]]:
    """(count, bounds and coefficients that are not 1) of the layers of a model."""

    def sizes(problem: Problem) -> dict[str, int]:
        shape = problem.shape
        pairs = zip((*shape.dimensions, *shape.coefficients), (*problem.bounds, *problem.coefficients), strict=True)
        return {name: size for name, size in pairs if size > 1}

    def run(model: Model, **options: object) -> list[tuple[int, dict[str, int]]]:
        return [(layer.count, sizes(layer.problem)) for layer in imported(model, **options).network.layers]

    return run
