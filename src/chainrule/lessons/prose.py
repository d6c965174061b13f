"""Sentences with formulae in them, written for the terminal, for a page, and for course platforms."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import count
from string import Formatter
from typing import TypeAlias

from ..formula import Expression, latex, mathml, text
from ..formula.text import Notation


@dataclass(frozen=True)
class Equation:
    """left = right; of an update, left ← right."""

    left: Expression
    right: Expression
    update: bool = False


ARROW = r"\leftarrow"
Piece: TypeAlias = str | Expression | Equation


@dataclass(frozen=True)
class Prose:
    """Words and formulae in their order; :func:`prose` makes them from a sentence with placeholders."""

    pieces: tuple[Piece, ...]

    def to_text(self) -> str:
        """Return it as plain text."""
        return "".join(piece if isinstance(piece, str) else _formula(piece, text, "←") for piece in self.pieces)

    def to_html(self, prefix: str = "", notation: Notation = "lecture") -> str:
        """Return it as a part of a page, with formulae in MathML, whose ids begin with the prefix."""

        def write(formula: Expression, ids: str) -> str:
            return mathml(formula, f"{prefix}{ids}-", notation=notation)

        parts = []
        formulae = count()  # ids do not depend on how the words are divided into pieces
        for piece in self.pieces:
            if isinstance(piece, str):
                parts.append(escape(piece))
            elif isinstance(piece, Equation):
                place, sign = next(formulae), "←" if piece.update else "="
                parts.append(f"{write(piece.left, f'{place}l')} {sign} {write(piece.right, f'{place}r')}")
            else:
                parts.append(write(piece, f"{next(formulae)}"))
        return "".join(parts)

    def to_mathjax(self) -> str:
        r"""Return it as HTML with formulae in LaTeX between \( and \), as course platforms have it."""
        return "".join(
            escape(piece, quote=False)
            if isinstance(piece, str)
            else rf"\({escape(_formula(piece, latex, ARROW), quote=False)}\)"
            for piece in self.pieces
        )

    def __add__(self, other: Prose) -> Prose:
        return Prose(self.pieces + other.pieces)

    def __str__(self) -> str:
        return self.to_text()


Value: TypeAlias = str | int | Expression | Equation | Prose
"""What a placeholder can stand for."""


def prose(template: Piece, *values: Value, **named: Value) -> Prose:
    """Fill the placeholders of a sentence with formulae, words and other prose.

    Parameters
    ----------
    template : str, Expression or Equation
        A sentence, in which ``{}`` stands for the next value and ``{name}`` for a named one, so that a translation can
        change their order. Without values, braces are ordinary characters. A formula alone is a sentence, too.
    *values, **named : str, int, Expression, Equation or Prose
        Not all of the named values need to be used.

    Raises
    ------
    ValueError
        When a placeholder has no value, or a value has no placeholder.
    """
    if not isinstance(template, str) or not (values or named):
        return Prose((template,))
    return Prose(tuple(_filled(template, values, named)))


def listing(values: Sequence[Value], last: str = " and ") -> Prose:
    """Return values as a list in a sentence, such as "a, b and c"."""
    separators = [*([", "] * (len(values) - 2)), last][: len(values) - 1]
    return prose("".join(f"{{}}{separator}" for separator in [*separators, ""]), *values)


def _filled(template: str, values: tuple[Value, ...], named: dict[str, Value]) -> Iterator[Piece]:
    positional = iter(values)
    for words, name, _, _ in Formatter().parse(template):
        if words:
            yield words
        if name is None:
            continue
        try:
            value = named[name] if name else next(positional)
        except (KeyError, StopIteration):
            raise ValueError(f"there is no value for {{{name}}} in {template!r}") from None
        if isinstance(value, Prose):
            yield from value.pieces
        else:
            yield str(value) if isinstance(value, int) else value
    for surplus in positional:
        raise ValueError(f"there is no placeholder for {surplus} in {template!r}")


def _formula(piece: Expression | Equation, write: Callable[[Expression], str], becomes: str) -> str:
    if isinstance(piece, Equation):
        return f"{write(piece.left)} {becomes if piece.update else '='} {write(piece.right)}"
    return write(piece)
