"""Architectures and problems that the scheduler's tests share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dse.specification.architecture import Architecture
from dse.specification.document import Document
from dse.specification.mapspace import Mapspace, parse_mapspace
from dse.specification.problem import CNN_LAYER, Problem, parse_problem
from dse.specification.template import load_template

REPOSITORY = Path(__file__).resolve().parents[2]

Variant = Callable[..., tuple[Architecture, Mapspace]]


@pytest.fixture(scope="session")
def simba() -> Variant:
    """Makes variants of the Simba template: simba(global_buffer_kib=32) -> (architecture, mapspace)."""
    template = load_template(REPOSITORY / "arch_templates" / "simba.yaml")

    def variant(**parameters: int) -> tuple[Architecture, Mapspace]:
        architecture, pattern = template.instantiate(parameters)
        return architecture, parse_mapspace(Document({"mapspace": pattern}), pattern, architecture, CNN_LAYER)

    return variant


@pytest.fixture(scope="session")
def published() -> list[dict[str, Any]]:
    """Layers with the EDP of published CoSA's mapping, in pJ × cycles (data/published_cosa.json)."""
    path = Path(__file__).parent / "data" / "published_cosa.json"
    layers: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))["layers"]
    for layer in layers:
        layer["problem"] = parse_problem(Document(layer), layer["problem"])
    return layers


@pytest.fixture(scope="session")
def layer() -> Callable[..., Problem]:
    """Makes convolutions: layer(K=8, P=4); dimensions that are not given have bound 1."""

    def make(Wstride: int = 1, Hstride: int = 1, **bounds: int) -> Problem:
        return Problem(CNN_LAYER, tuple(bounds.get(name, 1) for name in CNN_LAYER.dimensions), (Wstride, Hstride, 1, 1))

    return make
