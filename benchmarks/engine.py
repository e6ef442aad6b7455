"""What a sweep costs beside its schedules: the real driver, store and report on points that take no time.

    .venv/bin/python benchmarks/engine.py VARIANTS PROBLEMS [POINTS]

runs a study of so many variants × problems, or the first POINTS of it, and prints one JSON object. `run.py` starts this
in processes of its own, so that peaks of memory are its own.

    .venv/bin/python benchmarks/engine.py workers COUNT

prints the schedules a second of so many workers whose points wait for a tenth of a second: what keeps the workers from
their work shows, and what else the machine is doing does not.
"""

from __future__ import annotations

import itertools
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from dse.model.breakdown import Breakdown, LevelShare
from dse.specification.document import parse_document
from dse.specification.study import parse_study
from dse.sweep.driver import run_sweep
from dse.sweep.executors import Executor, TaskQueue, ray_executor, serial_executor
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import plan_study
from dse.sweep.progress import Progress
from dse.sweep.task import Result, Task

MAPPING = json.dumps([{"target": f"Level{level}", "type": "temporal", "factors": "R1 S1 P1 Q1"} for level in range(20)])
BREAKDOWN = Breakdown(1, 0.5, tuple(LevelShare(f"Level{level}", 1, 1 / 3, 1 / 7) for level in range(6))).to_json()
"""As long as those of a layer on Simba: 1,500 characters and 300."""

SECONDS_A_POINT = 0.1


class TrivialExecutor(TaskQueue):
    """Answers at once, with rows as long as real ones."""

    workers = 2
    window = 8

    def next_results(self) -> list[Result]:
        task = self._waiting.pop(0)
        return [
            Result(key, "optimal", "cosa", "embedded", "SCIP", 1.5, cycles=int(key[:6], 16) + 1, energy_pj=2.5,
                   utilization=0.5, breakdown=BREAKDOWN, mapping=MAPPING, solve_seconds=0.001, total_seconds=0.001)
            for key, _, _ in task.points
        ]  # fmt: skip


@contextmanager
def trivial_executor() -> Iterator[Executor]:
    """An executor whose points take no time."""
    yield TrivialExecutor()


def write_study(folder: Path, variants: int, problems: int, points: int | None = None) -> str:
    """The text of a study of Simba with so many variants, on a network of so many small layers; `points` ends it."""
    bounds = {"R": 1, "S": 1, "P": 1, "Q": 1, "C": 8, "N": 1}
    layers = [{"name": f"l{k}", "problem": bounds | {"K": k + 1}} for k in range(problems)]
    (folder / "net.yaml").write_text(json.dumps({"network": {"name": "net", "layers": layers}}))
    first = variants if variants <= 10_000 else 1000
    values = {
        "global_buffer_kib": {"range": [1, first, 1]},
        "accumulation_entries": {"range": [1, variants // first, 1]},
    }
    study: dict[str, object] = {
        "name": "engine",
        "template": "simba",
        "parameters": values,
        "networks": ["net.yaml"],
        "objective": "cosa",
    }
    if points is not None:
        study["search"] = {"budget": {"points": -(-points // problems)}, "prune": False}
    return json.dumps({"study": study})


def wait(task: Task) -> list[Result]:
    """Points that take a tenth of a second of no processor; what the workers run."""
    time.sleep(SECONDS_A_POINT)
    return [
        Result(key, "optimal", "cosa", "embedded", "SCIP", 1.5, cycles=1, energy_pj=2.5, mapping=MAPPING,
               solve_seconds=SECONDS_A_POINT, total_seconds=SECONDS_A_POINT)
        for key, _, _ in task.points
    ]  # fmt: skip


def rate(workers: int) -> float:
    """Schedules a second from the first to the last; Ray's start is no part of it, the idle end of a worker is."""
    paths = [str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])]
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)  # where the workers find `wait`
    from engine import wait  # noqa: PLC0415  (by the name that they know it by)

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = write_study(folder, 50, 6 * workers)
        sweep = plan_study(parse_study(parse_document(text, "study.yaml"), folder))
        executor = partial(serial_executor, run=wait) if workers == 1 else partial(ray_executor, workers, run=wait)
        progress = Progress(quiet=True, file=folder / "progress.json")
        run_sweep(sweep, StudyFolder(folder / "run"), executor, progress)
        figure: float = json.loads((folder / "progress.json").read_text())["per_second"]
        return figure


def main(variants: int, problems: int, points: int | None) -> dict[str, float]:
    """Seconds and MB of a run, of a second one that finds all stored, and of the export."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = write_study(folder, variants, problems, points)
        start = time.perf_counter()
        sweep = plan_study(parse_study(parse_document(text, "study.yaml"), folder))
        planned = time.perf_counter()
        figures: dict[str, float] = {"start_seconds": planned - start}
        output = StudyFolder(folder / "run")
        for run in ("run", "again"):
            start, cpu = time.perf_counter(), time.process_time()
            counts = run_sweep(sweep, output, trivial_executor, Progress(quiet=True))
            figures[f"{run}_points"] = counts.total
            figures[f"{run}_ms_a_point"] = 1e3 * (time.perf_counter() - start) / counts.total
            figures[f"{run}_cpu_ms_a_point"] = 1e3 * (time.process_time() - cpu) / counts.total
        figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        figures["store_mb"] = output.store_file.stat().st_size / 2**20
    return figures


if __name__ == "__main__" and sys.argv[1] == "workers":
    print(json.dumps({"per_second": rate(int(sys.argv[2]))}))
elif __name__ == "__main__":
    arguments = list(map(int, sys.argv[1:]))
    print(json.dumps(main(*itertools.islice(itertools.chain(arguments, [None]), 3))))
