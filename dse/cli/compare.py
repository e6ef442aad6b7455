"""`dse compare`: two or more studies side by side, or two or more variants of them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dse.cli.costs import warn_of_sources
from dse.errors import InputError

if TYPE_CHECKING:
    from dse.report.comparison import NetworkComparison
    from dse.report.pair import PairComparison
    from dse.report.totals import Total
    from dse.specification.goals import Goals
    from dse.sweep.reading import StoredStudy

__all__ = ["command"]

_PROVEN = ("latency", "energy", "edp")

Totals = dict[str, dict[str, "Collection[Total]"]]
"""Network -> study -> totals."""


@click.command()
@click.argument("studies", nargs=-1, required=True, metavar="DIR DIR... | DIR:VARIANT DIR:VARIANT...")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of tables.")
def command(studies: tuple[str, ...], as_json: bool) -> int:
    """Which of two is better, how sure that is, and why.

    Studies are compared network by network: their fronts, the best of each at equal area, energy and latency, and the
    variants of least EDP with each other. Variants (DIR:v07 DIR:v12) are compared layer by layer: verdicts with what
    is proven, the layers that make the difference, and the energy and accesses of each level. The first one is
    compared with each of the others.
    """
    if len(studies) < 2:
        raise click.UsageError("give two folders or more, or two variants DIR:VARIANT")
    if len(set(studies)) < len(studies):
        raise click.UsageError("one of them stands twice")
    named = [_split(text) for text in studies]
    with ExitStack() as stack:
        if all(variant is not None for _, variant in named):
            answer, text = _variants(stack, [(path, variant or "") for path, variant in named])
        elif all(variant is None for _, variant in named):
            answer, text = _studies(stack, [path for path, _ in named])
        else:
            raise click.UsageError("compare studies with studies, or variants with variants")
    click.echo(json.dumps(answer) if as_json else text)
    return 0


def _split(text: str) -> tuple[Path, str | None]:
    """(folder, variant or None): DIR:VARIANT where there is no folder of the whole name."""
    folder, colon, variant = text.rpartition(":")
    if not colon or not folder or not variant or Path(text).exists():
        return Path(text), None
    return Path(folder), variant


def _opened(stack: ExitStack, path: Path) -> StoredStudy:
    from dse.sweep.reading import read_study

    return stack.enter_context(read_study(path))


def _variants(stack: ExitStack, named: Sequence[tuple[Path, str]]) -> tuple[dict[str, Any], str]:
    """The first variant with each of the others, on every network that both studies have."""
    from dse.report.pair import Side, compare_pair
    from dse.report.pair_text import render_pair
    from dse.report.selection import variant_named
    from dse.sweep.variants import StudyVariants

    opened: dict[Path, tuple[StoredStudy, StudyVariants]] = {}
    sides: list[Side] = []
    short = _short(dict.fromkeys(str(path) for path, _ in named))
    for path, variant in named:
        if path not in opened:
            study = _opened(stack, path)
            opened[path] = (study, StudyVariants(study.plan))
        study, variants = opened[path]
        stored = variant_named(study, variant)
        name = stored.variant.name
        sides.append(Side(name if len(short) == 1 else f"{short[str(path)]}:{name}", study.plan, stored, variants))
    warn_of_sources(side.plan for side in sides)
    first, *others = sides
    pairs: list[PairComparison] = []
    parts: list[str] = []
    for other in others:
        theirs = {network.name for network in other.plan.networks}
        shared = [network.name for network in first.plan.networks if network.name in theirs]
        if not shared:
            raise InputError(f"{first.label} and {other.label} share no network")
        proves = all(side.plan.options["objective"] in _PROVEN for side in (first, other))
        for name in shared:
            pair = compare_pair(name, first, other)
            pairs.append(pair)
            parts.append(render_pair(pair, proves))
    return {"pairs": [pair.to_dict() for pair in pairs]}, "\n\n".join(parts)


def _studies(stack: ExitStack, paths: Sequence[Path]) -> tuple[dict[str, Any], str]:
    """The fronts of all, and the first study with each of the others at equal budgets and by its best variant."""
    from dse.report.comparison import compare_network, render_comparison
    from dse.report.totals import totals_named
    from dse.specification.goals import Goals

    opened = {str(path): _opened(stack, path) for path in paths}
    warn_of_sources(study.plan for study in opened.values())
    studies: Totals = {}
    asked: list[Goals] = []
    for name, study in opened.items():
        asked.append(study.plan.goals)
        for network in study.plan.networks:
            studies.setdefault(network.name, {})[name] = totals_named(study, network.name)
    shared = {name: of_network for name, of_network in studies.items() if len(of_network) > 1}
    if not shared:
        raise InputError(f"no two of these studies share a network (found: {', '.join(studies)})")
    alike = all((own.objectives, own.clock_mhz) == (asked[0].objectives, asked[0].clock_mhz) for own in asked)
    goals = asked[0] if alike else Goals()
    answers: list[dict[str, Any]] = []
    parts: list[str] = []
    for name, of_network in shared.items():
        comparison = compare_network(name, of_network, goals)
        answer, text = _pairs_of_studies(comparison, opened, of_network)
        answers.append(comparison.to_dict() | answer)
        parts.append(f"{render_comparison(comparison)}\n\n{text}")
    return {"networks": answers}, "\n\n".join([*parts, *_notes(goals, alike, studies, shared)])


def _notes(goals: Goals, alike: bool, studies: Totals, shared: Totals) -> list[str]:
    """What the tables do not say."""
    from dse.specification.goals import Goals

    notes = []
    if not alike:
        notes.append("The studies have objectives of their own: compared by latency and energy.")
    elif goals.objectives != Goals().objectives:
        notes.append(f"Compared by {', '.join(goals.objectives)}.")
    alone = sorted(studies.keys() - shared.keys())
    if alone:
        notes.append(f"In one study only: {', '.join(alone)}")
    notes.append(
        "dominated: points of a study's front that a point of another dominates; hypervolume: share that a front\n"
        "dominates of the box between the best and the worst figures of all variants; more is better."
    )
    return notes


def _pairs_of_studies(
    comparison: NetworkComparison, opened: dict[str, StoredStudy], of_network: dict[str, Collection[Total]]
) -> tuple[dict[str, Any], str]:
    """At equal budgets, and the variants of least EDP: the first study of the network with each of the others."""
    from dse.report.iso import compare_iso
    from dse.report.pair import same_layers
    from dse.report.pair_text import render_iso, render_pair
    from dse.report.selection import pruned_elsewhere

    first, *others = of_network
    short = _short(opened)
    volumes = {summary.study: summary.hypervolume for summary in comparison.studies}
    answers: list[dict[str, Any]] = []
    parts: list[str] = []
    for other in others:
        pair = (first, other)
        objectives = [str(opened[name].plan.options["objective"]) for name in pair]
        iso = compare_iso(
            (short[first], of_network[first], objectives[0]),
            (short[other], of_network[other], objectives[1]),
        )
        difference = volumes[first] - volumes[other]
        lines = [f"  Hypervolume: {short[first]} {difference:+.3f} against {short[other]}"]
        lines += [render_iso(own, (short[first], short[other])) for own in iso]
        unseen = sum(pruned_elsewhere(opened[name].plan.goals, of_network[name]) for name in pair)
        if unseen:
            lines.append(
                f"  {unseen} variants were pruned as no part of their study's front; at equal area one of them may\n"
                "  do better than what is shown: make area an objective of the study, or sweep with --no-prune."
            )
        if not same_layers(opened[first].plan, opened[other].plan, comparison.network):
            lines.append(
                f"  The two studies mean different layers by {comparison.network}: unlike networks are compared."
            )
        best = _best_pair(comparison.network, opened, of_network, pair)
        if best is not None:
            proves = all(objective in _PROVEN for objective in objectives)
            lines += ["  The variants of least EDP:", render_pair(best, proves)]
        answers.append(
            {
                "studies": list(pair),
                "hypervolume_difference": difference,
                "iso": [own.to_dict() for own in iso],
                "least_edp": None if best is None else best.to_dict(),
            }
        )
        parts.append("\n\n".join(lines))
    return {"comparisons": answers}, "\n\n".join(parts)


def _short(paths: Collection[str]) -> dict[str, str]:
    """Folder -> its name, where no other folder has the same."""
    names = [Path(path).name for path in paths]
    return {path: path if names.count(Path(path).name) > 1 else Path(path).name for path in paths}


def _best_pair(
    network: str, opened: dict[str, StoredStudy], of_network: dict[str, Collection[Total]], pair: tuple[str, str]
) -> PairComparison | None:
    """The variants of least EDP of two studies; None where one has no complete variant, or the layers differ."""
    from dse.report.pair import Side, compare_pair, same_layers
    from dse.sweep.variants import StudyVariants

    sides = []
    short = _short(opened)
    for name in pair:
        complete = [(total.edp, total.variant) for total in of_network[name] if total.edp is not None]
        if not complete:
            return None
        _, variant = min(complete, key=lambda item: (item[0], item[1].number))
        plan = opened[name].plan
        (stored,) = opened[name].chosen([variant.number])
        sides.append(Side(f"{short[name]}:{variant.name}", plan, stored, StudyVariants(plan)))
    return compare_pair(network, sides[0], sides[1]) if same_layers(sides[0].plan, sides[1].plan, network) else None
