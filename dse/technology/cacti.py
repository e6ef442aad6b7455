"""SRAM and register files from CACTI: a table of the project, interpolated, and never extrapolated unasked.

data/cacti.csv is written by experiments/cacti_table.py and states its versions. CACTI 7: R. Balasubramonian et al.,
TACO 14(2), 2017. Its figures are those of itrs-lstp transistors at 300 K. 7 nm is beyond CACTI: hwcomponents-cacti
scales its 22 nm figures by √(7/22) in energy and 7/22 in area (docs/costs.md compares this with published bit cells).

Figures of the table rise with the number of rows throughout (a test holds it to that), and so does what lies between.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from itertools import product

from dse.technology.arithmetic import ADDER_BITS, NUMBERS, mac_cost
from dse.technology.component import ComponentCost, Memory, OutsideTableError
from dse.technology.dram import DRAMS
from dse.technology.interpolation import interpolated, weights

__all__ = ["NODES_NM", "CactiSource", "cacti_points", "memory_cost"]

NODES_NM = (7, 45)
"""The smallest and the largest node."""

_FIGURES = ("read_pj", "write_pj", "area_um2", "leakage_uw")

_Series = tuple[tuple[int, ...], tuple[tuple[float, ...], ...]]
"""The rows of memories that are alike in everything else, and their figures, one tuple each of _FIGURES."""


@lru_cache(maxsize=1)
def cacti_points() -> dict[tuple[float, int, int, int, int], tuple[float, ...]]:
    """The table as it stands: (node, ports, banks, width, rows) -> pJ read, pJ written, µm², µW of leakage."""
    text = files("dse.technology").joinpath("data/cacti.csv").read_text(encoding="utf-8")
    lines = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    points = {}
    for line in lines:
        node, *shape = (line[name] for name in ("node_nm", "ports", "banks", "width_bits", "rows"))
        ports, banks, width, rows = map(int, shape)
        points[float(node), ports, banks, width, rows] = tuple(float(line[name]) for name in _FIGURES)
    return points


@dataclass(frozen=True)
class _Table:
    """The table by its axes; `series` has an entry for (node, ports, banks, width)."""

    axes: tuple[tuple[float, ...], ...]
    series: dict[tuple[float, ...], _Series]

    @staticmethod
    @lru_cache(maxsize=1)
    def read() -> _Table:
        found: dict[tuple[float, ...], list[tuple[int, tuple[float, ...]]]] = {}
        for (*shape, rows), figures in cacti_points().items():
            found.setdefault(tuple(shape), []).append((rows, figures))
        series: dict[tuple[float, ...], _Series] = {}
        for key, members in found.items():
            members.sort()
            columns = zip(*(figures for _, figures in members), strict=True)
            series[key] = (tuple(rows for rows, _ in members), tuple(columns))
        return _Table(tuple(tuple(sorted(set(axis))) for axis in zip(*series, strict=True)), series)


@lru_cache(maxsize=4096)
def memory_cost(memory: Memory, node_nm: float, extrapolate: bool = False) -> ComponentCost:
    """What CACTI's table says of a memory: exact at its points, straight lines on logarithmic scales between them.

    A larger number of rows never costs less, in energy or area. Raises OutsideTableError where the memory lies outside
    the table and `extrapolate` is false.
    """
    table = _Table.read()
    values = (node_nm, memory.ports, memory.banks, memory.width_bits)
    names = ("a node in nm of", "a memory whose number of ports", "a memory whose number of banks", "a row in bits of")
    sides = [
        [(axis[position], weight) for position, weight in weights(axis, value, extrapolate, name)]
        for axis, value, name in zip(table.axes, values, names, strict=True)
    ]
    corners = list(product(*sides))
    figures = [_along_rows(table, tuple(at for at, _ in corner), memory, extrapolate) for corner in corners]
    if len(corners) == 1:
        return ComponentCost(*figures[0])
    shares = [math.prod(weight for _, weight in corner) for corner in corners]
    columns = zip(*figures, strict=True)
    return ComponentCost(*(_weighted(shares, column) for column in columns))


def _weighted(shares: Sequence[float], figures: Sequence[float]) -> float:
    """The weighted geometric mean."""
    return math.exp(math.fsum(share * math.log(figure) for share, figure in zip(shares, figures, strict=True)))


def _along_rows(table: _Table, key: tuple[float, ...], memory: Memory, extrapolate: bool) -> list[float]:
    """The figures of a memory that is as `key` says, by its rows alone."""
    if key not in table.series:
        raise OutsideTableError(f"there is no memory of {memory.width_bits} bits a row with {memory.ports} ports")
    grid, columns = table.series[key]
    if not extrapolate and memory.rows > grid[-1]:
        most = grid[-1] * memory.width_bits / 8192
        raise OutsideTableError(
            f"{memory.capacity_bytes / 1024:,.0f} KiB in rows of {memory.width_bits} bits are more than "
            f"{most:,.0f} KiB, the most with {memory.ports} port{'s' * (memory.ports > 1)}"
        )
    return [interpolated(grid, column, memory.rows, extrapolate, "a memory whose number of rows") for column in columns]


@dataclass(frozen=True)
class CactiSource:
    """`cacti`: memories from CACTI, MACs and DRAM from published tables, all at one node."""

    node_nm: float = 45
    dram_type: str = "LPDDR4"
    dram_energy_pj_per_bit: float | None = None
    numbers: str = NUMBERS[0]
    adder_bits: int = ADDER_BITS
    extrapolate: bool = False

    @property
    def label(self) -> str:
        own = self.dram_energy_pj_per_bit
        dram = self.dram_type if own is None else f"DRAM of {own:g} pJ a bit"
        more = ["float"] * (self.numbers != NUMBERS[0]) + ["extrapolated"] * self.extrapolate
        return ", ".join([f"cacti {self.node_nm:g} nm", dram, *more])

    def memory(self, memory: Memory) -> ComponentCost:
        return memory_cost(memory, self.node_nm, self.extrapolate)

    def dram(self, width_bits: int) -> ComponentCost:
        own = self.dram_energy_pj_per_bit
        energy_pj = width_bits * (DRAMS[self.dram_type].energy_pj_per_bit if own is None else own)
        return ComponentCost(energy_pj, energy_pj, 0.0)

    def mac(self, word_bits: int) -> ComponentCost:
        return mac_cost(word_bits, self.node_nm, self.numbers, self.adder_bits, self.extrapolate)
