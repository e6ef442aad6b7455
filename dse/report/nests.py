"""Loop nests of stored mappings in a short form: what a page of thousands of them can hold."""

from __future__ import annotations

import json
import re
from functools import lru_cache

__all__ = ["short_nest"]

_FACTOR = re.compile(r"([A-Za-z]+)=?(?!1(?!\d))(\d+)")  # but those of 1


def short_nest(mapping: str) -> tuple[str, str]:
    """(loops, kept data spaces) of Timeloop's directives in JSON, per level from the outermost inwards, joined by `;`.

    Loops stand from the outermost inwards as `K4`, spatial ones with their axis behind them: `K4 P7 | C8x K2y`.
    """
    loops: dict[str, list[str]] = {}
    kept: dict[str, str] = {}
    for directive in json.loads(mapping):
        target, kind = directive["target"], directive.get("type")
        if kind == "bypass":
            kept[target] = f"{target}: {', '.join(directive['keep'])}"
        elif kind in ("temporal", "spatial"):
            texts = (directive["factors"], directive.get("permutation", ""))
            split = directive.get("split", len(texts[1])) if kind == "spatial" else None
            loops.setdefault(target, ["", ""])[kind == "spatial"] = _loops(*texts, split)
    order = list(loops)[::-1]
    nests = (" | ".join(filter(None, loops[level])) for level in order)
    return ";".join(nests), ";".join(kept.get(level, level) for level in order)


@lru_cache(maxsize=65536)
def _loops(factors: str, permutation: str, split: int | None) -> str:
    loops = [(permutation.find(name), name, bound) for name, bound in _FACTOR.findall(factors)]
    loops.sort(reverse=True)
    return " ".join([f"{name}{bound}{_axis(place, split)}" for place, name, bound in loops])


def _axis(place: int, split: int | None) -> str:
    return "" if split is None else "x" if place < split else "y"
