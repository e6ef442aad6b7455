"""Arithmetic without `eval`: what it computes, and that nothing else gets through."""

import math
import operator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.specification.expressions import ExpressionError, evaluate_expression, names_in_expression

VARIABLES = {"pe_count": 16, "width": 8, "ratio": 0.5}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        (" 2 ** 10 ", 1024),
        ("pe_count * width / 4", 32.0),
        ("pe_count // 3 % 4", 1),
        ("-(+pe_count)", -16),
        ("ceil(10 / 4) + floor(2.5) + round(1.6)", 7),
        ("max(1, width, 3) - min(4, ratio)", 7.5),
        ("log2(pe_count) + sqrt(16) + abs(-1)", 9.0),
        ("8 < pe_count <= 16 and not width == 9", True),
        ("width > 9 or width >= 8", True),
        ("1 if width != 8 else 2", 2),
        ("-" * 400 + "1", 1),
    ],
)
def test_values(text: str, value: float) -> None:
    assert evaluate_expression(text, VARIABLES) == value


@pytest.mark.parametrize(
    "text",
    [
        "", " ", "1 +", "pe_count pe_count", "x := 3", "a\nb", "\x00", "0_", "1if 2else 3",
        "pe_count.real", "(1).__class__", "[1]", "{1}", "'a' * 9", "f'{width}'", "lambda: 1", "width[0]", "...", "None",
        "~1", "1 << 3", "1 @ 2", "width is 8", "width in (8,)", "[x for x in (1,)]", "await width", "max(*width)",
        "__import__('os')", "open('x')", "eval('1')", "max(key=1)", "print(1)", "round.real", "max()", "max(3)",
        "1 / 0", "1 // 0", "5 % 0", "0 ** -1", "(-8) ** 0.5", "log2(0)", "sqrt(-1)",
        "9 ** 9 ** 9", "2 ** 201", "0.5 ** 10000", "1e400", "1e300 * 1e300", "9" * 490, "round(5, -10 ** 8)",
        "unknown + 1", "width + " * 200 + "1",
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        evaluate_expression(text, VARIABLES)
    assert str(caught.value)


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ExpressionError, match=r'unknown variable "pe_cout" \(known: pe_count, ratio, width\)'):
        evaluate_expression("pe_cout * 2", VARIABLES)
    with pytest.raises(ExpressionError, match='unknown function "exp"'):
        evaluate_expression("exp(2)", VARIABLES)


def test_names_of_variables() -> None:
    assert names_in_expression("max(a, b) * 2 + a") == {"a", "b"}
    with pytest.raises(ExpressionError):
        names_in_expression("a +")


@given(st.text(max_size=40) | st.text("0123456789+-*/%() .xabsmin,<>=", max_size=40))
def test_any_text_has_a_finite_value_or_is_refused(text: str) -> None:
    try:
        value = evaluate_expression(text, {"x": 3})
    except ExpressionError:
        return
    assert math.isfinite(value)


OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul}


@given(st.recursive(st.integers(0, 99), lambda inner: st.tuples(inner, st.sampled_from(sorted(OPERATORS)), inner)))
def test_integers_are_exact(tree: object) -> None:
    def text(node: object) -> str:
        return f"({text(node[0])}{node[1]}{text(node[2])})" if isinstance(node, tuple) else str(node)

    def value(node: object) -> int:
        return OPERATORS[node[1]](value(node[0]), value(node[2])) if isinstance(node, tuple) else int(str(node))

    if len(text(tree)) <= 500:
        assert evaluate_expression(text(tree), {}) == value(tree)
