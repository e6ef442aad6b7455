"""Mapspaces: what a scheduler may choose from. Timeloop's `mapspace: constraints:`, as CoSA's files give it."""

from __future__ import annotations

from dataclasses import dataclass

from dse.specification.architecture import Architecture
from dse.specification.document import Document, KeyPath
from dse.specification.fields import Reader, Section, describe, nearest
from dse.specification.mapping import read_data_spaces
from dse.specification.problem import Shape

__all__ = ["Mapspace", "parse_mapspace"]


@dataclass(frozen=True, slots=True)
class Mapspace:
    """All perfect factorisations, every loop order, each level's spatial factors within its own fan-out.

    `keep[level][data space]` is the bypass pattern, levels innermost first.
    """

    keep: tuple[tuple[bool, ...], ...]


def parse_mapspace(
    document: Document,
    data: object | None,
    architecture: Architecture,
    shape: Shape,
    path: KeyPath = ("mapspace",),
) -> Mapspace:
    """A mapspace from the content of `mapspace:`, or everything kept everywhere where `data` is None.

    Raises InputError with every fault: unknown levels or data spaces, constraints other than a bypass pattern, a data
    space that no level keeps, a level that keeps and bypasses the same one.
    """
    reader = Reader(document)
    keep = [[True] * len(shape.data_spaces) for _ in architecture.storage]
    entries: list[object] = []
    if data is not None:
        section = reader.section(data, path)
        section.text("version", None)
        entries = section.items("constraints", required=False)
        section.finish()
    for position, entry in enumerate(entries):
        item = reader.section(entry, (*path, "constraints", position))
        item.required_text("type", choices=("datatype", "bypass"))
        target = item.required_text("target")
        kept, bypassed = (_data_spaces(item, key, shape) for key in ("keep", "bypass"))
        item.finish()
        if target and target not in architecture.level_index:
            item.fault("target", f"unknown storage level {describe(target)}{nearest(target, architecture.level_index)}")
            continue
        for space, (wanted, refused) in enumerate(zip(kept, bypassed, strict=True)):
            if wanted and refused:
                item.fault("bypass", f"{shape.data_spaces[space].name} is kept and bypassed at once")
            elif target and (wanted or refused):
                keep[architecture.level_index[target]][space] = wanted
    for space, data_space in enumerate(shape.data_spaces):
        if not any(level[space] for level in keep):
            reader.fault(path, f"{data_space.name} is bypassed at every storage level")
    reader.raise_faults()
    return Mapspace(tuple(map(tuple, keep)))


def _data_spaces(section: Section, key: str, shape: Shape) -> tuple[bool, ...]:
    _, names = section.raw(key)
    flags, wrong = read_data_spaces(names, shape)
    if wrong:
        section.fault(key, wrong)
    return flags
