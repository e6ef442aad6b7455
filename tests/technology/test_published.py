"""Figures of the tables against what papers say of components and of chips, each with its source.

Where a paper states a range, the figure lies within it; where it states one number, the factor that is allowed for is
the distance between CACTI's generic memories and that chip's, and stands beside the number.
"""

import pytest

from dse.technology.arithmetic import mac_cost
from dse.technology.cacti import CactiSource, memory_cost
from dse.technology.component import Memory, OutsideTableError
from dse.technology.dram import DRAMS
from dse.technology.pat import PatSource


def memory(capacity_bytes: int, width_bits: int, banks: int = 1) -> Memory:
    return Memory(capacity_bytes * 8 // width_bits, width_bits, banks=banks)


def test_relative_costs_of_eyeriss() -> None:
    """Y.-H. Chen et al., ISCA 2016, table IV: 1 (register file of 0.5 kB), 6 (buffer of 100 kB), 200 (DRAM) of a MAC.

    Of a 65 nm process with words of 16 bits; the buffer's row has 64 bits (JSSC 2017).
    """
    mac_pj = mac_cost(16, 45, adder_bits=16).read_energy_pj
    registers_pj = memory_cost(memory(512, 16), 45).read_energy_pj
    buffer_pj = memory_cost(memory(102400, 64, banks=25), 45).read_energy_pj / 4
    assert registers_pj / mac_pj == pytest.approx(1, rel=0.25)
    assert buffer_pj / mac_pj == pytest.approx(6, rel=0.25)
    low, high = (16 * energy / mac_pj for energy in DRAMS["LPDDR4"].spread_pj_per_bit)
    assert low < 200 < high


def test_relative_costs_of_eyeriss_by_timeloops_tables() -> None:
    source = PatSource()
    mac_pj = source.mac(16).read_energy_pj
    assert source.memory(memory(512, 16)).read_energy_pj / mac_pj == pytest.approx(1, rel=0.01)
    assert source.memory(memory(102400, 16)).read_energy_pj / mac_pj == pytest.approx(6, rel=0.01)
    assert source.dram(16).read_energy_pj / mac_pj == 200


@pytest.mark.parametrize(("capacity_kib", "energy_pj"), [(8, 10), (32, 20), (1024, 100)])
def test_caches_of_horowitz_at_45_nm(capacity_kib: int, energy_pj: float) -> None:
    """M. Horowitz, ISSCC 2014, figure 1.1.9: 64 bits of a cache, which has tags."""
    found = memory_cost(memory(capacity_kib * 1024, 64), 45).read_energy_pj
    assert energy_pj / 1.7 < found < energy_pj


def test_a_mebibyte_at_7_nm() -> None:
    """N. P. Jouppi et al., ISCA 2021, table 2: 14 pJ for 64 bits of 1 MB."""
    assert memory_cost(memory(1 << 20, 64), 7).read_energy_pj == pytest.approx(14, rel=0.2)


@pytest.mark.parametrize(("node_nm", "cell_um2"), [(45, 0.346), (22, 0.092), (7, 0.027)])
def test_bit_density_is_that_of_published_cells_with_their_periphery(node_nm: float, cell_um2: float) -> None:
    """Cells of Intel at 45 nm (IEDM 2007) and 22 nm (ISSCC 2012) and of TSMC at 7 nm (ISSCC 2017): 70 to 90 % of it."""
    area = memory_cost(memory(1 << 20, 256), node_nm).area_um2
    assert area is not None
    assert 0.7 < cell_um2 * (8 << 20) / area < 0.9


def test_macs_are_those_of_the_published_operations() -> None:
    """M. Horowitz, ISSCC 2014 (45 nm); N. P. Jouppi et al., ISCA 2021 (7 nm); areas: W. J. Dally, NIPS 2015."""
    assert mac_cost(8, 45).read_energy_pj == pytest.approx(0.2 + 0.1)
    assert mac_cost(32, 45).read_energy_pj == pytest.approx(3.1 + 0.1)
    assert mac_cost(8, 7).read_energy_pj == pytest.approx(0.07 + 0.03)
    assert mac_cost(16, 7, "float").read_energy_pj == pytest.approx(0.34 + 0.38)
    assert mac_cost(16, 45, "float", adder_bits=16).area_um2 == pytest.approx(1640 + 1360)
    with pytest.raises(OutsideTableError, match="a multiplier of integer numbers of a width in bits of 4"):
        mac_cost(4, 45)
    with pytest.raises(OutsideTableError, match="a node"):
        mac_cost(8, 65)


def test_an_element_of_simba() -> None:
    """B. Zimmer et al., VLSI 2019: 0.11 pJ an operation at best; elements: Y. S. Shao et al., MICRO 2019.

    Two operations a MAC: 0.22 pJ of one chip at its lowest voltage, 0.42 V, and as many times more at the 0.8 V that
    the process is meant for as the square of the voltages. In a cycle an element reads 8 inputs for its 8 lanes of 8
    MACs and, once in 16 cycles, weights; a lane reads and writes one sum.
    """
    source = CactiSource(16)
    macs = 64
    weights = 8 * source.memory(memory(4096, 64)).read_energy_pj / 16
    inputs = source.memory(memory(8192, 64)).read_energy_pj
    sums = source.memory(memory(384, 24))
    registers = macs * source.memory(Memory(1, 8)).read_energy_pj
    energy_pj = macs * source.mac(8).read_energy_pj + weights + inputs + registers
    energy_pj += 8 * (sums.read_energy_pj + sums.write_energy_pj)
    assert 0.22 < energy_pj / macs < 0.22 * (0.8 / 0.42) ** 2


def test_the_memories_of_a_chip_fit_on_it() -> None:
    """Areas of chips: ShiDianNao 4.86 mm² at 65 nm, Simba 4.01 TOPS at 1.29 TOPS/mm² at 16 nm, TPUv1 331 mm² or less.

    Z. Du et al., ISCA 2015; B. Zimmer et al., VLSI 2019; N. P. Jouppi et al., ISCA 2017 (at 28 nm; the unified buffer
    takes 29 % of it, table 2 and figure 2).
    """

    def area_mm2(node_nm: float, *memories: Memory) -> float:
        return sum((memory_cost(each, node_nm).area_um2 or 0.0) for each in memories) / 1e6

    at_45 = area_mm2(45, *(memory(kib * 1024, 16) for kib in (64, 64, 128, 32)))
    assert at_45 * (65 / 45) ** 2 < 4.86
    chiplet = [*[memory(4096, 64)] * 128, *[memory(8192, 64)] * 16, *[memory(384, 24)] * 128, memory(65536, 64)]
    assert area_mm2(16, *chiplet) < 4.01 / 1.29
    assert 0.3 < area_mm2(28, memory(24 << 20, 2048)) / (0.29 * 331) < 1


def test_every_dram_lies_within_its_published_spread() -> None:
    for dram in DRAMS.values():
        low, high = dram.spread_pj_per_bit
        assert low <= dram.energy_pj_per_bit <= high
        assert dram.source
