"""What the page sends: read within bounds of size and time, decoded, and what is wrong with it said in words."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

SECONDS = 10.0  # in which a request has to arrive
_TAKEN = 32 * 1024 * 1024  # bytes of a request that is too long: who is cut off while sending does not hear why

T = TypeVar("T", bound=msgspec.Struct)

_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "null",
}


class BadRequest(Exception):  # noqa: N818 - it is a status of HTTP
    """A request that cannot be answered.

    Attributes
    ----------
    status : HTTPStatus
    headers : mapping, or None
        Those of the answer.
    """

    def __init__(self, status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.headers = status, headers


async def read(request: Request, max_bytes: int) -> bytes:
    """Return the body of a request.

    Raises
    ------
    BadRequest
        When it is too long, or does not come in time.
    """
    too_long = BadRequest(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"the request is longer than {max_bytes // 1024:,} KB")
    declared = int(request.headers.get("content-length", 0))  # which h11 has seen to be a number
    if declared > _TAKEN:
        raise too_long
    body, length = bytearray(), 0
    try:
        async with asyncio.timeout(SECONDS):
            async for part in request.stream():
                length += len(part)
                if length <= max_bytes:
                    body += part
                elif not declared:
                    raise too_long
    except TimeoutError:
        raise BadRequest(
            HTTPStatus.REQUEST_TIMEOUT, f"the request did not arrive within {SECONDS:g} seconds: send it again"
        ) from None
    except ClientDisconnect:
        raise BadRequest(HTTPStatus.BAD_REQUEST, "the request ended early") from None
    if length > max_bytes:
        raise too_long
    return bytes(body)


def decode(body: bytes, form: type[T]) -> T:
    """Return what a body says.

    Raises
    ------
    BadRequest
        When it is no JSON, or not of this form.
    """
    try:
        body.decode()
        return msgspec.json.decode(body, type=form)
    except UnicodeDecodeError as error:
        message = f"the request is no UTF-8: byte {error.start + 1} is wrong"
    except msgspec.ValidationError as error:
        message = explain(str(error))
    except msgspec.DecodeError as error:
        message = f"the request is no JSON: {_lower(str(error).removeprefix('JSON is malformed: '))}"
    except RecursionError:
        message = "the request has lists or objects within each other too deeply"
    raise BadRequest(HTTPStatus.BAD_REQUEST, message)


def explain(complaint: str) -> str:
    """Return one of msgspec's complaints in words, the place first.

    >>> explain("Expected `int`, got `str` - at `$.scene.layers[0].units`")
    'scene.layers[0].units must be a whole number, not a text'
    """
    said, _, at = complaint.partition(" - at ")
    inner, _, outer = at.rpartition(" in ")
    place = outer.strip("`").lstrip("$.").replace("[...]", "[…]") or "the request"
    if inner:
        place = f"a name in {place}"
    for pattern, words in _COMPLAINTS:
        if found := re.fullmatch(pattern, said, re.DOTALL):
            return words(place, *found.groups())
    return f"{place}: {_lower(said)}"


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
    (r"Object contains unknown field `(.*)`", lambda place, name: f"{place} has no {name!r:.60}: remove it"),
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


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
