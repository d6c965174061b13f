"""Bookmarked problems are drawn again."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chainrule.lessons import FAMILIES
from chainrule.lessons.progress import Learner
from tests.helpers.attempts import BOXES, CHOICE, NUMBER


def test_marked_problems_are_drawn_again(ada: Learner) -> None:
    worth = replace(BOXES, points=3, attempts=None)
    for problem in (worth, CHOICE, NUMBER, worth):
        ada.bookmark(problem)
    ada.bookmark(CHOICE, on=False)
    assert ada.bookmarks() == (worth, NUMBER)


def test_marked_problems_of_a_family_that_is_gone_are_skipped(ada: Learner, monkeypatch: pytest.MonkeyPatch) -> None:
    ada.bookmark(BOXES)
    ada.bookmark(CHOICE)
    others = {name: one for name, one in FAMILIES.items() if name != BOXES.family}
    monkeypatch.setattr("chainrule.lessons.catalogue.FAMILIES", others)
    assert ada.bookmarks() == (CHOICE,)
