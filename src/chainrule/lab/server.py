"""The lab's server: it starts, says where, opens the browser, and ends when told to."""

from __future__ import annotations

import asyncio
import errno
import ipaddress
import os
import socket
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..errors import InputError
from .app import create_app, endpoints
from .endpoints import Endpoint, Lab
from .guard import REQUESTS_A_SECOND, Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from ..lessons import Progress

PORT = 8017
MIN_PASSWORD = 8  # characters
SECONDS_FOR_HEADERS = 10.0
_SECONDS_TO_READ = 30.0  # that a page may take nothing of an answer, before it counts as gone
_MAX_CONNECTIONS = 500
_MAX_HEADER_BYTES = 32 * 1024
SCREENS = ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
_SEND_BUFFER = 128 * 1024  # bytes that the system keeps for a page that reads slowly


def serve(
    host: str = "127.0.0.1", port: int | None = None, password: str | None = None, open_browser: bool = True
) -> None:
    """Serve the lab until Ctrl-C.

    Parameters
    ----------
    host : str
        An address of this machine.
    port : int, optional
        Without it 8017, or where that is taken any that is free.
    password : str, optional
        Needed where host is no loopback address; it lets people in who do not have the token.
    open_browser : bool
        Whether to open the page in the browser.

    Raises
    ------
    InputError
        When the address cannot be listened at, or a password is missing or too short.
    """
    if password is None and not is_loopback(host):
        raise InputError(f"{host} can be reached from other machines: give a password")
    if password is not None:
        check_password(password)
    with _listening(host, port) as listener:
        settings = Settings(listener.getsockname()[1], password)
        _say(f"The lab is at {_address(listener, f'token={settings.token}')} (Ctrl-C ends it)")
        if password is not None:
            _say(f"Other machines reach it at {_from_elsewhere(listener)} with the password")
        threading.Thread(target=_load, daemon=True).start()  # while the browser starts
        if open_browser and _has_screen():
            once = _address(listener, f"ticket={settings.ticket}")
            threading.Thread(target=_open, args=(once,), daemon=True).start()
        elif "SSH_CONNECTION" in os.environ:
            through = f"{settings.port}:{_here(listener)}"
            _say(f"To open it where you sit, run there first: ssh -L {through} HOST (HOST as when you came here)")
        with _lab(None) as lab, suppress(KeyboardInterrupt):
            _server(create_app(lab, settings)).run([listener])


def _say(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - it is what the command is for


def _open(address: str) -> None:
    if not webbrowser.open(address):
        _say("No browser can be started from here: open the address yourself")


def _load() -> None:
    """Load what answers need; what only training needs comes last, since it takes longest."""
    endpoints()
    import_module("chainrule.tables")


@contextmanager
def running(
    progress: Path | None = None,
    port: int = 0,
    password: str | None = None,
    requests_a_second: float = REQUESTS_A_SECOND,
    known: Callable[[], Mapping[str, Endpoint]] = endpoints,
) -> Iterator[str]:
    """Serve the lab in a thread as long as the context lasts, and give the address, with its token.

    Parameters
    ----------
    progress : Path, optional
        The file that learners' progress is kept in.
    port : int
        0 for any that is free.
    password : str, optional
    requests_a_second : float
        How many one client may send.
    known : callable
        Returns what may be asked, by its path.
    """
    with _listening("127.0.0.1", port) as listener, _lab(progress) as lab:
        settings = Settings(listener.getsockname()[1], password, requests_a_second=requests_a_second)
        server = _server(create_app(lab, settings, known))
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        try:
            yield _address(listener, f"token={settings.token}")
        finally:
            server.should_exit = True
            thread.join()


def check_password(password: str) -> None:
    """Refuse a password that is too short.

    Raises
    ------
    InputError
        When it is.
    """
    if len(password) < MIN_PASSWORD:
        raise InputError(f"the password is too short: it needs {MIN_PASSWORD} characters")


def is_loopback(host: str) -> bool:
    """Tell whether a host, by each of its addresses, can be reached from this machine only.

    Raises
    ------
    InputError
        When nothing is known by this name.
    """
    return all(ipaddress.ip_address(address[0]).is_loopback for _, address in _addresses(host, 0))


def _has_screen() -> bool:
    """Tell whether there is a place for a browser; without one, a browser of texts would take the terminal."""
    return os.name != "posix" or sys.platform == "darwin" or any(map(os.environ.get, SCREENS))


def _address(listener: socket.socket, query: str) -> str:
    """Return where the page is, for who started the lab."""
    return f"http://{_here(listener)}/?{query}"


def _here(listener: socket.socket) -> str:
    at, port = listener.getsockname()[:2]
    if ipaddress.ip_address(at).is_unspecified:
        at = "127.0.0.1" if listener.family == socket.AF_INET else "::1"
    return f"{_bracketed(at)}:{port}"


def _from_elsewhere(listener: socket.socket) -> str:
    """Return where the page is for other machines."""
    at, port = listener.getsockname()[:2]
    name = socket.gethostname() if ipaddress.ip_address(at).is_unspecified else at
    return f"http://{_bracketed(name)}:{port}/"


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address else address


@contextmanager
def _lab(path: Path | None) -> Iterator[Lab]:
    """Give what answers may use; the file of progress is opened when it is first needed, and closed at the end."""
    opened: list[Progress] = []
    opening = threading.Lock()

    def progress() -> Progress:
        from ..lessons import Progress

        with opening:
            if not opened:
                opened.append(Progress(path))
        return opened[0]

    try:
        yield Lab(progress)
    finally:
        for one in opened:
            one.close()


@contextmanager
def _listening(host: str, port: int | None) -> Iterator[socket.socket]:
    """Give a socket that listens at an address."""
    listener = _bound(host, port)
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)  # connections have it from here
        yield listener


def _bound(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens at the first address of a host that can be had."""
    for number in (PORT, 0) if port is None else (port,):
        failures = []
        for family, address in _addresses(host, number):
            try:
                return _bound_to(family, address)
            except OSError as error:
                failures.append(error)
    failed = next((error for error in failures if error.errno != errno.EADDRNOTAVAIL), failures[0])
    if failed.errno == errno.EADDRNOTAVAIL:
        raise InputError(f"{host} is no address of this machine")
    why = "is taken" if failed.errno == errno.EADDRINUSE else f"cannot be used ({failed.strerror})"
    raise InputError(f"port {number} of {host} {why}: choose another with --port")


def _addresses(host: str, port: int) -> list[tuple[socket.AddressFamily, Any]]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise InputError(
            f"no host is known as {host!r}: give a name or an address of this machine, such as 127.0.0.1"
        ) from None
    return [(family, address) for family, _, _, _, address in found]


def _bound_to(family: socket.AddressFamily, address: Any) -> socket.socket:
    # With its protocol named, asyncio sends small packets at once; else an answer would wait 40 ms for its body.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows, where the other option would share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except OSError:
        listener.close()
        raise
    return listener


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        http=_Connection,
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="critical",  # the guard logs what fails; what strangers send is not worth a line
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=1,
        h11_max_incomplete_event_size=_MAX_HEADER_BYTES,
    )
    return _Server(config)


class _Server(uvicorn.Server):
    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End all connections: a stream would not end by itself, and nobody waits for another answer."""
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in self.server_state.tasks:
            task.cancel()
        await super().shutdown(sockets)


class _Connection(H11Protocol):
    """A connection that is closed when nothing comes of it.

    That is, when the head of a request does not come within ten seconds, nothing of an answer is taken for 30, or it
    was closed and what is left is not taken.
    """

    _head: asyncio.TimerHandle | None = None
    _reader: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        if self._head is None and not self._is_answering():
            self._expect_head()
        super().data_received(data)
        if self._is_answering():
            _cancel(self._head)
            self._head = None

    def pause_writing(self) -> None:
        super().pause_writing()
        self._reader = self.loop.call_later(_SECONDS_TO_READ, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        _cancel(self._reader)

    def timeout_keep_alive_handler(self) -> None:
        super().timeout_keep_alive_handler()
        self.loop.call_later(_SECONDS_TO_READ, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._head)
        _cancel(self._reader)
        super().connection_lost(exc)

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect_head(self) -> None:
        self._head = self.loop.call_later(SECONDS_FOR_HEADERS, self.transport.abort)


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
