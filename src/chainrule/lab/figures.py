"""Numbers as the page shows them: of four digits, in text, in formulae and in matrices."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..formula import Expression, Negative, Symbol, expression, text
from ..formula.text import SUPERSCRIPTS

MAX_SHOWN = 12
"""Rows and columns of a matrix that is written out."""
_INFINITY, _NOTHING = Symbol("∞"), Symbol("NaN")


def number(value: float) -> Expression:
    """Return a number of four digits for a formula; ∞ or NaN where it is none."""
    value = float(value)
    if math.isfinite(value):
        return expression(float(f"{value:.4g}"))
    return _NOTHING if math.isnan(value) else _INFINITY if value > 0 else Negative(_INFINITY)


def figure(value: float) -> str:
    """Return a number of four digits as text: 0.0421, −3, 1.2·10⁻⁹; as :func:`number` is written."""
    plain = f"{value:.4g}"
    if plain.lstrip("-").replace(".", "", 1).isdecimal():  # most are, and a timeline has thousands of them
        return "0" if plain == "-0" else plain.replace("-", "−")
    digits, _, exponent = text(number(value)).partition("e")
    if not exponent:
        return digits
    return f"{digits}·10{''.join(SUPERSCRIPTS[sign] for sign in exponent.replace('-', '−'))}"


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
