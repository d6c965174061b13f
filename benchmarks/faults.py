"""Alters files and requests at random and reads them: each must give a result or an error of one line.

    python benchmarks/faults.py --mutants 20000 --kind all

The kinds are models, checkpoints, Parquet, Arrow and CSV tables, lesson files, and the requests that a share link of
the lab leads to. A mutant fails that raises another exception, ends the process, or takes more than 10 s or 1 GiB.
Parquet and Arrow files are read without the process of their own that :func:`chainrule.tables.read_table` gives them;
where that ends the worker or takes too long, and for one file in a hundred, `read_table` reads the file, too.

The command prints the seed and how often each outcome occurred, and for every failure its smallest mutant, which is
kept in the folder --keep. It ends with status 1 if there was a failure.
"""

from __future__ import annotations

import argparse
import base64
import io
import json
import multiprocessing
import os
import random
import secrets
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

from systems.machine import described

SECONDS, MEMORY = 10.0, 2**30
KINDS = ("models", "checkpoints", "parquet", "arrow", "csv", "lessons", "links")
TABLES = {"parquet": ".parquet", "arrow": ".arrow", "csv": ".csv"}
RESULT, REFUSED, CONTAINED = "result", "error of one line", "contained"
CHECKED_AS_A_WHOLE = 100  # of the binary tables, one in this many
PREPARED = 4  # of the tables that can be read, one in about this many: preparing takes ten times as long

# Mutants: bytes


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


# Mutants: text

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


# Mutants: JSON


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


# Files and requests to begin with


def examples(kind: str) -> list[bytes]:
    """Return valid files or requests of a kind."""
    return {
        "models": _models, "checkpoints": _checkpoints, "parquet": _tables, "arrow": _tables, "csv": _tables,
        "lessons": _lessons, "links": _links,
    }[kind](kind)  # fmt: skip


def _frames() -> list[Any]:
    import polars as pl

    from chainrule.datasets import load_dataset

    kinds = {
        "number": [0.5, -1.0, None] * 20,
        "whole": [*range(60)],
        "flag": [True, False, None] * 20,
        "word": ["a", "b é", None] * 20,
        "kind": pl.Series(["x", "y", "z"] * 20, dtype=pl.Categorical),
        "day": pl.Series([19_000, 19_001, 19_500] * 20).cast(pl.Date),
        "at": pl.Series([10**15, 2 * 10**15, 0] * 20).cast(pl.Datetime("us")),
        "class": ["p", "q"] * 30,
    }
    return [pl.DataFrame(kinds), load_dataset("iris")[::3], pl.DataFrame({"a": [1.0, 2.5] * 2500, "b": [*range(5000)]})]


def _tables(kind: str) -> list[bytes]:
    files = []
    for frame in _frames():
        for option in ("uncompressed", "zstd", "lz4"):
            file = io.BytesIO()
            if kind == "csv":
                quotes: Any = "always" if option == "lz4" else "necessary"
                frame.head(200).write_csv(file, separator=";" if option == "zstd" else ",", quote_style=quotes)
            elif kind == "parquet":
                frame.write_parquet(file, compression=option)
            elif option != "lz4":
                frame.write_ipc(file, compression=option)
            else:
                frame.write_ipc_stream(file)
            files.append(file.getvalue())
    return files


def _models(_: str) -> list[bytes]:
    import chainrule as cr
    from chainrule.tables import prepare

    net = cr.Network(2, [cr.Dense(3, cr.activations.elu(0.5)), cr.Dense(2, "softmax")], cr.losses.cross_entropy(0.1))
    prepared = prepare(_frames()[0], "class")
    table = cr.Network(prepared.x.shape[1], [cr.Dense(2, "softmax")], "cross_entropy")
    about = {"encoding": prepared.encoding.to_json(), "target": prepared.target.to_json()}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        files = []
        for model in (cr.Model(net, net.initial()), cr.Model(table, table.initial(dtype="float32"), about)):
            model.save(path)
            files.append(path.read_bytes())
    return files


def _data() -> tuple[Any, Any]:
    import numpy as np

    x = np.linspace(-1.0, 1.0, 24).reshape(12, 2)
    return x, x[:, 0] ** 3


def _checkpoints(_: str) -> list[bytes]:
    import chainrule as cr

    runs: list[dict[str, Any]] = [
        {},
        {
            "optimizer": cr.SGD(0.01, 0.9),
            "schedule": {"name": "warm_up", "then": "cosine"},
            "patience": 3,
            "batch_size": 5,
        },
        {"optimizer": "lbfgs", "validation": 0.25},
        {"optimizer": cr.Rprop(), "schedule": "adaptive", "metrics": ["r2"], "l1": 0.1, "clip_norm": 1.0},
    ]
    files = []
    with TemporaryDirectory() as folder:
        for k, more in enumerate(runs):
            path = Path(folder) / str(k)
            net = cr.Network(
                2, [cr.Dense(3, "tanh", dropout=0.0 if more.get("optimizer") == "lbfgs" else 0.1), cr.Dense(1)]
            )
            with suppress(KeyboardInterrupt):
                cr.train(net, *_data(), epochs=9, checkpoint=path, callbacks=[_interrupt_after(4)], **more)
            files.append(path.read_bytes())
    return files


def _interrupt_after(epoch: int) -> Callable[[Any], None]:
    """Return a callback that interrupts a run, so that its checkpoint is that of an unfinished run."""

    def interrupt(run: Any) -> None:
        if run.epoch == epoch:
            raise KeyboardInterrupt

    return interrupt


def _lessons(_: str) -> list[bytes]:
    from chainrule.lessons.lesson_file import template

    entries = "  - family: update rule\n    points: 2\n  - {family: kink, id: a-1, count: 3}\n"
    return [template().encode(), f"title: A chain\nseed: 7\nproblems:\n{entries}".encode()]


def _links(_: str) -> list[bytes]:
    from chainrule.lab import share
    from chainrule.lab.endpoints import Lab
    from chainrule.lab.timeline import Asked
    from chainrule.lessons import Progress

    scene = {
        "inputs": 2,
        "layers": [{"units": 3, "activation": "tanh", "bias": True}, {"units": 2, "activation": "softmax"}],
        "loss": "cross_entropy", "weights": [[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]],
        "biases": [[0.1, 0.2, 0.3], None], "x": [0.1, -0.2], "y": [1], "sign": "y-f", "notation": "superscript",
    }  # fmt: skip
    table = "a,b,c\n1,x,1.5\n2,y,0\n3,x,1\n4,,0\n" * 5
    file = base64.b64encode(share.model(Lab(Progress), Asked()).content).decode()
    requests: list[tuple[str, Any]] = [
        ("/api/timeline", {"scene": scene}),
        ("/api/timeline", {"scene": {}}),
        ("/api/model", {"scene": scene}),
        ("/api/snippet", {"scene": scene, "data": {"name": "moons", "noise": 0.2}, "training": {"epochs": 5}}),
        ("/api/data", {"data": {"name": "own", "csv": table, "target": "c", "held_out": 0.2}, "scene": scene}),
        ("/api/open-model", {"content": file}),
    ]
    return [f"{path}\n{json.dumps(body)}".encode() for path, body in requests]


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


# Reading


def read_mutant(kind: str, path: Path, as_a_whole: bool, passed: Callable[[], None]) -> None:
    """Read a file as the library does; `passed` is called where a process of its own would have ended."""
    if kind == "models":
        _read_model(path)
    elif kind == "checkpoints":
        import chainrule as cr

        metrics = ["r2"] if b"history.r2" in path.read_bytes() else []
        cr.resume(path, *_data(), metrics=metrics, callbacks=[lambda run: True], progress=False)
    elif kind in TABLES:
        _read_table(kind, path, as_a_whole, passed)
    elif kind == "lessons":
        from chainrule.lessons.lesson_file import read

        read(path)
    else:
        _answer(path.read_bytes())


def _read_model(path: Path) -> None:
    import numpy as np

    import chainrule as cr
    from chainrule.tables import Encoding, Target

    model = cr.load(path)
    if isinstance(model.preprocessing, dict):  # as `chainrule predict` goes on
        encoding = Encoding.from_json(model.preprocessing.get("encoding"))
        target = Target.from_json(model.preprocessing.get("target"))
        if len(encoding.feature_names) == model.network.inputs and target.outputs == model.network.outputs:
            target.decode(model.predict(encoding.transform(_frames()[0])))
    else:
        model.predict(np.ones((3, model.network.inputs)))


def _read_table(kind: str, path: Path, as_a_whole: bool, passed: Callable[[], None]) -> None:
    import polars as pl

    from chainrule.errors import InputError
    from chainrule.tables import isolated, prepare, read_table, reading

    if kind == "csv" or as_a_whole:
        frame = read_table(path)
    else:
        form = isolated.PARQUET
        if kind == "arrow":
            form = isolated.ARROW if path.read_bytes().startswith(b"ARROW1") else isolated.ARROW_STREAM
        stream = io.BytesIO()
        try:
            most = reading.MEMORY + path.stat().st_size * reading.MEMORY_PER_BYTE
            isolated.read(str(path), form, most).write_ipc_stream(stream)
        except (Exception, pl.exceptions.PanicException) as error:
            raise InputError("what the process of its own says") from error
        passed()
        frame = reading.checked(path, pl.read_ipc_stream(io.BytesIO(stream.getvalue())))
    passed()
    if crc32(path.read_bytes()) % PREPARED == 0:
        prepare(frame, frame.columns[-1])


def _answer(content: bytes) -> None:
    from chainrule.lab.app import endpoints
    from chainrule.lab.bodies import decode
    from chainrule.lab.endpoints import Lab
    from chainrule.lessons import Progress

    path, _, body = content.partition(b"\n")
    endpoint = endpoints()[path.decode()]
    endpoint.answer(Lab(Progress), decode(body, endpoint.body))


def outcome(kind: str, path: Path, as_a_whole: bool, passed: Callable[[], None]) -> tuple[str, str]:
    """Return what reading a file ends in: RESULT, REFUSED, or the name of a failure; and what it says."""
    from chainrule.errors import MAX_MESSAGE, ChainruleError
    from chainrule.lab.bodies import BadRequest

    try:
        read_mutant(kind, path, as_a_whole, passed)
    except (ChainruleError, BadRequest) as error:
        lines = getattr(error, "problems", (str(error),))
        if all(line.isprintable() and len(line) <= MAX_MESSAGE + 200 for line in lines):
            return REFUSED, lines[0][:200]
        return "error of many lines or characters", repr(lines[0][:200])
    except BaseException as error:  # a panic of Polars is not an Exception
        last = traceback.extract_tb(error.__traceback__)[-1]
        ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "chainrule" in frame.filename]
        where = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else f"{last.filename}:{last.lineno}"
        return f"{type(error).__name__} in {where}", str(error)[:300]
    return RESULT, ""


# Workers


def work(connection: Connection, kind: str, seed: int) -> None:
    """Read mutants whose numbers come through a connection, and send back what each ended in."""
    from chainrule.tables import isolated

    warnings.simplefilter("ignore")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # where Polars writes of every panic
    files = examples(kind)
    isolated.start_threads()
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"mutant{TABLES.get(kind, '')}"
        for content in files:  # which also loads what is loaded when it is first needed
            path.write_bytes(content)
            found = outcome(kind, path, False, lambda: None)
            if found[0] != RESULT:
                raise RuntimeError(f"an example of {kind} cannot be read: {found}")
        _limit_memory()
        connection.send("ready")
        while True:
            index, as_a_whole = connection.recv()
            path.write_bytes(mutant(kind, seed, index, files))
            connection.send(outcome(kind, path, as_a_whole, lambda: connection.send(("passed", ""))))


def _limit_memory() -> None:
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + MEMORY,) * 2)


@dataclass
class Worker:
    """A process that reads mutants, begun anew whenever one ends it.

    Attributes
    ----------
    kind : str
    seed : int
    """

    kind: str
    seed: int
    _process: Any = None
    _connection: Any = None

    def try_mutant(self, index: int, as_a_whole: bool) -> tuple[str, str, float]:
        """Return what a mutant ended in, what it says, and the seconds that it took."""
        if self._process is None:
            self._begin()
        begin = time.perf_counter()
        self._connection.send((index, as_a_whole))
        passed = False
        while True:
            left = SECONDS - (time.perf_counter() - begin)
            try:
                if not self._connection.poll(max(left, 0)):
                    found = (f"more than {SECONDS:g} seconds", "")
                    break
                found = self._connection.recv()
            except (EOFError, ConnectionError):
                self._process.join()
                found = (f"the process ended with {self._process.exitcode}", "")
                break
            if found[0] != "passed":
                return *found, time.perf_counter() - begin
            passed = True
        self.end()
        if self.kind in ("parquet", "arrow") and not as_a_whole and not passed:
            found = (CONTAINED, found[0])
        return *found, time.perf_counter() - begin

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs, self.kind, self.seed), daemon=False)
        self._process.start()
        theirs.close()
        self._connection.recv()

    def end(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process = None


@dataclass
class Campaign:
    """What all mutants of a kind ended in.

    Attributes
    ----------
    counts : Counter
        By outcome.
    failures : dict
        From each failure to its smallest mutant, its number, and what it says.
    slowest : float
        Seconds.
    """

    counts: Counter[str] = field(default_factory=Counter)
    failures: dict[str, tuple[bytes, int, str]] = field(default_factory=dict)
    slowest: float = 0.0

    def note(self, found: str, said: str, index: int, content: bytes) -> None:
        """Count an outcome, and keep the mutant if it is the smallest of a failure."""
        self.counts[found] += 1
        if found not in (RESULT, REFUSED, CONTAINED):
            before = self.failures.get(found)
            if before is None or len(content) < len(before[0]):
                self.failures[found] = content, index, said


def campaign(kind: str, mutants: int, seed: int) -> Campaign:
    """Read all mutants of a kind."""
    found, worker, files = Campaign(), Worker(kind, seed), examples(kind)
    try:
        for index in range(mutants):
            what, said, seconds = worker.try_mutant(index, as_a_whole=False)
            if kind in ("parquet", "arrow") and (what == CONTAINED or index % CHECKED_AS_A_WHOLE == 0):
                contained = what == CONTAINED
                what, said, seconds = worker.try_mutant(index, as_a_whole=True)
                what = CONTAINED if contained and what == REFUSED else what
            found.slowest = max(found.slowest, seconds)
            found.note(what, said, index, mutant(kind, seed, index, files))
    finally:
        worker.end()
    return found


def main() -> None:
    """Print what the mutants of each kind ended in, and the failures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mutants", type=int, default=20_000, help="of each kind")
    parser.add_argument("--kind", choices=("all", *KINDS), default="all")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(2**31))
    parser.add_argument("--keep", type=Path, default=Path("build/faults"), help="the folder for mutants that fail")
    options = parser.parse_args()
    print(described())
    print(f"seed {options.seed}")
    failed = False
    for kind in KINDS if options.kind == "all" else (options.kind,):
        begin = time.perf_counter()
        found = campaign(kind, options.mutants, options.seed)
        counts = ", ".join(f"{count:,} × {what}" for what, count in found.counts.most_common())
        print(
            f"{kind}: {counts}; slowest {found.slowest:.1f} s; {time.perf_counter() - begin:.0f} s in all", flush=True
        )
        for what, (content, index, said) in found.failures.items():
            failed = True
            options.keep.mkdir(parents=True, exist_ok=True)
            path = options.keep / f"{kind}-{options.seed}-{index}{TABLES.get(kind, '')}"
            path.write_bytes(content)
            print(f"  FAILURE {what}: {said!r}\n    mutant {index}, {len(content):,} bytes, in {path}")
    sys.exit(failed)


if __name__ == "__main__":
    main()
