"""Numbers as the page shows them: of four digits, in text, in formulae and in matrices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any

import numpy as np

from ..formula import Expression, Negative, Power, Product, Symbol, expression, text

MAX_SHOWN = 12
"""Rows and columns of a matrix that is written out."""
_INFINITY, _NOTHING = Symbol("∞"), Symbol("NaN")
_DIGITS = Context(prec=4, rounding=ROUND_HALF_UP)  # as browsers round, which write the numbers of the drawing


def number(value: float) -> Expression:
    """Return a number of four digits for a formula, with a power of ten below 0.001 and from 10⁶; ∞ or NaN if it is so.

    This decides how the page writes numbers; `shown` of ``network.js`` keeps to it.
    """
    value = float(value)
    if not math.isfinite(value):
        return _NOTHING if math.isnan(value) else _INFINITY if value > 0 else Negative(_INFINITY)
    digits, exponent = _rounded(value)
    if exponent is None:
        return expression(float(digits))
    size = Product((expression(float(abs(digits))), Power(expression(10), expression(exponent))))
    return Negative(size) if value < 0 else size


def figure(value: float) -> str:
    """Return a number of four digits as text: 0.0421, −3, 1.2·10⁻⁹; as :func:`number` is written."""
    if math.isfinite(value):
        digits, exponent = _rounded(value)
        if exponent is None:  # of most, and a timeline has thousands of them
            return f"{digits.normalize():f}".replace("-", "−") if digits else "0"
    return text(number(value))


def _rounded(value: float) -> tuple[Decimal, int | None]:
    """Return the digits of a number and, where it is written with one, its power of ten."""
    digits = _DIGITS.create_decimal_from_float(value)
    exponent = digits.adjusted()
    return (digits, None) if not digits or -3 <= exponent < 6 else (digits.scaleb(-exponent), exponent)


def matrix(array: Any) -> str:
    """Return an array as a MathML matrix; of one with more than 12 rows or columns only its shape."""
    rows = np.atleast_2d(array)
    if max(rows.shape) > MAX_SHOWN:
        return f"<math><mtext>{shape(rows)} numbers</mtext></math>"
    written = "".join(f"<mtr>{''.join(f'<mtd>{_cell(one)}</mtd>' for one in row)}</mtr>" for row in rows.tolist())
    return f"<math><mrow><mo>[</mo><mtable>{written}</mtable><mo>]</mo></mrow></math>"


def shape(array: Any) -> str:
    """Return the shape of an array as it is read: 3 × 4; a row of n numbers is 1 × n."""
    return " × ".join(map(str, np.atleast_2d(array).shape))


def _cell(value: float) -> str:
    return f"<mn>{figure(value)}</mn>"


def numbers(values: Mapping[Expression, Any]) -> dict[Expression, Expression]:
    """Return values as numbers for a formula."""
    return {part: number(value) for part, value in values.items()}
