"""Asks the lab as the page does, but for the network: what is sent and what answers goes through JSON."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import msgspec

from chainrule.lab.answers import encode
from chainrule.lab.endpoints import Endpoint, File, Lab

_ENDPOINTS: dict[str, Endpoint] = {
    one.path: one
    for name in ("practice", "trying", "teaching", "timeline", "share")
    for one in import_module(f"chainrule.lab.{name}").ENDPOINTS
}


def ask(lab: Lab, path: str, body: dict[str, Any]) -> Any:
    """Return what answers, decoded; a file as it is."""
    endpoint = _ENDPOINTS[path]
    answer = endpoint.answer(lab, msgspec.json.decode(msgspec.json.encode(body), type=endpoint.body))
    return answer if isinstance(answer, File) else msgspec.json.decode(encode(answer))
