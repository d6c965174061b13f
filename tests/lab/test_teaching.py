"""Teaching: what is previewed is what is exported, to every platform, and what is wrong is told with its place."""

from __future__ import annotations

import io
import re
import tarfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest

import chainrule as cr
from chainrule.errors import InputError
from chainrule.lab.endpoints import File, Lab
from chainrule.lab.teaching import MAX_ENTRIES, MAX_PROBLEMS
from chainrule.lessons import FAMILIES
from chainrule.lessons.lesson_file import read
from tests.helpers.asking import ask

ENTRIES = [
    {"family": "recursion", "count": 2, "points": 3, "parameters": {"length": [3, 4], "activation": "tanh"}},
    {"family": "update rule", "attempts": "unlimited"},
    {"family": "dependence", "attempts": 7},
    {"family": "forward by hand", "parameters": {"bias": True}},
]
LESSON = {"title": "Back-propagation, ü & <b>bold</b>", "seed": 5, "entries": ENTRIES}


@pytest.fixture
def lab() -> Lab:
    def progress() -> Any:
        raise AssertionError("teaching has nothing to do with anybody's progress")

    return Lab(progress)


def preview(lab: Lab, **changed: Any) -> Any:
    return ask(lab, "/api/teach/preview", {**LESSON, **changed})


def export(lab: Lab, form: str, **changed: Any) -> File:
    handed = ask(lab, "/api/teach/export", {**LESSON, **changed, "format": form})
    assert isinstance(handed, File)
    return handed


def test_a_preview_shows_problems_keys_and_solutions(lab: Lab) -> None:
    shown = preview(lab)["problems"]
    ids = ["recursion-1", "recursion-2", "update-rule-1", "dependence-1", "forward-by-hand-1"]
    assert [one["id"] for one in shown] == ids
    assert [one["points"] for one in shown] == [3, 3, 1, 1, 1]
    assert [one["attempts"] for one in shown][2:4] == [None, 7]
    for one in shown:
        assert one["prompt"]
        assert one["solution"]
        assert one["hints"]
        assert one["problem"].keys() == {"family", "seed", "parameters"}
    first, _, update, dependence, by_hand = shown
    assert "<math" in first["key"]
    assert "<math" in first["asked"]
    assert first["options"] == []
    assert [one["right"] for one in update["options"]].count(True) == 1
    assert {one["right"] for one in dependence["options"]} == {True, False}
    assert update["key"] is None
    assert len(re.sub(r"[^1-9]", "", by_hand["key"])) <= 3


def test_ids_are_given_once(lab: Lab) -> None:
    written = msgspec.json.encode(preview(lab)["problems"]).decode()
    ids = re.findall(r' id=\\"([^\\]+)', written)
    assert len(ids) > 50
    assert len(set(ids)) == len(ids)


def test_every_family_can_be_taught(lab: Lab) -> None:
    shown = preview(lab, entries=[{"family": name} for name in FAMILIES])["problems"]
    assert [one["problem"]["family"] for one in shown] == list(FAMILIES)


def test_another_seed_draws_other_problems_and_the_same_the_same(lab: Lab) -> None:
    assert preview(lab) == preview(lab)
    assert preview(lab, seed=6)["problems"] != preview(lab)["problems"]


def test_the_lessons_file_draws_the_same_in_the_terminal(lab: Lab, tmp_path: Path) -> None:
    path = tmp_path / "lesson.yaml"
    path.write_bytes(export(lab, "yaml", show_solution="never").content)
    lesson = read(path)
    assert lesson.title == LESSON["title"]
    assert lesson.show_solution == "never"
    shown = preview(lab, show_solution="never")
    assert path.read_text("utf-8") == shown["yaml"]
    drawn = lesson.problems()
    assert [name for name, _ in drawn] == [one["id"] for one in shown["problems"]]
    assert [one.title for _, one in drawn] == [one["title"] for one in shown["problems"]]
    assert [one.seed for _, one in drawn] == [one["problem"]["seed"] for one in shown["problems"]]


def test_an_export_for_open_edx(lab: Lab) -> None:
    handed = export(lab, "olx")
    assert (handed.name, handed.media_type) == ("back-propagation-u-b-bold-b.tar.gz", "application/gzip")
    with tarfile.open(fileobj=io.BytesIO(handed.content)) as archive:
        problems = [name for name in archive.getnames() if "/problem/" in name and name.endswith(".xml")]
        assert len(problems) == 5
        for name in problems:
            member = archive.extractfile(name)
            assert member is not None
            assert ElementTree.parse(member).getroot().tag == "problem"


def test_an_export_for_moodle(lab: Lab) -> None:
    handed = export(lab, "moodle")
    assert (handed.name, handed.media_type) == ("back-propagation-u-b-bold-b.xml", "application/xml")
    quiz = ElementTree.fromstring(handed.content)
    assert sum(one.get("type") != "category" for one in quiz) == 5


def test_a_sheet_and_its_solutions(lab: Lab) -> None:
    sheet, solved = export(lab, "sheet"), export(lab, "solutions")
    assert (sheet.name, solved.name) == (
        "back-propagation-u-b-bold-b.html",
        "back-propagation-u-b-bold-b-solutions.html",
    )
    for handed in (sheet, solved):
        assert handed.media_type == "text/html; charset=utf-8"
        page = handed.content.decode()
        assert page.count('class="problem"') == 5
        assert "<b>bold" not in page
        assert "<script" not in page
    assert 'class="solution"' not in sheet.content.decode()
    assert solved.content.decode().count('class="solution"') == 5


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"family": "recursoin"}, r"^entries\[0\]: unknown family .*'recursoin': did you mean 'recursion'"),
        ({"family": ""}, r"^entries\[0\]: family is text"),
        ({"family": "recursion", "parameters": {"lenght": 3}}, "unknown parameter .*'lenght'.* 'length'"),
        ({"family": "recursion", "parameters": {"length": 9}}, "length is 9, but may be a whole number from 2 to 5"),
        ({"family": "recursion", "parameters": {"length": "3"}}, "length"),
        ({"family": "recursion", "parameters": {"length": []}}, "length"),
        ({"family": "recursion", "parameters": {"activation": "!!python/object:os.system"}}, "activation"),
        ({"family": "recursion", "parameters": {"activation": "tanh\n- family: kink"}}, "activation"),
        ({"family": "recursion", "parameters": {"{a: b}": True}}, "parameter"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_entry_is_told(lab: Lab, entry: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        preview(lab, entries=[entry])
    with pytest.raises(InputError, match=message):
        export(lab, "sheet", entries=[entry])


def test_of_a_link_that_was_tampered_with_everything_stays_that_can_be(lab: Lab) -> None:
    fine = {"family": "kink", "count": 2, "attempts": "unlimited", "parameters": {"negative_slope": [0, 0.1]}}
    some: list[Any] = [
        fine,
        {"family": "shapes", "count": "x", "points": 0, "colour": 1},
        None,
        {"family": []},
        {"parameters": 3},
    ]
    told = ask(lab, "/api/teach/entries", {"entries": some})
    assert told["entries"] == [fine, {"family": "shapes"}]
    assert told["left_out"] == [
        "teach.entries[1].count", "teach.entries[1].points", "teach.entries[1].colour", "teach.entries[2].family",
        "teach.entries[3].family", "teach.entries[4].family", "teach.entries[4].parameters",
    ]  # fmt: skip


def test_all_that_is_wrong_is_told_at_once(lab: Lab) -> None:
    with pytest.raises(InputError) as caught:
        preview(lab, entries=[{"family": "kin"}, {"family": "kink"}, {"family": "depht"}])
    assert [line.split(":")[0] for line in str(caught.value).splitlines()] == ["entries[0]", "entries[2]"]


@pytest.mark.parametrize(
    "changed",
    [
        {"title": ""},
        {"title": "x" * 201},
        {"entries": []},
        {"entries": [{"family": "kink"}] * (MAX_ENTRIES + 1)},
        {"entries": [{"family": "kink", "count": 0}]},
        {"entries": [{"family": "kink", "count": MAX_PROBLEMS + 1}]},
        {"entries": [{"family": "kink", "points": 1001}]},
        {"entries": [{"family": "kink", "attempts": "many"}]},
        {"entries": [{"family": "kink", "parameters": {"negative_slope": 1e7}}]},
        {"seed": -1},
        {"seed": 2**53},
        {"show_solution": "always"},
        {"sedd": 1},
    ],
)
def test_a_lesson_has_bounds(lab: Lab, changed: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        preview(lab, **changed)


def test_a_title_is_one_line(lab: Lab) -> None:
    for title, wrong in (("one\ntwo", r"character 4 is U\+000A"), ("a\x07", r"character 2 is U\+0007")):
        with pytest.raises(InputError, match=f"^title is a line to be printed, but {wrong}; remove it"):
            preview(lab, title=title)


def test_there_are_at_most_a_hundred_problems(lab: Lab) -> None:
    several = [{"family": "kink", "count": 60}, {"family": "shapes", "count": 41}]
    with pytest.raises(InputError, match="these are 101 problems, and a lesson here has at most 100: make two of it"):
        preview(lab, entries=several)


def test_text_that_looks_like_yaml_is_text(lab: Lab) -> None:
    for title in (
        "yes",
        "1.0",
        "# nothing",
        "a: b",
        "'",
        '"',
        "- x",
        "&a *a",
        "!!str",
        "~",
        "ℒ",
    ):
        assert export(lab, "yaml", title=title).content
    assert preview(lab, title="2026-01-01")["yaml"].startswith("title: '2026-01-01'")


def test_a_lesson_of_the_network_on_the_screen(lab: Lab) -> None:
    entries = ask(lab, "/api/teach/of-network", {"scene": {"sign": "y-f"}})["entries"]
    assert entries[0] == {
        "family": "update rule", "count": 1, "points": 1, "attempts": None,
        "parameters": {"length": 3, "activation": "tanh"},
    }  # fmt: skip
    shown = preview(lab, entries=entries)["problems"]
    assert len(shown) == len(entries) > 10
    layer = {"units": 1, "activation": "gelu"}
    with pytest.raises(InputError, match="no family of problems is about this network"):
        ask(lab, "/api/teach/of-network", {"scene": {"layers": [layer]}})
    with pytest.raises(cr.errors.InputError, match="unknown activation"):
        ask(lab, "/api/teach/of-network", {"scene": {"layers": [{**layer, "activation": "tnah"}]}})
