"""An answer is never lost, whatever is killed or writes at the same time."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from chainrule.formula import text
from chainrule.lessons import FormulaAnswer, Problem
from chainrule.lessons.progress import NoAttemptsLeft, Progress
from tests.helpers.attempts import CHOICE, FORMULA, MORNING
from tests.helpers.replies import right, wrong


def ungraded(path: Path, problem: Problem, learner: str, reply: str, number: int = 1) -> None:
    """Leave an attempt as a process does that is killed before it has graded it."""
    with Progress(path) as progress:
        progress.learner(learner).bookmark(problem)
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "INSERT INTO attempts (learner, problem, number, reply, at, possible) "
            "SELECT learners.id, problems.id, ?, ?, ?, 1 FROM learners, problems WHERE name = ? AND family = ?",
            (number, reply, MORNING.isoformat(), learner, problem.family),
        )
    connection.close()


def test_what_a_killed_process_left_ungraded_is_graded(path: Path) -> None:
    ungraded(path, CHOICE, "Ada", json.dumps(right(CHOICE)))
    with Progress(path) as progress:
        ada = progress.learner("Ada")
        assert ada.total() == (0, 1)
        with pytest.raises(NoAttemptsLeft, match="solved"):
            ada.attempt(CHOICE, 0)
        (attempt,) = ada.attempts(CHOICE)
        assert attempt.grade is not None
        assert (attempt.grade.right, ada.points(CHOICE), ada.total()) == (True, 1, (1, 1))
        assert ada.mastery(MORNING)["update rule"].due == MORNING + timedelta(minutes=10)


def test_what_a_killed_process_left_in_another_form_does_not_count(path: Path) -> None:
    assert isinstance(FORMULA.answer, FormulaAnswer)
    ungraded(path, FORMULA, "Ada", json.dumps(text(FORMULA.answer.left)))
    with Progress(path) as progress:
        ada = progress.learner("Ada")
        assert (ada.left(FORMULA), ada.attempts(FORMULA)) == (FORMULA.attempts, ())


def test_threads_take_turns(path: Path) -> None:
    free = replace(CHOICE, attempts=None)
    with Progress(path) as progress, ThreadPoolExecutor(4) as pool:
        ada = progress.learner("Ada")
        attempts = list(pool.map(lambda _: ada.attempt(free, wrong(free)), range(40)))
        assert sorted(one.number for one in attempts) == list(range(1, 41))
        assert len(ada.attempts(free)) == 40


ATTEMPTS = """
import sys
from dataclasses import replace
from itertools import count, islice
from pathlib import Path
from chainrule.lessons import generate
from chainrule.lessons.progress import Progress

path, name, times = sys.argv[1:]
problem = replace(generate("recursion", 1, activation="tanh"), attempts=None)
with Progress(Path(path)) as progress:
    learner = progress.learner(name)
    for place in islice(count(), int(times) or None):
        attempt = learner.attempt(problem, f"{place} w_2")
        print(attempt.number, attempt.reply, flush=True)
"""


def answering(path: Path, name: str, times: int = 0) -> subprocess.Popen[str]:
    """Start a process that answers a formula so many times, without end for 0, and prints what was graded."""
    command = [sys.executable, "-c", ATTEMPTS, str(path), name, str(times)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def is_whole(path: Path) -> bool:
    connection = sqlite3.connect(path)
    found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    connection.close()
    return bool(found == "ok")


def test_a_killed_process_loses_nothing_that_was_answered(path: Path) -> None:
    endless = replace(FORMULA, attempts=None)
    for killed_after in (1, 20):
        with answering(path, "Ada") as child:
            assert child.stdout is not None
            printed = [child.stdout.readline() for _ in range(killed_after)]
            child.send_signal(signal.SIGKILL)
            printed += [line for line in child.stdout if line.endswith("\n")]
        assert child.returncode == -signal.SIGKILL
        with Progress(path) as progress:
            stored = {f"{one.number} {one.reply}\n": one.grade for one in progress.learner("Ada").attempts(endless)}
        assert len(printed) >= killed_after
        assert set(printed) <= stored.keys()
        assert all(grade is not None for grade in stored.values())
        assert is_whole(path)


@pytest.mark.parametrize("names", [("Ada", "Grace"), ("Ada", "Ada")], ids=["two learners", "one learner"])
def test_two_processes_write_at_once(path: Path, names: tuple[str, str]) -> None:
    children = [answering(path, name, 60) for name in names]
    printed = [child.communicate()[0].splitlines() for child in children]
    assert [child.returncode for child in children] == [0, 0]
    endless = replace(FORMULA, attempts=None)
    with Progress(path) as progress:
        for name in set(names):
            stored = progress.learner(name).attempts(endless)
            mine = [line for who, lines in zip(names, printed, strict=True) if who == name for line in lines]
            assert [one.number for one in stored] == list(range(1, len(mine) + 1))
            assert {f"{one.number} {one.reply}" for one in stored} == set(mine)
            assert all(one.grade is not None for one in stored)
    assert is_whole(path)
