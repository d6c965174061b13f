"""Formulae as MathML Core, for a page: every token has an id, and every symbol says in ``data-symbol`` which it is."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from itertools import count
from typing import Any, TypeAlias

from .latex import GREEK
from .text import LOOSE, Notation, begins_with_digit, decimals, has_layer_above, needs_no_brackets, symbol_parts
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

Numbers: TypeAlias = Mapping[Any, Expression]
"""Symbols and derivatives, and the numbers that are written in their place."""
Marks: TypeAlias = Mapping[Expression, str]
"""Factors and terms that are something by themselves, such as the slope 1 − f₂², and what they are called."""


@dataclass(frozen=True)
class Style:
    """How formulae are written.

    Attributes
    ----------
    prefix : str or None
        What ids begin with, so that those of several formulae on a page differ: m1, m2, …. None leaves ids out.
    notation : {"lecture", "superscript"}
        Whether symbols of layers are f₁ and w₂, or a⁽¹⁾ and w⁽²⁾. The ``data-symbol`` is "f_1" in either.
    marks : mapping from Expression to str
        Parts that get a ``data-symbol``, too, around those of the symbols in them.
    """

    prefix: str | None = "m"
    notation: Notation = "lecture"
    marks: Marks = field(default_factory=dict)


PLAIN = Style()


def mathml(tree: Expression, prefix: str = "m", display: bool = False, notation: Notation = "lecture") -> str:
    """Return a ``<math>`` element.

    Parameters
    ----------
    tree : Expression
        ``chainrule.formula.mathml`` also takes a string, read in the symbols that it shows.
    prefix : str
        What ids begin with, so that those of several formulae on a page differ: m1, m2, ….
    display : bool
        Whether it stands in a line of its own.
    notation : {"lecture", "superscript"}
        Whether symbols of layers are f₁ and w₂, or a⁽¹⁾ and w⁽²⁾.
    """
    return _math(_Writer(Style(prefix, notation)).element(tree), display)


def equation(
    left: Expression, right: Expression, relation: str = "=", style: Style = PLAIN, numbers: Numbers | None = None
) -> str:
    """Return a ``<math>`` element that says what something is: its left and right side have these words as class.

    Parameters
    ----------
    left, right : Expression
    relation : str
        What stands between them: = or ←.
    style : Style
    numbers : mapping from Expression to Expression, optional
        What is written in the place of symbols and derivatives of the right side: each number has the ``data-symbol``
        of what it stands for, and numbers are multiplied with a dot.
    """
    writer = _Writer(style)
    before = f'<mrow class="left">{writer.element(left)}</mrow>{writer.operator(relation)}'
    writer.values = numbers or {}
    return _math(f'{before}<mrow class="right">{writer.element(right)}</mrow>')


def symbol_name(symbol: Symbol) -> str:
    """Return how a symbol is named in plain letters, as it may be typed: w_1, delta_1, w_{1,2,3}, loss."""
    name = "loss" if symbol.name == "ℒ" else GREEK.get(symbol.name, symbol.name).removeprefix("var")
    inside = ",".join(map(str, symbol.indices))
    return name if not inside else f"{name}_{inside}" if len(symbol.indices) == 1 else f"{name}_{{{inside}}}"


def part_name(part: Symbol | Derivative) -> str:
    """Return the ``data-symbol`` of a symbol, or of a derivative: "gradient w_1"."""
    return symbol_name(part) if isinstance(part, Symbol) else f"gradient {symbol_name(part.by)}"


def _math(inside: str, display: bool = False) -> str:
    return f'<math display="block">{inside}</math>' if display else f"<math>{inside}</math>"


class _Writer:
    def __init__(self, style: Style) -> None:
        self.prefix = None if style.prefix is None else escape(style.prefix)
        self.notation, self.marks = style.notation, style.marks
        self.marked_kinds = {type(part) for part in style.marks}
        self.values: Numbers = {}
        self.inside = False  # a part with a name of its own, whose symbols are not named again
        self.numbers = count(1)

    def token(self, kind: str, written: str, more: str = "") -> str:
        own = "" if self.prefix is None else f' id="{self.prefix}{next(self.numbers)}"'
        return f"<{kind}{own}{more}>{escape(written)}</{kind}>"

    def operator(self, written: str, more: str = "") -> str:
        return self.token("mo", written, more)

    def element(self, tree: Expression, brackets: bool = False) -> str:
        """Return an expression, in brackets or not, and inside what says which part it is, if it is one."""
        if isinstance(tree, (Symbol, Derivative)) and tree in self.values:
            return self.number_of(tree, brackets)
        written = self.row(self.operator("("), self.plain(tree), self.operator(")")) if brackets else self.plain(tree)
        return self.marked(tree, written)

    def number_of(self, tree: Symbol | Derivative, brackets: bool) -> str:
        """Return the number that stands in the place of a symbol."""
        value, named = self.values[tree], _named(part_name(tree))
        if isinstance(value, Number) and not _has_power(value):
            return self.token("mn", decimals(value.value), named)
        self.inside = True
        written = self.plain(value)
        self.inside = False
        if brackets:
            written = f"{self.operator('(')}{written}{self.operator(')')}"
        return f"<mrow{named}>{written}</mrow>"

    def marked(self, tree: Expression, written: str) -> str:
        name = self.marks.get(tree) if type(tree) in self.marked_kinds else None
        return written if name is None else f"<mrow{_named(name)}>{written}</mrow>"

    def shown(self, tree: Expression) -> Expression:
        """Return what will be written: a number, where one stands in the place of a symbol."""
        return self.values.get(tree, tree) if isinstance(tree, (Symbol, Derivative)) else tree

    def is_number(self, tree: Expression) -> bool:
        return isinstance(tree, Number) or self.shown(tree) is not tree

    def plain(self, tree: Expression) -> str:
        match tree:
            case Number(value):
                return self.number(decimals(value))
            case Symbol():
                return self.symbol(tree)
            case Negative(operand):
                return self.row(self.operator("−", ' form="prefix"'), self.within(operand, (Sum, Negative)))
            case Sum(items):
                parts = [self.element(items[0])]
                for subtracted, term in tree.later_terms():
                    parts += [self.operator("−" if subtracted else "+"), self.within(term, (Sum, Negative))]
                return self.row(*parts)
            case Product(items):
                return self.product(items)
            case EntryProduct(items):
                parts = [self.within(items[0], LOOSE)]
                for item in items[1:]:
                    parts += [self.operator("⊙"), self.within(item, LOOSE)]
                return self.row(*parts)
            case MatrixProduct(items):
                return self.row(*(self.within(item, LOOSE) for item in items))
            case Quotient(numerator, denominator):
                return f"<mfrac>{self.element(numerator)}{self.element(denominator)}</mfrac>"
            case Power(Symbol() as base, exponent) if self.is_indexed(base):  # so that both stand at the letter
                letter, below = self.letter(base), self.indices(base.indices)
                return f"<msubsup{self.named(base)}>{letter}{below}{self.element(exponent)}</msubsup>"
            case Power(base, exponent):
                below = self.element(base, brackets=not self.may_have_exponent(base))
                return f"<msup>{below}{self.element(exponent)}</msup>"
            case Transpose(operand):
                plain = isinstance(operand, Symbol) and not has_layer_above(operand, self.notation)
                return f"<msup>{self.element(operand, brackets=not plain)}{self.operator('⊤')}</msup>"
            case Derivative():
                return self.derivative(tree)
            case Call(function, arguments):
                return self.call(function, arguments)
        raise TypeError(f"not an expression: {tree!r}")

    def number(self, written: str) -> str:
        if "e" not in written:
            return self.token("mn", written)
        digits, _, exponent = written.partition("e")
        above = self.token("mn", exponent.replace("-", "−"))
        return self.row(self.token("mn", digits), self.operator("·"), f"<msup>{self.token('mn', '10')}{above}</msup>")

    def is_indexed(self, base: Symbol) -> bool:
        """Tell whether a symbol has its indices below it, and nothing above it."""
        return bool(base.indices) and base not in self.values and not has_layer_above(base, self.notation)

    def may_have_exponent(self, base: Expression) -> bool:
        shown = self.shown(base)
        return needs_no_brackets(shown) and not has_layer_above(shown, self.notation) and not _has_power(shown)

    def derivative(self, tree: Derivative) -> str:
        named, outside = self.named(tree), self.inside
        self.inside = True
        above, below = (self.row(self.operator("∂"), self.symbol(one)) for one in (tree.quantity, tree.by))
        self.inside = outside
        return f"<mfrac{named}>{above}{below}</mfrac>"

    def symbol(self, symbol: Symbol) -> str:
        _, layer, below = symbol_parts(symbol, self.notation)
        named = self.named(symbol)
        if layer is None and not below:
            return self.letter(symbol, named)
        letter = self.letter(symbol)
        if layer is None:
            return f"<msub{named}>{letter}{self.indices(below)}</msub>"
        under = self.indices(below) if below else ""
        above = self.row(self.operator("("), self.indices((layer,)), self.operator(")"))
        kind = "msubsup" if below else "msup"
        return f"<{kind}{named}>{letter}{under}{above}</{kind}>"

    def letter(self, symbol: Symbol, named: str = "") -> str:
        letter, _, _ = symbol_parts(symbol, self.notation)
        return self.token("mi", letter, named + (' class="matrix"' if symbol.matrix else ""))

    def indices(self, indices: tuple[int | str, ...]) -> str:
        parts: list[str] = []
        for index in indices:
            comma = [self.operator(",")] if parts else []
            pieces = re.split("(−)", str(index))  # of i−1, of which mi would make one upright word
            kinds = ["mo" if piece == "−" else "mn" if piece.isdigit() else "mi" for piece in pieces]
            parts += [*comma, *map(self.token, kinds, pieces)]
        return self.row(*parts)

    def named(self, part: Symbol | Derivative) -> str:
        return "" if self.inside else _named(part_name(part))

    def product(self, factors: tuple[Expression, ...]) -> str:
        parts: list[str] = []
        place = 0
        while place < len(factors):
            if place and self.needs_dot(factors[place - 1], factors[place]):
                parts.append(self.operator("·"))
            elif place:
                parts.append(self.operator("\u2062"))  # invisible times
            name, length = self.marked_factors(factors, place)
            if name is None:
                parts.append(self.within(factors[place], LOOSE))
            else:
                parts.append(f"<mrow{_named(name)}>{self.product(factors[place : place + length])}</mrow>")
            place += length
        return self.row(*parts)

    def needs_dot(self, before: Expression, factor: Expression) -> bool:
        both_numbers = self.is_number(before) and self.is_number(factor)
        after_bracket = isinstance(self.shown(before), LOOSE) and not isinstance(self.shown(factor), LOOSE)
        return begins_with_digit(self.shown(factor)) or after_bracket or both_numbers

    def marked_factors(self, factors: tuple[Expression, ...], place: int) -> tuple[str | None, int]:
        """Return the name of some of the factors from a place on that are a part together, and how many they are."""
        for part, name in self.marks.items():
            length = len(part.items) if isinstance(part, Product) else 0
            if 0 < length < len(factors) and factors[place : place + length] == part.parts:
                return name, length
        return None, 1

    def call(self, function: str, arguments: tuple[Expression, ...]) -> str:
        first = arguments[0]
        match function:
            case "exp":
                return f"<msup>{self.token('mi', 'e')}{self.element(first)}</msup>"
            case "sqrt":
                return f"<msqrt>{self.element(first)}</msqrt>"
            case "abs":
                return self.row(self.operator("|"), self.element(first), self.operator("|"))
            case "step":
                return self.row(
                    self.operator("["),
                    self.element(first),
                    self.operator(">"),
                    self.token("mn", "0"),
                    self.operator("]"),
                )
            case "greater":
                return self.row(self.element(first), self.operator(">"), self.element(arguments[1]))
            case "row_sum" | "column_sum":
                return self.row(self.operator("∑"), self.within(first, LOOSE))
        parts: list[str] = []
        for argument in arguments:
            comma = [self.operator(",")] if parts else []
            parts += [*comma, self.element(argument)]
        return self.row(
            self.token("mi", function), self.operator("\u2061"), self.operator("("), *parts, self.operator(")")
        )

    def within(self, tree: Expression, loose: tuple[type[Expression], ...]) -> str:
        return self.element(tree, brackets=isinstance(self.shown(tree), loose))

    @staticmethod
    def row(*parts: str) -> str:
        return f"<mrow>{''.join(parts)}</mrow>" if len(parts) != 1 else parts[0]


def _named(name: str) -> str:
    return f' data-symbol="{escape(name)}"'


def _has_power(tree: Expression) -> bool:
    """Tell whether a number is written with a power of ten."""
    return isinstance(tree, Number) and "e" in decimals(tree.value)
