"""The program of a layer: its optimum is never above the true cost of any mapping of the mapspace.

In the log2 domain, with the decisions x and the parameters θ (capacities, bandwidths, energies):

    minimise   e + t  (edp), e (energy) or t (latency); or e where t ≤ log2 of the most cycles (CAPPED)
    rows       A x + B θ + c ≤ 0  or  = 0
    sums       Σ 2^(g_k) ≤ 1, for energy (g = log2 pJ of a charge − e), for each bandwidth (g = log2 cycles − t) and
               each shared buffer (g = log2 of a tile − log2 capacity), by tangents z_k ≥ 2^p (1 + ln 2 (g_k − p))

A fixed grid of tangents is part of the rows. Tangents at chosen points are rows of parameters, `spare` for each term.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cvxpy as cp
import numpy as np
import numpy.typing as npt

from dse.model import technology
from dse.proof.decisions import Decisions
from dse.proof.forms import ZERO, Assembly, Form, total
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

__all__ = ["Program", "figures"]

Floats = npt.NDArray[np.float64]

_GRID = (*(-0.25 * step for step in range(13)), -3.5, -4.0, -5.0, -6.0, -8.0)
_SPARE = 5
_FREE_LOG2 = -60.0  # log2 of an energy that counts as none
_UNLIMITED_LOG2 = 60.0
_LN2 = math.log(2.0)
_MOST_CYCLES = "most cycles"


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """One exponential of a sum: g, and the variable z ≥ 2^g that stands for it."""

    exponent: Form
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
        terms = tuple(Term(exponent, self.assembly.real(0.0, 1.0)) for exponent in exponents)
        self.sums.append(Sum(name, terms))
        self.assembly.below(total(term.part for term in terms) - 1.0)
        for term in terms:
            for point in _GRID:
                slope = _LN2 * 2.0**point
                self.assembly.below(term.exponent * slope + 2.0**point * (1.0 - _LN2 * point) - term.part)

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
        a_below, b_below, c_below = assembly.rows_below
        a_equal, b_equal, c_equal = assembly.rows_equal
        terms = [term for own in self.sums for term in own.terms]
        rows = [term.exponent for term in terms for _ in range(_SPARE)]
        parts = [term.part for term in terms for _ in range(_SPARE)]
        self._g, self._g_theta, self._g_fixed = assembly.matrices(rows)
        z, _, _ = assembly.matrices(parts)
        cost, _, _ = assembly.matrices([self.objective])
        size = len(assembly.lower)
        whole = np.flatnonzero(assembly.integer)
        self.lower, self.upper = np.array(assembly.lower), np.array(assembly.upper)
        self.x = cp.Variable(size, integer=(whole,), bounds=[self.lower, self.upper], name="x")
        self.theta = cp.Parameter(max(len(assembly.parameters), 1), name="theta")
        self.cutoff = cp.Parameter(name="cutoff")
        constraints = [
            a_below @ self.x + b_below @ self.theta <= -c_below,
            a_equal @ self.x + b_equal @ self.theta == -c_equal,
            cost @ self.x <= self.cutoff,
        ]
        if rows:
            self._slope = cp.Parameter(len(rows), nonneg=True, name="slope")
            self._height = cp.Parameter(len(rows), name="height")
            constraints.append(cp.multiply(self._slope, self._g @ self.x) - z @ self.x <= self._height)
        self._whole = np.array(assembly.integer, np.bool_)
        self._used = np.zeros(len(terms), np.int64)
        self.problem = cp.Problem(cp.Minimize((cost @ self.x)[0]), constraints)
        self.size = size

    def set_architecture(self, architecture: Architecture) -> None:
        """Give the program the figures of an architecture, and forget the tangents at chosen points."""
        assembly = self.assembly
        values = figures(architecture, self.structure)
        theta = np.zeros(max(len(assembly.parameters), 1))
        for name, index in assembly.parameters.items():
            theta[index] = values[name]
        self.theta.value = theta
        self.cutoff.value = 1e3
        if self.sums:
            self._slope.value = np.zeros(self._g.shape[0])
            self._height.value = np.zeros(self._g.shape[0])
            self._used[:] = 0

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

    def add_tangents(self, point: Floats) -> None:
        """Make all sums exact at a point whose whole numbers are given: `log_energy` and `log_cycles` follow."""
        if not self.sums:
            return
        point = self.completed(point)
        index = 0
        slope, height = np.array(self._slope.value), np.array(self._height.value)
        for own in self.sums:
            for term in own.terms:
                at = self.value(term.exponent, point)
                if -20.0 < at < 4.0:
                    row = index * _SPARE + int(self._used[index] % _SPARE)
                    self._used[index] += 1
                    power = 2.0**at
                    fixed = float((self._g_theta[[row]] @ self.theta.value)[0]) + self._g_fixed[row]
                    slope[row] = power * _LN2
                    height[row] = -power * (1.0 - _LN2 * at) - power * _LN2 * fixed
                index += 1
        self._slope.value, self._height.value = slope, height

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
    values = {"mac": _log(technology.mac_energy_pj(architecture) * structure.problem.macs)}
    values[_MOST_CYCLES] = _UNLIMITED_LOG2
    widths = technology.tile_widths_um(architecture)
    for index, level in enumerate(architecture.storage):
        entries = level.effective_entries
        # Half a word more: whole numbers of words exceed the one if and only if the other.
        values[f"capacity {index}"] = _UNLIMITED_LOG2 if entries is None else math.log2(entries + 0.5)
        prices = dict(zip(("reads", "fills", "updates"), technology.access_energies_pj(level), strict=True))
        prices = {kind: energy / level.block_size for kind, energy in prices.items()}
        prices["accesses"] = prices["reads"]
        address = max(level.address_generation_energy_pj or 0.0, 0.0)
        values[f"address {index}"] = _log(address)
        for kind, price in prices.items():
            values[f"{kind} {index}"] = _log(price)
            values[f"{kind} and address {index}"] = _log(price + address)
        router = level.router_energy_pj or 0.0
        values[f"router {index}"] = _log(router)
        values[f"hop {index}"] = _log(technology.wire_energy_per_hop_pj(level, widths[index]) + router)
        for name, bandwidth in (
            ("read", level.read_bandwidth),
            ("write", level.write_bandwidth),
            ("both", level.shared_bandwidth),
        ):
            values[f"{name} {index}"] = _UNLIMITED_LOG2 if bandwidth is None else math.log2(bandwidth)
    return values


def _log(energy_pj: float) -> float:
    return math.log2(energy_pj) if energy_pj > 0 else _FREE_LOG2
