"""JSON values checked against types, with errors in plain words."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar

from .errors import InputError

T = TypeVar("T")

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a string",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


def typed(what: str, value: Any, form: type[T]) -> T:
    """Return a JSON value as a type that msgspec knows: a Struct, ``list[str]``, ``int | None`` and the like.

    Parameters
    ----------
    what : str
        What the message calls the value.

    Raises
    ------
    InputError
        When it is of another form; the message names the place in it.
    """
    import msgspec  # which takes longer to import than a model to load

    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        raise InputError(explain(str(error), what)) from error


def explain(complaint: str, whole: str) -> str:
    """Return one of msgspec's complaints in words, the place first; `whole` names what all of it is.

    >>> explain("Expected `int`, got `str` - at `$.scene.layers[0].units`", "the request")
    'scene.layers[0].units must be a whole number, not a string'
    """
    said, _, at = complaint.partition(" - at ")
    inner, _, outer = at.rpartition(" in ")
    place = outer.strip("`").lstrip("$.").replace("[...]", "[…]") or whole
    if inner:
        place = f"a name in {place}"
    for pattern, words in _COMPLAINTS:
        if found := re.fullmatch(pattern, said, re.DOTALL):
            return words(place, *found.groups())
    return f"{place}: {lower_first(said)}"


def _kinds(names: str) -> str:
    return " or ".join(_KINDS.get(name, name) for name in names.split(" | "))


def _length(place: str, kind: str, sign: str | None, length: str) -> str:
    one, many = ("character", "characters") if kind == "str" else ("entry", "entries")
    return f"{place} must have {_BOUNDS[sign]}{int(length):,} {one if length == '1' else many}"


def _bounded(place: str, kind: str, sign: str, bound: str) -> str:
    shown = f"{int(float(bound)):,}" if float(bound).is_integer() else bound
    return f"{place} must be {_KINDS[kind]}, {_BOUNDS[sign]}{shown}"


_BOUNDS = {None: "", "<=": "at most ", ">=": "at least ", "<": "less than ", ">": "greater than "}
_COMPLAINTS: tuple[tuple[str, Callable[..., str]], ...] = (
    (r"Object missing required field `(.*)`", lambda place, name: f"{name} is missing in {place}"),
    (r"Object contains unknown field `(.*)`", lambda place, name: f"{place}: unknown field {name!r:.60}; remove it"),
    (r"Invalid (?:enum )?value (.*)", lambda place, value: f"{place} cannot be {value:.60}"),
    (r"(?:Number|Integer value) out of range", lambda place: f"{place} is too large a number"),
    (r"Expected `(\w+)` of length (?:(<=|>=) )?(\d+)", _length),
    (r"Expected `(int|float)` (<=|>=|<|>) (\S+)", _bounded),
    (
        r"Expected `([^`]*)`, got `([^`]*)`",
        lambda place, wanted, got: f"{place} must be {_kinds(wanted)}, not {_kinds(got)}",
    ),
    (r"Expected `([^`]*)`", lambda place, wanted: f"{place} must be {_kinds(wanted)}"),
)


def lower_first(text: str) -> str:
    """Return a text that begins with a small letter, for the middle of a sentence."""
    return text[:1].lower() + text[1:]
