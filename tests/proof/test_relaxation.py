"""Bounds without a schedule are below every mapping, on the architecture that they were found for and on its likes."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from dse.integers import divisors
from dse.proof.latency import least_cycles, most_parallel
from dse.proof.relaxation import Relaxation
from dse.proof.structure import Structure
from dse.specification.architecture import Architecture
from dse.specification.document import Document
from dse.specification.mapspace import LoopConstraint, Mapspace, parse_mapspace
from dse.specification.network import load_network
from dse.specification.study import shipped_files
from dse.specification.template import load_template
from tests.proof.enumeration import optimum
from tests.proof.randomness import random_architecture, random_keep, random_problem, valid_nests

OBJECTIVES = ("energy", "latency", "edp")


def relative(rng: np.random.Generator, architecture: Architecture) -> Architecture:
    """Another architecture with the same structure: other capacities, energies and bandwidths."""

    def scaled(value: float | None) -> float | None:
        return None if value is None else value * float(2 ** rng.uniform(-2, 2))

    return replace(
        architecture,
        storage=tuple(
            replace(
                level,
                entries=None if level.entries is None else int(level.entries * 2 ** rng.uniform(-1, 3)) + 1,
                vector_access_energy_pj=scaled(level.vector_access_energy_pj),
                read_bandwidth=scaled(level.read_bandwidth),
                write_bandwidth=scaled(level.write_bandwidth),
                shared_bandwidth=scaled(level.shared_bandwidth),
            )
            for level in architecture.storage
        ),
    )


def exceeded(seed: tuple[int, ...], mappings: int) -> tuple[int, list[str]]:
    """(mappings tried, bounds that one of them is below)."""
    rng = np.random.default_rng(seed)
    own, problem = random_architecture(rng), random_problem(rng)
    mapspace = Mapspace(random_keep(rng, own, len(problem.shape.data_spaces)))
    objective = str(rng.choice(OBJECTIVES))
    structure = Structure.of(own, problem, mapspace, objective)
    other = relative(rng, own)
    assert Structure.of(other, problem, mapspace, objective) == structure
    relaxation = Relaxation(structure, [own, relative(rng, own)])
    tried, wrong = 0, []
    for architecture in (own, other):
        nests, cycles, energies = valid_nests(rng, architecture, structure, mappings)
        tried += len(nests)
        if not len(nests):
            continue
        values = {"energy": energies, "latency": cycles, "edp": energies * cycles}[objective]
        bound = relaxation.bound(architecture)
        if bound > values.min() * (1 + 1e-12):
            wrong.append(f"{seed} {objective}: {bound} > {values.min()}")
        if least_cycles(architecture, problem, mapspace) > cycles.min():
            wrong.append(f"{seed} cycles: {least_cycles(architecture, problem, mapspace)} > {cycles.min()}")
    return tried, wrong


def test_no_random_mapping_is_below_its_bounds() -> None:
    outcomes = [exceeded((11, seed), 60) for seed in range(60)]
    assert [text for _, wrong in outcomes for text in wrong] == []
    assert sum(tried for tried, _ in outcomes) > 2000


@pytest.mark.soak
def test_no_random_mapping_of_many_is_below_its_bounds() -> None:
    outcomes = [exceeded((12, seed), 500) for seed in range(1500)]
    assert [text for _, wrong in outcomes for text in wrong] == []


def test_bounds_are_below_the_optimum_of_tiny_layers_and_often_near_it() -> None:
    close = 0
    for seed in range(12):
        rng = np.random.default_rng((13, seed))
        architecture = random_architecture(rng, levels=2)
        problem = random_problem(rng, einsums=False, largest=64)
        mapspace = Mapspace(((True,) * 3,) * 2)
        for objective in ("energy", "latency"):
            structure = Structure.of(architecture, problem, mapspace, objective)
            least = optimum(architecture, structure)
            bound = Relaxation(structure, [architecture]).bound(architecture)
            assert bound <= least * (1 + 1e-12)
            if objective == "latency" and np.isfinite(least):
                bound = least_cycles(architecture, problem, mapspace)
                assert bound <= least
            close += bool(bound > 0.9 * least)
    assert close >= 12


@pytest.mark.parametrize("template", sorted(shipped_files("arch_templates")))
def test_bounds_hold_on_shipped_templates(template: str) -> None:
    architecture, data = load_template(shipped_files("arch_templates")[template]).instantiate()
    problem = load_network(shipped_files("workloads")["resnet50"]).layers[7].problem
    mapspace = parse_mapspace(Document({}), data, architecture, problem.shape)
    structure = Structure.of(architecture, problem, mapspace, "energy")
    bound = Relaxation(structure, [architecture]).bound(architecture)
    assert bound > problem.macs * 0.01
    rng = np.random.default_rng(5)
    if mapspace.loops:
        return  # the mappings drawn here keep to no constraints; those of studies are in tests/sweep
    _, cycles, energies = valid_nests(rng, architecture, structure, 300)
    if len(cycles):
        assert bound <= energies.min()
        assert least_cycles(architecture, problem, mapspace) <= cycles.min()


def test_most_parallel_is_what_all_choices_reach() -> None:
    """Against a product over all choices of all dimensions."""
    fanouts = ((1, 1), (3, 2), (4, 1))
    room = (3, 2, 4)
    for seed in range(8):
        rng = np.random.default_rng((14, seed))
        bounds = tuple(int(rng.choice((1, 2, 3, 4, 6, 8))) for _ in range(4))
        limit = int(rng.choice((1, 2, 4)))
        held = LoopConstraint(1, True, (None,) * 4, (limit, None, None, None), (0,), 1) if seed % 2 else None
        mapspace = Mapspace(((True,),) * 3, () if held is None else (held,))
        choices = [
            [
                (x, y, z)
                for x, y, z in product(divisors(bound), repeat=3)
                if bound % (x * y * z) == 0
                and min(x, y) == 1
                # along X what stands before `split`, which is dimension 0 alone
                and (held is None or (x == 1 if dimension else x <= limit and y == 1))
            ]
            for dimension, bound in enumerate(bounds)
        ]
        used = (np.prod(choice, axis=0) for choice in product(*choices))
        assert most_parallel(bounds, fanouts, mapspace) == max(int(own.prod()) for own in used if all(own <= room))
