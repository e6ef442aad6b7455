"""Schedules with a proof: the best latency, energy or EDP of a mapspace, and a bound that no mapping of it beats."""

from dse.proof.prove import Proof, Prover, prove

__all__ = ["Proof", "Prover", "prove"]
