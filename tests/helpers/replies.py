"""Right and wrong replies to problems of all kinds, as they are stored: numbers, lists of numbers and texts."""

from __future__ import annotations

from chainrule.formula import text
from chainrule.lessons import ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Problem


def right(problem: Problem) -> int | list[int] | str:
    """Return a reply that is right."""
    match problem.answer:
        case OneChoice() as answer:
            return answer.key
        case ChooseAll() as answer:
            return sorted(answer.key)
        case FormulaAnswer() as answer:
            return text(answer.key)
        case NumberAnswer() as answer:
            return repr(answer.key)


def wrong(problem: Problem) -> int | list[int] | str:
    """Return a reply that is wrong; of boxes, those that are not right."""
    match problem.answer:
        case OneChoice() as answer:
            return (answer.key + 1) % len(answer.options)
        case ChooseAll() as answer:
            return sorted(set(range(len(answer.options))) - answer.key)
        case FormulaAnswer():
            return "0"
        case NumberAnswer() as answer:
            return repr(7 * answer.key + 1)
