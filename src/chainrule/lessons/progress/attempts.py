"""Attempts at problems, as they are stored."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ...errors import InputError
from ..grading import Grade
from ..problems import Problem
from ..prose import Prose, prose
from .records import COLUMNS, compact


class NoAttemptsLeft(InputError):  # noqa: N818 - it says what is the case
    """A problem is solved, or was answered as often as it may be."""


@dataclass(frozen=True)
class Attempt:
    """An answer to a problem, as it is stored.

    Attributes
    ----------
    number : int
        From 1, for each learner and problem.
    reply : str
        As JSON: a place, a list of places, or a string.
    grade : Grade or None
        None while another process grades it. The words of a stored one are plain text, including formulae.
    at : datetime
        When it was made, in UTC.
    solution : tuple of Prose
        Shown right after it if the policy allows that; empty for attempts that are read again.
    """

    number: int
    reply: str
    grade: Grade | None
    at: datetime
    solution: tuple[Prose, ...] = ()


@dataclass(frozen=True)
class Standing:
    """A learner's results at one problem.

    Attributes
    ----------
    count : int
        The number of attempts.
    is_solved : bool
    points : int
        Those of the best attempt.
    """

    count: int
    is_solved: bool
    points: int


class UngradedAttempt(NamedTuple):
    """The row of an attempt that another process has not graded."""

    key: int
    number: int
    reply: str
    at: str


@dataclass(frozen=True)
class AttemptTable:
    """The rows of one learner's attempts; every method takes the connection that it uses.

    Attributes
    ----------
    learner : int
        The key of the learner.
    """

    learner: int

    def insert(
        self, connection: sqlite3.Connection, problem_key: int, number: int, problem: Problem, reply: str, at: datetime
    ) -> int:
        """Add an attempt without a grade, and return its key."""
        key = connection.execute(
            "INSERT INTO attempts (learner, problem, number, reply, at, possible) VALUES (?, ?, ?, ?, ?, ?)",
            (self.learner, problem_key, number, reply, at.isoformat(), problem.points),
        ).lastrowid
        assert key is not None  # noqa: S101 - for the type checker
        return key

    def remove_ungraded(self, connection: sqlite3.Connection, key: int) -> None:
        """Remove an attempt that turned out not to count, unless another process has graded it."""
        connection.execute("DELETE FROM attempts WHERE id = ? AND correct IS NULL", (key,))

    def store_grade(self, connection: sqlite3.Connection, key: int, grade: Grade) -> bool:
        """Store a grade, unless another process has; tell whether it was stored."""
        words = {
            "feedback": [paragraph.to_text() for paragraph in grade.feedback],
            "understood": None if grade.understood is None else grade.understood.to_text(),
            "warnings": grade.warnings,
        }
        cursor = connection.execute(
            "UPDATE attempts SET correct = ?, points = ?, mistake = ?, said = ? WHERE id = ? AND correct IS NULL",
            (grade.right, grade.points, grade.mistake, compact(words), key),
        )
        return bool(cursor.rowcount)

    def ungraded(self, connection: sqlite3.Connection, problem_key: int) -> list[UngradedAttempt]:
        """Return the attempts at a problem that have no grade."""
        rows = connection.execute(
            "SELECT id, number, reply, at FROM attempts WHERE learner = ? AND problem = ? AND correct IS NULL",
            (self.learner, problem_key),
        ).fetchall()
        return [UngradedAttempt(*row) for row in rows]

    def at_problem(self, connection: sqlite3.Connection, problem_key: int | None) -> tuple[Attempt, ...]:
        """Return all attempts at a problem, the first one first."""
        rows = connection.execute(
            "SELECT number, reply, at, correct, points, mistake, said FROM attempts "
            "WHERE learner = ? AND problem = ? ORDER BY number",
            (self.learner, problem_key),
        ).fetchall()
        return tuple(
            Attempt(number, reply, _stored_grade(*grade), datetime.fromisoformat(at))
            for number, reply, at, *grade in rows
        )

    def standing(self, connection: sqlite3.Connection, problem_key: int | None) -> Standing:
        """Return how the learner stands at a problem."""
        count, correct, points = connection.execute(
            "SELECT count(*), max(correct), coalesce(max(points), 0) FROM attempts WHERE learner = ? AND problem = ?",
            (self.learner, problem_key),
        ).fetchone()
        return Standing(count, bool(correct), points)

    def total(self, connection: sqlite3.Connection) -> tuple[int, int]:
        """Return the points of all problems that were answered, and the most possible."""
        earned, possible = connection.execute(
            "SELECT coalesce(sum(points), 0), coalesce(sum(possible), 0) FROM "
            "(SELECT max(points) AS points, max(possible) AS possible FROM attempts WHERE learner = ? "
            "GROUP BY problem)",
            (self.learner,),
        ).fetchone()
        return earned, possible

    def counts(self, connection: sqlite3.Connection) -> list[tuple[str, int, int]]:
        """Return each family that was practised, with how many of its problems were attempted and solved."""
        return connection.execute(
            "SELECT family, count(*), sum(solved) FROM "
            "(SELECT problem, coalesce(max(correct), 0) AS solved FROM attempts WHERE learner = ? "
            "GROUP BY problem) "
            "JOIN problems ON problems.id = problem GROUP BY family ORDER BY min(problem)",
            (self.learner,),
        ).fetchall()

    def records(self, connection: sqlite3.Connection) -> Iterator[dict[str, Any]]:
        """Yield all attempts in the order in which they were made, as records for other programs."""
        rows = connection.execute(
            "SELECT identity, number, at, reply, correct, points, possible, mistake, said FROM attempts "
            "JOIN problems ON problems.id = problem WHERE learner = ? ORDER BY attempts.id",
            (self.learner,),
        ).fetchall()
        for identity, number, at, reply, correct, points, possible, mistake, words in rows:
            right = None if correct is None else bool(correct)
            feedback = [] if words is None else json.loads(words)["feedback"]
            values = (number, at, json.loads(reply), right, points, possible, mistake, feedback)
            yield dict(zip(COLUMNS, (*json.loads(identity), *values), strict=True))


def utc(time: datetime | None) -> datetime:
    """Return a time in UTC; the current time for None.

    Raises
    ------
    InputError
        When it has no time zone.
    """
    if time is None:
        return datetime.now(UTC)
    if time.tzinfo is None:
        raise InputError(f"{time} has no time zone: give it one, as in datetime.now(timezone.utc)")
    return time.astimezone(UTC)


def _stored_grade(correct: int | None, points: int, mistake: str | None, words: str) -> Grade | None:
    if correct is None:
        return None
    stored = json.loads(words)
    understood = None if stored["understood"] is None else prose(stored["understood"])
    feedback = tuple(map(prose, stored["feedback"]))
    return Grade(bool(correct), points, feedback, understood, tuple(stored["warnings"]), mistake)
