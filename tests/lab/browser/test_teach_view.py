"""Teach in the page: families become a lesson, which is looked at and taken along."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from chainrule.lessons.lesson_file import read
from tests.helpers.pages import Open, link

if TYPE_CHECKING:
    from playwright.sync_api import Page


def add(page: Page, *families: str) -> None:
    """Add families to the lesson."""
    for family in families:
        page.get_by_label("Add a family").select_option(family)
        page.get_by_role("button", name="Add", exact=True).click()


def entries(page: Page) -> list[str]:
    """Return the headings of the lesson's entries."""
    return page.locator(".entries h3").all_inner_texts()


def test_a_lesson_is_begun_mended_and_taken_along(visit: Open, tmp_path: Path) -> None:
    page = visit("#teach", ("/api/teach/",))
    page.get_by_role("button", name="From the network on the screen").click()
    page.locator("article").first.wait_for()
    assert any("recursion" in one for one in entries(page))
    assert "A chain of 3 layers" in page.locator(".drawn").inner_text()

    # What is wrong stands beside what it names.
    broken = [
        {"family": "shapes", "count": "x", "points": 1},
        {"family": "recursion", "parameters": {"length": 99}},
        {"family": "no such"},
    ]
    scene = {"layers": [{"units": 1, "activation": "sin", "bias": True}]}
    page.evaluate("hash => { location.hash = hash }", link("teach", {"teach": {"entries": broken}, "scene": scene}))
    page.locator(".entries > li").nth(1).get_by_text("length is 99, but may be a whole number from 2 to 5").wait_for()
    assert entries(page) == ["1. shapes", "2. recursion"]
    page.get_by_role("alert").get_by_text("left out: teach.entries[0].count, teach.entries[2].family").wait_for()
    page.get_by_role("button", name="Remove “recursion”").click()
    page.get_by_text("1 problem, 1 point").wait_for()

    # It is taken along in every form.
    page.get_by_label("Title").fill("Our shapes")
    page.keyboard.press("Tab")

    def saved(button: str) -> Path:
        with page.expect_download() as begun:
            page.get_by_role("button", name=button, exact=True).click()
        path = tmp_path / begun.value.suggested_filename
        begun.value.save_as(path)
        return path

    files = [saved(button) for button in ("Open edX", "Moodle", "Sheet", "Solutions", "Lesson file")]
    assert [one.name for one in files] == [
        "our-shapes.tar.gz", "our-shapes.xml", "our-shapes.html", "our-shapes-solutions.html", "our-shapes.yaml",
    ]  # fmt: skip
    with tarfile.open(files[0]) as course:
        assert any(name.startswith("course/problem/") for name in course.getnames())
    assert ElementTree.parse(files[1]).getroot().tag == "quiz"
    assert "Our shapes" in files[2].read_text(encoding="utf-8")
    lesson = read(files[4])
    assert (lesson.title, len(lesson.problems())) == ("Our shapes", page.locator("article").count())

    # The network on the screen has a sheet of its own, with its numbers.
    sheets = [saved(button).read_text(encoding="utf-8") for button in ("To work out", "Worked out")]
    assert all("the network on the screen" in one.lower() for one in sheets)
    assert len(sheets[1]) > len(sheets[0])

    page.get_by_label("Problems").fill("100")
    add(page, "counting")
    general = page.locator(".wrong[data-name=lesson]")
    general.get_by_text("these are 101 problems").wait_for()
    page.get_by_role("button", name="From the network on the screen").click()
    general.get_by_text("no family of problems is about this network").wait_for()
    assert entries(page) == ["1. shapes", "2. counting"]


@pytest.mark.quick
def test_families_are_added_changed_moved_and_removed(
    visit: Open, serious_violations: Callable[[Page], list[str]]
) -> None:
    page = visit("#teach")
    page.set_viewport_size({"width": 320, "height": 800})
    page.emulate_media(color_scheme="dark")
    assert page.get_by_role("button", name="Sheet").is_disabled()
    add(page, "recursion", "shapes", "counting")
    second = page.locator(".entries > li").nth(1)
    second.get_by_label("Attempts").select_option("unlimited")
    second.get_by_text("What is drawn").click()
    second.get_by_role("checkbox", name="δ").check()
    second.get_by_label("Problems").fill("2")
    page.get_by_text("4 problems, 4 points").wait_for()
    key = page.locator("article").first
    assert key.locator(".key math").count() > 0
    key.get_by_text("Solution").click()
    second.get_by_label("Points each").fill("3")
    page.get_by_text("4 problems, 8 points").wait_for()
    assert page.get_by_text("3 points · any number of attempts").count() == 2
    assert key.locator("details[open] math").count() > 0  # the solution stays open
    assert serious_violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 320

    # What is open stays open, wherever it goes.
    def is_open() -> list[bool]:
        return [one.get_attribute("open") is not None for one in page.locator(".entries details").all()]

    page.get_by_role("button", name="Move “shapes” up").press("Enter")
    assert is_open() == [True, False, False]
    assert entries(page) == ["1. shapes", "2. recursion", "3. counting"]
    assert page.evaluate("document.activeElement.ariaLabel") == "Move “shapes” down"  # as it is the first
    page.get_by_role("button", name="Remove “recursion”").press("Enter")
    assert entries(page) == ["1. shapes", "2. counting"]
    assert page.evaluate("document.activeElement.ariaLabel") == "Remove “counting”"
    page.keyboard.press("Control+z")
    page.get_by_role("heading", name="2. recursion").wait_for()
    assert is_open() == [True, False, False]
    page.keyboard.press("Control+Shift+Z")
    page.reload()
    page.get_by_text("3 problems, 7 points").wait_for()
    assert page.locator(".entries > li").first.get_by_label("Points each").input_value() == "3"
