"""A lab with endpoints of every kind, served, and how it is asked over connections."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import httpx
import numpy as np
from msgspec import Meta, Struct

from chainrule.errors import InputError
from chainrule.lab.endpoints import LARGE, Busy, Endpoint, File, Lab, Nothing, Stream
from chainrule.lab.server import running


class Words(Struct, frozen=True, forbid_unknown_fields=True):
    """Something to say."""

    words: Annotated[tuple[Annotated[str, Meta(max_length=100_000)], ...], Meta(max_length=100)] = ()
    number: Annotated[float, Meta(ge=-10, le=10)] = 0.0


class Counter:
    """How many streams are open, what was sent, how many slow answers have begun, and whether they may end."""

    def __init__(self) -> None:
        self.open = self.sent = self.slow = 0
        self.may_end = threading.Event()

    def is_soon(self, wanted: int, seconds: float = 2.0) -> bool:
        """Tell whether so many streams are open within some seconds."""
        end = time.monotonic() + seconds
        while self.open != wanted and time.monotonic() < end:
            time.sleep(0.01)
        return self.open == wanted


def endpoints(counter: Counter) -> dict[str, Endpoint]:
    """Return an endpoint of every kind."""

    def echo(lab: Lab, body: Words) -> dict[str, Any]:
        return {"words": body.words, "number": body.number, "array": np.array([1.0, np.inf, np.nan])}

    def refuse(lab: Lab, body: Nothing) -> None:
        raise InputError("this cannot be: ask for something else")

    def fail(lab: Lab, body: Nothing) -> None:
        raise ZeroDivisionError("nobody thought of this")

    def be_busy(lab: Lab, body: Nothing) -> None:
        raise Busy("four are running: wait until one ends")

    def hand_out(lab: Lab, body: Nothing) -> File:
        return File("answers.csv", "text/csv", b"a,b\n1,2\n")

    def take_long(lab: Lab, body: Nothing) -> dict[str, bool]:
        counter.slow += 1
        return {"ended": counter.may_end.wait(20)}

    async def count(pause: float, padding: str) -> AsyncIterator[dict[str, Any]]:
        counter.open += 1
        try:
            number = 0
            while True:
                yield {"number": number, "padding": padding}
                number += 1
                counter.sent += len(padding)
                await asyncio.sleep(pause)
        finally:
            counter.open -= 1

    def stream(lab: Lab, body: Nothing) -> Stream:
        return Stream(count(0.05, ""))

    def flood(lab: Lab, body: Nothing) -> Stream:
        return Stream(count(0, "x" * 10_000))

    async def three() -> AsyncIterator[int]:
        for number in range(3):
            yield number

    def end(lab: Lab, body: Nothing) -> Stream:
        return Stream(three())

    listed = [
        Endpoint("/api/echo", Words, echo, "Say it again"),
        Endpoint("/api/echo-large", Words, echo, "Say it again", LARGE),
        Endpoint("/api/refuse", Nothing, refuse, "Refuse"),
        Endpoint("/api/fail", Nothing, fail, "Fail"),
        Endpoint("/api/busy", Nothing, be_busy, "Be busy"),
        Endpoint("/api/file", Nothing, hand_out, "Hand out a file"),
        Endpoint("/api/slow", Nothing, take_long, "Take long"),
        Endpoint("/api/stream", Nothing, stream, "Count without end"),
        Endpoint("/api/flood", Nothing, flood, "Count without end, as fast as can be"),
        Endpoint("/api/three", Nothing, end, "Count to three"),
    ]
    return {endpoint.path: endpoint for endpoint in listed}


@contextmanager
def a_lab(**settings: Any) -> Iterator[tuple[str, Counter]]:
    """Give the address of a lab with these endpoints, and what they count."""
    counter = Counter()
    try:
        with running(known=lambda: endpoints(counter), **settings) as address:
            yield address, counter
    finally:
        counter.may_end.set()


@contextmanager
def page(address: str) -> Iterator[httpx.Client]:
    """Give a client that has opened the page and asks as the page does."""
    base = f"http://127.0.0.1:{port(address)}"
    with httpx.Client(base_url=base, headers={"Origin": base}, timeout=10) as client:
        assert client.get(address).status_code == 303
        yield client


def port(address: str) -> int:
    """Return an address's port."""
    found = httpx.URL(address).port
    assert found is not None
    return found


@contextmanager
def connected(address: str) -> Iterator[socket.socket]:
    """Give a bare connection."""
    with socket.create_connection(("127.0.0.1", port(address)), timeout=20) as connection:
        yield connection


def head(client: httpx.Client, path: str, **headers: str) -> bytes:
    """Return the head of a request as the page sends it, to be sent over a bare connection."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {client.base_url.netloc.decode()}", f"Origin: {client.headers['origin']}"]
    lines += ["Cookie: " + "; ".join(f"{name}={value}" for name, value in client.cookies.items())]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "Content-Type: application/json", "\r\n"]).encode()
