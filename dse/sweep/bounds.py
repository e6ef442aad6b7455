"""What no schedule of a layer on a variant can go below, in cycles and in pJ, at a hundredth of a schedule's price.

Cycles are bounded in closed form; energies by linear programs that variants with equal fan-outs share (dse.proof).
Every bound follows from the variant and the space alone, so that an interrupted sweep decides as one that ran through.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from dse.specification.problem import Problem, Shape
from dse.specification.space import Variant, VariantSpace
from dse.sweep.strategies.protocol import LayerCost

if TYPE_CHECKING:
    from dse.proof.relaxation import Relaxation
    from dse.proof.structure import Structure

__all__ = ["Bounds"]

_MOST_RELAXATIONS = 2000  # of some 30 kB
_MARGIN = 1.0 - 1e-9  # energies: figures that are equal may differ in the order in which they were added


class Bounds:
    """Bounds for the problems of a study on the variants of its space."""

    def __init__(self, space: VariantSpace, problems: Sequence[Problem]) -> None:
        self._space = replace(space, constraints=())
        self.problems = tuple(problems)
        self._samples = {problem.shape: problem for problem in reversed(self.problems)}
        self._relaxations: OrderedDict[tuple[int, int], Relaxation] = OrderedDict()
        self._anchor_values = [
            {name: values[min(int(share * len(values)), len(values) - 1)] for name, values in space.grid.values.items()}
            for share in (0.5, 0.0, 1.0)
        ]
        self._made = lru_cache(maxsize=256)(self._space.variant)

    def variant(self, number: int) -> Variant:
        """The variant of a combination, kept for a while. Raises ValueError where it is no architecture."""
        made = self._made(number)
        if not isinstance(made, Variant):
            raise ValueError(f"combination {number} is no variant")
        return made

    def cycles(self, variant: Variant) -> list[int]:
        """Per problem, what no schedule is faster than (some 10 µs each)."""
        from dse.proof.latency import least_cycles  # noqa: PLC0415  (the package takes seconds to load)

        architecture = variant.architecture
        return [least_cycles(architecture, own, variant.mapspaces[own.shape]) for own in self.problems]

    def layers(self, variant: Variant) -> list[LayerCost]:
        """Per problem, both bounds. Where a variant's fan-outs are new, a tenth of a second each, else below 1 ms."""
        anchors = self._anchors(variant)
        energies = [
            self._relaxation(index, variant, anchors).bound(variant.architecture) * _MARGIN
            for index in range(len(self.problems))
        ]
        return [LayerCost(cycles, energy) for cycles, energy in zip(self.cycles(variant), energies, strict=True)]

    def _relaxation(self, index: int, variant: Variant, anchors: Sequence[Variant]) -> Relaxation:
        from dse.proof.relaxation import Relaxation  # noqa: PLC0415  (seconds to load)

        key = (anchors[0].number, index)
        found = self._relaxations.pop(key, None)
        if found is None:
            problem = self.problems[index]
            structure = _structure(variant, problem)
            found = Relaxation(structure, [anchor.architecture for anchor in anchors])
        self._relaxations[key] = found
        if len(self._relaxations) > _MOST_RELAXATIONS:
            self._relaxations.popitem(last=False)
        return found

    def _anchors(self, variant: Variant) -> list[Variant]:
        """Variants that share the programs of this one, with middle, first and last values of all other parameters.

        Whether a parameter changes the programs is tried out, one after the other.
        """
        wanted = self._signature(variant)
        anchors: list[Variant] = []
        for values in self._anchor_values:
            anchor = variant
            for name, value in values.items():
                number = self._space.grid.number({**anchor.parameters, name: value})
                made = None if number is None else self._made(number)
                if isinstance(made, Variant) and self._signature(made) == wanted:
                    anchor = made
            if anchor not in anchors:
                anchors.append(anchor)
        return anchors

    def _signature(self, variant: Variant) -> dict[Shape, Structure]:
        """All that the structures of a variant's programs depend on, but the problem."""
        return {shape: _structure(variant, problem) for shape, problem in self._samples.items()}


def _structure(variant: Variant, problem: Problem) -> Structure:
    from dse.proof.structure import Structure  # noqa: PLC0415

    return Structure.of(variant.architecture, problem, variant.mapspaces[problem.shape], "energy")
