"""How a study looks through its variants.

search:
  strategy: grid                         # grid (all), random, bound_guided or nsga2
  seed: 0                                # of random, bound_guided and nsga2
  budget: {points: 500, seconds: 3600}   # variants looked at, and time of one run; each without a limit where absent
  prune: true                            # leave out what proofs keep off the front
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dse.specification.fields import Section

__all__ = ["STRATEGIES", "SearchSettings", "read_search"]

STRATEGIES = ("grid", "random", "bound_guided", "nsga2")


@dataclass(frozen=True, slots=True)
class SearchSettings:
    """`points` and `seconds` are the budget; None: no limit."""

    strategy: str = "grid"
    seed: int = 0
    points: int | None = None
    seconds: float | None = None
    prune: bool = True

    def to_dict(self) -> dict[str, Any]:
        """Plain data, in the form of the study file."""
        limits = {"points": self.points, "seconds": self.seconds}
        budget = {name: limit for name, limit in limits.items() if limit is not None}
        return {"strategy": self.strategy, "seed": self.seed, "budget": budget, "prune": self.prune}


def read_search(section: Section) -> SearchSettings:
    """The settings in the section `search:` of a study, which may be absent."""
    strategy = section.text("strategy", "grid", choices=STRATEGIES)
    seed = section.integer("seed", default=0, minimum=0)
    budget = section.section("budget", required=False)
    points = budget.integer("points", default=None)
    seconds = budget.number("seconds", default=None, above=0.0)
    budget.finish()
    prune = section.boolean("prune", default=True)
    section.finish()
    return SearchSettings(strategy, seed, points, seconds, prune)
