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
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from fractions import Fraction

from ..errors import InputError
from .latex import GREEK
from .text import SUBSCRIPTS, SUPERSCRIPTS, symbol_text, text
from .tree import Call, Derivative, Expression, Negative, Number, Power, Product, Quotient, Sum, Symbol, joined

MAX_CHARACTERS = 400
MAX_NODES = 300
MAX_DEPTH = 40
MAX_EXPONENT = 64
MAX_DIGITS = 40

FUNCTIONS = {
    "abs": 1, "cos": 1, "erf": 1, "exp": 1, "log": 1, "max": 2, "min": 2, "sign": 1, "sin": 1, "sqrt": 1,
    "step": 1, "tanh": 1,
}  # fmt: skip
"""The functions that can be typed, and how many arguments each has."""

_OTHER_NAMES = {"ln": "log", "d": "δ"} | {name.removeprefix("var"): letter for letter, name in GREEK.items()}
_OPERATORS = {
    "-": "−", "–": "−", "*": "·", "×": "·", "⋅": "·", "∙": "·", "÷": "/", "[": "(", "]": ")", "**": "^",
    "\\cdot": "·", "\\times": "·", "\\left": "", "\\right": "", "\\,": "", "\\;": "", "\\!": "", "\\ ": "",
}  # fmt: skip
_DIGITS_BELOW = {below: digit for digit, below in SUBSCRIPTS.items()} | {",": ","}
_DIGITS_ABOVE = {above: digit for digit, above in SUPERSCRIPTS.items()}

_BELOW, _ABOVE = "".join(SUBSCRIPTS.values()), "".join(SUPERSCRIPTS.values())
_LETTER = rf"[^\W\d_ᵀ{_BELOW}{_ABOVE}]"
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n\u00a0\u2009]+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+−-]?[0-9]+)?)"
    rf"|(?P<above>[{_ABOVE}]+)"
    r"|(?P<partial>∂|\\partial(?![A-Za-z]))"
    rf"|(?P<name>\\?{_LETTER}+)(?P<index>_?\{{[^{{}}]*\}}|_[0-9]+|_{_LETTER}|[0-9]+|[{_BELOW}]+(?:,[{_BELOW}]+)*)?"
    r"|(?P<operator>\*\*|\\[,;! ]|[-+−–*·×⋅∙/÷^()\[\]{},=])"
)


class FormulaError(InputError):
    """A formula that cannot be read, or says nothing.

    Attributes
    ----------
    formula : str
        What was typed.
    begin, end : int
        From which of its characters to which (not included) the error is.
    """

    def __init__(self, message: str, formula: str, begin: int, end: int) -> None:
        super().__init__(message)
        self.message, self.formula, self.begin, self.end = message, formula, begin, end

    def __reduce__(self) -> tuple[type[FormulaError], tuple[str, str, int, int]]:
        return type(self), (self.message, self.formula, self.begin, self.end)

    def __str__(self) -> str:
        return f"{self.message} (character {self.begin + 1})"

    def pointed(self) -> str:
        """Return the formula, below it a mark at the place, and the message."""
        return f"{self.formula}\n{' ' * self.begin}{'^' * max(1, self.end - self.begin)}\n{self.message}"


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
        return f"{self.left} = {self.expression}" if self.left else repr(self.expression)


def parse(formula: str, names: Iterable[Symbol]) -> Parsed:
    """Read a formula in some symbols.

    Raises
    ------
    FormulaError
        When it cannot be read; it says where, and what to do.
    """
    return _Parser(formula, names).parsed()


@dataclass(frozen=True)
class _Token:
    kind: str  # number, above, symbol, function, e, ℒ, frac, partial, end, or the operator itself
    begin: int
    end: int
    text: str
    meaning: Symbol | str  # which symbol or function


@dataclass
class _Names:
    """The declared symbols, as they may be typed."""

    declared: Iterable[Symbol]
    symbols: dict[tuple[str, tuple[str, ...]], Symbol] = field(init=False)
    meant: dict[str, str] = field(init=False)  # from a name as it may be typed to the name itself

    def __post_init__(self) -> None:
        self.symbols = {(one.name, tuple(map(str, one.indices))): one for one in self.declared}
        bases = {name for name, _ in self.symbols}
        self.meant = {typed: name for typed, name in _OTHER_NAMES.items() if name in bases or name in FUNCTIONS}
        self.meant |= {name: name for name in FUNCTIONS} | {name: name for name in bases}
        for typed, name in (("e", "e"), ("ℒ", "ℒ"), ("L", "ℒ"), ("Loss", "ℒ")):  # the loss stands in ∂ℒ/∂w at least
            self.meant.setdefault(typed, name)

    def split(self, letters: str) -> list[str] | None:
        """Return letters as known names, one after the other, the longest first; None if they are not."""
        ways: list[list[str] | None] = [[]] + [None] * len(letters)
        for begin in range(len(letters)):
            so_far = ways[begin]
            if so_far is None:
                continue
            for end in range(len(letters), begin, -1):
                found = ways[end]
                if letters[begin:end] in self.meant and (found is None or len(found) > len(so_far) + 1):
                    ways[end] = [*so_far, letters[begin:end]]
        return ways[-1]

    def nearest(self, typed: str) -> str:
        """Return a hint: the nearest name, or those that there are."""
        of_base = [symbol_text(one) for (name, _), one in self.symbols.items() if name == self.meant.get(typed)]
        if of_base:
            return f"{typed} has an index, as in {of_base[0]}"
        shown: dict[str, str] = {}
        for (name, indices), one in self.symbols.items():
            for spelled in {name, GREEK.get(name, name)}:
                shown[f"{spelled}{'_' * bool(indices)}{','.join(indices)}"] = symbol_text(one)
        near = get_close_matches(typed, [*shown, *FUNCTIONS], n=1, cutoff=0.5)
        if near:
            return f"did you mean {shown.get(near[0], near[0])}?"
        names = list(shown.values())
        return (
            f"known are {', '.join(names[:12])}{', …' if len(names) > 12 else ''}" if names else "no names are declared"
        )


class _Parser:
    def __init__(self, formula: str, names: Iterable[Symbol]) -> None:
        self.formula = formula
        if len(formula) > MAX_CHARACTERS:
            self.formula = formula[:MAX_CHARACTERS]
            raise self.error(
                f"a formula has at most {MAX_CHARACTERS} characters, but this has {len(formula):,}", MAX_CHARACTERS - 1
            )
        self.names = _Names(names)
        self.warnings: list[str] = []
        self.tokens: list[_Token] = []
        self.read_tokens()
        self.at = 0
        self.depth = 0

    def error(self, message: str, begin: int, end: int | None = None) -> FormulaError:
        return FormulaError(message, self.formula, begin, begin + 1 if end is None else end)

    # ---------------------------------------------------------------- tokens

    def read_tokens(self) -> None:
        place = 0
        while place < len(self.formula):
            match = _TOKEN.match(self.formula, place)
            if match is None:
                sign = self.formula[place]
                raise self.error(
                    f"{repr(sign) if sign.isprintable() else f'the sign U+{ord(sign):04X}'} means nothing here", place
                )
            name, end = match["name"], match.end()
            if name and (name in _OPERATORS or name == "\\frac"):  # what follows is no index
                end = place + len(name)
                self.add(_OPERATORS.get(name, "frac"), place, end)
            elif name:
                self.add_names(name, match["index"] or "", place, end)
            elif match["operator"]:
                self.add(_OPERATORS.get(match[0], match[0]), place, end)
            elif not match["space"]:
                self.add(str(match.lastgroup), place, end)
            place = end
        self.add("end", place, place)

    def add(self, kind: str, begin: int, end: int, meaning: Symbol | str = "") -> None:
        if kind:
            self.tokens.append(_Token(kind, begin, end, self.formula[begin:end], meaning))

    def add_names(self, typed: str, index: str, begin: int, end: int) -> None:
        letters = typed.lstrip("\\")
        pieces = self.names.split(letters.removeprefix("var") if typed != letters else letters)
        if pieces is None:
            raise self.error(f"{typed}{index} is not known: {self.names.nearest(letters + index)}", begin, end)
        inside = "".join(_DIGITS_BELOW.get(sign, sign) for sign in index.strip("_{}"))
        indices = tuple(part.strip() for part in inside.split(",")) if inside else ()
        for place, piece in enumerate(pieces):
            last = place + 1 == len(pieces)
            name, own = self.names.meant[piece], indices if last else ()
            end_of_piece = end if last else begin + len(piece)
            if (name, own) in self.names.symbols:
                self.add("symbol", begin, end_of_piece, self.names.symbols[name, own])
            elif name in FUNCTIONS and not own:
                self.add("function", begin, end_of_piece, name)
            elif name in ("e", "ℒ") and not own:
                self.add(name, begin, end_of_piece)
            else:
                written = f"{name}_{','.join(own)}" if own else name
                raise self.error(
                    f"{self.formula[begin:end_of_piece]} is not known: {self.names.nearest(written)}",
                    begin,
                    end_of_piece,
                )
            begin = end_of_piece

    # ---------------------------------------------------------------- grammar

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
                len(self.formula),
            )
        if _levels(result) > MAX_DEPTH:
            raise self.error(f"a formula has at most {MAX_DEPTH} levels", 0, len(self.formula))
        return Parsed(result, left, tuple(self.warnings))

    def left(self) -> Symbol | Derivative | None:
        """left = symbol | "∂" quantity "/" "∂" symbol, the latter also as a fraction of LaTeX; None without an "="."""
        for kinds in _LEFT_SIDES:
            here = self.tokens[self.at : self.at + len(kinds)]
            if all(token.kind in expected.split() for token, expected in zip(here, kinds, strict=False)) and len(
                here
            ) == len(kinds):
                self.at += len(kinds)
                symbols = [token.meaning or _LOSS for token in here if token.kind in ("symbol", "ℒ")]
                quantity, *by = [one for one in symbols if isinstance(one, Symbol)]
                return Derivative(quantity, *by) if by else quantity
        return None

    @property
    def here(self) -> _Token:
        return self.tokens[self.at]

    def take(self, *kinds: str) -> _Token | None:
        """Return the token at hand and go on, if it is of one of these kinds."""
        if self.here.kind not in kinds:
            return None
        self.at += 1
        return self.tokens[self.at - 1]

    def unexpected(self, why: str | None = None) -> FormulaError:
        token = self.here
        what = (
            "the formula ends here, but something must follow"
            if token.kind == "end"
            else f"{token.text} cannot stand here"
        )
        return self.error(why or what, token.begin, token.end)

    def closing(self, kind: str, opening: _Token) -> None:
        if not self.take(kind):
            what = (
                "this bracket is never closed"
                if self.here.kind == "end"
                else f"{self.here.text} stands where {kind} is missing"
            )
            at = opening if self.here.kind == "end" else self.here
            raise self.error(what, at.begin, at.end)

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self.error(f"a formula has at most {MAX_DEPTH} levels", self.here.begin, self.here.end)

    def sum(self) -> Expression:
        """sum = ["+" | "−"] product {("+" | "−") product}."""
        self.deeper()
        terms = [self.signed_product()]
        while sign := self.take("+", "−"):
            term = self.signed_product()
            terms.append(term if sign.kind == "+" else Negative(term))
        self.depth -= 1
        return joined(Sum, *terms)

    def signed_product(self) -> Expression:
        sign = self.take("+", "−")
        if sign is None:
            return self.product()
        self.deeper()
        operand = self.signed_product()
        self.depth -= 1
        return Negative(operand) if sign.kind == "−" else operand

    def product(self) -> Expression:
        """product = power {["·" | "/"] power}."""
        result = self.power()
        while True:
            begin = self.here
            sign = self.take("·", "/")
            if sign is None and self.here.kind not in ("number", "symbol", "function", "e", "(", "{", "frac"):
                return result
            if sign is None:
                self.warn_of_implicit(result)
            factor = self.signed_power() if sign else self.power()
            if sign is not None and sign.kind == "/":
                result = Quotient(result, factor)
            else:
                if isinstance(result, Quotient) and sign is None and begin.kind != "(":
                    self.warnings.append(f"{text(result)} {text(factor)} is read as ({text(result)})·{text(factor)}")
                result = joined(Product, result, factor)

    def warn_of_implicit(self, before: Expression) -> None:
        last = self.tokens[self.at - 1]
        if self.here.kind == "(" and last.kind == "symbol" and last.end == self.here.begin:
            self.warnings.append(
                f"{last.text}(…) is read as {last.text} times what is in the brackets, not as a function of it"
            )

    def signed_power(self) -> Expression:
        """A factor after · or / may have a sign of its own: 2·−x."""
        sign = self.take("+", "−")
        if sign is None:
            return self.power()
        self.deeper()
        operand = self.signed_power()
        self.depth -= 1
        return Negative(operand) if sign.kind == "−" else operand

    def power(self) -> Expression:
        """power = atom {superscript | "^" exponent}."""
        if self.take("e"):
            if not self.take("^"):
                return Call("exp", (_ONE,))
            return Call("exp", (self.exponent(),))
        result = self.atom()
        while True:
            if above := self.take("above"):
                digits = "".join(_DIGITS_ABOVE[sign] for sign in above.text)
                if not re.fullmatch("−?[0-9]+", digits):
                    raise self.error("this is no exponent", above.begin, above.end)
                size = self.number(digits.lstrip("−"), above)
                result = Power(result, self.whole(Negative(size) if digits[0] == "−" else size, above))
            elif self.take("^"):
                at = self.here
                result = Power(result, self.whole(self.exponent(), at))
            else:
                return result

    def exponent(self) -> Expression:
        """What follows ^: a factor with a sign or without, which has no power of its own but in brackets."""
        self.deeper()
        sign = self.take("+", "−")
        result = self.atom()
        if self.here.kind in ("^", "above"):
            raise self.error("put the power that is meant in brackets", self.here.begin, self.here.end)
        self.depth -= 1
        return Negative(result) if sign and sign.kind == "−" else result

    def whole(self, exponent: Expression, at: _Token) -> Expression:
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

    def call(self, function: str, token: _Token) -> Expression:
        """arguments = [power] "(" sum {"," sum} ")" | power."""
        above = self.here
        exponent = None
        if above.kind in ("above", "^"):  # tanh²(z) is (tanh z)²
            base = self.power_alone()
            exponent = base
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

    def power_alone(self) -> Expression:
        at = self.here
        if above := self.take("above"):
            return self.whole(self.number("".join(_DIGITS_ABOVE[sign] for sign in above.text), above), at)
        self.take("^")
        return self.whole(self.exponent(), at)

    def number(self, written: str, at: _Token) -> Number:
        mantissa, _, power = written.replace("−", "-").partition("e")
        if (
            not mantissa.replace(".", "").isdecimal()
            or len(mantissa) > MAX_DIGITS
            or abs(int(power or 0)) > MAX_DIGITS * 10
        ):
            raise self.error(f"a number has at most {MAX_DIGITS} digits", at.begin, at.end)
        return Number(Fraction(mantissa + (f"e{power}" if power else "")))


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
