"""What is seen when a formula is tried, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np

from ..formula import Derivative, Expression, Symbol, compare, expression, substituted, text
from ..lessons import Prose
from ..lessons.prose import Piece
from .descent import Claim, Runs

_LISTED = 4  # parameters that are named one by one
_LIKE = 0.01  # losses that differ by less, relative to the first one, look alike
_LEAST, _MOST = 1e-4, 1e6  # losses that are shown as numbers
_RATIO = 64  # the largest denominator of a factor that is looked for

_LUCK = " A step may lead down without being the right one, but nothing makes sure of it."

Pieces: TypeAlias = list[Piece]
_SIZES: dict[Fraction, Pieces] = {Fraction(1, 2): ["half"], Fraction(2): ["twice"]}


@dataclass(frozen=True)
class Comparison:
    """What a formula is by the side of the right one.

    Attributes
    ----------
    factor : Fraction or None
        What it is times the right one wherever the definitions hold: 1 where it is right; None where that varies. Of
        an update, this is about the step that it makes.
    wrong_signs : int
        In how many rows its sign is another one, to begin with.
    rows : int
    has_value : bool
    """

    factor: Fraction | None
    wrong_signs: int
    rows: int
    has_value: bool


def compared(
    claim: Claim, right: Claim, definitions: Mapping[Symbol, Expression], runs: Runs, old: float
) -> Comparison:
    """Compare what a formula says with what is right.

    Parameters
    ----------
    claim, right : Claim
    definitions : mapping from Symbol to Expression
        What holds between their symbols.
    runs : Runs
        The second of them by the claim.
    old : float
        What is taken from both before they are compared: of an update the parameter itself, else 0.
    """
    said, wanted = runs.claimed[1] - old, runs.right[1] - old
    if not np.isfinite(said).all():
        return Comparison(None, 0, len(said), False)
    guesses, largest = [Fraction(1)], int(np.argmax(np.abs(wanted)))
    with np.errstate(all="ignore"):  # beside a number that is almost 0, a quotient may be beyond all bounds
        ratio = float(said[largest] / wanted[largest])
    if np.isfinite(ratio):
        guesses.append(Fraction(ratio).limit_denominator(_RATIO))
    factor = next((guess for guess in guesses if is_times(guess, claim, right, definitions)), None)
    return Comparison(factor, int((np.sign(said) != np.sign(wanted)).sum()), len(said), True)


def is_times(factor: int | Fraction, claim: Claim, right: Claim, definitions: Mapping[Symbol, Expression]) -> bool:
    """Tell whether one formula is always so many times the other; of updates, whether one step is."""
    written, wanted = _with_symbols(claim.formula), _with_symbols(right.formula)
    if right.is_update:
        written, wanted = written - right.left, wanted - right.left
    return compare(written, expression(factor) * wanted, definitions).equal


def _with_symbols(formula: Expression) -> Expression:
    """Return a formula with a symbol for each slope in it."""
    slopes = {part for part in formula.walk() if isinstance(part, Derivative)}
    return substituted(formula, {one: Symbol(text(one)) for one in slopes})


def words(
    right: Claim, found: Comparison, moved: Sequence[Symbol], runs: Runs, learning: Sequence[Symbol] | None
) -> Prose:
    """Return what is seen.

    Parameters
    ----------
    right : Claim
    found : Comparison
        Of a formula with the right one.
    moved : sequence of Symbol
        The parameters that learn and that the formula moves.
    runs : Runs
        By the right formula, and by the other one.
    learning : sequence of Symbol or None
        The parameters that learn; None where all do.
    """
    pieces: Pieces = [*_about_the_formula(right, found, moved), " ", *_about_the_loss(found, runs)]
    if learning is not None:
        pieces += [" Only ", *_listed(learning), " learns here" if len(learning) == 1 else " learn here"]
        pieces += ["; the other parameters are right from the start, and stay."]
    return Prose(tuple(pieces))


def _about_the_formula(right: Claim, found: Comparison, moved: Sequence[Symbol]) -> Pieces:
    """Say how the formula and the right one go together."""
    factor, listed = found.factor, _listed(moved)
    what: Pieces = ["the step of ", right.left] if right.is_update else [right.left]
    if not found.has_value:
        return ["By this formula ", *what, " has no value here."]
    if factor == 1:
        return ["The formula is right."]
    if factor == 0:
        return ["By this formula ", *what, " is 0, so nothing moves ", *listed, "."]
    if factor == -1:
        return ["By this formula ", *what, " has the wrong sign: ", *listed, *_are(moved), " moved uphill."]
    if factor is not None:
        size: Pieces = _SIZES.get(abs(factor), [expression(abs(factor)), " times"])
        if factor < 0:
            return [
                "By this formula ", *what, " has the wrong sign, and is ", *size, " as large: ", *listed,
                *_are(moved), " moved uphill.",
            ]  # fmt: skip
        return [
            "By this formula ", *what, " is ", *size, " as large as it should be: ", *listed, *_are(moved),
            " moved the right way, but ", *size, " as far, as by another learning rate.",
        ]  # fmt: skip
    if right.is_update:
        way = "goes the wrong way" if found.wrong_signs else "goes the right way, but is not of the right length"
        return ["By this formula ", *what, f" {way}, to begin with."]
    if found.wrong_signs == 0:
        return ["By this formula ", *what, " has the right sign to begin with, but not the right size."]
    where = "in all rows" if found.wrong_signs == found.rows else f"in {found.wrong_signs} of {found.rows} rows"
    if found.rows == 1:
        where = "here"
    return ["By this formula ", *what, f" has the wrong sign {where}, to begin with."]


def _about_the_loss(found: Comparison, runs: Runs) -> Pieces:
    """Say what becomes of the loss."""
    steps = len(runs.losses) - 1
    ends = [runs.end(run) for run in (0, 1)]
    first, right = runs.losses[0, 0], runs.losses[ends[0] - 1, 0]
    beside: Pieces = [", where the right one takes it from ", _number(first), " to ", _number(right), "."]
    if ends[0] <= steps:
        beside = [f"; but with this learning rate the right one does not last either: {runs.ended(0)}."]
    if found.factor == 1:
        return ["Both runs are one: the loss goes from ", _number(first), " to ", _number(right), f" in {steps} steps."]
    if ends[1] <= steps:
        return [f"It does not last: {runs.ended(1)}", *beside]
    last = runs.losses[-1, 1]
    if ends[0] > steps and np.abs(runs.losses[:, 0] - runs.losses[:, 1]).max() < _LIKE * first:
        return [
            "Yet the curves can hardly be told apart here: it takes other numbers to tell the formulae apart by them."
        ]
    if last > (1 + _LIKE) * first:
        return ["The loss rises from ", _number(first), " to ", _number(last), *beside]
    if last > (1 - _LIKE) * first:
        return ["The loss stays about where it was, at ", _number(first), *beside]
    if ends[0] <= steps or last <= right + _LIKE * first:
        why = "" if found.factor is not None else _LUCK
        return ["The loss comes down all the same, to ", _number(last), *beside, why]
    return ["The loss comes down to ", _number(last), " only", *beside]


def _listed(symbols: Sequence[Symbol]) -> Pieces:
    """Return names in a row, or how many there are."""
    if len(symbols) > _LISTED:
        return [f"{len(symbols)} parameters"]
    pieces: Pieces = []
    for place, one in enumerate(symbols):
        pieces += [" and " if place == len(symbols) - 1 else ", "] * (place > 0)
        pieces.append(one)
    return pieces


def _are(some: Iterable[object]) -> Pieces:
    return [" is" if len(list(some)) == 1 else " are"]


def _number(value: float) -> Piece:
    """Return a number of three significant digits, or what may be said of one that nobody wants to read."""
    if value < _LEAST:
        return "almost 0"
    return "more than a million" if value > _MOST else expression(float(f"{value:.3g}"))
