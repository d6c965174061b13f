"""What tests of all views need: addresses that tell of a state, and the way to a control by keyboard."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from playwright.sync_api import Page

Open: TypeAlias = Callable[..., "Page"]
"""What the fixtures `open_page` and `visit` are."""
_MOST_PRESSES = 90


def link(view: str, state: Any) -> str:
    """Return the part of an address that tells of a view and of what differs from the defaults."""
    return f"#{view}?s={base64.urlsafe_b64encode(json.dumps(state).encode()).decode().rstrip('=')}"


def told(page: Page) -> Any:
    """Return what differs from the defaults, as the page's address has it."""
    text = page.evaluate("location.hash").partition("?s=")[2]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))) if text else {}


def tab_to(page: Page, wanted: str, is_there: str, key: str = "Tab") -> None:
    """Press a key until what has the focus is the one that is wanted.

    Parameters
    ----------
    wanted : str
        What it is called, or another mark of it.
    is_there : str
        An expression in JavaScript of `one`, which has the focus, and `wanted`.
    key : str
    """
    for _ in range(_MOST_PRESSES):
        if page.evaluate(f"wanted => (one => {is_there})(document.activeElement)", wanted):
            return
        page.keyboard.press(key)
    raise AssertionError(f"{wanted} cannot be reached by {key}")
