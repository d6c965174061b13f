"""Practise in the page: a problem is found, answered, tried and solved, by keyboard alone."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from chainrule.formula import text
from chainrule.lessons import ChooseAll, FormulaAnswer, Problem, generate
from tests.helpers.pages import Open, link, tab_to, told

if TYPE_CHECKING:
    from playwright.sync_api import Page

RECURSION = {"family": "recursion", "seed": 1, "parameters": {"length": 3, "layer": "last", "activation": "tanh"}}
"""δ₂ = δ₃w₃(1 − f₂²)."""
IS_CALLED = "(one.ariaLabel ?? one.textContent).trim() === wanted"


def problem_link(practise: dict[str, Any]) -> str:
    """Return the part of an address that opens a problem."""
    return link("practise", {"practise": practise})


def chosen(page: Page) -> Problem:
    """Return the problem that the page's address tells of."""
    state = told(page)["practise"]
    return generate(state["family"], state["seed"], **state.get("parameters", {}))


def focused(page: Page) -> str:
    """Return the text of what has the focus."""
    return str(page.evaluate("document.activeElement.textContent"))


def wait_for_focus(page: Page, words: str) -> None:
    """Wait until the focus is on something that says this."""
    page.wait_for_function("words => document.activeElement.textContent.includes(words)", arg=words)


@pytest.mark.quick
def test_a_problem_from_finding_it_to_the_next_one_by_keyboard_alone(visit: Open) -> None:
    page = visit("#practise")
    keyboard = page.keyboard
    page.get_by_role("heading", name="What there is to practise").wait_for()
    tab_to(page, "recursion", IS_CALLED)
    keyboard.press("Enter")
    wait_for_focus(page, "One step back")
    problem = chosen(page)
    assert isinstance(problem.answer, FormulaAnswer)
    facts = page.locator(".problem .facts")

    # Names are written by buttons; what cannot be read is underlined, and is no attempt.
    names = list(map(text, problem.answer.allowed or ()))
    tab_to(page, f"Write {names[0]}", IS_CALLED)
    keyboard.press("ArrowRight")
    keyboard.press("Alt+ArrowLeft")  # is the browser's, which goes back in its history
    keyboard.press("Enter")
    keyboard.type(" + foo")
    field = page.get_by_label("Your formula for")
    assert (field.input_value(), focused(page)) == (f"{names[1]} + foo", "")
    page.locator("mark", has_text="foo").wait_for()
    assert "foo is not known" in page.locator(".below").inner_text()
    keyboard.press("Enter")
    page.get_by_text("so it was no attempt").wait_for(state="attached")
    assert field.evaluate("field => field === document.activeElement")
    assert "5 attempts left" in facts.inner_text()

    # A wrong one is told what is wrong with it.
    keyboard.press("Control+A")
    keyboard.type(f"-({text(problem.answer.key)})")
    page.get_by_text("Understood as").wait_for()
    assert page.locator(".below math").count() == 1
    keyboard.press("Enter")
    wait_for_focus(page, "Not right yet")
    assert "sign" in page.locator(".said").inner_text()
    assert "4 attempts left" in facts.inner_text()

    # It is tried: a network learns by it, beside one that learns by the right one.
    tab_to(page, "Try your answer", IS_CALLED)
    keyboard.press("Enter")
    wait_for_focus(page, "A network that learns by your answer")
    page.locator(".charts").wait_for()
    for chart in ("Loss ℒ", "A weight"):
        page.get_by_role("region", name=chart).locator(".plot .curve").nth(1).wait_for(state="attached")
    page.locator(".formulae", has_text="By this formula").wait_for()

    tab_to(page, "Answer again", IS_CALLED, "Shift+Tab")
    keyboard.press("Enter")
    keyboard.press("Control+A")
    keyboard.type(text(problem.answer.key))
    keyboard.press("Enter")
    wait_for_focus(page, "Right")
    assert "solved" in facts.inner_text()
    assert page.get_by_role("heading", name="Worked solution").locator("xpath=..").locator("math").count() > 0

    tab_to(page, "Next problem", IS_CALLED)
    keyboard.press("Enter")
    page.wait_for_function("() => document.activeElement.matches('h1:not(:empty)') && !document.querySelector('.said')")
    assert chosen(page).family != "recursion"
    page.go_back()
    page.get_by_role("heading", name="One step back").wait_for()
    assert page.locator(".answers > li").count() == 2


def test_a_link_to_a_family_draws_a_problem_of_it_to_choose_from(
    visit: Open, serious_violations: Callable[[Page], list[str]]
) -> None:
    page = visit("#practise", ("/api/practice/problem",))
    page.set_viewport_size({"width": 320, "height": 700})
    page.emulate_media(color_scheme="dark")
    page.evaluate("hash => { location.hash = hash }", problem_link({"family": "chain role", "seed": 1}))
    page.get_by_role("alert").get_by_text("did you mean 'chain rule'?").wait_for()
    page.locator(".families").wait_for()
    assert serious_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320

    page.evaluate("hash => { location.hash = hash }", problem_link({"family": "chain rule"}))
    boxes = page.get_by_role("group", name="Choose all that are right").get_by_role("checkbox")
    boxes.first.wait_for()
    key = chosen(page).answer
    assert isinstance(key, ChooseAll)
    assert boxes.count() == len(key.options)
    # What was drawn takes the link's place: going back leads to where it was followed.
    page.go_back()
    page.locator(".families").wait_for()
    page.go_forward()
    boxes.first.wait_for()
    assert chosen(page).answer == key

    for place in range(boxes.count()):
        boxes.nth(place).set_checked(place not in key.key)
    page.get_by_role("button", name="Check").click()
    wait_for_focus(page, "Not right yet")
    page.get_by_role("button", name="Hint 1 of 2").click()
    page.locator(".hints li").wait_for()
    assert serious_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    for place in range(boxes.count()):
        boxes.nth(place).set_checked(place in key.key)
    page.get_by_role("button", name="Check").click()
    wait_for_focus(page, "Right")
    assert page.locator(".option", has_text="right").count() == len(key.key)
    assert boxes.first.is_disabled()


def test_answers_and_bookmarks_stay_and_each_learner_has_their_own(
    visit: Open, serious_violations: Callable[[Page], list[str]], tmp_path: Path
) -> None:
    page = visit("#practise")
    learner = page.get_by_label("Learner")
    learner.select_option(label="Someone else…")
    page.get_by_label("Name").fill("Ada")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.whose select')?.value === 'Ada'")
    page.evaluate("hash => { location.hash = hash }", problem_link(RECURSION))
    page.get_by_label("Your formula for").fill("δ_3 w_3 (")
    page.locator("mark").wait_for()
    assert serious_violations(page) == []
    page.get_by_label("Your formula for").fill("δ_3 w_3")
    page.keyboard.press("Enter")
    wait_for_focus(page, "Not right yet")
    page.get_by_role("button", name="Bookmark").click()
    page.get_by_role("button", name="Bookmark", pressed=True).wait_for()
    page.get_by_role("button", name="Hint 1 of 2").click()
    hint = page.locator(".hints li").inner_text()

    page.reload()
    page.get_by_text("4 attempts left").wait_for()
    page.get_by_role("button", name="Hint 2 of 2").wait_for()
    assert page.locator(".hints li").inner_text() == hint
    assert "δ_3 w_3" in page.locator(".answers").inner_text()
    assert page.get_by_role("button", name="Bookmark", pressed=True).is_visible()

    page.get_by_role("button", name="All problems").click()
    page.get_by_role("button", name="One step back · recursion").wait_for()
    with page.expect_download() as begun:
        page.get_by_role("button", name="as CSV").click()
    begun.value.save_as(tmp_path / "progress.csv")
    (row,) = csv.DictReader((tmp_path / "progress.csv").read_text(encoding="utf-8").splitlines())
    assert (begun.value.suggested_filename, row["reply"]) == ("progress-ada.csv", '"δ_3 w_3"')

    learner.select_option(label="Someone else…")
    page.get_by_label("Name").fill("Emmy")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.whose select')?.value === 'Emmy'")
    assert page.get_by_role("heading", name="Bookmarks").count() == 0
    page.evaluate("hash => { location.hash = hash }", problem_link(RECURSION))
    page.get_by_text("5 attempts left").wait_for()
