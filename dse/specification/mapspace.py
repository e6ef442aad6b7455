"""Mapspaces: what a scheduler may choose from, as Timeloop's `mapspace: constraints:` say it.

The format is that of 019f107, src/mapping/constraints.cpp; docs/mapspace.md has examples and what differs. One mapspace
serves layers of several shapes: what it says of a dimension or data space that a shape lacks is passed over, as long as
the name is one of a kindred shape or declared, so that a misspelt one stays a fault.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from dse.specification.architecture import Architecture
from dse.specification.document import Document, KeyPath
from dse.specification.fields import Reader, Section, describe, nearest
from dse.specification.mapping import read_data_spaces, read_permutation
from dse.specification.problem import SHAPES, Shape

__all__ = ["LoopConstraint", "Mapspace", "parse_mapspace"]

# No two neighbours of these patterns match the same character: a text that fails does so in linear time.
_FACTOR = re.compile(r"([A-Za-z]+)\s*(<=|=*)\s*([0-9]+)")
_FACTORS = re.compile(r"\s*(?:[A-Za-z]+\s*(?:<=\s*|=+\s*)?[0-9]{1,18}[\s;]*)*")


@dataclass(frozen=True, slots=True)
class LoopConstraint:
    """What one loop nest is held to: the temporal loops of a storage level, or its spatial ones.

    `factors` and `limits` have one entry a dimension: the tiling factor (0: the whole bound; more than the bound: the
    bound) and the largest one; None: free. The loops of the dimensions in `permutation` stand innermost, in that order;
    a dimension with factor 1 has no loop. `split` counts the dimensions of the spatial permutation that lie along X,
    those with factor 1 included; None: free.
    """

    level: int
    spatial: bool
    factors: tuple[int | None, ...]
    limits: tuple[int | None, ...]
    permutation: tuple[int, ...] = ()
    split: int | None = None

    def range_of(self, dimension: int, bound: int) -> tuple[int, int]:
        """(least, largest) factor of a dimension with a bound; the least is above the largest in a contradiction."""
        limit = self.limits[dimension]
        largest = bound if limit is None else min(limit, bound)
        factor = self.factors[dimension]
        if factor is None:
            return 1, largest
        exact = min(factor or bound, bound)
        return exact, min(exact, largest)

    def axis_of(self, dimension: int) -> str | None:
        """The mesh axis, x or y, that `split` leaves to a dimension; None where it may choose."""
        if self.split is None:
            return None
        position = self.permutation.index(dimension) if dimension in self.permutation else None
        if position is not None:
            return "x" if position < self.split else "y"
        if self.split <= len(self.permutation):
            return "y"
        return "x" if self.split >= len(self.factors) else None

    def rooms(self) -> tuple[int, int] | None:
        """How many dimensions outside `permutation` may have a loop along X and along Y, where `split` says so."""
        given, dimensions = len(self.permutation), len(self.factors)
        if self.split is None or not given < self.split < dimensions:
            return None
        return self.split - given, dimensions - self.split

    def spatial_order(self, along_x: Collection[int], along_y: Collection[int]) -> tuple[tuple[int, ...], int]:
        """(spatial permutation, split) that keep to the constraint, where two sets of dimensions lie along X and Y.

        These are dimensions with a factor above 1; they have to be ones that the constraint allows there.
        """
        free = [d for d in range(len(self.factors)) if d not in self.permutation]
        still = [d for d in free if d not in along_x and d not in along_y]
        order = (*self.permutation, *(d for d in free if d in along_x), *still, *(d for d in free if d in along_y))
        if self.split is not None:
            return order, self.split
        return order, next((position for position, d in enumerate(order) if d in along_y), len(order))


@dataclass(frozen=True, slots=True)
class Mapspace:
    """All perfect factorisations and loop orders within each level's own fan-out that the constraints leave.

    `keep[level][data space]` is the bypass pattern, levels innermost first. `loops` has at most one entry for the
    temporal and one for the spatial loops of a level.
    """

    keep: tuple[tuple[bool, ...], ...]
    loops: tuple[LoopConstraint, ...] = ()

    def loop_constraint(self, level: int, spatial: bool) -> LoopConstraint | None:
        """What the temporal or spatial loops of a level are held to, if to anything."""
        return next((own for own in self.loops if (own.level, own.spatial) == (level, spatial)), None)


@dataclass(frozen=True, slots=True)
class _Absent:
    """Names that a mapspace may speak of and that a shape lacks."""

    dimensions: frozenset[str] = frozenset()
    data_spaces: frozenset[str] = frozenset()


@dataclass
class _Draft:
    """The constraints of one loop nest while their entries are being read."""

    factors: list[int | None]
    limits: list[int | None]
    default_limit: int | None = None
    permutation: tuple[int, ...] = ()
    split: int | None = None
    seen: set[str] = field(default_factory=set)

    def constraint(self, level: int, spatial: bool) -> LoopConstraint | None:
        limits = [
            self.default_limit if factor is None and limit is None else limit
            for factor, limit in zip(self.factors, self.limits, strict=True)
        ]
        if all(value is None for value in (*self.factors, *limits, self.split)) and not self.permutation:
            return None
        return LoopConstraint(level, spatial, tuple(self.factors), tuple(limits), self.permutation, self.split)


def parse_mapspace(
    document: Document,
    data: object | None,
    architecture: Architecture,
    shape: Shape,
    path: KeyPath = ("mapspace",),
) -> Mapspace:
    """A mapspace from the content of `mapspace:`, or everything free and kept everywhere where `data` is None.

    Names that the shape lacks are passed over where a shipped shape has them whose names include all of this one's, or
    where `dimensions:` and `data_spaces:` beside the constraints declare them.

    Raises InputError with every fault: unknown levels, dimensions or data spaces, a data space that no level keeps, a
    level that keeps and bypasses the same one, a second factor, permutation or split for the same loops, spatial
    factors at a level without fan-out.
    """
    reader = Reader(document)
    absent = _kindred_names(shape)
    keep = [[True] * len(shape.data_spaces) for _ in architecture.storage]
    drafts: dict[tuple[int, bool], _Draft] = {}
    entries: list[object] = []
    if data is not None:
        section = reader.section(data, path)
        section.raw("version")
        entries = section.items("constraints", required=False)
        absent = _with_declared(absent, section, shape)
        section.finish()
    for position, entry in enumerate(entries):
        item = reader.section(entry, (*path, "constraints", position))
        kind = item.required_text("type", choices=("temporal", "spatial", "datatype", "bypass"))
        target = item.required_text("target")
        level = architecture.level_index.get(target)
        if target and level is None:
            item.fault("target", f"unknown storage level {describe(target)}{nearest(target, architecture.level_index)}")
        if kind in ("temporal", "spatial"):
            _read_loops(item, kind == "spatial", level, architecture, shape, absent, drafts)
        elif kind in ("datatype", "bypass"):
            _read_bypass(item, shape, absent, keep[level] if level is not None else None)
    for space, data_space in enumerate(shape.data_spaces):
        if not any(own[space] for own in keep):
            reader.fault(path, f"{data_space.name} is bypassed at every storage level")
    reader.raise_faults()
    # Spatial loops stand inside the temporal ones of their level.
    places = sorted(drafts, key=lambda place: (place[0], not place[1]))
    loops = (drafts[place].constraint(*place) for place in places)
    return Mapspace(tuple(map(tuple, keep)), tuple(own for own in loops if own is not None))


def _kindred_names(shape: Shape) -> _Absent:
    """What the shipped shapes with the same data spaces have beyond a shape, if that one has nothing beyond them."""
    own, spaces = set(shape.dimensions), set(shape.data_space_index)
    kin = [other for other in SHAPES.values() if spaces and spaces <= other.data_space_index.keys()]
    dimensions = {name for other in kin for name in other.dimensions}
    if not own <= dimensions:
        return _Absent()
    names = {name for other in kin for name in other.data_space_index}
    return _Absent(frozenset(dimensions - own), frozenset(names - spaces))


def _with_declared(absent: _Absent, section: Section, shape: Shape) -> _Absent:
    """With the names that `dimensions:` and `data_spaces:` add."""
    declared: list[set[str]] = []
    for key in ("dimensions", "data_spaces"):
        names = section.items(key, required=False)
        for position, name in enumerate(names):
            if not isinstance(name, str) or not name:
                section.reader.fault((*section.path, key, position), f"expected a name, got {describe(name)}")
        declared.append({name for name in names if isinstance(name, str)})
    return _Absent(
        absent.dimensions | (declared[0] - set(shape.dimensions)),
        absent.data_spaces | (declared[1] - shape.data_space_index.keys()),
    )


def _read_bypass(item: Section, shape: Shape, absent: _Absent, keep: list[bool] | None) -> None:
    """Read which data spaces a level keeps; `keep` is None where the level is not known."""
    (kept, all_kept), (bypassed, all_bypassed) = (_data_spaces(item, key, shape, absent) for key in ("keep", "bypass"))
    item.finish()
    if all_kept and all_bypassed:
        item.fault("bypass", 'keeps and bypasses "*", all data spaces, at once')
    for space, (named, refused) in enumerate(zip(kept, bypassed, strict=True)):
        wanted = named or (all_kept and not refused)
        if named and refused:
            item.fault("bypass", f"{shape.data_spaces[space].name} is kept and bypassed at once")
        elif keep is not None and (wanted or refused or all_bypassed):
            keep[space] = wanted


def _data_spaces(section: Section, key: str, shape: Shape, absent: _Absent) -> tuple[tuple[bool, ...], bool]:
    """(the data spaces that a list names, whether it has "*" for all that the other list does not name)."""
    _, names = section.raw(key)
    every = isinstance(names, list) and "*" in names
    if isinstance(names, list):
        names = [name for name in names if not (isinstance(name, str) and (name == "*" or name in absent.data_spaces))]
    flags, wrong = read_data_spaces(names, shape)
    if wrong:
        section.fault(key, wrong)
    return flags, every


def _read_loops(
    item: Section,
    spatial: bool,
    level: int | None,
    architecture: Architecture,
    shape: Shape,
    absent: _Absent,
    drafts: dict[tuple[int, bool], _Draft],
) -> None:
    """Add an entry to what is known of its loop nest; read into nothing where the level is not known."""
    free: list[int | None] = [None] * len(shape.dimensions)
    draft = _Draft(list(free), list(free))
    if level is not None:
        draft = drafts.setdefault((level, spatial), draft)
    _read_factors(item, shape.dimensions, absent, draft)
    if spatial and level is not None and max(architecture.fanouts[level]) == 1:
        storage = architecture.storage[level]
        for name, factor in zip(shape.dimensions, draft.factors, strict=True):
            if factor not in (None, 1):
                item.fault("factors", f"{storage.name} has no fan-out for a spatial factor of {name}")
    limit = item.integer("default_max_factor", default=None)
    text, passed_over = _present(item.text("permutation", ""), absent)
    order, wrong = read_permutation(text, shape.dimensions)
    if wrong:
        item.fault("permutation", wrong)
    split = item.integer("split", default=None, minimum=0) if spatial else None
    if split is not None:  # counts what the shape lacks as well
        split -= sum(position < split for position in passed_over)
    item.finish()
    for key, value in (("default_max_factor", limit), ("permutation", text or None), ("split", split)):
        if value is not None and key in draft.seen:
            item.fault(key, f"stands already in another constraint on the {_kind(spatial)} loops of this level")
        elif value is not None:
            draft.seen.add(key)
    draft.default_limit = draft.default_limit if limit is None else limit
    draft.permutation = order[: len("".join(text.split()))] if text else draft.permutation
    draft.split = draft.split if split is None else min(split, len(shape.dimensions))


def _present(permutation: str, absent: _Absent) -> tuple[str, list[int]]:
    """A permutation without the dimensions that the shape lacks, and the positions at which these stood."""
    letters = "".join(permutation.split())
    passed_over = [position for position, letter in enumerate(letters) if letter in absent.dimensions]
    return "".join(letter for letter in letters if letter not in absent.dimensions), passed_over


def _kind(spatial: bool) -> str:
    return "spatial" if spatial else "temporal"


def _read_factors(item: Section, dimensions: Sequence[str], absent: _Absent, draft: _Draft) -> None:
    """Read a text such as `K=4 C0 P<=16` into the factors and limits of a draft."""
    text = item.text("factors", "")
    if not _FACTORS.fullmatch(text):
        item.fault("factors", f'expected factors such as "K=4 C<=16", got {describe(text)}')
        return
    for name, sign, digits in _FACTOR.findall(text):
        value = int(digits)
        if name in absent.dimensions:
            continue
        if name not in dimensions:
            item.fault("factors", f'unknown dimension "{name}"{nearest(name, dimensions)}')
            continue
        values = draft.limits if sign == "<=" else draft.factors
        index = dimensions.index(name)
        if values[index] is not None:
            what = "limit" if sign == "<=" else "factor"
            item.fault("factors", f"the {what} of {name} stands twice for the same loops")
        elif sign == "<=" and value == 0:
            item.fault("factors", f"{name}<=0: expected a limit of at least 1")
        else:
            values[index] = value
