"""By how much a tile can move along an axis of two terms, over all ways to cut what is left of the terms into loops.

When loop j advances, Timeloop moves the tile by step_j − Σ step_i over the loops inside it (dse.model.temporal: their
indices return from 1 to 0). In units of a term's tile, the steps of its loops are divisors of what is left of its
bound; a factor that is no temporal loop (spatial, further out) leaves a gap between them. A loop that moves no tile
along the axis takes it back, by the sum of the steps inside it.
"""

from __future__ import annotations

from functools import lru_cache

from dse.integers import divisors

__all__ = ["chains", "displacements", "resting_share"]

Pair = tuple[int, int]
_MOST = 200_000  # combinations that are looked at; beyond, every multiple of the unit is taken as possible


@lru_cache(maxsize=4096)
def _returns(left: int, *, begun: bool = False) -> dict[int, dict[int, int]]:
    """Per step, and per sum of the steps of the loops inside it, the least product of those loops' bounds.

    `begun`: the first of them has the step 1.
    """
    inside: dict[int, dict[int, int]] = {step: {} for step in divisors(left)}
    inside[1][0] = 1
    for step in divisors(left):
        for bound in divisors(left // step)[1:]:
            further = inside[step * bound]
            for back, iterations in inside[step].items():
                if step > 1 or not begun:
                    further[back] = min(iterations, further.get(back, iterations))
                longer = back + step
                further[longer] = min(iterations * bound, further.get(longer, iterations * bound))
    return inside


@lru_cache(maxsize=65536)
def displacements(left: Pair, units: Pair, *, later: bool = False) -> frozenset[int] | None:
    """All moves along an axis, up to their sign; None: any multiple of the units' greatest common divisor.

    `later`: those of loops with a loop of the axis inside them.
    """
    inside = [_returns(own) for own in left]
    everything = [{back for backs in own.values() for back in backs} for own in inside]
    if len(everything[0]) * len(everything[1]) > _MOST:
        return None
    result = {units[0] * back + units[1] * across for back in everything[0] for across in everything[1]} - {0}
    for own, other in ((0, 1), (1, 0)):
        onward = [(step, back) for step, backs in inside[own].items() if step < left[own] for back in backs]
        if len(onward) * len(everything[other]) > _MOST:
            return None
        result.update(
            abs(units[own] * (step - back) - units[other] * across)
            for step, back in onward
            for across in everything[other]
            if back or across or not later
        )
    return frozenset(result)


@lru_cache(maxsize=65536)
def resting_share(left: Pair, units: Pair, first: int) -> float:
    """The largest share of moves that bring a tile back to where it stood; 0: no loops compensate each other.

    A loop that does so advances once in as many moves as the loops inside it have iterations. The innermost loop that
    moves the tile is one of term `first`.
    """
    if 1 in left:
        return 0.0
    inside = [_returns(own) for own in left]
    iterations: list[int] = []
    for own in (0, 1):
        other = 1 - own
        across: dict[int, int] = {}  # sums of steps of the other term, in words, and the least product of bounds
        for backs in inside[other].values():
            for back, product in backs.items():
                if back:
                    across[units[other] * back] = min(product, across.get(units[other] * back, product))
        for step, backs in inside[own].items():
            for back, product in backs.items() if step < left[own] else ():
                opposite = across.get(units[own] * (step - back))
                if opposite is not None and (first == other or product > 1):
                    iterations.append(product * opposite)
    return 1.0 / min(iterations) if iterations else 0.0


@lru_cache(maxsize=65536)
def chains(left: Pair, units: Pair, own: int) -> bool:
    """Whether a loop can go on as loop 1 does, with loops of both terms at it or inside it.

    Loop 1, of term `own`, advances by `units[own]` and stands inside all others.
    """
    if 1 in left:
        return False
    step, beside = units[own], units[1 - own]
    mine, others = _returns(left[own], begun=True), _returns(left[1 - own])
    spans = _above_zero(mine)
    ahead = {beside * (at - back) for at, backs in others.items() if at < left[1 - own] for back in backs}
    onward = {step * (at - back) for at, backs in mine.items() if 1 < at < left[own] for back in backs}
    if len(ahead) * len(spans) > _MOST:
        return True
    return any(move - step * span == step for move in ahead for span in spans) or any(
        move - beside * span == step for move in onward for span in _above_zero(others)
    )


def _above_zero(returns: dict[int, dict[int, int]]) -> set[int]:
    return {back for backs in returns.values() for back in backs if back}
