"""Grades a reply to a problem, with feedback. Nothing that was typed is ever executed.

A reply that cannot be read, or that answers in another form than the one asked for, is refused: it is no attempt.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from ..errors import InputError
from ..formula import (
    Derivative,
    Expression,
    FormulaError,
    Parsed,
    Symbol,
    UndefinedError,
    compare,
    diagnose,
    evaluate,
    parse,
    text,
)
from ..formula.equality import sampled
from .problems import ChooseAll, FormulaAnswer, Mistake, NumberAnswer, OneChoice, Option, Problem
from .prose import Prose, prose

Reply: TypeAlias = int | Collection[int] | str
"""To one choice the place of an option, from 0; to choose all the places; to a formula or a number what was typed."""

MAX_NUMBER = 60
_NOTHING = 1e-9  # how far from 0 a number may be that should be 0
_EXACT = 1e-9  # relative: what rounding does to a number that should be the key itself
_ROUNDED = 5  # so many tolerances away, a number is close
_SIDE_BY_SIDE = re.compile(r"(?<=[\d.])\s+(?=[\d.]|[eE][+−-]?\d)|(?<=\.)\d*\.")  # 1 000 would be read as 1 times 0
_DECIMAL_COMMA = re.compile(r"\s*[+−-]?\d*,\d+\s*")
_CAPITAL_E = re.compile(r"(?<=[\d.])E(?=[+−-]?\d)")
_RATIOS = (
    (-1.0, "sign", "The sign is wrong: the size is right."),
    (0.5, "factor 2", "It is half of what it should be."),
    (2.0, "factor 2", "It is twice what it should be."),
    (-0.5, "factor 2", "It is half of what it should be, and the sign is wrong, too."),
    (-2.0, "factor 2", "It is twice what it should be, and the sign is wrong, too."),
)


class MalformedReply(InputError):  # noqa: N818 - it is called after what came in
    """A reply that cannot be read, or is not of the form that is asked for. It is no attempt.

    Attributes
    ----------
    begin, end : int or None
        From which character of what was typed to which (not included) the error is; None where nothing was typed.
    pointed : str or None
        What was typed, and below it a mark at the place.
    """

    def __init__(
        self, message: str, begin: int | None = None, end: int | None = None, pointed: str | None = None
    ) -> None:
        super().__init__(message)
        self.begin, self.end, self.pointed = begin, end, pointed

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (str(self), self.begin, self.end, self.pointed)


@dataclass(frozen=True)
class Grade:
    """What is said of a reply.

    Attributes
    ----------
    right : bool
    points : int
        Those of the problem, or 0.
    feedback : tuple of Prose
        Paragraphs; none where there is nothing to say beyond right or wrong.
    understood : Prose or None
        What was typed, as it was understood.
    warnings : tuple of str
        How else it could have been understood.
    mistake : str or None
        The kind of misconception that the reply shows, where one is known.
    """

    right: bool
    points: int
    feedback: tuple[Prose, ...] = ()
    understood: Prose | None = None
    warnings: tuple[str, ...] = ()
    mistake: str | None = None


def check(problem: Problem, reply: Reply) -> Grade:
    """Grade a reply.

    What is wrong with a choice of several boxes is not said, as that would give the right ones away.

    Parameters
    ----------
    problem : Problem
    reply : int, collection of int, or str
        See :data:`Reply`.

    Raises
    ------
    MalformedReply
        When it cannot be read, or is right in another form than the one that is asked for.
    """
    answer = problem.answer
    match answer:
        case OneChoice():
            option = answer.options[_place(reply, answer.options)]
            return Grade(option.right, _points(problem, option.right), (option.feedback,), mistake=option.mistake)
        case ChooseAll():
            places = _places(reply, answer.options)
            if places != answer.key:
                return Grade(False, 0, (prose("Not all is right yet."),))
            return Grade(True, problem.points, tuple(answer.options[place].feedback for place in sorted(places)))
        case FormulaAnswer():
            typed = _typed(reply)
            return _formula_grade(problem, answer, typed, _formula(typed, answer))
        case NumberAnswer():
            return _number_grade(problem, answer, *_number(_typed(reply), answer))


def canonical(problem: Problem, reply: Reply) -> int | list[int] | str:
    """Return a reply as it is stored: places in order and once each, text as it was typed.

    It is read, but not graded.

    Raises
    ------
    MalformedReply
        When it cannot be read.
    """
    answer = problem.answer
    match answer:
        case OneChoice():
            return _place(reply, answer.options)
        case ChooseAll():
            return sorted(_places(reply, answer.options))
        case FormulaAnswer():
            _formula(_typed(reply), answer)
        case NumberAnswer():
            _number(_typed(reply), answer)
    return _typed(reply)


def understood(problem: Problem, typed: str) -> Parsed:
    """Return how a typed formula or number is read; whether it is right is not looked at.

    Raises
    ------
    MalformedReply
        When it cannot be read, or options are to be chosen.
    """
    match problem.answer:
        case FormulaAnswer() as answer:
            return _formula(_typed(typed), answer)
        case NumberAnswer() as answer:
            return _number(_typed(typed), answer)[0]
    raise MalformedReply("here an option is chosen, and nothing is typed")


def _points(problem: Problem, right: bool) -> int:
    return problem.points if right else 0


def _place(reply: object, options: tuple[Option, ...]) -> int:
    if isinstance(reply, bool) or not isinstance(reply, int):
        raise MalformedReply(f"the answer is the place of one option, a whole number from 0, not {reply!r:.60}")
    if not 0 <= reply < len(options):
        raise MalformedReply(f"there is no option {reply}: choose one from 0 to {len(options) - 1}")
    return reply


def _places(reply: object, options: tuple[Option, ...]) -> frozenset[int]:
    if isinstance(reply, (str, bytes)) or not isinstance(reply, Collection):
        raise MalformedReply(f"the answer is a list of places of options, such as [0, 2], not {reply!r:.60}")
    places = frozenset(_place(place, options) for place in reply)
    if not places:
        raise MalformedReply("no option is chosen: at least one is right")
    return places


def _typed(reply: object) -> str:
    if not isinstance(reply, str):
        raise MalformedReply(f"the answer is typed, as text, but this is {reply!r:.60}")
    return reply


def _malformed(message: str, typed: str, begin: int, end: int) -> MalformedReply:
    """Return the error of a place, with what was typed on one line."""
    line = "".join(character if character.isprintable() else " " for character in typed)
    return MalformedReply(message, begin, end, f"{line}\n{' ' * begin}{'^' * max(1, end - begin)}")


def _parsed(typed: str, names: Iterable[Symbol], left: Expression | None) -> Parsed:
    """Read a formula, whose left side, if it has one, must be what is asked for."""
    try:
        parsed = parse(typed, names)
    except FormulaError as error:
        raise _malformed(str(error), error.formula, error.begin, error.end) from error
    if parsed.left is not None and parsed.left != left:
        expected = "the right side alone" if left is None else text(left)
        message = f"{expected} is asked for, not {text(parsed.left)}: leave the left side out"
        raise _malformed(message, typed, 0, typed.index("="))
    return parsed


def _formula(typed: str, answer: FormulaAnswer) -> Parsed:
    return _parsed(typed, answer.names, answer.left)


def _formula_grade(problem: Problem, answer: FormulaAnswer, typed: str, parsed: Parsed) -> Grade:
    formula = parsed.expression
    comparison = compare(formula, answer.key, answer.definitions, answer.allowed)
    foreign: tuple[Expression, ...] = comparison.not_allowed
    if answer.allowed is None and answer.left in formula.walk():
        foreign = (answer.left,)
    if comparison.equal and foreign:
        raise _malformed(_other_form(answer, foreign), typed, 0, len(typed))
    is_right = comparison.equal
    feedback, mistake = ((), None) if is_right else _what_is_wrong(formula, answer, comparison.undefined)
    return Grade(is_right, _points(problem, is_right), feedback, prose(formula), parsed.warnings, mistake)


def _other_form(answer: FormulaAnswer, foreign: Iterable[Expression]) -> str:
    without = _listed(dict.fromkeys(foreign))
    if answer.allowed is None:
        return f"{text(answer.left)} is what is asked for: write it without {without}"
    return f"{text(answer.left)} is asked for in another form: without {without}, by {_listed(answer.allowed)} alone"


def _listed(names: Iterable[Expression]) -> str:
    *others, last = map(text, names)
    return f"{', '.join(others)} and {last}" if others else last


def _what_is_wrong(
    formula: Expression, answer: FormulaAnswer, undefined: Expression | None
) -> tuple[tuple[Prose, ...], str | None]:
    """Return what is said of a wrong formula, and which misconception it shows."""
    if undefined is not None:
        return (prose("This has no value, whatever its symbols are: look at {}.", undefined),), None
    known = _known_mistake(formula, answer)
    if known is not None:
        return (known.feedback,), known.kind
    mistake = diagnose(formula, answer.key, answer.definitions)
    if mistake is not None:
        return (prose(mistake.sentence),), mistake.kind
    return (prose("This is not {}, nor one of its common mistakes.", answer.left),), None


def _known_mistake(formula: Expression, answer: FormulaAnswer) -> Mistake[Expression] | None:
    """Return which of the problem's wrong formulae it is equal to, by points that tell it from the key."""
    try:
        sample = sampled((formula, answer.key), answer.definitions)
    except UndefinedError:
        return None
    for mistake in answer.mistakes:
        try:
            if sample.agree(formula, mistake.answer):
                return mistake
        except UndefinedError:
            continue
    return None


def _number(typed: str, answer: NumberAnswer) -> tuple[Parsed, float]:
    """Return a number as it was typed, and its value."""
    if len(typed) > MAX_NUMBER:
        message = f"a number has at most {MAX_NUMBER} characters, but this has {len(typed):,}"
        raise _malformed(message, typed[:MAX_NUMBER], MAX_NUMBER - 1, MAX_NUMBER)
    if comma := re.search(",", typed):
        example = typed.strip().replace(",", ".") if _DECIMAL_COMMA.fullmatch(typed) else "0.5, for example"
        raise _malformed(f"a number has a decimal point, not a comma: write {example}", typed, *comma.span())
    if gap := _SIDE_BY_SIDE.search(typed):
        message = "two numbers stand side by side: leave out what is between them, or put a sign there"
        raise _malformed(message, typed, *gap.span())
    typed = _CAPITAL_E.sub("e", typed)
    parsed = _parsed(typed, _symbols(answer.left), answer.left)
    for symbol in parsed.expression.symbols():
        raise _malformed(f"a number is asked for, but {text(symbol)} stands in it", typed, 0, len(typed))
    try:
        with np.errstate(all="ignore"):
            value = float(evaluate(parsed.expression, {}))
    except (OverflowError, ZeroDivisionError):
        value = math.nan
    if not math.isfinite(value):
        raise _malformed("this has no finite value: write a number", typed, 0, len(typed))
    return parsed, value


def _symbols(left: Expression | None) -> set[Symbol]:
    """Return the symbols that the left side of a number may be typed with."""
    if isinstance(left, Derivative):
        return {left.quantity, left.by}
    return set() if left is None else left.symbols()


def _number_grade(problem: Problem, answer: NumberAnswer, parsed: Parsed, value: float) -> Grade:
    right = _near(value, answer.key, answer.tolerance)
    feedback, mistake = ((), None) if right else _what_is_wrong_with_number(value, answer)
    return Grade(right, _points(problem, right), feedback, prose(parsed.expression), parsed.warnings, mistake)


def _near(value: float, number: float, tolerance: float) -> bool:
    if number == 0:
        return abs(value) <= _NOTHING
    return abs(value - number) <= (tolerance + _EXACT) * abs(number)


def _what_is_wrong_with_number(value: float, answer: NumberAnswer) -> tuple[tuple[Prose, ...], str | None]:
    """Return what is said of a wrong number, and which misconception it shows."""
    known = [mistake for mistake in answer.mistakes if _near(value, mistake.answer, answer.tolerance)]
    if known:
        nearest = min(known, key=lambda mistake: abs(value - mistake.answer))
        return (nearest.feedback,), nearest.kind
    if answer.key != 0:
        for ratio, kind, sentence in _RATIOS:
            if _near(value, ratio * answer.key, answer.tolerance):
                return (prose(sentence),), kind
        if _near(value, answer.key, _ROUNDED * answer.tolerance):
            how_near = f"{100 * answer.tolerance:.3g} %"
            return (prose(f"This is close, but not within {how_near}: keep more digits on the way."),), "rounding"
    return (prose("This is not the number, nor one of its common mistakes."),), None
