"""Arithmetic in the values of a template and in the constraints of a study, without `eval`.

The grammar is Python's for numbers, names, + - * / // % **, comparisons, and/or/not and a few functions; the convention
(a `variables:` block, expressions as plain strings) is that of Timeloop v4's front end.
"""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

__all__ = ["ExpressionError", "MalformedExpressionError", "evaluate_expression", "names_in_expression"]

Number = int | float | bool

_MAX_LENGTH = 500
_MAX_MAGNITUDE = 2.0**200
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _round(value: float) -> int:
    """Without a number of digits: round(5, -10**8) would run for minutes."""
    return round(value)


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "ceil": math.ceil,
    "floor": math.floor,
    "log2": math.log2,
    "max": max,
    "min": min,
    "round": _round,
    "sqrt": math.sqrt,
}


class ExpressionError(ValueError):
    """Raised where an expression is malformed, names something unknown or has no finite value."""


class MalformedExpressionError(ExpressionError):
    """Raised where a text is no expression at all, such as 16k."""


def evaluate_expression(text: str, variables: Mapping[str, Number]) -> Number:
    """The value of `text`, with names taken from `variables`.

    Raises ExpressionError with a message fit for a user.
    """
    try:
        value: Number | complex = _value(_parse(text), variables)
    except ZeroDivisionError as error:
        raise ExpressionError(f'"{text}" divides by zero') from error
    except RecursionError as error:
        raise ExpressionError(f'"{text}" is nested too deeply') from error
    except (OverflowError, ValueError, TypeError) as error:
        if isinstance(error, ExpressionError):
            raise
        raise ExpressionError(f'"{text}" has no value: {error}') from error
    if isinstance(value, complex) or not math.isfinite(value):
        raise ExpressionError(f'"{text}" has no finite value')
    return value


def names_in_expression(text: str) -> frozenset[str]:
    """The variable names that `text` refers to (functions excluded)."""
    return frozenset(
        node.id for node in ast.walk(_parse(text)) if isinstance(node, ast.Name) and node.id not in _FUNCTIONS
    )


@lru_cache(maxsize=1024)  # a template's are the same for every variant
def _parse(text: str) -> ast.expr:
    if len(text) > _MAX_LENGTH:
        raise ExpressionError(f"longer than {_MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", SyntaxWarning)  # such as in 1if x: a warning that names no file of the user
            warnings.simplefilter("error", DeprecationWarning)  # the same before Python 3.12
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, DeprecationWarning, ValueError, RecursionError, MemoryError) as error:
        raise MalformedExpressionError(f'"{text}" is no arithmetic expression') from error


def _value(node: ast.expr, variables: Mapping[str, Number]) -> Any:
    match node:
        case ast.Constant(value=bool() | int() | float() as number):
            return _bounded(number)
        case ast.Name(id=name):
            if name not in variables:
                known = ", ".join(sorted(variables)) or "none"
                raise ExpressionError(f'unknown variable "{name}" (known: {known})')
            return variables[name]
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, variables)
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            return +_value(operand, variables)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return not _value(operand, variables)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _BINARY:
            first, second = _value(left, variables), _value(right, variables)
            if isinstance(op, ast.Pow) and abs(second) * math.log2(max(abs(first), 2)) > math.log2(_MAX_MAGNITUDE):
                raise ExpressionError("a power is too large")
            return _bounded(_BINARY[type(op)](first, second))
        case ast.BoolOp(op=ast.And(), values=values):
            return all(_value(value, variables) for value in values)
        case ast.BoolOp(op=ast.Or(), values=values):
            return any(_value(value, variables) for value in values)
        case ast.IfExp(test=test, body=body, orelse=orelse):
            return _value(body if _value(test, variables) else orelse, variables)
        case ast.Compare(left=left, ops=ops, comparators=comparators) if all(type(op) in _COMPARE for op in ops):
            values = [_value(item, variables) for item in (left, *comparators)]
            return all(_COMPARE[type(op)](a, b) for op, a, b in zip(ops, values, values[1:], strict=False))
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]) if name in _FUNCTIONS:
            return _bounded(_FUNCTIONS[name](*(_value(arg, variables) for arg in args)))
        case ast.Call(func=ast.Name(id=name)):
            raise ExpressionError(f'unknown function "{name}" (known: {", ".join(sorted(_FUNCTIONS))})')
        case _:
            raise ExpressionError(f'"{ast.unparse(node)}" is not allowed in an expression')


def _bounded(value: Any) -> Any:
    if isinstance(value, complex):
        raise ExpressionError("a value is not real")
    if abs(value) > _MAX_MAGNITUDE:
        raise ExpressionError("a value is too large")
    return value
