"""Who may ask the lab for anything: a middleware that refuses everybody but the page that was opened at the start.

Another web site that is open in the same browser can send requests to this machine, and by DNS rebinding even make them
look as if they were its own. So a request has to name a host that is ours, come from our own page, and carry the token
of this start in a cookie that no other site's requests carry.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import os
import re
import secrets
import socket
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from starlette.datastructures import Address, Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .answers import complaint
from .bodies import BadRequest, read
from .gate import Gate

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
REQUESTS_A_SECOND = 100.0  # a slider that is dragged asks 60 times a second
_SECONDS_AT_ONCE = 4  # whose requests may come in one
_LOGINS_A_SECOND, _LOGINS_AT_ONCE = 1 / 12, 5
_LOGIN_BYTES = 2000
_MAX_CLIENTS = 1000
_CONNECTIONS = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
_log = logging.getLogger("chainrule.lab")


@dataclass(frozen=True)
class Settings:
    """What the guard goes by.

    Attributes
    ----------
    port : int
        The cookie is named after it, since a browser sends a cookie to all ports of a host.
    password : str or None
        What lets people in who do not have the token. With one, the lab may be asked for from other machines.
    token : str
        What the first page is opened with.
    ticket : str
        Does once what the token does. The browser is started with it: how a program was started, all users of a machine
        can see. Where it can be told, it lets in no other user's program. A file that leads to the page would
        hide it, but browsers that come as snaps cannot read such a file.
    requests_a_second : float
        How many one client may send, over a while.
    """

    port: int
    password: str | None = field(default=None, repr=False)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    ticket: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    requests_a_second: float = REQUESTS_A_SECOND

    @property
    def cookie(self) -> str:
        """The cookie's name."""
        return f"chainrule-{self.port}"


class Allowance:
    """How often each client may still do something: so often at once, and so often a second.

    Parameters
    ----------
    a_second : float
    at_once : int
    """

    def __init__(self, a_second: float, at_once: int) -> None:
        self._rate, self._most = a_second, float(at_once)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # client → how often, and when that was so

    def take(self, client: str) -> bool:
        """Tell whether a client may do it once more; if so, that counts."""
        now = time.monotonic()
        left, since = self._left.pop(client, (self._most, now))
        left = min(self._most, left + (now - since) * self._rate)
        may = left >= 1
        self._left[client] = (left - may, now)
        if len(self._left) > _MAX_CLIENTS:
            self._left.popitem(last=False)
        return may


class Guard:
    """The middleware.

    Parameters
    ----------
    app : ASGI application
        What is guarded.
    settings : Settings
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings
        self._gate = Gate(settings.port, with_password=settings.password is not None)
        self._requests = Allowance(settings.requests_a_second, int(_SECONDS_AT_ONCE * settings.requests_a_second))
        self._ticket = settings.ticket
        self._logins = Allowance(_LOGINS_A_SECOND, _LOGINS_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            return
        began = False

        async def send_guarded(message: Message) -> None:
            nonlocal began
            if message["type"] == "http.response.start":
                began = True
                _protect(MutableHeaders(raw=message["headers"]))
            await send(message)

        request = Request(scope, receive)
        try:
            response = self._refusal(request) or await self._entrance(request) or self._app
            await response(scope, receive, send_guarded)
        except Exception:
            _log.exception("%s %s failed", scope["method"], scope["path"])
            if began:
                raise
            response = complaint(HTTPStatus.INTERNAL_SERVER_ERROR, "the lab failed at this: its terminal says how")
            await response(scope, receive, send_guarded)

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that is refused, whoever sends it."""
        headers = request.headers
        if not self._is_ours(headers):
            return complaint(HTTPStatus.FORBIDDEN, "the lab is not known by this host name: use the address it printed")
        if not _comes_from_here(request):
            return complaint(HTTPStatus.FORBIDDEN, "another site may not use the lab")
        if request.method not in ("GET", "HEAD") and headers.get("origin") != f"http://{headers['host']}":
            return complaint(
                HTTPStatus.FORBIDDEN, f"only the lab's own page may send this: its Origin is http://{headers['host']}"
            )
        # Whoever is not in, as another user of this machine, takes nothing from the allowance of those who are.
        who = f"{_client(request)}{' in' * self._is_in(request)}"
        if not self._requests.take(who):
            return complaint(HTTPStatus.TOO_MANY_REQUESTS, "too many requests: wait for a second", {"Retry-After": "1"})
        return None

    def _is_ours(self, headers: Headers) -> bool:
        """Tell whether the host that is asked for is this one, by a name that nobody else can have.

        The port may be another, as with a tunnel to this machine: a page elsewhere is told by its Origin.
        """
        found = re.fullmatch(r"(\[[0-9a-f:.]+\]|[0-9a-z.-]+)(:\d{1,5})?", headers.get("host", "").lower())
        if found is None or len(headers.getlist("host")) > 1:
            return False
        name = found[1].strip("[]")
        if name == "localhost":
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return self._settings.password is not None and name in _own_names()
        return address.is_loopback or self._settings.password is not None

    def _is_in(self, request: Request) -> bool:
        """Tell whether a request carries the cookie of this start."""
        return _same(request.cookies.get(self._settings.cookie, ""), self._settings.token)

    async def _entrance(self, request: Request) -> Response | None:
        """Return the way in, or the closed gate; None for whoever is in."""
        settings, path = self._settings, request.scope["path"]
        if path == "/" and request.method == "GET":
            if "token" in request.query_params:
                right = _same(request.query_params["token"], settings.token)
                return self._admitted() if right else self._gate.closed()
            has_ticket = bool(self._ticket) and _same(request.query_params.get("ticket", ""), self._ticket)
            if has_ticket and not _is_anothers(request.client, settings.port):
                self._ticket = ""
                return self._admitted()
        if path == "/login" and settings.password is not None:
            return await self._login(request, settings.password)
        if self._is_in(request):
            return None
        if path.startswith("/api/"):
            return complaint(
                HTTPStatus.FORBIDDEN,
                "this page or program has not been let in, or the lab was started anew since: open the address that it "
                "printed, and go on here: nothing is lost",
            )
        return self._gate.closed()

    async def _login(self, request: Request, password: str) -> Response:
        if request.method != "POST":
            return RedirectResponse("/", HTTPStatus.SEE_OTHER)
        if not self._logins.take(_client(request)):
            return self._gate.closed(HTTPStatus.TOO_MANY_REQUESTS, "Too many tries: wait for a minute.")
        try:
            form = parse_qs((await read(request, _LOGIN_BYTES)).decode("utf-8", "replace"))
        except BadRequest as error:
            return complaint(error.status, str(error))
        if _same(form.get("password", [""])[0], password):
            return self._admitted()
        return self._gate.closed(HTTPStatus.FORBIDDEN, "This is not the password.")

    def _admitted(self) -> Response:
        response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        response.set_cookie(self._settings.cookie, self._settings.token, httponly=True, samesite="strict")
        return response


def _comes_from_here(request: Request) -> bool:
    """Tell whether our own page sends a request, or it was typed, or is a link to the page that a person follows."""
    headers = request.headers
    if headers.get("sec-fetch-site", "none") in ("same-origin", "none"):
        return True
    follows_link = headers.get("sec-fetch-mode") == "navigate" and headers.get("sec-fetch-dest") == "document"
    return follows_link and request.method == "GET" and request.scope["path"] == "/"


def _is_anothers(client: Address | None, port: int) -> bool:
    """Tell whether a connection to our port is known to be that of another user's program on this machine.

    Linux lists whose each one is. Root is trusted, who may also be what passes on connections from elsewhere.
    """
    if client is None:
        return False
    ours, its = f":{port:04X}", f":{client.port:04X}"
    try:
        tables = [table.read_text(encoding="ascii") for table in _CONNECTIONS if table.exists()]
    except OSError:  # it cannot be told
        return False
    for row in "".join(tables).splitlines():
        _, local, remote, _, _, _, _, user, *_ = row.split()
        if local.endswith(its) and remote.endswith(ours) and int(user) not in (0, os.getuid()):
            return True
    return False


def _protect(headers: MutableHeaders) -> None:
    """Add what tells a browser to be careful."""
    headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers["Cross-Origin-Opener-Policy"] = "same-origin"
    headers["Cross-Origin-Resource-Policy"] = "same-origin"
    headers.setdefault("Cache-Control", "no-cache" if "etag" in headers else "no-store")


def _client(request: Request) -> str:
    """Return who asks: of an IPv6 address the network, all of whose addresses may be one machine's."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address) or address.ipv4_mapped:
        return host
    return str(ipaddress.ip_network((address.packed, 64), strict=False))


def _same(given: str, wanted: str) -> bool:
    """Tell whether two secrets are the same, in a time that does not tell how much of them is."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), wanted.encode())


def _own_names() -> set[str]:
    name = socket.gethostname().lower()
    short = name.partition(".")[0]
    return {name, short, f"{short}.local"}
