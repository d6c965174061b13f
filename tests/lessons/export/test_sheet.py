"""Sheets to print: what is on the page, and that a browser prints it."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from chainrule.errors import InputError
from chainrule.lessons import FAMILIES, ChooseAll, OneChoice, generate
from chainrule.lessons.export import sheet as module
from chainrule.lessons.export.sheet import BROWSERS, page, printed, write_sheet

TWO = [generate(name, 4) for name in ("update rule", "shapes")]


def parsed(text: str) -> ElementTree.Element:
    """Return a page, which is well-formed XML as well."""
    assert text.startswith("<!DOCTYPE html>\n")
    return ElementTree.fromstring(text)


def words(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


@pytest.mark.parametrize("solutions", [False, True])
def test_the_page_is_well_formed_has_no_id_twice_and_nothing_from_elsewhere(solutions: bool) -> None:
    text = page("A <sheet> & more", [generate(name, 4) for name in FAMILIES], solutions)
    root = parsed(text)
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    assert words(root.findall(".//h1")[0]) == "A <sheet> & more"
    assert len(root.findall(".//section")) == len(FAMILIES)
    assert not re.search(r"<script|<link|<img|<iframe|@import|url\(|https?:|\bon\w+=", text)


def test_points_are_on_the_page() -> None:
    root = parsed(page("Sheet", [replace(TWO[0], points=3), TWO[1]]))
    assert [words(one) for one in root.iterfind(".//span[@class='points']")] == ["3 points", "1 point"]
    assert "of 4 points" in words(root.findall(".//header")[0])


@pytest.mark.parametrize("family", FAMILIES)
def test_there_is_room_to_answer(family: str) -> None:
    problem = generate(family, 4)
    root = parsed(page("Sheet", [problem]))
    section = root.findall(".//section")[0]
    if isinstance(problem.answer, (OneChoice, ChooseAll)):
        boxes = section.findall(".//li/span[1]")
        assert len(boxes) == len(problem.answer.options)
        round_ones = [box for box in boxes if "round" in box.attrib["class"].split()]
        assert len(round_ones) == (len(boxes) if isinstance(problem.answer, OneChoice) else 0)
    else:
        assert len(section.findall(".//*[@class='line']")) == problem.difficulty + 2
    assert "Solution" not in words(section)


def test_a_page_with_solutions_marks_the_right_options_and_says_why() -> None:
    problem = generate("dependence", 4)
    assert isinstance(problem.answer, ChooseAll)
    section = parsed(page("Sheet", [problem], solutions=True)).findall(".//section")[0]
    items = section.findall(".//li")
    marked = {k for k, item in enumerate(items) if "chosen" in item[0].attrib["class"]}
    assert marked == problem.answer.key
    assert all(words(item).find("Right." if k in marked else "Wrong.") > 0 for k, item in enumerate(items))
    assert len(section.findall("./div[@class='solution']/p")) == len(problem.solution)


def test_no_line_begins_with_the_stop_after_a_formula() -> None:
    text = page("Sheet", TWO[:1])
    assert re.findall(r"</math>[,.;:?!]", text)
    assert not re.findall(r"</math>[,.;:?!](?!</span>)", text)


def test_solutions_go_into_a_file_of_their_own(tmp_path: Path) -> None:
    paths = write_sheet("Sheet", TWO, tmp_path / "sheet.html")
    assert paths == (tmp_path / "sheet.html", tmp_path / "sheet-solutions.html")
    blank, solved = (path.read_text(encoding="utf-8") for path in paths)
    assert ("Solution" in blank, "Solution" in solved) == (False, True)


@pytest.mark.parametrize("solutions", [False, True])
def test_or_into_the_same_or_none(tmp_path: Path, solutions: bool) -> None:
    (path,) = write_sheet("Sheet", TWO, tmp_path / "sheet.htm", solutions)
    assert ("<h3>Solution</h3>" in path.read_text(encoding="utf-8")) is solutions
    assert list(tmp_path.iterdir()) == [path]


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown ending of a sheet '\.docx'.*\.html, \.pdf"):
        write_sheet("Sheet", TWO, tmp_path / "sheet.docx")


@pytest.mark.skipif(not any(map(shutil.which, BROWSERS)), reason="needs Chromium")
def test_chromium_prints_a_pdf(tmp_path: Path) -> None:
    for path in write_sheet("Sheet", TWO[:1], tmp_path / "sheet.pdf"):
        assert path.read_bytes().startswith(b"%PDF-")


def test_without_chromium_there_is_no_pdf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"needs Chromium or Chrome.*write an \.html file"):
        write_sheet("Sheet", TWO[:1], tmp_path / "sheet.pdf")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("script", "why"),
    [("exit 3", "it ended with status 3"), ("exec sleep 60", "it did not end within 0.2 seconds")],
)
def test_a_browser_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, why: str) -> None:
    browser = tmp_path / "chromium"
    browser.write_text(f"#!/bin/sh\n{script}\n")
    browser.chmod(0o755)
    monkeypatch.setattr(module, "_PATIENCE", 0.2 if "sleep" in script else 60)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(InputError, match=why):
        printed("<p>x</p>")
