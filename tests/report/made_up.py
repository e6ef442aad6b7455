"""Studies whose schedules are made up in no time but look like real ones: levels, mappings, bounds, failures.

    python tests/report/made_up.py STUDY OUTPUT

runs one through the real driver and store. What it says of a point follows from the point alone.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dse.integers import prime_factors
from dse.model.breakdown import Breakdown, LevelShare
from dse.specification.architecture import Architecture
from dse.specification.problem import Problem
from dse.specification.study import load_study
from dse.sweep.driver import run_sweep
from dse.sweep.executors import Executor, TaskQueue
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import plan_study
from dse.sweep.progress import Progress
from dse.sweep.task import Result, Task

__all__ = ["made_up_schedule", "made_up_sweep"]

_FAILURES = 97  # one point in so many has no mapping
_GAP = 0.01
DRAM_PJ_PER_WORD = 64.0


def made_up_schedule(key: str, objective: str, architecture: Architecture, problem: Problem) -> Result:
    """A result with cycles that fall and energies that rise with the hardware, bound by DRAM now and then."""
    chance = random.Random(key)
    if int(key[:8], 16) % _FAILURES == 5:
        return Result(
            key,
            "infeasible",
            objective,
            "embedded",
            "HIGHS",
            error=f"nothing fits into {int(key[:4], 16)} <b>words</b>",
        )
    units = architecture.arithmetic.instances
    compute = -(-problem.macs // int(units * chance.uniform(0.4, 1.0) + 1))
    levels: list[LevelShare] = []
    for place, level in enumerate(architecture.storage):
        entries = (level.entries or 2**22) ** 0.5
        energy_pj = problem.macs * (0.02 * entries * chance.uniform(0.8, 1.2)) / (1 + place) ** 2
        cycles = compute
        if level.technology == "DRAM":
            words = problem.macs / chance.uniform(20, 200) * (1e5 / (1e5 + architecture.storage[-2].entries)) ** 0.2
            energy_pj, cycles = words * DRAM_PJ_PER_WORD, max(compute, int(words / 10))
        levels.append(LevelShare(level.name, cycles, energy_pj, 0.0))
    breakdown = Breakdown(compute, problem.macs * 0.25, tuple(levels))
    cycles = max(own.latency_cycles for own in levels)
    energy_pj = breakdown.arithmetic_energy_pj + sum(own.energy_pj for own in levels)
    value = {"latency": float(cycles), "energy": energy_pj, "edp": cycles * energy_pj}.get(objective, 1.5)
    gap = _GAP * chance.random()
    return Result(
        key, "gap_reached", objective, "embedded", "HIGHS", value=value, lower_bound=value / (1 + gap), gap=gap,
        cycles=cycles, energy_pj=energy_pj, utilization=problem.macs / (units * cycles), breakdown=breakdown.to_json(),
        mapping=_mapping(architecture, problem, chance), solve_seconds=0.1, total_seconds=0.1,
    )  # fmt: skip


def _mapping(architecture: Architecture, problem: Problem, chance: random.Random) -> str:
    """Directives with the prime factors of every dimension anywhere."""
    names, levels = problem.shape.dimensions, architecture.storage
    places = [(level, kind) for level in range(len(levels)) for kind in ("temporal", "spatial")]
    factors = {place: dict.fromkeys(names, 1) for place in places}
    for name, bound in zip(names, problem.bounds, strict=True):
        for prime, exponent in prime_factors(bound):
            for _ in range(exponent):
                factors[chance.choice(places)][name] *= prime
    directives = [
        {
            "target": levels[level].name,
            "type": kind,
            "factors": " ".join(f"{name}={factor}" for name, factor in factors[level, kind].items()),
            "permutation": "".join(chance.sample(names, len(names))),
            **({"split": 3} if kind == "spatial" else {}),
        }
        for level, kind in places
    ]
    spaces = [space.name for space in problem.shape.data_spaces]
    bypasses = [{"target": level.name, "type": "bypass", "keep": spaces, "bypass": []} for level in levels]
    return json.dumps([*directives, *bypasses], separators=(",", ":"))


class _MadeUpExecutor(TaskQueue):
    workers = 1
    window = 8

    def next_results(self) -> list[Result]:
        task: Task = self._waiting.pop(0)
        return [
            made_up_schedule(key, task.objective, architecture, task.problem) for key, architecture, _ in task.points
        ]


@contextmanager
def _executor() -> Iterator[Executor]:
    yield _MadeUpExecutor()


def made_up_sweep(study: Path, output: Path) -> StudyFolder:
    """Run a study into a folder."""
    folder = StudyFolder(output)
    run_sweep(plan_study(load_study(study)), folder, _executor, Progress(quiet=True))
    return folder


if __name__ == "__main__":
    made_up_sweep(Path(sys.argv[1]), Path(sys.argv[2]))
