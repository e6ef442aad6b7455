"""The results of a study as rows, and rows as CSV, JSON lines or Parquet.

Rows are sorted by their key (variant, then network and layer in the order of the study) and hold no times unless asked
for, so two exports of the same study are equal byte for byte.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from dse.report.front import on_front
from dse.report.totals import describe_failure, network_totals, study_totals
from dse.sweep.plan import Plan
from dse.sweep.task import Result

__all__ = ["Row", "layer_rows", "variant_rows", "write_rows"]

Row = dict[str, Any]


def layer_rows(plan: Plan, results: Mapping[str, Result], timings: bool = False) -> list[Row]:
    """One row per variant, network and layer. Costs are of the layer once; `count` says how often it occurs."""
    rows: list[Row] = []
    for index, variant in enumerate(plan.variants):
        for network in plan.networks:
            for layer in network.layers:
                result = results.get(plan.key(index, layer.problem))
                row: Row = {
                    "variant": variant.name,
                    "parameters": dict(variant.parameters),
                    "network": network.name,
                    "layer": layer.name,
                    "count": layer.count,
                    "macs": plan.problems[layer.problem].macs,
                    "valid": result is not None and result.valid,
                    **{
                        name: None if result is None else getattr(result, attribute)
                        for name, attribute in _RESULT_COLUMNS.items()
                    },
                    "termination": "not scheduled" if result is None else result.termination,
                    "error": None if result is None or result.valid else describe_failure(result),
                    "mapping": None if result is None or result.mapping is None else json.loads(result.mapping),
                }
                if timings:
                    row["solve_seconds"] = None if result is None else result.solve_seconds
                    row["total_seconds"] = None if result is None else result.total_seconds
                rows.append(row)
    return rows


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


def variant_rows(plan: Plan, results: Mapping[str, Result], timings: bool = False) -> list[Row]:
    """One row per variant and network, and one over all networks where there are several."""
    groups = [network_totals(plan, results, network) for network in plan.networks]
    if len(groups) > 1:
        groups.append(study_totals(plan, results))
    seconds = _seconds_of_variants(plan, results)
    rows: list[tuple[int, int, Row]] = []
    for position, totals in enumerate(groups):
        for index, (total, flag) in enumerate(zip(totals, on_front(totals), strict=True)):
            row: Row = {
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
                "error": "; ".join(total.missing) or None,
            }
            if timings:
                row["total_seconds"] = seconds[index]
            rows.append((index, position, row))
    return [row for _, _, row in sorted(rows, key=lambda item: item[:2])]


def _seconds_of_variants(plan: Plan, results: Mapping[str, Result]) -> list[float]:
    """Per variant, the seconds that its distinct layers took to schedule."""
    return [
        sum(
            result.total_seconds or 0.0
            for problem in range(len(plan.problems))
            if (result := results.get(plan.key(index, problem))) is not None
        )
        for index in range(len(plan.variants))
    ]


def write_rows(rows: Sequence[Row], file_format: str, like: Row | None = None) -> bytes:
    """The rows as the content of a file. In CSV and Parquet `parameters` become columns and `mapping` is JSON text.

    `like` is a row that gives the columns where there may be no rows.
    """
    if file_format == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    flat = [_flattened(row) for row in rows]
    columns = list(_flattened(like or rows[0]))
    return _csv(flat, columns) if file_format == "csv" else _parquet(flat, columns)


def _flattened(row: Row) -> Row:
    flat: Row = {}
    for name, value in row.items():
        if name == "parameters":
            flat |= {f"parameters.{parameter}": number for parameter, number in value.items()}
        elif name == "mapping":
            flat[name] = None if value is None else json.dumps(value, separators=(",", ":"))
        else:
            flat[name] = value
    return flat


def _csv(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _csv_cell(value) for name, value in row.items()})
    return text.getvalue().encode()


def _csv_cell(value: Any) -> Any:
    return str(value).lower() if isinstance(value, bool) else value


def _parquet(rows: Sequence[Row], columns: Sequence[str]) -> bytes:
    import pyarrow as pa  # noqa: PLC0415
    import pyarrow.parquet as pq  # noqa: PLC0415

    types = dict.fromkeys(("count", "macs", "layers", "cycles"), pa.int64())
    types |= dict.fromkeys(("valid", "complete", "on_front"), pa.bool_())
    types |= dict.fromkeys(_TEXTS, pa.string())
    types |= {name: pa.int64() for name in columns if name.startswith("parameters.") and _whole(rows, name)}
    schema = pa.schema([(name, types.get(name, pa.float64())) for name in columns])
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=schema), sink)
    content: bytes = sink.getvalue().to_pybytes()
    return content


_TEXTS = ("variant", "network", "layer", "objective", "solver", "evaluator", "termination", "error", "mapping")


def _whole(rows: Sequence[Row], name: str) -> bool:
    return all(isinstance(row[name], int) for row in rows)
