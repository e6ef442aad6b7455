"""Rows as a pandas DataFrame, for notebooks. pandas is an extra (`frames`), loaded where it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from dse.errors import ToolError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["frame"]


def frame(rows: Iterable[Mapping[str, Any]], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """One line for each row; `columns` are those of a frame without any.

    Whole numbers stay whole where some are missing. Raises ToolError where pandas is missing.
    """
    try:
        import pandas as pd  # noqa: PLC0415  (an extra, and half a second)
    except ImportError as error:
        raise ToolError("to_frame() needs pandas, which is not installed: pip install 'dse[frames]'") from error
    listed = list(rows)
    made = pd.DataFrame(listed, columns=columns)
    for name in made.columns:
        values = [row.get(name) for row in listed]
        known = [value for value in values if value is not None]
        if known and len(known) < len(values) and all(type(value) is int for value in known):
            made[name] = pd.array(values, dtype="Int64")
    return made
