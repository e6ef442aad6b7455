"""Energy and area of a MAC by word width and node, from published tables of operations.

Energies at 45 nm: M. Horowitz, Computing's Energy Problem, ISSCC 2014, figure 1.1.9 (0.9 V); at 7 nm: N. P. Jouppi et
al., Ten Lessons From Three Generations Shaped Google's TPUv4i, ISCA 2021, table 2, which brings the same operations up
to date. Other nodes lie between on logarithmic scales.

Areas at 45 nm: W. J. Dally, High-Performance Hardware for Machine Learning, NIPS 2015 tutorial (TSMC 45 nm, 0.9 V, as
in the same table of operations). Other nodes are scaled by the area factors of A. Stillmaker and B. Baas, Scaling
equations for the accurate prediction of CMOS device performance from 180 nm to 7 nm, Integration 58, 2017.
"""

from __future__ import annotations

from dse.technology.component import ComponentCost
from dse.technology.interpolation import interpolated

__all__ = ["ADDER_BITS", "NUMBERS", "mac_cost"]

NUMBERS = ("integer", "float")

ADDER_BITS = 32
"""Sums are kept in so many bits: the widest adder of the table, and what most accelerators of 8-bit integers have."""

_NODES_NM = (7, 45)

# bits -> (energy at 7 nm, energy at 45 nm, area at 45 nm)
_MULTIPLIERS = {
    "integer": {8: (0.07, 0.2, 282.0), 32: (1.48, 3.1, 3495.0)},
    "float": {16: (0.34, 1.1, 1640.0), 32: (1.31, 3.7, 7700.0)},
}
_ADDERS = {
    "integer": {8: (0.007, 0.03, 36.0), 32: (0.03, 0.1, 137.0)},
    "float": {16: (0.16, 0.4, 1360.0), 32: (0.38, 0.9, 4184.0)},
}

_AREA_NODES_NM = (7, 10, 14, 16, 20, 32, 45, 65, 90, 130)
_AREA_TO_45_NM = (0.059, 0.1, 0.17, 0.19, 0.21, 0.46, 1.0, 1.5, 2.8, 6.4)


def mac_cost(
    word_bits: int, node_nm: float, numbers: str = "integer", adder_bits: int = ADDER_BITS, extrapolate: bool = False
) -> ComponentCost:
    """A multiplier of `word_bits` and an adder of `adder_bits` (of floating-point numbers: of 32 bits at most).

    Widths lie between 8 (floating point: 16) and 32 bits, nodes between 7 and 45 nm. Raises OutsideTableError.
    """
    parts = ((_MULTIPLIERS[numbers], word_bits, "multiplier"), (_ADDERS[numbers], adder_bits, "adder"))
    energy_pj = area_um2 = 0.0
    scale = interpolated(_AREA_NODES_NM, _AREA_TO_45_NM, node_nm, extrapolate, "a node in nm of")
    for table, bits, name in parts:
        what = f"{'an' if name == 'adder' else 'a'} {name} of {numbers} numbers of a width in bits of"
        widths = tuple(table)
        small, large, areas = zip(*table.values(), strict=True)
        ends = [interpolated(widths, energies, bits, extrapolate, what) for energies in (small, large)]
        energy_pj += interpolated(_NODES_NM, ends, node_nm, extrapolate, "a MAC's energy at a node in nm of")
        area_um2 += scale * interpolated(widths, areas, bits, extrapolate, what)
    return ComponentCost(energy_pj, energy_pj, area_um2)
