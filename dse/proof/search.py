"""Local search over mappings with the exact evaluator: moving and swapping prime factors, reordering loops."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dse.integers import prime_factors
from dse.model import evaluate_nests
from dse.model.nest import Bools, Floats, Frame, Ints, NestBatch
from dse.model.validity import fits
from dse.proof.structure import Structure
from dse.search.membership import within_mapspace
from dse.specification.architecture import Architecture
from dse.specification.mapping import Mapping

__all__ = ["Candidate", "Search"]

_KICKS = 12  # random changes of a mapping, of which a descent starts from the cheapest


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A mapping as arrays: `factors` (level, slot kind t x y, dimension), orders (level, dimension), its cost."""

    factors: Ints
    permutation: Ints
    spatial_permutation: Ints
    log_cost: float


class Search:
    """Descends to mappings that no single move, swap or reordering improves. Deterministic."""

    def __init__(self, architecture: Architecture, structure: Structure, most_cycles: float = math.inf) -> None:
        """Mappings that take more than `most_cycles` count as if they did not fit."""
        problem = structure.problem
        self.structure = structure
        self._most_cycles = most_cycles
        self.frame = Frame.plain(architecture, problem, structure.keep)
        self.evaluations = 0
        levels, bounds = structure.levels, problem.bounds
        kinds = [(level, kind) for level in range(levels) for kind in range(3)]
        self._slots = [(level, kind) for level, kind in kinds if kind == 0 or structure.fanouts[level][kind - 1] > 1]
        self._primes = [(d, prime) for d, bound in enumerate(bounds) for prime, _ in prime_factors(bound)]

    # ---- costs

    def nests(self, factors: Ints, permutation: Ints, spatial: Ints) -> NestBatch:
        """Arrays of many mappings as the evaluator takes them; X dimensions stand before those along Y."""
        along_y = np.take_along_axis(factors[:, :, 2], spatial, axis=2) > 1
        order = np.argsort(along_y, axis=2, kind="stable")
        return NestBatch(
            factors[:, :, 0],
            factors[:, :, 1] * factors[:, :, 2],
            permutation,
            np.take_along_axis(spatial, order, axis=2),
            np.sum(~along_y, axis=2),
        )

    def log_costs(self, factors: Ints, permutation: Ints, spatial: Ints) -> Floats:
        """log2 of the objective; infinite where a mapping does not fit."""
        costs = np.full(len(factors), np.inf)
        rows = np.flatnonzero(self._on_mesh(factors))
        if not len(rows):
            return costs
        nests = self.nests(factors[rows], permutation[rows], spatial[rows])
        valid = fits(self.frame, nests)
        if self.structure.loops:
            valid &= within_mapspace(self.frame, self.structure.mapspace, nests)
        rows = rows[valid]
        if not len(rows):
            return costs
        self.evaluations += len(rows)
        objective = self.structure.objective
        found = []
        for batch in evaluate_nests(self.frame, nests[valid]):
            cost = np.zeros(len(batch))
            if objective in ("latency", "edp"):
                cost = cost + np.log2(batch.latency_cycles)
            if objective != "latency":
                cost = cost + np.log2(np.maximum(batch.energy_pj, 1e-300))
            found.append(np.where(batch.valid & (batch.latency_cycles <= self._most_cycles), cost, np.inf))
        costs[rows] = np.concatenate(found)
        return costs

    def _on_mesh(self, factors: Ints) -> Bools:
        """Whether every level keeps to its own fan-out, and no dimension is unrolled along both axes of a level."""
        fanouts = np.array(self.structure.fanouts)
        fits_mesh = np.all(factors[:, :, 1:].prod(axis=3) <= fanouts, axis=(1, 2))
        once = ~np.any((factors[:, :, 1] > 1) & (factors[:, :, 2] > 1), axis=(1, 2))
        result: Bools = fits_mesh & once
        return result

    # ---- starts

    def candidate(self, mapping: Mapping) -> Candidate:
        """A mapping with its cost."""
        factors, permutation, spatial = self._arrays(mapping)
        cost = self.log_costs(factors[None], permutation[None], spatial[None])[0]
        return Candidate(factors, permutation, spatial, float(cost))

    @staticmethod
    def _arrays(mapping: Mapping) -> tuple[Ints, Ints, Ints]:
        """The factors and both orders of a mapping, as those of a Candidate."""
        levels = len(mapping.levels)
        factors = np.ones((levels, 3, len(mapping.levels[0].temporal)), np.int64)
        for level, own in enumerate(mapping.levels):
            factors[level, 0] = own.temporal
            for position, dimension in enumerate(own.spatial_permutation):
                factors[level, 1 if position < own.split else 2, dimension] = own.spatial[dimension]
        permutation = np.array([own.permutation for own in mapping.levels])
        spatial = np.array([own.spatial_permutation for own in mapping.levels])
        return factors, permutation, spatial

    def cheapest(self, mappings: Sequence[Mapping], count: int) -> list[Candidate]:
        """The `count` cheapest of some mappings that fit, each only once."""
        parts = [self._arrays(mapping) for mapping in mappings]
        if not parts:
            return []
        factors, permutation, spatial = (np.stack(arrays) for arrays in zip(*parts, strict=True))
        costs = self.log_costs(factors, permutation, spatial)
        _, first = np.unique(costs, return_index=True)
        best = [row for row in first.tolist() if np.isfinite(costs[row])][:count]
        return [Candidate(factors[row], permutation[row], spatial[row], float(costs[row])) for row in best]

    def outermost(self) -> Candidate:
        """Everything in the temporal loops of the outermost level: fits wherever anything does."""
        structure = self.structure
        bounds = np.array(structure.problem.bounds)
        factors = np.ones((structure.levels, 3, len(bounds)), np.int64)
        factors[-1, 0] = bounds
        order = np.tile(np.arange(len(bounds)), (structure.levels, 1))
        cost = self.log_costs(factors[None], order[None], order[None])[0]
        return Candidate(factors, order, order.copy(), float(cost))

    def given(self, mapping: Mapping | None) -> list[Candidate]:
        """The mapping as a start, if there is one."""
        return [] if mapping is None else [self.candidate(mapping)]

    def scattered(self, count: int = 384, seed: int = 0) -> list[Candidate]:
        """Random mappings that fit, the cheapest few, with as many spatial factors as the draw allows."""
        rng = np.random.default_rng(seed)
        structure = self.structure
        bounds = structure.problem.bounds
        factors = np.ones((count, structure.levels, 3, len(bounds)), np.int64)
        spatial_slots = [slot for slot in self._slots if slot[1]]
        for row in range(count):
            room = {slot: structure.fanouts[slot[0]][slot[1] - 1] for slot in spatial_slots}
            primes = [(d, p) for d, p in self._primes for _ in range(dict(prime_factors(bounds[d]))[p])]
            for position in rng.permutation(len(primes)):
                dimension, prime = primes[position]
                open_slots = [
                    (level, kind)
                    for level, kind in spatial_slots
                    if room[level, kind] >= prime and factors[row, level, 3 - kind, dimension] == 1
                ]
                if open_slots and rng.random() < 0.8:
                    level, kind = open_slots[int(rng.integers(len(open_slots)))]
                    room[level, kind] //= prime
                else:
                    level, kind = int(rng.integers(structure.levels)), 0
                factors[row, level, kind, dimension] *= prime
        orders = np.argsort(rng.random((count, structure.levels, len(bounds))), axis=2)
        costs = self.log_costs(factors, orders, orders)
        best = [int(row) for row in np.argsort(costs, kind="stable")[:3] if np.isfinite(costs[row])]
        return [Candidate(factors[row], orders[row], orders[row].copy(), float(costs[row])) for row in best]

    def mapping(self, candidate: Candidate) -> Mapping:
        nests = self.nests(candidate.factors[None], candidate.permutation[None], candidate.spatial_permutation[None])
        return nests.mapping(0, self.frame)

    # ---- descent

    def polish(self, start: Candidate) -> Candidate:
        """One step in the orders and one in the factors."""
        best = self._best_of(start, self._orders(start))
        return self._best_of(best, self._moves(best))

    def improve(self, start: Candidate, deadline: float) -> Candidate:
        """Steepest descent over the neighbourhoods in turn, until nothing improves or `time.perf_counter` says stop."""
        best = start
        while time.perf_counter() < deadline:
            before = best.log_cost
            best = self._best_of(best, self._orders(best))
            best = self._best_of(best, self._moves(best))
            if best.log_cost > before - 1e-9:
                best = self._best_of(best, self._swaps(best))
            if best.log_cost > before - 1e-9:
                break
        return best

    def wander(self, start: Candidate, rounds: int, deadline: float, seed: int = 0) -> Candidate:
        """Descents from random changes of the best mapping, in turn, till `time.perf_counter` says stop."""
        rng = np.random.default_rng(seed)
        best = start
        for _ in range(rounds):
            if time.perf_counter() >= deadline:
                break
            found = self.improve(self._kicked(best, rng), deadline)
            if found.log_cost < best.log_cost - 1e-9:
                best = found
        return best

    def _kicked(self, own: Candidate, rng: np.random.Generator) -> Candidate:
        """The cheapest of some mappings that fit, each a few random moves of prime factors away; else the mapping."""
        factors, permutation, spatial = self._tiled(own, _KICKS)
        for row in factors:
            for _ in range(int(rng.integers(2, 5))):
                dimension, prime = self._primes[int(rng.integers(len(self._primes)))]
                sources = [slot for slot in self._slots if row[slot][dimension] % prime == 0]
                source = sources[int(rng.integers(len(sources)))]
                target = self._slots[int(rng.integers(len(self._slots)))]
                row[source][dimension] //= prime
                row[target][dimension] *= prime
        costs = self.log_costs(factors, permutation, spatial)
        costs[np.all(factors == own.factors, axis=(1, 2, 3))] = np.inf
        best = int(np.argmin(costs))
        if not np.isfinite(costs[best]):
            return own
        return Candidate(factors[best], permutation[best], spatial[best], float(costs[best]))

    def _best_of(self, own: Candidate, neighbours: tuple[Ints, Ints, Ints]) -> Candidate:
        factors, permutation, spatial = neighbours
        if not len(factors):
            return own
        costs = self.log_costs(factors, permutation, spatial)
        best = int(np.argmin(costs))
        if costs[best] >= own.log_cost - 1e-12:
            return own
        return Candidate(factors[best], permutation[best], spatial[best], float(costs[best]))

    def _orders(self, own: Candidate) -> tuple[Ints, Ints, Ints]:
        """Each dimension brought innermost at each level, in the temporal and in the spatial order."""
        permutations: list[Ints] = []
        spatials: list[Ints] = []
        for level in range(self.structure.levels):
            for orders, factors, result in (
                (own.permutation, own.factors[level, 0], permutations),
                (own.spatial_permutation, own.factors[level, 1] * own.factors[level, 2], spatials),
            ):
                loops = [d for d in orders[level].tolist() if factors[d] > 1]
                for dimension in loops[1:]:
                    changed = orders.copy()
                    rest = [d for d in orders[level].tolist() if d != dimension]
                    changed[level] = [dimension, *rest]
                    result.append(changed)
        count = len(permutations) + len(spatials)
        if not count:
            return self._tiled(own, 0)
        factors, permutation, spatial = self._tiled(own, count)
        if permutations:
            permutation[: len(permutations)] = permutations
        if spatials:
            spatial[len(permutations) :] = spatials
        return factors, permutation, spatial

    @staticmethod
    def _tiled(own: Candidate, count: int) -> tuple[Ints, Ints, Ints]:
        return (
            np.repeat(own.factors[None], count, axis=0),
            np.repeat(own.permutation[None], count, axis=0),
            np.repeat(own.spatial_permutation[None], count, axis=0),
        )

    def _steps(self, own: Candidate) -> Iterator[tuple[int, int, tuple[int, int], tuple[int, int]]]:
        """(dimension, prime, from slot, to slot) of every move of one prime factor."""
        for dimension, prime in self._primes:
            for source in self._slots:
                if own.factors[source][dimension] % prime == 0:
                    for target in self._slots:
                        if target != source:
                            yield dimension, prime, source, target

    def _moves(self, own: Candidate) -> tuple[Ints, Ints, Ints]:
        steps = list(self._steps(own))
        factors, permutation, spatial = self._tiled(own, len(steps))
        for row, (dimension, prime, source, target) in enumerate(steps):
            factors[row][source][dimension] //= prime
            factors[row][target][dimension] *= prime
        return factors, permutation, spatial

    def _swaps(self, own: Candidate) -> tuple[Ints, Ints, Ints]:
        """Two moves in opposite directions between the same two slots."""
        steps = list(self._steps(own))
        by_slots: dict[tuple[tuple[int, int], tuple[int, int]], list[tuple[int, int]]] = {}
        for dimension, prime, source, target in steps:
            by_slots.setdefault((source, target), []).append((dimension, prime))
        pairs = [
            (there, one, back)
            for there, ones in by_slots.items()
            if there[0] < there[1]
            for one in ones
            for back in by_slots.get(there[::-1], [])
            if one != back
        ]
        factors, permutation, spatial = self._tiled(own, len(pairs))
        for row, ((source, target), (dimension, prime), (other, back)) in enumerate(pairs):
            factors[row][source][dimension] //= prime
            factors[row][target][dimension] *= prime
            factors[row][target][other] //= back
            factors[row][source][other] *= back
        return factors, permutation, spatial
