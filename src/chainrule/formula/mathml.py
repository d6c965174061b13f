"""Formulae as MathML Core, for a page: every token has an id, and every symbol says in ``data-symbol`` which it is."""

from __future__ import annotations

from html import escape
from itertools import count

from .text import LOOSE, begins_with_digit, decimals, needs_no_brackets, symbol_text
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


def mathml(tree: Expression, prefix: str = "m", display: bool = False) -> str:
    """Return a ``<math>`` element.

    Parameters
    ----------
    tree : Expression
    prefix : str
        What ids begin with, so that those of several formulae on a page differ: m1, m2, ….
    display : bool
        Whether it stands in a line of its own.
    """
    begin = '<math display="block">' if display else "<math>"
    return f"{begin}{_Writer(prefix).element(tree)}</math>"


class _Writer:
    def __init__(self, prefix: str) -> None:
        self.prefix = escape(prefix)
        self.numbers = count(1)

    def token(self, kind: str, written: str, more: str = "") -> str:
        return f'<{kind} id="{self.prefix}{next(self.numbers)}"{more}>{escape(written)}</{kind}>'

    def operator(self, written: str, more: str = "") -> str:
        return self.token("mo", written, more)

    def element(self, tree: Expression) -> str:
        match tree:
            case Number(value):
                return self.token("mn", decimals(value))
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
            case Power(Symbol() as base, exponent) if base.indices:  # so that both stand at the letter
                letter, below = self.letter(base), self.indices(base)
                return f"<msubsup{_named(base)}>{letter}{below}{self.element(exponent)}</msubsup>"
            case Power(base, exponent):
                below = self.element(base) if needs_no_brackets(base) else self.bracketed(base)
                return f"<msup>{below}{self.element(exponent)}</msup>"
            case Transpose(operand):
                inside = self.element(operand) if isinstance(operand, Symbol) else self.bracketed(operand)
                return f"<msup>{inside}{self.operator('⊤')}</msup>"
            case Derivative(quantity, by):
                above, below = (self.row(self.operator("∂"), self.element(one)) for one in (quantity, by))
                return f"<mfrac>{above}{below}</mfrac>"
            case Call(function, arguments):
                return self.call(function, arguments)
        raise TypeError(f"not an expression: {tree!r}")

    def symbol(self, symbol: Symbol) -> str:
        letter = self.letter(symbol)
        return f"<msub{_named(symbol)}>{letter}{self.indices(symbol)}</msub>" if symbol.indices else letter

    def letter(self, symbol: Symbol) -> str:
        return self.token("mi", symbol.name, _named(symbol) + (' class="matrix"' if symbol.matrix else ""))

    def indices(self, symbol: Symbol) -> str:
        parts: list[str] = []
        for index in symbol.indices:
            comma = [self.operator(",")] if parts else []
            parts += [*comma, self.token("mn" if isinstance(index, int) else "mi", str(index))]
        return self.row(*parts)

    def product(self, factors: tuple[Expression, ...]) -> str:
        parts: list[str] = []
        for place, factor in enumerate(factors):
            after_bracket = place > 0 and isinstance(factors[place - 1], LOOSE)
            if place and (begins_with_digit(factor) or (after_bracket and not isinstance(factor, LOOSE))):
                parts.append(self.operator("·"))
            elif place:
                parts.append(self.operator("\u2062"))  # invisible times
            parts.append(self.within(factor, LOOSE))
        return self.row(*parts)

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
        return self.bracketed(tree) if isinstance(tree, loose) else self.element(tree)

    def bracketed(self, tree: Expression) -> str:
        return self.row(self.operator("("), self.element(tree), self.operator(")"))

    @staticmethod
    def row(*parts: str) -> str:
        return f"<mrow>{''.join(parts)}</mrow>" if len(parts) != 1 else parts[0]


def _named(symbol: Symbol) -> str:
    return f' data-symbol="{escape(symbol_text(symbol))}"'
