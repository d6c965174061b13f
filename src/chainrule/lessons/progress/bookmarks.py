"""Bookmarked problems."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, replace

from ...errors import InputError
from ..catalogue import generate
from ..policy import Policy
from ..problems import Problem
from .identity import enter_problem, find_problem


@dataclass(frozen=True)
class Bookmarks:
    """The bookmarks of one learner; every method takes the connection that it uses.

    Attributes
    ----------
    learner : int
        The key of the learner.
    """

    learner: int

    def add(self, connection: sqlite3.Connection, problem: Problem, policy: Policy) -> None:
        """Bookmark a problem, with its points, attempts and policy, unless it is bookmarked."""
        connection.execute(
            "INSERT OR IGNORE INTO bookmarks (learner, problem, points, attempts, show_solution) "
            "VALUES (?, ?, ?, ?, ?)",
            (
                self.learner,
                enter_problem(connection, problem),
                problem.points,
                problem.attempts,
                policy.show_solution,
            ),
        )

    def remove(self, connection: sqlite3.Connection, problem: Problem) -> None:
        """Remove the bookmark of a problem."""
        key = enter_problem(connection, problem)
        connection.execute("DELETE FROM bookmarks WHERE learner = ? AND problem = ?", (self.learner, key))

    def policy(self, connection: sqlite3.Connection, problem: Problem) -> Policy | None:
        """Return the policy that a problem was bookmarked with, None if it is not bookmarked."""
        row = connection.execute(
            "SELECT show_solution FROM bookmarks WHERE learner = ? AND problem = ?",
            (self.learner, find_problem(connection, problem)),
        ).fetchone()
        return None if row is None else Policy(row[0])

    def identities(self, connection: sqlite3.Connection) -> list[tuple[str, int, int | None]]:
        """Return the identities of the bookmarked problems in their order, with their points and attempts."""
        return connection.execute(
            "SELECT identity, points, attempts FROM bookmarks JOIN problems ON problems.id = problem "
            "WHERE learner = ? ORDER BY bookmarks.id",
            (self.learner,),
        ).fetchall()


def bookmarked_problem(identity: str, points: int, attempts: int | None) -> Problem | None:
    """Return a bookmarked problem, drawn again; None if this version of the catalogue cannot draw it."""
    family, parameters, seed = json.loads(identity)
    try:
        problem = generate(family, seed, **parameters)
    except InputError:
        return None
    return replace(problem, points=points, attempts=attempts)
