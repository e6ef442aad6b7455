"""Energy within a limit on cycles: the bound holds for every mapping that keeps to it, and so does the mapping."""

from __future__ import annotations

import math

import pytest

from dse.errors import InputError
from dse.model import evaluate
from dse.proof import Prover
from dse.proof.structure import Structure
from tests.proof.enumeration import optimum
from tests.proof.test_bound import BUFFER, DRAM, REGISTERS, architecture_of, convolution, everything

ROW = {"instances": 2, "word-bits": 8}
CHIPS = [
    architecture_of(BUFFER | {"entries": 40}, DRAM | {"bandwidth": 0.5}, arithmetic=ROW),
    architecture_of(REGISTERS | ROW | {"entries": 4}, DRAM | {"bandwidth": 2.0}, arithmetic=ROW),
]
PROBLEMS = [convolution(C=4, K=6), convolution(R=3, P=2, K=2)]


@pytest.mark.parametrize("architecture", CHIPS)
@pytest.mark.parametrize("problem", PROBLEMS)
def test_no_mapping_within_the_cycles_is_below_the_bound(architecture, problem) -> None:  # type: ignore[no-untyped-def]
    prover = Prover()
    mapspace = everything(architecture, problem)
    fastest = prover.prove(architecture, problem, mapspace, "latency", 0.0, 60.0)
    assert fastest.evaluation is not None
    structure = Structure.of(architecture, problem, mapspace, "energy")
    values = []
    for factor in (1.0, 1.3, 2.0, 8.0):
        most = math.floor(factor * fastest.evaluation.latency_cycles)
        proof = prover.prove(
            architecture, problem, mapspace, "energy", 0.01, 60.0, lambda: fastest.mapping, most_cycles=most
        )
        least = optimum(architecture, structure, most)
        assert proof.mapping is not None
        assert proof.value is not None
        assert proof.lower_bound is not None
        assert evaluate(architecture, problem, proof.mapping).latency_cycles <= most
        assert proof.lower_bound <= least * (1 + 1e-9)
        assert proof.value >= least * (1 - 1e-9)
        values.append(least)
    assert values == sorted(values, reverse=True)


def test_cycles_are_limited_for_energy_alone() -> None:
    architecture, problem = CHIPS[0], PROBLEMS[0]
    with pytest.raises(InputError, match="cycles are limited for energy alone"):
        Prover().prove(architecture, problem, everything(architecture, problem), "edp", 0.1, 1.0, most_cycles=9)
