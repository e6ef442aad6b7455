"""Constraints and mappings of Timeloop's formats v0.2 to v0.4 as entries of v0.1.

Factors and permutations may be lists, `dataspace` means `bypass`, and a few short forms are written out. What the
scheduler cannot keep to is refused; an empty list asks for nothing.
"""

from __future__ import annotations

import re
from typing import Any

from dse.specification.document import KeyPath
from dse.specification.fields import Section, describe

__all__ = ["KINDS", "read_constraint", "write_loops"]

KINDS = {"datatype": "bypass", "bypass": "bypass", "bypassing": "bypass", "dataspace": "bypass"}

_SEPARATOR = re.compile(r",(?=\s*[A-Za-z])")  # of factors, not of the two numbers of an imperfect one

_REFUSED = {
    "no_reuse": "multicast, reduction and reuse are always on",
    "no_temporal_reuse": "reuse is always on",
    "no_multicast_no_reduction": "multicast and reduction are always on",
    "no_link_transfer": "links are always on",
    "no_coalesce": "accesses are always coalesced",
    "rmw_first_update": "the first update is always a write",
    "maximize_dims": "give the factors, or limits such as K<=16",
    "maximize_dims_capacity": "give the factors, or limits such as K<=16",
    "no_iteration_over_dataspaces": "give the factors of their dimensions, such as K=1",
    "must_iterate_over_dataspaces": "give the factors of the other dimensions, such as K=1",
    "default_min_factor": "give the factors",
    "remainders": "imperfect factors are not supported",
}


def read_constraint(section: Section, kind: str, target: str) -> tuple[dict[str, Any], dict[str, KeyPath]]:
    """(entry of `mapspace: constraints:`, the places of its keys) of a constraint; faults go to its reader."""
    content: dict[str, Any] = {"target": target, "type": KINDS.get(kind, kind)}
    origins: dict[str, KeyPath] = {"target": section.path, "type": section.path}
    for key in section.data:
        path = (*section.path, key)
        _, value = section.raw(key)
        if key in ("target", "type", "name"):
            continue
        if key in _REFUSED:
            if value:
                section.fault(key, f"not supported: {_REFUSED[key]}")
        elif kind in ("spatial", "temporal"):
            _read_loops(section, key, value, content, origins)
        elif key in ("keep", "bypass"):
            if value:
                content[key], origins[key] = value, path
        elif key in ("keep_only", "bypass_only"):
            own, other = ("keep", "bypass") if key == "keep_only" else ("bypass", "keep")
            content |= {own: value, other: ["*"]}
            origins |= {own: path, other: path}
        else:
            section.fault(key, "unknown key; allowed: keep, bypass, keep_only, bypass_only")
    return content, origins


def _read_loops(section: Section, key: str, value: Any, content: dict[str, Any], origins: dict[str, KeyPath]) -> None:
    if key in ("factors", "permutation", "factors_only"):
        text = write_loops(section, key, value)
        name = "factors" if key == "factors_only" else key
        if text:
            content[name] = f"{content[name]} {text}" if name in content else text
            origins[name] = (*section.path, key)
        if key == "factors_only":
            content["default_max_factor"] = 1
            origins["default_max_factor"] = (*section.path, key)
    elif key in ("default_max_factor", "split"):
        content[key], origins[key] = value, (*section.path, key)
    else:
        section.fault(key, "unknown key; allowed: factors, factors_only, permutation, default_max_factor, split")


def write_loops(section: Section, key: str, value: Any) -> Any:
    """Factors or a permutation, a text or a list, as the text of v0.1."""
    if isinstance(value, list):
        wrong = [item for item in value if not isinstance(item, str)]
        if wrong:
            section.fault(key, f"expected texts, got {describe(wrong[0])}")
            return ""
        value = (" " if key.startswith("factors") else "").join(value)
    if not isinstance(value, str):
        return value  # the reader of v0.1 says what is wrong
    if ">=" in value:
        section.fault(key, "least factors (>=) are not supported: give the factor, or a limit such as K<=16")
        return ""
    return _SEPARATOR.sub(" ", value)
