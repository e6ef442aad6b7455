"""Random search, hybrid search, CoSA's objective and proven schedules on the same layers, and the results on disk.

What CoSA's evaluation compares (Huang et al., ISCA 2021, section V), with the proven optimum beside it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from dse.errors import Fault, InputError
from dse.scheduler import ScheduleOptions, Scheduler
from dse.search.baselines import hybrid_search, random_search
from dse.specification.architecture import Architecture
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

__all__ = ["METHODS", "TARGETS", "Effort", "Job", "Outcome", "OutcomeFile", "jobs_for", "problem_name", "run_job"]

TARGETS = ("latency", "energy", "edp")
"""The figures that methods are compared by. All but `cosa` minimise the one that they are compared by."""

METHODS = ("random", "hybrid", "cosa", "proven")


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard methods try.

    `gap` (a ratio) and `time_limit_seconds` (by the clock) are a proof's; `valid_mappings` is random search's,
    `searchers` and `patience` are hybrid search's. The defaults of the searches are those of CoSA's evaluation.
    """

    gap: float = 0.01
    time_limit_seconds: float = 60.0
    seed: int = 0
    valid_mappings: int = 5
    searchers: int = 32
    patience: int = 500


@dataclass(frozen=True, slots=True)
class Job:
    """One method on one layer. `target` is what it minimises: one of TARGETS, or `cosa`."""

    problem: Problem
    method: str
    target: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What an Outcome is found by."""
        return problem_name(self.problem), self.method, self.target


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a job gave. Figures are None without a mapping; `lower_bound` (of the target) without a proof.

    `cpu_seconds` includes the compilation of programs. `samples` and `evaluations` as in SearchResult; None where a
    solver decides, which counts neither.
    """

    problem: str
    method: str
    target: str
    termination: str
    latency_cycles: int | None
    energy_pj: float | None
    lower_bound: float | None
    cpu_seconds: float
    samples: int | None = None
    evaluations: int | None = None

    @property
    def key(self) -> tuple[str, str, str]:
        return self.problem, self.method, self.target

    def figure(self, target: str) -> float | None:
        """Latency in cycles, energy in pJ or EDP in pJ × cycles of the mapping."""
        if self.latency_cycles is None or self.energy_pj is None:
            return None
        latency, energy = float(self.latency_cycles), self.energy_pj
        return {"latency": latency, "energy": energy, "edp": latency * energy}[target]


def problem_name(problem: Problem) -> str:
    """`cnn-layer R=3 S=3 P=56 ...`: what distinguishes problems, coefficients of 1 left out."""
    bounds = zip(problem.shape.dimensions, problem.bounds, strict=True)
    coefficients = zip(problem.shape.coefficients, problem.coefficients, strict=True)
    parts = [f"{name}={value}" for name, value in bounds]
    return " ".join([problem.shape.name, *parts, *(f"{name}={value}" for name, value in coefficients if value != 1)])


def jobs_for(problems: Iterable[Problem]) -> list[Job]:
    """Every method on every distinct problem: once for each target, `cosa` once."""
    return [
        Job(problem, method, target)
        for problem in dict.fromkeys(problems)
        for method in METHODS
        for target in (("cosa",) if method == "cosa" else TARGETS)
    ]


def run_job(job: Job, architecture: Architecture, mapspace: Mapspace, effort: Effort) -> Outcome:
    """Run one method on one layer, from scratch."""
    start = time.process_time()
    layer = architecture, job.problem, mapspace
    if job.method in ("random", "hybrid"):
        found = (
            random_search(*layer, job.target, effort.valid_mappings, seed=effort.seed)
            if job.method == "random"
            else hybrid_search(*layer, job.target, effort.searchers, effort.patience, seed=effort.seed)
        )
        bound, mapped = None, found.evaluation
        termination, samples, evaluations = "ended", found.samples, found.evaluations
    else:
        options = ScheduleOptions(objective=job.target, gap=effort.gap, time_limit_seconds=effort.time_limit_seconds)
        schedule = Scheduler(options).schedule(*layer)
        bound, mapped = schedule.lower_bound if job.method == "proven" else None, schedule.evaluation
        termination, samples, evaluations = schedule.termination, None, None
    return Outcome(
        *job.key,
        termination,
        None if mapped is None else mapped.latency_cycles,
        None if mapped is None else mapped.energy_pj,
        bound,
        round(time.process_time() - start, 4),
        samples,
        evaluations,
    )


class OutcomeFile:
    """Outcomes as JSON lines under a line with the conditions that they hold for; what was written last may be torn."""

    def __init__(self, path: Path, conditions: Mapping[str, Any]) -> None:
        """Read what is there, or begin. Raises InputError where other conditions or no outcomes stand in the file."""
        self.path = path
        self.outcomes: dict[tuple[str, str, str], Outcome] = {}
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            text = path.read_text(encoding="utf-8") if path.exists() else ""
            whole = text[: text.rfind("\n") + 1]
            if whole:
                self._read(whole.splitlines(), conditions)
            path.write_text(whole or json.dumps({"conditions": conditions}) + "\n", encoding="utf-8")
        except OSError as error:
            raise InputError(Fault(f"cannot be used: {error.strerror}", file=str(path))) from error

    def _read(self, lines: Sequence[str], conditions: Mapping[str, Any]) -> None:
        found: Any = None
        for number, line in enumerate(lines, 1):
            try:
                data = json.loads(line)
                if number == 1:
                    found = data["conditions"]
                    continue
                outcome = Outcome(**data)
            except (ValueError, TypeError, KeyError) as error:
                raise InputError(Fault("expected an outcome of this comparison", "", str(self.path), number)) from error
            self.outcomes[outcome.key] = outcome
        if found != json.loads(json.dumps(conditions)):
            raise InputError(Fault(f"holds results for {found}, not for {conditions}", "", str(self.path), 1))

    def add(self, outcome: Outcome) -> None:
        """Write an outcome at once, so that an interrupted comparison goes on behind it."""
        self.outcomes[outcome.key] = outcome
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(outcome)) + "\n")
