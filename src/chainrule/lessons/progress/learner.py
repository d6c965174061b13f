"""A learner's attempts, solutions, points and progress.

An attempt is on the disk before it is graded, and its grade is in the file before it is returned. So a process that is
killed loses nothing, and several processes may use one file. A grade that is missing after a kill or a power cut
is computed when the problem is next looked at.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from ...errors import InputError
from ...files import write_atomically
from ..grading import Grade, MalformedReply, Reply, canonical, check
from ..policy import DEFAULT, Policy
from ..problems import Problem
from ..prose import Prose
from .attempts import Attempt, AttemptTable, NoAttemptsLeft, Standing, utc
from .bookmarks import Bookmarks, bookmarked_problem
from .database import Database
from .identity import enter_problem, find_problem
from .mastery import Mastery, ReviewSchedule
from .records import as_csv, as_json, compact


class Learner:
    """The attempts, bookmarks and progress of one learner; :meth:`Progress.learner` returns it.

    Attributes
    ----------
    name : str
    """

    def __init__(self, database: Database, name: str, key: int) -> None:
        self.name = name
        self._database = database
        self._attempts, self._schedule, self._bookmarks = AttemptTable(key), ReviewSchedule(key), Bookmarks(key)

    def __repr__(self) -> str:
        return f"Learner({self.name!r})"

    def attempt(self, problem: Problem, reply: Reply, policy: Policy = DEFAULT, now: datetime | None = None) -> Attempt:
        """Answer a problem: the reply is stored, graded, and the grade is stored.

        Parameters
        ----------
        problem : Problem
        reply : int, collection of int, or str
            See :data:`chainrule.lessons.grading.Reply`.
        policy : Policy
            Whether the solution comes with it.
        now : datetime, optional
            With a time zone; without it, the current time.

        Raises
        ------
        MalformedReply
            When the reply cannot be read or has another form than the one that is asked for; it does not count.
        NoAttemptsLeft
            When the problem is solved, or was answered as often as it may be.
        """
        at, canonical_reply = utc(now), canonical(problem, reply)
        stored = compact(canonical_reply)
        with self._database.transaction() as connection:
            problem_key = enter_problem(connection, problem)
            self._grade_ungraded(connection, problem_key, problem)
            number = self._next_number(self._attempts.standing(connection, problem_key), problem)
            key = self._attempts.insert(connection, problem_key, number, problem, stored, at)
        try:
            grade = check(problem, canonical_reply)
        except MalformedReply:
            with self._database.transaction(derived=True) as connection:
                self._attempts.remove_ungraded(connection, key)
            raise
        with self._database.transaction(derived=True) as connection:
            self._store_grade(connection, key, number, problem, grade, at)
        is_visible = policy.shows(grade.right, number == problem.attempts)
        return Attempt(number, stored, grade, at, problem.solution if is_visible else ())

    def attempts(self, problem: Problem) -> tuple[Attempt, ...]:
        """Return all attempts at a problem, the first one first."""
        with self._graded(problem) as (connection, problem_key):
            return self._attempts.at_problem(connection, problem_key)

    def left(self, problem: Problem) -> int | None:
        """Return how many attempts are left: 0 once the problem is solved, None if they are unlimited."""
        standing = self._standing(problem)
        if standing.is_solved:
            return 0
        return None if problem.attempts is None else max(0, problem.attempts - standing.count)

    def may_see_solution(self, problem: Problem, policy: Policy = DEFAULT) -> bool:
        """Tell whether a policy lets the learner see the solution of a problem."""
        standing = self._standing(problem)
        return policy.shows(standing.is_solved, problem.attempts is not None and standing.count >= problem.attempts)

    def solution(self, problem: Problem, policy: Policy = DEFAULT) -> tuple[Prose, ...]:
        """Return the solution of a problem.

        Raises
        ------
        InputError
            When the policy does not let it be seen, or not yet.
        """
        if not self.may_see_solution(problem, policy):
            raise InputError(f"the solution cannot be seen: {policy.when}")
        return problem.solution

    def points(self, problem: Problem) -> int:
        """Return the points of the best attempt at a problem; 0 without one."""
        return self._standing(problem).points

    def total(self) -> tuple[int, int]:
        """Return the points of all problems that were answered, and the most possible."""
        with self._database.reading() as connection:
            return self._attempts.total(connection)

    def bookmark(self, problem: Problem, on: bool = True, policy: Policy = DEFAULT) -> None:
        """Bookmark a problem, with the policy for its solution; or remove the bookmark."""
        with self._database.transaction() as connection:
            if on:
                self._bookmarks.add(connection, problem, policy)
            else:
                self._bookmarks.remove(connection, problem)

    def is_bookmarked(self, problem: Problem) -> bool:
        """Tell whether a problem is bookmarked."""
        with self._database.reading() as connection:
            return self._bookmarks.policy(connection, problem) is not None

    def policy(self, problem: Problem) -> Policy:
        """Return the policy that a problem was bookmarked with; otherwise the default."""
        with self._database.reading() as connection:
            return self._bookmarks.policy(connection, problem) or DEFAULT

    def bookmarks(self) -> tuple[Problem, ...]:
        """Return the bookmarked problems, with their points and attempts, in the order in which they were bookmarked.

        They are drawn again. Those that this version of the catalogue cannot draw are skipped, but stay bookmarked.
        """
        with self._database.reading() as connection:
            rows = self._bookmarks.identities(connection)
        problems = (bookmarked_problem(*row) for row in rows)
        return tuple(problem for problem in problems if problem is not None)

    def mastery(self, now: datetime | None = None) -> dict[str, Mastery]:
        """Return how well each family that was practised is known.

        Parameters
        ----------
        now : datetime, optional
            With a time zone; without it, the current time.
        """
        now = utc(now)
        with self._database.reading() as connection:
            return self._schedule.mastery(connection, self._attempts.counts(connection), now)

    def due(self, families: Iterable[str], now: datetime | None = None) -> list[str]:
        """Return families in the order in which to practise them.

        First those whose time has come, the longest overdue first; then those of which no problem was finished, in the
        order given; then the rest, the next one first.

        Parameters
        ----------
        families : iterable of str
        now : datetime, optional
            With a time zone; without it, the current time.
        """
        now = utc(now)
        with self._database.reading() as connection:
            return self._schedule.order(connection, families, now)

    def to_csv(self, path: Path) -> None:
        """Write all attempts as a table, in the order in which they were made.

        Its columns are learner, family, parameters, seed, number, at, reply, right, points, possible and mistake;
        parameters and reply are JSON.

        Raises
        ------
        InputError
            When the file cannot be written.
        """
        write_atomically(Path(path), as_csv(self.name, self._records()))

    def to_json(self, path: Path) -> None:
        """Write all attempts with their feedback, in the order in which they were made.

        Raises
        ------
        InputError
            When the file cannot be written.
        """
        write_atomically(Path(path), as_json(self.name, self._records()))

    def _records(self) -> list[dict[str, Any]]:
        with self._database.reading() as connection:
            return list(self._attempts.records(connection))

    def _next_number(self, standing: Standing, problem: Problem) -> int:
        """Return the number of the next attempt, or raise NoAttemptsLeft."""
        if standing.is_solved:
            raise NoAttemptsLeft(f"this problem is solved: {self.name} may go on to the next")
        if problem.attempts is not None and standing.count >= problem.attempts:
            raise NoAttemptsLeft(f"{self.name} has used all {problem.attempts} attempts at this problem")
        return standing.count + 1

    def _standing(self, problem: Problem) -> Standing:
        with self._graded(problem) as (connection, problem_key):
            return self._attempts.standing(connection, problem_key)

    @contextmanager
    def _graded(self, problem: Problem) -> Iterator[tuple[sqlite3.Connection, int | None]]:
        """Give the connection and the key of the problem's row, None if there is none; all attempts are graded."""
        with self._database.reading() as connection:
            problem_key = find_problem(connection, problem)
            if problem_key is not None and self._attempts.ungraded(connection, problem_key):
                with self._database.transaction(derived=True):
                    self._grade_ungraded(connection, problem_key, problem)
            yield connection, problem_key

    def _grade_ungraded(self, connection: sqlite3.Connection, problem_key: int, problem: Problem) -> None:
        """Grade what another process has not graded, as it was killed or is slower: at most one attempt, the last."""
        for attempt in self._attempts.ungraded(connection, problem_key):
            try:
                grade = check(problem, json.loads(attempt.reply))
            except MalformedReply:
                self._attempts.remove_ungraded(connection, attempt.key)
            else:
                at = datetime.fromisoformat(attempt.at)
                self._store_grade(connection, attempt.key, attempt.number, problem, grade, at)

    def _store_grade(
        self, connection: sqlite3.Connection, key: int, number: int, problem: Problem, grade: Grade, at: datetime
    ) -> None:
        """Store a grade, unless another process has, and schedule the family when the problem ends."""
        is_stored = self._attempts.store_grade(connection, key, grade)
        if is_stored and (grade.right or number == problem.attempts):
            self._schedule.finish(connection, problem.family, grade.right, number, at)
