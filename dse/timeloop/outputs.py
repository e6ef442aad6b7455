"""Reading what `timeloop-model` writes about a valid mapping.

timeloop-model.map+stats.xml is a Boost archive of Timeloop's objects (019f107, `serialize` in include/model/buffer.hpp,
arithmetic.hpp and network-legacy.hpp): full precision, per instance, without totals. timeloop-model.stats.txt has the
totals and the areas, with two decimals. The sums formed here (src/model/topology.cpp: `ComputeStats`) are checked
against it.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from xml.etree import ElementTree

from dse.model.result import DataSpaceCost, Evaluation, LevelCost
from dse.model.unit_costs import area_um2
from dse.specification.architecture import Architecture
from dse.specification.problem import Problem
from dse.timeloop.process import Outputs, TimeloopError

__all__ = ["read_outputs"]

_PRINTED = re.compile(r"^(Cycles|Energy): ([-+.\deE]+)", re.MULTILINE)
_PRINTED_AREA = re.compile(r"^ +Area(?: \(total\))? +: ([-+.\deE]+) um\^2", re.MULTILINE)
_PJ_PER_PRINTED_UJ = 1e6
_PRINTED_ERROR_UJ = 0.00501
"""Half a unit of the second decimal, and room for the last bit."""


def read_outputs(outputs: Outputs, architecture: Architecture, problem: Problem, evaluator: str) -> Evaluation:
    """The evaluation that the two files hold; `evaluator` is recorded in it.

    Raises TimeloopError where they are not what Timeloop writes for this architecture and problem.
    """
    topology = _parse(outputs.xml)
    names = [space.name for space in problem.shape.data_spaces]
    arithmetic, *storage = _levels(topology, architecture)
    below = _network_energies(topology, architecture, len(names))
    levels = tuple(
        _level(_child(element, "stats_"), level.name, names, below)
        for element, level in zip(storage, architecture.storage, strict=True)
    )
    arithmetic_energy_pj = _number(arithmetic, "energy_")
    compute_cycles = _integer(arithmetic, "cycles_")
    cycles = max(compute_cycles, *(level.latency_cycles for level in levels))
    energy_pj = arithmetic_energy_pj
    for level in levels:
        for cost in level.data_spaces.values():
            energy_pj += cost.energy_pj
        energy_pj += level.network_energy_pj
    _check_totals(outputs.statistics, cycles, energy_pj)
    return Evaluation(
        latency_cycles=cycles,
        energy_pj=energy_pj,
        utilization=problem.macs / architecture.arithmetic.instances / cycles,
        area_um2=_area(outputs.statistics, _number(arithmetic, "area_"), architecture),
        compute_cycles=compute_cycles,
        arithmetic_energy_pj=arithmetic_energy_pj,
        levels=levels,
        evaluator=evaluator,
    )


def _parse(xml: bytes) -> ElementTree.Element:
    # ElementTree fetches no external entities; internal ones, which Timeloop never declares, could still blow up.
    if b"<!ENTITY" in xml:
        raise _unreadable("the XML declares entities")
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError as error:
        raise _unreadable(f"not well-formed XML: {error}") from error
    return _child(root, "engine/topology_")


def _levels(topology: ElementTree.Element, architecture: Architecture) -> list[ElementTree.Element]:
    """The arithmetic level and the storage levels, innermost first."""
    levels = [_child(item, "px") for item in _child(topology, "levels_").findall("item")]
    found = [_text(level, "specs_/LevelSpecs/level_name") for level in levels]
    expected = [level.name for level in architecture.storage]
    if found[1:] != expected:
        raise _unreadable(f"the levels {', '.join(found)} where the architecture has {', '.join(expected)}")
    return levels


@dataclass(frozen=True)
class _Columns:
    """Named columns of a `stats_` element, each with one number per data space."""

    element: ElementTree.Element
    width: int

    def __call__(self, name: str) -> list[float]:
        texts = [item.text or "" for item in self.element.findall(f"{name}/PerDataSpace/item")]
        if len(texts) != self.width:
            raise _unreadable(f"{len(texts)} entries of {name} for {self.width} data spaces")
        return [_parsed(text, name) for text in texts]

    def integers(self, name: str) -> list[int]:
        return [int(value) for value in self(name)]


def _level(statistics: ElementTree.Element, name: str, names: list[str], below: dict[str, list[float]]) -> LevelCost:
    columns = _Columns(statistics, len(names))
    instances, clusters = columns("utilized_instances"), columns("utilized_clusters")
    energies = [each * count for each, count in zip(columns("energy"), instances, strict=True)]
    keep, reads, fills, updates, tiles = map(
        columns.integers, ("keep", "reads", "fills", "updates", "utilized_capacity")
    )
    network = 0.0
    for energy, scale in (
        (below[name], instances),
        (columns("temporal_reduction_energy"), instances),
        (columns("addr_gen_energy"), clusters),
    ):
        network += sum(each * count for each, count in zip(energy, scale, strict=True))
    spaces = {
        space: DataSpaceCost(reads[i], fills[i], updates[i], energies[i], tiles[i])
        for i, space in enumerate(names)
        if keep[i]
    }
    return LevelCost(
        name,
        _integer(statistics, "cycles"),
        spaces,
        sum(cost.energy_pj for cost in spaces.values()),
        network,
        round(max(instances)),
    )


def _network_energies(topology: ElementTree.Element, architecture: Architecture, width: int) -> dict[str, list[float]]:
    """Level -> energy per data space of the network below one instance of it, in pJ."""
    energies: dict[str, list[float]] = {}
    for item in _child(topology, "networks_").findall("item"):
        upper, _, _ = _text(item, "first").partition(" <==> ")
        columns = _Columns(_child(item, "second/px/stats_"), width)
        kinds = zip(
            columns("energy"), columns("link_transfer_energy"), columns("spatial_reduction_energy"), strict=True
        )
        energies[upper] = [sum(parts) for parts in kinds]
    missing = [level.name for level in architecture.storage if level.name not in energies]
    if missing:
        raise _unreadable(f"no network below {', '.join(missing)}")
    return energies


def _check_totals(statistics: str, cycles: int, energy_pj: float) -> None:
    printed = dict(_PRINTED.findall(statistics))
    if "Cycles" not in printed or "Energy" not in printed:
        raise _unreadable("the statistics have no totals")
    if _parsed(printed["Cycles"], "Cycles") != cycles:
        raise _unreadable(f"the levels need {cycles} cycles, the total says {printed['Cycles']}")
    energy_uj = energy_pj / _PJ_PER_PRINTED_UJ
    if not math.isclose(_parsed(printed["Energy"], "Energy"), energy_uj, rel_tol=1e-9, abs_tol=_PRINTED_ERROR_UJ):
        raise _unreadable(f"the parts add up to {energy_uj} uJ, the total says {printed['Energy']}")


def _area(statistics: str, mac_area_um2: float, architecture: Architecture) -> float | None:
    """Area of all instances; storage areas are printed per instance, with two decimals."""
    if area_um2(architecture) is None:
        return None
    printed = [float(text) for text in _PRINTED_AREA.findall(statistics)]
    if len(printed) != len(architecture.storage) + 1:
        raise _unreadable(f"{len(printed)} areas for {len(architecture.storage) + 1} levels")
    storage = zip(printed[1:], architecture.storage, strict=True)
    return mac_area_um2 * architecture.arithmetic.instances + sum(each * level.instances for each, level in storage)


def _unreadable(reason: str) -> TimeloopError:
    return TimeloopError(f"timeloop-model wrote something unexpected: {reason}")


def _child(element: ElementTree.Element, path: str) -> ElementTree.Element:
    child = element.find(path)
    if child is None:
        raise _unreadable(f"the XML has no {path} in {element.tag}")
    return child


def _text(element: ElementTree.Element, path: str) -> str:
    return _child(element, path).text or ""


def _parsed(text: str, name: str) -> float:
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError as error:
        raise _unreadable(f'{name} is "{text}", no number') from error


def _number(element: ElementTree.Element, path: str) -> float:
    return _parsed(_text(element, path), path)


def _integer(element: ElementTree.Element, path: str) -> int:
    return int(_number(element, path))
