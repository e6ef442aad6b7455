"""Words that cross the networks, and how many hops they take at least.

Timeloop (dse.model.cost, network-legacy.cpp) charges a word that goes to m of n = s·m children with

    √n·√m + (√n − √m)/2 − √n/√m + 1/2  =  √s·(m − 1/2) + (√m − 1)·(√s − 1)/2   hops,

both terms products of concave functions of log2 m and log2 s. Where neighbours hand words on, r of the m children are
still sent theirs, for r − 1/2 hops or more, and the others draw it over a hop each: m − 1/2 in all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from dse.proof.forms import ZERO, Form, total
from dse.proof.links import Saving
from dse.proof.traffic import Traffic

__all__ = ["Crossing", "network_charges"]

_NOTHING = -60.0  # log2 of a number of hops that counts as none


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
        for space in range(len(structure.spaces)):
            if level <= structure.kept_levels[space][-1]:
                yield from _charges(traffic, space, level)


def _charges(traffic: Traffic, space: int, level: int) -> Iterator[Crossing]:
    structure, assembly = traffic.structure, traffic.assembly
    own = structure.spaces[space]
    if own.read_write and own.windows and not structure.reducing[level]:
        return  # of every record of equal multicast a whole partition is taken off what returns
    child, words = traffic.crossing(space, level)
    saved = traffic.savings.get((space, child), [])
    direct = level == child + 1
    if not direct:
        words = words - total(saving.log_words for saving in saved)
    helped = _helped(traffic, saved, level) if direct else ZERO
    if own.read_write and not structure.reducing[level] and structure.keep[level][space]:
        # What the parent cannot add up returns to the children, except for the first visit.
        returns = traffic.returns.get((space, level), ZERO)
        if not returns.vanishes:
            back = assembly.real(0.0, 1.0)
            assembly.below(returns - helped - back)
            words = words + back
    yield Crossing(f"router {level}", words)
    for hops in _hops(traffic, space, level, helped, direct=direct):
        yield Crossing(f"hop {level}", words + hops)


def _helped(traffic: Traffic, saved: list[Saving], level: int) -> Form:
    """A form that is 1 if and only if neighbours may save anything."""
    if not saved:
        return ZERO
    helped = traffic.assembly.whole()
    top = 2.0 * math.log2(traffic.structure.fans[level]) + 1.0 + math.log2(traffic.structure.problem.macs)
    for saving in saved:
        traffic.assembly.below(saving.log_words - helped * top)
    traffic.assembly.below(helped - total(saving.log_words * (1.0 / saving.least) for saving in saved))
    return helped


def _hops(traffic: Traffic, space: int, level: int, helped: Form, *, direct: bool) -> list[Form]:
    """log2 of the two parts of the hops of a word, at least."""
    structure, decisions, assembly = traffic.structure, traffic.decisions, traffic.assembly
    here = range(level, level + 1)
    fanout = math.log2(structure.fans[level])
    if not fanout:
        return [ZERO - 1.0]
    if direct:
        multicast, least, loss = traffic.sharing.multicast(space, level)
    else:
        multicast, least, loss = decisions.sum_spatial(sorted(structure.idle(space)), here), 1.0, ZERO
    scattered = decisions.sum_spatial(range(len(structure.groups)), here) - multicast  # log2 s
    spread = scattered * 0.5
    if not helped.vanishes:
        spread = assembly.real(0.0, fanout)
        assembly.below(scattered * 0.5 - helped * (0.5 * fanout) - spread)
    split = not direct and bool(structure.spaces[space].windows)  # links may leave a part of each set of equal tiles
    functions = (_split_sets, _split_root) if split else (_sets, _root_less_one)
    sets, shared = decisions.chords(multicast, fanout, functions, least)
    (beyond,) = decisions.chords(scattered, fanout, (_root_less_one,))
    return [spread + sets + loss, beyond + shared + loss - 1.0 - helped * -_NOTHING]


def _sets(log_multicast: float) -> float:
    return math.log2(2.0**log_multicast - 0.5)


def _split_sets(log_multicast: float) -> float:
    return min(_sets(log_multicast), 1.5 * log_multicast - 1.0)  # all alone: m · √n / 2 = √s · m√m / 2


def _split_root(log_multicast: float) -> float:
    return _root_less_one(log_multicast) if log_multicast >= 2.0 else _NOTHING


def _root_less_one(log_number: float) -> float:
    return math.log2(2.0 ** (0.5 * log_number) - 1.0) if log_number > 0 else _NOTHING
