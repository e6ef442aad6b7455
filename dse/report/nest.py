"""A mapping and its cost as text: the loop nest, what bounds the latency, where the energy goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from dse.model.result import Evaluation
from dse.specification.architecture import Architecture
from dse.specification.mapping import LevelMapping, Mapping
from dse.specification.problem import Problem

__all__ = ["format_energy", "format_table", "render_evaluation", "render_nest", "render_summary"]


def format_energy(energy_pj: float) -> str:
    """Energy with a unit that keeps it readable."""
    for unit, scale in (("J", 1e12), ("mJ", 1e9), ("µJ", 1e6), ("nJ", 1e3)):
        if energy_pj >= scale:
            return f"{energy_pj / scale:.3f} {unit}"
    return f"{energy_pj:.3f} pJ"


def format_table(header: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """Columns aligned with blanks: the first `left` to the left, the others to the right."""
    cells = [list(header), *map(list, rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    lines.insert(1, "-" * max(map(len, lines)))
    return "\n".join(lines)


def render_nest(architecture: Architecture, problem: Problem, mapping: Mapping, evaluation: Evaluation) -> str:
    """The loop nest from the outermost level inwards, each level with the tiles that it keeps (words per instance)."""
    lines: list[str] = []
    depth = 0
    for index in range(len(architecture.storage) - 1, -1, -1):
        level, own, cost = architecture.storage[index], mapping.levels[index], evaluation.levels[index]
        tiles = ", ".join(f"{name} {space.tile_words:,}" for name, space in cost.data_spaces.items())
        capacity = level.effective_entries
        used = sum(space.tile_words for space in cost.data_spaces.values())
        share = f" of {capacity:,} words ({used / capacity:.0%})" if capacity else " words"
        count = f" × {cost.instances}" if cost.instances > 1 else ""
        lines.append(f"{level.name}{count} [{tiles}{share}]" if tiles else f"{level.name}{count} [bypassed]")
        for text in _loops(own, problem):
            lines.append("  " * depth + "  for " + text)
            depth += 1
    lines.append("  " * depth + "  " + _operation(problem))
    return "\n".join(lines)


def _loops(level: LevelMapping, problem: Problem) -> Iterable[str]:
    """The loops of one level from the outermost inwards: temporal ones, then spatial ones along Y and X."""
    names = problem.shape.dimensions
    for dimension in reversed(level.permutation):
        if level.temporal[dimension] > 1:
            yield f"{names[dimension]} in 0..{level.temporal[dimension] - 1}"
    for position in range(len(names) - 1, -1, -1):
        dimension = level.spatial_permutation[position]
        if level.spatial[dimension] > 1:
            axis = "X" if position < level.split else "Y"
            yield f"{names[dimension]} in 0..{level.spatial[dimension] - 1} (spatial, {axis})"


def _operation(problem: Problem) -> str:
    result = next(space.name for space in problem.shape.data_spaces if space.read_write)
    operands = [space.name for space in problem.shape.data_spaces if not space.read_write]
    return f"{result} += {' × '.join(operands)}"


def render_evaluation(architecture: Architecture, problem: Problem, mapping: Mapping, evaluation: Evaluation) -> str:
    """Everything that `dse evaluate` says of a valid mapping."""
    return "\n\n".join(
        (
            render_nest(architecture, problem, mapping, evaluation),
            render_summary(architecture, problem, evaluation),
            _energy_table(problem, evaluation),
            _count_table(problem, evaluation),
        )
    )


def render_summary(architecture: Architecture, problem: Problem, evaluation: Evaluation) -> str:
    """The figures of a mapping in a few lines: what bounds its latency, and which levels take most of its energy."""
    bound = "compute"
    for level in evaluation.levels:
        if level.latency_cycles == evaluation.latency_cycles > evaluation.compute_cycles:
            bound = f"the bandwidth of {level.name} (compute alone: {evaluation.compute_cycles:,})"
    area = "not given" if evaluation.area_um2 is None else f"{evaluation.area_um2 / 1e6:.4g} mm²"
    return "\n".join(
        (
            f"latency      {evaluation.latency_cycles:,} cycles, bound by {bound}",
            f"energy       {format_energy(evaluation.energy_pj)}, {evaluation.energy_pj / problem.macs:.4g} pJ a MAC"
            f"{_most_of_it(evaluation)}",
            f"EDP          {evaluation.edp:.4e} pJ × cycles",
            f"utilization  {evaluation.utilization:.1%} of the MACs, {problem.macs:,} operations",
            f"area         {area}",
            *([] if architecture.costs == "pat" else [f"costs        {architecture.costs}"]),
        )
    )


def _most_of_it(evaluation: Evaluation) -> str:
    """The three largest parts of the energy, as text that follows its sum."""
    parts = {level.name: level.energy_pj + level.network_energy_pj for level in evaluation.levels}
    parts["MACs"] = evaluation.arithmetic_energy_pj
    largest = sorted(parts, key=lambda name: -parts[name])[:3]
    shares = [f"{name} {parts[name] / evaluation.energy_pj:.0%}" for name in largest if evaluation.energy_pj]
    return f": {', '.join(shares)}" if shares else ""


def _energy_table(problem: Problem, evaluation: Evaluation) -> str:
    names = [space.name for space in problem.shape.data_spaces]
    networks = any(level.network_energy_pj for level in evaluation.levels)
    header = ["energy (pJ)", *names, *(["network"] if networks else []), "all", "share"]

    def row(label: str, cells: list[float | None], total: float) -> list[str]:
        shown = ["-" if cell is None else f"{cell:,.0f}" for cell in cells]
        return [label, *shown, f"{total:,.0f}", f"{total / evaluation.energy_pj:.1%}" if evaluation.energy_pj else "-"]

    blank: list[float | None] = [None] * (len(names) + networks)
    rows = [row("MAC", blank, evaluation.arithmetic_energy_pj)]
    for level in evaluation.levels:
        cells: list[float | None] = [
            level.data_spaces[name].energy_pj if name in level.data_spaces else None for name in names
        ]
        cells += [level.network_energy_pj] if networks else []
        rows.append(row(level.name, cells, level.energy_pj + level.network_energy_pj))
    sums: list[float | None] = [
        sum(level.data_spaces[name].energy_pj for level in evaluation.levels if name in level.data_spaces)
        for name in names
    ]
    sums += [sum(level.network_energy_pj for level in evaluation.levels)] if networks else []
    rows.append(row("all", sums, evaluation.energy_pj))
    return format_table(header, rows)


def _count_table(problem: Problem, evaluation: Evaluation) -> str:
    rows = [
        [level.name, name, f"{cost.reads:,}", f"{cost.fills:,}", f"{cost.updates:,}", f"{level.latency_cycles:,}"]
        for level in evaluation.levels
        for name, cost in level.data_spaces.items()
    ]
    header = ["words per instance", "data space", "reads", "fills", "updates", "level's cycles"]
    return format_table(header, rows, left=2)
