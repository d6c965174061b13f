"""Problems of each kind, times, and a learner who fails."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from chainrule.lessons import Problem, generate
from chainrule.lessons.progress import Learner
from tests.helpers.replies import wrong

CHOICE = generate("update rule", 1)
BOXES = generate("dependence", 1)
FORMULA = generate("recursion", 1, activation="tanh")
NUMBER = generate("forward by hand", 1)
MORNING = datetime(2025, 3, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)


def fail(learner: Learner, problem: Problem, now: datetime | None = None) -> None:
    for _ in range(learner.left(problem) or 0):
        learner.attempt(problem, wrong(problem), now=now)
