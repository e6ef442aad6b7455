"""The bound on a network's energy × cycles: true of every choice, and as tight as the layers' own bounds allow."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dse.report.network_bound import LayerBound, network_bound

figures = st.floats(1.0, 1e9)


@st.composite
def layers(draw: st.DrawFn) -> list[tuple[LayerBound, float, float]]:
    """Layers, each with the cycles and energy of some schedule that keeps its bounds."""
    found = []
    for _ in range(draw(st.integers(1, 8))):
        fastest, cheapest = draw(figures), draw(figures)
        cycles = fastest * draw(st.floats(1.0, 1e4))
        energy_pj = cheapest * draw(st.floats(1.0, 1e4))
        bound = cycles * energy_pj * draw(st.floats(0.01, 1.0))
        layer = LayerBound(draw(st.integers(1, 20)), bound, fastest, cheapest)
        found.append((layer, cycles, energy_pj))
    return found


@given(layers())
def test_no_schedules_are_below_it_and_it_is_above_that_of_cauchy_and_schwarz(
    network: list[tuple[LayerBound, float, float]],
) -> None:
    bound = network_bound("edp", [layer for layer, _, _ in network])
    cycles = math.fsum(layer.count * own for layer, own, _ in network)
    energy_pj = math.fsum(layer.count * own for layer, _, own in network)
    plain = math.fsum(layer.count * math.sqrt(layer.lower_bound or 0.0) for layer, _, _ in network) ** 2
    assert bound is not None
    assert plain * (1 - 1e-9) <= bound <= cycles * energy_pj * (1 + 1e-9)


UNLIKE = [
    (LayerBound(1, 71566743555854.81, 862376795.0, 1.0), 51897566030.35156, 1379.0),
    (LayerBound(1, 1.0, 1.0, 1.0), 1.0, 1.0),
    (LayerBound(3, 2120516116013.0, 1.0, 294802741.0), 1.0, 2120516116013.0),
]


@given(layers())
@example(UNLIKE)
def test_a_network_at_its_fastest_is_bounded_by_itself(network: list[tuple[LayerBound, float, float]]) -> None:
    """Where every layer is as fast and as frugal as any, nothing is given away."""
    tight = [LayerBound(layer.count, cycles * energy, cycles, energy) for layer, cycles, energy in network]
    cycles = math.fsum(layer.count * own for layer, own, _ in network)
    energy_pj = math.fsum(layer.count * own for layer, _, own in network)
    assert network_bound("edp", tight) == pytest.approx(cycles * energy_pj, rel=1e-6)


def test_two_layers_that_cannot_trade_cycles_for_energy() -> None:
    compute, memory = LayerBound(1, 100.0 * 10.0, 100.0, 1.0), LayerBound(1, 10.0 * 100.0, 10.0, 1.0)
    # 100 cycles at 10 pJ and 10 cycles at 100 pJ are the fastest; slower ones take less energy.
    bound = network_bound("edp", [compute, memory])
    assert bound is not None
    by_hand = min(
        (first + second) * (1000.0 / first + 1000.0 / second)
        for first in (100.0 * 1.01**step for step in range(230))
        for second in (10.0 * 1.01**step for step in range(460))
    )
    assert bound == pytest.approx(by_hand, rel=1e-3)
    assert bound <= by_hand


def test_sums_are_added_and_what_is_not_known_is_not_bounded() -> None:
    assert network_bound("latency", [LayerBound(2, 10.0), LayerBound(1, 5.0)]) == 25.0
    assert network_bound("energy", [LayerBound(2, 10.0), LayerBound(1, None)]) is None
    assert network_bound("cosa", [LayerBound(2, 10.0)]) is None
    assert network_bound("edp", [LayerBound(1, 4.0), LayerBound(1, 9.0)]) == pytest.approx(25.0)
