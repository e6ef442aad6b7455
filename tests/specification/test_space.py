"""Variant spaces: a mixed radix, variants made one at a time, and large spaces that start at once."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.errors import InputError
from dse.specification.document import parse_document
from dse.specification.space import CHECKED_IN_FULL, ParameterGrid, RefusedVariant, Variant
from dse.specification.study import Study, parse_study

grids = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]),
    st.lists(st.integers(-5, 5) | st.sampled_from([0.5, 1.25]), min_size=1, max_size=5, unique=True).map(tuple),
    min_size=1,
    max_size=4,
).map(ParameterGrid)


def study_of(parameters: str, more: str = "") -> Study:
    text = f"study:\n  name: s\n  template: simba\n  parameters: {parameters}\n  networks: [alexnet]\n{more}"
    return parse_study(parse_document(text, "s.yaml"), Path())


@given(grids)
def test_numbers_and_combinations_are_one_to_one(grid: ParameterGrid) -> None:
    combinations = [grid.parameters(number) for number in range(grid.size)]
    assert len({tuple(parameters.values()) for parameters in combinations}) == grid.size
    assert [grid.number(parameters) for parameters in combinations] == list(range(grid.size))
    assert [grid.read(grid.text(number)) for number in range(grid.size)] == list(range(grid.size))
    assert len({len(grid.name(number)) for number in range(grid.size)}) == 1
    assert grid.number({"a": 99}) is None
    for number in (-1, grid.size):
        with pytest.raises(IndexError):
            grid.parameters(number)


def test_a_variant_keeps_its_number_beside_those_that_a_constraint_leaves_out() -> None:
    study = study_of("{pe_count: [4, 8, 16], lanes_per_pe: [4, 8]}", "  constraints: [pe_count != 8]\n")
    assert [variant.name for variant in study.space.variants()] == ["v0", "v1", "v4", "v5"]
    assert (study.space.size, study.variant_count) == (6, 4)
    assert study.space.variant(2) is None
    made = study.space.variant(5)
    assert isinstance(made, Variant)
    assert made.parameters == {"pe_count": 16, "lanes_per_pe": 8}


MILLION = "{pe_count: {range: [1, 1000, 1]}, global_buffer_kib: {range: [1, 1000, 1]}}"


def test_a_million_variants_are_read_in_no_time() -> None:
    start = time.process_time()
    study = study_of(MILLION, "  constraints: [mac_count <= 4096]\n")
    assert time.process_time() - start < 5
    assert (study.space.size, study.variant_count) == (10**6, None)
    made = study.space.variant(5 * 1000 + 63)
    assert isinstance(made, Variant)
    assert made.parameters == {"pe_count": 6, "global_buffer_kib": 64}
    assert study.space.variant(10**6 - 1) is None


def test_large_spaces_are_checked_on_a_sample() -> None:
    assert CHECKED_IN_FULL < 10**6
    with pytest.raises(InputError, match=r"study.constraints\[0\]: \"1 / \(pe_count - 1\) > 0\" divides by zero"):
        study_of(MILLION, "  constraints: [1 / (pe_count - 1) > 0]\n")
    with pytest.raises(InputError, match="are no valid architecture"):
        study_of(MILLION.replace("[1, 1000, 1]", "[1.5, 1000.5, 1]"))
    (refused,) = (study_of(MILLION.replace("range: [1, 1000", "range: [0, 999", 1)).space.variant(7),)
    assert isinstance(refused, RefusedVariant)
    assert "expected a positive integer" in refused.reason
    wrong = study_of(MILLION, "  constraints: [1 / (pe_count - 777) < 9]\n").space.variant(776 * 1000)
    assert isinstance(wrong, RefusedVariant)
    assert "divides by zero" in wrong.reason
