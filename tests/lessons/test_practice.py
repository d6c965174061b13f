"""Practice in a terminal, as a learner types and sees it."""

from __future__ import annotations

import io
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from string import ascii_lowercase

import pytest

from chainrule.formula import text
from chainrule.lessons import ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Problem, generate
from chainrule.lessons.grading import MalformedReply
from chainrule.lessons.lesson import drill
from chainrule.lessons.policy import DEFAULT, Policy
from chainrule.lessons.practice import Console, Tally, letters, plain_text, practise, transliterate
from chainrule.lessons.progress import Learner, Progress

CHOICE = generate("update rule", 3)
BOXES = generate("dependence", 3)
FORMULA = generate("output error", 3, length=2, activation="tanh", loss="squared_error")
NUMBER = generate("forward by hand", 3)


@pytest.fixture
def ada(tmp_path: Path) -> Iterator[Learner]:
    with Progress(tmp_path / "progress.sqlite3") as progress:
        yield progress.learner("Ada")


def session(
    ada: Learner, typed: str, *problems: Problem, policy: Policy | None = DEFAULT, encoding: str = "utf-8"
) -> tuple[str, Tally]:
    """Return what is shown to someone who types these lines, and how it went."""
    screen = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    named = [(f"p-{place}", problem) for place, problem in enumerate(problems, start=1)]
    tally = practise(named, ada, policy, Console(io.StringIO(typed), screen, 80))
    screen.seek(0)
    return screen.read(), tally


def right(problem: Problem) -> str:
    match problem.answer:
        case OneChoice() as answer:
            return ascii_lowercase[answer.key]
        case ChooseAll() as answer:
            return " ".join(ascii_lowercase[place] for place in sorted(answer.key))
        case FormulaAnswer() as answer:
            return text(answer.key)
        case NumberAnswer() as answer:
            return f"{answer.key:.6g}"


def wrong(problem: Problem) -> str:
    assert isinstance(problem.answer, OneChoice)
    return ascii_lowercase[next(k for k, option in enumerate(problem.answer.options) if not option.right)]


@pytest.mark.parametrize("problem", [CHOICE, BOXES, FORMULA, NUMBER], ids=lambda problem: problem.kind)
def test_a_right_answer_gets_the_points(ada: Learner, problem: Problem) -> None:
    shown, tally = session(ada, f"{right(problem)}\n\n", replace(problem, points=3))
    assert "1 of 1: " in shown
    assert f"[{problem.attempts} attempts left] > " in shown
    assert "Right: 3 of 3 points.\n" in shown
    assert "1 of 1 right, 3 of 3 points.\n" in shown
    assert tally == Tally(answered=1, right=1, points=3, possible=3)
    assert ada.total() == (3, 3)


def test_a_wrong_answer_is_explained_and_leaves_an_attempt(ada: Learner) -> None:
    shown, tally = session(ada, f"{wrong(CHOICE)}\n{right(CHOICE)}\n\n", CHOICE)
    assert isinstance(CHOICE.answer, OneChoice)
    chosen = CHOICE.answer.options[ascii_lowercase.index(wrong(CHOICE))]
    assert f"Wrong.\n{chosen.feedback}\n[1 attempt left] > Right" in shown
    assert (tally.right, tally.points) == (1, 1)


def test_a_formula_is_shown_as_it_was_understood(ada: Learner) -> None:
    shown, _ = session(ada, "(1-f2^2) 2 (f_2-y)\n\n", FORMULA)
    assert "Understood as: (1−f₂²)·2(f₂−y)\nRight" in shown


def test_a_formula_that_cannot_be_read_takes_no_attempt(ada: Learner) -> None:
    shown, _ = session(ada, "2*(f_2-g)\nq\n", FORMULA)
    assert "  2*(f_2-g)\n         ^\n" in shown
    assert "This took no attempt." in " ".join(shown.split())
    assert ada.left(FORMULA) == 5


@pytest.mark.parametrize("typed", ["x", "a b", "ä", "1"])
def test_what_is_no_letter_takes_no_attempt(ada: Learner, typed: str) -> None:
    shown, _ = session(ada, f"{typed}\nq\n", CHOICE)
    assert "took no attempt" in shown
    assert ada.left(CHOICE) == 2


def test_hints_come_one_after_the_other(ada: Learner) -> None:
    shown, _ = session(ada, "?\n?\n?\n", FORMULA)
    first, second = FORMULA.hints
    hints = " ".join(shown.split())
    assert f"Hint: {first}" in hints
    assert f"Hint: {second}" in hints
    assert "Hint: There is no further hint." in hints


def test_the_solution_is_shown_as_the_policy_says(ada: Learner) -> None:
    step = " ".join(str(CHOICE.solution[0]).split())
    shown, _ = session(ada, "!\n" + f"{wrong(CHOICE)}\n" * 2 + "\n", CHOICE)
    before, after = " ".join(shown.split()).split("No attempt is left: 0 of 1 point.")
    assert "it is shown once the problem is solved, or no attempt is left." in before
    assert step not in before
    assert f"Right: {right(CHOICE)} Solution: 1. {step}" in after


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        (Policy("never"), "this lesson never shows it."),
        (Policy("after correct"), "shown once the problem is solved."),
    ],
)
def test_a_policy_hides_the_solution_after_the_last_attempt(ada: Learner, policy: Policy, said: str) -> None:
    shown, _ = session(ada, f"{wrong(CHOICE)}\n" * 2 + "!\n\n", CHOICE, policy=policy)
    assert said in shown
    assert "Solution:" not in shown


def test_after_a_right_answer_the_solution_may_be_looked_at(ada: Learner) -> None:
    shown, _ = session(ada, f"{right(CHOICE)}\n!\nb\n\n", CHOICE, policy=Policy("after correct"))
    assert "Solution:" in shown
    assert "This problem is done: Enter goes on." in shown


def test_a_problem_is_bookmarked_and_no_longer(ada: Learner) -> None:
    session(ada, "*\nq\n", CHOICE)
    assert [problem.seed for problem in ada.bookmarks()] == [CHOICE.seed]
    shown, _ = session(ada, "*\nq\n", CHOICE)
    assert "1 of 1: A step of gradient descent (1 point, bookmarked)" in shown
    assert "No longer bookmarked." in shown
    assert not ada.bookmarks()


def test_what_is_done_and_bookmarked_is_shown_again(ada: Learner) -> None:
    session(ada, f"*\n{right(CHOICE)}\n\n", CHOICE)
    shown, tally = session(ada, "!\n*\n\n", CHOICE)
    assert shown.startswith("1 of 1: p-1 is done: 1 of 1 point.\n1 of 1: A step of gradient descent")
    assert "Solution:" in shown
    assert tally == Tally()
    assert not ada.bookmarks()


def test_what_is_bookmarked_hides_what_its_lesson_hides(ada: Learner) -> None:
    session(ada, f"*\n{right(CHOICE)}\nq\n", CHOICE, policy=Policy("never"))
    shown, _ = session(ada, "!\n*\n!\n\n", CHOICE, policy=None)
    assert "No longer bookmarked." in shown
    assert shown.count("this lesson never shows it.") == 2


def test_a_problem_is_skipped_and_comes_again(ada: Learner) -> None:
    shown, tally = session(ada, f">\n{right(NUMBER)}\n\n", CHOICE, NUMBER)
    assert "2 of 2: " in shown
    assert tally.answered == 1
    shown, _ = session(ada, "q\n", CHOICE, NUMBER)
    assert "1 of 2: A step" in shown


def test_what_is_done_is_passed_over(ada: Learner) -> None:
    session(ada, f"{right(CHOICE)}\n\n", CHOICE)
    shown, tally = session(ada, "", CHOICE)
    assert shown == "1 of 1: p-1 is done: 1 of 1 point.\n"
    assert tally == Tally()


def test_the_end_of_the_input_keeps_what_was_answered(ada: Learner) -> None:
    shown, _ = session(ada, f"{wrong(CHOICE)}\n", CHOICE)
    assert shown.endswith("Stopped. What you answered is kept.\n0 of 1 right, 0 of 1 point.\n")
    assert ada.left(CHOICE) == 1


def test_as_many_attempts_as_one_likes(ada: Learner) -> None:
    free = replace(CHOICE, attempts=None)
    shown, _ = session(ada, f"{wrong(free)}\n" * 9 + f"{right(free)}\n\n", free)
    assert shown.count("[any number of attempts] > ") == 10


def test_another_terminal_may_have_used_the_last_attempt(ada: Learner) -> None:
    class Typing(io.StringIO):
        def readline(self, *_: int | None) -> str:  # type: ignore[override]
            if ada.left(CHOICE):
                assert isinstance(CHOICE.answer, OneChoice)
                ada.attempt(CHOICE, CHOICE.answer.key)
                return "a\n"
            return "\n"

    screen = io.StringIO()
    practise([("p", CHOICE)], ada, Policy(), Console(Typing(), screen, 80))
    assert "this problem is solved" in screen.getvalue()


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437", "cp1252"])
def test_a_terminal_without_unicode_shows_what_can_be_typed(ada: Learner, encoding: str) -> None:
    shown, tally = session(ada, "(1-f_2^2)*2*(f_2-y)\n\n", FORMULA, encoding=encoding)
    assert "f_2" in shown
    assert "?" not in shown.replace("? hint", "")
    assert tally.right == 1


@pytest.mark.parametrize(
    ("shown", "fitted"),
    [
        ("δ₁ = δ₂w₂(1−f₁²)", "delta_1 = delta_2w_2(1-f_1^2)"),
        ("w₁₀ ← w₁₀−η·∂ℒ/∂w₁₀", "w_10 <- w_10-eta*dL/dw_10"),
        ("W₁ᵀ, fᵢ and f⁻²", "W_1^T, f_i and f^-2"),
        ("Zoë 😀 \ud800", "Zoe ? ?"),
    ],
)
def test_signs_are_written_out_in_ascii(shown: str, fitted: str) -> None:
    assert transliterate(shown, "ascii") == fitted


def test_letters_are_typed_in_many_ways() -> None:
    assert letters("a c", 3) == letters("A,C", 3) == letters("ac", 3) == [0, 2]
    with pytest.raises(MalformedReply, match="'d' is no option: type letters from a to c"):
        letters("d", 3)


def test_lines_fit_the_terminal(ada: Learner) -> None:
    for width in (30, 60):
        lines = plain_text(
            "Back-propagation", [("p", CHOICE), ("q", FORMULA)], solutions=True, width=width
        ).splitlines()
        assert all(len(line) <= width or " " not in line.strip() for line in lines)


def test_the_text_of_a_lesson_has_solutions_where_they_are_asked_for() -> None:
    drawn = drill(["dependence", "recursion"], 1, 5).problems()
    assert "Solution" not in plain_text("Practice", drawn, solutions=False)
    solved = plain_text("Practice", drawn, solutions=True)
    assert solved.startswith("Practice\n\ndependence-1: ")
    assert f"Right: {', '.join(right(drawn[0][1]).split())}\n" in solved
    assert solved.count("Solution:\n  1. ") == 2


SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in what a shell starts in the background
from pathlib import Path
from chainrule.lessons import Policy, generate
from chainrule.lessons.practice import practise
from chainrule.lessons.progress import Progress
with Progress(Path(sys.argv[1])) as progress:
    practise([("p", generate("update rule", 3))], progress.learner("Ada"), Policy())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_ctrl_c_ends_practice_at_a_terminal(tmp_path: Path) -> None:
    import pty

    file = tmp_path / "progress.sqlite3"
    terminal, end = pty.openpty()
    command = [sys.executable, "-c", SCRIPT, str(file)]
    with subprocess.Popen(command, stdin=end, stdout=end, stderr=end, start_new_session=True) as child:
        os.close(end)
        seen = b""
        while b"[2 attempts left]" not in seen:
            seen += os.read(terminal, 1000)
        os.write(terminal, f"{wrong(CHOICE)}\n".encode())
        while b"[1 attempt left]" not in seen:
            seen += os.read(terminal, 1000)
        while b"is kept" not in seen:
            child.send_signal(signal.SIGINT)  # again where it came just before the child began to wait
            while select.select([terminal], [], [], 2)[0] and b"is kept" not in seen:
                seen += os.read(terminal, 1000)
        assert child.wait(timeout=60) == 0
    os.close(terminal)
    with Progress(file) as progress:
        assert progress.learner("Ada").left(CHOICE) == 1
