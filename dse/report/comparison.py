"""Finished studies side by side, network by network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dse.report.front import costs, hypervolume, non_dominated, on_front
from dse.report.table import energy_unit, parameters_text, render_rows
from dse.report.totals import Total
from dse.specification.goals import Goals

__all__ = ["NetworkComparison", "StudySummary", "compare_network", "render_comparison"]


@dataclass(frozen=True, slots=True)
class StudySummary:
    """One study on one network.

    `hypervolume` is the share that its front dominates of the box between the best and the worst figures of all
    studies together, 0 to 1, more is better. `joint_front` counts its points on the front of all studies together;
    `dominated` those of its own front that another study's point dominates.
    """

    study: str
    variants: int
    complete: int
    front: int
    joint_front: int
    dominated: int
    least_cycles: float | None
    least_energy_pj: float | None
    least_edp: float | None
    hypervolume: float


@dataclass(frozen=True, slots=True)
class NetworkComparison:
    """All studies on one network; `joint` is the front of their union as (study, total), fastest first."""

    network: str
    studies: tuple[StudySummary, ...]
    joint: tuple[tuple[str, Total], ...]

    def to_dict(self) -> dict[str, Any]:
        """The object that `dse compare --json` prints for the network."""
        return {
            "network": self.network,
            "studies": [
                {
                    "study": summary.study,
                    "variants": summary.variants,
                    "complete": summary.complete,
                    "on_front": summary.front,
                    "on_joint_front": summary.joint_front,
                    "front_dominated": summary.dominated,
                    "least_cycles": summary.least_cycles,
                    "least_energy_pJ": summary.least_energy_pj,
                    "least_edp": summary.least_edp,
                    "hypervolume": summary.hypervolume,
                }
                for summary in self.studies
            ],
            "joint_front": [
                {
                    "study": study,
                    "variant": total.variant.name,
                    "parameters": dict(total.variant.parameters),
                    "cycles": total.cycles,
                    "energy_pJ": total.energy_pj,
                    "area_um2": total.area_um2,
                }
                for study, total in self.joint
            ],
        }


def compare_network(
    network: str, studies: Mapping[str, Collection[Total]], goals: Goals | None = None
) -> NetworkComparison:
    """Compare the totals of several studies on one network, in the objectives of `goals` (latency and energy)."""
    goals = goals or Goals()
    points = np.concatenate([costs(totals, goals) for totals in studies.values()])
    joint = non_dominated(points)
    known = points[~np.isnan(points).any(axis=1)]
    best, worst = (
        (known.min(axis=0), known.max(axis=0)) if len(known) else (np.zeros(points.shape[1]), np.ones(points.shape[1]))
    )
    box = float(np.prod(worst - best))
    summaries: list[StudySummary] = []
    front: list[tuple[str, Total]] = []
    start = 0
    for name, totals in studies.items():
        own = on_front(totals, goals)
        shared = [bool(flag) for flag in joint[start : start + len(totals)]]
        start += len(totals)
        front += [(name, total) for total, flag in zip(totals, shared, strict=True) if flag]
        complete = [total for total in totals if total.complete]
        summaries.append(
            StudySummary(
                name,
                len(totals),
                len(complete),
                sum(own),
                sum(shared),
                sum(mine and not kept for mine, kept in zip(own, shared, strict=True)),
                min((total.cycles for total in complete if total.cycles is not None), default=None),
                min((total.energy_pj for total in complete if total.energy_pj is not None), default=None),
                min((total.edp for total in complete if total.edp is not None), default=None),
                hypervolume(costs(totals, goals), worst) / box if box else 0.0,
            )
        )
    front.sort(key=lambda item: (item[1].cycles or 0, item[1].energy_pj or 0.0))
    return NetworkComparison(network, tuple(summaries), tuple(front))


def render_comparison(comparison: NetworkComparison) -> str:
    """The comparison as two tables: the studies, and their joint front."""
    size, unit = energy_unit(max((summary.least_energy_pj or 0.0 for summary in comparison.studies), default=0.0))
    header = ["study", "complete", "front", "joint front", "dominated", "least cycles"]
    header += [f"least energy [{unit}]", "least EDP [pJ cycles]", "hypervolume"]
    rows = [
        [
            summary.study,
            f"{summary.complete}/{summary.variants}",
            str(summary.front),
            str(summary.joint_front),
            str(summary.dominated),
            "-" if summary.least_cycles is None else f"{summary.least_cycles:,}",
            "-" if summary.least_energy_pj is None else f"{summary.least_energy_pj / size:,.4g}",
            "-" if summary.least_edp is None else f"{summary.least_edp:.4g}",
            f"{summary.hypervolume:.3f}",
        ]
        for summary in comparison.studies
    ]
    joint = [
        [
            f"{study} {total.variant.name}",
            parameters_text(total.variant.parameters.items()),
            f"{total.cycles:,}",
            f"{(total.energy_pj or 0.0) / size:,.4g}",
        ]
        for study, total in comparison.joint
    ]
    parts = [comparison.network, render_rows(header, rows)]
    if joint:
        parts += ["", "  Joint front:", render_rows(["variant", "parameters", "cycles", f"energy [{unit}]"], joint)]
    return "\n".join(parts)
