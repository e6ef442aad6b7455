"""The comparison of methods as Markdown: means a network, effort, distance from the bound, every layer."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dse.report.methods import METHODS, TARGETS, Outcome, problem_name
from dse.specification.network import Network

__all__ = ["PAPER", "Layer", "PaperFigures", "compared_layers", "geometric_mean", "render_methods"]

_LABELS = {"latency": "latency", "energy": "energy", "edp": "EDP"}
_OTHERS = METHODS[1:]


@dataclass(frozen=True, slots=True)
class PaperFigures:
    """Figures of one method in CoSA's evaluation (Huang et al., ISCA 2021, section V). None: not given."""

    seconds: float | None
    samples: str
    evaluations: str


PAPER: Mapping[str, PaperFigures] = {
    "random": PaperFigures(None, "20K", "5"),
    "hybrid": PaperFigures(379.9, "67M", "16K"),
    "cosa": PaperFigures(4.2, "1", "1"),
}
"""Averages a layer: Gurobi for CoSA, 32 threads for hybrid. Over hybrid, CoSA gains 1.5 × latency, 1.2 × energy."""

_PAPER_OVER_HYBRID = {"latency": "1.5", "energy": "1.2", "edp": "–"}


@dataclass(frozen=True, slots=True)
class Layer:
    """A distinct layer of a network with what every method made of it: [method][target]."""

    name: str
    macs: int
    outcomes: Mapping[str, Mapping[str, Outcome]]

    def figure(self, method: str, target: str) -> float:
        """The figure of the mapping that a method finds for a target."""
        value = self.outcomes[method][target].figure(target)
        if value is None:
            raise ValueError(f"{self.name}: {method} has no mapping")
        return value

    def gain(self, method: str, over: str, target: str) -> float:
        """How many times better one method is than another: above 1 is better."""
        return self.figure(over, target) / self.figure(method, target)

    def distance(self, method: str, target: str) -> float | None:
        """The figure over the proven lower bound; None where there is no bound."""
        bound = self.outcomes["proven"][target].lower_bound
        return None if not bound else self.figure(method, target) / bound

    @property
    def complete(self) -> bool:
        """Whether every method has a mapping for every target."""
        return all(self.outcomes[method][target].figure(target) is not None for method in METHODS for target in TARGETS)


def geometric_mean(values: Iterable[float]) -> float:
    """Of positive numbers; nan of none."""
    logs = [math.log(value) for value in values]
    return math.exp(math.fsum(logs) / len(logs)) if logs else math.nan


def compared_layers(network: Network, outcomes: Mapping[tuple[str, str, str], Outcome]) -> list[Layer]:
    """The distinct layers of a network. `cosa` has one mapping, that stands for every target."""
    layers = []
    for layer in network.layers:
        name = problem_name(layer.problem)
        own = {
            method: {target: outcomes[name, method, "cosa" if method == "cosa" else target] for target in TARGETS}
            for method in METHODS
        }
        layers.append(Layer(layer.name, layer.problem.macs, own))
    return layers


def render_methods(networks: Sequence[Network], outcomes: Mapping[tuple[str, str, str], Outcome]) -> str:
    """All tables. A problem that several networks share counts once in the last row of each."""
    named = {network.name: compared_layers(network, outcomes) for network in networks}
    distinct: dict[str, Layer] = {}
    for layers in named.values():
        for layer in layers:
            distinct.setdefault(layer.outcomes["cosa"]["edp"].problem, layer)
    everything = list(distinct.values())
    missing = [layer.name for layer in everything if not layer.complete]
    complete = {name: [layer for layer in layers if layer.complete] for name, layers in named.items()}
    complete |= {"all, distinct": [layer for layer in everything if layer.complete]}
    parts = [
        "## Gain over random search\n\nGeometric mean over the distinct layers, times better than `random`; "
        "`random`, `hybrid` and `proven` minimise the figure of the column, `cosa` its own objective.",
        _gains(complete),
        "## Gain over hybrid search\n\nThe same layers, beside the paper's own figures.",
        _over_hybrid(complete["all, distinct"]),
        "## Effort a layer\n\nCPU seconds on one thread, over the distinct layers; samples and evaluations are means. "
        "The searches are those for EDP. A program draws no samples: `cosa` costs at most 128 loop orders of the "
        "tiling it solves for, `proven` the candidates of a local search, which are not counted.",
        _effort(complete["all, distinct"]),
        "## Distance from the proven bound\n\nFigure over lower bound: geometric mean, then the worst layer. No "
        "mapping of the mapspace is below 1.",
        _distances(complete["all, distinct"]),
        "## Every layer",
        *(f"### {name}\n\n{_layers(layers)}" for name, layers in complete.items() if name in named),
    ]
    if missing:
        parts.insert(0, f"Left out, since a method found no mapping: {', '.join(missing)}.")
    return "\n\n".join(parts) + "\n"


def _table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---", *["---:"] * (len(header) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _gains(groups: Mapping[str, Sequence[Layer]]) -> str:
    header = ["network", "layers", *(f"{_LABELS[target]}: {method}" for target in TARGETS for method in _OTHERS)]
    rows = [
        [
            name,
            str(len(layers)),
            *(
                f"{geometric_mean(layer.gain(method, 'random', target) for layer in layers):.3g}"
                for target in TARGETS
                for method in _OTHERS
            ),
        ]
        for name, layers in groups.items()
    ]
    return _table(header, rows)


def _over_hybrid(layers: Sequence[Layer]) -> str:
    header = ["figure", "CoSA, the paper", "`cosa`", "`proven`", "layers where `cosa` is worse than `hybrid`"]
    rows = []
    for target in TARGETS:
        gains = {method: [layer.gain(method, "hybrid", target) for layer in layers] for method in ("cosa", "proven")}
        means = [f"{geometric_mean(gains[method]):.3g}" for method in gains]
        worse = sum(gain < 1 for gain in gains["cosa"])
        rows.append([_LABELS[target], _PAPER_OVER_HYBRID[target], *means, f"{worse} of {len(layers)}"])
    return _table(header, rows)


def _effort(layers: Sequence[Layer]) -> str:
    header = ["method", "CPU s, mean", "median", "worst", "samples", "evaluations"]
    header += ["paper: s", "paper: samples", "paper: evaluations"]
    rows = []
    for method in METHODS:
        for target in TARGETS if method == "proven" else ("edp",):
            own = [layer.outcomes[method][target] for layer in layers]
            seconds = [outcome.cpu_seconds for outcome in own] or [math.nan]
            spread = (statistics.fmean(seconds), statistics.median(seconds), max(seconds))
            paper = PAPER.get(method)
            rows.append(
                [
                    f"`{method}`" + (f", {_LABELS[target]}" if method == "proven" else ""),
                    *(f"{value:.2f}" for value in spread),
                    _mean_count(outcome.samples for outcome in own),
                    _mean_count(outcome.evaluations for outcome in own),
                    *(
                        ("–", "–", "–")
                        if paper is None
                        else ("–" if paper.seconds is None else str(paper.seconds), paper.samples, paper.evaluations)
                    ),
                ]
            )
    return _table(header, rows)


def _mean_count(counts: Iterable[int | None]) -> str:
    known = [count for count in counts if count is not None]
    return f"{statistics.fmean(known):,.0f}" if known else "–"


def _distances(layers: Sequence[Layer]) -> str:
    header = ["figure", *(f"`{method}`" for method in METHODS), "layers proven to 1 %", "`cosa` within 1 %"]
    rows = []
    for target in TARGETS:
        ratios = {method: [layer.distance(method, target) or math.nan for layer in layers] for method in METHODS}
        known = {method: [ratio for ratio in own if not math.isnan(ratio)] for method, own in ratios.items()}
        cells = [f"{geometric_mean(own):.4g}, {max(own, default=math.nan):.4g}" for own in known.values()]
        close = [sum(ratio <= 1.01 for ratio in known[method]) for method in ("proven", "cosa")]
        rows.append([_LABELS[target], *cells, *(f"{count} of {len(layers)}" for count in close)])
    return _table(header, rows)


def _layers(layers: Sequence[Layer]) -> str:
    units: dict[str, tuple[str, Callable[[float], str]]] = {
        "latency": ("cycles", lambda value: f"{value:,.0f}"),
        "energy": ("µJ", lambda value: f"{value / 1e6:,.4g}"),
    }
    header = ["layer", "MMACs"]
    header += [f"{target} [{unit}]: {method}" for target, (unit, _) in units.items() for method in METHODS]
    header += [f"EDP over bound: {method}" for method in METHODS]
    rows = []
    for layer in layers:
        figures = [write(layer.figure(method, target)) for target, (_, write) in units.items() for method in METHODS]
        distances = [layer.distance(method, "edp") for method in METHODS]
        ratios = ["–" if distance is None else f"{distance:.4g}" for distance in distances]
        rows.append([layer.name, f"{layer.macs / 1e6:,.1f}", *figures, *ratios])
    return _table(header, rows)
