"""How well families of problems are known, and when to practise them again: spaced repetition by FSRS."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fsrs import Card, Rating, Scheduler

_SCHEDULER = Scheduler(enable_fuzzing=False)


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


@dataclass(frozen=True)
class ReviewSchedule:
    """When one learner is to practise each family; every method takes the connection that it uses.

    Attributes
    ----------
    learner : int
        The key of the learner.
    """

    learner: int

    def finish(self, connection: sqlite3.Connection, family: str, is_right: bool, attempts: int, at: datetime) -> None:
        """Note that a problem of a family ended, right or wrong, after this many attempts."""
        rating = (Rating.Good if attempts == 1 else Rating.Hard) if is_right else Rating.Again
        key = (self.learner, family)
        row = connection.execute("SELECT card FROM cards WHERE learner = ? AND family = ?", key).fetchone()
        card = Card(card_id=1, due=at) if row is None else Card.from_json(row[0])
        if card.last_review is not None:
            at = max(at, card.last_review)  # attempts may be graded in another order, and clocks set back
        card, _ = _SCHEDULER.review_card(card, rating, at)
        connection.execute(
            "INSERT OR REPLACE INTO cards (learner, family, card) VALUES (?, ?, ?)", (*key, card.to_json())
        )

    def mastery(
        self, connection: sqlite3.Connection, counts: Iterable[tuple[str, int, int]], now: datetime
    ) -> dict[str, Mastery]:
        """Return how well each family is known, given how many of its problems were attempted and solved."""
        cards = self._cards(connection)
        mastery = {}
        for family, attempted, solved in counts:
            card = cards.get(family)
            retrievability = 0.0 if card is None else float(_SCHEDULER.get_card_retrievability(card, now))
            mastery[family] = Mastery(attempted, solved, retrievability, None if card is None else card.due)
        return mastery

    def order(self, connection: sqlite3.Connection, families: Iterable[str], now: datetime) -> list[str]:
        """Return families: the longest overdue first, then those never finished, then the rest, the next one first."""
        cards = self._cards(connection)

        def urgency(family: str) -> tuple[int, datetime]:
            if family not in cards:
                return 1, now
            due = cards[family].due
            return (0 if due <= now else 2), due

        return sorted(families, key=urgency)

    def _cards(self, connection: sqlite3.Connection) -> dict[str, Card]:
        rows = connection.execute("SELECT family, card FROM cards WHERE learner = ?", (self.learner,)).fetchall()
        return {family: Card.from_json(card) for family, card in rows}
