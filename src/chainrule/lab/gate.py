"""The page for who is not in: it says how to get in, or asks for the password."""

from __future__ import annotations

import base64
import hashlib
import html
from http import HTTPStatus

from starlette.responses import HTMLResponse

_STYLE = """
:root { color-scheme: light dark; }
body { font: 1.05rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1.5rem; }
code { font-size: 1rem; padding: 0.1rem 0.3rem; border: 1px solid; border-radius: 4px; }
input, button { font: inherit; padding: 0.4rem 0.7rem; margin: 0.3rem 0; }
"""
# A link to the lab in a message or on another site arrives without the cookie, which is sent only from our own pages.
# This one is ours: once it asks for the page itself, the cookie comes along.
_SCRIPT = """if (location.pathname === "/" && !location.search) location.replace("/?again" + location.hash);"""


class Gate:
    """The page, as answers.

    Parameters
    ----------
    port : int
    with_password : bool
        Whether a password lets in.
    """

    def __init__(self, port: int, with_password: bool) -> None:
        self._port, self._with_password = port, with_password

    def closed(self, status: HTTPStatus = HTTPStatus.FORBIDDEN, message: str = "") -> HTMLResponse:
        """Return the page, with a message where there is one."""
        body = _FORM if self._with_password else _TEXT
        said = f"<p role=alert>{html.escape(message)}</p>" if message else ""
        page = _FRAME.format(style=_STYLE, script=_SCRIPT, body=said + body)
        return HTMLResponse(page, status, {"Content-Security-Policy": _POLICY, "Referrer-Policy": "same-origin"})


_FRAME = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>chainrule lab</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><style>{style}</style>'
    "<script>{script}</script></head><body><main><h1>chainrule lab</h1>{body}</main></body></html>"
)
_TEXT = (
    "<p>The lab is running, but this browser has not been let in. Only who started it may use it.</p>"
    "<p>Open the address that <code>chainrule lab</code> printed in the terminal when it started; it ends in "
    "<code>?token=…</code>. Where that is gone, stop the lab with Ctrl-C and start it again.</p>"
    "<p>Then load this page again: what it shows is in its address.</p>"
)
_FORM = (
    '<form method="post" action="/login"><p><label>Password <br><input type="password" name="password" '
    'autocomplete="current-password" required autofocus></label> <button>Enter</button></p></form>'
    "<p>It was chosen by whoever started the lab.</p>"
)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# form-action names where a form may lead, redirects too.
_POLICY = (
    f"default-src 'none'; style-src {_hash(_STYLE)}; script-src {_hash(_SCRIPT)}; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
