"""`make bench`: how fast the parts are, in CPU seconds, so that a busy machine changes little.

    .venv/bin/python benchmarks/run.py [NAME...]

Names are those of the functions below; without any, all run. Every benchmark runs in a process of its own, so that its
peak memory is its own.
"""

from __future__ import annotations

import json
import lzma
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from engine import trivial_executor, write_study  # the folder of this file is where Python looks first

from dse.importing import import_network
from dse.model import evaluate_nests
from dse.model.nest import Frame
from dse.scheduler import ScheduleOptions, Scheduler
from dse.search.sampling import sample_nests
from dse.specification.architecture import Architecture
from dse.specification.mapspace import Mapspace, parse_mapspace
from dse.specification.network import load_network
from dse.specification.problem import Problem
from dse.specification.study import load_study
from dse.specification.template import load_template
from dse.sweep.driver import run_sweep
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import plan_study
from dse.sweep.progress import Progress

ROOT = Path(__file__).resolve().parents[1]
POINTS = ROOT / "tests" / "data" / "timeloop_points.jsonl.xz"
DSE = [sys.executable, "-m", "dse"]


def evaluate_batch() -> str:
    """100,000 random mappings of a 3×3 layer of ResNet-50 on Simba, as arrays."""
    architecture, mapspace, problems = _simba()
    problem = problems["layer2.1.conv2"]
    frame = Frame.plain(architecture, problem, mapspace.keep)
    nests = sample_nests(frame, problem, 100_000, np.random.default_rng(0))
    start = time.process_time()
    valid = sum(int(costs.valid.sum()) for costs in evaluate_nests(frame, nests))
    seconds = time.process_time() - start
    return f"{len(nests) / seconds:,.0f} mappings per CPU second ({valid} of {len(nests)} valid)"


def evaluate_points() -> str:
    """Recorded points of the four published architectures through `dse evaluate --batch`, start-up included."""
    return _points_rate(published=True)


def evaluate_architectures() -> str:
    """The same of random architectures: nearly every point has one of its own, so that nothing is shared."""
    return _points_rate(published=False)


def _points_rate(published: bool) -> str:
    with lzma.open(POINTS, "rt") as file:
        points = [point for point in map(json.loads, file) if (point["origin"] != "random") == published]
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder, "in.jsonl"), Path(folder, "out.jsonl")
        lines = [json.dumps({key: point[key] for key in ("arch", "problem", "mapping")}) for point in points]
        source.write_text("\n".join(lines * (1 + 2000 // len(lines))) + "\n")
        count = len(source.read_text().splitlines())
        seconds = _cpu_seconds([*DSE, "evaluate", "--batch", str(source), "--output", str(target)])
    return f"{count / seconds:,.0f} points per CPU second ({count} points, {seconds:.2f} CPU seconds)"


def schedule_cosa() -> str:
    """The distinct layers of ResNet-50 on Simba, objective `cosa`, SCIP, one after the other."""
    architecture, mapspace, problems = _simba()
    scheduler = Scheduler(ScheduleOptions(objective="cosa"))
    seconds = []
    for problem in problems.values():
        start = time.process_time()
        scheduler.schedule(architecture, problem, mapspace)
        seconds.append(time.process_time() - start)
    worst = max(seconds)
    return f"median {statistics.median(seconds):.2f}, worst {worst:.2f} CPU seconds a layer ({len(seconds)} layers)"


def start_up() -> str:
    """`dse --help`."""
    seconds = [_cpu_seconds([*DSE, "--help"]) for _ in range(5)]
    return f"{statistics.median(seconds):.3f} CPU seconds"


def import_model() -> str:
    """An ONNX model of a chain of 100 convolutions, 100 normalisations and 100 activations."""
    from onnx import TensorProto, helper  # noqa: PLC0415 - the other benchmarks do without

    def weight(name: str, *sizes: int) -> TensorProto:
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=sizes)
        tensor.data_location = TensorProto.EXTERNAL
        return tensor

    nodes, tensor = [], "image"
    for step in range(100):
        conv, normal, result = (f"{kind}{step}" for kind in ("conv", "normal", "relu"))
        nodes.append(helper.make_node("Conv", [tensor, "filters"], [conv], pads=[1] * 4))
        nodes.append(helper.make_node("BatchNormalization", [conv, *["channels"] * 4], [normal]))
        nodes.append(helper.make_node("Relu", [normal], [result]))
        tensor = result
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 64, 56, 56])
    last = helper.make_empty_tensor_value_info(tensor)
    weights = [weight("filters", 64, 64, 3, 3), weight("channels", 64)]
    graph = helper.make_graph(nodes, "chain", [image], [last], weights)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.onnx")
        path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]).SerializeToString())
        start = time.process_time()
        import_network(path, batch=1)
        seconds = time.process_time() - start
        whole = _cpu_seconds([*DSE, "import", str(path), "--batch", "1"])
    return f"{seconds:.2f} CPU seconds for {len(nodes)} nodes, {whole:.2f} as a command with its start-up"


def sweep_engine() -> str:
    """The driver and the store on 100,000 points that take no time, then all of them found stored."""
    figures = _engine(4167, 24)
    return (
        f"{figures['run_ms_a_point']:.2f} ms a point ({figures['run_cpu_ms_a_point']:.2f} of CPU), "
        f"{figures['again_ms_a_point']:.3f} where it is stored ({figures['run_points']:,.0f} points)"
    )


def sweep_memory() -> str:
    """The driver's peak with 1,000 points planned, and with 1,000,000 of which it runs 20,000."""
    few, many = _engine(1000, 1), _engine(1_000_000, 1, 20_000)
    return (
        f"{few['peak_mb']:.0f} MiB with 1,000 points planned, {many['peak_mb']:.0f} MiB with 1,000,000 "
        f"(read and checked in {many['start_seconds']:.1f} s)"
    )


def sweep_resume() -> str:
    """`dse sweep` on a finished study of 24,000 rows: once with all tables and pictures to make, and once again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "study.yaml").write_text(write_study(folder, 1000, 24))
        sweep = plan_study(load_study(folder / "study.yaml"))
        run_sweep(sweep, StudyFolder(folder / "run"), trivial_executor, Progress(quiet=True))
        command = [*DSE, "sweep", str(folder / "study.yaml"), "--output", str(folder / "run"), "--no-cache", "--quiet"]
        making = _cpu_seconds(command)
        start = time.perf_counter()
        cpu = _cpu_seconds(command)
        return f"{time.perf_counter() - start:.1f} s ({cpu:.1f} of CPU; {making:.1f} where tables are to be made)"


def sweep_workers() -> str:
    """Schedules a second of two workers and of one, on points that wait for a tenth of a second each."""
    one, two = (_engine("workers", workers)["per_second"] for workers in (1, 2))
    return f"{two / one:.2f} times one ({one:.2f} and {two:.2f} schedules a second)"


def sweep_schedules() -> str:
    """Schedules a second of `experiments/smoke.yaml` on two workers and on one; start-up is no part of it."""
    rates: list[float] = []
    with tempfile.TemporaryDirectory() as name:
        for workers in (1, 2):
            run = Path(name, str(workers))
            options = ["--output", str(run), "--workers", str(workers), "--no-cache", "--no-prune", "--quiet"]
            subprocess.run(
                [*DSE, "sweep", "experiments/smoke.yaml", *options], check=True, stdout=subprocess.DEVNULL, cwd=ROOT
            )
            rates.append(json.loads((run / "progress.json").read_text())["per_second"])
    return f"{rates[1] / rates[0]:.2f} times one ({rates[0]:.2f} and {rates[1]:.2f} schedules a second)"


def report_page() -> str:
    """`dse report` on 1,000 variants × 24 layers, and the page in Chromium."""
    command = [sys.executable, str(ROOT / "benchmarks" / "report.py")]
    figures = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT).stdout)
    page = f"made in {figures['seconds']:.1f} s ({figures['cpu_seconds']:.1f} of CPU), {figures['mb']:.1f} MB"
    if "opens_seconds" not in figures:
        return f"{page}; no Chromium to open it in"
    clicks = f"{figures['click_ms']:.0f} ms, slowest {figures['slowest_click_ms']:.0f} ms"
    return f"{page}; opens in {figures['opens_seconds']:.1f} s, a click takes {clicks}"


def _engine(*arguments: object) -> dict[str, float]:
    """The figures of `engine.py` in a process of its own."""
    command = [sys.executable, str(ROOT / "benchmarks" / "engine.py"), *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=ROOT)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _simba() -> tuple[Architecture, Mapspace, dict[str, Problem]]:
    template = load_template(ROOT / "arch_templates" / "simba.yaml")
    architecture, mapspace = template.instantiate()
    network = load_network(ROOT / "workloads" / "resnet50.yaml")
    problems = {layer.name: layer.problem for layer in network.layers}
    shape = next(iter(problems.values())).shape
    return architecture, parse_mapspace(template.document, mapspace, architecture, shape), problems


def _cpu_seconds(command: list[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=ROOT)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


BENCHMARKS: dict[str, Callable[[], str]] = {
    function.__name__: function
    for function in (
        start_up,
        evaluate_batch,
        evaluate_points,
        evaluate_architectures,
        schedule_cosa,
        import_model,
        sweep_engine,
        sweep_memory,
        sweep_resume,
        sweep_workers,
        sweep_schedules,
        report_page,
    )
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, each in a process of its own."""
    if names[:1] == ["--one"]:
        figure = BENCHMARKS[names[1]]()
        usage = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        print(f"{names[1]:22s} {figure}; peak {usage / 1024:,.0f} MiB", flush=True)
        return 0
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        print(f"unknown benchmark {', '.join(unknown)}; known: {', '.join(BENCHMARKS)}", file=sys.stderr)
        return 2
    for name in names or BENCHMARKS:
        subprocess.run([sys.executable, __file__, "--one", name], check=True, cwd=ROOT)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
