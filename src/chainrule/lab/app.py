"""The web application: the page's files, and everything that may be asked as a POST of JSON."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from importlib import import_module
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from ..errors import ChainruleError
from .answers import complaint, encode, json
from .bodies import BadRequest, decode, read
from .endpoints import Busy, Endpoint, File, Lab, Stream
from .events import Events
from .guard import Guard, Settings
from .work import Work, in_thread

STATIC = Path(__file__).with_name("static")
_MODULES = ("timeline", "share", "catalogue", "fitting", "practice", "trying", "teaching", "data", "watching")
mimetypes.add_type("text/javascript", ".js")  # which some installations of Windows take for another
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@cache
def endpoints() -> dict[str, Endpoint]:
    """Return everything that may be asked, by its path.

    The modules are loaded when the first of it is asked for, so that the page is there at once.
    """
    found = (import_module(f".{name}", __package__).ENDPOINTS for name in _MODULES)
    return {endpoint.path: endpoint for several in found for endpoint in several}


def create_app(lab: Lab, guard: Settings, known: Callable[[], Mapping[str, Endpoint]] = endpoints) -> Starlette:
    """Return the application.

    Parameters
    ----------
    lab : Lab
        What the answers use.
    guard : Settings
        Who may ask.
    known : callable
        Returns what may be asked, by its path; called in a thread when it is first needed.
    """
    work = Work()
    loaded: list[Mapping[str, Endpoint]] = []

    async def catalogue() -> Mapping[str, Endpoint]:
        if not loaded:
            loaded.append(await in_thread(known))
        return loaded[0]

    async def describe(request: Request) -> Response:
        from .openapi import description

        if request.method not in ("GET", "HEAD"):
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET, HEAD"})
        return json(description((await catalogue()).values()))

    async def asked(request: Request) -> ASGIApp:
        """Answer, or say what is wrong."""
        try:
            return await _ask(request, await catalogue(), lab, work)
        except BadRequest as error:
            return complaint(error.status, str(error), error.headers)
        except Busy as error:
            return complaint(HTTPStatus.SERVICE_UNAVAILABLE, str(error), {"Retry-After": "2"})
        except ChainruleError as error:
            return complaint(HTTPStatus.UNPROCESSABLE_ENTITY, str(error))

    return Starlette(
        routes=[
            Route("/api/openapi.json", describe, methods=_METHODS),
            Route("/api/{name:path}", asked, methods=_METHODS),
            Mount("/", StaticFiles(directory=STATIC, html=True, check_dir=False)),
        ],
        middleware=[Middleware(Guard, settings=guard)],
        exception_handlers={HTTPException: _refused},
    )


async def _ask(request: Request, known: Mapping[str, Endpoint], lab: Lab, work: Work) -> ASGIApp:
    endpoint = known.get(request.scope["path"])
    if endpoint is None:
        raise BadRequest(HTTPStatus.NOT_FOUND, _nothing(request))
    if request.method != "POST":
        raise BadRequest(
            HTTPStatus.METHOD_NOT_ALLOWED, f"{endpoint.path} is asked by POST, not {request.method}", {"Allow": "POST"}
        )
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise BadRequest(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a request is JSON: send it with Content-Type: application/json"
        )
    body = decode(await read(request, endpoint.max_bytes), endpoint.body)

    def answered() -> ASGIApp:
        answer: Any = endpoint.answer(lab, body)
        if isinstance(answer, Stream):
            return Events(answer.events, encode)
        if isinstance(answer, File):
            disposition = {"Content-Disposition": f'attachment; filename="{answer.name}"'}
            return Response(answer.content, headers=disposition, media_type=answer.media_type)
        return json(answer)

    return await work.do(endpoint.path, answered)


async def _refused(request: Request, error: Exception) -> Response:
    """Return what Starlette itself refuses: a file that is not there, or another method than GET."""
    assert isinstance(error, HTTPException)  # noqa: S101 - for the type checker
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.NOT_FOUND:
        return complaint(status, _nothing(request))
    return complaint(status, f"{request.method} {request.scope['path']:.100}: {status.phrase}", error.headers)


def _nothing(request: Request) -> str:
    return f"there is nothing at {request.scope['path']:.100}"
