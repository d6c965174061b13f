"""The description of everything that may be asked, in OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from .. import __version__
from .endpoints import Endpoint

_REFUSALS = {
    "400": "It is no JSON, or not of this form.",
    "403": "Its Host, Origin or cookie is wrong.",
    "405": "It is asked by another method than POST.",
    "408": "It does not arrive in time.",
    "413": "It is too long.",
    "415": "Its Content-Type is another.",
    "422": "What it asks for is not possible, and why.",
    "429": "There were too many requests.",
    "503": "Too much is going on.",
}


def description(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """Return the description of endpoints."""
    listed = sorted(endpoints, key=lambda endpoint: endpoint.path)
    bodies, components = msgspec.json.schema_components(
        [endpoint.body for endpoint in listed], ref_template="#/components/schemas/{name}"
    )
    return {
        "openapi": "3.1.0",
        "info": {"title": "chainrule lab", "version": __version__},
        "paths": {
            endpoint.path: {"post": _operation(endpoint, body)} for endpoint, body in zip(listed, bodies, strict=True)
        },
        "components": {"schemas": {**components, "Error": _ERROR}},
    }


_ERROR = {
    "type": "object",
    "properties": {
        "error": {"type": "object", "properties": {"message": {"type": "string"}}, "required": ["message"]},
    },
    "required": ["error"],
}


def _operation(endpoint: Endpoint, body: dict[str, Any]) -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    refusals = {status: {"description": why, "content": error} for status, why in _REFUSALS.items()}
    return {
        "summary": endpoint.summary,
        "operationId": endpoint.path.removeprefix("/api/").replace("/", "_").replace("-", "_"),
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {"200": {"description": "The answer."}, **refusals},
    }
