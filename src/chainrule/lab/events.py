"""Server-sent events: an answer that goes on, until it ends or the page goes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.types import Receive, Scope, Send


class Events:
    """A response that sends each object of an iterator as one event.

    Nothing is kept for a page that reads slowly: the iterator is asked for the next object only when the last one is on
    its way. When the page goes, the iterator is closed at once.

    Parameters
    ----------
    events : async iterator
    encode : callable
        Returns an object as JSON.
    """

    def __init__(self, events: AsyncIterator[Any], encode: Callable[[Any], bytes]) -> None:
        self._events, self._encode = events, encode

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events."""
        sending = asyncio.ensure_future(self._send(send))
        watching = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((sending, watching), return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, watching):
                task.cancel()
            await asyncio.wait((sending, watching))
        if not sending.cancelled() and (error := sending.exception()) is not None:
            raise error

    async def _send(self, send: Send) -> None:
        try:
            headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            async for event in self._events:
                data = b"data: " + self._encode(event) + b"\n\n"
                await send({"type": "http.response.body", "body": data, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            close = getattr(self._events, "aclose", None)
            if close is not None:
                await close()


async def _gone(receive: Receive) -> None:
    """Return when the page has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
