"""Formulae as Python, to be pasted into a program: w₂(1−f₁²) becomes w2 * (1 - f1**2)."""

from __future__ import annotations

from .latex import GREEK
from .text import LOOSE, decimals
from .tree import (
    Call,
    Derivative,
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

_LOOSE = (*LOOSE, Quotient)  # as a factor: a quotient is written in a line
_FUNCTIONS = {
    "max": "np.maximum({}, {})", "min": "np.minimum({}, {})", "erf": "scipy.special.erf({})",
    "step": "np.where({} > 0, 1.0, 0.0)", "greater": "({} > {})", "where": "np.where({}, {}, {})",
    "row_sum": "np.sum({}, axis=-1, keepdims=True)", "column_sum": "np.sum({}, axis=0)",
    "row_mean": "np.mean({}, axis=-1, keepdims=True)",
}  # fmt: skip


def python(tree: Expression) -> str:
    """Return an expression of Python with NumPy's functions; symbols are named w2, w2_13, delta1."""
    match tree:
        case Number(value):
            return decimals(value)
        case Symbol():
            return name(tree)
        case Negative(operand):
            return "-" + _bracketed(operand, (Sum, Negative))
        case Sum(items):
            written = python(items[0])
            for subtracted, term in tree.later_terms():
                written += f" {'-' if subtracted else '+'} {_bracketed(term, (Sum, Negative))}"
            return written
        case Product(items) | EntryProduct(items):
            return " * ".join(_bracketed(item, _LOOSE) for item in items)
        case MatrixProduct(items):
            return " @ ".join(_bracketed(item, _LOOSE) for item in items)
        case Quotient(numerator, denominator):
            below = _bracketed(denominator, _LOOSE)
            return f"{_bracketed(numerator, (Sum, Negative))} / {below}"
        case Power(base, exponent):
            below = python(base) if isinstance(base, (Number, Symbol, Call)) else f"({python(base)})"
            return f"{below}**{_bracketed(exponent, (Sum, Product, Quotient, Negative))}"
        case Transpose(operand):
            return f"{python(operand) if isinstance(operand, Symbol) else f'({python(operand)})'}.T"
        case Derivative(quantity, by):
            return f"d{name(quantity)}_d{name(by)}"
        case Call(function, arguments):
            written_arguments = [python(argument) for argument in arguments]
            return _FUNCTIONS.get(function, f"np.{function}({{}})").format(*written_arguments)
    raise TypeError(f"not an expression: {tree!r}")


def name(symbol: Symbol) -> str:
    """Return a symbol as a name of Python: w2, w2_13, delta1."""
    letter = "loss" if symbol.name == "ℒ" else GREEK.get(symbol.name, symbol.name).removeprefix("var")
    return letter + "_".join(map(str, symbol.indices))


def _bracketed(tree: Expression, loose: tuple[type[Expression], ...]) -> str:
    return f"({python(tree)})" if isinstance(tree, loose) else python(tree)
