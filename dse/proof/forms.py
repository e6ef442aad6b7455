"""Linear forms in the decisions and the parameters of a program, and the sparse program that they assemble.

A column number says what a weight belongs to: 0 the constant, 1, 2, … the variables, −1, −2, … the parameters. Weights
of the same column add up, so that forms are added by joining their lists.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

__all__ = ["ZERO", "Assembly", "Form", "constant", "total"]

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """A sum of weighted columns."""

    column: Ints
    weight: Floats

    def __add__(self, other: Form | float) -> Form:
        if not isinstance(other, Form):
            other = constant(other)
        return Form(np.concatenate([self.column, other.column]), np.concatenate([self.weight, other.weight]))

    __radd__ = __add__

    def __neg__(self) -> Form:
        return Form(self.column, -self.weight)

    def __sub__(self, other: Form | float) -> Form:
        return self + (-other)

    def __rsub__(self, other: float) -> Form:
        return -self + other

    def __mul__(self, scale: float) -> Form:
        return Form(self.column, self.weight * scale)

    __rmul__ = __mul__

    @property
    def vanishes(self) -> bool:
        """Whether nothing was ever added."""
        return not self.column.size


def constant(value: float) -> Form:
    """A form without variables."""
    return Form(np.zeros(1, np.int64), np.array([value], np.float64))


ZERO = Form(np.zeros(0, np.int64), np.zeros(0))


def total(forms: Iterable[Form]) -> Form:
    """The sum of some forms."""
    parts = list(forms)
    if not parts:
        return ZERO
    return Form(np.concatenate([f.column for f in parts]), np.concatenate([f.weight for f in parts]))


class Assembly:
    """Variables, parameters and rows of a program, in the order in which they are asked for."""

    def __init__(self) -> None:
        self.lower: list[float] = []
        self.upper: list[float] = []
        self.integer: list[bool] = []
        self.parameters: dict[str, int] = {}
        self._below: list[Form] = []
        self._equal: list[Form] = []

    def whole(self, upper: float = 1.0) -> Form:
        """A new whole number between 0 and `upper`; a binary by default."""
        return self._new(0.0, upper, integer=True)

    def real(self, lower: float, upper: float) -> Form:
        """A new real number."""
        return self._new(lower, upper, integer=False)

    def parameter(self, name: str) -> Form:
        """The parameter of that name, whose value is given before each solve."""
        index = self.parameters.setdefault(name, len(self.parameters))
        return Form(np.array([-1 - index]), np.ones(1))

    def below(self, form: Form) -> None:
        """Demand form ≤ 0."""
        self._below.append(form)

    def equal(self, form: Form) -> None:
        """Demand form = 0."""
        self._equal.append(form)

    def _new(self, lower: float, upper: float, *, integer: bool) -> Form:
        self.lower.append(lower)
        self.upper.append(upper)
        self.integer.append(integer)
        return Form(np.array([len(self.lower)]), np.ones(1))

    @property
    def rows_below(self) -> tuple[sp.csr_array, sp.csr_array, Floats]:
        """(A, B, c) of the rows A x + B θ + c ≤ 0."""
        return self.matrices(self._below)

    @property
    def rows_equal(self) -> tuple[sp.csr_array, sp.csr_array, Floats]:
        """(A, B, c) of the rows A x + B θ + c = 0."""
        return self.matrices(self._equal)

    def matrices(self, forms: list[Form]) -> tuple[sp.csr_array, sp.csr_array, Floats]:
        """(A, B, c) such that the forms are A x + B θ + c."""
        count = len(forms)
        row = np.repeat(np.arange(count), [len(form.column) for form in forms])
        every = total(forms)
        column, weight = every.column, every.weight
        of_x, of_parameter = column > 0, column < 0
        a = sp.coo_array((weight[of_x], (row[of_x], column[of_x] - 1)), (count, len(self.lower)))
        shape = (count, max(len(self.parameters), 1))
        b = sp.coo_array((weight[of_parameter], (row[of_parameter], -1 - column[of_parameter])), shape)
        fixed = np.bincount(row[column == 0], weight[column == 0], count) if count else np.zeros(0)
        return sp.csr_array(a), sp.csr_array(b), fixed.astype(np.float64)
