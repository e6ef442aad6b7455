"""What a proof says, how it ends, and what it refuses."""

from __future__ import annotations

import pytest

from dse.errors import InputError
from dse.integers import prime_factors
from dse.model import evaluate
from dse.proof import Prover, prove
from dse.proof.forms import Assembly, constant, total
from dse.proof.structure import Structure
from dse.search.membership import allows
from dse.specification.document import Document
from dse.specification.mapspace import Mapspace, parse_mapspace
from tests.proof.test_bound import BUFFER, DRAM, REGISTERS, architecture_of, convolution, everything

ROW = {"instances": 4, "word-bits": 8}
ARCHITECTURE = architecture_of(REGISTERS | ROW, BUFFER, DRAM | {"bandwidth": 2.0}, arithmetic=ROW)
PROBLEM = convolution(R=3, S=3, P=8, Q=8, C=4, K=8)
MAPSPACE = everything(ARCHITECTURE, PROBLEM)


def test_value_is_the_evaluators_and_the_gap_is_what_was_asked_for() -> None:
    proof = prove(ARCHITECTURE, PROBLEM, MAPSPACE, "edp", 0.02, 60.0)
    assert proof.mapping is not None
    assert proof.value == evaluate(ARCHITECTURE, PROBLEM, proof.mapping).edp
    assert proof.termination == "gap_reached"
    assert proof.gap is not None
    assert 0 <= proof.gap <= 0.02
    assert proof.evaluations > 0


def test_solvers_agree_within_their_gaps() -> None:
    proofs = [prove(ARCHITECTURE, PROBLEM, MAPSPACE, "energy", 0.02, 60.0, solver) for solver in ("HIGHS", "SCIP")]
    for one in proofs:
        for other in proofs:
            assert one.lower_bound is not None
            assert other.value is not None
            assert one.lower_bound <= other.value * (1 + 1e-9)


def test_same_input_gives_the_same_mapping() -> None:
    first, second = (prove(ARCHITECTURE, PROBLEM, MAPSPACE, "edp", 0.01, 60.0) for _ in range(2))
    assert first.mapping == second.mapping
    assert first.lower_bound == second.lower_bound


def test_latency_bound_is_a_whole_number_and_can_be_optimal() -> None:
    proof = prove(ARCHITECTURE, convolution(C=4, K=8), MAPSPACE, "latency", 0.0, 60.0)
    assert proof.lower_bound == proof.value
    assert proof.termination == "optimal"
    assert proof.gap == 0.0


def test_one_prover_serves_variants_and_answers_as_a_fresh_one() -> None:
    prover = Prover()
    for entries in (24, 64):
        architecture = architecture_of(REGISTERS | ROW, BUFFER | {"entries": entries}, DRAM, arithmetic=ROW)
        kept = prover.prove(architecture, PROBLEM, MAPSPACE, "energy", 0.02, 60.0)
        fresh = prove(architecture, PROBLEM, MAPSPACE, "energy", 0.02, 60.0)
        assert kept.value == pytest.approx(fresh.value, rel=0.02)
    assert len(prover._programs) == 1


def test_no_time_leaves_a_mapping_all_the_same() -> None:
    proof = prove(ARCHITECTURE, PROBLEM, MAPSPACE, "edp", 0.0, 1e-3)
    assert proof.termination == "time_limit"
    assert proof.mapping is not None
    assert proof.evaluation is not None
    assert proof.evaluation.valid


def test_what_cannot_fit_is_infeasible_and_says_what_does_not_fit() -> None:
    architecture = architecture_of(REGISTERS | ROW, BUFFER | {"entries": 2}, DRAM, arithmetic=ROW)
    proof = prove(architecture, PROBLEM, MAPSPACE, "edp", 0.01, 60.0)
    assert proof.termination == "infeasible"
    assert proof.mapping is None
    assert proof.culprit is not None
    assert "Buffer" in proof.culprit
    assert "Weights 1 + Inputs 1 + Outputs 1" in proof.culprit


def test_a_layer_of_one_operation() -> None:
    proof = prove(ARCHITECTURE, convolution(), MAPSPACE, "edp", 0.01, 60.0)
    assert proof.termination in {"optimal", "gap_reached"}


@pytest.mark.parametrize("name", ["GLPK_MI", "gurobi-lite"])
def test_solvers_that_prove_nothing_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=r"proves nothing|unknown solver"):
        Prover(name)


def test_unknown_objective_is_refused() -> None:
    with pytest.raises(InputError, match="objective"):
        prove(ARCHITECTURE, PROBLEM, MAPSPACE, "area", 0.01, 60.0)


def test_programs_keep_to_disciplined_parameters() -> None:
    prover = Prover()
    prover.prove(ARCHITECTURE, PROBLEM, MAPSPACE, "edp", 0.1, 20.0)
    (program,) = prover._programs.values()
    assert program.problem.is_dcp(dpp=True)


def test_plain_dimensions_of_one_kind_are_one_group() -> None:
    structure = Structure.of(ARCHITECTURE, convolution(P=8, Q=4, C=2, K=2), MAPSPACE, "edp")
    assert sorted(group.bound for group in structure.groups) == [2, 2, 32]
    halo = Structure.of(ARCHITECTURE, convolution(P=8, Q=4, R=3, C=2, K=2), MAPSPACE, "edp")
    assert sorted(group.bound for group in halo.groups) == [2, 2, 3, 4, 8]


def test_structure_leaves_figures_out() -> None:
    wider = architecture_of(
        REGISTERS | ROW,
        BUFFER | {"entries": 99, "vector-access-energy": 3.0},
        DRAM | {"bandwidth": 9.0},
        arithmetic=ROW,
    )
    mapspace = Mapspace(MAPSPACE.keep)
    assert Structure.of(ARCHITECTURE, PROBLEM, MAPSPACE, "edp") == Structure.of(wider, PROBLEM, mapspace, "edp")


def test_prime_factors() -> None:
    assert prime_factors(360) == ((2, 3), (3, 2), (5, 1))
    assert prime_factors(1) == ()
    assert prime_factors(97) == ((97, 1),)


def test_forms_add_up() -> None:
    assembly = Assembly()
    x, y, p = assembly.whole(), assembly.real(0, 5), assembly.parameter("p")
    assembly.below(total([x * 2.0, y - 1.0, x, p * 3.0]) + constant(4.0))
    a, b, c = assembly.rows_below
    assert a.toarray().tolist() == [[3.0, 1.0]]
    assert b.toarray().tolist() == [[3.0]]
    assert c.tolist() == [3.0]


FIXED = {
    "constraints": [
        {"target": "Buffer", "type": "temporal", "factors": "R=3 S=3 K<=2", "permutation": "KP"},
        {"target": "DRAM", "type": "temporal", "factors": "C=4"},
        {"target": "Buffer", "type": "spatial", "factors": "K=4"},
    ]
}


@pytest.mark.parametrize("objective", ["latency", "energy", "edp"])
def test_constraints_are_kept(objective: str) -> None:
    architecture = architecture_of(
        REGISTERS | ROW | {"entries": 64}, BUFFER | {"entries": 400}, DRAM | {"bandwidth": 2.0}, arithmetic=ROW
    )
    mapspace = parse_mapspace(Document(FIXED), FIXED, architecture, PROBLEM.shape)
    proof = prove(architecture, PROBLEM, mapspace, objective, 0.01, 60.0)
    free = prove(architecture, PROBLEM, everything(architecture, PROBLEM), objective, 0.01, 60.0)
    assert proof.mapping is not None
    assert allows(architecture, PROBLEM, mapspace, proof.mapping)
    assert proof.value is not None
    assert free.lower_bound is not None
    assert proof.value >= free.lower_bound


def test_contradictory_constraints_are_infeasible() -> None:
    data = {"constraints": [{"target": "DRAM", "type": "temporal", "factors": "P=3"}]}
    mapspace = parse_mapspace(Document(data), data, ARCHITECTURE, PROBLEM.shape)
    proof = prove(ARCHITECTURE, PROBLEM, mapspace, "edp", 0.01, 60.0)
    assert proof.termination == "infeasible"
    assert proof.culprit is not None
    assert "constraints" in proof.culprit
