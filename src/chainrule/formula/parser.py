r"""What people type, read as a formula.

>>> from .tree import Symbol
>>> names = [Symbol("x"), Symbol("y"), Symbol("w", (2,)), Symbol("f", (1,)), Symbol("f", (2,))]
>>> parse("x*w_2*(1-f_1^2)*2(f_2-y)", names).expression
x·w₂(1−f₁²)·2(f₂−y)

A factor may follow another without a sign. Powers are ``^``, ``**`` or superscripts; indices ``w_2``, ``w2``, ``w_{2}``
or subscripts; Greek letters may be written out; of LaTeX there are ``\frac``, ``\cdot``, ``\left`` and the like. Only
names that were declared are known, so a formula can do nothing but compute. Division and implicit multiplication bind
alike and from the left, as they do for a computer; where people read it otherwise, there is a warning.

A formula has at most 400 characters, 300 nodes and 40 levels, and exponents are whole numbers from −64 to 64.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fractions import Fraction

from .text import SUPERSCRIPTS, text
from .tokens import FUNCTIONS, SLOPES_ARE_WRITTEN_OUT, FormulaError, Reader, Token
from .tree import Call, Derivative, Expression, Negative, Number, Power, Product, Quotient, Sum, Symbol, joined

MAX_NODES = 300
MAX_DEPTH = 40
MAX_EXPONENT = 64
MAX_DIGITS = 40
_DIGITS_ABOVE = {above: digit for digit, above in SUPERSCRIPTS.items()}


@dataclass(frozen=True)
class Parsed:
    """A formula as it was understood.

    Attributes
    ----------
    expression : Expression
        Its right side, where it is an equation.
    left : Symbol or Derivative or None
        The left side of an equation; None where there is none.
    warnings : tuple of str
        What could have been meant otherwise.
    """

    expression: Expression
    left: Symbol | Derivative | None = None
    warnings: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return repr(self.expression) if self.left is None else f"{self.left} = {self.expression}"


def parse(formula: str, names: Iterable[Symbol | str]) -> Parsed:
    """Read a formula in some symbols, which may be given by their names.

    Raises
    ------
    FormulaError
        When it cannot be read; it says where, and what to do.
    """
    return _Parser(formula, names).parsed()


class _Parser:
    """One method for each rule of the grammar; `at` is the token at hand."""

    def __init__(self, formula: str, names: Iterable[Symbol | str]) -> None:
        reader = Reader(formula, names)
        self.tokens, self.error = reader.tokens, reader.error
        self.at = 0
        self.depth = 0
        self.warnings: list[str] = []
        self.torn: list[tuple[Expression, Expression]] = []  # a/b and c of a/b c

    def parsed(self) -> Parsed:
        """formula = [left "="] sum."""
        if self.here.kind == "end":
            raise self.error("the formula is empty", 0)
        left = self.left()
        result = self.sum()
        if self.here.kind != "end":
            why = {
                "=": "an equation has one name on its left side",
                ")": "this bracket was never opened",
                "}": "this brace was never opened",
            }
            raise self.unexpected(why.get(self.here.kind))
        nodes = sum(1 for _ in result.walk())
        if nodes > MAX_NODES:
            raise self.error(
                f"a formula has at most {MAX_NODES} numbers, names and operations, but this has {nodes}",
                0,
                self.tokens[-1].end,
            )
        if _levels(result) > MAX_DEPTH:
            raise self.error(f"a formula has at most {MAX_DEPTH} levels", 0, self.tokens[-1].end)
        for ratio, factor in self.torn:
            self.warnings.append(f"{text(ratio)} {text(factor)} is read as ({text(ratio)})·{text(factor)}")
        return Parsed(result, left, tuple(self.warnings))

    def left(self) -> Symbol | Derivative | None:
        """left = symbol | "∂" quantity "/" "∂" symbol, the latter also as a fraction of LaTeX; None without an "="."""
        for kinds in _LEFT_SIDES:
            tokens = self.tokens[self.at : self.at + len(kinds)]
            if len(tokens) == len(kinds) and all(
                token.kind in expected.split() for token, expected in zip(tokens, kinds, strict=True)
            ):
                self.at += len(kinds)
                named = [token.meaning for token in tokens if token.kind in ("symbol", "ℒ")]
                quantity, *by = [one if isinstance(one, Symbol) else _LOSS for one in named]
                return Derivative(quantity, *by) if by else quantity
        return None

    @property
    def here(self) -> Token:
        return self.tokens[self.at]

    def take(self, *kinds: str) -> Token | None:
        """Return the token at hand and go on, if it is of one of these kinds."""
        if self.here.kind not in kinds:
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def unexpected(self, why: str | None = None) -> FormulaError:
        token = self.here
        what = why or _UNEXPECTED.get(token.kind, f"{token.text} cannot stand here")
        return self.error(what, token.begin, token.end)

    def closing(self, kind: str, opening: Token) -> None:
        if not self.take(kind):
            is_end = self.here.kind == "end"
            missing = f"{self.here.text} stands where {kind} is missing"
            what = "this bracket is never closed" if is_end else _UNEXPECTED.get(self.here.kind, missing)
            at = opening if is_end else self.here
            raise self.error(what, at.begin, at.end)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"a formula has at most {MAX_DEPTH} levels", self.here.begin, self.here.end)

    def sum(self) -> Expression:
        """sum = signed product {("+" | "−") signed product}."""
        self.deeper()
        terms = [self.signed(self.product)]
        while sign := self.take("+", "−"):
            term = self.signed(self.product)
            terms.append(term if sign.kind == "+" else Negative(term))
        self.depth -= 1
        return joined(Sum, *terms)

    def signed(self, inner: Callable[[], Expression]) -> Expression:
        """signed = {"+" | "−"} inner."""
        sign = self.take("+", "−")
        if sign is None:
            return inner()
        self.deeper()
        operand = self.signed(inner)
        self.depth -= 1
        return Negative(operand) if sign.kind == "−" else operand

    def product(self) -> Expression:
        """product = power {power | ("·" | "/") signed power}: 2·−x."""
        result = self.power()
        while True:
            last, begin = self.tokens[self.at - 1], self.here
            sign = self.take("·", "/")
            if sign is None and self.here.kind not in ("number", "symbol", "function", "e", "(", "{", "frac"):
                return result
            if sign is None and begin.kind == "(" and last.kind == "symbol" and last.end == begin.begin:
                self.warnings.append(
                    f"{last.text}(…) is read as {last.text} times what is in the brackets, not as a function of it"
                )
            factor = self.signed(self.power) if sign else self.power()
            if sign is not None and sign.kind == "/":
                result = Quotient(result, factor)
            else:
                if isinstance(result, Quotient) and sign is None and last.kind not in (")", "}"):
                    self.torn.append((result, factor))
                result = joined(Product, result, factor)

    def power(self) -> Expression:
        """power = atom {raised} | "e" ["^" exponent]."""
        if self.take("e"):
            exponent = self.exponent() if self.take("^") else self.raised()
            return Call("exp", (_ONE if exponent is None else exponent,))
        result = self.atom()
        while (exponent := self.raised()) is not None:
            result = Power(result, exponent)
        return result

    def raised(self) -> Expression | None:
        """raised = superscript | "^" exponent; None if neither follows."""
        if above := self.take("above"):
            digits = "".join(_DIGITS_ABOVE[sign] for sign in above.text)
            if not re.fullmatch("−?[0-9]+", digits):
                raise self.error("this is no exponent", above.begin, above.end)
            size = self.number(digits.lstrip("−"), above)
            return self.whole(Negative(size) if digits[0] == "−" else size, above)
        if self.take("^"):
            at = self.here
            return self.whole(self.exponent(), at)
        return None

    def exponent(self) -> Expression:
        """What follows ^: a factor with a sign or without, which has no power of its own but in brackets."""
        self.deeper()
        sign = self.take("+", "−")
        result = self.atom()
        if self.here.kind in ("^", "above"):
            raise self.error("put the power that is meant in brackets", self.here.begin, self.here.end)
        self.depth -= 1
        return Negative(result) if sign and sign.kind == "−" else result

    def whole(self, exponent: Expression, at: Token) -> Expression:
        """Return an exponent if it is a whole number of moderate size."""
        size = exponent.operand if isinstance(exponent, Negative) else exponent
        if not isinstance(size, Number) or size.value.denominator != 1 or size.value > MAX_EXPONENT:
            raise self.error(
                f"an exponent is a whole number from −{MAX_EXPONENT} to {MAX_EXPONENT}; else there are exp and sqrt",
                at.begin,
                at.end,
            )
        return exponent

    def atom(self) -> Expression:
        """atom = number | symbol | function arguments | "(" sum ")" | a fraction of LaTeX."""
        token = self.here
        if self.take("number"):
            return self.number(token.text, token)
        if self.take("symbol"):
            assert isinstance(token.meaning, Symbol)  # noqa: S101 - for the type checker
            return token.meaning
        if self.take("function"):
            return self.call(str(token.meaning), token)
        if self.take("frac"):
            return Quotient(self.braced(), self.braced())
        for opening, closing in (("(", ")"), ("{", "}")):
            if self.take(opening):
                result = self.sum()
                self.closing(closing, token)
                return result
        raise self.unexpected()

    def braced(self) -> Expression:
        opening = self.here
        if not self.take("{"):
            raise self.unexpected("after \\frac come two parts in braces, as in \\frac{1}{2}")
        result = self.sum()
        self.closing("}", opening)
        return result

    def call(self, function: str, token: Token) -> Expression:
        """call = function [raised] ("(" sum {"," sum} ")" | power); tanh²(z) is (tanh z)²."""
        exponent = self.raised()
        opening = self.here
        if not self.take("("):
            self.deeper()
            arguments = [self.power()]
            self.depth -= 1
        else:
            arguments = [self.sum()]
            while self.take(","):
                arguments.append(self.sum())
            self.closing(")", opening)
        if len(arguments) != FUNCTIONS[function]:
            takes = "one argument" if FUNCTIONS[function] == 1 else f"{FUNCTIONS[function]} arguments"
            raise self.error(
                f"{function} takes {takes}, but has {len(arguments)}", token.begin, self.tokens[self.at - 1].end
            )
        result = Call(function, tuple(arguments))
        return result if exponent is None else Power(result, exponent)

    def number(self, written: str, at: Token) -> Number:
        mantissa, _, power = written.replace("−", "-").partition("e")
        if len(mantissa.replace(".", "").strip("0")) > MAX_DIGITS or abs(int(power or 0)) > MAX_DIGITS:
            raise self.error(
                f"a number has at most {MAX_DIGITS} digits, and an exponent of at most {MAX_DIGITS}", at.begin, at.end
            )
        return Number(Fraction(mantissa + (f"e{power}" if power else "")))


_UNEXPECTED = {
    "end": "the formula ends here, but something must follow",
    ",": "a comma stands between the two parts of max and min alone; for a decimal comma write a point, as in 0.5",
    "partial": SLOPES_ARE_WRITTEN_OUT,
}
_ONE = Number(Fraction(1))
_LOSS = Symbol("ℒ")
_LEFT_SIDES = (
    ("symbol", "="),
    ("partial", "symbol ℒ", "/", "partial", "symbol", "="),
    ("frac", "{", "partial", "symbol ℒ", "}", "{", "partial", "symbol", "}", "="),
)


def _levels(tree: Expression) -> int:
    levels, row = 0, [tree]
    while row:
        levels += 1
        row = [part for one in row for part in one.parts]
    return levels
