"""Problems as the page has them: known by family, seed and parameters, drawn anew for each request, written as HTML."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from html import escape
from string import ascii_lowercase
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import Meta, Struct

from ..errors import InputError, unknown_name
from ..lessons import FAMILIES, ChooseAll, FormulaAnswer, MalformedReply, NumberAnswer, OneChoice, Problem, Prose, prose

MAX_SEED = 2**53 - 1
"""The largest that JavaScript can hold."""

Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=80)]
"""A learner's."""
Typed: TypeAlias = Annotated[str, Meta(max_length=2_000)]
"""A formula or a number; grading takes less, and says so."""
Place: TypeAlias = Annotated[int, Meta(ge=0, le=100)]
"""Of an option, from 0."""
FamilyName: TypeAlias = Annotated[str, Meta(max_length=60)]
Seed: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_SEED)]
_Bounds = Meta(ge=-1_000_000, le=1_000_000)
Value: TypeAlias = bool | Annotated[int, _Bounds] | Annotated[float, _Bounds] | Annotated[str, Meta(max_length=60)]
Given: TypeAlias = Annotated[
    dict[Annotated[str, Meta(max_length=60)], Value | Annotated[list[Value], Meta(max_length=60)]], Meta(max_length=20)
]
"""What a family is told: for each parameter a value, or values to draw from."""


class ProblemId(Struct, frozen=True, forbid_unknown_fields=True):
    """By what a problem is known: with its seed and all its parameters, its family makes it again.

    Attributes
    ----------
    family : str
    seed : int
    parameters : mapping from str to value
    """

    family: FamilyName
    seed: Seed
    parameters: Given = {}

    def draw(self) -> Problem:
        """Return the problem.

        Raises
        ------
        InputError
            When there is no such family, or a parameter is unknown or cannot be what it is given as.
        """
        return _drawn(self.family, self.seed, msgspec.json.encode(self.parameters))


@lru_cache(maxsize=256)
def _drawn(name: str, seed: int, parameters: bytes) -> Problem:
    if name not in FAMILIES:
        raise unknown_name("family of problems", name, FAMILIES)
    family, given = FAMILIES[name], msgspec.json.decode(parameters)
    for one in given:
        if one not in family.parameters:  # before it can be taken for an argument of Family.problem
            raise unknown_name(f"parameter of {name}", one, family.parameters)
    return family.problem(seed, **given)


def id_of(problem: Problem) -> ProblemId:
    """Return by what a problem is known.

    It has the parameters that the seed would not draw by itself, and no others: some would tell the answer.
    """
    by_itself = FAMILIES[problem.family].draw_parameters(problem.seed, {})
    told = {name: value for name, value in problem.parameters.items() if value != by_itself[name]}
    return ProblemId(problem.family, problem.seed, told)


def paragraphs(some: Iterable[Prose], ids: str) -> list[str]:
    """Return each paragraph as HTML; ids of its formulae begin with `ids` and its place."""
    return [one.to_html(f"{ids}{place}-") for place, one in enumerate(some)]


def plain(some: Iterable[object]) -> list[str]:
    """Return plain texts as HTML."""
    return [escape(str(one)) for one in some]


def asked(problem: Problem, ids: str = "a-") -> str | None:
    """Return the symbol that is asked for, as HTML; None where there is none."""
    match problem.answer:
        case FormulaAnswer(left=left) | NumberAnswer(left=left) if left is not None:
            return prose(left).to_html(ids)
    return None


def options(problem: Problem, ids: str = "o") -> list[str] | None:
    """Return the options as HTML, and nothing that tells which are right; None where there are none."""
    match problem.answer:
        case OneChoice(options=some) | ChooseAll(options=some):
            return [one.text.to_html(f"{ids}{letter}-") for letter, one in zip(ascii_lowercase, some, strict=False)]
    return None


def right_options(problem: Problem) -> list[int] | None:
    """Return the places of the right options, from 0; None where there are no options."""
    match problem.answer:
        case OneChoice(options=some) | ChooseAll(options=some):
            return [place for place, one in enumerate(some) if one.right]
    return None


def malformed(error: MalformedReply) -> dict[str, Any]:
    """Return what is said of a reply that cannot be read: not an attempt, and not an error of the request."""
    return {"malformed": {"message": str(error), "begin": error.begin, "end": error.end}}


def hints(problem: Problem, number: int) -> list[str]:
    """Return the first hints as HTML.

    Raises
    ------
    InputError
        When there are not so many.
    """
    if number > len(problem.hints):
        raise InputError(f"there is no hint {number}: this problem has {len(problem.hints)}")
    return paragraphs(problem.hints[:number], "h")
