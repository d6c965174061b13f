"""The command ``chainrule lab`` as a user types it: real processes, asked over real connections."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from chainrule.cli.lab import VARIABLE
from chainrule.lab.server import SCREENS

PASSWORD = "correct horse"  # noqa: S105
COMMAND = [sys.executable, "-c", "from chainrule.cli import main; main()", "lab", "--no-browser"]
posix = pytest.mark.skipif(os.name != "posix", reason="needs signals and terminals of POSIX")


def environment(folder: Path, **more: str) -> dict[str, str]:
    usual = {name: value for name, value in os.environ.items() if name not in ("SSH_CONNECTION", *SCREENS)}
    return {**usual, "CHAINRULE_DATA": str(folder), "PYTHONUNBUFFERED": "1", **more}


@contextmanager
def started(
    folder: Path, *arguments: str, command: Sequence[str] = COMMAND, **more: str
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Give a lab that is running, and its address."""
    with subprocess.Popen(
        [*command, *arguments],
        env=environment(folder, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found
            yield process, found[0]
        finally:
            process.kill()


def refusal(folder: Path, *arguments: str, **more: str) -> str:
    """Return the one line with which the command refuses."""
    ended = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(folder, **more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("error: ")
    assert ended.stderr.count("\n") == 1
    return ended.stderr


@contextmanager
def entered(address: str) -> Iterator[httpx.Client]:
    """Give a client that has opened the page."""
    base = address.partition("/?")[0]
    with httpx.Client(base_url=base, headers={"Origin": base}, timeout=30) as client:
        assert client.get(address).status_code == 303
        yield client


@posix
def test_it_says_where_it_is_ends_with_ctrl_c_at_once_and_remembers_what_was_answered(tmp_path: Path) -> None:
    problem = {"family": "kink", "seed": 1, "parameters": {}}
    with started(tmp_path, "--port", "0") as (process, address):
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/\?token=[\w-]{43}", address)
        with entered(address) as client:
            answer = client.post("/api/practice/attempt", json={"learner": "Ada", "id": problem, "reply": 0})
            assert answer.json()["number"] == 1
            endless = {"data": {"name": "regression"}, "scene": {"inputs": 2}, "training": {"epochs": 10**6}}
            with client.stream("POST", "/api/train", json=endless) as training:
                next(training.iter_lines())
                began = time.monotonic()
                process.send_signal(signal.SIGINT)
                assert process.communicate(timeout=10) == ("", "")
                assert time.monotonic() - began < 5  # half a second where nothing else is going on
        assert process.returncode == 0
    with started(tmp_path, "--port", "0") as (process, address), entered(address) as client:
        shown = client.post("/api/practice/problem", json={"learner": "Ada", **problem})
        assert [one["reply"] for one in shown.json()["history"]] == [0]


def test_by_ssh_it_says_how_to_reach_it(tmp_path: Path) -> None:
    with started(tmp_path, "--port", "0", SSH_CONNECTION="10.0.0.1 50000 10.0.0.2 22") as (process, address):
        assert process.stdout is not None
        here = address.removeprefix("http://").partition("/")[0]
        port = here.rpartition(":")[2]
        told = process.stdout.readline()
        assert (
            told
            == f"To open it where you sit, run there first: ssh -L {port}:{here} HOST (HOST as when you came here)\n"
        )


@posix
def test_the_browser_is_let_in_by_a_ticket_and_one_that_fails_is_told(tmp_path: Path) -> None:
    browser, seen = tmp_path / "browser.py", tmp_path / "seen.txt"
    browser.write_text(
        "import sys, httpx\n"
        f"open({str(seen)!r}, 'w').write(f'{{sys.argv[1]}} {{httpx.get(sys.argv[1]).status_code}}')\n"
        "sys.exit(1)\n"
    )
    command = [one for one in COMMAND if one != "--no-browser"]
    start = f"{sys.executable} {browser} %s"
    with started(tmp_path, "--port", "0", command=command, BROWSER=start, PATH="") as (process, address):
        assert process.stdout is not None
        assert process.stdout.readline() == "No browser can be started from here: open the address yourself\n"
        where, status = seen.read_text().split()
        assert where.startswith(f"{address.partition('?')[0]}?ticket=")
        assert status == "303"


def test_where_its_port_is_taken_it_takes_another_unless_one_was_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told = refusal(tmp_path, "--port", str(port))
    assert told == f"error: port {port} of 127.0.0.1 is taken: choose another with --port\n"
    with started(tmp_path) as (_, first), started(tmp_path) as (_, second):
        assert first.partition("?")[0] != second.partition("?")[0]
        for address in (first, second):
            with entered(address):
                pass


def test_another_host_needs_i_know_and_a_password(tmp_path: Path) -> None:
    assert refusal(tmp_path, "--host", "0.0.0.0", **{VARIABLE: PASSWORD}) == (  # noqa: S104
        "error: --host 0.0.0.0 would let other machines use the lab, and nothing is encrypted on the way: add --i-know "
        "if that is wanted\n"
    )
    assert refusal(tmp_path, "--host", "0.0.0.0", "--i-know") == (  # noqa: S104
        f"error: other machines need a password: set {VARIABLE}, or start the lab in a terminal to type one\n"
    )
    assert refusal(tmp_path, "--host", "::", "--i-know", **{VARIABLE: "short"}) == (
        "error: the password is too short: it needs 8 characters\n"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--host", "203.0.113.5", "--i-know"], "203.0.113.5 is no address of this machine"),
        (["--host", "no such host"], "no host is known as 'no such host': give a name or an address of this machine"),
        (["--host", ""], "no host is known as ''"),
        (["--port", "99999"], "--port"),
        (["--prot", "8018"], "--prot"),
    ],
)
def test_what_cannot_be_is_told_in_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    assert said in refusal(tmp_path, *arguments, **{VARIABLE: PASSWORD})


def test_with_a_password_others_get_in_and_the_first_page_still_by_its_token(tmp_path: Path) -> None:
    with started(tmp_path, "--host", "0.0.0.0", "--i-know", "--port", "0", **{VARIABLE: PASSWORD}) as (  # noqa: S104
        process, address,
    ):  # fmt: skip
        assert process.stdout is not None
        base = address.partition("/?")[0]
        told = process.stdout.readline()
        reached = f"http://{socket.gethostname()}:{base.rpartition(':')[2]}/"
        assert told == f"Other machines reach it at {reached} with the password\n"
        with entered(address):
            pass
        with httpx.Client(base_url=base, headers={"Origin": base}) as stranger:
            assert 'type="password"' in stranger.get("/").text
            assert stranger.post("/login", data={"password": PASSWORD}).status_code == 303
            assert stranger.post("/api/practice/families", json={}).status_code == 200


@posix
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ([PASSWORD, PASSWORD], "The lab is at "),
        ([PASSWORD, "another one"], "error: these are two passwords: start again"),
        (["short", "short"], "error: the password is too short"),
    ],
)
def test_a_password_is_typed_twice_and_not_shown(typed: list[str], said: str, tmp_path: Path) -> None:
    shown = in_a_terminal(["--host", "0.0.0.0", "--i-know", "--port", "0"], typed, said, tmp_path)  # noqa: S104
    assert "A password for whoever comes from another machine: " in shown
    assert "The same again: " in shown
    assert not any(one in shown for one in (PASSWORD, "another one"))


def in_a_terminal(arguments: list[str], typed: list[str], last: str, folder: Path) -> str:
    """Return what a terminal shows until some last words, while answers are typed to what asks for them."""
    import pty

    variables = environment(folder)
    variables.pop(VARIABLE, None)
    terminal, end = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments], env=variables, stdin=end, stdout=end, stderr=end, start_new_session=True
    ) as process:
        os.close(end)
        shown, answers = "", iter(typed)
        try:
            while last not in shown:
                shown += os.read(terminal, 4096).decode()
                if shown.endswith(": ") and last not in shown:
                    os.write(terminal, f"{next(answers)}\n".encode())
        finally:
            process.kill()
            os.close(terminal)
    return shown


def test_the_help_does_not_wait_for_the_lab() -> None:
    code = "import sys, chainrule.cli; print(sys.modules.keys() & {'chainrule.lab', 'uvicorn', 'starlette', 'msgspec'})"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
