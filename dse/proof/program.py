"""The program of a layer: its optimum is never above the true cost of any mapping of the mapspace.

In the log2 domain, with the decisions x and the parameters θ (capacities, bandwidths, energies):

    minimise   e + t  (edp), e (energy) or t (latency); or e where t ≤ log2 of the most cycles (CAPPED)
    rows       A x + B θ + c ≤ 0  or  = 0
    sums       Σ 2^(g_k) ≤ 1, for energy (g = log2 pJ of a charge − e), for each bandwidth (g = log2 cycles − t) and
               each shared buffer (g = log2 of a tile − log2 capacity), by tangents z_k ≥ 2^p (1 + ln 2 (g_k − p))

Each exponent is a variable of its own, so that tangents are short rows. They are rows of parameters, `_ROOM` a term: a
fixed grid after `set_architecture`, or a few and those at chosen points.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import cvxpy as cp
import numpy as np
import scipy.sparse as sp

from dse.model import unit_costs
from dse.proof.decisions import Decisions
from dse.proof.forms import ZERO, Assembly, Form, total
from dse.proof.linear import COARSE, Floats, Ints, Rows
from dse.proof.links import Links
from dse.proof.neighbours import Neighbours
from dse.proof.networks import network_charges
from dse.proof.orders import Orders
from dse.proof.sharing import Sharing
from dse.proof.structure import CAPPED, Structure
from dse.proof.symmetry import break_symmetries
from dse.proof.traffic import Traffic
from dse.proof.windows import Windows
from dse.specification.architecture import Architecture

__all__ = ["Floats", "Program", "figures"]

_GRID = (*(-0.25 * step for step in range(13)), -3.5, -4.0, -5.0, -6.0, -8.0)
_ROOM = 32
_SAME = 0.004  # log2: tangents that touch this close to each other are one
_LEAST_LOG2 = -1000.0  # below any exponent
_FREE_LOG2 = -60.0  # log2 of an energy that counts as none
_UNLIMITED_LOG2 = 60.0
_OVER = 1e-6  # by which a sum may be above 1
_LN2 = math.log(2.0)
_MOST_CYCLES = "most cycles"


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One exponential of a sum: g, a variable `log` ≥ g, and the variable `part` ≥ 2^log that stands for it."""

    exponent: Form
    log: Form
    part: Form


@dataclass(frozen=True, slots=True, eq=False)
class Sum:
    """Σ 2^g ≤ 1; `name` says of what: energy, read 3, capacity 1."""

    name: str
    terms: tuple[Term, ...]


class Program:
    """A compiled program; `set_architecture` gives it the figures of a variant."""

    def __init__(self, structure: Structure, *, symmetric: bool = False) -> None:
        """`symmetric`: keep both of each pair of mappings that an exchange of dimensions turns into each other."""
        self.structure = structure
        self.assembly = assembly = Assembly()
        self.decisions = Decisions(structure, assembly)
        self.orders = Orders(self.decisions)
        self.windows = Windows(self.decisions, self.orders)
        neighbours = Neighbours(self.decisions, self.orders)
        sharing = Sharing(self.decisions, self.windows, neighbours)
        links = Links(self.decisions, self.orders, self.windows, neighbours, sharing)
        self.traffic = Traffic(self.decisions, self.orders, self.windows, sharing, links)
        self.sums: list[Sum] = []
        self._singles: list[tuple[str, Form]] = []
        self._limit_capacities()
        self.compute = self.decisions.sum_temporal(range(len(structure.groups)), range(structure.levels))
        objective: list[Form] = []
        if structure.objective != "energy":
            self.log_cycles = assembly.real(0.0, 64.0)
            if structure.objective == CAPPED:
                assembly.below(self.log_cycles - assembly.parameter(_MOST_CYCLES))
            else:
                objective.append(self.log_cycles)
            self._limit_bandwidths()
        if structure.objective != "latency":
            self.log_energy = assembly.real(-64.0, 120.0)
            objective.append(self.log_energy)
            self._count_energy()
        self.objective = total(objective)
        if not symmetric:
            break_symmetries(self.decisions)
        self._compile()

    # ---- sums

    def _add_sum(self, name: str, exponents: list[Form]) -> None:
        if len(exponents) == 1:
            self.assembly.below(exponents[0])
            self._singles.append((name, exponents[0]))
        if len(exponents) < 2:
            return
        assembly = self.assembly
        terms = tuple(Term(g, assembly.real(_LEAST_LOG2, 0.0), assembly.real(0.0, 1.0)) for g in exponents)
        self.sums.append(Sum(name, terms))
        assembly.below(total(term.part for term in terms) - 1.0)
        for term in terms:
            # Not an equation: HiGHS 1.15 substitutes those, and then may call points optimal that are not.
            assembly.below(term.exponent - term.log)

    def _limit_capacities(self) -> None:
        structure = self.structure
        for level in range(structure.levels - 1):
            kept = [space for space, keeps in enumerate(structure.keep[level]) if keeps]
            if structure.bounded[level] and kept:
                capacity = self.assembly.parameter(f"capacity {level}")
                tiles = [self.windows.tile(space, level) - capacity for space in kept]
                for tile in tiles if len(kept) > 1 else ():
                    self.assembly.below(tile)
                self._add_sum(f"capacity {level}", tiles)

    def _limit_bandwidths(self) -> None:
        structure, assembly = self.structure, self.assembly
        assembly.below(self.compute - self.log_cycles)
        for level, flags in enumerate(structure.bandwidths):
            for role, limited in zip(("read", "write", "both"), flags, strict=True):
                words = [c.words for c in self.traffic.charges if c.level == level and role in c.roles]
                if limited and words:
                    share = assembly.parameter(f"{role} {level}") + self.decisions.instances[level] + self.log_cycles
                    self._add_sum(f"{role} {level}", [own - share for own in words])

    def _count_energy(self) -> None:
        structure, assembly = self.structure, self.assembly
        discounts = [self._discount(level) for level in range(structure.levels)]
        exponents = [assembly.parameter("mac") - self.log_energy]
        for charge in self.traffic.charges:
            level = charge.level
            kinds: list[str] = [kind for kind in ("reads", "fills", "updates", "accesses") if kind in charge.roles]
            names: list[str] = [
                "accesses" if structure.alike[level] else kind for kind in kinds if structure.priced[level]
            ]
            names += ["address"] if "address" in charge.roles and structure.addressed[level] else []
            if names:
                price = assembly.parameter(f"{' and '.join(names)} {level}")
                exponents.append(charge.words + discounts[level] + price - self.log_energy)
        for crossing in network_charges(self.traffic):
            exponents.append(crossing.words + assembly.parameter(crossing.price) - self.log_energy)
        self._add_sum("energy", exponents)

    def _discount(self, level: int) -> Form:
        """log2(min(1, clusters / mapped instances)): Timeloop divides by the cluster size once more in a full array."""
        structure, assembly = self.structure, self.assembly
        clusters = math.log2(structure.clusters[level])
        most = math.log2(math.prod(structure.fans[level + 1 :]))
        excess = most - clusters
        if excess < 1e-9:
            return ZERO
        mapped = self.decisions.instances[level]
        discount = assembly.real(-excess, 0.0)
        beyond = assembly.whole()  # more instances than clusters
        assembly.below(beyond * clusters - mapped)
        assembly.below(mapped - clusters - beyond * excess)
        assembly.below(beyond * clusters - mapped - discount)
        assembly.below(beyond * -excess - discount)
        assembly.below(mapped * (-excess / most) - discount)
        return discount

    # ---- compilation

    def _compile(self) -> None:
        assembly = self.assembly
        self.terms = [term for own in self.sums for term in own.terms]
        rows = self.rows
        equal, size = rows.equal, len(rows.weight)
        whole = np.flatnonzero(assembly.integer)
        self.lower, self.upper = rows.lower, rows.upper
        self.x = cp.Variable(size, integer=(whole,), bounds=[self.lower, self.upper], name="x")
        self.theta = cp.Parameter(rows.b.shape[1], name="theta")
        self.cutoff = cp.Parameter(name="cutoff")
        cost = sp.csr_array(rows.weight[None])
        constraints = [
            rows.a[equal:] @ self.x + rows.b[equal:] @ self.theta <= -rows.c[equal:],
            rows.a[:equal] @ self.x + rows.b[:equal] @ self.theta == -rows.c[:equal],
            cost @ self.x <= self.cutoff,
        ]
        count = len(self.terms) * _ROOM
        if count:
            numbers = np.arange(count)
            log, part = (
                sp.csr_array((np.ones(count), (numbers, np.repeat(column, _ROOM))), (count, size))
                for column in (rows.log, rows.part)
            )
            self._slope = cp.Parameter(count, nonneg=True, name="slope")
            self._height = cp.Parameter(count, name="height")
            constraints.append(cp.multiply(self._slope, log @ self.x) - part @ self.x <= self._height)
        self._whole = np.array(assembly.integer, np.bool_)
        self.problem = cp.Problem(cp.Minimize((cost @ self.x)[0]), constraints)
        self.size = size

    @cached_property
    def rows(self) -> Rows:
        """The rows as arrays, without tangents."""
        log = np.array([int(term.log.column[0]) - 1 for term in self.terms], np.int64)
        part = np.array([int(term.part.column[0]) - 1 for term in self.terms], np.int64)
        return Rows.of(self.assembly, self.objective, log, part)

    def set_architecture(self, architecture: Architecture) -> None:
        """Give the program the figures of an architecture, and the fixed grid of tangents."""
        assembly = self.assembly
        values = figures(architecture, self.structure)
        theta = np.zeros(max(len(assembly.parameters), 1))
        for name, index in assembly.parameters.items():
            theta[index] = values[name]
        self.theta.value = theta
        self.cutoff.value = 1e3
        self.start_tangents(_GRID)

    def limit_cycles(self, most: float) -> None:
        """Of a program of CAPPED: leave out what takes more cycles."""
        theta = np.array(self.theta.value)
        theta[self.assembly.parameters[_MOST_CYCLES]] = math.log2(most)
        self.theta.value = theta

    def value(self, form: Form, point: Floats) -> float:
        """A form at a point (one entry a variable), with the parameters as they stand."""
        theta = np.asarray(self.theta.value)
        every = np.concatenate([np.ones(1), point, theta[::-1]])  # column −1−k is the parameter k
        return float(every[form.column] @ form.weight)

    def solution(self) -> Floats | None:
        """The point of the last solve, whole numbers rounded; None where they are none."""
        point = np.asarray(self.x.value, np.float64)
        rounded = np.rint(point)
        if np.any(np.abs(point - rounded)[self._whole] > 1e-4):
            return None
        return np.where(self._whole, rounded, point)

    def start_tangents(self, grid: Sequence[float] = COARSE) -> None:
        """Forget all tangents but those at the points of a grid."""
        self._kept = len(grid)
        self._at = np.full((len(self.terms), _ROOM), np.nan)
        self._at[:, : self._kept] = grid
        self._next = np.full(len(self.terms), self._kept)
        self._put_tangents()

    def touch(self, terms: Ints, at: Floats) -> None:
        """Add the tangents of some terms that touch at `at`; the oldest beyond the grid make room."""
        for term, point in zip(terms.tolist(), at.tolist(), strict=True):
            if -20.0 < point < 4.0 and not np.any(np.abs(self._at[term] - point) < _SAME):
                self._at[term, self._next[term]] = point
                self._next[term] = max((self._next[term] + 1) % _ROOM, self._kept)
        self._put_tangents()

    def add_tangents(self, point: Floats) -> None:
        """Make all sums exact at a point whose whole numbers are given: `log_energy` and `log_cycles` follow."""
        point = self.completed(point)
        at = np.array([self.value(term.exponent, point) for term in self.terms])
        self.touch(np.arange(len(at)), at)

    def exact_cost(self, point: Floats) -> float:
        """log2 of the objective at a point of whole numbers, by the sums themselves; infinite where it does not fit."""
        capacities = (own.terms for own in self.sums if own.name.startswith("capacity"))
        if any(sum(2.0 ** self.value(term.exponent, point) for term in own) > 1.0 + _OVER for own in capacities):
            return math.inf
        return self.value(self.objective, self.completed(point))

    def _put_tangents(self) -> None:
        """z ≥ 2^p (1 + ln 2 (g − p)) at each p; an unused row says z ≥ 0."""
        if self.terms:
            at = self._at.ravel()
            used = ~np.isnan(at)
            power = np.where(used, 2.0 ** np.where(used, at, 0.0), 0.0)
            self._slope.value = power * _LN2
            self._height.value = -power * (1.0 - _LN2 * np.where(used, at, 0.0))

    def completed(self, point: Floats) -> Floats:
        """The point with `log_energy` and `log_cycles` as its other entries make them, exactly."""
        point = point.copy()
        for name, variable in (("energy", "log_energy"), ("cycles", "log_cycles")):
            form: Form | None = getattr(self, variable, None)
            if form is None:
                continue
            column = int(form.column[0]) - 1
            point[column] = 0.0
            kinds = ("energy",) if name == "energy" else ("read", "write", "both")
            logs = [
                math.log2(sum(2.0 ** self.value(term.exponent, point) for term in own.terms))
                for own in self.sums
                if own.name.split()[0] in kinds
            ]
            logs += [self.value(exponent, point) for own, exponent in self._singles if own.split()[0] in kinds]
            if name == "cycles":
                logs += [self.value(self.compute, point), 0.0]
            point[column] = max([*logs, self.lower[column]])
        return point


def figures(architecture: Architecture, structure: Structure) -> dict[str, float]:
    """Values of all parameters that a program may have; logarithms to base 2."""
    values = {"mac": _log(unit_costs.mac_energy_pj(architecture) * structure.problem.macs)}
    values[_MOST_CYCLES] = _UNLIMITED_LOG2
    widths = unit_costs.tile_widths_um(architecture)
    for index, level in enumerate(architecture.storage):
        entries = level.effective_entries
        # Half a word more: whole numbers of words exceed the one if and only if the other.
        values[f"capacity {index}"] = _UNLIMITED_LOG2 if entries is None else math.log2(entries + 0.5)
        prices = dict(zip(("reads", "fills", "updates"), unit_costs.access_energies_pj(level), strict=True))
        prices = {kind: energy / level.block_size for kind, energy in prices.items()}
        prices["accesses"] = prices["reads"]
        address = max(level.address_generation_energy_pj or 0.0, 0.0)
        values[f"address {index}"] = _log(address)
        for kind, price in prices.items():
            values[f"{kind} {index}"] = _log(price)
            values[f"{kind} and address {index}"] = _log(price + address)
        router = level.router_energy_pj or 0.0
        values[f"router {index}"] = _log(router)
        values[f"hop {index}"] = _log(unit_costs.wire_energy_per_hop_pj(level, widths[index]) + router)
        for name, bandwidth in (
            ("read", level.read_bandwidth),
            ("write", level.write_bandwidth),
            ("both", level.shared_bandwidth),
        ):
            values[f"{name} {index}"] = _UNLIMITED_LOG2 if bandwidth is None else math.log2(bandwidth)
    return values


def _log(energy_pj: float) -> float:
    return math.log2(energy_pj) if energy_pj > 0 else _FREE_LOG2
