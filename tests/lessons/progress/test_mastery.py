"""What is due comes first, and mastery fades."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.lessons import generate
from chainrule.lessons.progress import Learner, Mastery, Progress
from tests.helpers.attempts import BOXES, CHOICE, DAY, FORMULA, MORNING, NUMBER, fail
from tests.helpers.replies import right, wrong


def test_what_is_overdue_comes_first_and_what_is_fresh_last(ada: Learner) -> None:
    families = ["recursion", "update rule", "dependence", "forward by hand", "chain rule"]
    ada.attempt(CHOICE, right(CHOICE), now=MORNING)  # known: again in 10 minutes, then in days
    ada.attempt(generate("update rule", 2), right(generate("update rule", 2)), now=MORNING + timedelta(minutes=10))
    fail(ada, BOXES, now=MORNING + timedelta(hours=1))
    fail(ada, NUMBER, now=MORNING)
    evening = MORNING + timedelta(hours=12)
    assert ada.due(families, evening) == ["forward by hand", "dependence", "recursion", "chain rule", "update rule"]
    later = evening.astimezone(timezone(timedelta(hours=9))) + 30 * DAY
    assert ada.due(families, later)[:3] == ["forward by hand", "dependence", "update rule"]


def test_mastery_fades(ada: Learner) -> None:
    ada.attempt(CHOICE, right(CHOICE), now=MORNING)
    fail(ada, BOXES, now=MORNING)
    ada.attempt(FORMULA, "0", now=MORNING)
    now, later = ada.mastery(MORNING), ada.mastery(MORNING + 10 * DAY)
    assert list(now) == ["update rule", "dependence", "recursion"]
    assert now["update rule"] == Mastery(1, 1, 1.0, MORNING + timedelta(minutes=10))
    assert now["dependence"] == Mastery(1, 0, 1.0, MORNING + timedelta(minutes=1))
    assert now["recursion"] == Mastery(1, 0, 0.0, None)
    assert 0 < later["dependence"].retrievability < later["update rule"].retrievability < 1


def test_a_problem_that_is_solved_at_once_is_due_later_than_one_that_took_two_attempts(path: Path) -> None:
    with Progress(path) as progress:
        ada, grace = progress.learner("Ada"), progress.learner("Grace")
        ada.attempt(CHOICE, right(CHOICE), now=MORNING)
        grace.attempt(CHOICE, wrong(CHOICE), now=MORNING)
        grace.attempt(CHOICE, right(CHOICE), now=MORNING)
        due = [one.mastery(MORNING)["update rule"].due for one in (ada, grace)]
    assert due == [MORNING + timedelta(minutes=10), MORNING + timedelta(minutes=5.5)]


def test_a_clock_that_is_set_back_is_borne(ada: Learner) -> None:
    fail(ada, CHOICE, now=MORNING)
    fail(ada, generate("update rule", 2), now=MORNING - DAY)
    due = ada.mastery()["update rule"].due
    assert due is not None
    assert due > MORNING


def test_a_time_without_a_zone_is_refused(ada: Learner) -> None:
    with pytest.raises(cr.InputError, match="has no time zone"):
        ada.due([], datetime(2025, 3, 1))
