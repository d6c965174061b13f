"""Replies are graded exactly: right in whatever way they are written, and told what is wrong where they are not."""

from __future__ import annotations

import pickle
from collections.abc import Collection
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.formula import Derivative, Expression, Symbol, text
from chainrule.lessons import (
    FAMILIES,
    ChooseAll,
    Content,
    FormulaAnswer,
    Mistake,
    NumberAnswer,
    OneChoice,
    Option,
    Problem,
    generate,
    prose,
)
from chainrule.lessons.grading import MAX_NUMBER, Grade, MalformedReply, Reply, canonical, check

OF_KIND = {
    kind: [one.name for one in FAMILIES.values() if one.kind == kind]
    for kind in ("one choice", "choose all", "formula", "number")
}
X, Y, LOSS = Symbol("x"), Symbol("y"), Symbol("ℒ")
Z, F, W, D = (Symbol(name, (1,)) for name in "zfwδ")


def problem(answer: OneChoice | ChooseAll | FormulaAnswer | NumberAnswer, points: int = 3) -> Problem:
    content = Content(
        title="A title",
        difficulty=1,
        prompt=(prose("Why?"),),
        answer=answer,
        hints=(),
        solution=(prose("So."),),
    )
    return Problem("a family", {}, 0, content, points, 5)


def option(words: str, mistake: str | None = None) -> Option:
    return Option(prose(words), mistake is None, prose(f"About {words}."), mistake)


ONE = problem(OneChoice((option("uphill", "sign"), option("downhill"), option("sideways", "index"))))
SOME = problem(ChooseAll((option("z"), option("x", "index"), option("f"), option("y", "index"))))
DELTA = FormulaAnswer(
    D,
    2 * (F - Y) * (1 - F**2),
    {Z: X * W, F: cr.elementary.tanh(Z), D: 2 * (F - Y) * (1 - F**2)},
    (X, Y, Z, F, W, D),
    (F, Y),
    (Mistake(F - Y, "residual", prose("This is the residual alone.")),),
)
SLOPE, FREE = problem(DELTA), problem(replace(DELTA, allowed=None))
THIRD = problem(NumberAnswer(D, 1 / 3, mistakes=(Mistake(3.0, "inverse", prose("It is upside down.")),)))
NOTHING = problem(NumberAnswer(None, 0.0))


def refused(problem: Problem, reply: object) -> MalformedReply:
    with pytest.raises(MalformedReply) as caught:
        check(problem, reply)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    return caught.value


def said(grade: Grade) -> str:
    return " ".join(map(str, grade.feedback))


def key(problem: Problem) -> Reply:
    match problem.answer:
        case OneChoice() | ChooseAll() as answer:
            return answer.key
        case FormulaAnswer() as answer:
            return text(answer.key)
        case NumberAnswer() as answer:
            return repr(answer.key)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_key_of_a_generated_problem_is_right(family: str) -> None:
    for seed in range(3):
        drawn = generate(family, seed)
        grade = check(drawn, key(drawn))
        assert (grade.right, grade.points, grade.mistake) == (True, drawn.points, None)


@pytest.mark.parametrize("family", OF_KIND["one choice"])
def test_each_option_is_told_what_it_is_mistaken_for(family: str) -> None:
    drawn = generate(family, 1)
    assert isinstance(drawn.answer, OneChoice)
    for place, one in enumerate(drawn.answer.options):
        grade = check(drawn, place)
        assert (grade.right, grade.feedback, grade.mistake) == (one.right, (one.feedback,), one.mistake)


@pytest.mark.parametrize("family", OF_KIND["formula"])
def test_each_known_wrong_formula_is_told_its_misconception(family: str) -> None:
    drawn = generate(family, 1)
    assert isinstance(drawn.answer, FormulaAnswer)
    for mistake in drawn.answer.mistakes:
        grade = check(drawn, text(mistake.answer))
        assert (grade.right, grade.points) == (False, 0)
        assert (grade.feedback, grade.mistake) == ((mistake.feedback,), mistake.kind)


@pytest.mark.parametrize("family", OF_KIND["number"])
def test_each_known_wrong_number_is_told_its_misconception(family: str) -> None:
    drawn = generate(family, 1)
    assert isinstance(drawn.answer, NumberAnswer)
    for mistake in drawn.answer.mistakes:
        grade = check(drawn, repr(mistake.answer))
        assert (grade.right, grade.feedback, grade.mistake) == (False, (mistake.feedback,), mistake.kind)


def test_points_are_those_of_the_problem() -> None:
    assert check(ONE, 1) == Grade(True, 3, (prose("About downhill."),))
    assert check(ONE, 0) == Grade(False, 0, (prose("About uphill."),), mistake="sign")


def test_all_boxes_and_no_others_are_right() -> None:
    assert check(SOME, {2, 0}) == Grade(True, 3, (prose("About z."), prose("About f.")))


def test_wrong_boxes_are_not_told_which_of_them_are_wrong() -> None:
    wrong = [{0}, {2}, {1}, {0, 1}, {0, 1, 2}, {1, 3}, {0, 1, 2, 3}]
    assert {check(SOME, places) for places in wrong} == {Grade(False, 0, (prose("Not all is right yet."),))}


@given(st.lists(st.integers(0, 3), min_size=1))
def test_boxes_have_no_order_and_count_once(places: list[int]) -> None:
    assert check(SOME, places) == check(SOME, set(places)) == check(SOME, tuple(reversed(places)))
    assert canonical(SOME, places) == sorted(set(places))


@pytest.mark.parametrize(
    ("problem", "reply", "message"),
    [
        (ONE, 3, "there is no option 3: choose one from 0 to 2"),
        (ONE, -1, "there is no option -1"),
        (ONE, "1", "the place of one option, a whole number from 0, not '1'"),
        (ONE, True, "not True"),
        (ONE, [1], r"not \[1\]"),
        (SOME, [], "no option is chosen: at least one is right"),
        (SOME, 1, "a list of places of options"),
        (SOME, "01", "a list of places of options"),
        (SOME, [0, 4], "there is no option 4"),
        (SOME, [0.0], "not 0.0"),
        (SLOPE, 1, "the answer is typed, as text"),
        (THIRD, 0.333, "the answer is typed, as text"),
    ],
)
def test_what_is_no_reply_of_the_kind_is_refused(problem: Problem, reply: object, message: str) -> None:
    error = refused(problem, reply)
    with pytest.raises(MalformedReply, match=message):
        raise error
    assert (error.begin, error.end, error.pointed) == (None, None, None)


@pytest.mark.parametrize(
    "typed", ["2(f1-y)(1-f1^2)", "-2(y-f_1)*(1-f_1)(1+f_1)", "δ₁ = 2(1−f₁²)(f₁−y)", "d1=(f1-y)(2-2f1^2)"]
)
def test_a_formula_is_right_however_it_is_written(typed: str) -> None:
    assert check(SLOPE, typed).right


def test_a_formula_is_shown_as_it_was_understood() -> None:
    grade = check(SLOPE, "2(f1-y)/2 y")
    assert str(grade.understood) == "(2(f₁−y)/2)·y"
    assert grade.warnings == ("2(f₁−y)/2 y is read as (2(f₁−y)/2)·y",)


@pytest.mark.parametrize(
    ("typed", "mistake", "feedback"),
    [
        ("f1 - y", "residual", "This is the residual alone."),
        ("(f1-y)(1-f1^2)", "factor 2", "A factor 2 is missing"),
        ("2(f1-y)(1-z1^2)", "f for z", "z₁ stands where f₁ belongs"),
        ("2(f1-y)", "derivative", "1−f₁²"),
        ("y^5", None, "This is not δ₁, nor one of its common mistakes."),
        ("y/(f1-f1)", None, "This has no value, whatever its symbols are: look at f₁−f₁."),
        ("exp(exp(9^64))", None, "This has no value"),
    ],
)
def test_a_wrong_formula_is_told_what_is_wrong(typed: str, mistake: str | None, feedback: str) -> None:
    grade = check(SLOPE, typed)
    assert (grade.right, grade.points, grade.mistake) == (False, 0, mistake)
    assert feedback in said(grade)


@pytest.mark.parametrize(
    ("typed", "message", "begin", "end"),
    [
        ("2(f1 - y", "this bracket is never closed (character 2)", 1, 2),
        ("2(f1-z3)", "z3 is not known: did you mean z₁? (character 6)", 5, 7),
        ("f1 = 2(f1-y)(1-f1^2)", "δ₁ is asked for, not f₁: leave the left side out", 0, 3),
        ("δ1", "δ₁ is asked for in another form: without δ₁, by f₁ and y alone", 0, 2),
        ("2(f1-y)(1-tanh(x w1)^2)", "δ₁ is asked for in another form: without w₁ and x, by f₁ and y alone", 0, 23),
        ("", "the formula is empty (character 1)", 0, 1),
        ("1" * 401, "a formula has at most 400 characters, but this has 401 (character 400)", 399, 400),
    ],
)
def test_a_formula_that_cannot_be_read_is_no_attempt(typed: str, message: str, begin: int, end: int) -> None:
    error = refused(SLOPE, typed)
    assert str(error) == message
    assert (error.begin, error.end) == (begin, end)
    assert error.pointed == f"{typed[:400]}\n{' ' * begin}{'^' * (end - begin)}"


def test_the_place_is_pointed_at_on_one_line() -> None:
    assert refused(SLOPE, "2(\n\tf1 - ?)").pointed == "2(  f1 - ?)\n         ^"


def test_what_is_asked_for_is_no_answer_where_all_names_may_be_used() -> None:
    assert str(refused(FREE, "δ1 = δ1")) == "δ₁ is what is asked for: write it without δ₁"
    refused(FREE, "δ1 + 0x")
    assert not check(FREE, "2δ1").right
    assert check(FREE, "2(tanh(x w1)-y)(1-f1^2)").right


def test_a_slope_may_be_named_on_the_left() -> None:
    slope = problem(replace(DELTA, left=Derivative(LOSS, Z)))
    assert check(slope, "∂L/∂z_1 = 2(f1-y)(1-f1^2)").right
    assert "∂ℒ/∂z₁ is asked for, not ∂ℒ/∂w₁" in str(refused(slope, "∂L/∂w_1 = 2(f1-y)(1-f1^2)"))


@pytest.mark.parametrize(
    "typed",
    ["0.333", ".3333", "1/3", "3.33e-1", "3.33E−1", "3.333·10^-1", "3.333*10**-1", " 0.3333 ", "δ1 = 2/6", "+0.333"],
)
def test_a_number_is_right_however_it_is_written(typed: str) -> None:
    assert check(THIRD, typed).right


def test_a_number_is_shown_as_it_was_understood() -> None:
    assert str(check(THIRD, "3.3E-1").understood) == "0.33"


@given(st.floats(-1e6, 1e6).filter(lambda key: abs(key) > 1e-6), st.floats(-0.0099, 0.0099), st.floats(0.08, 0.4))
def test_a_number_is_right_within_the_tolerance_and_only_there(size: float, near: float, far: float) -> None:
    asked = problem(NumberAnswer(None, size, tolerance=0.01))
    assert check(asked, repr(size * (1 + near))).right
    assert not check(asked, repr(size * (1 + far))).right
    assert not check(asked, repr(size * (1 - far))).right


def test_an_exact_number_may_be_rounded_by_the_machine_alone() -> None:
    exact = problem(NumberAnswer(None, 0.3, tolerance=0))
    assert check(exact, "0.1 + 0.2").right
    assert not check(exact, "0.30001").right


def test_nothing_is_0_alone() -> None:
    assert check(NOTHING, "0").right
    assert check(NOTHING, "1 - 1").right
    assert not check(NOTHING, "0.001").right


@pytest.mark.parametrize(
    ("typed", "mistake", "feedback"),
    [
        ("3", "inverse", "It is upside down."),
        ("-0.333", "sign", "The sign is wrong: the size is right."),
        ("2/3", "factor 2", "It is twice what it should be."),
        ("-0.1667", "factor 2", "It is half of what it should be, and the sign is wrong, too."),
        ("0.34", "rounding", "This is close, but not within 1 %: keep more digits on the way."),
        ("17", None, "This is not the number, nor one of its common mistakes."),
    ],
)
def test_a_wrong_number_is_told_what_is_wrong(typed: str, mistake: str | None, feedback: str) -> None:
    grade = check(THIRD, typed)
    assert (grade.right, grade.points, grade.mistake, said(grade)) == (False, 0, mistake, feedback)


@pytest.mark.parametrize(
    ("typed", "message", "mark"),
    [
        ("0,333", "a number has a decimal point, not a comma: write 0.333", " ^"),
        ("1,5/3", "a number has a decimal point, not a comma: write 0.5, for example", " ^"),
        ("1 000", "two numbers stand side by side", " ^"),
        ("3.3 e-1", "two numbers stand side by side", "   ^"),
        ("0.3.3", "two numbers stand side by side", "  ^^"),
        ("1/0", "this has no finite value: write a number", "^^^"),
        ("(9^64)^64", "this has no finite value", "^^^^^^^^^"),
        ("exp(9^9)", "this has no finite value", "^^^^^^^^"),
        ("log(0)", "this has no finite value", "^^^^^^"),
        ("δ1", "a number is asked for, but δ₁ stands in it", "^^"),
        ("z1 = 1", "z1 is not known", "^^"),
        ("inf", "inf is not known", "^^^"),
        ("", "the formula is empty", "^"),
    ],
)
def test_what_is_no_number_is_no_attempt(typed: str, message: str, mark: str) -> None:
    error = refused(THIRD, typed)
    assert message in str(error)
    assert error.pointed == f"{typed}\n{mark}"


def test_a_number_has_an_end() -> None:
    assert "a number has at most 60 characters, but this has 1,000,000" in str(refused(THIRD, "1" * 1_000_000))
    assert check(THIRD, "0." + "3" * (MAX_NUMBER - 25)).right


@given(st.one_of(st.text(max_size=80), st.text("0123456789.,eE+-−*/^() fywzxδ1=", max_size=80)))
def test_whatever_is_typed_is_graded_or_refused(typed: str) -> None:
    for asked in (SLOPE, THIRD):
        try:
            grade = check(asked, typed)
        except MalformedReply:
            continue
        assert canonical(asked, typed) == typed
        assert grade == check(asked, typed)


def test_what_python_would_execute_is_not_known() -> None:
    for asked in (SLOPE, THIRD):
        assert "means nothing here" in str(refused(asked, "__import__('os').getpid()"))


def test_a_refusal_comes_back_from_another_process() -> None:
    error = refused(SLOPE, "2(")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert (str(again), again.begin, again.end, again.pointed) == (str(error), error.begin, error.end, error.pointed)


def test_a_reply_may_be_any_collection() -> None:
    replies: list[Collection[int]] = [[0, 2], (2, 0), {0, 2}, frozenset({0, 2}), {0: "", 2: ""}.keys()]
    assert all(check(SOME, reply).right for reply in replies)


def test_mistakes_without_a_value_are_passed_over() -> None:
    nowhere: Expression = Y / (F - F)
    asked = problem(replace(DELTA, mistakes=(Mistake(nowhere, "nothing", prose("Nothing.")), *DELTA.mistakes)))
    assert check(asked, "f1 - y").mistake == "residual"
