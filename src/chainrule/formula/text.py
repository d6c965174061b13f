"""Formulae as Unicode text, as on a blackboard: x(1−f₁²)(1−f₂²)·w₂·2(f₂−y). The parser reads what is written here."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeAlias

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
_RAISED = {"L": "ᴸ", "i": "ⁱ", "k": "ᵏ", "l": "ˡ", "n": "ⁿ", "+": "⁺"}

Notation: TypeAlias = Literal["lecture", "superscript"]
"""f₁ and w₂, as in the lecture, or a⁽¹⁾ and w⁽²⁾, as in many books."""
_OF_LAYERS = {"z": "z", "f": "a", "δ": "δ", "w": "w", "W": "W", "b": "b"}
"""Symbols whose first index is a layer, by the letters that the books write for them."""


LOOSE = (Sum, Negative, Product, EntryProduct, MatrixProduct)
"""What needs brackets as a factor, where fractions are drawn."""
_LOOSE_CALLS = {"exp", "abs", "greater", "row_sum", "row_mean", "column_sum"}


def needs_no_brackets(base: Expression) -> bool:
    """Tell whether a power may be drawn at an expression: a number, a symbol, or a function with its brackets."""
    return isinstance(base, (Number, Symbol)) or (isinstance(base, Call) and base.function not in _LOOSE_CALLS)


def begins_with_digit(tree: Expression) -> bool:
    """Tell whether an expression begins with a digit, so that a product needs a dot before it."""
    return isinstance(tree, Number) or (isinstance(tree, Power) and isinstance(tree.base, Number))


def text(tree: Expression, notation: Notation = "lecture") -> str:
    """Return an expression as one line of text.

    Parameters
    ----------
    tree : Expression
        ``chainrule.formula.text`` also takes a string, read in the symbols that it shows.
    notation : {"lecture", "superscript"}
        How symbols of layers are written: f₁ and w₂, or a⁽¹⁾ and w⁽²⁾. The parser reads the lecture's.
    """

    def write(part: Expression) -> str:
        return text(part, notation)

    def bracketed(part: Expression) -> str:
        return f"({write(part)})"

    def within(part: Expression, loose: tuple[type[Expression], ...]) -> str:
        return bracketed(part) if isinstance(part, loose) else write(part)

    def tight(part: Expression) -> str:
        return write(part) if _is_tight(part) else bracketed(part)

    match tree:
        case Number(value):
            return decimals(value)
        case Symbol():
            return symbol_text(tree, notation)
        case Negative(operand):
            return "−" + within(operand, (Negative, Sum))
        case Sum(items):
            written = write(items[0])
            for subtracted, term in tree.later_terms():
                written += ("−" if subtracted else "+") + within(term, (Sum, Negative))
            return written
        case Product(items):
            return _product(items, tight)
        case EntryProduct(items):
            return "⊙".join(map(tight, items))
        case MatrixProduct(items):
            return "".join(map(tight, items))
        case Quotient(numerator, denominator):
            loose = (Sum, Negative, Quotient, EntryProduct, MatrixProduct)
            return f"{within(numerator, loose)}/{tight(denominator)}"
        case Power(base, exponent):
            plain = isinstance(base, (Number, Symbol, Call)) and not has_layer_above(base, notation)
            return (write(base) if plain else bracketed(base)) + _exponent(exponent, notation)
        case Transpose(operand):
            plain = isinstance(operand, (Symbol, Call)) and not has_layer_above(operand, notation)
            return (write(operand) if plain else bracketed(operand)) + "ᵀ"
        case Derivative(quantity, by):
            return f"∂{write(quantity)}/∂{write(by)}"
        case Call(function, arguments):
            return f"{function}({', '.join(map(write, arguments))})"
    raise TypeError(f"not an expression: {tree!r}")


def symbol_text(symbol: Symbol, notation: Notation = "lecture") -> str:
    """Return a symbol with its indices: w₂,₁₃, f_L; or w⁽²⁾₁₃, a⁽ᴸ⁾."""
    letter, above, below = symbol_parts(symbol, notation)
    if above is not None:
        inside = "".join(SUPERSCRIPTS.get(sign, _RAISED.get(sign, sign)) for sign in str(above))
        letter = f"{letter}⁽{inside}⁾"
    if not below:
        return letter
    indices = [str(index) for index in below]
    if all(index.isdecimal() for index in indices):
        return letter + ",".join("".join(SUBSCRIPTS[digit] for digit in index) for index in indices)
    inside = ",".join(indices)
    return f"{letter}_{inside}" if len(inside) == 1 else f"{letter}_{{{inside}}}"


def symbol_parts(symbol: Symbol, notation: Notation) -> tuple[str, int | str | None, tuple[int | str, ...]]:
    """Return how a symbol is written: its letter, the layer above it, if it stands there, and the indices below."""
    if notation == "superscript" and symbol.indices and symbol.name in _OF_LAYERS:
        layer, *unit = symbol.indices
        return _OF_LAYERS[symbol.name], layer, tuple(unit)
    return symbol.name, None, symbol.indices


def has_layer_above(tree: Expression, notation: Notation) -> bool:
    """Tell whether an expression is a symbol with its layer where an exponent would stand."""
    return isinstance(tree, Symbol) and symbol_parts(tree, notation)[1] is not None


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


def _is_tight(tree: Expression) -> bool:
    """Tell whether what stands beside it cannot tear it apart."""
    return isinstance(tree, (Number, Symbol, Power, Call, Transpose, Derivative))


def _product(factors: tuple[Expression, ...], tight: Callable[[Expression], str]) -> str:
    written = tight(factors[0])
    for before, factor in pairwise(factors):
        after = tight(factor)
        written += ("·" if _needs_dot(before, written[-1], factor, after[0]) else "") + after
    return written


def _needs_dot(before: Expression, last: str, factor: Expression, first: str) -> bool:
    """Tell whether two factors would be read as one, or as a call: 2·3, x·y, (1−f₁²)·w₂; but w₂w₃ and x(1−f₁²).

    Parameters
    ----------
    before, factor : Expression
        What stands side by side.
    last, first : str
        With which sign the one ends, and the other begins.
    """
    if isinstance(before, Derivative) or (isinstance(before, Number) and isinstance(factor, Call)):
        return True
    if first == "(":
        return False
    return first.isdecimal() or first == "∂" or last in ")}ᵀ" or (last.isalpha() and first.isalpha())


def _exponent(exponent: Expression, notation: Notation) -> str:
    match exponent:
        case Number(value) | Negative(Number(value)) if value.denominator == 1:
            return "".join(SUPERSCRIPTS[sign] for sign in text(exponent))
    return f"^({text(exponent, notation)})"
