"""Formulae as numbers, and as arrays: NumPy's floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from ..errors import InputError
from .definitions import Formula, as_expression, by_symbols
from .tree import (
    Call,
    EntryProduct,
    Expression,
    MatrixProduct,
    Negative,
    Number,
    Power,
    Product,
    Quotient,
    Sum,
    Symbol,
    Transpose,
    limited_nesting,
)


@limited_nesting
def evaluate(tree: Formula, values: Mapping[Any, Any]) -> Any:
    """Return what an expression is where its symbols have values: numbers, or for symbols of matrices arrays.

    Parameters
    ----------
    tree : Expression or str
        A string is read in the symbols that have values.
    values : mapping from Symbol, or from its name, to float or array

    Raises
    ------
    InputError
        When a symbol has no value, two keys are the same symbol, or a name or a formula cannot be read.

    Examples
    --------
    >>> evaluate("x w_2", {"x": 2.0, "w_2": 0.25})
    0.5
    """
    by_symbol = by_symbols(values, "values", tree.symbols() if isinstance(tree, Expression) else ())
    return _value(as_expression(tree, by_symbol), by_symbol)


def _value(tree: Expression, values: Mapping[Symbol, Any]) -> Any:
    match tree:
        case Number(value):
            return float(value)
        case Symbol():
            if tree not in values:
                raise InputError(f"{tree} has no value")
            return values[tree]
        case Negative(operand):
            return -_value(operand, values)
        case Transpose(operand):
            return _value(operand, values).T
        case Quotient(numerator, denominator):
            return _value(numerator, values) / _value(denominator, values)
        case Power(base, exponent):
            return _value(base, values) ** _value(exponent, values)
        case Call(function, arguments):
            return _FUNCTIONS[function](*(_value(argument, values) for argument in arguments))
        case Sum(items):
            return reduce(np.add, [_value(item, values) for item in items])
        case Product(items) | EntryProduct(items):
            return reduce(np.multiply, [_value(item, values) for item in items])
        case MatrixProduct(items):
            return reduce(np.matmul, [_value(item, values) for item in items])
    raise InputError(f"{tree} is a name without a value")


def _erf(x: Any) -> Any:
    from scipy.special import erf

    return erf(x)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": np.abs, "cos": np.cos, "erf": _erf, "exp": np.exp, "greater": np.greater, "log": np.log, "max": np.maximum,
    "min": np.minimum, "sign": np.sign, "sin": np.sin, "sqrt": np.sqrt, "tanh": np.tanh, "where": np.where,
    "step": lambda x: np.where(np.asarray(x) > 0, 1.0, 0.0), "column_sum": lambda x: np.sum(x, axis=0),
    "row_mean": lambda x: np.mean(x, axis=-1, keepdims=True),
    "row_sum": lambda x: np.sum(x, axis=-1, keepdims=True),
}  # fmt: skip
