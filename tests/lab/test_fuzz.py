"""Whatever its description allows is sent to the lab, and much that it does not; nothing ends in a failure."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import replace
from itertools import cycle, islice, pairwise
from typing import Any

import hypothesis
import msgspec
import pytest

from chainrule.activations import ACTIVATIONS
from chainrule.datasets.points import POINTS
from chainrule.lab import share
from chainrule.lab.app import create_app, endpoints
from chainrule.lab.endpoints import Endpoint, Lab, Stream
from chainrule.lab.guard import Settings
from chainrule.lab.openapi import description
from chainrule.lab.scene import MAX_INPUTS, MAX_SIZE
from chainrule.lab.timeline import Asked
from chainrule.lessons import FAMILIES, Progress
from chainrule.losses import LOSSES
from chainrule.optimizers import OPTIMIZERS

schemathesis = pytest.importorskip("schemathesis")
checks = pytest.importorskip("schemathesis.specs.openapi.checks")

FEW, MANY = 5, 25  # examples of each endpoint and kind
GUARD = Settings(8017, requests_a_second=1e6)
HEADERS = {
    "Host": "127.0.0.1:8017", "Origin": "http://127.0.0.1:8017", "Cookie": f"{GUARD.cookie}={GUARD.token}",
}  # fmt: skip
FRAMES = 2  # of a stream that are waited for
CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
]


def cut_short(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint whose streams end after some frames."""

    async def some(stream: Stream) -> AsyncIterator[Any]:
        async with aclosing(stream.events) as events:  # type: ignore[type-var]
            left = FRAMES
            async for event in events:
                yield event
                left -= 1
                if not left:
                    return

    def answer(lab: Lab, body: Any) -> Any:
        found = endpoint.answer(lab, body)
        return Stream(some(found)) if isinstance(found, Stream) else found

    return replace(endpoint, answer=answer)


def known() -> dict[str, Endpoint]:
    return {path: cut_short(endpoint) for path, endpoint in endpoints().items()}


def with_words(part: Any) -> Any:
    """Return the description with words for texts that are looked up, of which most are known: else few get further."""
    if isinstance(part, list):
        return [with_words(one) for one in part]
    if not isinstance(part, dict):
        return part
    changed = {name: with_words(one) for name, one in part.items()}
    for name, words in WORDS.items():
        if name in changed.get("properties", {}):
            changed["properties"][name] = {"enum": words}
    return changed


INPUTS = {**dict.fromkeys(POINTS, 2), "iris": 4, "wine": 13, "diabetes": 10}
A_MODEL = share.model(Lab(Progress), Asked()).content
WORDS: dict[str, list[Any]] = {
    "activation": [*ACTIVATIONS, "tnah"],
    "loss": [*LOSSES, "loss"],
    "optimizer": [*OPTIMIZERS, "sdg"],
    "family": [*FAMILIES, "recursoin"],
    "learner": ["Ada", "ü", "x" * 80],
    "typed": ["delta_3 w_3 (1-f_2^2)", "w_2", "0", "1/0", "((", "", "log(0)", "-2(y-f_2)", "0.5", "exp(exp(exp(9)))"],
    "reply": ["w_2", "δ₂f₁", "0.125", "1e999", "", 0, 3, [0], [0, 2], [1, 1]],
    "csv": ["a,b\n1,2\n3,4\n5,6\n", "a,b,c\n1,x,1\n2,y,0\n3,x,1\n4,,0\n", "a\n", "", "\0", "a,a\n1,1\n1,1\n", None],
    "name": [*INPUTS, "own", "iirs"],
    "content": [base64.b64encode(A_MODEL).decode(), "", "AAAA"],
    "target": ["a", "b", "species", None],
}


def more_sensible(body: Any) -> Any:
    """Return what is sent with sizes that go together, as the page keeps them, wherever it has the form for it."""
    if not isinstance(body, dict):
        return body
    scene, data, id = (body.get(name) for name in ("scene", "data", "id"))  # noqa: A001
    if isinstance(body.get("number"), int):  # of a hint, of which there are two at most
        body["number"] = 1 + body["number"] % 2
    if "typed" in body:
        body.pop("learner", None)  # whose answers alone could be tried
    if isinstance(scene, dict):
        scene["weights"] = scene["biases"] = None
        if isinstance(data, dict):
            scene["inputs"] = INPUTS.get(data.get("name", "circles"), 1)
        units = scene["layers"][-1].get("units", 1) if scene.get("layers") else 1
        scene["x"] = (scene.get("x", [0.5]) * MAX_INPUTS)[: scene.get("inputs", 1)]
        if scene.get("seed", 0) % 2:
            scene["weights"], scene["biases"] = extreme(scene)
        scene["y"] = [1] if scene.get("loss") == "cross_entropy" else (scene.get("y", [0.5]) * MAX_INPUTS)[:units]
    for entry in [body, *(body.get("entries") or [])] if id is None else [id]:
        if not isinstance(entry, dict):
            continue
        if entry.get("family") in [*FAMILIES]:
            entry["parameters"] = {}
        if isinstance(entry.get("count"), int):
            entry["count"] = min(entry["count"], 2)  # a formula of which the mistakes are not known yet takes a while
    return body


def extreme(scene: dict[str, Any]) -> tuple[list[Any], list[Any]]:
    """Return parameters of a scene in which are the largest and the smallest numbers that it may have."""
    numbers = cycle([MAX_SIZE, -0.5, 0.0, -MAX_SIZE, 5e-324, 1.0])
    layers = scene.get("layers") or [{}, {}, {}]
    widths = [scene.get("inputs", 1), *(layer.get("units", 1) for layer in layers)]
    weights = [[list(islice(numbers, after)) for _ in range(before)] for before, after in pairwise(widths)]
    biases = [list(islice(numbers, layer.get("units", 1))) if layer.get("bias") else None for layer in layers]
    return weights, biases


def with_whole_numbers(part: Any) -> Any:
    """Return what is sent with 2 for 2.0, as every browser writes it."""
    if isinstance(part, list):
        return [with_whole_numbers(one) for one in part]
    if isinstance(part, dict):
        return {name: with_whole_numbers(one) for name, one in part.items()}
    return int(part) if isinstance(part, float) and part.is_integer() else part


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with Progress(tmp_path_factory.mktemp("lab") / "progress.sqlite3") as progress:
        yield create_app(Lab(lambda: progress), GUARD, known)


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize("path", sorted(endpoints()))
@pytest.mark.parametrize("kind", ["as described", "sensible", "not as described"])
def test_no_request_makes_the_lab_fail(app: Any, path: str, kind: str, examples: int) -> None:
    described = msgspec.to_builtins(description([endpoints()[path]]))
    schema = schemathesis.openapi.from_dict(with_words(described) if kind == "sensible" else described)
    schema.app = app
    mode = schemathesis.GenerationMode.NEGATIVE if kind == "not as described" else schemathesis.GenerationMode.POSITIVE

    seen: set[int] = set()

    @hypothesis.settings(
        max_examples=examples, deadline=None, database=None, derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
    )  # fmt: skip
    @hypothesis.given(case=schema[path]["POST"].as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if kind != "not as described":
            case.body = with_whole_numbers(case.body)
        if kind == "sensible":
            case.body = more_sensible(case.body)
        response = case.call(headers=HEADERS, timeout=60)
        seen.add(int(response.status_code))
        case.validate_response(response, checks=CHECKS)
        if kind == "as described":
            assert response.status_code in (200, 422, 503), response.text
        elif kind == "not as described":
            assert 400 <= response.status_code < 500, response.text

    ask()
    is_refused = path == "/api/practice/solution"  # until a problem was answered
    if kind == "sensible" and examples == MANY and not is_refused:
        assert 200 in seen  # else nothing but refusals would have been tried
