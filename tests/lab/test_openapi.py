"""The description of everything that may be asked."""

from __future__ import annotations

import msgspec
import pytest

from chainrule.lab.app import endpoints as all_endpoints
from chainrule.lab.endpoints import LARGE, SMALL
from chainrule.lab.openapi import description
from tests.helpers.serving import Counter, a_lab, endpoints, page


def test_the_description_says_what_is_sent_and_what_may_be_answered() -> None:
    made = description(endpoints(Counter()).values())
    assert made["openapi"] == "3.1.0"
    echo = made["paths"]["/api/echo"]["post"]
    assert (echo["operationId"], echo["summary"]) == ("echo", "Say it again")
    assert set(echo["responses"]) == {"200", "400", "403", "405", "408", "413", "415", "422", "429", "503"}
    words = made["components"]["schemas"]["Words"]
    assert words["additionalProperties"] is False
    assert words["properties"]["number"] == {"type": "number", "minimum": -10.0, "maximum": 10.0, "default": 0.0}


def test_it_is_served() -> None:
    with a_lab() as (address, counter), page(address) as client:
        made = msgspec.json.encode(description(endpoints(counter).values()))
        assert client.get("/api/openapi.json").json() == msgspec.json.decode(made)


def test_every_endpoint_is_described() -> None:
    known = all_endpoints()
    assert set(description(known.values())["paths"]) == set(known)
    for path, endpoint in known.items():
        assert path.startswith("/api/")
        assert endpoint.summary[:1].isupper()
        assert not endpoint.summary.endswith(".")
        assert endpoint.max_bytes in (SMALL, LARGE)


@pytest.mark.parametrize("path", sorted(all_endpoints()))
def test_whatever_is_sent_is_bounded(path: str) -> None:
    schema = description([all_endpoints()[path]])
    unbounded = [where for where in _unbounded(schema["components"]["schemas"], path) if "Error" not in where]
    assert not unbounded


def _unbounded(schema: object, where: str) -> list[str]:
    """Return where a text, list or number of a schema has no bound."""
    if isinstance(schema, list):
        return [found for number, part in enumerate(schema) for found in _unbounded(part, f"{where}[{number}]")]
    if not isinstance(schema, dict):
        return []
    bound = {
        "string": "maxLength",
        "array": "maxItems",
        "number": "maximum",
        "integer": "maximum",
    }.get(str(schema.get("type")))
    here = [where] if bound and bound not in schema and "enum" not in schema else []
    return here + [found for name, part in schema.items() for found in _unbounded(part, f"{where}.{name}")]
