"""The parts of a cost add up to it, and come back from text as they were."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dse.model import evaluate
from dse.model.breakdown import Breakdown
from dse.model.nest import Frame
from dse.proof.structure import Structure
from dse.specification.mapspace import Mapspace
from tests.proof.randomness import random_architecture, random_problem, valid_nests


@pytest.mark.parametrize("seed", range(12))
def test_the_parts_add_up(seed: int) -> None:
    rng = np.random.default_rng((31, seed))
    architecture, problem = random_architecture(rng), random_problem(rng)
    keep = ((True,) * len(problem.shape.data_spaces),) * len(architecture.storage)
    structure = Structure.of(architecture, problem, Mapspace(keep), "edp")
    nests, _, _ = valid_nests(rng, architecture, structure, 20)
    frame = Frame.plain(architecture, problem, keep)
    for row in range(min(3, len(nests))):
        evaluation = evaluate(architecture, problem, nests.mapping(row, frame))
        parts = Breakdown.of(evaluation)
        energies = [own.energy_pj + own.network_energy_pj for own in parts.levels]
        assert parts.arithmetic_energy_pj + math.fsum(energies) == pytest.approx(evaluation.energy_pj, rel=1e-9)
        assert max(parts.compute_cycles, *(own.latency_cycles for own in parts.levels)) == evaluation.latency_cycles
        slowest = {own.name: own.latency_cycles for own in parts.levels} | {"compute": parts.compute_cycles}
        assert slowest[parts.bound_by] == evaluation.latency_cycles
        assert Breakdown.from_json(parts.to_json()) == parts
