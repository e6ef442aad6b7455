"""What the driver and a strategy, and the driver and what prunes, say to each other.

The driver asks for a wave of variants, runs it to the end, and tells what came of each. What is asked next depends on
earlier waves alone, never on which worker was the fastest: the same study asks the same variants in the same order
however often it was interrupted, for the driver tells stored outcomes as it tells new ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from dse.specification.space import Variant

__all__ = ["LayerCost", "NetworkCost", "Pruner", "Pruning", "Strategy", "VariantOutcome"]


@dataclass(frozen=True, slots=True)
class LayerCost:
    """Latency and energy of one layer, or the least that they can be."""

    latency_cycles: int
    energy_pj: float


@dataclass(frozen=True, slots=True)
class NetworkCost:
    """Latency and energy of one network, layers as often as they occur."""

    latency_cycles: int
    energy_pj: float


@dataclass(frozen=True, slots=True)
class Pruning:
    """Why a variant was not scheduled, or not to the end.

    No schedules bring any network below `bounds`, in the order of the plan's networks. `beaten_by` is the number of a
    complete variant that is better than anything above them; without one, `reason` says what budget they exceed, and
    bounds are given as far as that needed them.
    """

    bounds: tuple[NetworkCost, ...]
    beaten_by: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class VariantOutcome:
    """What came of a variant that a strategy asked for.

    complete: every layer has a mapping; `networks` holds the costs in the order of the plan's networks, and `problems`
    those of its problems, else nothing. `mac_units` and `area_um2` are the variant's, as far as they are known.
    incomplete: a layer has no mapping, or failed. pruned: `pruning` says why it was not scheduled.
    refused: no valid architecture. excluded: a constraint leaves the combination out.
    `costs` are those of the study's objectives for all networks together, less is better; nothing where there are none,
    or where they exceed a budget.
    """

    number: int
    status: Literal["complete", "incomplete", "pruned", "refused", "excluded"]
    networks: tuple[NetworkCost, ...] = ()
    pruning: Pruning | None = None
    problems: tuple[LayerCost, ...] = ()
    costs: tuple[float, ...] = ()
    mac_units: int | None = None
    area_um2: float | None = None


class Strategy(Protocol):
    """Says which variants come next."""

    @property
    def planned(self) -> int:
        """Variants that it will ask for in all, as far as is known: for the progress alone."""
        ...

    def ask(self) -> Sequence[int]:
        """Numbers of the next wave, without repetition; none: the search is over."""
        ...

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        """What came of the wave, in the order in which it was asked."""
        ...


class Pruner(Protocol):
    """Says which variants of a wave cannot enter the front, from the outcomes of earlier waves."""

    def prune(self, variants: Sequence[Variant]) -> Mapping[int, Pruning]:
        """The variants of the wave to leave out, by number, of those that lack a result."""
        ...

    def steps(self, variants: int) -> Sequence[Sequence[int]]:
        """The indices of all problems, in the steps in which a wave that asked for so many variants schedules them."""
        ...

    def abandon(self, known: Mapping[int, Mapping[int, LayerCost]]) -> Mapping[int, Pruning]:
        """After a step, the variants to go no further with; by number, what each problem costs as far as is known."""
        ...

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        """What came of the wave, those left out included."""
        ...
