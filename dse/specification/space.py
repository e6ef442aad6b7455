"""The variants of a study as a product of parameter values, made one at a time.

A combination of values is called by its number in the product, the last parameter changing fastest (a mixed radix). No
list of the combinations exists anywhere, so a space of a million costs no more to hold than one of ten.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dse.errors import Fault, InputError
from dse.specification.architecture import Architecture
from dse.specification.expressions import ExpressionError, evaluate_expression
from dse.specification.fields import Reader
from dse.specification.mapspace import Mapspace, parse_mapspace
from dse.specification.problem import Shape
from dse.specification.template import Number, Template

__all__ = [
    "CHECKED_IN_FULL",
    "MAX_COMBINATIONS",
    "ParameterGrid",
    "RefusedVariant",
    "Variant",
    "VariantSpace",
    "check_space",
]

CHECKED_IN_FULL = 10_000
"""Spaces of at most so many combinations are made and checked in full before anything runs: some seconds."""

MAX_COMBINATIONS = 10**12
"""A product of parameters beyond this is taken for a slip: it is refused."""

_EVENLY_SPREAD = 200
_MOST_CORNERS = 256


@dataclass(frozen=True)
class ParameterGrid:
    """The product of the values of each parameter; a combination is its number in it, 0 to `size` - 1."""

    values: Mapping[str, tuple[Number, ...]]

    @cached_property
    def size(self) -> int:
        return math.prod(map(len, self.values.values()))

    def name(self, number: int) -> str:
        """`v000123`: the number, as wide as the largest one."""
        return f"v{number:0{len(str(self.size - 1))}d}"

    def parameters(self, number: int) -> dict[str, Number]:
        """Name -> value of the combination. Raises IndexError where the grid has no such number."""
        if not 0 <= number < self.size:
            raise IndexError(f"combination {number} of {self.size}")
        chosen: list[Number] = []
        for values in reversed(list(self.values.values())):
            number, digit = divmod(number, len(values))
            chosen.append(values[digit])
        return dict(zip(self.values, reversed(chosen), strict=True))

    def number(self, parameters: Mapping[str, Number]) -> int | None:
        """The combination that has these values; None where the grid has none."""
        if parameters.keys() != self.values.keys():
            return None
        number = 0
        for name, digits in self._digits.items():
            digit = digits.get(parameters[name])
            if digit is None:
                return None
            number = number * len(digits) + digit
        return number

    def text(self, number: int) -> str:
        """The combination as JSON, its identity from one study to a larger one: numbers change as values are added."""
        return json.dumps(self.parameters(number), separators=(",", ":"))

    def read(self, text: str) -> int | None:
        """The combination that `text` wrote, for this grid or another; None where this one has no such."""
        return self.number(json.loads(text))

    @cached_property
    def _digits(self) -> dict[str, dict[Number, int]]:
        return {name: {value: digit for digit, value in enumerate(values)} for name, values in self.values.items()}


@dataclass(frozen=True)
class Variant:
    """One architecture of a study: `v07` and the values of the swept parameters that make it.

    `number` is the combination. `mapspaces` has one entry per shape of problem that the networks hold.
    """

    number: int
    name: str
    parameters: Mapping[str, Number]
    architecture: Architecture
    mapspaces: Mapping[Shape, Mapspace]


@dataclass(frozen=True)
class RefusedVariant:
    """A combination that makes no valid architecture, or on which a constraint has no truth value."""

    number: int
    name: str
    parameters: Mapping[str, Number]
    faults: tuple[Fault, ...]

    @property
    def reason(self) -> str:
        """The first thing wrong with it, and how many more there are."""
        more = f" and {len(self.faults) - 1} more" if len(self.faults) > 1 else ""
        return f"{self.faults[0]}{more}"


@dataclass(frozen=True)
class VariantSpace:
    """A template over a grid of values; `constraints` in its variables leave combinations out."""

    template: Template
    grid: ParameterGrid
    constraints: tuple[str, ...]
    shapes: tuple[Shape, ...]

    @property
    def size(self) -> int:
        """Combinations, those that the constraints leave out included."""
        return self.grid.size

    def variant(self, number: int) -> Variant | RefusedVariant | None:
        """The variant of a combination; None where a constraint leaves it out."""
        name, parameters = self.grid.name(number), self.grid.parameters(number)
        try:
            if self.constraints and not all(self.verdicts(parameters)):
                return None
            architecture, data = self.template.instantiate(parameters)
            mapspaces = {
                shape: parse_mapspace(self.template.document, data, architecture, shape) for shape in self.shapes
            }
        except InputError as error:
            return RefusedVariant(number, name, parameters, error.faults)
        return Variant(number, name, parameters, architecture, mapspaces)

    def variants(self) -> Iterator[Variant]:
        """The variants, made one by one; combinations that are left out or refused are passed over."""
        made = map(self.variant, range(self.size))
        return (variant for variant in made if isinstance(variant, Variant))

    def verdicts(self, parameters: Mapping[str, Number]) -> list[bool]:
        """Whether each constraint is met. Raises InputError where a variable or a constraint has no value."""
        variables = self.template.values(parameters)
        found: list[bool] = []
        faults: list[Fault] = []
        for position, text in enumerate(self.constraints):
            try:
                verdict = evaluate_expression(text, variables)
            except ExpressionError as error:
                faults.append(Fault(str(error), f"study.constraints[{position}]"))
                continue
            if not isinstance(verdict, bool):
                message = f'expected a comparison such as mac_count <= 4096, got "{text}" = {verdict}'
                faults.append(Fault(message, f"study.constraints[{position}]"))
                continue
            found.append(verdict)
        if faults:
            raise InputError(faults)
        return found

    def sample(self) -> Iterator[int]:
        """Numbers to try a large space on: its corners, and some spread evenly."""
        lengths = [len(values) for values in self.grid.values.values()]
        corners = itertools.product(*((0,) if length == 1 else (0, length - 1) for length in lengths))
        numbers: dict[int, None] = {}
        for digits in itertools.islice(corners, _MOST_CORNERS):
            number = 0
            for digit, length in zip(digits, lengths, strict=True):
                number = number * length + digit
            numbers[number] = None
        spread = range(0, self.size, max(1, self.size // _EVENLY_SPREAD))
        return iter(numbers | dict.fromkeys(spread))


def check_space(reader: Reader, space: VariantSpace) -> int | None:
    """Make the variants of a space and note what is wrong with it; the number of them, None for a large space.

    A large space is tried on a sample: constraints have to have truth values there, and one combination at least has to
    be an architecture. Its other combinations are judged when their turn comes.
    """
    if space.size > MAX_COMBINATIONS:
        reader.fault(("study", "parameters"), f"{space.size:,} variants, more than {MAX_COMBINATIONS:,}")
        return None
    in_full = space.size <= CHECKED_IN_FULL
    numbers: Sequence[int] = range(space.size) if in_full else list(space.sample())
    kept, constrained = _constrained(reader, space, numbers)
    if not constrained or (not kept and not in_full):
        return None
    refused = [made for made in map(space.variant, kept) if isinstance(made, RefusedVariant)]
    if in_full or len(refused) == len(kept):
        _report_refused(reader, refused, len(kept))
    return len(kept) if in_full else None


def _constrained(reader: Reader, space: VariantSpace, numbers: Sequence[int]) -> tuple[list[int], bool]:
    """(the numbers that meet all constraints, whether the constraints are sound); their faults are noted."""
    kept: list[int] = []
    wrong: dict[str, str] = {}
    met = [0] * len(space.constraints)
    for number in numbers:
        try:
            verdicts = space.verdicts(space.grid.parameters(number))
        except InputError as error:
            of_constraints = [fault for fault in error.faults if fault.key.startswith("study.constraints")]
            for fault in of_constraints:
                wrong.setdefault(fault.key, fault.message)
            if not of_constraints:
                kept.append(number)  # its faults are reported with the architecture that it does not make
            continue
        for position, verdict in enumerate(verdicts):
            met[position] += verdict
        if all(verdicts):
            kept.append(number)
    for position in range(len(space.constraints)):
        if f"study.constraints[{position}]" in wrong:
            reader.fault(("study", "constraints", position), wrong[f"study.constraints[{position}]"])
    if not kept and not wrong and len(numbers) == space.size:
        _report_nothing_left(reader, space, met)
        return kept, False
    return kept, not wrong


def _report_nothing_left(reader: Reader, space: VariantSpace, met: Sequence[int]) -> None:
    alone = [position for position, count in enumerate(met) if count == 0]
    for position in alone:
        message = f'"{space.constraints[position]}" refuses every one of the {space.size} variants'
        reader.fault(("study", "constraints", position), message)
    if not alone:
        reader.fault(("study", "constraints"), f"together they refuse every one of the {space.size} variants")


def _report_refused(reader: Reader, refused: Sequence[RefusedVariant], combinations: int) -> None:
    """One fault for each way in which variants fail (the first thing wrong with each), with an example."""
    ways: dict[tuple[str, int | None, str], list[RefusedVariant]] = {}
    for variant in refused:
        first = variant.faults[0]
        ways.setdefault((first.file, first.line, first.key), []).append(variant)
    for found in ways.values():
        shown = " ".join(f"{name}={value}" for name, value in found[0].parameters.items())
        reader.fault(
            ("study", "parameters"),
            f"{len(found)} of {combinations} variants are no valid architecture; {shown}: {found[0].reason} "
            "(leave such values out with a constraint)",
        )
