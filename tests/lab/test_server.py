"""The lab as it is started: requests that no page of its own would send, and pages that go in the middle of things."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from chainrule.errors import InputError
from chainrule.lab import jobs, server
from chainrule.lab.server import running, serve
from tests.helpers.serving import connected, head, page, port

LONG = {
    "scene": {"inputs": 2},
    "data": {"name": "regression", "rows": 20},
    "training": {"epochs": 1_000_000, "seconds": 600},
}
"""A training that does not end by itself."""


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("lab") / "progress.sqlite3") as address:
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with page(address) as client:
        yield client


def is_soon(number: int, seconds: float = 5.0) -> bool:
    """Tell whether so many trainings are running within some seconds."""
    end = time.monotonic() + seconds
    while jobs.running() != number and time.monotonic() < end:
        time.sleep(0.01)
    return jobs.running() == number


def answers(client: httpx.Client) -> bool:
    """Tell whether the lab shows a network to a page."""
    return client.post("/api/timeline", json={"scene": {}}).status_code == 200


def begin(client: httpx.Client, connection: socket.socket, body: dict[str, Any] = LONG) -> None:
    """Ask for a training over a bare connection."""
    sent = json.dumps(body).encode()
    connection.sendall(head(client, "/api/train", Content_Length=str(len(sent))) + sent)


def status(connection: socket.socket) -> int:
    return int(connection.recv(12)[9:12])


@pytest.mark.parametrize("path", ["/api/timeline", "/api/train", "/api/practice/attempt", "/api/teach/export"])
def test_only_the_page_may_ask(client: httpx.Client, path: str) -> None:
    for headers in ({"Host": "evil.example"}, {"Origin": "http://evil.example"}, {"Cookie": "chainrule=wrong"}):
        assert client.post(path, json=LONG, headers=headers).status_code == 403
    assert jobs.running() == 0


def test_who_sends_too_much_hears_so(client: httpx.Client) -> None:
    refused = client.post("/api/train", content=b" " * 6_000_000, headers={"Content-Type": "application/json"})
    assert refused.status_code == 413
    assert refused.json()["error"]["message"] == "the request is longer than 4,096 KB"
    assert answers(client)


def test_what_would_never_end_is_refused_at_once(client: httpx.Client, address: str) -> None:
    with connected(address) as connection:
        connection.sendall(head(client, "/api/train", Content_Length=str(10**15)))
        assert status(connection) == 413
    assert answers(client)


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",  # as with https
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /api/train HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"POST /api/train HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST /api/train HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffffff\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\n" + b"X: x\r\n" * 20_000 + b"\r\n",
        b"A" * 100_000,
    ],
)
def test_what_is_no_request_is_refused(client: httpx.Client, address: str, sent: bytes) -> None:
    with connected(address) as connection:
        try:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)
        except ConnectionError:
            answer = b""
    assert answer[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.1 403", b"HTTP/1.1 431")
    assert answers(client)


def test_who_says_nothing_is_not_waited_for(
    client: httpx.Client, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "SECONDS_FOR_HEADERS", 0.3)
    with ExitStack() as open_ones:
        slow = [open_ones.enter_context(connected(address)) for _ in range(50)]
        for number, connection in enumerate(slow):
            connection.sendall(b"GET / HTTP/1.1\r\nHost: "[:number])
        with suppress(ConnectionError):
            for _ in range(40):
                slow[-1].sendall(b"x")
                time.sleep(0.02)
            pytest.fail("who sends a byte now and then is waited for")
        assert answers(client)
        for connection in slow[:-1]:
            connection.settimeout(3)
            with suppress(ConnectionResetError):
                assert connection.recv(1) == b""


def test_a_page_that_goes_ends_its_training(client: httpx.Client) -> None:
    with client.stream("POST", "/api/train", json=LONG) as answer:
        lines = answer.iter_lines()
        assert json.loads(next(lines).removeprefix("data: "))["weights"]
        assert jobs.running() == 1
    assert is_soon(0)
    assert answers(client)


def test_a_page_that_goes_before_it_has_heard_anything_ends_its_training(client: httpx.Client, address: str) -> None:
    for _ in range(8):
        with connected(address) as connection:
            begin(client, connection)
    assert is_soon(0)
    assert answers(client)


def test_of_two_hundred_pages_that_train_four_are_let_in(client: httpx.Client, address: str) -> None:
    with ExitStack() as open_ones:
        connections = [open_ones.enter_context(connected(address)) for _ in range(200)]
        for connection in connections:
            begin(client, connection)
        assert answers(client)
        found = [status(connection) for connection in connections]
        assert {*found} == {200, 503}
        assert found.count(200) == jobs.AT_ONCE == jobs.running()
        assert answers(client)
    assert is_soon(0)
    assert not [one for one in threading.enumerate() if one.name == jobs.NAME]
    assert answers(client)


def test_a_lab_that_is_stopped_ends_all_trainings_at_once(tmp_path: Path) -> None:
    with ExitStack() as open_ones:
        with running(tmp_path / "progress.sqlite3") as address, page(address) as client:
            for _ in range(3):
                begin(client, open_ones.enter_context(connected(address)))
            assert is_soon(3)
            began = time.monotonic()
        assert time.monotonic() - began < 3
        assert is_soon(0)


def replies(client: httpx.Client, problem: dict[str, Any]) -> list[int]:
    """Return what Ada has answered to a problem so far."""
    shown = client.post("/api/practice/problem", json={"learner": "Ada", **problem}).json()
    return [one["reply"] for one in shown["history"]]


def test_stop_and_start_again_loses_no_answer_and_lets_no_old_page_in(tmp_path: Path) -> None:
    problem = {"family": "kink", "seed": 1, "parameters": {}}
    answered = {"learner": "Ada", "id": problem, "reply": 0}
    with running(tmp_path / "progress.sqlite3") as address, page(address) as client:
        assert client.post("/api/practice/attempt", json=answered).json()["number"] == 1
        with running(tmp_path / "progress.sqlite3") as beside, page(beside) as other:  # as after the power has failed
            assert replies(other, problem) == [0]
    with running(tmp_path / "progress.sqlite3", port=port(address)) as again:
        with httpx.Client(base_url=client.base_url, headers=client.headers, cookies=client.cookies) as before:
            assert before.post("/api/practice/attempt", json=answered).status_code == 403
        with page(again) as client:
            assert replies(client, problem) == [0]


def test_another_host_needs_a_password_that_is_long_enough() -> None:
    with pytest.raises(InputError, match="can be reached from other machines: give a password"):
        serve("0.0.0.0")  # noqa: S104
    with pytest.raises(InputError, match="the password is too short: it needs 8 characters"):
        serve("0.0.0.0", password="1234567")  # noqa: S104, S106


@pytest.mark.parametrize(
    ("host", "is_one"),
    [
        ("127.0.0.1", True), ("127.8.9.1", True), ("::1", True), ("localhost", True), ("::", False),
        ("0.0.0.0", False),  # noqa: S104
        ("192.168.0.7", False), ("::ffff:192.168.0.7", False),
    ],
)  # fmt: skip
def test_what_is_loopback(host: str, is_one: bool) -> None:
    assert server.is_loopback(host) is is_one


def test_a_host_of_several_addresses_is_had_by_the_first_that_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = ["203.0.113.5", "127.0.0.1"]  # of which the first is none of this machine's

    def found(host: str, port: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 0, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with server._listening("localhost", 0) as listener:
        name, taken = listener.getsockname()
        assert name == "127.0.0.1"
        addresses.reverse()
        with pytest.raises(InputError, match=f"{taken} of localhost is taken"), server._listening("localhost", taken):
            pass
    assert not server.is_loopback("localhost")
