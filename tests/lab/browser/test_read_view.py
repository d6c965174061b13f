"""The view Read: pages, their examples, and the ways on from them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

import chainrule as cr
from chainrule import lab
from tests.helpers.pages import Open, link, told

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGES = sorted(path.stem for path in Path(lab.__file__).with_name("static").glob("read/en/*.html"))


def page_link(name: str | None) -> str:
    """Return the part of an address that opens a page."""
    return link("read", {"read": {"page": name}})


def wait_for_heading(page: Page, words: str) -> None:
    """Wait until the focus is on a page's heading."""
    page.wait_for_function(
        "words => document.activeElement.matches('h1') && document.activeElement.textContent === words", arg=words
    )


def wait_for_numbers(page: Page) -> None:
    """Wait until all numbers are filled in."""
    page.wait_for_function(
        "() => document.querySelector('.read') && "
        "[...document.querySelectorAll('output')].every(one => one.textContent)"
    )


@pytest.mark.quick
def test_from_a_link_to_no_page_by_keyboard_to_others_and_back(visit: Open) -> None:
    page = visit(page_link("../../index"))
    page.get_by_role("alert").get_by_text("There is no page called “../../index”").wait_for()
    page.get_by_role("heading", name="What learners ask").wait_for()
    assert page.locator(".contents li").count() == len(PAGES) - 1
    page.get_by_role("link", name="Where do the minus signs come from?").focus()
    page.keyboard.press("Enter")
    wait_for_heading(page, "Where do the minus signs come from?")
    assert page.title() == "Where do the minus signs come from? · chainrule lab"
    assert told(page)["read"] == {"page": "sign"}
    beside = page.get_by_role("navigation", name="Questions")
    assert beside.locator("[aria-current=page]").inner_text() == "Where do the minus signs come from?"

    page.get_by_role("link", name="Next What does ∂ hold fixed?").press("Enter")
    wait_for_heading(page, "What does ∂ hold fixed?")
    page.go_back()
    wait_for_heading(page, "Where do the minus signs come from?")
    beside.get_by_role("link", name="All questions").press("Enter")
    wait_for_heading(page, "What learners ask")
    assert "read" not in told(page)


def test_an_example_moves_and_its_numbers_are_the_librarys(visit: Open) -> None:
    page = visit(page_link("solution"))
    number = page.locator("output")
    wait_for_numbers(page)
    chain = cr.chain(3, activation="tanh")

    def gradient(w_2: float) -> str:
        trace = cr.backprop(chain, chain.pack([[[0.9]], [[w_2]], [[0.7]]]), x=0.5, y=0.8)
        return f"{trace.gradient.weights[0].item():.4g}"

    assert number.inner_text() == gradient(-1.2)
    assert page.locator(".net-title").inner_text() == "∂ℒ/∂w₁"
    page.get_by_role("slider", name="Value of w₂").press("ArrowRight")
    page.wait_for_function("text => document.querySelector('output').textContent === text", arg=gradient(-1.15))
    assert page.locator(".net-value-result").inner_text() == gradient(-1.15)

    # The ways on take what is shown with them.
    page.get_by_role("link", name="Open in Step").click()
    page.wait_for_function("() => document.title.startsWith('Step')")
    assert told(page)["scene"]["weights"] == [[[0.9]], [[-1.15]], [[0.7]]]
    page.go_back()
    wait_for_numbers(page)
    page.get_by_role("link", name="Practise: full gradient").click()
    page.wait_for_function("() => location.hash.startsWith('#practise')")
    page.get_by_label("Your formula for").wait_for()
    assert told(page)["practise"]["family"] == "full gradient"
    page.go_back()

    # One slider moves all weights; a button takes everything back.
    page.evaluate("hash => { location.hash = hash }", page_link("vanishing"))
    page.wait_for_function("() => document.querySelector('.read')?.dataset.page === 'vanishing'")
    wait_for_numbers(page)
    figure = page.locator("figure.example").first
    before = figure.locator("output").all_inner_texts()
    figure.get_by_label("Value of w").last.fill("0")
    page.wait_for_function("() => document.querySelectorAll('output')[1].textContent === '0'")
    figure.get_by_role("button", name="Back to how it was").click()
    page.wait_for_function("text => document.querySelectorAll('output')[1].textContent === text", arg=before[1])
    assert figure.get_by_label("Value of w").first.input_value() == "0.5"


def test_every_page_is_shown_as_the_lab_has_it(visit: Open) -> None:
    page = visit("#read")
    page.locator(".contents").wait_for()
    for name in PAGES:
        page.evaluate("hash => { location.hash = hash }", page_link(None if name == "index" else name))
        page.wait_for_function("name => document.querySelector('.read')?.dataset.page === name", arg=name)
        wait_for_numbers(page)
        for figure in page.locator("figure.example").all():
            symbol = (figure.get_attribute("data-step") or "").removeprefix("update ")
            figure.locator(f".net-title[data-symbol='{symbol}']").wait_for()
        assert "–" not in page.locator("output").all_inner_texts()


def test_it_can_be_read_by_everybody(visit: Open, serious_violations: Callable[..., list[str]]) -> None:
    page = visit(page_link("paths"))
    page.set_viewport_size({"width": 320, "height": 700})
    wait_for_numbers(page)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert serious_violations(page, "color-contrast" if scheme == "dark" else None) == [], scheme
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    # What is wider than the page can be scrolled by keyboard.
    assert page.locator(".formula[tabindex='0']").count() > 0
