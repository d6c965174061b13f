"""What a name and a label must be, wherever they come from."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import InputError

# A longer text is no name of a column or a category.
MAX_TEXT = 1_000


def is_label(value: object) -> bool:
    """Return whether a value is a text of bearable length that can be written as UTF-8."""
    if not isinstance(value, str) or len(value) > MAX_TEXT:
        return False
    # A JSON document can hold half a surrogate pair, which no other text can.
    return not any("\ud800" <= sign <= "\udfff" for sign in value)


def check_label(what: str, value: object) -> None:
    """Check that a value is a label, see :func:`is_label`.

    Raises
    ------
    InputError
        When it is not.
    """
    if not is_label(value):
        raise InputError(f"{what} must be a text of at most {MAX_TEXT:,} signs, but is {value!r:.80}")


def check_no_pattern(names: Sequence[str]) -> None:
    """Check that no column's name is one that Polars reads as a regular expression, wherever it meets it.

    Raises
    ------
    InputError
        When one begins with ^ and ends with $.
    """
    for name in names:
        if name.startswith("^") and name.endswith("$"):
            raise InputError(f"column {name!r:.80}: a name from ^ to $ would be read as a pattern; rename it")


def listed(names: Sequence[str]) -> str:
    """Return "column 'a'", or "the columns 'a', 'b' and 7 more": short enough for one line."""
    shown = ", ".join(repr(name)[:80] for name in names[:10])
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"column {shown}" if len(names) == 1 else f"the columns {shown}{more}"
