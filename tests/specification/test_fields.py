"""Typed readers: each wrong value is one fault, and none hides another."""

import math
from typing import Any

import pytest

from dse.errors import InputError
from dse.specification.document import Document
from dse.specification.fields import Reader, Section, describe, nearest


def section(data: dict[str, Any], **variables: float) -> Section:
    return Reader(Document(data), variables or None).section(data, ("s",))


def messages(part: Section) -> list[str]:
    return [str(fault) for fault in part.reader.faults]


@pytest.mark.parametrize(
    "value", [0, -4, 2.5, 2.0, "16k", "", True, None, [1], {"a": 1}, math.nan, math.inf, -math.inf, 2**60, 10**400]
)
def test_no_positive_integer(value: object) -> None:
    part = section({"size": value})
    assert part.integer("size", default=7) >= 1
    (message,) = messages(part)
    assert message.startswith("s.size: expected a")
    assert len(message) < 150


@pytest.mark.parametrize("value", [-0.5, "fast", True, None, [], math.nan, math.inf, 10**400, -(10**400)])
def test_no_number(value: object) -> None:
    part = section({"rate": value})
    assert part.number("rate", default=1.5) == 1.5
    (message,) = messages(part)
    assert message.startswith("s.rate: expected a number of at least 0, got ")


def test_accepted_values() -> None:
    part = section({"a": 3, "b": 0, "c": 1, "d": "text", "e": False, "f": [1], "g": {}})
    assert part.integer("a", default=None) == 3
    assert part.integer("b", default=None, minimum=0) == 0
    assert part.integer("absent", default=None) is None
    assert part.required_integer("c") == 1
    assert part.number("c", default=0.0) == 1.0
    assert part.text("d", None) == "text"
    assert part.boolean("e", True) is False
    assert part.items("f") == [1]
    assert part.section("g").data == {}
    part.finish()
    assert messages(part) == []
    part.reader.raise_faults()


def test_every_fault_of_a_section_is_reported() -> None:
    part = section({"size": -1, "name": 3, "kind": "x", "on": "yes", "entires": 4})
    part.required_integer("size")
    part.required_text("name")
    part.text("kind", "a", choices=("a", "b"))
    part.boolean("on", False)
    part.integer("entries", default=None)
    part.items("levels")
    part.section("inner")
    part.finish()
    with pytest.raises(InputError) as caught:
        part.reader.raise_faults()
    assert [str(fault) for fault in caught.value.faults] == [
        "s.size: expected a positive integer, got -1",
        "s.name: expected a text, got 3",
        's.kind: expected one of a, b, got "x"',
        's.on: expected true or false, got "yes"',
        "s.levels: expected a list with at least one entry, got nothing",
        "s.inner: expected a mapping of keys, got nothing",
        's.entires: unknown key; did you mean "entries"?',
    ]


def test_two_spellings_of_one_key_are_a_fault() -> None:
    part = section({"depth": 4, "memory_depth": 4})
    part.integer("depth", "memory_depth", default=None)
    assert messages(part) == ['s.memory_depth: means the same as "depth", which stands there too']


def test_a_broken_section_reports_itself_only() -> None:
    reader = Reader(Document({}))
    part = reader.section([1, 2], ("s",))
    part.required_integer("size")
    part.required_text("name")
    part.items("levels")
    part.finish()
    assert [str(fault) for fault in reader.faults] == ["s: expected a mapping of keys, got a list"]


def test_expressions_are_evaluated_only_in_templates() -> None:
    part = section(
        {"size": "pe * 2", "half": "pe / 8", "odd": "pe / 3", "bad": "pf + 1", "flag": "pe > 1", "k": "16k"}, pe=16
    )
    assert part.integer("size", default=None) == 32
    assert part.integer("half", default=None) == 2
    part.integer("odd", default=None)
    part.integer("bad", default=None)
    part.integer("flag", default=None)
    part.integer("k", default=None)
    part.number("bad", default=None)
    assert messages(part) == [
        's.odd: expected a positive integer, got "pe / 3" = 5.333333333333333',
        's.bad: unknown variable "pf" (known: pe)',
        's.flag: expected a positive integer, got "pe > 1" = True',
        's.k: expected a positive integer, got "16k"',
        's.bad: unknown variable "pf" (known: pe)',
    ]
    plain = section({"size": "4 * 2"})
    plain.integer("size", default=None)
    assert messages(plain) == ['s.size: expected a positive integer, got "4 * 2"']


def test_what_a_message_shows_is_short_and_on_one_line() -> None:
    assert describe("16k") == '"16k"'
    assert describe(None) == "nothing"
    assert describe([1]) == "a list"
    assert describe({}) == "a mapping of keys"
    assert "\n" not in describe("a\nb")
    assert len(describe("x" * 10_000)) < 100


def test_nearest() -> None:
    assert nearest("entires", ["entries", "name"]) == '; did you mean "entries"?'
    assert nearest("zzz", ["b", "a"]) == "; allowed: a, b"
