"""What Moodle is given: questions of its XML, by a schema, whose points and tries are those of the problems."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import xmlschema

import chainrule as cr
from chainrule.formula import evaluate
from chainrule.lessons import FAMILIES, ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Problem, generate
from chainrule.lessons.export.moodle import write_moodle
from chainrule.lessons.export.sampling import typed_name

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("moodle.xsd"))


def written(tmp_path: Path, *problems: Problem, title: str = "Back-propagation") -> list[ElementTree.Element]:
    """Return the questions of a file, after the category."""
    path = tmp_path / "questions.xml"
    write_moodle(title, [(f"problem {place}", problem) for place, problem in enumerate(problems)], path)
    SCHEMA.validate(path)
    category, *questions = ElementTree.parse(path).getroot()
    assert category.get("type") == "category"
    return questions


@pytest.mark.parametrize("family", FAMILIES)
def test_a_question_of_every_family_obeys_the_schema(family: str, tmp_path: Path) -> None:
    problems = [generate(family, seed) for seed in range(3)]
    kinds = {"one choice": "multichoice", "choose all": "multichoice", "formula": "stack", "number": "numerical"}
    for question, problem in zip(written(tmp_path, *problems), problems, strict=True):
        assert question.get("type") == kinds[problem.kind]
        assert question.findtext("defaultgrade") == str(problem.points)
        assert problem.prompt[-1].to_mathjax() in (question.findtext("questiontext/text") or "")
        assert problem.solution[-1].to_mathjax() in (question.findtext("generalfeedback/text") or "")


def test_the_category_is_the_title(tmp_path: Path) -> None:
    write_moodle("Slopes & errors 1/2", [("one", generate("update rule"))], tmp_path / "q.xml")
    category = ElementTree.parse(tmp_path / "q.xml").findtext("question/category/text")
    assert category == "$course$/top/Slopes & errors 1//2"


def test_of_options_one_has_all_points_and_each_says_why(tmp_path: Path) -> None:
    problem = generate("recursion choice", 3)
    assert isinstance(problem.answer, OneChoice)
    (question,) = written(tmp_path, problem)
    assert question.findtext("single") == "true"
    for answer, option in zip(question.findall("answer"), problem.answer.options, strict=True):
        assert answer.get("fraction") == ("100" if option.right else "0")
        assert answer.findtext("text") == f"<p>{option.text.to_mathjax()}</p>"
        assert answer.findtext("feedback/text") == f"<p>{option.feedback.to_mathjax()}</p>"


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("family", [name for name, one in FAMILIES.items() if one.kind == "choose all"])
def test_right_boxes_share_the_points_and_ticking_all_gives_none(family: str, seed: int, tmp_path: Path) -> None:
    problem = generate(family, seed)
    assert isinstance(problem.answer, ChooseAll)
    (question,) = written(tmp_path, problem)
    shares = [float(answer.get("fraction", "")) for answer in question.findall("answer")]
    assert sum(share for share in shares if share > 0) == pytest.approx(100, abs=1e-4)
    assert sum(shares) <= 0
    assert {place for place, share in enumerate(shares) if share > 0} == problem.answer.key


def test_a_number_has_its_tolerance_and_the_key_comes_first(tmp_path: Path) -> None:
    problem = generate("gradient by hand", 1)
    assert isinstance(problem.answer, NumberAnswer)
    (question,) = written(tmp_path, problem)
    first, *others = question.findall("answer")
    assert float(first.findtext("text", "")) == problem.answer.key
    assert first.get("fraction") == "100"
    assert float(first.findtext("tolerance", "")) == pytest.approx(abs(problem.answer.key) * 0.01, rel=1e-5)
    for answer, mistake in zip(others, problem.answer.mistakes, strict=True):
        away = abs(float(answer.findtext("text", "")) - problem.answer.key)
        assert away > float(first.findtext("tolerance", "")) + float(answer.findtext("tolerance", ""))
        assert answer.get("fraction") == "0"
        assert answer.findtext("feedback/text") == f"<p>{mistake.feedback.to_mathjax()}</p>"


@pytest.mark.parametrize("attempts", [1, 2, 3, 5, None])
def test_there_is_a_hint_before_each_further_try_and_none_is_lost(attempts: int | None, tmp_path: Path) -> None:
    problem = replace(generate("recursion choice"), attempts=attempts)
    (question,) = written(tmp_path, problem)
    hints = [hint.findtext("text", "") for hint in question.findall("hint")]
    assert len(hints) == (len(problem.hints) if attempts is None else attempts - 1)
    if hints:
        assert all(any(hint.to_mathjax() in said for said in hints) for hint in problem.hints)


def test_a_formula_is_judged_by_the_key_then_by_each_mistake_then_by_its_names(tmp_path: Path) -> None:
    problem = generate("recursion", length=3, layer="first", activation="tanh")
    assert isinstance(problem.answer, FormulaAnswer)
    (question,) = written(tmp_path, problem)
    assert question.findtext("questionvariables/text") == "ta: delta_2*w_2*(1-f_1^2);"
    assert "[[input:ans1]]" in question.findtext("questiontext/text", "")
    assert question.findtext("specificfeedback/text") == "[[feedback:prt1]]"
    # The names that are given follow from one another, and every right substitution is to be equal.
    variables = question.findtext("prt/feedbackvariables/text", "")
    assert "sa: subst([f_1=tanh(z_1)], ans1);" in variables
    key, *wrong, form = question.findall("prt/node")
    assert (key.findtext("truescore"), key.findtext("sans"), key.findtext("tans")) == (
        "1",
        "sa",
        "subst([f_1=tanh(z_1)], ta)",
    )
    for node, mistake in zip(wrong, problem.answer.mistakes, strict=True):
        assert node.findtext("truescore") == "0"
        assert node.findtext("truefeedback/text") == f"<p>{mistake.feedback.to_mathjax()}</p>"
    assert (form.findtext("sans"), form.findtext("tans"), form.findtext("falsenextnode")) == ("form", "true", "-1")
    assert "f_1, w_2, z_1, delta_2" in form.findtext("falsefeedback/text", "")


def test_every_node_leads_to_the_next_and_the_tests_say_which_one_answers(tmp_path: Path) -> None:
    (question,) = written(tmp_path, generate("full gradient", 1))
    nodes, tests = question.findall("prt/node"), question.findall("qtest")
    assert [node.findtext("name") for node in nodes] == [str(place) for place in range(len(nodes))]
    assert [node.findtext("falsenextnode") for node in nodes] == [*map(str, range(1, len(nodes))), "-1"]
    notes = [node.findtext("trueanswernote") for node in nodes[:-1]]
    assert [test.findtext("expected/expectedanswernote") for test in tests] == notes
    assert [test.findtext("expected/expectedscore") for test in tests] == ["1", *["0"] * (len(tests) - 1)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("family", [name for name, one in FAMILIES.items() if one.kind == "formula"])
def test_what_maxima_is_given_has_the_values_of_the_formulae(family: str, seed: int, tmp_path: Path) -> None:
    problem = generate(family, seed)
    assert isinstance(problem.answer, FormulaAnswer)
    (question,) = written(tmp_path, problem)
    formulae = [problem.answer.key, *(mistake.answer for mistake in problem.answer.mistakes)]
    random = np.random.default_rng(seed)
    symbols = set().union(*(formula.symbols() for formula in formulae))
    values = {symbol: random.uniform(0.2, 0.8) for symbol in sorted(symbols, key=typed_name)}
    names = {typed_name(symbol): value for symbol, value in values.items()}
    functions: dict[str, Any] = {"exp": np.exp, "log": np.log, "tanh": np.tanh, "sin": np.sin, "cos": np.cos}
    tests = [test.findtext("testinput/value", "") for test in question.findall("qtest")]
    for test, formula in zip(tests, formulae, strict=True):
        found = eval(test.replace("^", "**"), {"__builtins__": {}}, functions | names)  # noqa: S307 - what we wrote
        assert found == pytest.approx(evaluate(formula, values))


def test_names_are_there_once_and_a_folder_must_exist(tmp_path: Path) -> None:
    problem = generate("update rule")
    with pytest.raises(cr.InputError, match="two problems are called 'one'"):
        write_moodle("t", [("one", problem), ("one", problem)], tmp_path / "q.xml")
    with pytest.raises(cr.InputError, match="cannot write"):
        write_moodle("t", [("one", problem)], tmp_path / "nowhere" / "q.xml")
    assert not list(tmp_path.iterdir())


def test_more_right_options_than_moodle_can_share_among_are_refused(tmp_path: Path) -> None:
    problem = generate("dependence")
    assert isinstance(problem.answer, ChooseAll)
    right = next(option for option in problem.answer.options if option.right)
    many = replace(problem, content=replace(problem.content, answer=ChooseAll((right,) * 11)))
    with pytest.raises(cr.InputError, match="Moodle has no 11 right options"):
        write_moodle("t", [("one", many)], tmp_path / "q.xml")
