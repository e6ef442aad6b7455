"""At equal budgets, what is proven of two studies holds for the best mappings of all their variants."""

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from dse.report.iso import compare_iso
from dse.report.totals import Total
from dse.specification.template import Number
from dse.sweep.reading import VariantName

COSTS = st.tuples(st.integers(1, 40), st.integers(1, 40))


@dataclass(frozen=True)
class Drawn:
    """A variant: its area, and the cycles and pJ of all its mappings; the first one is what was found."""

    area: int
    mappings: Sequence[tuple[int, int]]

    def total(self, number: int, objective: str) -> Total:
        cycles, energy_pj = self.mappings[0]
        values = {"latency": [c for c, _ in self.mappings], "energy": [e for _, e in self.mappings]}
        values["edp"] = [c * e for c, e in self.mappings]
        bound = float(min(values[objective])) if objective in values else None
        parameters: dict[str, Number] = {}
        name = VariantName(number, f"v{number}", parameters)
        return Total(name, "net", 1, cycles, float(energy_pj), float(self.area), (), lower_bound=bound)


VARIANTS = st.lists(
    st.builds(Drawn, st.integers(1, 6), st.lists(COSTS, min_size=1, max_size=4)), min_size=1, max_size=4
)


def best(variants: Sequence[Drawn], at_equal: str, budget: float) -> float | None:
    """The least that any mapping of any variant reaches within the budget."""
    everything = [(own.area, cycles, energy) for own in variants for cycles, energy in own.mappings]
    match at_equal:
        case "area":
            reached = [cycles * energy for area, cycles, energy in everything if area <= budget]
        case "energy":
            reached = [cycles for _, cycles, energy in everything if energy <= budget]
        case _:
            reached = [energy for _, cycles, energy in everything if cycles <= budget]
    return min(reached, default=None)


@given(VARIANTS, VARIANTS, st.sampled_from(["latency", "energy", "edp", "cosa"]), st.sampled_from(["edp", "cosa"]))
def test_verdicts_hold_for_the_best_mappings(
    first: list[Drawn], second: list[Drawn], objective: str, its_objective: str
) -> None:
    sides = {"A": (first, objective), "B": (second, its_objective)}
    totals = {
        name: [variant.total(number, own) for number, variant in enumerate(variants)]
        for name, (variants, own) in sides.items()
    }
    for comparison in compare_iso(("A", totals["A"], objective), ("B", totals["B"], its_objective)):
        assert comparison.points or comparison.reason is None
        for point in comparison.points:
            found = point.verdict
            optimum = {name: best(sides[name][0], comparison.at_equal, point.budget) for name in sides}
            less, more = optimum[found.better], optimum[found.worse]
            assert less is not None
            assert more is not None
            saving = 1.0 - less / more
            assert found.proven is None or saving >= found.proven - 1e-12
            assert found.at_most is None or saving <= found.at_most + 1e-12
            if found.proven is not None and found.proven >= 0:
                assert less <= more
