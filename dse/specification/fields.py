"""Reading typed values out of a document, collecting every fault instead of stopping at the first."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from dse.errors import Fault, InputError
from dse.specification.document import Document, KeyPath
from dse.specification.expressions import ExpressionError, MalformedExpressionError, evaluate_expression

__all__ = ["Reader", "Section", "describe", "nearest"]

T = TypeVar("T")

LARGEST_INTEGER = 2**52
"""No size or count is larger: double precision holds all integers up to here."""

LARGEST_NUMBER = 1e30
"""No other quantity is larger: what is computed from a few of them stays finite."""

LONGEST_SHOWN = 60


def nearest(word: str, known: Iterable[str]) -> str:
    """`; did you mean "entries"?` with the nearest of `known`, or the list of them."""
    choices = sorted(known)
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.6)
    return f'; did you mean "{close[0]}"?' if close else f"; allowed: {', '.join(choices)}"


def describe(value: object) -> str:
    """How a message shows what stood in the file."""
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "a mapping of keys"
    text = "nothing" if value is None else str(value)
    if isinstance(value, str):
        text = f'"{value}"' if value.isprintable() else repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


class Reader:
    """Collects the faults of one document; `variables` makes numbers out of arithmetic expressions (templates)."""

    def __init__(self, document: Document, variables: Mapping[str, int | float] | None = None) -> None:
        self.document = document
        self.variables = variables
        self.faults: list[Fault] = []

    def fault(self, path: KeyPath, message: str) -> None:
        self.faults.append(self.document.fault(path, message))

    def section(self, data: object, path: KeyPath, what: str = "a mapping of keys") -> Section:
        """`data` as a section; a fault and an empty section where it is no mapping."""
        if not isinstance(data, dict):
            self.fault(path, f"expected {what}, got {describe(data)}")
            return Section(self, {}, path, broken=True)
        return Section(self, data, path)

    def raise_faults(self) -> None:
        """Raise InputError if any fault was collected."""
        if self.faults:
            raise InputError(self.faults)


class Section:
    """One mapping of a document. Where an entry is wrong, its accessor records a fault and returns a harmless value."""

    def __init__(self, reader: Reader, data: Mapping[str, Any], path: KeyPath, broken: bool = False) -> None:
        self.reader = reader
        self.data = data
        self.path = path
        self._broken = broken  # already reported: do not report its missing keys as well
        self._seen: set[str] = set()

    def has(self, key: str) -> bool:
        return key in self.data

    def fault(self, key: str, message: str) -> None:
        self.reader.fault((*self.path, key) if key else self.path, message)

    def raw(self, *keys: str) -> tuple[str, Any]:
        """The first of the alternative `keys` that is present, with its value; (keys[0], None) without any.

        Two spellings of one thing are a fault.
        """
        self._seen.update(keys)
        if len(keys) == 1:
            return keys[0], self.data.get(keys[0])
        present = [key for key in keys if key in self.data]
        if len(present) > 1:
            self.fault(present[1], f'means the same as "{present[0]}", which stands there too')
        return (present[0], self.data[present[0]]) if present else (keys[0], None)

    def finish(self, extra: Iterable[str] = ()) -> None:
        """Report every key that no accessor asked for."""
        for key in self.data:
            if key not in self._seen:
                self.fault(key, f"unknown key{nearest(str(key), [*self._seen, *extra])}")

    def integer(self, *keys: str, default: T, minimum: int = 1) -> int | T:
        """A whole number of at least `minimum`, or `default` where the key is absent."""
        key, value = self.raw(*keys)
        return default if value is None and key not in self.data else self._integer(key, value, minimum)

    def required_integer(self, *keys: str, minimum: int = 1) -> int:
        """As `integer`; an absent key is a fault."""
        key, value = self.raw(*keys)
        if key not in self.data:
            if not self._broken:
                self.fault(key, f"expected {_integer_words(minimum)}, got nothing")
            return minimum
        return self._integer(key, value, minimum)

    def number(self, *keys: str, default: T, minimum: float = 0.0, above: float | None = None) -> float | T:
        """A finite number of at least `minimum` (or greater than `above`), or `default` where the key is absent."""
        key, raw = self.raw(*keys)
        if key not in self.data:
            return default
        faults = len(self.reader.faults)
        value = self._evaluated(key, raw)
        if len(self.reader.faults) > faults:
            return default
        wanted = f"a number above {above:g}" if above is not None else f"a number of at least {minimum:g}"
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_NUMBER:
            self.fault(key, f"expected {wanted}, got {describe(raw)}")
            return default
        if value < minimum or (above is not None and value <= above):
            self.fault(key, f"expected {wanted}, got {_shown(raw, value)}")
            return default
        return float(value)

    def text(self, key: str, default: T, choices: Sequence[str] | None = None) -> str | T:
        """A text, one of `choices` if given."""
        _, value = self.raw(key)
        if key not in self.data:
            return default
        if not isinstance(value, str) or not value:
            self.fault(key, f"expected a text, got {describe(value)}")
            return default
        if choices is not None and value not in choices:
            self.fault(key, f'expected one of {", ".join(choices)}, got "{value}"')
            return default
        return value

    def required_text(self, key: str, choices: Sequence[str] | None = None) -> str:
        if key not in self.data and not self._broken:
            self.fault(key, "expected a text, got nothing")
        return self.text(key, "", choices)

    def boolean(self, key: str, default: bool) -> bool:
        _, value = self.raw(key)
        if key not in self.data:
            return default
        if not isinstance(value, bool):
            self.fault(key, f"expected true or false, got {describe(value)}")
            return default
        return value

    def items(self, key: str, required: bool = True) -> list[Any]:
        """A list; not empty where it is required."""
        _, value = self.raw(key)
        if key not in self.data and not required:
            return []
        if not isinstance(value, list) or (required and not value):
            if not self._broken:
                self.fault(
                    key, f"expected a list with at least one entry, got {describe(value) if value != [] else 'none'}"
                )
            return []
        return value

    def section(self, key: str, required: bool = True) -> Section:
        """A nested mapping; empty where it is absent and not required."""
        _, value = self.raw(key)
        if key not in self.data:
            if required and not self._broken:
                self.fault(key, "expected a mapping of keys, got nothing")
            return Section(self.reader, {}, (*self.path, key), broken=True)
        return self.reader.section(value, (*self.path, key))

    def _evaluated(self, key: str, value: Any) -> Any:
        """The value of an arithmetic expression in a template; anything else as it is."""
        if not isinstance(value, str) or self.reader.variables is None:
            return value
        try:
            return evaluate_expression(value, self.reader.variables)
        except MalformedExpressionError:
            return value  # a text like any other: the caller says what it expected
        except ExpressionError as error:
            self.fault(key, str(error))
            return None

    def _integer(self, key: str, raw: Any, minimum: int) -> int:
        faults = len(self.reader.faults)
        value = self._evaluated(key, raw)
        if isinstance(raw, str) and isinstance(value, float) and value.is_integer():
            value = int(value)  # an expression such as pe_count / 8
        if isinstance(value, int) and not isinstance(value, bool) and value >= minimum:
            if value > LARGEST_INTEGER:
                self.fault(key, f"expected an integer of at most 2**52, got {_shown(raw, value)}")
            return min(value, LARGEST_INTEGER)
        if len(self.reader.faults) == faults:
            self.fault(key, f"expected {_integer_words(minimum)}, got {_shown(raw, value)}")
        return minimum


def _integer_words(minimum: int) -> str:
    return "a positive integer" if minimum == 1 else f"an integer of at least {minimum}"


def _shown(raw: Any, value: Any) -> str:
    return describe(raw) if not isinstance(raw, str) or isinstance(value, str) else f"{describe(raw)} = {value}"
