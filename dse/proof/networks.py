"""Words that cross the networks, and how many hops they take at least.

Timeloop (dse.model.cost, network-legacy.cpp) charges a word that goes to m of n children with
√n·√m + (√n − √m)/2 − √n/√m + 1/2 hops. With n = s·m this is √s·(m + √m/2 − 1) − √m/2 + 1/2 ≥ √s·(m − 1/2): linear in
log2 s, and concave in log2 m.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from dse.proof.forms import ZERO, Form
from dse.proof.traffic import Traffic

__all__ = ["Crossing", "network_charges"]


@dataclass(frozen=True, slots=True, eq=False)
class Crossing:
    """2^words hops (or words, through one router each) on the network below a level, at the price of that name."""

    price: str
    words: Form


def network_charges(traffic: Traffic) -> Iterator[Crossing]:
    """All charges of the networks that cost energy."""
    structure = traffic.structure
    for level in range(structure.levels):
        if not structure.networked[level]:
            continue
        for space, own in enumerate(structure.spaces):
            if level > structure.kept_levels[space][-1]:
                continue
            words = traffic.crossing(space, level)
            if own.read_write and not structure.reducing[level]:
                # What the parent cannot add up returns to the children, except for the first visit.
                kept = structure.keep[level][space]
                words = words + (traffic.returns.get((space, level), ZERO) if kept else ZERO)
            yield Crossing(f"router {level}", words)
            yield Crossing(f"hop {level}", words + _hops(traffic, space, level))


def _hops(traffic: Traffic, space: int, level: int) -> Form:
    """log2 of the hops that a word takes at least: a unicast's, and what multicast adds unless neighbours help.

    Where neighbours hand on words, what is left of a set of equal tiles may be a single child.
    """
    structure, decisions, assembly = traffic.structure, traffic.decisions, traffic.assembly
    idle = sorted(structure.idle(space))
    moving = sorted(structure.spaces[space].relevant)
    here = range(level, level + 1)
    if structure.fans[level] == 1:
        return ZERO - 1.0
    spread = decisions.sum_spatial(idle, here)
    unicast = (decisions.sum_spatial(moving, here) + spread) * 0.5 - 1.0
    top = min(math.log2(structure.fans[level]), decisions.log_bound(idle))
    if not top:
        return unicast
    (excess,) = decisions.chords(spread, top, (lambda x: math.log2(2.0**x - 0.5) - 0.5 * x + 1.0,))
    if level and not structure.spaces[space].windows:
        return unicast + excess
    most = math.log2(2.0**top - 0.5) - 0.5 * top + 1.0
    added = assembly.real(0.0, most)
    helped = traffic.sharing.neighbours(level, [*idle, *moving])
    assembly.below(excess - helped * most - added)
    return unicast + added
