"""Loop nests of stored mappings in a short form: what a page of thousands of them can hold."""

from __future__ import annotations

import json
from functools import lru_cache

__all__ = ["short_nest"]

_FACTOR_ONE = "1"


def short_nest(mapping: str) -> tuple[str, str]:
    """(loops, kept data spaces) of Timeloop's directives in JSON, per level from the outermost inwards, joined by `;`.

    Loops stand from the outermost inwards as `K4`, spatial ones with their axis behind them: `K4 P7 | C8x K2y`.
    """
    loops: dict[str, list[str]] = {}
    kept: dict[str, str] = {}
    for directive in json.loads(mapping):
        target, kind = directive["target"], directive["type"]
        if kind == "bypass":
            kept[target] = f"{target}: {', '.join(directive['keep'])}"
            continue
        own = loops.setdefault(target, ["", ""])
        own[kind == "spatial"] = _loops(directive["factors"], directive["permutation"], directive.get("split"))
    order = list(loops)[::-1]
    texts = (" | ".join(filter(None, (own[0], own[1]))) if own[1] else own[0] for own in map(loops.__getitem__, order))
    return ";".join(texts), ";".join(kept.get(level, level) for level in order)


@lru_cache(maxsize=65536)
def _loops(factors: str, permutation: str, split: int | None) -> str:
    bounds = dict(factor.split("=") for factor in factors.split())
    found = [
        f"{name}{bounds[name]}{'' if split is None else 'x' if place < split else 'y'}"
        for place, name in enumerate(permutation)
        if bounds[name] != _FACTOR_ONE
    ]
    return " ".join(reversed(found))
