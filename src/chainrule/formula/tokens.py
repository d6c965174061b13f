"""What people type, cut into numbers, declared names and operators."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches

from ..errors import InputError
from .latex import GREEK
from .text import SUBSCRIPTS, SUPERSCRIPTS, symbol_text
from .tree import Symbol

MAX_CHARACTERS = 400

FUNCTIONS = {
    "abs": 1, "cos": 1, "erf": 1, "exp": 1, "log": 1, "max": 2, "min": 2, "sign": 1, "sin": 1, "sqrt": 1,
    "step": 1, "tanh": 1,
}  # fmt: skip
"""The functions that can be typed, and how many arguments each has."""

_SPELLED = {name.removeprefix("var"): letter for letter, name in GREEK.items()}
_OTHER_NAMES = {"ln": "log", "d": "δ"} | _SPELLED
_OPERATORS = {
    "-": "−", "–": "−", "*": "·", "×": "·", "⋅": "·", "∙": "·", "÷": "/", "[": "(", "]": ")", "**": "^",
    "\\cdot": "·", "\\times": "·", "\\left": "", "\\right": "", "\\,": "", "\\;": "", "\\!": "", "\\ ": "",
}  # fmt: skip
SLOPES_ARE_WRITTEN_OUT = "write the slope out, as 1 - f_2^2 for tanh"
_PRIME = re.compile(r"\^?\{?(?:['′’´]|\\prime)\}?")
_DIGITS_BELOW = {below: digit for digit, below in SUBSCRIPTS.items()} | {",": ","}

_BELOW, _ABOVE = "".join(SUBSCRIPTS.values()), "".join(SUPERSCRIPTS.values())
_LETTER = rf"[^\W\d_ᵀ{_BELOW}{_ABOVE}]"
_INDEX = rf"_\{{[\w, ]*\}}|_[0-9]+|_{_LETTER}|[0-9]+|[{_BELOW}]+(?:,[{_BELOW}]+)*"
NAME = re.compile(rf"\\?(?P<letters>{_LETTER}+)(?P<index>{_INDEX})?")
"""The name of a symbol, or several names, of which the last has the index."""
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n\u00a0\u2009]+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:e[+−-]?[0-9]+)?)"
    rf"|(?P<above>[{_ABOVE}]+)"
    r"|(?P<loss>\\mathcal *\{ *L *\})"
    r"|(?P<partial>∂|\\partial(?![A-Za-z]))"
    rf"|(?P<name>\\?{_LETTER}+)(?P<index>{_INDEX})?"
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


def named_symbol(name: str) -> Symbol:
    r"""Return the symbol of a name: ``x``, ``w_2``, ``w₂``, ``w_{2,1,3}``, ``delta_1`` or ``\delta_1``.

    Raises
    ------
    InputError
        When it is not a name.
    """
    match = NAME.fullmatch(name.strip())
    if match is None:
        raise InputError(f"{name!r:.60} is not the name of a symbol, such as x, w_2 or w_{{2,1,3}}")
    return symbol_of(match["letters"], match["index"])


def symbol_of(letters: str, index: str | None) -> Symbol:
    """Return the symbol of a letter, which may be spelled out, with an index as it may be typed."""
    return Symbol(_SPELLED.get(letters.removeprefix("var"), letters), indices_of(index or ""))


def indices_of(index: str) -> tuple[int | str, ...]:
    """Return the indices that are typed as ``_2``, ``2``, ``₂``, ``_L`` or ``_{2,1}``."""
    inside = "".join(_DIGITS_BELOW.get(sign, sign) for sign in index.strip("_{}"))
    parts = [part.strip() for part in inside.split(",")] if inside.strip() else []
    return tuple(int(part) if part.isdecimal() else part for part in parts)


@dataclass(frozen=True)
class Token:
    """A piece of a formula, from one of its characters to another."""

    kind: str  # number, above, symbol, function, e, ℒ, frac, partial, end, or the operator itself
    begin: int
    end: int
    text: str
    meaning: Symbol | str  # which symbol or function


@dataclass
class Names:
    """The declared symbols or their names, as they may be typed."""

    declared: Iterable[Symbol | str]
    symbols: dict[tuple[str, tuple[str, ...]], Symbol] = field(init=False)
    meant: dict[str, str] = field(init=False)  # from a name as it may be typed to the name itself

    def __post_init__(self) -> None:
        symbols = [named_symbol(one) if isinstance(one, str) else one for one in self.declared]
        self.symbols = {(one.name, tuple(map(str, one.indices))): one for one in symbols}
        bases = {name for name, _ in self.symbols}
        self.meant = {typed: name for typed, name in _OTHER_NAMES.items() if name in bases or name in FUNCTIONS}
        self.meant |= {name: name for name in FUNCTIONS} | {name: name for name in bases}
        for typed, name in (("e", "e"), ("ℒ", "ℒ"), ("L", "ℒ"), ("Loss", "ℒ")):  # the loss stands in ∂ℒ/∂w at least
            self.meant.setdefault(typed, name)

    def split(self, letters: str) -> list[str] | None:
        """Return letters as known names, one after the other, as few as there can be; None if they are not."""
        ways: list[list[str] | None] = [[]] + [None] * len(letters)
        longest = max(map(len, self.meant))
        for begin, so_far in enumerate(ways):
            if so_far is None:
                continue
            for end in range(min(len(letters), begin + longest), begin, -1):
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
        near = get_close_matches(typed[:30], [*shown, *FUNCTIONS], n=1, cutoff=0.5)
        if near:
            return f"did you mean {shown.get(near[0], near[0])}?"
        names = list(dict.fromkeys(shown.values()))  # a Greek letter may be spelled out, too
        return (
            f"known are {', '.join(names[:12])}{', …' if len(names) > 12 else ''}" if names else "no names are declared"
        )


class Reader:
    """Reads a formula's tokens; the last of them is its end.

    Raises
    ------
    FormulaError
        When it is too long, or something in it is no token.
    """

    def __init__(self, formula: str, names: Iterable[Symbol | str]) -> None:
        self.formula = formula[:MAX_CHARACTERS]
        if len(formula) > MAX_CHARACTERS:
            raise self.error(
                f"a formula has at most {MAX_CHARACTERS} characters, but this has {len(formula):,}", MAX_CHARACTERS - 1
            )
        self.names = Names(names)
        self.tokens: list[Token] = []
        self.read_tokens()

    def error(self, message: str, begin: int, end: int | None = None) -> FormulaError:
        """Return the error of a place."""
        return FormulaError(message, self.formula, begin, begin + 1 if end is None else end)

    def read_tokens(self) -> None:
        """Read all tokens."""
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
            elif name and (prime := _PRIME.match(self.formula, end)):
                raise self.error(SLOPES_ARE_WRITTEN_OUT, place, prime.end())
            elif name:
                self.add_names(name, match["index"] or "", place, end)
            elif match["operator"]:
                self.add(_OPERATORS.get(match[0], match[0]), place, end)
            elif not match["space"]:
                self.add("ℒ" if match["loss"] else str(match.lastgroup), place, end)
            place = end
        self.add("end", place, place)

    def add(self, kind: str, begin: int, end: int, meaning: Symbol | str = "") -> None:
        """Add a token, unless it says nothing."""
        if kind:
            self.tokens.append(Token(kind, begin, end, self.formula[begin:end], meaning))

    def add_names(self, typed: str, index: str, begin: int, end: int) -> None:
        """Add the names that letters are made of, the last with the index."""
        letters = typed.lstrip("\\")
        pieces = self.names.split(letters.removeprefix("var") if typed != letters else letters)
        if pieces is None:
            raise self.error(f"{typed}{index} is not known: {self.names.nearest(letters + index)}", begin, end)
        indices = tuple(map(str, indices_of(index)))
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
