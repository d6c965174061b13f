"""A new family needs one registered function: it is drawn, graded, proven and exported like the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from chainrule.formula import Symbol
from chainrule.lessons import FAMILIES, Content, Family, OneChoice, Option, Parameter, check, generate, prose
from chainrule.lessons.catalogue import family
from chainrule.lessons.export.moodle import write_moodle
from chainrule.lessons.lesson_file import read, template
from chainrule.lessons.proof import flaws

NAME = "a toy"


@pytest.fixture
def toy() -> Iterator[Family]:
    @family(NAME, "one choice", sign=Parameter(("plus", "minus"), "of the step"))
    def toy(random: Random, sign: str) -> Content:
        """The direction of a step."""
        w = Symbol("w", (random.randint(1, 3),))
        options = (
            Option(prose("down"), True, prose("Against the gradient.")),
            Option(prose("up"), False, prose("This goes uphill."), "uphill"),
        )
        return Content(
            title="A toy",
            difficulty=1,
            prompt=(prose("Where does a step with a {} move {}?", sign, w),),
            answer=OneChoice(tuple(random.sample(options, 2))),
            hints=(prose("The gradient points uphill."),),
            solution=(prose("Against the gradient: down"),),
        )

    yield FAMILIES[NAME]
    del FAMILIES[NAME]


def test_it_is_registered_with_what_it_practises(toy: Family) -> None:
    assert list(FAMILIES)[-1] == toy.name == NAME
    assert (toy.about, toy.kind) == ("The direction of a step", "one choice")


def test_it_is_generated(toy: Family) -> None:
    problem = generate(NAME, 3, sign="minus")
    assert (problem.family, problem.seed, problem.parameters) == (NAME, 3, {"sign": "minus"})
    assert (problem.title, problem.difficulty, problem.points, problem.attempts) == ("A toy", 1, 1, 2)
    assert str(problem.prompt[0]).startswith("Where does a step with a minus move w")
    assert generate(NAME, 3, sign="minus") == problem
    assert len({str(generate(NAME, seed)) for seed in range(10)}) > 1


def test_it_is_graded(toy: Family) -> None:
    problem = generate(NAME)
    assert isinstance(problem.answer, OneChoice)
    key = problem.answer.key
    assert check(problem, key).right
    assert check(problem, 1 - key).mistake == "uphill"


def test_it_is_proven(toy: Family) -> None:
    assert [flaws(generate(NAME, seed)) for seed in range(5)] == [()] * 5


def test_it_is_in_lesson_files_and_exports(toy: Family, tmp_path: Path) -> None:
    file = tmp_path / "lesson.yaml"
    file.write_text(template(), encoding="utf-8")
    problems = read(file).problems()
    assert problems[-1][1].family == NAME
    write_moodle("Toy", problems[-1:], tmp_path / "quiz.xml")
    assert "Where does a step" in (tmp_path / "quiz.xml").read_text(encoding="utf-8")
