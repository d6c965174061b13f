"""A file that cannot be used is left alone, and named."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

import chainrule as cr
from chainrule.lessons.policy import Policy
from chainrule.lessons.progress import Progress, database
from chainrule.lessons.progress.database import VERSION
from tests.helpers.attempts import CHOICE
from tests.helpers.replies import right


def refused(path: Path, message: str) -> None:
    with pytest.raises(cr.InputError, match=message) as caught:
        Progress(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_database_is_left_alone(path: Path) -> None:
    path.write_bytes(b"My diary. " * 200)
    refused(path, "is damaged, or no file of progress: .* Move it away")
    assert path.read_bytes() == b"My diary. " * 200


def test_a_database_of_something_else_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE diary (day TEXT)")
    connection.close()
    before = path.read_bytes()
    refused(path, "is a database, but not of progress: move it away")
    assert path.read_bytes() == before


def test_a_file_of_a_newer_version_is_left_alone(path: Path) -> None:
    Progress(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    refused(path, f"written by a newer chainrule: it is of version {VERSION + 1}.* Update chainrule")


def test_a_file_of_an_older_version_keeps_what_is_in_it(path: Path) -> None:
    with Progress(path) as progress:
        progress.learner("Ada").bookmark(CHOICE, policy=Policy("never"))
    connection = sqlite3.connect(path)
    connection.executescript("ALTER TABLE bookmarks DROP COLUMN show_solution; PRAGMA user_version = 1")
    connection.close()
    with Progress(path) as progress:
        ada = progress.learner("Ada")
        assert ada.bookmarks() == (CHOICE,)
        assert ada.policy(CHOICE) == Policy()


def test_an_empty_file_is_a_new_one(path: Path) -> None:
    path.touch()
    with Progress(path) as progress:
        assert progress.learners() == []


def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(cr.InputError, match=r"cannot make the folder .*CHAINRULE_DATA"):
        Progress(tmp_path / "file" / "progress.sqlite3")
    refused(tmp_path, "cannot use .*: unable to open database file. See that it can be written")


def test_a_file_that_another_process_keeps_locked(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "WAIT", 0.05)
    with Progress(path) as progress:
        ada = progress.learner("Ada")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(cr.InputError, match=r"another process has been writing to it for .* Try again"):
            ada.attempt(CHOICE, right(CHOICE))
        other.close()
        assert ada.attempt(CHOICE, right(CHOICE)).number == 1


def test_a_file_that_is_damaged_later_is_named(path: Path) -> None:
    with Progress(path) as progress:
        progress.learner("Ada")
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\xff" * (len(content) - 4096))
    with Progress(path) as progress, pytest.raises(cr.InputError, match=r"progress\.sqlite3 is damaged"):
        progress.learner("Grace")
