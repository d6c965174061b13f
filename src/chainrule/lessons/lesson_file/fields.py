"""Checks of the fields of a lesson file; each returns the value, or says what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar, get_args

from ...errors import InputError, unknown_name
from ..policy import Shown

SHOW_SOLUTION: tuple[Shown, ...] = get_args(Shown)
"""When a learner may see the solution; the first is the default."""
UNLIMITED = "unlimited"

MAX_TITLE = 200
MAX_COUNT, MAX_PROBLEMS = 100, 1000
MAX_POINTS, MAX_ATTEMPTS = 1000, 1000
MAX_SEED = 2**63 - 1

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")
_T = TypeVar("_T")


def check_text(value: Any) -> str:
    """Return a string that is not blank, without the blanks around it."""
    if not isinstance(value, str) or not value.strip():
        mend = "write a text" if value is None or isinstance(value, (str, list, dict)) else "put it in quotes"
        raise InputError(f"is text, but this is {describe_value(value)}; {mend}")
    return value.strip()


def check_title(value: Any) -> str:
    """Return a title: one printable line."""
    title = check_text(value)
    if len(title) > MAX_TITLE:
        raise InputError(f"is one line of at most {MAX_TITLE} characters, but has {len(title):,}; shorten it")
    for place, character in enumerate(title, start=1):
        if not character.isprintable():
            raise InputError(f"is a line to be printed, but character {place} is U+{ord(character):04X}; remove it")
    return title


def check_id(value: Any) -> str:
    """Return the id of an entry."""
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise InputError(
            f"is a letter and up to 59 more letters, digits, hyphens and underscores, but this is "
            f"{describe_value(value)}; choose another"
        )
    return value


def whole_number(least: int, most: int) -> Callable[[Any], int]:
    """Return a check for a whole number in a range."""

    def check(value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise InputError(f"is a whole number from {least} to {most}, but this is {describe_value(value)}")
        return value

    return check


def check_attempts(value: Any) -> int | None:
    """Return a number of attempts, None if they are unlimited."""
    if value == UNLIMITED:
        return None
    try:
        return whole_number(1, MAX_ATTEMPTS)(value)
    except InputError as error:
        raise InputError(f"{error}; for as many as one likes, write {UNLIMITED}") from None


def member_of(known: Sequence[_T]) -> Callable[[Any], _T]:
    """Return a check that a value is one of the known values."""

    def check(value: Any) -> _T:
        for member in known:
            if value == member:
                return member
        raise InputError(f"has an {unknown_name('value', value, map(str, known))}")

    return check


def describe_value(value: Any) -> str:
    """Return how an error describes a value."""
    if isinstance(value, (list, dict)):
        return "a list" if isinstance(value, list) else "a mapping"
    return "nothing" if value is None else f"{json.dumps(value, ensure_ascii=False):.60}"
