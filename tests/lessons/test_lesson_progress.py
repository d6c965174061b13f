"""Progress: what was answered stays, whoever is killed or writes at the same time, and what is due comes first."""

from __future__ import annotations

import csv
import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from tests.helpers.replies import right, wrong

import chainrule as cr
from chainrule.formula import text
from chainrule.lessons import FAMILIES, FormulaAnswer, Problem, generate
from chainrule.lessons.grading import MalformedReply
from chainrule.lessons.policy import Policy
from chainrule.lessons.progress import Learner, Mastery, NoAttemptsLeft, Progress, database, default_path
from chainrule.lessons.progress.database import VERSION

CHOICE = generate("update rule", 1)
BOXES = generate("dependence", 1)
FORMULA = generate("recursion", 1, activation="tanh")
NUMBER = generate("forward by hand", 1)
MORNING = datetime(2025, 3, 1, 8, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "progress.sqlite3"


@pytest.fixture
def ada(path: Path) -> Iterator[Learner]:
    with Progress(path) as progress:
        yield progress.learner("Ada")


def fail(learner: Learner, problem: Problem, now: datetime | None = None) -> None:
    for _ in range(learner.left(problem) or 0):
        learner.attempt(problem, wrong(problem), now=now)


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


def test_a_policy_that_is_none_is_refused() -> None:
    with pytest.raises(cr.InputError, match="unknown time to show solutions 'nevr': did you mean 'never'"):
        Policy("nevr")  # type: ignore[arg-type]


def test_points_are_of_the_best_attempt_and_of_what_was_answered(ada: Learner) -> None:
    worth = replace(BOXES, points=3)
    assert (ada.points(worth), ada.total()) == (0, (0, 0))
    ada.attempt(worth, wrong(worth))
    ada.attempt(worth, right(worth))
    ada.attempt(CHOICE, wrong(CHOICE))
    assert (ada.points(worth), ada.points(CHOICE), ada.total()) == (3, 0, (3, 4))


def test_learners_do_not_see_one_another(path: Path) -> None:
    with Progress(path) as progress:
        ada, grace = progress.learner("  Ada "), progress.learner("Grace")
        fail(ada, CHOICE)
        assert (ada.name, grace.left(CHOICE), grace.total(), grace.mastery()) == ("Ada", 2, (0, 0), {})
        assert len(progress.learner("Ada").attempts(CHOICE)) == 2
        assert progress.learners() == ["Ada", "Grace"]


def test_a_name_is_the_same_however_it_is_encoded(path: Path) -> None:
    with Progress(path) as progress:
        progress.learner("Zoe\u0308")
        progress.learner("Zo\u00eb")
        assert progress.learners() == ["Zo\u00eb"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (" ", "a learner's name has 1 to 80 characters, but this has 0"),
        ("a" * 81, "but this has 81"),
        ("A\nB", r"no control characters, but character 2 is U\+000A"),
        ("A\ud800", r"character 2 is U\+D800"),
        (None, "a learner's name is a text, not None"),
    ],
)
def test_what_is_no_name_is_refused(path: Path, name: str, message: str) -> None:
    with Progress(path) as progress, pytest.raises(cr.InputError, match=message):
        progress.learner(name)


def test_marked_problems_are_drawn_again(ada: Learner) -> None:
    worth = replace(BOXES, points=3, attempts=None)
    for problem in (worth, CHOICE, NUMBER, worth):
        ada.bookmark(problem)
    ada.bookmark(CHOICE, on=False)
    assert ada.bookmarks() == (worth, NUMBER)


def test_marked_problems_of_a_family_that_is_gone_are_skipped(ada: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    ada.bookmark(BOXES)
    ada.bookmark(CHOICE)
    others = {name: one for name, one in FAMILIES.items() if name != BOXES.family}
    monkeypatch.setattr("chainrule.lessons.catalogue.FAMILIES", others)
    assert ada.bookmarks() == (CHOICE,)


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


def test_a_table_of_all_attempts(ada: Learner, tmp_path: Path) -> None:
    ada.attempt(CHOICE, wrong(CHOICE), now=MORNING)
    ada.attempt(FORMULA, "δ_2 w_2", now=MORNING + DAY)
    ada.to_csv(tmp_path / "attempts.csv")
    with (tmp_path / "attempts.csv").open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert first["learner"] == "Ada"
    assert (first["family"], json.loads(first["parameters"])) == ("update rule", CHOICE.parameters)
    assert (first["number"], first["right"], first["points"], first["possible"]) == ("1", "false", "0", "1")
    assert datetime.fromisoformat(second["at"]) == MORNING + DAY
    assert json.loads(second["reply"]) == "δ_2 w_2"


def test_no_cell_is_computed(path: Path, tmp_path: Path) -> None:
    with Progress(path) as progress:
        mallory = progress.learner("=HYPERLINK(A1)")
        mallory.attempt(FORMULA, "-w_2")
        mallory.to_csv(tmp_path / "attempts.csv")
    with (tmp_path / "attempts.csv").open(newline="", encoding="utf-8") as file:
        (row,) = csv.DictReader(file)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row.values())


def test_a_document_of_all_attempts(ada: Learner, tmp_path: Path) -> None:
    grade = ada.attempt(CHOICE, wrong(CHOICE), now=MORNING).grade
    assert grade is not None
    ada.to_json(tmp_path / "attempts.json")
    assert json.loads((tmp_path / "attempts.json").read_text(encoding="utf-8")) == {
        "learner": "Ada",
        "attempts": [
            {
                "family": CHOICE.family,
                "parameters": CHOICE.parameters,
                "seed": CHOICE.seed,
                "number": 1,
                "at": MORNING.isoformat(),
                "reply": wrong(CHOICE),
                "right": False,
                "points": 0,
                "possible": 1,
                "mistake": grade.mistake,
                "feedback": [str(one) for one in grade.feedback],
            }
        ],
    }


def test_an_export_into_nowhere_is_refused(ada: Learner, tmp_path: Path) -> None:
    with pytest.raises(cr.InputError, match="cannot write"):
        ada.to_json(tmp_path / "none" / "attempts.json")


def test_progress_is_kept_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path / "a" / "b"))
    with Progress() as progress:
        progress.learner("Ada")
    assert default_path() == progress.path == tmp_path / "a" / "b" / "progress.sqlite3"
    assert progress.path.exists()
    monkeypatch.delenv("CHAINRULE_DATA")
    assert default_path().parts[-2:] == ("chainrule", "progress.sqlite3")


def refused(path: Path, message: str) -> None:
    with pytest.raises(cr.InputError, match=message) as caught:
        Progress(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"My diary. " * 200)
    refused(path, "is damaged, or no file of progress: .* Move it away")
    assert path.read_bytes() == b"My diary. " * 200


def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE diary (day TEXT)")
    connection.close()
    before = path.read_bytes()
    refused(path, "is a database, but not of progress: move it away")
    assert path.read_bytes() == before


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    Progress(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    refused(path, f"written by a newer chainrule: it is of version {VERSION + 1}.* Update chainrule")


def test_a_file_of_an_older_version_keeps_what_is_in_it(path: Path) -> None:
    with Progress(path) as progress:
        progress.learner("Ada").bookmark(CHOICE, policy=Policy("never"))
    connection = sqlite3.connect(path)
    connection.executescript("ALTER TABLE bookmarks DROP COLUMN show_solution; PRAGMA user_version = 1")
    connection.close()
    with Progress(path) as progress:
        ada = progress.learner("Ada")
        assert ada.bookmarks() == (CHOICE,)
        assert ada.policy(CHOICE) == Policy()


def test_an_empty_file_is_a_new_one(path: Path) -> None:
    path.touch()
    with Progress(path) as progress:
        assert progress.learners() == []


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(cr.InputError, match=r"cannot make the folder .*CHAINRULE_DATA"):
        Progress(tmp_path / "file" / "progress.sqlite3")
    refused(tmp_path, "cannot use .*: unable to open database file. See that it can be written")


def test_a_file_that_another_process_keeps_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAIT", 0.05)
    with Progress(path) as progress:
        ada = progress.learner("Ada")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(cr.InputError, match=r"another process has been writing to it for .* Try again"):
            ada.attempt(CHOICE, right(CHOICE))
        other.close()
        assert ada.attempt(CHOICE, right(CHOICE)).number == 1


def test_a_file_that_is_damaged_later_is_named(path: Path) -> None:
    with Progress(path) as progress:
        progress.learner("Ada")
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with Progress(path) as progress, pytest.raises(cr.InputError, match=r"progress\.sqlite3 is damaged"):
        progress.learner("Grace")


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
