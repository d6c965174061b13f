"""Lessons: entries that say from which families problems are drawn, and by which seed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..errors import unknown_name
from .catalogue import FAMILIES
from .policy import Policy, Shown
from .problems import ATTEMPTS, POINTS, ChooseAll, OneChoice, Problem

_REDRAWN = 30  # how often a problem is drawn anew that its entry has already


@dataclass(frozen=True)
class Entry:
    """The problems that a lesson draws from one family.

    Attributes
    ----------
    id : str
        Its name in the lesson; the family's, with hyphens, where the file gives none.
    family : str
    ids : tuple of str
        Those of its problems.
    first : int
        The number of its first problem. Entries without an id of their own are counted on within a family.
    points : int
        For each problem.
    attempts : int or None
        For each problem; None for unlimited.
    parameters : mapping
        Parameters of the family, each a value or a list of values to draw from.
    """

    id: str
    family: str
    ids: tuple[str, ...]
    first: int = 1
    points: int = POINTS
    attempts: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def draw(self, seed: int, seen: set[object]) -> Iterator[Problem]:
        """Draw its problems, none that has been seen as long as the family has others."""
        for number in range(self.first, self.first + len(self.ids)):
            for again in range(_REDRAWN):
                problem = FAMILIES[self.family].problem(_seed(seed, self.id, number, again), **self.parameters)
                if looks(problem) not in seen:
                    break
            seen.add(looks(problem))
            yield replace(problem, points=self.points, attempts=self.attempts)


@dataclass(frozen=True)
class Lesson:
    """Problems of several families.

    Attributes
    ----------
    title : str
    seed : int
    show_solution : str
        When a learner may see the solutions; see :class:`~chainrule.lessons.Policy`.
    entries : tuple of Entry
    """

    title: str
    seed: int
    show_solution: Shown
    entries: tuple[Entry, ...]

    def problems(self, seed: int | None = None) -> tuple[tuple[str, Problem], ...]:
        """Draw the problems, each with its id.

        Parameters
        ----------
        seed : int or None
            Instead of the lesson's own. The same seed draws the same problems, whatever stands beside them.
        """
        seed = self.seed if seed is None else seed
        seen: dict[str, set[object]] = {}
        return tuple(
            pair
            for entry in self.entries
            for pair in zip(entry.ids, entry.draw(seed, seen.setdefault(entry.id, set())), strict=True)
        )


def drill(families: Iterable[str], count: int, seed: int) -> Lesson:
    """Return a lesson of this many problems of each family, without a file.

    Raises
    ------
    InputError
        When there is no such family.
    """
    entries = []
    for name in families:
        if name not in FAMILIES:
            raise unknown_name("family of problems", name, FAMILIES)
        slug = name.replace(" ", "-")
        ids = tuple(f"{slug}-{number}" for number in range(1, count + 1))
        entries.append(Entry(slug, name, ids, attempts=ATTEMPTS[FAMILIES[name].kind]))
    return Lesson("Practice", seed, Policy().show_solution, tuple(entries))


def counted(count: int, what: str) -> str:
    """Return a number of things, as in "1 point" and "2 points"."""
    return f"{count} {what}{'' if count == 1 else 's'}"


def looks(problem: Problem) -> object:
    """Return what tells a problem from another one, for someone who works on it."""
    answer = problem.answer
    key: object = getattr(answer, "key", None)
    if isinstance(answer, (OneChoice, ChooseAll)):
        key = frozenset(str(option.text) for option in answer.options if option.right)
    return tuple(map(str, problem.prompt)), key


def _seed(*what: object) -> int:
    """Return a seed that depends on all of these, the same on every machine; it fits into a number of JavaScript."""
    return int.from_bytes(hashlib.sha256("\n".join(map(str, what)).encode()).digest()[:6], "big")
