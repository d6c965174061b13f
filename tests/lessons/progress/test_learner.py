"""A learner answers problems, and sees what the policy allows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.lessons import Problem
from chainrule.lessons.grading import MalformedReply
from chainrule.lessons.policy import Policy
from chainrule.lessons.progress import Learner, NoAttemptsLeft, Progress
from tests.helpers.attempts import BOXES, CHOICE, FORMULA, MORNING, NUMBER, fail
from tests.helpers.replies import right, wrong


@pytest.mark.parametrize("problem", [CHOICE, BOXES, FORMULA, NUMBER])
def test_an_attempt_is_graded_and_stays(path: Path, problem: Problem) -> None:
    with Progress(path) as progress:
        ada = progress.learner("Ada")
        first = ada.attempt(problem, wrong(problem), now=MORNING)
        second = ada.attempt(problem, right(problem))
    assert first.grade is not None
    assert second.grade is not None
    assert (first.number, first.grade.right, first.grade.points, first.at) == (1, False, 0, MORNING)
    assert (second.number, second.grade.right, second.grade.points) == (2, True, problem.points)
    with Progress(path) as progress:
        stored = progress.learner("Ada").attempts(problem)
    assert [(one.number, one.reply, one.at) for one in stored] == [
        (one.number, one.reply, one.at) for one in (first, second)
    ]
    for now, then in zip(stored, (first, second), strict=True):
        assert now.grade is not None
        assert then.grade is not None
        assert (now.grade.right, now.grade.mistake) == (then.grade.right, then.grade.mistake)
        assert [str(one) for one in now.grade.feedback] == [str(one) for one in then.grade.feedback]
        assert str(now.grade.understood) == str(then.grade.understood)
        assert now.grade.warnings == then.grade.warnings


def test_replies_are_stored_as_json(ada: Learner) -> None:
    stored = [
        ada.attempt(CHOICE, 2).reply,
        ada.attempt(BOXES, {3, 1}).reply,
        ada.attempt(FORMULA, "δ_2 w_2").reply,
    ]
    assert stored == ["2", "[1,3]", '"δ_2 w_2"']


def test_what_cannot_be_read_is_no_attempt(ada: Learner) -> None:
    for reply in ("((", "", "δ_1", 3, None):
        with pytest.raises(MalformedReply):
            ada.attempt(FORMULA, reply)  # type: ignore[arg-type]
    assert ada.attempts(FORMULA) == ()
    assert ada.left(FORMULA) == FORMULA.attempts
    assert ada.attempt(FORMULA, "0").number == 1


def test_a_problem_is_answered_only_so_often(ada: Learner) -> None:
    assert ada.left(CHOICE) == 2
    fail(ada, CHOICE)
    assert ada.left(CHOICE) == 0
    with pytest.raises(NoAttemptsLeft, match="Ada has used all 2 attempts at this problem"):
        ada.attempt(CHOICE, right(CHOICE))
    assert len(ada.attempts(CHOICE)) == 2


def test_a_solved_problem_is_not_answered_again(ada: Learner) -> None:
    ada.attempt(BOXES, right(BOXES))
    assert ada.left(BOXES) == 0
    with pytest.raises(NoAttemptsLeft, match="this problem is solved"):
        ada.attempt(BOXES, right(BOXES))


def test_a_problem_may_be_answered_without_end(ada: Learner) -> None:
    free = replace(CHOICE, attempts=None)
    for _ in range(5):
        ada.attempt(free, wrong(free))
    assert ada.left(free) is None
    assert not ada.may_see_solution(free)


@pytest.mark.parametrize(
    ("policy", "at_once", "when_failed", "when_solved"),
    [
        (Policy(), False, True, True),
        (Policy("after last attempt"), False, True, True),
        (Policy("after correct"), False, False, True),
        (Policy("never"), False, False, False),
    ],
)
def test_a_policy_says_when_a_solution_is_seen(
    ada: Learner, policy: Policy, at_once: bool, when_failed: bool, when_solved: bool
) -> None:
    seen = [bool(ada.attempt(CHOICE, wrong(CHOICE), policy).solution) for _ in range(2)]
    assert seen == [at_once, when_failed]
    assert ada.may_see_solution(CHOICE, policy) is when_failed
    assert not ada.may_see_solution(BOXES, policy)
    last = ada.attempt(BOXES, right(BOXES), policy)
    assert last.solution == (BOXES.solution if when_solved else ())
    assert ada.may_see_solution(BOXES, policy) is when_solved
    if when_solved:
        assert ada.solution(BOXES, policy) == BOXES.solution


@pytest.mark.parametrize(
    ("policy", "when"),
    [
        (Policy(), "it is shown once the problem is solved, or no attempt is left"),
        (Policy("after correct"), "it is shown once the problem is solved"),
        (Policy("never"), "this lesson never shows it"),
    ],
)
def test_a_solution_that_may_not_be_seen_is_refused(ada: Learner, policy: Policy, when: str) -> None:
    with pytest.raises(cr.InputError, match=f"{when}$"):
        ada.solution(CHOICE, policy)


def test_points_are_of_the_best_attempt_and_of_what_was_answered(ada: Learner) -> None:
    worth = replace(BOXES, points=3)
    assert (ada.points(worth), ada.total()) == (0, (0, 0))
    ada.attempt(worth, wrong(worth))
    ada.attempt(worth, right(worth))
    ada.attempt(CHOICE, wrong(CHOICE))
    assert (ada.points(worth), ada.points(CHOICE), ada.total()) == (3, 0, (3, 4))
