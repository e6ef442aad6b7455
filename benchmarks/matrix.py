"""`make matrix`: every shipped template × every shipped network, with CoSA's objective and with a proof.

CoSA's objective schedules every distinct layer, a proven objective the layers of each network with most operations.
Each template makes two studies in OUTPUT, run by the project's own sweeps with their stores and cache: an interrupted
run goes on. The status is 1 where a layer has no schedule.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click
import yaml

from dse.errors import DseError
from dse.report.nest import format_table
from dse.specification.network import Layer, Network, load_network
from dse.specification.scheduling import OBJECTIVES
from dse.specification.study import NETWORKS, TEMPLATES, load_study, shipped_files
from dse.specification.template import load_template
from dse.sweep.cache import default_cache_folder
from dse.sweep.driver import run_sweep
from dse.sweep.executors import Executor, ray_executor, serial_executor
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import plan_study
from dse.sweep.progress import Progress
from dse.sweep.reading import read_study
from dse.sweep.task import Result

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One distinct layer on one template: its network and name, and what came of it (None: nothing yet)."""

    network: str
    layer: str
    result: Result | None

    @property
    def failed(self) -> bool:
        """Whether there is no schedule."""
        return self.result is None or not self.result.valid


@dataclass(frozen=True, slots=True)
class Row:
    """What came of all layers on one template."""

    template: str
    scheduled: tuple[Outcome, ...]
    proven: tuple[Outcome, ...]

    def cells(self, gap: float) -> list[str]:
        """The row of the table."""
        seconds = [o.result.solve_seconds or 0.0 for o in self.scheduled if o.result is not None]
        gaps = [o.result.gap for o in self.proven if o.result is not None and o.result.gap is not None]
        return [
            self.template,
            f"{len(self.scheduled)}",
            f"{sum(o.failed for o in self.scheduled)}",
            f"{statistics.median(seconds):.2f}" if seconds else "-",
            f"{len(self.proven)}",
            f"{sum(o.failed for o in self.proven)}",
            f"{sum(each <= gap for each in gaps)}" if gaps else "-",
            f"{statistics.median(gaps):.1%}" if gaps else "-",
            f"{max(gaps):.1%}" if gaps else "-",
        ]


HEADER = ("template", "layers", "failed", "median s", "proven", "failed", "in gap", "median gap", "max gap")


def heaviest(network: Network, count: int | None) -> Network:
    """The layers of a network with most operations an occurrence; None: all."""
    if count is None:
        return network
    layers = sorted(network.layers, key=lambda layer: -layer.problem.macs)[:count]
    return Network(network.name, network.source, tuple(layers))


def write_network(network: Network, path: Path) -> str:
    """Write a network for a study beside it; its file name."""

    def entry(layer: Layer) -> dict[str, Any]:
        return {"name": layer.name, "count": layer.count, "problem": layer.problem.to_dict()}

    content = {"name": network.name, "source": network.source, "layers": [entry(layer) for layer in network.layers]}
    path.write_text(yaml.safe_dump({"network": content}, sort_keys=False), encoding="utf-8")
    return path.name


def run_study(
    path: Path,
    content: dict[str, Any],
    executor: Callable[[], AbstractContextManager[Executor]],
) -> tuple[Outcome, ...]:
    """Run a study that is written to `path`, in a folder of its name; the outcome of every layer."""
    path.write_text(yaml.safe_dump({"study": content}, sort_keys=False), encoding="utf-8")
    folder = StudyFolder(path.with_suffix(""))
    sweep = plan_study(load_study(path))
    run_sweep(sweep, folder, executor, Progress(file=folder.progress_file), cache_folder=default_cache_folder())
    with read_study(folder) as stored:
        (variant,) = stored
        return tuple(
            Outcome(network.name, layer.name, variant.results[layer.problem])
            for network in stored.plan.networks
            for layer in network.layers
        )


def render(rows: Sequence[Row], objective: str, gap: float) -> str:
    """The table, and below it every layer without a schedule with its reason."""
    lines = [format_table(HEADER, [row.cells(gap) for row in rows])]
    gaps = [o.result.gap for row in rows for o in row.proven if o.result is not None and o.result.gap is not None]
    if gaps:
        within = sum(each <= gap for each in gaps)
        lines.append(
            f"\n{objective}: {within} of {len(gaps)} proven within {gap:.0%}, "
            f"gap {statistics.median(gaps):.2%} in the median, {max(gaps):.1%} at most"
        )
    failures = [(row.template, each) for row in rows for each in (*row.scheduled, *row.proven) if each.failed]
    lines.append(f"\n{len(failures)} failure{'' if len(failures) == 1 else 's'}")
    for template, each in failures:
        reason = "not run" if each.result is None else f"{each.result.termination}: {each.result.error}"
        lines.append(f"  {template}, {each.network}, {each.layer}: {reason}")
    return "\n".join(lines)


def chosen(kind: str, names: str | None) -> dict[str, Path]:
    """The shipped files of a kind, or those that a comma-separated list names."""
    files = shipped_files(kind)
    wanted = names.split(",") if names else list(files)
    unknown = [name for name in wanted if name not in files]
    if unknown:
        raise click.UsageError(f"unknown: {', '.join(unknown)}; known: {', '.join(files)}")
    return {name: files[name] for name in wanted}


@click.command(help=__doc__)
@click.option("--templates", help="Some templates, separated by commas (default: all).")
@click.option("--networks", help="Some networks, separated by commas (default: all).")
@click.option("--layers", type=click.IntRange(1), help="Schedule so many layers of each network only, the heaviest.")
@click.option("--proven", type=click.IntRange(0), default=1, show_default=True, help="So many layers with a proof.")
@click.option("--objective", type=click.Choice(OBJECTIVES[1:]), default="edp", show_default=True)
@click.option("--gap", type=float, default=0.05, show_default=True, help="Where a proof may stop.")
@click.option("--time-limit", type=float, default=10.0, show_default=True, help="Seconds a proof may take.")
@click.option("--workers", type=click.IntRange(1), default=2, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), default=ROOT / "runs" / "matrix", show_default=True)
def main(
    templates: str | None,
    networks: str | None,
    layers: int | None,
    proven: int,
    objective: str,
    gap: float,
    time_limit: float,
    workers: int,
    output: Path,
) -> int:
    """Run the studies one after the other and print the table."""
    output.mkdir(parents=True, exist_ok=True)
    loaded = [(name, load_network(path)) for name, path in chosen(NETWORKS, networks).items()]
    scheduled = [write_network(heaviest(each, layers), output / f"{name}.yaml") for name, each in loaded]
    heavy = [write_network(heaviest(each, proven), output / f"{name}_heavy.yaml") for name, each in loaded if proven]
    settings = {"gap": gap, "time_limit": time_limit}
    rows: list[Row] = []
    with ExitStack() as stack:
        start = partial(ray_executor, workers) if workers > 1 else serial_executor
        shared: list[Executor] = []

        def executor() -> AbstractContextManager[Executor]:
            """One for all studies, started when the first has something to run."""
            if not shared:
                shared.append(stack.enter_context(start()))
            return nullcontext(shared[0])

        for name, path in chosen(TEMPLATES, templates).items():
            click.echo(f"{name}:", err=True)
            variable, value = next(iter(load_template(path).values().items()))
            # A study sweeps something: here one variable over its default.
            study: dict[str, Any] = {"name": name, "template": name, "parameters": {variable: [value]}}
            first = run_study(
                output / f"{name}_cosa.yaml", study | {"networks": scheduled, "objective": "cosa"}, executor
            )
            content = study | {"networks": heavy, "objective": objective, "scheduler": settings}
            second = run_study(output / f"{name}_{objective}.yaml", content, executor) if heavy else ()
            rows.append(Row(name, first, second))
    table = render(rows, objective, gap)
    (output / "table.txt").write_text(f"{table}\n", encoding="utf-8")
    click.echo(table)
    return 1 if any(each.failed for row in rows for each in (*row.scheduled, *row.proven)) else 0


if __name__ == "__main__":
    try:
        sys.exit(main(standalone_mode=False))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except DseError as error:
        click.echo(f"make matrix: {error}", err=True)
        sys.exit(error.exit_status)
