"""The Python interface: what the commands do, as functions that return frozen objects.

>>> from dse import Study, sweep
>>> study = Study.from_dict({
...     "name": "demo", "template": "simba", "networks": ["alexnet"], "parameters": {"pe_count": [8, 16]}
... })
>>> study.variant_count
2

`docs/api.md` goes through all of it. Errors are those of `dse.errors`: InputError names every fault of an input.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dse.errors import Fault, InputError
from dse.frames import frame
from dse.specification.architecture import Architecture
from dse.specification.costs import read_costs
from dse.specification.document import Document, load_documents
from dse.specification.fields import nearest
from dse.specification.formats import translated
from dse.specification.mapping import Mapping as LoopNest
from dse.specification.mapping import parse_mapping
from dse.specification.mapspace import Mapspace, parse_mapspace
from dse.specification.network import Layer, Network
from dse.specification.network import load_network as network_of_file
from dse.specification.problem import Problem, Shape, parse_problem
from dse.specification.reference_tables import apply_reference_tables
from dse.specification.scheduling import CosaWeights, ScheduleOptions
from dse.specification.study import NETWORKS, TEMPLATES, Study, shipped_files
from dse.specification.template import Number, parse_template

if TYPE_CHECKING:
    import pandas as pd

    from dse.model import Evaluation
    from dse.report.totals import Total
    from dse.scheduler import Schedule
    from dse.sweep.executors import Executor

__all__ = [
    "Accelerator",
    "LayerSchedule",
    "NetworkSchedule",
    "SweepResult",
    "evaluate",
    "load_architecture",
    "load_network",
    "load_sweep",
    "schedule",
    "sweep",
]

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Accelerator:
    """An architecture with what its files say of the mappings on it; `parameters` are the values of all variables."""

    architecture: Architecture
    parameters: Mapping[str, Number]
    document: Document = field(repr=False)

    def mapspace(self, shape: Shape) -> Mapspace:
        """The mapspace for problems of a shape: the bypass pattern and constraints of the files, or none."""
        return parse_mapspace(self.document, self.document.data.get("mapspace"), self.architecture, shape)

    @property
    def area_um2(self) -> float | None:
        """Area of all instances; None where nothing gives it."""
        from dse.model.unit_costs import area_um2  # noqa: PLC0415  (it loads NumPy)

        return area_um2(self.architecture)


def load_architecture(
    *files: str | Path, parameters: Mapping[str, Number] | None = None, costs: Mapping[str, Any] | None = None
) -> Accelerator:
    """An architecture, or a template with some of its variables replaced by `parameters`.

    `files` are the name of a shipped template, or paths of YAML files that are merged by their top-level keys, as the
    commands take them. `costs` is a block `costs:` in place of theirs. Raises InputError with every fault.

    >>> from dse import load_architecture
    >>> simba = load_architecture("simba", parameters={"pe_count": 32})
    >>> simba.architecture.arithmetic.instances, simba.parameters["lane_count"]
    (2048, 256)
    """
    document = translated(load_documents([_file(file, TEMPLATES) for file in files]))
    template = parse_template(document)
    if costs is not None:
        template = replace(
            template, costs=read_costs(Document({"costs": dict(costs)}, file="costs"), ("costs",), Path())
        )
    architecture, _ = template.instantiate(parameters)
    return Accelerator(apply_reference_tables(document, architecture), template.values(parameters), document)


def load_network(file: str | Path) -> Network:
    """A shipped network by its name, or a network or problem file. Raises InputError with every fault.

    >>> from dse import load_network
    >>> alexnet = load_network("alexnet")
    >>> len(alexnet.layers), f"{alexnet.macs:,}"
    (8, '714,188,480')
    """
    return network_of_file(_file(file, NETWORKS))


def _file(file: str | Path, kind: str) -> Path:
    """A path as it is, and what has no suffix as the name of a shipped file."""
    if isinstance(file, Path) or file.endswith(_SUFFIXES):
        return Path(file)
    shipped = shipped_files(kind)
    if file not in shipped:
        what = "template" if kind == TEMPLATES else "network"
        raise InputError(f'unknown {what} "{file}"{nearest(file, shipped)} (or a path that ends in .yaml)')
    return shipped[file]


def evaluate(
    accelerator: Accelerator,
    problem: Problem | Layer | Mapping[str, Any],
    mapping: LoopNest | Sequence[Mapping[str, Any]],
) -> Evaluation:
    """What a mapping costs, or why it does not fit (`error`).

    `problem` may be plain data, as in Timeloop's `problem:`, and so may the mapping: a list of directives. Raises
    InputError where they are wrong in themselves.

    >>> from dse import evaluate, load_architecture
    >>> chip = load_architecture("weight_stationary")
    >>> everything_outside = [{"target": "DRAM", "type": "temporal", "factors": "P4 C8 K16"}]
    >>> cost = evaluate(chip, {"R": 1, "S": 1, "P": 4, "Q": 1, "C": 8, "K": 16, "N": 1}, everything_outside)
    >>> cost.latency_cycles
    512
    """
    from dse.model import evaluate as cost_of  # noqa: PLC0415  (it loads NumPy)

    problem = _problem(problem)
    if not isinstance(mapping, LoopNest):
        data = [dict(directive) for directive in mapping]
        mapping = parse_mapping(Document({"mapping": data}), data, accelerator.architecture, problem)
    return cost_of(accelerator.architecture, problem, mapping)


def _problem(problem: Problem | Layer | Mapping[str, Any]) -> Problem:
    if isinstance(problem, Layer):
        return problem.problem
    if isinstance(problem, Problem):
        return problem
    return parse_problem(Document({"problem": dict(problem)}), dict(problem))


@dataclass(frozen=True, slots=True)
class LayerSchedule:
    """The schedule of a layer: mapping, evaluation, value, lower bound, gap, termination."""

    layer: Layer
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class NetworkSchedule:
    """The schedules of a network's layers; the figures are sums over layers as often as they occur.

    They are None where a layer has no mapping.
    """

    name: str
    layers: tuple[LayerSchedule, ...]

    @property
    def valid(self) -> bool:
        """Whether every layer has a mapping."""
        return all(own.schedule.valid for own in self.layers)

    @property
    def cycles(self) -> int | None:
        evaluations = self._evaluations()
        if evaluations is None:
            return None
        return sum(count * evaluation.latency_cycles for count, evaluation in evaluations)

    @property
    def energy_pj(self) -> float | None:
        evaluations = self._evaluations()
        return None if evaluations is None else sum(count * evaluation.energy_pj for count, evaluation in evaluations)

    @property
    def edp(self) -> float | None:
        """pJ × cycles of the whole network."""
        return None if self.cycles is None or self.energy_pj is None else self.cycles * self.energy_pj

    def _evaluations(self) -> list[tuple[int, Evaluation]] | None:
        pairs = [(own.layer.count, own.schedule.evaluation) for own in self.layers if own.schedule.valid]
        known = [(count, evaluation) for count, evaluation in pairs if evaluation is not None]
        return known if len(known) == len(self.layers) else None

    def to_frame(self) -> pd.DataFrame:
        """One row for each layer, costs of one occurrence. Raises ToolError where pandas is missing."""
        rows = []
        for own in self.layers:
            cost = own.schedule.evaluation
            rows.append(
                {
                    "layer": own.layer.name,
                    "count": own.layer.count,
                    "macs": own.layer.problem.macs,
                    "cycles": None if cost is None else cost.latency_cycles,
                    "energy_pJ": None if cost is None else cost.energy_pj,
                    "utilization": None if cost is None else cost.utilization,
                    "value": own.schedule.value,
                    "lower_bound": own.schedule.lower_bound,
                    "gap": own.schedule.gap,
                    "termination": own.schedule.termination,
                    "error": own.schedule.error,
                }
            )
        return frame(rows)


def schedule(
    accelerator: Accelerator,
    workload: Network | Layer | Problem | Mapping[str, Any],
    objective: str = "edp",
    *,
    solver: str | None = None,
    gap: float = 0.01,
    time_limit_seconds: float = 60.0,
    weights: CosaWeights | None = None,
) -> NetworkSchedule:
    """The best mapping of every layer, one layer after the other in this process.

    `objective` is cosa, latency, energy or edp; `gap` and `time_limit_seconds` hold for each layer. A layer or problem
    counts as a network of one. Raises InputError for what is not known, ToolError for a solver that is missing.

    >>> from dse import load_architecture, schedule
    >>> layer = {"R": 1, "S": 1, "P": 7, "Q": 7, "C": 64, "K": 64, "N": 1}
    >>> found = schedule(load_architecture("simba"), layer, "latency")
    >>> found.cycles, found.layers[0].schedule.termination
    (724, 'optimal')
    """
    from dse.scheduler import Scheduler  # noqa: PLC0415  (it loads the solvers)

    scheduler = Scheduler(ScheduleOptions(objective, solver, gap, time_limit_seconds, weights or CosaWeights()))
    if not isinstance(workload, Network):
        layer = workload if isinstance(workload, Layer) else Layer("layer", 1, _problem(workload))
        workload = Network(layer.name, "", (layer,))
    known: dict[Problem, Schedule] = {}
    for layer in workload.layers:
        if layer.problem not in known:
            mapspace = accelerator.mapspace(layer.problem.shape)
            known[layer.problem] = scheduler.schedule(accelerator.architecture, layer.problem, mapspace)
    return NetworkSchedule(workload.name, tuple(LayerSchedule(own, known[own.problem]) for own in workload.layers))


@dataclass(frozen=True, slots=True)
class SweepResult:
    """What a folder of `sweep` holds, finished or not; it is read whenever it is asked."""

    folder: Path

    def totals(self, network: str | None = None) -> tuple[Total, ...]:
        """What a network, or all together, cost on every variant. Raises InputError for an unknown network."""
        from dse.report.totals import totals_named  # noqa: PLC0415  (it loads NumPy)
        from dse.sweep.reading import read_study  # noqa: PLC0415

        with read_study(self.folder) as study:
            return tuple(totals_named(study, network))

    def front(self, network: str | None = None) -> tuple[Total, ...]:
        """The Pareto front in the objectives of the study, by the first of them."""
        from dse.report.front import costs, non_dominated  # noqa: PLC0415
        from dse.sweep.reading import read_study  # noqa: PLC0415

        with read_study(self.folder) as study:
            goals = study.plan.goals
        totals = self.totals(network)
        points = costs(totals, goals)
        flags = non_dominated(points)
        chosen = [(tuple(point), total) for point, total, flag in zip(points, totals, flags, strict=True) if flag]
        return tuple(total for _, total in sorted(chosen, key=lambda item: (item[0], item[1].variant.number)))

    def to_frame(self, level: Literal["variant", "layer"] = "variant") -> pd.DataFrame:
        """The rows of `dse export`, the parameters in columns of their own. Raises ToolError without pandas."""
        from dse.report.export import columns_of, flattened, layer_rows, variant_rows  # noqa: PLC0415
        from dse.report.totals import StudyTotals  # noqa: PLC0415
        from dse.sweep.reading import read_study  # noqa: PLC0415

        if level not in ("variant", "layer"):
            raise InputError(f'level: expected variant or layer, got "{level}"')
        with read_study(self.folder) as study:
            rows = layer_rows(study) if level == "layer" else variant_rows(StudyTotals(study))
            return frame(map(flattened, rows), columns_of(study.plan, level))


def load_sweep(folder: str | Path) -> SweepResult:
    """The results in a folder of `sweep` or `dse sweep`. Raises InputError where it holds no study."""
    from dse.sweep.folder import open_folder  # noqa: PLC0415

    open_folder(folder).read_plan()
    return SweepResult(Path(folder))


def sweep(
    study: Study | str | Path,
    output: str | Path,
    *,
    workers: int | None = None,
    address: str | None = None,
    prune: bool = True,
    retry_failed: bool = False,
    cache: str | Path | Literal[False] | None = None,
    quiet: bool = True,
) -> SweepResult:
    """Run a study, or a study file, into the folder `output`, going on where a former run stopped.

    `workers` (default: the cores) are processes of Ray, and with 1 a child without Ray; `address` is that of a Ray
    cluster instead. `cache` is the folder of the schedules of all studies (default: the user's), False for none.
    Raises InputError where the study or the folder is wrong, ToolError where a solver, Ray or `timeloop-model` is
    missing. An interrupt leaves what has ended in the folder.
    """
    from dse.specification.study import load_study  # noqa: PLC0415
    from dse.sweep.cache import default_cache_folder  # noqa: PLC0415
    from dse.sweep.driver import run_sweep  # noqa: PLC0415
    from dse.sweep.executors import ray_executor, serial_executor  # noqa: PLC0415
    from dse.sweep.folder import StudyFolder  # noqa: PLC0415
    from dse.sweep.plan import plan_study  # noqa: PLC0415
    from dse.sweep.progress import Progress  # noqa: PLC0415
    from dse.sweep.search import Search  # noqa: PLC0415

    if workers is not None and (workers < 1 or address is not None):
        raise InputError(Fault("expected a number of at least 1, and none with an address", "workers"))
    planned = plan_study(study if isinstance(study, Study) else load_study(study))
    folder = StudyFolder(Path(output))
    count = workers or len(os.sched_getaffinity(0))
    executor: Callable[[], AbstractContextManager[Executor]] = (
        serial_executor if address is None and count == 1 else partial(ray_executor, count, address)
    )
    run_sweep(
        planned,
        folder,
        executor,
        Progress(quiet=quiet, file=folder.progress_file),
        retry_failed,
        Search(planned, prune=prune),
        None if cache is False else Path(cache) if cache is not None else default_cache_folder(),
    )
    return SweepResult(folder.path)
