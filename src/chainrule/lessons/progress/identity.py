"""The identity of a problem, and its row in the database."""

from __future__ import annotations

import sqlite3

from ..problems import Problem
from .records import compact


def identity(problem: Problem) -> str:
    """Return the family, parameters and seed of a problem as JSON, from which it can be drawn again."""
    return compact([problem.family, dict(problem.parameters), problem.seed])


def find_problem(connection: sqlite3.Connection, problem: Problem) -> int | None:
    """Return the key of a problem's row, None if there is none."""
    row = connection.execute("SELECT id FROM problems WHERE identity = ?", (identity(problem),)).fetchone()
    return None if row is None else int(row[0])


def enter_problem(connection: sqlite3.Connection, problem: Problem) -> int:
    """Return the key of a problem's row, which is added if it is new."""
    connection.execute(
        "INSERT OR IGNORE INTO problems (identity, family) VALUES (?, ?)", (identity(problem), problem.family)
    )
    key = find_problem(connection, problem)
    assert key is not None  # noqa: S101 - for the type checker
    return key
