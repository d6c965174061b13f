"""Practice in the terminal: shows problems, takes answers, and gives feedback."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import StringIO
from string import ascii_lowercase
from textwrap import wrap
from typing import TextIO

from ..formula.latex import GREEK
from .grading import Grade, MalformedReply, Reply
from .lesson import counted
from .policy import DEFAULT, Policy
from .problems import ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Problem
from .progress import Learner, NoAttemptsLeft, identity
from .prose import Prose

COMMANDS = "? hint   ! solution   * bookmark   > skip   q quit"
MIN_WIDTH, MAX_WIDTH = 30, 100

_SPELLINGS = {letter: name.removeprefix("var") for letter, name in GREEK.items()} | {
    "∂": "d", "ℒ": "L", "−": "-", "·": "*", "⊙": "(*)", "←": "<-", "≈": "~", "→": "->", "′": "'", "…": "...", "–": "-",
    "—": "--", "½": "1/2", "‘": "'", "’": "'", "“": '"', "”": '"', "≤": "<=", "≥": ">=", "×": "x",
}  # fmt: skip
"""Characters that a terminal may lack, in ASCII, as the parser of formulae also reads them."""


class Leave(Exception):  # noqa: N818 - it is no error
    """The learner wants to stop."""


@dataclass
class Tally:
    """The result of practice.

    Attributes
    ----------
    answered, right : int
        How many problems were answered, and rightly.
    points, possible : int
        Those of the problems that were answered.
    """

    answered: int = 0
    right: int = 0
    points: int = 0
    possible: int = 0


class Console:
    """A terminal, or a pair of streams in its place.

    Parameters
    ----------
    source, target : text streams
        By default standard input and output.
    width : int, optional
        In characters; by default that of the terminal.
    """

    def __init__(self, source: TextIO | None = None, target: TextIO | None = None, width: int | None = None) -> None:
        self.source = sys.stdin if source is None else source
        self.target = sys.stdout if target is None else target
        wide = shutil.get_terminal_size((80, 24)).columns if width is None else width
        self.width = min(max(wide, MIN_WIDTH), MAX_WIDTH)

    def say(self, text: Prose | str = "", first: str = "", later: str | None = None) -> None:
        """Write a paragraph, wrapped; its lines begin with `first`, and all but the first with `later`."""
        later = " " * len(first) if later is None else later
        lines = wrap(
            transliterate(str(text), self.target.encoding),
            self.width,
            initial_indent=first,
            subsequent_indent=later,
            break_long_words=False,
            break_on_hyphens=False,
        )
        self.verbatim("\n".join(lines) or first.rstrip())

    def verbatim(self, text: str) -> None:
        """Write lines as they are."""
        self.target.write(f"{transliterate(text, self.target.encoding)}\n")

    def ask(self, prompt: str) -> str:
        """Return a line that was typed.

        Raises
        ------
        Leave
            At the end of the input, and after Ctrl-C.
        """
        prompt = transliterate(prompt, self.target.encoding)
        try:
            if self.source is sys.stdin and self.target is sys.stdout and self.source.isatty():
                with suppress(ImportError):
                    import readline  # noqa: F401 - lets a line be edited
                return input(prompt).strip()
            self.target.write(prompt)
            self.target.flush()
            line = self.source.readline()
        except (EOFError, KeyboardInterrupt):
            line = ""
        except UnicodeDecodeError as error:
            self.say(f"This line cannot be read as {error.encoding}: type it again.")
            return ""
        if not line:
            self.verbatim("")
            raise Leave
        return line.strip()


def practise(
    problems: Sequence[tuple[str, Problem]], learner: Learner, policy: Policy | None, console: Console | None = None
) -> Tally:
    """Ask problems one after the other, and store every answer before anything is said about it.

    Ctrl-C, the end of the input and ``q`` end it; nothing that was answered is lost.

    Parameters
    ----------
    problems : sequence of (str, Problem)
        Each with its id. Those that the learner has solved, or has no attempt left at, are passed over, or shown
        where they are bookmarked.
    learner : Learner
    policy : Policy or None
        When a solution may be seen; None for what was bookmarked: as the lesson has it that it was bookmarked in.
    console : Console, optional
        Where it is asked; by default on standard input and output.
    """
    return _Practice(learner, policy, console or Console()).run(problems)


def transliterate(text: str, encoding: str | None) -> str:
    """Return a text with the characters that an encoding lacks spelled in ASCII.

    >>> transliterate("δ₁ = δ₂w₂(1−f₁²)", "ascii")
    'delta_1 = delta_2w_2(1-f_1^2)'
    """
    encoding = encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        parts, last_mark = [], ""
        for character in text:
            part, mark = _ascii(character, encoding)
            parts.append(mark + part if mark != last_mark else part)
            last_mark = mark
        return "".join(parts)
    return text


def _ascii(character: str, encoding: str) -> tuple[str, str]:
    """Return a character in ASCII, and the mark before a run of such characters: _ below the line, ^ above it."""
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        place = unicodedata.decomposition(character).partition(">")[0]
        plain = unicodedata.normalize("NFKD", character)
        spelling = _SPELLINGS.get(character) or "".join(
            _SPELLINGS.get(part, part) for part in plain if part.isascii() or part in _SPELLINGS
        )
        return spelling or "?", {"<sub": "_", "<super": "^"}.get(place, "")
    return character, ""


def letters(typed: str, count: int) -> list[int]:
    """Return the places of the options that were typed by their letters, as in ``a c``.

    Raises
    ------
    MalformedReply
        When something else was typed.
    """
    known = ascii_lowercase[:count]
    places = []
    for begin, character in enumerate(typed.lower()):
        if character in known:
            places.append(known.index(character))
        elif not (character.isspace() or character in ",;)."):
            raise MalformedReply(
                f"{typed[begin]!r} is no option: type letters from a to {known[-1]}",
                begin,
                begin + 1,
                f"{typed}\n{' ' * begin}^",
            )
    return places


class _Practice:
    """A learner at a terminal."""

    def __init__(self, learner: Learner, policy: Policy | None, console: Console) -> None:
        self.learner, self.console = learner, console
        self.lesson_policy = policy
        self.policy = policy or DEFAULT  # of the current problem
        self.tally = Tally()
        self.marked = {identity(problem) for problem in learner.bookmarks()}

    def run(self, problems: Sequence[tuple[str, Problem]]) -> Tally:
        """Ask all problems."""
        try:
            for place, (name, problem) in enumerate(problems, start=1):
                self.ask_problem(f"{place} of {len(problems)}", name, problem)
        except (Leave, KeyboardInterrupt):
            self.console.say("Stopped. What you answered is kept.")
        tally = self.tally
        if tally.answered:
            self.console.say(
                f"{tally.right} of {tally.answered} right, {tally.points} of {counted(tally.possible, 'point')}."
            )
        return tally

    def ask_problem(self, place: str, name: str, problem: Problem) -> None:
        """Ask a problem, or show one that is done and bookmarked."""
        self.policy = self.lesson_policy or self.learner.policy(problem)  # and stays so if its mark is taken away now
        left, marked = self.learner.left(problem), identity(problem) in self.marked
        if left == 0:
            self.console.say(
                f"{place}: {name} is done: {self.learner.points(problem)} of {counted(problem.points, 'point')}."
            )
            if not marked:
                return
        _show(self.console, f"{place}: {problem.title}", problem, ", bookmarked" if marked else "")
        if left != 0:
            left = self.answers(problem, left)
        if left == 0:
            self.wait(problem)
        self.console.say()

    def answers(self, problem: Problem, left: int | None) -> int | None:
        """Take answers until the problem is solved, given up, or passed over; return how many attempts are left."""
        self.console.say(_how(problem))
        self.console.say(COMMANDS)
        hints, answered = iter(problem.hints), False
        while left != 0:
            typed = self.console.ask(f"[{_attempts(left)}] > ")
            if typed == ">":
                break
            if self.run_command(typed, problem, hints):
                continue
            grade = self.grade(typed, problem)
            left = self.learner.left(problem)
            if grade is None:
                continue
            if not answered:
                self.tally.answered += 1
                self.tally.possible += problem.points
                answered = True
            self.tell(grade, problem, left)
        return left

    def run_command(self, typed: str, problem: Problem, hints: Iterator[Prose]) -> bool:
        """Do what a command says; tell whether there was one."""
        say = self.console.say
        match typed:
            case "":
                say("Type an answer, or ? for a hint.")
            case "?":
                say(next(hints, "There is no further hint."), "Hint: ")
            case "!":
                self.show_solution(problem)
            case "*":
                on = identity(problem) not in self.marked
                self.learner.bookmark(problem, on, self.policy)
                self.marked ^= {identity(problem)}
                say("Bookmarked." if on else "No longer bookmarked.")
            case "q":
                raise Leave
            case _:
                return False
        return True

    def show_solution(self, problem: Problem) -> None:
        """Write the solution, or when it may be seen."""
        if self.learner.may_see_solution(problem, self.policy):
            _show_solution(self.console, problem)
        else:
            self.console.say(f"The solution cannot be seen: {self.policy.when}.")

    def grade(self, typed: str, problem: Problem) -> Grade | None:
        """Store and grade an answer; None where it cannot be read, which takes no attempt."""
        try:
            return self.learner.attempt(problem, _reply(typed, problem), self.policy).grade
        except MalformedReply as error:
            for line in (error.pointed or "").splitlines():
                self.console.verbatim(f"  {line}")
            self.console.say(f"{error}. This took no attempt.")
        except NoAttemptsLeft as error:  # the same learner is at another terminal
            self.console.say(f"{error}.")
        return None

    def tell(self, grade: Grade, problem: Problem, left: int | None) -> None:
        """Say what is right or wrong about an answer."""
        say = self.console.say
        if grade.understood is not None:
            say(grade.understood, "Understood as: ")
        for warning in grade.warnings:
            say(f"Note: {warning}.")
        say(f"Right: {grade.points} of {counted(problem.points, 'point')}." if grade.right else "Wrong.")
        for paragraph in grade.feedback:
            say(paragraph)
        if grade.right:
            self.tally.right += 1
            self.tally.points += grade.points
        elif left == 0:
            say(f"No attempt is left: 0 of {counted(problem.points, 'point')}.")
            if self.learner.may_see_solution(problem, self.policy):
                self.show_solution(problem)

    def wait(self, problem: Problem) -> None:
        """Leave time to read, and to look at the solution."""
        self.console.say("Enter goes on.   ! solution   * bookmark   q quit")
        while (typed := self.console.ask("> ")) not in ("", ">"):
            if not self.run_command(typed, problem, iter(())):
                self.console.say("This problem is done: Enter goes on.")


def plain_text(title: str, problems: Sequence[tuple[str, Problem]], solutions: bool, width: int = 80) -> str:
    """Return problems, each with its id, as plain text."""
    text = StringIO()
    console = Console(StringIO(), text, width)
    console.say(title)
    for name, problem in problems:
        console.say()
        _show(console, f"{name}: {problem.title}", problem)
        if solutions:
            _show_solution(console, problem)
            console.say()
    return text.getvalue()


def _show(console: Console, head: str, problem: Problem, mark: str = "") -> None:
    """Write a problem."""
    console.say(f"{head} ({counted(problem.points, 'point')}{mark})")
    console.say()
    for paragraph in problem.prompt:
        console.say(paragraph)
    console.say()
    if isinstance(problem.answer, (OneChoice, ChooseAll)):
        for letter, option in zip(ascii_lowercase, problem.answer.options, strict=False):
            console.say(option.text, f"  {letter}) ")
        console.say()


def _show_solution(console: Console, problem: Problem) -> None:
    """Write the letters of the right options, and how a problem is solved."""
    match problem.answer:
        case OneChoice(options) | ChooseAll(options):
            key = [letter for letter, option in zip(ascii_lowercase, options, strict=False) if option.right]
            console.say(f"Right: {', '.join(key)}")
    console.say("Solution:")
    for number, step in enumerate(problem.solution, start=1):
        console.say(step, f"{number:3}. ")


def _how(problem: Problem) -> str:
    """Return how a problem is answered."""
    match problem.answer:
        case OneChoice():
            return "Type a letter."
        case ChooseAll():
            return "Type the letters of all that are right, as in: a c"
        case FormulaAnswer(left):
            return f"Type {left} as a formula: _ for an index, ^ for a power, as in w_1*tanh(z_2)^2."
        case NumberAnswer(digits=digits):
            return f"Type a number, to {digits} significant digits."


def _reply(typed: str, problem: Problem) -> Reply:
    """Return what was typed as the reply that the problem takes."""
    match problem.answer:
        case OneChoice(options):
            places = letters(typed, len(options))
            if len(places) != 1:
                raise MalformedReply("one letter is asked for, as one option is right")
            return places[0]
        case ChooseAll(options):
            return letters(typed, len(options))
    return typed


def _attempts(left: int | None) -> str:
    return "any number of attempts" if left is None else f"{counted(left, 'attempt')} left"
