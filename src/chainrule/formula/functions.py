"""The functions of formulae, by the names of the array API: what activations and losses find for symbols.

They take expressions, and tables of them: NumPy arrays of expressions, whose operators NumPy applies entry by entry.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from .tree import ONE, ZERO, Call, Expression, Negative, Operand, Product, Sum, expression, joined


class Table(np.ndarray[Any, Any]):
    """An array of expressions."""

    def __array_namespace__(self, **_: Any) -> Any:
        from . import functions

        return functions

    def __gt__(self, other: Any) -> Any:
        # NumPy would ask each comparison whether it is true.
        return _call("greater", self, other)


def table(entries: Any) -> Table:
    """Return nested sequences of expressions as an array of them."""
    return np.array(entries, dtype=object).view(Table)


def _call(name: str, *arguments: Any) -> Any:
    if any(isinstance(argument, np.ndarray) for argument in arguments):
        entry = np.frompyfunc(lambda *entries: _call(name, *entries), len(arguments), 1)
        return np.asarray(entry(*arguments), dtype=object).view(Table)
    return _SHORTER.get(name, Call)(name, tuple(expression(argument) for argument in arguments))


def exp(x: Any) -> Any:
    """Return eˣ."""
    return _call("exp", x)


def expm1(x: Any) -> Any:
    """Return eˣ − 1."""
    return exp(x) - 1


def log(x: Any) -> Any:
    """Return the natural logarithm."""
    return _call("log", x)


def logaddexp(x: Any, y: Any) -> Any:
    """Return log(eˣ + eʸ)."""
    return log(exp(y) + exp(x))


def tanh(x: Any) -> Any:
    """Return the hyperbolic tangent."""
    return _call("tanh", x)


def sin(x: Any) -> Any:
    """Return the sine."""
    return _call("sin", x)


def cos(x: Any) -> Any:
    """Return the cosine."""
    return _call("cos", x)


def erf(x: Any) -> Any:
    """Return the error function."""
    return _call("erf", x)


def abs(x: Any) -> Any:  # noqa: A001
    """Return |x|."""
    return _call("abs", x)


def sign(x: Any) -> Any:
    """Return −1, 0 or 1."""
    return _call("sign", x)


def maximum(x: Any, y: Any) -> Any:
    """Return the larger of the two."""
    return _call("max", x, y)


def minimum(x: Any, y: Any) -> Any:
    """Return the smaller of the two."""
    return _call("min", x, y)


def where(condition: Any, x: Any, y: Any) -> Any:
    """Return x where the condition holds, else y."""
    return _call("where", condition, x, y)


def sum(x: Any, axis: int, keepdims: bool = False) -> Any:  # noqa: A001
    """Return the sum over an axis: of a table the sum of its entries, of a matrix a call that says over what."""
    if isinstance(x, Expression):
        return Call("row_sum" if axis == -1 else "column_sum", (x,)) if x.is_matrix else x
    total = np.sum(np.asarray(x), axis=axis, keepdims=keepdims)
    return total.view(Table) if isinstance(total, np.ndarray) else total


def mean(x: Any, axis: int, keepdims: bool = False) -> Any:
    """Return the mean over the last axis."""
    if isinstance(x, Expression):
        return Call("row_mean", (x,)) if x.is_matrix else x
    return sum(x, axis, keepdims) / np.shape(x)[axis]


def log_sum_exp(x: Any) -> Any:
    """Return log Σ eˣ over the last axis, which stays: symbols cannot overflow, so nothing is taken out first."""
    return log(sum(exp(x), axis=-1, keepdims=True))


def sum_of(terms: Iterable[Operand]) -> Expression:
    """Return the sum of terms, which is 0 if there are none."""
    total: Expression = ZERO
    for term in terms:
        total = total + term
    return total


def product_of(factors: Iterable[Operand]) -> Expression:
    """Return the product of numbers, as operators would make it: 1 if there are none."""
    items: list[Expression] = []
    for factor in map(expression, factors):
        if factor == ZERO:
            return ZERO
        items += factor.items if isinstance(factor, Product) else [factor] * (factor != ONE)
    if not items:
        return ONE
    first, *others = items
    return -product_of([first.operand, *others]) if isinstance(first, Negative) else joined(Product, first, *others)


# eᵃ⁻ˡᵒᵍ ᵇ is eᵃ/b: so softmax reads as it is taught.
def _exp(name: str, arguments: tuple[Expression, ...]) -> Expression:
    (exponent,) = arguments
    if isinstance(exponent, Sum):
        *terms, last = exponent.items
        if isinstance(last, Negative) and isinstance(last.operand, Call) and last.operand.function == "log":
            return _exp(name, (sum_of(terms),)) / last.operand.arguments[0]
    return ONE if exponent == ZERO else Call(name, arguments)


# 1 where x > 0, else 0, is written in this way by chainrule.elementary.
def _sign(name: str, arguments: tuple[Expression, ...]) -> Expression:
    (inner,) = arguments
    if isinstance(inner, Call) and inner.function == "max" and inner.arguments[1] == ZERO:
        return Call("step", inner.arguments[:1])
    return Call(name, arguments)


_SHORTER = {"exp": _exp, "sign": _sign}
