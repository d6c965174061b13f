"""Mutants: files and requests in which bytes, words, lines or values are changed, missing, repeated or out of range."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

# Bytes


def altered_bytes(rng: random.Random, content: bytes, others: list[bytes]) -> bytes:
    """Return a file with one of its parts changed, left out, doubled, or taken from another file."""
    new = bytearray(content)
    begin = rng.randrange(len(new) + 1)
    end = min(len(new), begin + rng.choice((1, 2, 8, 64, 1024)))
    kind = rng.randrange(9)
    if kind == 0 and begin < len(new):
        new[begin] ^= 1 << rng.randrange(8)
    elif kind == 1 and begin < len(new):
        new[begin] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
    elif kind == 2:
        del new[begin:]
    elif kind == 3:
        del new[begin:end]
    elif kind == 4:
        new[begin:begin] = new[begin:end] * rng.choice((1, 2, 100))
    elif kind == 5:
        other = rng.choice(others)
        new[begin:end] = other[begin : begin + rng.choice((1, 16, 256, len(other)))]
    elif kind == 6:
        size = rng.choice((1, 2, 4, 8))
        number = rng.choice((0, 1, 2**7, 2**15, 2**31, 2**40, 2**62, 2**63 - 1, 2**64 - 1, rng.getrandbits(64)))
        new[begin : begin + size] = (number % 2 ** (8 * size)).to_bytes(size, rng.choice(("little", "big")))
    elif kind == 7:
        new[begin:begin] = rng.randbytes(rng.choice((1, 4, 100)))
    else:
        new[begin:end] = bytes(len(new[begin:end]))
    return bytes(new)


# Text

WORDS = (
    '"', "'", ",", ";", "\t", "\n", "\r", "\r\n", "\0", "\ufeff", "\u2028", "\ud7ff", ":", ": ", "- ", "? ",
    "[", "]", "{", "}", "#", "&a ", "*a", "!!int ", "|\n", ">\n", "---\n", "...\n", "%YAML 9.9\n", "%YAML 1.1\n---\n",
    "%TAG ! a\n", "<<: ", "  ", "1e999", "-1", "0x1", "1_0", ".nan", "inf", "NaN", "null", "true", "9" * 400,
    "9" * 5000, "x" * 2000, "é", "2024-13-45", "99999-01-01", "12:99", "1,5", "^a$", "*", "title: t\n",
    "problems: []\n", "count: 99999999999999999999\n",
)  # fmt: skip


def altered_text(rng: random.Random, content: bytes, others: list[bytes]) -> bytes:
    """Return a text with a word or a line put in, left out, doubled or moved, or with a byte changed."""
    kind = rng.randrange(6)
    if kind == 0:
        return altered_bytes(rng, content, others)
    text = content.decode(errors="replace")
    lines = text.splitlines(keepends=True) or [""]
    line = rng.randrange(len(lines))
    if kind == 1:
        place = rng.randrange(len(text) + 1)
        return (text[:place] + rng.choice(WORDS) + text[place + rng.choice((0, 0, 1, 5)) :]).encode()
    if kind == 2:
        lines[line] = rng.choice(WORDS) + lines[line]
    elif kind == 3:
        del lines[line]
    elif kind == 4:
        lines[line:line] = [lines[line]] * rng.choice((1, 2, 200))
    else:
        lines.insert(rng.randrange(len(lines)), lines.pop(line))
    return "".join(lines).encode()


# JSON


def altered_json(rng: random.Random, value: Any) -> Any:
    """Return a JSON value in which one part is of another type or range, missing, doubled or unknown."""
    value = json.loads(json.dumps(value))
    places = list(_places(value))
    if not places:
        return _anything(rng, value)
    parent, key = rng.choice(places)
    kind = rng.randrange(10)
    if kind == 0:
        del parent[key]
    elif kind == 1:
        _, other = rng.choice(places), rng.choice(places)
        parent[key] = json.loads(json.dumps(other[0][other[1]]))
    elif kind == 2 and isinstance(parent, dict):
        parent[rng.choice(("name", "x", "", "\n", "x" * 10_000))] = parent[key]
    elif kind == 3 and isinstance(parent, list):
        parent[key:key] = [parent[key]] * rng.choice((1, 1000))
    elif kind == 4:
        parent[key] = [parent[key]]
    else:
        parent[key] = _anything(rng, parent[key])
    return value


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def _anything(rng: random.Random, before: Any) -> Any:
    """Return a value that is often of the same type as the one before."""
    numbers = [0, 1, -1, 2, 0.5, -0.0, 1e-320, 1e308, 2**31, 2**53, 2**63 - 1, 2**63, 2**64, 10**30, 10**400]
    numbers += [float("nan"), float("inf"), float("-inf")]
    strings = ["", "x", "\n", "\0", "\ud800", "x" * 10_000, "tanh", "softmax", "adam", "native", "reference", "float32"]
    if rng.random() < 0.5:
        if isinstance(before, bool):
            return not before
        if isinstance(before, (int, float)):
            return rng.choice([*numbers, before + 1, before - 1, before * 1000, float(before), int(before)])
        if isinstance(before, str):
            return rng.choice([*strings, before + "x", before[1:], before.upper()])
    deep: Any = 0
    for _ in range(rng.choice((1, 10, 200, 900))):
        deep = [deep] if rng.random() < 0.5 else {"name": deep}
    return rng.choice([None, True, False, [], {}, [1], {"name": "x"}, [[1.0]] * 1000, deep, *numbers, *strings])


def altered_tensor_file(rng: random.Random, content: bytes, others: list[bytes]) -> bytes:
    """Return a tensor file with bytes, its header, or the JSON document in it altered."""
    kind = rng.randrange(4)
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    if kind == 0:
        return altered_bytes(rng, content, others)
    if kind == 1:
        header = altered_json(rng, header)
    else:
        document = altered_json(rng, json.loads(header["__metadata__"]["document"]))
        header["__metadata__"]["document"] = json.dumps(document)
    written = json.dumps(header).encode()
    return len(written).to_bytes(8, "little") + written + content[8 + length :]


def altered_request(rng: random.Random, content: bytes, others: list[bytes]) -> bytes:
    """Return a path and a request below it in which a part, a model file within it, or a byte is altered."""
    path, _, body = content.partition(b"\n")
    kind = rng.randrange(4)
    if kind == 0:
        return path + b"\n" + altered_bytes(rng, body, [other.partition(b"\n")[2] for other in others])
    request = json.loads(body)
    if kind == 1 and isinstance(request.get("content"), str):
        file = base64.b64decode(request["content"])
        request["content"] = base64.b64encode(altered_tensor_file(rng, file, [file])).decode()
    else:
        request = altered_json(rng, request)
    return path + b"\n" + json.dumps(request).encode()


# Mutants of a kind

ALTER: dict[str, Callable[[random.Random, bytes, list[bytes]], bytes]] = {
    "models": altered_tensor_file, "checkpoints": altered_tensor_file, "parquet": altered_bytes, "arrow": altered_bytes,
    "csv": altered_text, "lessons": altered_text, "links": altered_request,
}  # fmt: skip


def mutant(kind: str, seed: int, index: int, files: list[bytes]) -> bytes:
    """Return a mutant: an example after one alteration, or after a few."""
    rng = random.Random(f"{seed} {kind} {index}")  # noqa: S311 - the same in every version of Python
    content = rng.choice(files)
    # What has no header or is no JSON any more is left as it is.
    for _ in range(rng.choice((1, 1, 1, 2, 5))):
        with suppress(ArithmeticError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
            content = ALTER[kind](rng, content, files)
    return content
