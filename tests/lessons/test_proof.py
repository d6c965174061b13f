"""A problem that breaks a promise is found out."""

from dataclasses import replace
from typing import Any

import pytest

from chainrule.lessons import ChooseAll, FormulaAnswer, Mistake, NumberAnswer, OneChoice, generate, prose
from chainrule.lessons.proof import flaws


def broken(family: str, **changes: Any) -> str:
    problem = generate(family, 1)
    content = replace(problem.content, answer=replace(problem.answer, **changes))
    return " | ".join(flaws(replace(problem, content=content)))


def test_two_equal_options() -> None:
    answer = generate("recursion choice", 1).answer
    assert isinstance(answer, OneChoice)
    right = answer.options[answer.key]
    assert right.formula is not None
    twin = replace(right, text=prose("{} ", right.formula * 1), right=False, mistake="sign")
    assert "are equal" in broken("recursion choice", options=(*answer.options, twin))


def test_two_right_options_where_one_is_asked_for() -> None:
    answer = generate("kink", 1).answer
    assert isinstance(answer, OneChoice)
    both = tuple(replace(option, right=True, mistake=None) for option in answer.options)
    assert "4 options are right, not one" in broken("kink", options=both)


def test_a_wrong_option_among_the_right_ones() -> None:
    answer = generate("chain rule", 1).answer
    assert isinstance(answer, ChooseAll)
    turned = tuple(
        replace(option, right=True, mistake=None) if place == min({*range(5)} - answer.key) else option
        for place, option in enumerate(answer.options)
    )
    assert "are both right, but differ" in broken("chain rule", options=turned)


def test_a_mistake_that_is_the_key() -> None:
    answer = generate("recursion", 1).answer
    assert isinstance(answer, FormulaAnswer)
    mistake = Mistake(answer.key, "sign", prose("The sign is wrong."))
    assert "is the key" in broken("recursion", mistakes=(mistake,))


def test_a_wrong_number_within_the_tolerance() -> None:
    answer = generate("forward by hand", 1).answer
    assert isinstance(answer, NumberAnswer)
    mistake = Mistake(answer.key * 1.001, "index", prose("An index is off by one."))
    assert "is graded right" in broken("forward by hand", mistakes=(mistake,))


@pytest.mark.parametrize("family", ["recursion", "forward by hand", "kink", "chain rule"])
def test_a_solution_that_ends_elsewhere(family: str) -> None:
    problem = generate(family, 1)
    problem = replace(problem, content=replace(problem.content, solution=(prose("So it is 17."),)))
    assert "which is not the key" in " | ".join(flaws(problem))
