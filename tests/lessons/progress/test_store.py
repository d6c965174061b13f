"""The file of progress and its learners."""

from __future__ import annotations

from pathlib import Path

import pytest

import chainrule as cr
from chainrule.lessons.progress import Progress, default_path
from tests.helpers.attempts import CHOICE, fail


def test_learners_do_not_see_one_another(path: Path) -> None:
    with Progress(path) as progress:
        ada, grace = progress.learner("  Ada "), progress.learner("Grace")
        fail(ada, CHOICE)
        assert (ada.name, grace.left(CHOICE), grace.total(), grace.mastery()) == ("Ada", 2, (0, 0), {})
        assert len(progress.learner("Ada").attempts(CHOICE)) == 2
        assert progress.learners() == ["Ada", "Grace"]


def test_a_name_is_the_same_however_it_is_encoded(path: Path) -> None:
    with Progress(path) as progress:
        progress.learner("Zoe\u0308")
        progress.learner("Zo\u00eb")
        assert progress.learners() == ["Zo\u00eb"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (" ", "a learner's name has 1 to 80 characters, but this has 0"),
        ("a" * 81, "but this has 81"),
        ("A\nB", r"no control characters, but character 2 is U\+000A"),
        ("A\ud800", r"character 2 is U\+D800"),
        (None, "a learner's name is a text, not None"),
    ],
)
def test_what_is_no_name_is_refused(path: Path, name: str, message: str) -> None:
    with Progress(path) as progress, pytest.raises(cr.InputError, match=message):
        progress.learner(name)


def test_progress_is_kept_where_the_environment_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_DATA", str(tmp_path / "a" / "b"))
    with Progress() as progress:
        progress.learner("Ada")
    assert default_path() == progress.path == tmp_path / "a" / "b" / "progress.sqlite3"
    assert progress.path.exists()
    monkeypatch.delenv("CHAINRULE_DATA")
    assert default_path().parts[-2:] == ("chainrule", "progress.sqlite3")
