"""Sentences with formulae in them, written for the terminal, for a page, and for course platforms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from itertools import count
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
    """What :func:`prose` returns: words and formulae in their order."""

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


def prose(*pieces: Piece) -> Prose:
    """Return words and formulae in their order as one."""
    return Prose(pieces)


def _formula(piece: Expression | Equation, write: Callable[[Expression], str], becomes: str) -> str:
    if isinstance(piece, Equation):
        return f"{write(piece.left)} {becomes if piece.update else '='} {write(piece.right)}"
    return write(piece)
