"""From counts to cycles, energy and validity; arrays over the mappings of a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dse.model import unit_costs
from dse.model.nest import Bools, Floats, Frame, Ints, NestBatch
from dse.model.result import DataSpaceCost, Evaluation, LevelCost
from dse.model.temporal import Loops
from dse.model.traffic import Traffic, tensor_traffic
from dse.model.validity import fits, reasons
from dse.specification.version import DEFAULT_VERSION, Version

__all__ = ["CostBatch", "cost_nests"]


@dataclass(frozen=True)
class CostBatch:
    """Costs of a batch. `latency_cycles`, `energy_pj`, `utilization` are meaningful where `valid`; arrays (mapping,).

    `level_cycles`, `network_energy_pj` have the shape (mapping, level), `access_energy_pj` (mapping, level, data
    space).
    """

    frame: Frame
    nests: NestBatch
    valid: Bools
    latency_cycles: Ints
    energy_pj: Floats
    utilization: Floats
    arithmetic_energy_pj: Floats
    level_cycles: Ints
    access_energy_pj: Floats
    network_energy_pj: Floats
    traffic: tuple[Traffic, ...]

    def __len__(self) -> int:
        return len(self.nests)

    def evaluation(self, row: int) -> Evaluation:
        """The full answer for one mapping, with Timeloop's words where it is not valid."""
        return next(self.evaluations([row]))

    def evaluations(self, rows: Sequence[int] | None = None) -> Iterator[Evaluation]:
        """The full answers for some mappings (all of them without `rows`), in order."""
        chosen = list(range(len(self))) if rows is None else list(rows)
        # Converted as whole arrays: taking single numbers out of NumPy is slow.
        latency, energy, utilization, arithmetic = (
            values[chosen].tolist()
            for values in (self.latency_cycles, self.energy_pj, self.utilization, self.arithmetic_energy_pj)
        )
        compute, instances, level_cycles = (
            values[chosen].tolist() for values in (self.nests.compute_cycles, self.nests.instances, self.level_cycles)
        )
        access_energy, network_energy = self.access_energy_pj[chosen].tolist(), self.network_energy_pj[chosen].tolist()
        counts = [
            [own[chosen].tolist() for own in (traffic.reads, traffic.fills, traffic.updates, traffic.tile_words)]
            for traffic in self.traffic
        ]
        names = [space.name for space in self.frame.shape.data_spaces]
        levels = list(enumerate(zip(self.frame.architecture.storage, self.frame.keep, strict=True)))
        area = unit_costs.area_um2(self.frame.architecture)
        for at, row in enumerate(chosen):
            if not self.valid[row]:
                yield Evaluation(error=next(reasons(self.frame, self.nests[row : row + 1])))
                continue
            costs = []
            for index, (level, keep) in levels:
                spaces = {
                    names[tensor]: DataSpaceCost(
                        reads[at][index],
                        fills[at][index],
                        updates[at][index],
                        access_energy[at][index][tensor],
                        tile_words[at][index],
                    )
                    for tensor, (reads, fills, updates, tile_words) in enumerate(counts)
                    if keep[tensor]
                }
                own_energy = sum(cost.energy_pj for cost in spaces.values())
                costs.append(
                    LevelCost(
                        level.name,
                        level_cycles[at][index],
                        spaces,
                        own_energy,
                        network_energy[at][index],
                        instances[at][index],
                    )
                )
            yield Evaluation(
                None,
                latency[at],
                energy[at],
                utilization[at],
                area,
                compute[at],
                arithmetic[at],
                tuple(costs),
            )


def cost_nests(frame: Frame, nests: NestBatch, version: Version = DEFAULT_VERSION) -> CostBatch:
    """Cost all mappings of a batch.

    Factors must multiply to the problem's bounds. `version` is the one of Timeloop to count as.
    """
    count, levels = len(nests), frame.levels
    architecture = frame.architecture
    if not frame.keeps_all:
        return _all_invalid(frame, nests)
    loops = Loops.of(nests)
    traffic = tuple(tensor_traffic(frame, nests, loops, tensor, version) for tensor in range(len(frame.tensors)))
    compute = nests.compute_cycles
    level_cycles = np.empty((count, levels), np.int64)
    access_energy = np.zeros((count, levels, len(traffic)))
    network_energy = np.zeros((count, levels))
    widths = unit_costs.tile_widths_um(architecture)
    for index, level in enumerate(architecture.storage):
        level_cycles[:, index] = _level_cycles(frame, index, traffic, compute)
        clusters = np.minimum(nests.instances[:, index], max(level.instances // level.cluster_size, 1))
        spread = nests.instances[:, index] / clusters
        energies = unit_costs.access_energies_pj(level)
        hop_energy = unit_costs.wire_energy_per_hop_pj(level, widths[index])
        for tensor, own in enumerate(traffic):
            if frame.keep[index][tensor]:
                reads, fills, updates = own.reads[:, index], own.fills[:, index], own.updates[:, index]
                per_cluster = np.zeros(count)
                for words, energy in zip((reads, fills, updates), energies, strict=True):
                    per_cluster = per_cluster + -(-words // level.block_size) * energy
                per_instance = per_cluster / spread
                access_energy[:, index, tensor] = per_instance * nests.instances[:, index]
                generation = level.address_generation_energy_pj
                if generation is not None and generation > 0:
                    addresses = fills + (updates if frame.tensors[tensor].space.read_write else reads)
                    network_energy[:, index] += addresses * generation * clusters
            if hop_energy or level.router_energy_pj:
                network_energy[:, index] += _network_energy(frame, nests, index, tensor, own, hop_energy)
    arithmetic = np.prod(nests.tiles[:, -1], axis=1) * unit_costs.mac_energy_pj(architecture)
    energy = arithmetic.copy()
    for index in range(levels):
        for tensor in range(len(traffic)):
            energy = energy + access_energy[:, index, tensor]
        energy = energy + network_energy[:, index]
    latency = np.maximum(compute, level_cycles.max(axis=1))
    macs = np.prod(nests.tiles[:, -1], axis=1)
    utilization = macs / architecture.arithmetic.instances / latency
    valid = fits(frame, nests)
    for own in traffic:
        valid &= own.consistent
    return CostBatch(
        frame,
        nests,
        valid,
        latency,
        energy,
        utilization,
        arithmetic,
        level_cycles,
        access_energy,
        network_energy,
        traffic,
    )


def _all_invalid(frame: Frame, nests: NestBatch) -> CostBatch:
    count, levels = len(nests), frame.levels
    zeros = np.zeros(count)
    return CostBatch(
        frame,
        nests,
        np.zeros(count, np.bool_),
        zeros.astype(np.int64),
        zeros,
        zeros,
        zeros,
        np.zeros((count, levels), np.int64),
        np.zeros((count, levels, len(frame.tensors))),
        np.zeros((count, levels)),
        (),
    )


def _level_cycles(frame: Frame, index: int, traffic: tuple[Traffic, ...], compute: Ints) -> Ints:
    """Cycles that the bandwidths of one level need (buffer.cpp:ComputePerformance), in its floating-point order."""
    level = frame.architecture.storage[index]
    read_demand = np.zeros(len(compute))
    write_demand = np.zeros(len(compute))
    for own in traffic:
        read_demand = read_demand + own.reads[:, index] / compute
        write_demand = write_demand + (own.fills[:, index] + own.updates[:, index]) / compute
    slowdown = np.ones(len(compute))
    for bandwidth, demand in (
        (level.read_bandwidth, read_demand),
        (level.write_bandwidth, write_demand),
        (level.shared_bandwidth, write_demand + read_demand),
    ):
        if bandwidth is not None:
            short = bandwidth < demand
            slowdown = np.where(short, np.minimum(slowdown, bandwidth / np.where(short, demand, 1.0)), slowdown)
    return np.ceil(compute / slowdown).astype(np.int64)


def _network_energy(
    frame: Frame, nests: NestBatch, index: int, tensor: int, traffic: Traffic, hop_energy_pj: float
) -> Floats:
    """Wires, routers and links of one data space below one level (network-legacy.cpp:ComputeNetworkEnergy)."""
    level, accesses = frame.architecture.storage[index], traffic.records[index]
    if accesses is None:
        return np.zeros(len(nests))
    router_energy = level.router_energy_pj or 0.0
    returns = frame.tensors[tensor].space.read_write and not level.reduction_supported
    fan = np.sqrt(nests.fanout[:, index].astype(np.float64))
    wire_hops = np.zeros(len(nests))
    routers = np.zeros(len(nests))
    for column in range(accesses.words.shape[1]):
        words = accesses.words[:, column]
        if returns:
            words = np.where(words > 0, 2 * words - traffic.partition_words[:, index], 0.0)
        shared = np.sqrt(accesses.multicast[:, column].astype(np.float64))
        hops = fan * shared + 0.5 * (fan - shared) - fan / shared + 0.5
        wire_hops = wire_hops + np.where(words > 0, hops * words, 0.0)
        routers = np.where(words > 0, np.trunc(routers + (1 + hops) * words), routers)
    links = accesses.link_words * (hop_energy_pj + 2 * router_energy)
    return (wire_hops * hop_energy_pj + routers * router_energy + links) * nests.instances[:, index]
