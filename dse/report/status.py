"""Where a sweep stands: its progress, why points have no mapping, and the front so far, while it runs or afterwards."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dse.report.front import costs, non_dominated
from dse.report.table import energy_unit, render_rows
from dse.report.totals import describe_failure, group_named, no_schedules, total_of
from dse.sweep.folder import StudyFolder
from dse.sweep.heartbeat import Heartbeat, read_heartbeat
from dse.sweep.plan import Plan
from dse.sweep.progress import format_seconds
from dse.sweep.reading import StoredVariant, read_study

__all__ = ["FailureReason", "FrontPoint", "StudyStatus", "render_status", "study_status"]

_MOST_REASONS = 10
_NUMBER = re.compile(r"\d[\d.,]*")


@dataclass(frozen=True, slots=True)
class FailureReason:
    """A reason that points have in common: how many, and the text of the first of them."""

    count: int
    termination: str
    example: str
    where: str


@dataclass(frozen=True, slots=True)
class FrontPoint:
    """A variant that is Pareto-optimal so far."""

    variant: str
    parameters: Mapping[str, int | float]
    cycles: float
    energy_pJ: float  # noqa: N815  (as every JSON of the project has it)
    area_um2: float | None


@dataclass(frozen=True, slots=True)
class StudyStatus:
    """The state of a study's folder. `running` is None where the sweep is another machine's: its heartbeat tells.

    Variants are those that the sweep has come to; a complete one has a mapping for every layer.
    """

    study: str
    running: bool | None
    heartbeat: Heartbeat | None
    variants: int
    complete: int
    pruned: int
    failures: tuple[FailureReason, ...]
    front: tuple[FrontPoint, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StudyStatus:
        """The status that `to_dict` gave. Raises KeyError or TypeError for anything else."""
        parts = {
            "heartbeat": None if data["heartbeat"] is None else Heartbeat(**data["heartbeat"]),
            "failures": tuple(FailureReason(**reason) for reason in data["failures"]),
            "front": tuple(FrontPoint(**point) for point in data["front"]),
        }
        return cls(**(dict(data) | parts))


def study_status(folder: StudyFolder) -> StudyStatus:
    """Read a folder, also while a sweep writes there. Raises InputError where it holds no study."""
    with read_study(folder) as study:
        plan = study.plan
        group = group_named(plan, None)
        reasons: dict[tuple[str, str], FailureReason] = {}
        complete: list[tuple[int, float, float, float | None]] = []
        compared: list[npt.NDArray[np.float64]] = []
        pruned = 0
        for stored in study:
            pruned += stored.row.status == "pruned" and no_schedules(plan, stored) is not None
            for termination, kind, example, where in _failures(plan, stored):
                known = reasons.get((termination, kind))
                count = 1 if known is None else known.count + 1
                reasons[termination, kind] = FailureReason(
                    count,
                    termination,
                    example if known is None else known.example,
                    where if known is None else known.where,
                )
            total = total_of(plan, stored, group)
            if total.cycles is not None and total.energy_pj is not None:
                complete.append((stored.variant.number, total.cycles, total.energy_pj, total.area_um2))
                compared.append(costs([total], plan.goals)[0])
        variants = len(study)
    flags = non_dominated(np.array(compared).reshape(len(compared), len(plan.goals.objectives)))
    best = [point for point, flag in zip(complete, flags, strict=True) if flag]
    front = [
        FrontPoint(plan.grid.name(number), plan.grid.parameters(number), cycles, energy_pj, area)
        for number, cycles, energy_pj, area in sorted(best, key=lambda point: (point[1], point[2], point[0]))
    ]
    heartbeat = read_heartbeat(folder.progress_file)
    return StudyStatus(
        plan.name,
        _running(folder, heartbeat),
        heartbeat,
        variants,
        len(complete),
        pruned,
        tuple(sorted(reasons.values(), key=lambda reason: (-reason.count, reason.termination, reason.example))),
        tuple(front),
    )


def _failures(plan: Plan, stored: StoredVariant) -> Iterable[tuple[str, str, str, str]]:
    """(termination, what makes failures alike, reason, where) of each point without a mapping."""
    if stored.row.status == "refused":
        reason = stored.row.reason or ""
        yield "no valid architecture", _NUMBER.sub("#", reason), reason, stored.variant.name
    for planned, result in zip(plan.problems, stored.results, strict=True):
        if result is not None and not result.valid:
            reason = describe_failure(result)
            layer = next(
                f"{network.name} {layer.name}"
                for network in plan.networks
                for layer in network.layers
                if plan.problems[layer.problem] is planned
            )
            kind = result.error_type or _NUMBER.sub("#", reason)
            yield result.termination, kind, reason, f"{stored.variant.name}, {layer}"


def _running(folder: StudyFolder, heartbeat: Heartbeat | None) -> bool | None:
    """Whether a sweep holds the folder: the kernel lists the locks of this machine, which nobody has to touch."""
    if heartbeat is not None and heartbeat.host != os.uname().nodename:
        return False if heartbeat.finished else None
    try:
        file = folder.lock_file.stat()
        locks = Path("/proc/locks").read_text(encoding="ascii")
    except OSError:
        return None
    place = f"{os.major(file.st_dev):02x}:{os.minor(file.st_dev):02x}:{file.st_ino}"
    return any("FLOCK" in line and place in line.split() for line in locks.splitlines())


def render_status(status: StudyStatus) -> str:
    """The status as a person reads it."""
    lines = [f"{status.study}: {_state(status)}"]
    if status.heartbeat is not None:
        lines.append(f"  {_progress(status.heartbeat, status.running is not False)}")
    pruned = f", {status.pruned} of them pruned by bounds" if status.pruned else ""
    lines.append(f"  {status.variants} variants looked at{pruned}; {status.complete} complete")
    if status.failures:
        lines += ["", f"Without a mapping ({sum(reason.count for reason in status.failures)}):"]
        rows = [
            (f"{reason.count:,}", reason.termination, f"{reason.example[:120]} ({reason.where})")
            for reason in status.failures[:_MOST_REASONS]
        ]
        lines.append(render_rows(("points", "ended", "the first of them"), rows))
        if len(status.failures) > _MOST_REASONS:
            lines.append(f"  and {len(status.failures) - _MOST_REASONS} reasons more")
    if status.front:
        size, unit = energy_unit(max(point.energy_pJ for point in status.front))
        header = ["variant", *status.front[0].parameters, "cycles", f"energy [{unit}]"]
        front = [
            (point.variant, *map(str, point.parameters.values()), f"{point.cycles:,}", f"{point.energy_pJ / size:,.4g}")
            for point in status.front
        ]
        lines += ["", f"The Pareto front {'so far' if status.running is not False else 'of these'}:"]
        lines.append(render_rows(header, front))
    return "\n".join(lines)


def _state(status: StudyStatus) -> str:
    beat = status.heartbeat
    if beat is None:
        return "running" if status.running else "not running"
    ago = f"{format_seconds(max(0.0, time.time() - beat.updated))} ago"
    if status.running:
        return f"running as process {beat.process} on {beat.host}"
    if beat.finished:
        return f"finished {ago}"
    if status.running is None:
        return f"on {beat.host}, last heard of {ago}"
    return f"not running; it stopped {ago}, and the same command goes on"


def _progress(beat: Heartbeat, running: bool) -> str:
    text = f"{beat.done}/{beat.total} schedules ({100 * beat.done / max(beat.total, 1):.0f} %)"
    if beat.pruned:
        text += f", {beat.pruned} saved by bounds"
    if beat.without_mapping:
        text += f", {beat.without_mapping} without a mapping"
    text += f"; {beat.ran} run in {format_seconds(beat.seconds)}"
    if running and not beat.finished:
        if beat.per_second:
            text += f", {beat.per_second:.1f} a second"
        if beat.seconds_left is not None:
            text += f", {format_seconds(beat.seconds_left)} left"
    return text
