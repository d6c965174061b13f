"""What Open edX is given: a course, and formulae that are right or wrong at every point that it may draw."""

from __future__ import annotations

import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import chainrule as cr
from chainrule.formula import Call, Symbol, parse
from chainrule.lessons import FAMILIES, ChooseAll, FormulaAnswer, NumberAnswer, OneChoice, Problem, generate
from chainrule.lessons.export.olx import CAPA, write_olx
from chainrule.lessons.export.sampling import typed, typed_name

FORMULAE = [name for name, one in FAMILIES.items() if one.kind == "formula"]
FUNCTIONS = {"exp": np.exp, "ln": np.log, "tanh": np.tanh, "sin": np.sin, "cos": np.cos, "abs": np.abs}


def written(problem: Problem, tmp_path: Path, show_solution: str = "never") -> ElementTree.Element:
    """Return a problem as it is in the course."""
    path = tmp_path / f"course {len(list(tmp_path.iterdir()))}"
    write_olx("Back-propagation", [("one", problem)], path, show_solution)
    return ElementTree.parse(path / "problem" / "one.xml").getroot()


def drawn(samples: str, count: int = 2000) -> dict[str, Any]:
    """Return values of every name as Open edX draws them: evenly, and each by itself."""
    found = re.fullmatch(r"([^@ ]+)@([^: ]+):([^# ]+)#(\d+)", samples)
    assert found is not None, samples
    names, lower, upper = (part.split(",") for part in found.groups()[:3])
    random = np.random.default_rng(7)
    bounds = zip(names, map(float, lower), map(float, upper), strict=True)
    return {name: random.uniform(low, high, count) for name, low, high in bounds}


def value(formula: str, values: dict[str, Any]) -> Any:
    return eval(formula.replace("^", "**"), {"__builtins__": {}}, FUNCTIONS | values)  # noqa: S307 - what we wrote


def accepted(formula: str, response: ElementTree.Element) -> Any:
    """Tell of every point whether a formula would be taken for the key there."""
    values = drawn(response.get("samples", ""))
    parameter = response.find("responseparam")
    assert parameter is not None
    tolerance = parameter.get("default", "")
    assert tolerance.endswith("%")
    key = value(response.get("answer", ""), values)
    return np.abs(value(formula, values) - key) <= float(tolerance[:-1]) / 100 * np.abs(key)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("family", FORMULAE)
def test_the_key_is_right_everywhere_and_mistakes_and_nothing_are_wrong_everywhere(
    family: str, seed: int, tmp_path: Path
) -> None:
    problem = generate(family, seed)
    assert isinstance(problem.answer, FormulaAnswer)
    response = written(problem, tmp_path).find("formularesponse")
    assert response is not None
    assert response.get("type") == "cs"
    assert accepted(response.get("answer", ""), response).all()
    assert not accepted("0", response).any()
    hints = response.findall("hintgroup/formulahint")
    names = set(drawn(response.get("samples", ""), 1))
    for hint in hints:
        assert not accepted(hint.get("answer", ""), response).any(), hint.get("answer")
        assert hint.get("samples") == response.get("samples")
    # The same by the formulae themselves: no mistake that can be typed is left out, or is right.
    typable = [
        one.answer
        for one in problem.answer.mistakes
        if {typed_name(symbol) for symbol in one.answer.symbols()} <= names
    ]
    assert len(typable) <= len(hints)
    assert not any(accepted(typed(formula, CAPA), response).any() for formula in typable)


def test_no_two_names_stand_for_one_quantity(tmp_path: Path) -> None:
    # f₂ = sin(z₂): with both drawn by themselves, a right substitution would be refused.
    problem = generate("output error", length=2, activation="sin", loss="half_squared_error", sign="f-y")
    response = written(problem, tmp_path).find("formularesponse")
    assert response is not None
    assert response.get("answer") == "(sin(z_2)-y)*cos(z_2)"
    assert response.get("samples", "").startswith("y,z_2@")
    said = [one.text for one in response.findall("description")]
    assert r"For \(f_{2}\) write sin(z_2)." in said

    problem = generate("output error", length=2, activation="tanh", loss="half_squared_error", sign="f-y")
    response = written(problem, tmp_path).find("formularesponse")
    assert response is not None
    assert response.get("answer") == "(f_2-y)*(1-f_2^2)"
    assert response.get("samples", "").startswith("f_2,y@")
    assert r"Use \(f_{2}\) rather than \(z_{2}\)." in [one.text for one in response.findall("description")]


def test_a_slope_is_written_with_functions_of_the_calculator(tmp_path: Path) -> None:
    response = written(generate("recursion", length=2, activation="softplus"), tmp_path).find("formularesponse")
    assert response is not None
    assert response.get("answer") == "delta_2*w_2*(1/(1+exp(-z_1)))"


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("a-(b-c)", "a-(b-c)"), ("a/(b c)", "a/(b*c)"), ("a(b/c)", "a*(b/c)"), ("(a/b)/c", "(a/b)/c"),
        ("(a+b)^2", "(a+b)^2"), ("a^(-2)", "a^(-2)"), ("-(a+b)", "-(a+b)"), ("0.5a", "(1/2)*a"),
        ("tanh(a)^2", "(tanh(a))^2"), ("a(-b)", "a*(-b)"), ("(a^2)^3", "(a^2)^3"), ("abs(a)+log(b)", "abs(a)+ln(b)"),
    ],
)  # fmt: skip
def test_formulae_are_typed_with_every_sign_of_a_product(formula: str, expected: str) -> None:
    names = [Symbol(letter) for letter in "abc"]
    assert typed(parse(formula, names).expression, CAPA) == expected


@pytest.mark.parametrize("function", ["sign", "step", "max", "min"])
def test_functions_that_the_calculator_lacks_are_made_of_the_absolute_value(function: str) -> None:
    a, b = Symbol("a"), Symbol("b")
    call = Call(function, (a, b) if function in ("max", "min") else (a,))
    values = {"a": np.array([-2.0, 0.5, 3.0]), "b": np.array([-1.0, 0.7, 2.0])}
    expected = {
        "sign": np.sign(values["a"]), "step": values["a"] > 0,
        "max": np.maximum(values["a"], values["b"]), "min": np.minimum(values["a"], values["b"]),
    }[function]  # fmt: skip
    np.testing.assert_allclose(value(f"7*{typed(call, CAPA)}", values), 7 * expected)


def test_what_cannot_be_typed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(cr.InputError, match="cannot be typed"):
        typed(Call("erf", (Symbol("a"),)), CAPA)
    with pytest.raises(cr.InputError, match="cannot be typed"):
        typed_name(Symbol("W", (1,), matrix=True))
    with pytest.raises(cr.InputError, match="cannot be typed"):
        typed_name(Symbol("e"))
    problem = generate("weighted input", length=2, bias=False)
    assert isinstance(problem.answer, FormulaAnswer)
    twin = replace(problem.answer.mistakes[0], answer=problem.answer.key)
    hopeless = replace(problem, content=replace(problem.content, answer=replace(problem.answer, mistakes=(twin,))))
    with pytest.raises(cr.InputError, match="one: no ranges were found"):
        written(hopeless, tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_problem_of_every_family_has_its_points_attempts_hints_and_solution(family: str, tmp_path: Path) -> None:
    problem = generate(family, 1)
    root = written(problem, tmp_path, "after correct")
    tags = {
        "one choice": "multiplechoiceresponse", "choose all": "choiceresponse", "formula": "formularesponse",
        "number": "numericalresponse",
    }  # fmt: skip
    assert root[0].tag == tags[problem.kind]
    assert (root.get("weight"), root.get("max_attempts")) == (str(problem.points), str(problem.attempts))
    assert len(root.findall("demandhint/hint")) == len(problem.hints)
    assert len(root.findall("solution/div/p")) == 1 + len(problem.solution)
    assert len(root.findall(f"{tags[problem.kind]}/label")) == 1


def test_of_one_choice_each_option_says_why(tmp_path: Path) -> None:
    problem = generate("recursion choice", 3)
    assert isinstance(problem.answer, OneChoice)
    group = written(problem, tmp_path).find("multiplechoiceresponse/choicegroup")
    assert group is not None
    assert group.get("shuffle") == "false"
    assert [choice.get("correct") == "true" for choice in group].index(True) == problem.answer.key
    assert all(choice.findtext("choicehint") for choice in group)


def test_of_many_no_box_says_whether_it_is_right_but_the_solution_does(tmp_path: Path) -> None:
    problem = generate("dependence", 3)
    assert isinstance(problem.answer, ChooseAll)
    root = written(problem, tmp_path)
    boxes = root.findall("choiceresponse/checkboxgroup/choice")
    assert {place for place, box in enumerate(boxes) if box.get("correct") == "true"} == problem.answer.key
    assert not root.findall(".//choicehint")
    assert len(root.findall("solution/div/ul/li")) == len(boxes)


def test_a_number_has_a_relative_tolerance(tmp_path: Path) -> None:
    problem = generate("forward by hand", 3)
    assert isinstance(problem.answer, NumberAnswer)
    response = written(problem, tmp_path).find("numericalresponse")
    assert response is not None
    assert float(response.get("answer", "")) == problem.answer.key
    parameter = response.find("responseparam")
    assert parameter is not None
    assert (parameter.get("type"), parameter.get("default")) == ("tolerance", "1%")


@pytest.mark.parametrize(
    ("said", "written_as"),
    [("after correct", "correct_or_past_due"), ("after last attempt", "finished"), ("never", "never")],
)
def test_the_solution_is_shown_when_it_is_said(said: str, written_as: str, tmp_path: Path) -> None:
    assert written(generate("update rule"), tmp_path, said).get("showanswer") == written_as


def test_a_problem_without_end_has_no_last_attempt(tmp_path: Path) -> None:
    assert "max_attempts" not in written(replace(generate("update rule"), attempts=None), tmp_path).attrib


def test_a_course_holds_every_problem_on_a_page_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "course"
    write_olx("Slopes & errors", [("a b", generate("update rule")), ("c", generate("recursion"))], path, "never")
    trees = {
        str(file.relative_to(path).with_suffix("")): ElementTree.parse(file).getroot() for file in path.rglob("*.xml")
    }
    assert trees["course"].attrib == {"url_name": "lesson", "org": "chainrule", "course": "Slopes_errors"}
    places = ["course/lesson"]
    reached = []
    while places:
        place = places.pop()
        reached.append(place)
        if not place.startswith("problem/"):
            places += [f"{part.tag}/{part.get('url_name')}" for part in trees[place]]
    assert sorted(reached) == sorted(trees.keys() - {"course"})
    assert {"problem/a_b", "problem/c"} <= set(reached)
    addresses = [place.split("/")[1] for place in reached]
    assert len(set(addresses)) == len(addresses)
    policy = json.loads((path / "policies" / "lesson" / "policy.json").read_text())
    assert policy["course/lesson"]["display_name"] == "Slopes & errors"
    grading = json.loads((path / "policies" / "lesson" / "grading_policy.json").read_text())
    assert sum(one["weight"] for one in grading["GRADER"]) == 1
    assert grading["GRADER"][0]["type"] == trees["sequential/all_problems_in_order"].get("format")
    assert "Slopes &amp; errors" in (path / "about" / "overview.html").read_text()


def test_an_archive_has_the_same_bytes_every_time_and_the_files_of_the_folder(tmp_path: Path) -> None:
    problems = [("one", generate("update rule")), ("two", generate("recursion"))]
    for name in ("a.tar.gz", "b.tar.gz", "folder"):
        write_olx("t", problems, tmp_path / name, "never")
    assert (tmp_path / "a.tar.gz").read_bytes() == (tmp_path / "b.tar.gz").read_bytes()
    with tarfile.open(tmp_path / "a.tar.gz") as archive:
        entries = archive.getmembers()
        contents = {one.name: archive.extractfile(one).read() for one in entries}  # type: ignore[union-attr]
    assert {(one.mtime, one.uid, one.gid, one.uname) for one in entries} == {(0, 0, 0, "")}
    folder = tmp_path / "folder"
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert contents == {f"course/{file.relative_to(folder).as_posix()}": file.read_bytes() for file in files}


def test_nothing_is_overwritten_and_nothing_is_left_behind(tmp_path: Path) -> None:
    problems = [("one", generate("update rule"))]
    folder = tmp_path / "course"
    folder.mkdir()
    write_olx("t", problems, folder, "never")  # an empty folder is as good as a new one
    with pytest.raises(cr.InputError, match="exists already"):
        write_olx("t", problems, folder, "never")
    with pytest.raises(cr.InputError, match="cannot write"):
        write_olx("t", problems, tmp_path / "nowhere" / "course", "never")
    with pytest.raises(cr.InputError, match="twice in Open edX"):
        write_olx("t", [("a b", problems[0][1]), ("a-b", problems[0][1]), ("a_b", problems[0][1])], folder, "never")
    with pytest.raises(cr.InputError, match="after correct or after last attempt or never, not 'now'"):
        write_olx("t", problems, tmp_path / "other", "now")
    assert [file.name for file in tmp_path.iterdir()] == ["course"]
