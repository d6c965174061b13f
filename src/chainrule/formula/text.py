"""Formulae as Unicode text, as on a blackboard: x(1−f₁²)(1−f₂²)·w₂·2(f₂−y). The parser reads what is written here."""

from __future__ import annotations

from fractions import Fraction

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
    times_in,
)

SUBSCRIPTS = dict(zip("0123456789", "₀₁₂₃₄₅₆₇₈₉", strict=True))
SUPERSCRIPTS = dict(zip("0123456789−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻", strict=True))


LOOSE = (Sum, Negative, Product, EntryProduct, MatrixProduct)
"""What needs brackets as a factor, where fractions are drawn."""
_LOOSE_CALLS = {"exp", "abs", "greater", "row_sum", "row_mean", "column_sum"}


def needs_no_brackets(base: Expression) -> bool:
    """Tell whether a power may be drawn at an expression: a number, a symbol, or a function with its brackets."""
    return isinstance(base, (Number, Symbol)) or (isinstance(base, Call) and base.function not in _LOOSE_CALLS)


def begins_with_digit(tree: Expression) -> bool:
    """Tell whether an expression begins with a digit, so that a product needs a dot before it."""
    return isinstance(tree, Number) or (isinstance(tree, Power) and isinstance(tree.base, Number))


def text(tree: Expression) -> str:
    """Return an expression as one line of text."""
    match tree:
        case Number(value):
            return decimals(value)
        case Symbol():
            return symbol_text(tree)
        case Negative(operand):
            return "−" + (_bracketed(operand) if isinstance(operand, (Negative, Sum)) else text(operand))
        case Sum(items):
            written = text(items[0])
            for subtracted, term in tree.later_terms():
                shown = _bracketed(term) if isinstance(term, (Sum, Negative)) else text(term)
                written += ("−" if subtracted else "+") + shown
            return written
        case Product(items):
            return _product(items)
        case EntryProduct(items):
            return "⊙".join(text(item) if _is_tight(item) else _bracketed(item) for item in items)
        case MatrixProduct(items):
            return "".join(text(item) if _is_tight(item) else _bracketed(item) for item in items)
        case Quotient(numerator, denominator):
            loose = (Sum, Negative, Quotient, EntryProduct, MatrixProduct)
            above = _bracketed(numerator) if isinstance(numerator, loose) else text(numerator)
            return f"{above}/{text(denominator) if _is_tight(denominator) else _bracketed(denominator)}"
        case Power(base, exponent):
            written = text(base) if isinstance(base, (Number, Symbol, Call)) else _bracketed(base)
            return written + _exponent(exponent)
        case Transpose(operand):
            return (text(operand) if isinstance(operand, (Symbol, Call)) else _bracketed(operand)) + "ᵀ"
        case Derivative(quantity, by):
            return f"∂{text(quantity)}/∂{text(by)}"
        case Call(function, arguments):
            return f"{function}({', '.join(map(text, arguments))})"
    raise TypeError(f"not an expression: {tree!r}")


def symbol_text(symbol: Symbol) -> str:
    """Return a symbol with its indices: w₂,₁₃, f_L."""
    if not symbol.indices:
        return symbol.name
    indices = [str(index) for index in symbol.indices]
    if all(index.isdecimal() for index in indices):
        return symbol.name + ",".join("".join(SUBSCRIPTS[digit] for digit in index) for index in indices)
    inside = ",".join(indices)
    return f"{symbol.name}_{inside}" if len(inside) == 1 else f"{symbol.name}_{{{inside}}}"


def decimals(value: Fraction) -> str:
    """Return a number with finitely many decimals, all of them: 2, 0.05, 1e-300."""
    if value.denominator == 1 and value < 10**21:
        return str(value.numerator)
    places = max(times_in(value, 2), times_in(value, 5))
    digits = str((value * 10**places).numerator)
    if places <= 0 or len(digits) - places < -6:  # far from 1: with a power of ten
        mantissa = digits.rstrip("0") or "0"
        point = f"{mantissa[0]}.{mantissa[1:]}" if len(mantissa) > 1 else mantissa
        return f"{point}e{len(digits) - 1 - places}"
    padded = digits.rjust(places + 1, "0")
    return f"{padded[:-places]}.{padded[-places:]}"


def _bracketed(tree: Expression) -> str:
    return f"({text(tree)})"


def _is_tight(tree: Expression) -> bool:
    """Tell whether what stands beside it cannot tear it apart."""
    return isinstance(tree, (Number, Symbol, Power, Call, Transpose, Derivative))


def _product(factors: tuple[Expression, ...]) -> str:
    written = ""
    for factor in factors:
        after = text(factor) if _is_tight(factor) else _bracketed(factor)
        written += ("·" if written and _needs_dot(written[-1], after[0]) else "") + after
    return written


def _needs_dot(last: str, first: str) -> bool:
    """Tell whether two factors would be read as one, or as a call: 2·3, x·y, (1−f₁²)·w₂; but w₂w₃ and x(1−f₁²)."""
    if first == "(":
        return False
    return first.isdecimal() or first == "∂" or last in ")}ᵀ" or (last.isalpha() and first.isalpha())


def _exponent(exponent: Expression) -> str:
    match exponent:
        case Number(value) | Negative(Number(value)) if value.denominator == 1:
            return "".join(SUPERSCRIPTS[sign] for sign in text(exponent))
    return f"^({text(exponent)})"
