"""A problem: its words, its answer with known mistakes, and its solution."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from ..formula import Expression, Symbol
from .prose import Prose

Wrong = TypeVar("Wrong", Expression, float)

POINTS = 1
ATTEMPTS = {"one choice": 2, "choose all": 3, "formula": 5, "number": 4}
"""How often a problem may be answered where nothing else is said: guessing among options must not pay."""


@dataclass(frozen=True)
class Option:
    """One of the answers to choose from.

    Attributes
    ----------
    text : Prose
    right : bool
    feedback : Prose
        What is said to someone who chose it; of an option that is right, why it is.
    mistake : str or None
        Which misconception it comes from; None where it is right.
    formula : Expression or None
        What it comes to, where it is a formula of numbers.
    """

    text: Prose
    right: bool
    feedback: Prose
    mistake: str | None = None
    formula: Expression | None = None


@dataclass(frozen=True)
class Mistake(Generic[Wrong]):
    """A wrong formula or number that people come to, from which misconception, and a sentence about that."""

    answer: Wrong
    kind: str
    feedback: Prose


@dataclass(frozen=True)
class OneChoice:
    """Exactly one of the options is right.

    Attributes
    ----------
    options : tuple of Option
    definitions : mapping from Symbol to Expression
        What holds between the symbols of formulae among the options, no two of which are equal.
    """

    options: tuple[Option, ...]
    definitions: Mapping[Symbol, Expression] = field(default_factory=dict, repr=False)
    kind = "one choice"

    @property
    def key(self) -> int:
        """The place of the right option, from 0."""
        return next(place for place, option in enumerate(self.options) if option.right)


@dataclass(frozen=True)
class ChooseAll:
    """Some of the options are right, at least one, and not all of them.

    Attributes
    ----------
    options : tuple of Option
    definitions : mapping from Symbol to Expression
        What holds between the symbols, where the options are formulae: then those that are right are equal to one
        another, and to none of the others. Empty where the options are not such formulae.
    """

    options: tuple[Option, ...]
    definitions: Mapping[Symbol, Expression] = field(default_factory=dict, repr=False)
    kind = "choose all"

    @property
    def key(self) -> frozenset[int]:
        """The places of the right options, from 0."""
        return frozenset(place for place, option in enumerate(self.options) if option.right)


@dataclass(frozen=True)
class FormulaAnswer:
    """A formula is typed.

    Attributes
    ----------
    left : Expression
        What is asked for, such as δ₁ or ∂ℒ/∂w₁.
    key : Expression
    definitions : mapping from Symbol to Expression
        What holds between the symbols, so that every correct substitution counts as equal.
    names : tuple of Symbol
        What may be typed.
    allowed : tuple of Symbol or None
        What the form that is asked for may be made of; None allows all names.
    mistakes : tuple of Mistake
        Known wrong formulae.
    """

    left: Expression
    key: Expression
    definitions: Mapping[Symbol, Expression] = field(repr=False)
    names: tuple[Symbol, ...] = field(repr=False)
    allowed: tuple[Symbol, ...] | None = None
    mistakes: tuple[Mistake[Expression], ...] = ()
    kind = "formula"


@dataclass(frozen=True)
class NumberAnswer:
    """A number is typed.

    Attributes
    ----------
    left : Expression or None
        What is asked for, where it has a symbol.
    key : float
    tolerance : float
        How far an answer may be from the key, relative to its size.
    digits : int
        To how many significant digits the answer is asked for.
    mistakes : tuple of Mistake
        Known wrong numbers.
    """

    left: Expression | None
    key: float
    tolerance: float = 0.01
    digits: int = 3
    mistakes: tuple[Mistake[float], ...] = ()
    kind = "number"


Answer: TypeAlias = OneChoice | ChooseAll | FormulaAnswer | NumberAnswer


@dataclass(frozen=True, kw_only=True)
class Content:
    """What a problem asks, how it is answered, and how it is solved.

    Attributes
    ----------
    title : str
    difficulty : int
        From 1 to 5.
    prompt : tuple of Prose
        Paragraphs.
    answer : OneChoice, ChooseAll, FormulaAnswer or NumberAnswer
    hints : tuple of Prose
        From the first nudge to almost the solution.
    solution : tuple of Prose
        Steps, the last of which ends in the key.
    """

    title: str
    difficulty: int
    prompt: tuple[Prose, ...]
    answer: Answer
    hints: tuple[Prose, ...]
    solution: tuple[Prose, ...]


@dataclass(frozen=True)
class Problem:
    """A problem of a family: its identity, its content, and how it is scored.

    Attributes
    ----------
    family : str
    parameters : mapping
        All of them, including those that the seed picked: with them and the seed the same problem is made again.
    seed : int
    content : Content
        Its fields are attributes of the problem, too.
    points : int
    attempts : int or None
        How often it may be answered; None for unlimited.
    """

    family: str
    parameters: Mapping[str, Any]
    seed: int
    content: Content
    points: int = POINTS
    attempts: int | None = None

    @property
    def title(self) -> str:
        """The title."""
        return self.content.title

    @property
    def prompt(self) -> tuple[Prose, ...]:
        """The paragraphs of the question."""
        return self.content.prompt

    @property
    def answer(self) -> Answer:
        """The kind of answer, its key and its known mistakes."""
        return self.content.answer

    @property
    def hints(self) -> tuple[Prose, ...]:
        """Hints, from the first nudge to almost the solution."""
        return self.content.hints

    @property
    def solution(self) -> tuple[Prose, ...]:
        """The steps of the worked solution."""
        return self.content.solution

    @property
    def difficulty(self) -> int:
        """The difficulty, from 1 to 5."""
        return self.content.difficulty

    @property
    def kind(self) -> str:
        """One of "one choice", "choose all", "formula" and "number"."""
        return self.answer.kind
