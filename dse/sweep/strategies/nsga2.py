"""NSGA-II over the values of the parameters, by Optuna.

K. Deb et al., A fast and elitist multiobjective genetic algorithm: NSGA-II, IEEE Transactions on Evolutionary
Computation 6, 2002.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dse.specification.space import ParameterGrid
from dse.sweep.strategies.protocol import VariantOutcome

if TYPE_CHECKING:
    import optuna

__all__ = ["Nsga2"]

_POPULATION = 32
_MOST_IDLE = 10  # generations without a combination that is new: the search is over


class Nsga2:
    """A generation is a wave. Costs are those of all networks together; of a pruned variant those of its bounds.

    A combination that comes up again costs nothing: its figures are known.
    """

    def __init__(
        self,
        grid: ParameterGrid,
        seed: int,
        costs: Callable[[VariantOutcome], tuple[float, ...]],
        objectives: int = 2,
    ) -> None:
        """`costs` gives as many as there are `objectives`, or none."""
        import optuna  # noqa: PLC0415  (a second to load)

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self.planned = grid.size
        self._grid = grid
        self._costs = costs
        sampler = optuna.samplers.NSGAIISampler(population_size=_POPULATION, seed=seed)
        self._study = optuna.create_study(directions=["minimize"] * objectives, sampler=sampler)
        self._ranges: dict[str, optuna.distributions.BaseDistribution] = {
            name: optuna.distributions.IntDistribution(0, len(values) - 1) for name, values in grid.values.items()
        }
        self._failed = optuna.trial.TrialState.FAIL
        self._generation: list[tuple[optuna.Trial, int]] = []
        self._known: dict[int, tuple[float, ...] | None] = {}

    def ask(self) -> Sequence[int]:
        for _ in range(_MOST_IDLE):
            self._generation = [self._drawn() for _ in range(_POPULATION)]
            wave = [number for number in dict.fromkeys(own for _, own in self._generation) if number not in self._known]
            if wave:
                return wave
            self._close()
        return []

    def tell(self, outcomes: Sequence[VariantOutcome]) -> None:
        """Give the generation its figures; what has none counts as failed."""
        for outcome in outcomes:
            self._known[outcome.number] = self._costs(outcome) or None
        self._close()

    def _drawn(self) -> tuple[optuna.Trial, int]:
        trial = self._study.ask(self._ranges)
        number = 0
        for name, values in self._grid.values.items():
            number = number * len(values) + trial.params[name]
        return trial, number

    def _close(self) -> None:
        for trial, number in self._generation:
            figures = self._known.get(number)
            if figures is None:
                self._study.tell(trial, state=self._failed)
            else:
                self._study.tell(trial, list(figures))
        self._generation = []
