"""Who may ask the lab, and who may not."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.requests import Request

from chainrule.lab import guard
from chainrule.lab.guard import Allowance
from tests.helpers.serving import a_lab, connected, page, port

PASSWORD = "correct horse"  # noqa: S105


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with a_lab(requests_a_second=10_000) as (address, _):
        yield address


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    with page(address) as client:
        yield client


def ask(client: httpx.Client, **headers: str) -> httpx.Response:
    """Ask as the page does, but for some headers."""
    return client.post("/api/echo", json={}, headers={name.replace("_", "-"): value for name, value in headers.items()})


def message(response: httpx.Response) -> str:
    said = response.json()["error"]["message"]
    assert isinstance(said, str)
    return said


def test_the_token_lets_the_browser_in_by_a_cookie_of_its_own(address: str) -> None:
    at, base = port(address), address.partition("?")[0]
    with httpx.Client() as client:
        entered = client.get(address)
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        cookie = entered.headers["set-cookie"]
        assert cookie.startswith(f"chainrule-{at}=")
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        assert client.get(base).status_code != 403


@pytest.mark.parametrize("query", ["", "?token=", "?token=wrong", "?token=%ff", "?ticket=", "?ticket=wrong", "?again"])
def test_without_it_there_is_a_page_that_says_what_to_do(address: str, query: str) -> None:
    answer = httpx.get(address.partition("?")[0] + query)
    assert answer.status_code == 403
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Open the address that <code>chainrule lab</code> printed" in answer.text
    assert "script-src 'sha256-" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers


def test_nothing_else_is_there_without_it(address: str) -> None:
    base = address.partition("/?")[0]
    for path in ("/app.js", "/index.html", "/nothing", "/login"):
        assert httpx.get(base + path).status_code == 403
    for path in ("/api/echo", "/api/openapi.json", "/api/nothing"):
        answer = httpx.post(base + path, json={}, headers={"Origin": base})
        assert answer.status_code == 403
        assert message(answer).startswith("this page or program has not been let in, or the lab was started anew")


def test_a_ticket_that_others_may_have_seen_lets_in_once_and_no_program_of_theirs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(guard, "_CONNECTIONS", (tmp_path / "tcp", tmp_path / "tcp6"))
    monkeypatch.setattr(secrets, "token_urlsafe", lambda length: "known")
    with a_lab() as (address, _):
        at = port(address)

        def status_for(user: int) -> bytes:
            """Return how a program of a user is answered that shows the ticket."""
            with connected(address) as connection:
                its = connection.getsockname()[1]
                both = (at, its, 1000), (its, at, user)  # each end's port, the other's, and whose it is
                rows = (f"0: 0100007F:{a:04X} 0100007F:{b:04X} 01 0:0 0:0 0 {c} 0 8 1 0\n" for a, b, c in both)
                (tmp_path / "tcp").write_text("".join(["sl local_address rem_address st queues tr retr uid\n", *rows]))
                connection.sendall(b"GET /?ticket=known HTTP/1.1\r\nHost: localhost\r\n\r\n")
                return connection.recv(4096).split()[1]

        monkeypatch.setattr(os, "getuid", lambda: 1000, raising=False)
        assert [status_for(user) for user in (1001, 1000, 1000)] == [b"403", b"303", b"403"]


@pytest.mark.parametrize("value", ["", "wrong", "ü", "a" * 10_000])
def test_a_wrong_cookie(address: str, value: str) -> None:
    base = address.partition("/?")[0]
    cookie = f"chainrule-{port(address)}={value}".encode()
    assert httpx.get(base, headers={b"Cookie": cookie}).status_code == 403


def test_the_page_may_ask(client: httpx.Client) -> None:
    assert ask(client).status_code == 200
    assert ask(client, Sec_Fetch_Site="same-origin").status_code == 200


def test_by_other_names_of_this_machine_and_through_a_tunnel(client: httpx.Client) -> None:
    for host in ("localhost:8017", "127.0.0.1", "127.0.0.1:9000", "[::1]:8017", "LOCALHOST"):
        assert ask(client, Host=host, Origin=f"http://{host}").status_code == 200, host


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8017",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1:80:80",
        "0.0.0.0:8017",
        "192.168.0.7:8017",
        "[::1].evil.example",
        "127.0.0.1 evil",
        "localhost\u0130",
        "",
    ],
)
def test_a_wrong_host_is_refused(client: httpx.Client, host: str) -> None:
    answer = client.get("/", headers={b"Host": host.encode()})
    assert answer.status_code == 403
    assert message(answer) == "the lab is not known by this host name: use the address it printed"
    refused = client.post("/api/echo", json={}, headers={b"Host": host.encode(), b"Origin": f"http://{host}".encode()})
    assert refused.status_code == 403


def test_no_host_or_two_are_refused(client: httpx.Client, address: str) -> None:
    for request in (b"GET / HTTP/1.0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nHost: localhost\r\n\r\n"):
        with connected(address) as connection:
            connection.sendall(request)
            assert connection.recv(4096).split()[1] in (b"400", b"403")


@pytest.mark.parametrize(
    "origin",
    ["http://evil.example", "null", "http://127.0.0.1:9", "http://localhost:{}", "https://127.0.0.1:{}", "", "*"],
)
def test_a_wrong_origin_is_refused(client: httpx.Client, origin: str) -> None:
    refused = ask(client, Origin=origin.format(client.base_url.port))
    assert refused.status_code == 403
    assert message(refused) == f"only the lab's own page may send this: its Origin is {client.headers['origin']}"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_no_origin_is_refused(client: httpx.Client, method: str) -> None:
    del client.headers["origin"]
    assert client.request(method, "/api/echo").status_code == 403


@pytest.mark.parametrize("site", ["cross-site", "same-site", "made up"])
def test_other_sites_may_not_even_look(client: httpx.Client, site: str) -> None:
    for headers in ({}, {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "no-cors"}):
        answer = client.get("/", headers={"Sec-Fetch-Site": site, **headers})
        assert answer.status_code == 403
        assert message(answer) == "another site may not use the lab"
    assert ask(client, Sec_Fetch_Site=site).status_code == 403
    by_link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.get("/", headers=by_link).status_code != 403
    assert client.get("/app.js", headers=by_link).status_code == 403


@pytest.mark.parametrize("path", ["/", "/nothing", "/api/nothing", "/api/openapi.json"])
def test_every_answer_tells_the_browser_to_be_careful(client: httpx.Client, path: str) -> None:
    for headers in (client.get(path).headers, httpx.get(str(client.base_url) + path).headers):
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] in ("no-referrer", "same-origin")
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert headers["cache-control"] in ("no-store", "no-cache")
        assert "server" not in headers
        assert not any(name.startswith("access-control") for name in headers)


def test_a_slider_may_be_dragged_but_nobody_may_flood() -> None:
    with a_lab(requests_a_second=1) as (address, _), page(address) as client:
        answers = [ask(client) for _ in range(10)]
        assert {answer.status_code for answer in answers[:3]} == {200}  # with the page itself, which came first
        refused = answers[-1]
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert message(refused) == "too many requests: wait for a second"


def test_who_is_not_in_cannot_take_the_allowance_of_who_is() -> None:
    with a_lab(requests_a_second=1) as (address, _), page(address) as client, httpx.Client() as stranger:
        assert 429 in [stranger.get(client.base_url).status_code for _ in range(10)]
        assert ask(client).status_code == 200


def test_an_allowance_comes_back_with_time_for_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    allowance = Allowance(a_second=2, at_once=3)
    assert [allowance.take("a") for _ in range(5)] == [True, True, True, False, False]
    assert allowance.take("b")
    now = 1.0
    assert [allowance.take("a") for _ in range(3)] == [True, True, False]
    now = 100.0
    assert [allowance.take("a") for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.168.0.7", "192.168.0.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("::ffff:192.168.0.7", "::ffff:192.168.0.7"),
        ("testclient", "testclient"),
    ],
)
def test_who_asks_is_told_by_the_network_where_a_machine_may_have_all_of_it(host: str, client: str) -> None:
    assert guard._client(Request({"type": "http", "client": (host, 1)})) == client


class TestAPassword:
    """With which other machines are let in."""

    @pytest.fixture
    def address(self) -> Iterator[str]:
        with a_lab(password=PASSWORD) as (address, _):
            yield address

    @pytest.fixture
    def stranger(self, address: str) -> Iterator[httpx.Client]:
        base = f"http://127.0.0.1:{port(address)}"
        with httpx.Client(base_url=base, headers={"Origin": base}) as client:
            yield client

    def test_is_asked_for(self, stranger: httpx.Client) -> None:
        answer = stranger.get("/")
        assert answer.status_code == 403
        assert '<input type="password" name="password"' in answer.text
        assert answer.headers["referrer-policy"] == "same-origin"  # else browsers send no Origin with the form
        assert stranger.get("/login").headers["location"] == "/"

    def test_lets_in(self, stranger: httpx.Client) -> None:
        entered = stranger.post("/login", data={"password": PASSWORD})
        assert (entered.status_code, entered.headers["location"]) == (303, "/")
        assert ask(stranger).status_code == 200

    def test_wrong_ones_may_be_tried_five_times(self, stranger: httpx.Client) -> None:
        for tried in ("", "wrong", PASSWORD + " ", PASSWORD.upper(), "ü"):
            answer = stranger.post("/login", data={"password": tried})
            assert answer.status_code == 403
            assert "This is not the password." in answer.text
        answer = stranger.post("/login", data={"password": PASSWORD})
        assert answer.status_code == 429
        assert "Too many tries: wait for a minute." in answer.text

    def test_odd_forms(self, stranger: httpx.Client) -> None:
        assert stranger.post("/login", content=b"\xff\x00%").status_code == 403
        assert stranger.post("/login", data={"password": "x" * 3000}).status_code == 413
        assert stranger.post("/login", data={"password": PASSWORD}, headers={"Origin": "null"}).status_code == 403

    def test_the_machine_is_known_by_its_addresses_and_name(
        self, stranger: httpx.Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(socket, "gethostname", lambda: "Lecture.example.org")
        stranger.post("/login", data={"password": PASSWORD})
        for host in ("192.168.0.7:8017", "[fe80::1]:8017", "lecture:8017", "lecture.local", "lecture.example.org:80"):
            assert ask(stranger, Host=host, Origin=f"http://{host}").status_code == 200, host
        assert ask(stranger, Host="evil.example", Origin="http://evil.example").status_code == 403


def test_no_secret_is_shown_by_mistake() -> None:
    settings = guard.Settings(8017, PASSWORD)
    assert repr(settings) == f"Settings(port=8017, requests_a_second={guard.REQUESTS_A_SECOND})"
