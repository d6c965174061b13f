"""Formulae for those who want a computer algebra system: SymPy's expressions."""

from __future__ import annotations

from typing import Any

from .python import name
from .tree import Call, Expression, Negative, Number, Power, Product, Quotient, Sum, Symbol


def to_sympy(tree: Expression) -> Any:
    """Return a formula of numbers as SymPy's expression, unevaluated sums and products becoming SymPy's own.

    Symbols are real, and named as :func:`chainrule.formula.python` names them: w2, w2_13, delta1.

    Raises
    ------
    ImportError
        When SymPy is not installed: ``pip install 'chainrule[sympy]'``.
    TypeError
        When the formula has matrices in it.
    """
    import sympy

    match tree:
        case Number(value):
            return sympy.Rational(value.numerator, value.denominator)
        case Symbol() if not tree.matrix:
            return sympy.Symbol(name(tree), real=True)
        case Negative(operand):
            return -to_sympy(operand)
        case Sum(items):
            return sympy.Add(*map(to_sympy, items))
        case Product(items):
            return sympy.Mul(*map(to_sympy, items))
        case Quotient(numerator, denominator):
            return to_sympy(numerator) / to_sympy(denominator)
        case Power(base, exponent):
            return to_sympy(base) ** to_sympy(exponent)
        case Call(function, arguments):
            values = [to_sympy(argument) for argument in arguments]
            match function:
                case "step":
                    return sympy.Heaviside(values[0], 0)
                case "greater":
                    return sympy.Gt(*values)
                case "where":
                    return sympy.Piecewise((values[1], values[0]), (values[2], True))
                case "abs" | "max" | "min":
                    return getattr(sympy, function.capitalize())(*values)
            return getattr(sympy, function)(*values)
    raise TypeError(f"only formulae of numbers can go to SymPy, not {tree!r}")
