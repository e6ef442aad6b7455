"""CACTI's table: exact at its points, monotone between them, and nothing beyond them unasked."""

from collections import defaultdict
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.technology.cacti import CactiSource, cacti_points, memory_cost
from dse.technology.component import ComponentCost, Memory, OutsideTableError

NODES = st.floats(7, 45)
SHAPES = st.tuples(st.sampled_from([1, 2]), st.integers(1, 256), st.integers(8, 2048))


def figures(cost: ComponentCost) -> tuple[float | None, ...]:
    return cost.read_energy_pj, cost.write_energy_pj, cost.area_um2, cost.leakage_uw


def test_it_spans_what_it_says() -> None:
    nodes, ports, banks, widths, rows = map(set, zip(*cacti_points(), strict=True))
    assert nodes == {7, 22, 45}
    assert ports == {1, 2}
    assert (min(banks), max(banks)) == (1, 256)
    assert (min(widths), max(widths)) == (8, 2048)
    assert (min(rows), max(rows)) == (1, 4**10)
    assert max(width * depth for _, _, _, width, depth in cacti_points()) == 64 * 2**20 * 8


def test_what_is_read_at_a_point_is_the_table_itself() -> None:
    for (node, ports, banks, width, rows), known in cacti_points().items():
        assert figures(memory_cost(Memory(rows, width, ports, banks), node)) == known


def test_more_rows_never_cost_less_in_the_table() -> None:
    series = defaultdict(list)
    for (*shape, rows), known in sorted(cacti_points().items()):
        series[tuple(shape)].append((rows, known))
    for members in series.values():
        for (_, smaller), (_, larger) in pairwise(members):
            assert all(small < large for small, large in zip(smaller, larger, strict=True))


@given(node=NODES, shape=SHAPES, rows=st.lists(st.integers(1, 4096), min_size=2, max_size=2, unique=True))
def test_a_larger_memory_never_costs_less(node: float, shape: tuple[int, int, int], rows: list[int]) -> None:
    ports, banks, width = shape
    smaller, larger = (memory_cost(Memory(depth, width, ports, banks), node) for depth in sorted(rows))
    for small, large in zip(figures(smaller), figures(larger), strict=True):
        assert 0 < small <= large * (1 + 1e-12)


@given(node=NODES, shape=SHAPES, rows=st.integers(1, 4096))
def test_what_lies_between_points_lies_between_their_figures(
    node: float, shape: tuple[int, int, int], rows: int
) -> None:
    ports, banks, width = shape
    cost = memory_cost(Memory(rows, width, ports, banks), node)
    axes = list(zip(*cacti_points(), strict=True))
    values = (node, ports, banks, width, rows)
    around = [
        {max(point for point in axis if point <= value), min(point for point in axis if point >= value)}
        for axis, value in zip(axes, values, strict=True)
    ]
    corners = [
        known
        for key, known in cacti_points().items()
        if all(part in side for part, side in zip(key, around, strict=True))
    ]
    for column, figure in zip(zip(*corners, strict=True), figures(cost), strict=True):
        assert min(column) * (1 - 1e-12) <= figure <= max(column) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("memory", "node", "reason"),
    [
        (Memory(1024, 64), 90, "a node in nm of 90 lies outside 7 to 45"),
        (Memory(1024, 64), 5, "a node in nm of 5 lies outside 7 to 45"),
        (Memory(1024, 4096), 45, "a row in bits of 4096 lies outside 8 to 2048"),
        (Memory(1024, 64, ports=4), 45, "number of ports 4 lies outside 1 to 2"),
        (Memory(2**20, 64, banks=512), 45, "number of banks 512 lies outside 1 to 256"),
        (Memory(2**20, 2048), 45, "262,144 KiB in rows of 2048 bits are more than 65,536 KiB, the most with 1 port"),
        (Memory(2**18, 64, ports=2), 45, "2,048 KiB in rows of 64 bits are more than 512 KiB, the most with 2 ports"),
    ],
)
def test_what_lies_outside_is_refused_unless_asked_for(memory: Memory, node: float, reason: str) -> None:
    with pytest.raises(OutsideTableError, match=reason):
        memory_cost(memory, node)
    assert all(figure > 0 for figure in figures(memory_cost(memory, node, extrapolate=True)))


@given(st.integers(2, 16))
def test_beyond_the_table_a_larger_memory_costs_more(times: int) -> None:
    edge, beyond = (memory_cost(Memory(2**20 * factor, 64), 22, extrapolate=True) for factor in (1, times))
    assert all(small < large for small, large in zip(figures(edge), figures(beyond), strict=True))


def test_the_label_says_what_was_chosen() -> None:
    assert CactiSource(22).label == "cacti 22 nm, LPDDR4"
    assert CactiSource(7, "HBM2", numbers="float").label == "cacti 7 nm, HBM2, float"
    assert CactiSource(7, dram_energy_pj_per_bit=6.5, extrapolate=True).label == (
        "cacti 7 nm, DRAM of 6.5 pJ a bit, extrapolated"
    )
