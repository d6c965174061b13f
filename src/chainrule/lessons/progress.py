"""What learners have answered, in one SQLite file, and what is due for practice.

An attempt is on the disk before it is graded, and its grade is in the file before it is returned. So a process that is
killed loses nothing, and several processes may use one file. A grade that is missing, after a kill or a power cut, is
made up for when the problem is next looked at.
"""

from __future__ import annotations

import json
import os
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from fsrs import Card, Rating, Scheduler
from platformdirs import user_data_path

from ..errors import InputError
from ..files import write_atomically
from .catalogue import generate
from .database import Database
from .grading import Grade, MalformedReply, Reply, canonical, check
from .policy import DEFAULT, Policy
from .problems import Problem
from .prose import Prose, prose
from .records import COLUMNS, as_csv, as_json, compact

MAX_NAME = 80
_SCHEDULER = Scheduler(enable_fuzzing=False)


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
        As JSON: a place, a list of places, or a text.
    grade : Grade or None
        None while another process grades it. What a stored one says is plain text, formulae too.
    at : datetime
        When it was made, in UTC.
    solution : tuple of Prose
        What the policy lets be seen right after it; empty for attempts that are read again.
    """

    number: int
    reply: str
    grade: Grade | None
    at: datetime
    solution: tuple[Prose, ...] = ()


@dataclass(frozen=True)
class Mastery:
    """How well a family of problems is known.

    Attributes
    ----------
    attempted, solved : int
        How many of its problems.
    retrievability : float
        How much is left, by FSRS, of what was known when a problem was last finished: 1 right after it, however it
        ended, and less from day to day; 0 where none was finished.
    due : datetime or None
        When to practise it again, in UTC; None where none was finished.
    """

    attempted: int
    solved: int
    retrievability: float
    due: datetime | None


def default_path() -> Path:
    """Return where progress is kept: in the folder CHAINRULE_DATA, else in the user's data directory."""
    folder = os.environ.get("CHAINRULE_DATA")
    return (Path(folder) if folder else user_data_path("chainrule")) / "progress.sqlite3"


def identity(problem: Problem) -> str:
    """Return by what a problem is known: its family, parameters and seed, as JSON."""
    return compact([problem.family, dict(problem.parameters), problem.seed])


class Progress:
    """A file of progress; as a context manager it is closed at the end.

    Threads may share one: they take turns at its connection. A process that was forked opens its own.

    Parameters
    ----------
    path : Path, optional
        The SQLite file, which is made if it is not there. Without it, :func:`default_path`.

    Raises
    ------
    InputError
        When the file cannot be opened or made, holds something else, or is of a newer version.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._database = Database(default_path() if path is None else Path(path))

    @property
    def path(self) -> Path:
        """Where the file is."""
        return self._database.path

    def learner(self, name: str) -> Learner:
        """Return the learner of a name, who is entered if new.

        Parameters
        ----------
        name : str
            Of 1 to 80 characters, without those around it that are blank.

        Raises
        ------
        InputError
            When it is no such name.
        """
        name = _checked_name(name)
        with self._database.reading() as connection:
            found = connection.execute("SELECT id FROM learners WHERE name = ?", (name,)).fetchone()
            if found is None:
                with self._database.transaction():
                    connection.execute("INSERT OR IGNORE INTO learners (name) VALUES (?)", (name,))
                    found = connection.execute("SELECT id FROM learners WHERE name = ?", (name,)).fetchone()
        return Learner(self._database, name, found[0])

    def learners(self) -> list[str]:
        """Return the names of all learners, in their order."""
        with self._database.reading() as connection:
            return [name for (name,) in connection.execute("SELECT name FROM learners ORDER BY name")]

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Learner:
    """What one learner has answered; :meth:`Progress.learner` returns it.

    Attributes
    ----------
    name : str
    """

    def __init__(self, database: Database, name: str, key: int) -> None:
        self.name = name
        self._database, self._key = database, key

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
            With a time zone; without it, the time that it is.

        Raises
        ------
        MalformedReply
            When the reply cannot be read or is of another form than the one that is asked for; it does not count.
        NoAttemptsLeft
            When the problem is solved, or was answered as often as it may be.
        """
        at, given = _utc(now), canonical(problem, reply)
        with self._database.transaction() as connection:
            place = _entered(connection, problem)
            self._grade_what_is_left(connection, place, problem)
            count, solved, _ = self._state(connection, place)
            if solved:
                raise NoAttemptsLeft(f"this problem is solved: {self.name} may go on to the next")
            if problem.attempts is not None and count >= problem.attempts:
                raise NoAttemptsLeft(f"{self.name} has used all {problem.attempts} attempts at this problem")
            number = count + 1
            key = connection.execute(
                "INSERT INTO attempts (learner, problem, number, reply, at, possible) VALUES (?, ?, ?, ?, ?, ?)",
                (self._key, place, number, compact(given), at.isoformat(), problem.points),
            ).lastrowid
            assert key is not None  # noqa: S101 - for the type checker
        try:
            grade = check(problem, given)
        except MalformedReply:
            with self._database.transaction(derived=True) as connection:
                _remove(connection, key)
            raise
        with self._database.transaction(derived=True) as connection:
            self._enter(connection, key, number, problem, grade, at)
        shown = policy.shows(grade.right, number == problem.attempts)
        return Attempt(number, compact(given), grade, at, problem.solution if shown else ())

    def attempts(self, problem: Problem) -> tuple[Attempt, ...]:
        """Return all attempts at a problem, the first one first."""
        with self._looked_at(problem) as (connection, place):
            rows = connection.execute(
                "SELECT number, reply, at, correct, points, mistake, said FROM attempts "
                "WHERE learner = ? AND problem = ? ORDER BY number",
                (self._key, place),
            ).fetchall()
        return tuple(
            Attempt(number, reply, _stored_grade(*graded), datetime.fromisoformat(at))
            for number, reply, at, *graded in rows
        )

    def left(self, problem: Problem) -> int | None:
        """Return how often a problem may still be answered: 0 once it is solved, None for as often as one likes."""
        with self._looked_at(problem) as (connection, place):
            count, solved, _ = self._state(connection, place)
        if solved:
            return 0
        return None if problem.attempts is None else max(0, problem.attempts - count)

    def may_see_solution(self, problem: Problem, policy: Policy = DEFAULT) -> bool:
        """Tell whether a policy lets the learner see how a problem is solved."""
        with self._looked_at(problem) as (connection, place):
            count, solved, _ = self._state(connection, place)
        return policy.shows(solved, problem.attempts is not None and count >= problem.attempts)

    def solution(self, problem: Problem, policy: Policy = DEFAULT) -> tuple[Prose, ...]:
        """Return how a problem is solved.

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
        with self._looked_at(problem) as (connection, place):
            return self._state(connection, place)[2]

    def total(self) -> tuple[int, int]:
        """Return the points of all problems that were answered, and how many there could be."""
        with self._database.reading() as connection:
            earned, possible = connection.execute(
                "SELECT coalesce(sum(points), 0), coalesce(sum(possible), 0) FROM "
                "(SELECT max(points) AS points, max(possible) AS possible FROM attempts WHERE learner = ? "
                "GROUP BY problem)",
                (self._key,),
            ).fetchone()
        return earned, possible

    def bookmark(self, problem: Problem, on: bool = True, policy: Policy = DEFAULT) -> None:
        """Mark a problem, with when its solution may be seen; or take the mark away."""
        with self._database.transaction() as connection:
            place = _entered(connection, problem)
            if on:
                connection.execute(
                    "INSERT OR IGNORE INTO bookmarks (learner, problem, points, attempts, show_solution) "
                    "VALUES (?, ?, ?, ?, ?)",
                    (self._key, place, problem.points, problem.attempts, policy.show_solution),
                )
            else:
                connection.execute("DELETE FROM bookmarks WHERE learner = ? AND problem = ?", (self._key, place))

    def is_bookmarked(self, problem: Problem) -> bool:
        """Tell whether a problem is marked."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT 1 FROM bookmarks WHERE learner = ? AND problem = ?", (self._key, _place(connection, problem))
            ).fetchone()
        return found is not None

    def policy(self, problem: Problem) -> Policy:
        """Return when the solution of a problem may be seen, as it was marked; otherwise as usual."""
        with self._database.reading() as connection:
            found = connection.execute(
                "SELECT show_solution FROM bookmarks WHERE learner = ? AND problem = ?",
                (self._key, _place(connection, problem)),
            ).fetchone()
        return DEFAULT if found is None else Policy(found[0])

    def bookmarks(self) -> tuple[Problem, ...]:
        """Return the marked problems, with their points and attempts, in the order in which they were marked.

        They are drawn again. Those that this version of the catalogue cannot draw are skipped, but stay marked.
        """
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT identity, points, attempts FROM bookmarks JOIN problems ON problems.id = problem "
                "WHERE learner = ? ORDER BY bookmarks.id",
                (self._key,),
            ).fetchall()
        problems = []
        for known_by, points, attempts in rows:
            family, parameters, seed = json.loads(known_by)
            try:
                drawn = generate(family, seed, **parameters)
            except InputError:
                continue
            problems.append(replace(drawn, points=points, attempts=attempts))
        return tuple(problems)

    def mastery(self, now: datetime | None = None) -> dict[str, Mastery]:
        """Return how well each family that was practised is known.

        Parameters
        ----------
        now : datetime, optional
            With a time zone; without it, the time that it is.
        """
        now = _utc(now)
        cards = self._cards()
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT family, count(*), sum(solved) FROM "
                "(SELECT problem, coalesce(max(correct), 0) AS solved FROM attempts WHERE learner = ? "
                "GROUP BY problem) "
                "JOIN problems ON problems.id = problem GROUP BY family ORDER BY min(problem)",
                (self._key,),
            ).fetchall()
        found = {}
        for family, attempted, solved in rows:
            card = cards.get(family)
            retrievability = 0.0 if card is None else float(_SCHEDULER.get_card_retrievability(card, now))
            found[family] = Mastery(attempted, solved, retrievability, None if card is None else card.due)
        return found

    def due(self, families: Iterable[str], now: datetime | None = None) -> list[str]:
        """Return families in the order in which to practise them.

        First those whose time has come, the longest overdue first; then those of which no problem was finished, in the
        order given; then the rest, the next one first.

        Parameters
        ----------
        families : iterable of str
        now : datetime, optional
            With a time zone; without it, the time that it is.
        """
        now = _utc(now)
        cards = self._cards()

        def when(family: str) -> tuple[int, datetime]:
            if family not in cards:
                return 1, now
            due = cards[family].due
            return (0 if due <= now else 2), due

        return sorted(families, key=when)

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
        """Write all attempts with what was said of them, in the order in which they were made.

        Raises
        ------
        InputError
            When the file cannot be written.
        """
        write_atomically(Path(path), as_json(self.name, self._records()))

    def _records(self) -> Iterator[dict[str, Any]]:
        with self._database.reading() as connection:
            rows = connection.execute(
                "SELECT identity, number, at, reply, correct, points, possible, mistake, said FROM attempts "
                "JOIN problems ON problems.id = problem WHERE learner = ? ORDER BY attempts.id",
                (self._key,),
            ).fetchall()
        for known_by, number, at, reply, correct, points, possible, mistake, said in rows:
            right = None if correct is None else bool(correct)
            feedback = [] if said is None else json.loads(said)["feedback"]
            values = (number, at, json.loads(reply), right, points, possible, mistake, feedback)
            yield dict(zip(COLUMNS, (*json.loads(known_by), *values), strict=True))

    def _cards(self) -> dict[str, Card]:
        with self._database.reading() as connection:
            rows = connection.execute("SELECT family, card FROM cards WHERE learner = ?", (self._key,)).fetchall()
        return {family: Card.from_json(card) for family, card in rows}

    @contextmanager
    def _looked_at(self, problem: Problem) -> Iterator[tuple[sqlite3.Connection, int | None]]:
        """Give the connection and the problem's key in it, None if there is none, with no attempt left ungraded."""
        with self._database.reading() as connection:
            place = _place(connection, problem)
            if place is not None and self._ungraded(connection, place):
                with self._database.transaction(derived=True):
                    self._grade_what_is_left(connection, place, problem)
            yield connection, place

    def _state(self, connection: sqlite3.Connection, place: int | None) -> tuple[int, bool, int]:
        """Return how often a problem was answered, whether it is solved, and the most points."""
        count, correct, points = connection.execute(
            "SELECT count(*), max(correct), coalesce(max(points), 0) FROM attempts WHERE learner = ? AND problem = ?",
            (self._key, place),
        ).fetchone()
        return count, bool(correct), points

    def _ungraded(self, connection: sqlite3.Connection, place: int) -> list[tuple[int, int, str, str]]:
        return connection.execute(
            "SELECT id, number, reply, at FROM attempts WHERE learner = ? AND problem = ? AND correct IS NULL",
            (self._key, place),
        ).fetchall()

    def _grade_what_is_left(self, connection: sqlite3.Connection, place: int, problem: Problem) -> None:
        """Grade what another process has not graded, as it was killed or is slower: at most one attempt, the last."""
        for key, number, reply, at in self._ungraded(connection, place):
            try:
                grade = check(problem, json.loads(reply))
            except MalformedReply:
                _remove(connection, key)
            else:
                self._enter(connection, key, number, problem, grade, datetime.fromisoformat(at))

    def _enter(
        self, connection: sqlite3.Connection, key: int, number: int, problem: Problem, grade: Grade, at: datetime
    ) -> None:
        """Enter a grade, unless another process has, and note how well the family is known when a problem ends."""
        said = {
            "feedback": [one.to_text() for one in grade.feedback],
            "understood": None if grade.understood is None else grade.understood.to_text(),
            "warnings": grade.warnings,
        }
        entered = connection.execute(
            "UPDATE attempts SET correct = ?, points = ?, mistake = ?, said = ? WHERE id = ? AND correct IS NULL",
            (grade.right, grade.points, grade.mistake, compact(said), key),
        )
        if entered.rowcount and (grade.right or number == problem.attempts):
            rating = (Rating.Good if number == 1 else Rating.Hard) if grade.right else Rating.Again
            self._review(connection, problem.family, rating, at)

    def _review(self, connection: sqlite3.Connection, family: str, rating: Rating, at: datetime) -> None:
        where = (self._key, family)
        found = connection.execute("SELECT card FROM cards WHERE learner = ? AND family = ?", where).fetchone()
        card = Card(card_id=1, due=at) if found is None else Card.from_json(found[0])
        if card.last_review is not None:
            at = max(at, card.last_review)  # attempts may be graded in another order, and clocks set back
        card, _ = _SCHEDULER.review_card(card, rating, at)
        connection.execute(
            "INSERT OR REPLACE INTO cards (learner, family, card) VALUES (?, ?, ?)", (*where, card.to_json())
        )


def _place(connection: sqlite3.Connection, problem: Problem) -> int | None:
    found = connection.execute("SELECT id FROM problems WHERE identity = ?", (identity(problem),)).fetchone()
    return None if found is None else int(found[0])


def _entered(connection: sqlite3.Connection, problem: Problem) -> int:
    connection.execute(
        "INSERT OR IGNORE INTO problems (identity, family) VALUES (?, ?)", (identity(problem), problem.family)
    )
    place = _place(connection, problem)
    assert place is not None  # noqa: S101 - for the type checker
    return place


def _remove(connection: sqlite3.Connection, key: int) -> None:
    connection.execute("DELETE FROM attempts WHERE id = ? AND correct IS NULL", (key,))


def _stored_grade(correct: int | None, points: int, mistake: str | None, said: str) -> Grade | None:
    if correct is None:
        return None
    words = json.loads(said)
    understood = None if words["understood"] is None else prose(words["understood"])
    feedback = tuple(map(prose, words["feedback"]))
    return Grade(bool(correct), points, feedback, understood, tuple(words["warnings"]), mistake)


def _checked_name(name: object) -> str:
    if not isinstance(name, str):
        raise InputError(f"a learner's name is a text, not {name!r:.60}")
    checked = unicodedata.normalize("NFC", name.strip())
    if not 1 <= len(checked) <= MAX_NAME:
        raise InputError(f"a learner's name has 1 to {MAX_NAME} characters, but this has {len(checked):,}")
    for place, sign in enumerate(checked, start=1):
        if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp"):
            raise InputError(f"a learner's name has no control characters, but character {place} is U+{ord(sign):04X}")
    return checked


def _utc(now: datetime | None) -> datetime:
    if now is None:
        return datetime.now(UTC)
    if now.tzinfo is None:
        raise InputError(f"{now} has no time zone: give it one, as in datetime.now(timezone.utc)")
    return now.astimezone(UTC)
