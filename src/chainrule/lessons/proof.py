"""Checks that a problem keeps its promises: one key, no wrong answer equal to it, and a solution that ends in it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ..formula import Expression, compare, text
from .grading import Grade, check
from .problems import ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Problem
from .prose import Equation, Prose


def flaws(problem: Problem) -> tuple[str, ...]:
    """Return the promises that a problem breaks, a sentence each.

    No two options say the same or are equal, the key is graded right, every wrong answer is graded wrong and its
    misconception named, and the worked solution ends in the key.
    """
    general = [*_words_missing(problem), *_solution(problem)]
    match problem.answer:
        case OneChoice() | ChooseAll() as answer:
            return (*general, *_options(answer), *_choices_graded(problem, answer))
        case FormulaAnswer() as answer:
            return (*general, *_formulae(problem, answer))
        case NumberAnswer() as answer:
            return (*general, *_numbers(problem, answer))


def _words_missing(problem: Problem) -> Iterator[str]:
    for what in ("prompt", "hints", "solution"):
        if not getattr(problem, what):
            yield f"there is no {what}"


def _options(answer: OneChoice | ChooseAll) -> Iterator[str]:
    options, places = answer.options, range(len(answer.options))
    right = [place for place in places if options[place].right]
    if isinstance(answer, OneChoice) and len(right) != 1:
        yield f"{len(right)} options are right, not one"
    if isinstance(answer, ChooseAll) and not 0 < len(right) < len(options):
        yield f"{len(right)} of {len(options)} options are right: some, and not all, should be"
    are_comparable = isinstance(answer, OneChoice) or bool(answer.definitions)
    for a, b in combinations(places, 2):
        first, second = options[a], options[b]
        if str(first.text) == str(second.text):
            yield f"two options say {first.text}"
        if first.formula is None or second.formula is None or not are_comparable:
            continue
        equal = compare(first.formula, second.formula, answer.definitions).equal
        if first.right and second.right:
            if not equal:
                yield f"{first.text} and {second.text} are both right, but differ"
        elif equal and (isinstance(answer, OneChoice) or first.right != second.right):
            yield f"{first.text} and {second.text} are equal"
    for option in options:
        if not str(option.feedback):
            yield f"nothing is said about {option.text}"
        if option.right is not (option.mistake is None):
            yield f"the misconception of {option.text} is {option.mistake}"


def _choices_graded(problem: Problem, answer: OneChoice | ChooseAll) -> Iterator[str]:
    places = range(len(answer.options))
    if isinstance(answer, OneChoice):
        for place in places:
            yield from _graded(check(problem, place), answer.options[place].mistake, str(answer.options[place].text))
        return
    if not check(problem, answer.key).right:
        yield "the key is graded wrong"
    for place in places:
        other = answer.key ^ {place}
        if other and check(problem, other).right:
            yield f"without or with {answer.options[place].text} it is graded right, too"


def _formulae(problem: Problem, answer: FormulaAnswer) -> Iterator[str]:
    yield from _graded(check(problem, text(answer.key)), None, text(answer.key))
    for mistake in answer.mistakes:
        if compare(mistake.answer, answer.key, answer.definitions).equal:
            yield f"{text(mistake.answer)} is the key"
        if answer.allowed is None or mistake.answer.symbols() <= set(answer.allowed):
            yield from _graded(check(problem, text(mistake.answer)), mistake.kind, text(mistake.answer))
    for first, second in combinations(answer.mistakes, 2):
        if compare(first.answer, second.answer, answer.definitions).equal:
            yield f"{text(first.answer)} and {text(second.answer)} are equal"


def _numbers(problem: Problem, answer: NumberAnswer) -> Iterator[str]:
    yield from _graded(check(problem, repr(answer.key)), None, repr(answer.key))
    rounded = f"{answer.key:.{answer.digits}g}"
    yield from _graded(check(problem, rounded), None, rounded)
    for mistake in answer.mistakes:
        yield from _graded(check(problem, repr(mistake.answer)), mistake.kind, repr(mistake.answer))


def _graded(grade: Grade, mistake: str | None, what: str) -> Iterator[str]:
    if grade.right is not (mistake is None):
        yield f"{what} is graded {'right' if grade.right else 'wrong'}"
    elif grade.mistake != mistake:
        yield f"{what} shows {mistake}, but {grade.mistake} is named"
    elif not grade.right and not grade.feedback:
        yield f"nothing is said about {what}"


def _solution(problem: Problem) -> Iterator[str]:
    last = problem.solution[-1]
    match problem.answer:
        case FormulaAnswer(key=key):
            ends = _last_formula(last) == key
        case NumberAnswer(key=value, tolerance=tolerance):
            ends = _close(_last_number(last), value, max(tolerance, 1e-9))
        case OneChoice(options=options) as answer:
            right = options[answer.key]
            ends = str(last).endswith(str(right.text)) or _last_formula(last) == (right.formula or right.text)
        case ChooseAll(options=options):
            ends = all(str(option.text) in "".join(map(str, problem.solution)) for option in options if option.right)
    if not ends:
        yield f"the solution ends in {last}, which is not the key"


def _last_formula(last: Prose) -> Expression | None:
    end = last.pieces[-1]
    return end.right if isinstance(end, Equation) else end if isinstance(end, Expression) else None


def _last_number(last: Prose) -> float:
    end = _last_formula(last)
    number = text(end) if end is not None else str(last).replace(".", " ").split()[-1]
    return float(number.replace("−", "-"))


def _close(value: float, key: float, tolerance: float) -> bool:
    return abs(value - key) <= tolerance * abs(key)
