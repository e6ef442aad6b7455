"""`timeloop-model` as an evaluator: the same questions and answers as the embedded one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

from dse.errors import InputError, ToolError
from dse.model.result import Evaluation
from dse.specification.architecture import Architecture, parse_architecture
from dse.specification.document import Document
from dse.specification.mapping import Mapping, parse_mapping
from dse.specification.problem import Problem, parse_problem
from dse.timeloop.files import write_inputs
from dse.timeloop.locate import find_timeloop
from dse.timeloop.outputs import read_outputs
from dse.timeloop.process import InvalidMapping, TimeloopError, judge, run_model

__all__ = ["DEFAULT_SECONDS", "TimeloopEvaluator"]

DEFAULT_SECONDS = 60.0

Point = tuple[Architecture, Problem, Mapping]

_PROBE: dict[str, Any] = {
    "arch": {
        "arithmetic": {"instances": 1},
        "storage": [
            {"name": "Buffer", "instances": 1, "entries": 64},
            {"name": "Memory", "instances": 1, "technology": "DRAM"},
        ],
    },
    "problem": {
        "shape": {
            "name": "matrix-vector",
            "dimensions": ["M", "K"],
            "data-spaces": [
                {"name": "Matrix", "projection": [[["M"]], [["K"]]]},
                {"name": "Vector", "projection": [[["K"]]]},
                {"name": "Result", "projection": [[["M"]]], "read-write": True},
            ],
        },
        "M": 2,
        "K": 4,
    },
    "mapping": [
        {"target": "Buffer", "type": "temporal", "factors": "K=2", "permutation": "MK"},
        {"target": "Memory", "type": "temporal", "factors": "M=2 K=2", "permutation": "MK"},
    ],
}
"""Two partial sums visit the buffer twice each: four fills, of which the first two bring nothing but zeros."""

_VERSION_OF_FILLS = {4: "019f107", 2: "4cf6d4c"}
"""019f107 counts every fill of a partial sum, the later master 4cf6d4c leaves the first ones out
(src/loop-analysis/tiling.cpp: `ComputeReadUpdateReductionAccesses_Legacy`)."""


class TimeloopEvaluator:
    """Runs `timeloop-model`, each call in a folder of its own.

    `path`: the program or its folder (None: TIMELOOP_DIR, then PATH). `seconds`: time limit of a call. With
    `keep_failures` the folder of a failed call stays and the error names it. `version` is the one whose counts the
    program follows, recognised by behaviour since it has no way to tell: 019f107, 4cf6d4c or unknown.

    Raises ToolError where the program is missing or does not run.
    """

    def __init__(
        self, path: str | Path | None = None, seconds: float = DEFAULT_SECONDS, keep_failures: bool = False
    ) -> None:
        self.executable = find_timeloop(path)
        self.seconds = seconds
        self.keep_failures = keep_failures
        status = self.executable.stat()
        self.version = _recognised_version(self.executable, status.st_mtime_ns, status.st_size, seconds)

    @property
    def name(self) -> str:
        """What is recorded with every result."""
        return f"timeloop {self.version}"

    def evaluate(self, architecture: Architecture, problem: Problem, mapping: Mapping) -> Evaluation:
        """Cost of one mapping, or why it does not fit.

        Raises InputError where Timeloop refuses the input, TimeloopError where it crashes or exceeds the time limit.
        """
        return _evaluate_in_folder(
            self.executable, (architecture, problem, mapping), self.seconds, self.name, self.keep_failures
        )

    def evaluate_many(
        self, points: Iterable[Point], processes: int | None = None
    ) -> Iterator[Evaluation | InputError | TimeloopError]:
        """The outcomes of many points in their order, `processes` at a time (default: one for each core).

        A failure that concerns one point is its outcome; one that concerns the installation is raised (ToolError).
        """
        executor = ThreadPoolExecutor(processes or os.cpu_count() or 1, "timeloop")
        try:
            yield from executor.map(self._outcome, points)
        finally:
            executor.shutdown(cancel_futures=True)

    def _outcome(self, point: Point) -> Evaluation | InputError | TimeloopError:
        try:
            return self.evaluate(*point)
        except (InputError, TimeloopError) as error:
            return error


def _evaluate_in_folder(executable: Path, point: Point, seconds: float, name: str, keep_failure: bool) -> Evaluation:
    folder = Path(tempfile.mkdtemp(prefix="dse-timeloop-"))
    keep = False
    try:
        outcome = judge(run_model(executable, folder, write_inputs(folder, *point), seconds))
        if isinstance(outcome, InvalidMapping):
            return Evaluation(error=outcome.reason, evaluator=name)
        return read_outputs(outcome, point[0], point[1], name)
    except (InputError, ToolError) as error:
        if not keep_failure:
            raise
        keep = True
        raise type(error)(f"{error}\nthe files of this call are kept in {folder}") from error
    finally:
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def probe_point() -> Point:
    """The mapping by which versions are told apart."""
    document = Document(_PROBE)
    architecture = parse_architecture(document, _PROBE["arch"])
    problem = parse_problem(document, _PROBE["problem"])
    return architecture, problem, parse_mapping(document, _PROBE["mapping"], architecture, problem)


@lru_cache(maxsize=16)
def _recognised_version(executable: Path, modified_ns: int, size_bytes: int, seconds: float) -> str:
    """The version whose counts the program follows; time and size of the file make a new build a new question."""
    try:
        answer = _evaluate_in_folder(executable, probe_point(), seconds, "", False)
    except InputError as error:
        raise TimeloopError(f"{executable} does not accept Timeloop's v0.1 format: {error}") from error
    if not answer.valid:
        raise TimeloopError(f"{executable} refuses a mapping that fits: {answer.error}")
    return _VERSION_OF_FILLS.get(answer.levels[0].data_spaces["Result"].fills, "unknown")
