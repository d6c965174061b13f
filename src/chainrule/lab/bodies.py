"""What the page sends: read within bounds of size and time, decoded, and what is wrong with it said in words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import TypeVar

import msgspec
from starlette.requests import ClientDisconnect, Request

from ..schema import explain, lower_first

SECONDS = 10.0  # in which a request has to arrive
_TAKEN = 32 * 1024 * 1024  # bytes of a request that is too long: who is cut off while sending does not hear why

T = TypeVar("T", bound=msgspec.Struct)


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
        message = explain(str(error), "the request")
    except msgspec.DecodeError as error:
        message = f"the request is not valid JSON: {lower_first(str(error).removeprefix('JSON is malformed: '))}"
    except RecursionError:
        message = "the request has lists or objects within each other too deeply"
    raise BadRequest(HTTPStatus.BAD_REQUEST, message)
