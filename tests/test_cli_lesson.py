"""The commands of ``chainrule lesson`` as a user types them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tarfile
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import polars as pl
import pytest

from chainrule.cli.lesson import _when
from chainrule.lessons import FAMILIES, OneChoice
from chainrule.lessons.lesson_file import read
from tests.helpers.commands import COMMAND, chainrule
from tests.helpers.marking import slow_except

LESSON = """\
title: Back-propagation in a chain
seed: 7
problems:
  - {family: update rule, points: 2}
  - {family: recursion, id: back, count: 2}
"""


def lesson(*arguments: str, folder: Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    return chainrule("lesson", *arguments, folder=folder, typed=typed, CHAINRULE_DATA=str(folder / "data"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "chain.yaml").write_text(LESSON)
    return tmp_path


def refusal(*arguments: str, folder: Path) -> str:
    """Return the one line that a command ends with that cannot do what it should."""
    refused = lesson(*arguments, folder=folder)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.count("\n") == 1
    return refused.stderr


def right_letter(folder: Path) -> str:
    answer = read(folder / "chain.yaml").problems()[0][1].answer
    assert isinstance(answer, OneChoice)
    return "abcd"[answer.key]


def test_new_writes_a_lesson_that_check_accepts(folder: Path) -> None:
    assert "lesson check new.yaml" in lesson("new", "new.yaml", folder=folder).stdout
    checked = lesson("check", "new.yaml", folder=folder)
    count = len(FAMILIES)
    assert (checked.stdout, checked.stderr) == (f"new.yaml: {count} problems, {count} points\n", "")


def test_new_writes_over_a_file_only_where_it_is_told_to(folder: Path) -> None:
    assert "write over it with --force" in refusal("new", "chain.yaml", folder=folder)
    assert (folder / "chain.yaml").read_text() == LESSON
    assert "it is a folder" in refusal("new", ".", "--force", folder=folder)
    assert lesson("new", "chain.yaml", "--force", folder=folder).returncode == 0
    assert (folder / "chain.yaml").read_text() != LESSON


def test_check_says_all_that_is_wrong_and_goes_on(folder: Path) -> None:
    (folder / "bad.yaml").write_text("titel: x\nproblems: []\n")
    checked = lesson("check", "bad.yaml", "chain.yaml", folder=folder)
    assert checked.returncode == 2
    first, second = checked.stderr.splitlines()
    assert first.startswith("bad.yaml:1:1: unknown key of a lesson 'titel': did you mean 'title'?")
    assert second.startswith("bad.yaml:2:11: problems is empty")
    assert checked.stdout == "chain.yaml: 3 problems, 4 points\n"


def test_check_notes_problems_that_are_the_same(folder: Path) -> None:
    (folder / "few.yaml").write_text("title: t\nproblems: [{family: kink, count: 5}]")
    checked = lesson("check", "few.yaml", folder=folder)
    assert checked.returncode == 0
    (note,) = checked.stderr.splitlines()
    assert re.fullmatch("note: few.yaml: the same problem as kink-[1-4]: kink-5", note)


def test_preview_shows_the_problems(folder: Path) -> None:
    shown = lesson("preview", "chain.yaml", folder=folder).stdout
    assert shown.startswith("Back-propagation in a chain\n\nupdate-rule-1: A step of gradient descent (2 points)\n")
    assert "back-2: " in shown
    assert "Solution" not in shown
    assert "Solution" in lesson("preview", "chain.yaml", "--solutions", folder=folder).stdout
    assert lesson("preview", "chain.yaml", "--seed", "8", folder=folder).stdout != shown


def test_preview_writes_a_page(folder: Path) -> None:
    page = lesson("preview", "chain.yaml", "--format", "html", folder=folder).stdout
    assert page.startswith("<!DOCTYPE html>")
    lesson("preview", "chain.yaml", "--format", "html", "-o", "page.html", folder=folder)
    assert (folder / "page.html").read_text(encoding="utf-8") == page


@pytest.mark.parametrize(
    "command",
    slow_except(
        [["preview", "chain.yaml"]],
        [["preview", "chain.yaml"], ["families"], ["practise", "chain.yaml"], ["check", "é.yaml"]],
    ),
    ids=" ".join,
)
def test_a_terminal_without_unicode(folder: Path, command: list[str]) -> None:
    (folder / "é.yaml").write_text(LESSON)
    shown = subprocess.run(
        [*COMMAND, "lesson", *command],
        cwd=folder,
        env=os.environ | {"CHAINRULE_DATA": str(folder), "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.isascii()


def test_practice_is_stored_and_goes_on_where_it_ended(folder: Path) -> None:
    typed = f"{right_letter(folder)}\n\nq\n"
    shown = lesson("practise", "chain.yaml", "--learner", "Ada", folder=folder, typed=typed)
    assert shown.returncode == 0, shown.stderr
    assert "Right: 2 of 2 points." in shown.stdout
    assert shown.stdout.endswith("1 of 1 right, 2 of 2 points.\nAda has 2 of 2 points in all.\n")
    again = lesson("practise", "chain.yaml", "--learner", "Ada", folder=folder)
    assert again.stdout.startswith("1 of 3: update-rule-1 is done: 2 of 2 points.\n2 of 3: ")
    elsewhere = lesson("practise", "chain.yaml", "--learner", "Ada", "--data", "other", folder=folder)
    assert elsewhere.stdout.startswith("1 of 3: A step of gradient descent")


def test_when_all_is_done_another_seed_helps(folder: Path) -> None:
    (folder / "chain.yaml").write_text("title: t\nseed: 7\nproblems: [{family: update rule, points: 2}]")
    lesson("practise", "chain.yaml", folder=folder, typed=f"{right_letter(folder)}\n\n")
    assert "Another --seed draws other problems." in lesson("practise", "chain.yaml", folder=folder).stdout
    skipped = lesson("practise", "chain.yaml", "--seed", "8", folder=folder, typed=">\n").stdout
    assert "Another --seed" not in skipped


def test_bookmarked_problems_are_practised_and_read_again(folder: Path) -> None:
    assert "bookmarked no problem; * bookmarks one" in refusal("practise", "--bookmarked", folder=folder)
    lesson("practise", "chain.yaml", folder=folder, typed=f"*\n{right_letter(folder)}\n\n*\n>\n")
    again = lesson("practise", "--bookmarked", folder=folder, typed="!\n\n").stdout
    solved, new = again.split("2 of 2: ")
    assert solved.startswith("1 of 2: update rule is done: 2 of 2 points.\n1 of 2: A step of gradient descent")
    assert "Solution:" in solved
    assert "attempts left" not in solved
    assert new.startswith("One step back (1 point, bookmarked)")
    of_a_family = lesson("practise", "--bookmarked", "--family", "recursion", folder=folder).stdout
    assert of_a_family.startswith("1 of 1: One step back")
    none = refusal("practise", "--bookmarked", "--family", "kink", folder=folder)
    assert "what is bookmarked has no problem of kink" in none


def test_practice_without_a_lesson_takes_what_is_due(folder: Path) -> None:
    shown = lesson("practise", "--seed", "3", folder=folder).stdout
    assert shown.startswith("1 of 5: A step of gradient descent")
    lesson("practise", "--seed", "3", folder=folder, typed="a\nb\n\nq\n")
    assert lesson("practise", "--seed", "4", folder=folder).stdout.startswith("1 of 5: The weighted input of a layer")


def test_practice_of_some_families(folder: Path) -> None:
    shown = lesson("practise", "--family", "kink", "--count", "2", folder=folder, typed=">\n").stdout
    assert "1 of 2: A kink" in shown
    assert "2 of 2: A kink" in shown
    assert "1 of 1: A kink" in lesson("practise", "--family", "kink", "--family", "kink", folder=folder).stdout
    of_a_lesson = lesson("practise", "chain.yaml", "--family", "recursion", folder=folder).stdout
    assert of_a_lesson.startswith("1 of 2: One step back")


def test_progress_is_shown_and_written(folder: Path) -> None:
    assert "has answered nothing yet" in refusal("progress", folder=folder)
    lesson("practise", "chain.yaml", "--learner", "Ada", folder=folder, typed=f"{right_letter(folder)}\n\nq\n")
    shown = lesson("progress", "--learner", "Ada", "--csv", "a.csv", "--json", "a.json", folder=folder)
    assert shown.stdout.startswith("Ada: 2 of 2 points\nupdate rule  1 of 1 solved  due ")
    assert pl.read_csv(folder / "a.csv")["points"].to_list() == [2]
    assert json.loads((folder / "a.json").read_text())["learner"] == "Ada"
    assert "did you mean 'Ada'" in refusal("progress", "--learner", "Adda", folder=folder)


@pytest.mark.parametrize(
    ("due", "when"),
    [
        (None, "not finished"),
        (datetime(2025, 3, 1, 20), "due now"),
        (datetime(2025, 3, 1, 23, 30), "due today"),
        (datetime(2025, 3, 2, 0, 30), "due tomorrow"),
        (datetime(2025, 3, 4, 12), "due in 3 days"),
    ],
)
def test_when_is_said_by_the_calendar(due: datetime | None, when: str) -> None:
    assert _when(due and due.astimezone(), datetime(2025, 3, 1, 22).astimezone()) == when


def test_a_lesson_is_not_written_over_by_what_is_made_of_it(folder: Path) -> None:
    (folder / "other.yaml").symlink_to("chain.yaml")
    for arguments in (["export", "chain.yaml", "--to", "moodle"], ["preview", "chain.yaml"]):
        for name in ("chain.yaml", "other.yaml"):
            assert f"{name} is the lesson itself" in refusal(*arguments, "-o", name, folder=folder)
    assert (folder / "chain.yaml").read_text() == LESSON


def test_export_for_every_platform(folder: Path) -> None:
    course = lesson("export", "chain.yaml", "--to", "olx", "-o", "course.tar.gz", folder=folder)
    assert course.stdout == "course.tar.gz: 3 problems, 4 points for Open edX\n"
    with tarfile.open(folder / "course.tar.gz") as archive:
        assert "course/course.xml" in archive.getnames()
    quiz = lesson("export", "chain.yaml", "--to", "moodle", "-o", "quiz.xml", folder=folder)
    assert quiz.stdout == "quiz.xml: 3 problems, 4 points for Moodle\n"
    assert ElementTree.parse(folder / "quiz.xml").getroot().tag == "quiz"
    sheet = lesson("export", "chain.yaml", "--to", "sheet", "-o", "sheet.html", folder=folder)
    assert sheet.stdout == "sheet.html and sheet-solutions.html: 3 problems, 4 points for paper\n"


def test_families_are_listed_with_their_parameters(folder: Path) -> None:
    shown = lesson("families", folder=folder).stdout
    assert all(f"{one.name} ({one.kind}): {one.about}" in shown for one in FAMILIES.values())
    assert re.search("\n  length +a whole number from 2 to 5  +how many layers\n", shown)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["preview", "none.yaml"], "none.yaml:1:1: cannot read it"),
        (["preview", "chain.yaml", "--format", "pdf"], "unknown format 'pdf'"),
        (["preview", "chain.yaml", "-o", "none/x.txt"], "cannot write none/x.txt"),
        (["preview", "chain.yaml", "--seed", "-1"], "--seed"),
        (["export", "chain.yaml", "--to", "oxl", "-o", "x"], "did you mean 'olx'"),
        (["export", "chain.yaml", "--to", "sheet", "-o", "x.doc"], "unknown ending of a sheet '.doc'"),
        (["export", "chain.yaml", "--to", "moodle"], "--output"),
        (["practise", "--family", "kinc"], "did you mean 'kink'"),
        (["practise", "chain.yaml", "--family", "kink"], "chain.yaml has no problem of kink"),
        (["practise", "chain.yaml", "--count", "2"], "--count does not go with a lesson"),
        (["practise", "chain.yaml", "--bookmarked"], "--bookmarked does not go with a lesson"),
        (["practise", "--learner", ""], "a learner's name"),
        (["practise", "--data", "chain.yaml"], "chain.yaml"),
        (["chek"], "chek"),
    ],
)
def test_bad_input_gets_one_line_and_status_2(arguments: list[str], message: str, folder: Path) -> None:
    assert message in refusal(*arguments, folder=folder)


def test_the_help_does_not_wait_for_lessons() -> None:
    code = "import sys, chainrule.cli; print([name for name in sys.modules if 'lessons' in name or 'ruamel' in name])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
