"""The results of a study as rows, and rows as CSV, JSON lines or Parquet.

Rows are sorted by their key (variant, then network and layer in the order of the study) and hold no times unless asked
for, so two exports of the same study are equal byte for byte. They are made and written one after the other.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from operator import itemgetter
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from dse.errors import InputError
from dse.report.front import costs, non_dominated, objective_value
from dse.report.operating_points import operating_points
from dse.report.totals import StudyTotals, Total, describe_failure, groups_of, no_schedules
from dse.specification.goals import Goals
from dse.specification.objectives import OBJECTIVES
from dse.sweep.plan import Plan
from dse.sweep.reading import StoredStudy
from dse.sweep.task import Result

__all__ = [
    "Row",
    "columns_of",
    "flattened",
    "layer_rows",
    "objective_row",
    "operating_rows",
    "variant_rows",
    "write_rows",
]

Row = dict[str, Any]

_ROWS_A_GROUP = 50_000  # of Parquet


def layer_rows(study: StoredStudy, timings: bool = False) -> Iterator[Row]:
    """One row per variant, network and layer. Costs are of the layer once; `count` says how often it occurs.

    A mapping is the text of Timeloop's directives in JSON.
    """
    plan = study.plan
    for stored in study:
        reason = no_schedules(plan, stored)
        for network in plan.networks:
            for layer in network.layers:
                result = stored.results[layer.problem]
                row: Row = {
                    "variant": stored.variant.name,
                    "parameters": dict(stored.variant.parameters),
                    "network": network.name,
                    "layer": layer.name,
                    "count": layer.count,
                    "macs": plan.problems[layer.problem].macs,
                    "valid": result is not None and result.valid,
                    **{
                        name: None if result is None else getattr(result, attribute)
                        for name, attribute in _RESULT_COLUMNS.items()
                    },
                    **({"costs": plan.costs["label"]} if plan.costs else {}),
                    "termination": _termination(stored.row.status, result, reason),
                    "error": reason if result is None or result.valid else describe_failure(result),
                    "mapping": None if result is None else result.mapping,
                }
                if timings:
                    row["solve_seconds"] = None if result is None else result.solve_seconds
                    row["total_seconds"] = None if result is None else result.total_seconds
                yield row


def _termination(status: str | None, result: Result | None, reason: str | None) -> str:
    if result is not None:
        return result.termination
    if reason is None:
        return "not scheduled"
    return "pruned" if status == "pruned" else "no architecture"


_RESULT_COLUMNS = {
    "cycles": "cycles",
    "energy_pJ": "energy_pj",
    "utilization": "utilization",
    "area_um2": "area_um2",
    "objective": "objective",
    "value": "value",
    "lower_bound": "lower_bound",
    "gap": "gap",
    "solver": "solver",
    "evaluator": "evaluator",
}


def variant_rows(totals: StudyTotals, timings: bool = False) -> Iterator[Row]:
    """One row per variant and network, and one over all networks where there are several."""
    fronts = _fronts(totals)
    goals = totals.plan.goals
    for index, of_variant in enumerate(totals):
        for total, front in zip(of_variant.totals, fronts, strict=True):
            row = _variant_row(total, bool(front[index]), goals)
            yield row | {"total_seconds": of_variant.seconds} if timings else row


def _fronts(totals: StudyTotals) -> list[npt.NDArray[np.bool_]]:
    """Per group of networks, which variants are on its front."""
    points = costs((total for of_variant in totals for total in of_variant.totals), totals.plan.goals)
    return [non_dominated(points[position :: len(totals.groups)]) for position in range(len(totals.groups))]


def _variant_row(total: Total, flag: bool, goals: Goals) -> Row:
    return {
        "variant": total.variant.name,
        "parameters": dict(total.variant.parameters),
        "network": total.network,
        "layers": total.layers,
        "complete": total.complete,
        "on_front": flag,
        "cycles": total.cycles,
        "energy_pJ": total.energy_pj,
        "edp": total.edp,
        "value": total.value,
        "lower_bound": total.lower_bound,
        "gap": total.gap,
        "area_um2": total.area_um2,
        **objective_row(total, goals),
        "error": "; ".join(total.missing) or None,
    }


def objective_row(total: Total, goals: Goals) -> Row:
    """What the goals of a study ask for beside the figures that every row has."""
    row: Row = {
        objective.column: objective_value(total, objective, goals)
        for objective in OBJECTIVES.values()
        if objective.column in _goal_columns(goals)
    }
    return row | ({"over_budget": "; ".join(total.over_budget) or None} if goals.budgets else {})


def _goal_columns(goals: Goals) -> list[str]:
    """Columns for objectives, and for what budgets limit, that are in no row of a study without them."""
    columns = [objective.column for name, objective in OBJECTIVES.items() if name in goals.asked]
    return [
        *(column for column in columns if column not in _VARIANT_COLUMNS),
        *(["over_budget"] * bool(goals.budgets)),
    ]


def operating_rows(study: StoredStudy) -> Iterator[Row]:
    """One row per operating point of every variant, of each network and of all together where there are several.

    Raises InputError where the study asks for none.
    """
    goals = study.plan.goals
    if not goals.operating_points:
        raise InputError("the study asks for no operating points: give it operating_points: 4")
    for group in groups_of(study.plan):
        name = group.name if len(group.networks) == 1 else None
        points = list(operating_points(study, name))
        flags = non_dominated(costs((point.total for point in points), goals))
        for point, flag in zip(points, flags, strict=True):
            row = _variant_row(point.total, bool(flag), goals)
            least = {
                "least_energy_pJ": row.pop("lower_bound"),
                "choices": json.dumps(point.choices, ensure_ascii=False),
            }
            kept = {column: row[column] for column in row if column not in ("layers", "complete", "value", "error")}
            yield {"variant": kept.pop("variant"), "point": point.number} | kept | least


def columns_of(plan: Plan, level: str, timings: bool = False) -> list[str]:
    """Names of the columns of a level's rows."""
    parameters = [f"parameters.{name}" for name in plan.parameters]
    if level == "operating-point":
        figures = ("network", "on_front", "cycles", "energy_pJ", "edp", "gap", "area_um2")
        return ["variant", "point", *parameters, *figures, *_goal_columns(plan.goals), "least_energy_pJ", "choices"]
    if level == "variant":
        asked = [*_VARIANT_COLUMNS, *_goal_columns(plan.goals), "error"]
        return ["variant", *parameters, *asked, *(["total_seconds"] * timings)]
    seconds = ["solve_seconds", "total_seconds"] * timings
    costs = _RESULT_COLUMNS if not plan.costs else (*_RESULT_COLUMNS, "costs")
    return ["variant", *parameters, *_LAYER_COLUMNS, *costs, "termination", "error", "mapping", *seconds]


_LAYER_COLUMNS = ("network", "layer", "count", "macs", "valid")
_VARIANT_COLUMNS = (
    *("network", "layers", "complete", "on_front", "cycles", "energy_pJ", "edp"),
    *("value", "lower_bound", "gap", "area_um2"),
)


def write_rows(rows: Iterable[Row], file_format: str, columns: Sequence[str], plan: Plan, file: IO[bytes]) -> None:
    """Write the rows into a file that is open. In CSV and Parquet `parameters` become columns, `mapping` stays text."""
    writers: dict[str, Callable[[Iterable[Row], Sequence[str], Plan, IO[bytes]], None]]
    writers = {"csv": _write_csv, "jsonl": _write_jsonl, "parquet": _write_parquet}
    writers[file_format](rows, columns, plan, file)


def flattened(row: Row) -> Row:
    """The row with a column `parameters.NAME` for each parameter."""
    flat: Row = {}
    for name, value in row.items():
        if name == "parameters":
            flat |= {f"parameters.{parameter}": number for parameter, number in value.items()}
        else:
            flat[name] = value
    return flat


def _write_jsonl(rows: Iterable[Row], columns: Sequence[str], plan: Plan, file: IO[bytes]) -> None:
    for row in rows:
        mapping = {"mapping": json.loads(row["mapping"])} if row.get("mapping") else {}
        file.write(json.dumps(row | mapping, ensure_ascii=False).encode() + b"\n")


def _write_csv(rows: Iterable[Row], columns: Sequence[str], plan: Plan, file: IO[bytes]) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    in_order = itemgetter(*columns)
    for row in rows:
        flat = flattened(row)
        flat |= {name: str(flat[name]).lower() for name in _FLAGS if name in flat}
        writer.writerow(in_order(flat))
    text.flush()
    text.detach()


def _write_parquet(rows: Iterable[Row], columns: Sequence[str], plan: Plan, file: IO[bytes]) -> None:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    goals = plan.goals
    whole = goals.combine == "sum" and all(float(weight).is_integer() for weight in goals.weights.values())
    types = dict.fromkeys(("count", "macs", "layers", "point", *(["cycles"] * whole)), pa.int64())
    types |= dict.fromkeys(_FLAGS, pa.bool_())
    types |= dict.fromkeys(_TEXTS, pa.string())
    types |= {
        f"parameters.{name}": pa.int64()
        for name, values in plan.parameters.items()
        if all(isinstance(value, int) for value in values)
    }
    schema = pa.schema([(name, types.get(name, pa.float64())) for name in columns])
    flat = map(flattened, rows)
    with pq.ParquetWriter(file, schema) as writer:
        for first in flat:
            group = list(chain((first,), islice(flat, _ROWS_A_GROUP - 1)))
            writer.write_table(pa.Table.from_pylist(group, schema=schema))


_FLAGS = ("valid", "complete", "on_front")
_TEXTS = (
    "variant",
    "network",
    "layer",
    "objective",
    "solver",
    "evaluator",
    "costs",
    "termination",
    "error",
    "mapping",
    "choices",
    "over_budget",
)
