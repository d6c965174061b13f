"""Formulae as numbers, and as arrays: NumPy's floats."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from ..errors import InputError
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
)


def evaluate(tree: Expression, values: Mapping[Symbol, Any]) -> Any:
    """Return what an expression is where its symbols have values: numbers, or for symbols of matrices arrays.

    Raises
    ------
    InputError
        When a symbol has no value.
    """
    match tree:
        case Number(value):
            return float(value)
        case Symbol():
            if tree not in values:
                raise InputError(f"{tree} has no value")
            return values[tree]
        case Negative(operand):
            return -evaluate(operand, values)
        case Transpose(operand):
            return evaluate(operand, values).T
        case Quotient(numerator, denominator):
            return evaluate(numerator, values) / evaluate(denominator, values)
        case Power(base, exponent):
            return evaluate(base, values) ** evaluate(exponent, values)
        case Call(function, arguments):
            return _FUNCTIONS[function](*(evaluate(argument, values) for argument in arguments))
        case Sum(items):
            return reduce(np.add, [evaluate(item, values) for item in items])
        case Product(items) | EntryProduct(items):
            return reduce(np.multiply, [evaluate(item, values) for item in items])
        case MatrixProduct(items):
            return reduce(np.matmul, [evaluate(item, values) for item in items])
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
