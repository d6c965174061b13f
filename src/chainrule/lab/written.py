"""The steps of a network's back-propagation as they are written: in words and symbols, without any numbers.

They are the same for every sample and for all parameters, so that those of the networks last seen are kept.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from html import unescape
from itertools import islice
from typing import Literal, TypeAlias

from ..derivation import Derivation, Step, derive
from ..derivation.steps import LOSS, Sign
from ..derivation.symbols import MatrixSymbols, Symbols
from ..formula import Derivative, Expression, Symbol, text
from ..formula.mathml import Style, equation
from ..formula.text import Notation
from ..network import Network
from .factors import Factors, Part

StepKind: TypeAlias = Literal["z", "f", "loss", "delta", "gradient", "update"]
_KEPT = 16
_LONGEST = 250  # parts of an unrolled formula: what is longer nobody reads


@dataclass(frozen=True)
class WrittenStep:
    """A step without its numbers.

    Attributes
    ----------
    step : Step
        Of the derivation.
    kind : str
    layer, unit, unit_before : int or None
        Whose number it is; `unit_before` is that of a gradient and an update: 0 of a bias.
    title : str
        What is found.
    spoken : str
        The same, to be read aloud.
    symbols, unrolled : str
        MathML; `unrolled` is None where there is no other form, or a very long one, and in matrices.
    parts, unrolled_parts : tuple of Part
        What stands on the right side of the one and of the other.
    """

    step: Step
    kind: StepKind
    layer: int | None
    unit: int | None
    unit_before: int | None
    title: str
    spoken: str
    symbols: str
    unrolled: str | None
    parts: tuple[Part, ...]
    unrolled_parts: tuple[Part, ...]

    @property
    def relation(self) -> str:
        """What stands between both sides."""
        return "←" if self.kind == "update" else "="


@dataclass(frozen=True)
class WrittenSteps:
    """All steps of a network, in order, and how their formulae are written."""

    derivation: Derivation
    symbols: Symbols
    style: Style
    steps: tuple[WrittenStep, ...]

    @property
    def in_matrices(self) -> bool:
        """Whether a formula is of whole layers."""
        return isinstance(self.symbols, MatrixSymbols)


@lru_cache(maxsize=_KEPT)
def written(net: Network, sign: Sign, notation: Notation) -> WrittenSteps:
    """Return the steps of a network: unit by unit where it is a chain or small, else in matrices."""
    derivation = derive(net, sign=sign, notation=notation)
    in_matrices = any(symbol.matrix for symbol in derivation.definitions)
    factors = Factors(net, in_matrices, sign, notation)
    style = Style(prefix=None, notation=notation, marks=factors.marks)
    unrolled = {} if in_matrices else {
        step.name.removesuffix(" unrolled"): step for step in derivation.steps if step.name.endswith(" unrolled")
    }  # fmt: skip
    steps = []
    for step in derivation.steps:
        if step.name.endswith(" unrolled"):
            continue
        longer = unrolled.get(step.name)
        if longer is not None and (longer.right == step.right or _is_long(longer.right)):
            longer = None
        steps.append(_written(step, longer, factors, style))
    return WrittenSteps(derivation, factors.s, style, tuple(steps))


def _written(step: Step, longer: Step | None, factors: Factors, style: Style) -> WrittenStep:
    kind, symbol = _kind(step), _symbol(step.left)
    layer, unit, before = factors.place(symbol)
    name = text(step.left, style.notation)
    symbols = equation(step.left, step.right, "←" if kind == "update" else "=", style)
    unrolled = None if longer is None else equation(longer.left, longer.right, "=", style)
    return WrittenStep(
        step=step,
        kind=kind,
        layer=layer,
        unit=unit,
        unit_before=before if kind in ("gradient", "update") else None,
        title=f"new {name}" if kind == "update" else name,
        spoken=_spoken(kind, symbol),
        symbols=symbols,
        unrolled=unrolled,
        parts=_parts(symbols, factors),
        unrolled_parts=() if unrolled is None else _parts(unrolled, factors),
    )


def _is_long(formula: Expression) -> bool:
    return next(islice(formula.walk(), _LONGEST, None), None) is not None


def _kind(step: Step) -> StepKind:
    if step.name.startswith("update "):
        return "update"
    if isinstance(step.left, Derivative):
        return "gradient"
    kinds: dict[Symbol | str, StepKind] = {"z": "z", "f": "f", "δ": "delta"}
    return "loss" if step.left == LOSS else kinds[_symbol(step.left).name]


def _symbol(left: Expression) -> Symbol:
    symbol = left.by if isinstance(left, Derivative) else left
    assert isinstance(symbol, Symbol)  # noqa: S101 - for the type checker
    return symbol


def _spoken(kind: StepKind, symbol: Symbol) -> str:
    """Return what is found as it is read aloud: "delta 1", "gradient of w 2 1 3", "new b 1 2"."""
    name = {"δ": "delta", "ℒ": "loss"}.get(symbol.name, symbol.name)
    said = " ".join([name, *map(str, symbol.indices)])
    return f"gradient of {said}" if kind == "gradient" else f"new {said}" if kind == "update" else said


def _parts(formula: str, factors: Factors) -> tuple[Part, ...]:
    """Return what is named on the right side of a formula, each once, in the order in which it stands there."""
    right = formula.partition('<mrow class="right">')[2]
    names = dict.fromkeys(map(unescape, re.findall('data-symbol="([^"]*)"', right)))
    return tuple(factors.parts[name] for name in names)
