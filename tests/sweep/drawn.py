"""An executor whose schedules are the best of some mappings drawn at random: real costs, the same ones each time.

Any mapping of the mapspace may come out, so that whatever bounds say has to be true of all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from dse.search.baselines import random_search
from dse.sweep.executors import Executor, TaskQueue
from dse.sweep.task import Result, Task

__all__ = ["drawn_executor", "random_study", "template_with_areas"]


def drawn(task: Task, samples: int) -> list[Result]:
    results: list[Result] = []
    for key, architecture, mapspace in task.points:
        chance = int(key[:8], 16)
        found = random_search(architecture, task.problem, mapspace, "edp", samples, max_samples=20_000, seed=chance)
        evaluation = found.evaluation
        if evaluation is None:
            results.append(Result(key, "infeasible", "cosa", "embedded", error="nothing drawn", total_seconds=0.0))
            continue
        cost = Result(key, "feasible", "cosa", "embedded", mapping="[]", total_seconds=0.0)
        cost = replace(cost, cycles=evaluation.latency_cycles, energy_pj=evaluation.energy_pj)
        results.append(replace(cost, utilization=evaluation.utilization, area_um2=evaluation.area_um2))
    return results


class _DrawnExecutor(TaskQueue):
    workers = 2
    window = 4

    def __init__(self, samples: int, stop: Callable[[], None]) -> None:
        super().__init__()
        self._samples = samples
        self._stop = stop

    def next_results(self) -> list[Result]:
        self._stop()
        return drawn(self._waiting.pop(), self._samples)  # not in the order of submission


@contextmanager
def drawn_executor(samples: int = 300, stop: Callable[[], None] = lambda: None) -> Iterator[Executor]:
    """An executor that asks `stop` before each task whether to go on: it may raise KeyboardInterrupt."""
    yield _DrawnExecutor(samples, stop)


_TEMPLATES: dict[str, dict[str, tuple[int, ...]]] = {
    "weight_stationary": {
        "mesh_x": (2, 4, 16),
        "mesh_y": (2, 8),
        "register_entries": (8, 64),
        "scratchpad_kib": (1, 16, 256),
        "dram_bandwidth": (1, 8),
    },
    "eyeriss_like": {
        "mesh_x": (2, 4, 14),
        "mesh_y": (2, 6, 12),
        "weight_entries": (32, 224),
        "global_buffer_kib": (4, 108),
        "psum_entries": (8, 24),
        "dram_read_bandwidth": (1, 4),
    },
    "simba": {
        "pe_count": (2, 4, 16),
        "lanes_per_pe": (2, 8),
        "macs_per_lane": (2, 8),
        "weight_buffer_kib": (1, 16),
        "input_buffer_kib": (1, 4),
        "global_buffer_kib": (4, 64),
        "dram_bandwidth": (2, 20),
    },
}


def template_with_areas(template: str) -> str:
    """A shipped template whose MACs take 500 um2 each and whose words 8 um2."""
    path = Path(__file__).resolve().parents[2] / "arch_templates" / f"{template}.yaml"
    data = yaml.safe_load(path.read_text())
    data["arch"]["arithmetic"]["area"] = 500
    for level in data["arch"]["storage"]:
        if "entries" in level:
            level["cluster-area"] = f"({level['entries']}) * 8 * {level.get('cluster-size', 1)}"
    return yaml.safe_dump(data, sort_keys=False)


def random_study(rng: np.random.Generator) -> dict[str, str]:
    """File name -> content of a study of 8 to 27 variants on one or two networks of small layers."""
    template = str(rng.choice(list(_TEMPLATES)))
    choices = _TEMPLATES[template]
    chosen = {str(name) for name in rng.choice(list(choices), 4, replace=False)}
    parameters = "".join(f"    {name}: {list(values)}\n" for name, values in choices.items() if name in chosen)
    files: dict[str, str] = {}
    networks = []
    for name in ("first", "second")[: int(rng.integers(1, 3))]:
        layers = ""
        for index in range(int(rng.integers(1, 3))):
            sizes = {
                "R": rng.choice((1, 1, 1, 3)),
                "S": 1,
                "P": rng.choice((1, 1, 4)),
                "Q": 1,
                "C": rng.choice((3, 8, 16)),
                "K": rng.choice((4, 8, 16)),
                "N": 1,
                "Wstride": rng.choice((1, 1, 2)),
            }
            problem = ", ".join(f"{key}: {int(size)}" for key, size in sizes.items())
            layers += f"    - {{name: l{index}, count: {int(rng.integers(1, 5))}, problem: {{{problem}}}}}\n"
        networks.append(f"{name}.yaml")
        files[f"{name}.yaml"] = f"network:\n  name: {name}\n  layers:\n{layers}"
    files["study.yaml"] = (
        f"study:\n  name: random\n  template: template.yaml\n  parameters:\n{parameters}"
        f"  networks: [{', '.join(networks)}]\n  objective: cosa\n"
    )
    files["template.yaml"] = template_with_areas(template)
    return files
