"""What the lab answers, and how it says what is wrong."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import httpx
import pytest

from chainrule.lab import bodies
from tests.helpers.serving import Counter, a_lab, connected, head, page


@pytest.fixture(scope="module")
def lab() -> Iterator[tuple[str, Counter]]:
    with a_lab(requests_a_second=10_000) as running:
        yield running


@pytest.fixture
def client(lab: tuple[str, Counter]) -> Iterator[httpx.Client]:
    with page(lab[0]) as client:
        yield client


def complaint(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["message"]


def test_an_answer_is_json_in_which_numbers_that_are_not_finite_are_null(client: httpx.Client) -> None:
    answer = client.post("/api/echo", json={"words": ["δ₁", "ℒ"], "number": 0.25})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {"words": ["δ₁", "ℒ"], "number": 0.25, "array": [1.0, None, None]}


def test_an_answer_is_there_at_once(client: httpx.Client) -> None:
    def seconds() -> float:
        began = time.perf_counter()
        client.post("/api/echo", json={})
        return time.perf_counter() - began

    assert min(seconds() for _ in range(10)) < 0.03  # two packets of which one waits for the other's receipt take 40 ms


def test_the_first_answer_does_not_wait_for_what_only_training_needs() -> None:
    code = "import sys; from chainrule.lab.app import endpoints; endpoints(); print('sklearn' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_file_is_a_download(client: httpx.Client) -> None:
    answer = client.post("/api/file", json={})
    assert answer.content == b"a,b\n1,2\n"
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="answers.csv"'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the request is not valid JSON: input data was truncated"),
        (b"{'words': 1}", "the request is not valid JSON: object keys must be strings (byte 1)"),
        (b'{"words": ["\xff"]}', "the request is no UTF-8: byte 13 is wrong"),
        (b'{"number": NaN}', "the request is not valid JSON: invalid character (byte 11)"),
        (b'{"number": 1e999}', "number is too large a number"),
        (b'{"number": ' + b"9" * 5000 + b"}", "number is too large a number"),
        (b'{"number": 11}', "number must be a number, at most 10"),
        (b'{"number": "1"}', "number must be a number, not a string"),
        (b'{"words": [["a"]]}', "words[0] must be a string, not a list"),
        (b'{"words": [' + b'"a",' * 100 + b'"a"]}', "words must have at most 100 entries"),
        (b'{"wrods": []}', "the request: unknown field 'wrods'; remove it"),
        (b"[" * 30_000, "the request must be an object, not a list"),
        (b"[]", "the request must be an object, not a list"),
        (b'{"words": "' + b"[" * 30_000 + b'"}', "words must be a list, not a string"),
    ],
)
def test_a_request_that_is_not_as_described_is_told_where(client: httpx.Client, body: bytes, message: str) -> None:
    answer = client.post("/api/echo", content=body, headers={"Content-Type": "application/json"})
    assert complaint(answer) == (400, message)


def test_what_is_not_there_or_asked_in_another_way(client: httpx.Client) -> None:
    assert complaint(client.post("/api/nothing", json={})) == (404, "there is nothing at /api/nothing")
    assert complaint(client.get("/nothing.js")) == (404, "there is nothing at /nothing.js")
    assert complaint(client.get("/../app.py")) == (404, "there is nothing at /app.py")
    assert complaint(client.get("/%2e%2e/app.py")) == (404, "there is nothing at /../app.py")
    assert complaint(client.get("/a%00b")) == (404, "there is nothing at /a\0b")
    asked = client.get("/api/echo")
    assert complaint(asked) == (405, "/api/echo is asked by POST, not GET")
    assert asked.headers["allow"] == "POST"
    refused = client.post("/api/openapi.json", json={})
    assert complaint(refused) == (405, "POST /api/openapi.json: Method Not Allowed")
    assert refused.headers["allow"] == "GET, HEAD"
    assert complaint(client.post("/")) == (405, "POST /: Method Not Allowed")
    assert complaint(client.request("BREW", "/api/echo")) == (405, "BREW /api/echo: Method Not Allowed")
    as_text = client.post("/api/echo", content=b"{}", headers={"Content-Type": "text/plain"})
    assert complaint(as_text) == (415, "a request is JSON: send it with Content-Type: application/json")


def test_what_the_user_can_mend_and_what_nobody_can(client: httpx.Client, caplog: pytest.LogCaptureFixture) -> None:
    assert complaint(client.post("/api/refuse", json={})) == (422, "this cannot be: ask for something else")
    busy = client.post("/api/busy", json={})
    assert complaint(busy) == (503, "four are running: wait until one ends")
    assert busy.headers["retry-after"] == "2"
    assert not caplog.records
    assert complaint(client.post("/api/fail", json={})) == (500, "the lab failed at this: its terminal says how")
    assert caplog.records[0].exc_text is not None
    assert "ZeroDivisionError: nobody thought of this" in caplog.records[0].exc_text


def test_a_request_has_a_length_that_its_endpoint_takes(client: httpx.Client, lab: tuple[str, Counter]) -> None:
    words = {"words": ["x" * 50_000] * 2}
    assert complaint(client.post("/api/echo", json=words)) == (413, "the request is longer than 64 KB")
    assert client.post("/api/echo-large", json=words).status_code == 200
    # Parts without a total, of which it takes only what it may have.
    with connected(lab[0]) as connection:
        connection.sendall(head(client, "/api/echo", Transfer_Encoding="chunked"))
        for _ in range(10):
            connection.sendall(b"2000\r\n" + b" " * 0x2000 + b"\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_request_comes_within_ten_seconds(
    client: httpx.Client, lab: tuple[str, Counter], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert bodies.SECONDS == 10
    monkeypatch.setattr(bodies, "SECONDS", 0.2)
    with connected(lab[0]) as connection:
        connection.sendall(head(client, "/api/echo", Content_Length="100", Connection="close"))
        connection.settimeout(0.05)
        answer = b""
        for _ in range(20):  # a byte now and then makes no difference
            with suppress(TimeoutError):
                connection.sendall(b" ")
                answer = connection.recv(65536)
                break
        connection.settimeout(5)
        while not answer.endswith(b"}") and (more := connection.recv(65536)):  # the body may come after its head
            answer += more
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"the request did not arrive within 0.2 seconds: send it again" in answer


def test_a_request_that_breaks_off_is_no_failure(
    client: httpx.Client, lab: tuple[str, Counter], caplog: pytest.LogCaptureFixture
) -> None:
    with connected(lab[0]) as connection:
        connection.sendall(head(client, "/api/echo", Content_Length="10") + b"{")
        time.sleep(0.1)  # until it is being read
    assert client.post("/api/echo", json={}).status_code == 200
    assert not caplog.records


def test_a_slow_answer_does_not_hold_up_others_and_takes_four_turns_at_most(
    client: httpx.Client, lab: tuple[str, Counter]
) -> None:
    counter = lab[1]
    counter.may_end.clear()
    with ThreadPoolExecutor(6) as threads:
        slow = [threads.submit(client.post, "/api/slow", json={}) for _ in range(6)]
        time.sleep(0.2)
        assert counter.slow == 4
        began = time.perf_counter()
        assert client.post("/api/echo", json={}).status_code == 200
        assert time.perf_counter() - began < 1
        counter.may_end.set()
        assert [answer.result().json() for answer in slow] == [{"ended": True}] * 6


def test_a_stream_sends_each_object_as_an_event(client: httpx.Client) -> None:
    answer = client.post("/api/three", json={})
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.text == "data: 0\n\ndata: 1\n\ndata: 2\n\n"


def test_a_stream_ends_at_once_when_the_page_goes(client: httpx.Client, lab: tuple[str, Counter]) -> None:
    with client.stream("POST", "/api/stream", json={}) as answer:
        lines = answer.iter_lines()
        assert next(lines) == 'data: {"number":0,"padding":""}'
        assert lab[1].is_soon(1)
    assert lab[1].is_soon(0, seconds=0.5)


def test_nothing_is_kept_for_a_page_that_does_not_read(client: httpx.Client, lab: tuple[str, Counter]) -> None:
    with connected(lab[0]) as connection:
        connection.sendall(head(client, "/api/flood", Content_Length="2") + b"{}")
        assert lab[1].is_soon(1)
        time.sleep(0.5)
        sent = lab[1].sent
        time.sleep(0.5)
        assert lab[1].sent == sent  # what both systems' buffers take, and nothing more


def test_a_page_that_does_not_read_can_go_too(client: httpx.Client, lab: tuple[str, Counter]) -> None:
    with connected(lab[0]) as connection:
        connection.sendall(head(client, "/api/flood", Content_Length="2") + b"{}")
        assert lab[1].is_soon(1)
        time.sleep(0.2)
    assert lab[1].is_soon(0, seconds=0.5)


def test_two_hundred_streams_leave_the_lab_answering(client: httpx.Client, lab: tuple[str, Counter]) -> None:
    address, counter = lab
    with ExitStack() as streams:
        for _ in range(200):
            connection = streams.enter_context(connected(address))
            connection.sendall(head(client, "/api/stream", Content_Length="2") + b"{}")
        assert counter.is_soon(200, seconds=10)
        began = time.perf_counter()
        assert client.post("/api/echo", json={}).status_code == 200
        assert time.perf_counter() - began < 1
    assert counter.is_soon(0, seconds=2)
