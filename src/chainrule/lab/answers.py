"""How answers are written: as JSON, and what went wrong as JSON too."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response


def encode(answer: Any) -> bytes:
    """Return an answer as JSON; a number that is not finite is null."""
    return msgspec.json.encode(answer, enc_hook=_plain)


def _plain(value: Any) -> Any:
    """Return an array of numbers, or a number of NumPy's, as Python has it."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise NotImplementedError(f"{type(value).__name__} has no form in JSON")


def json(answer: Any, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Return an answer."""
    return Response(encode(answer), status, media_type="application/json")


def complaint(status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return what went wrong."""
    return Response(encode({"error": {"message": message}}), status, headers, media_type="application/json")
