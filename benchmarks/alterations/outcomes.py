"""Read a mutant as the library does, and classify the outcome."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable
from pathlib import Path
from zlib import crc32

from alterations.examples import frames, rows

TABLES = {"parquet": ".parquet", "arrow": ".arrow", "csv": ".csv"}
RESULT, REFUSED, CONTAINED = "result", "error of one line", "contained"
PREPARED = 4  # of the tables that can be read, one in about this many: preparing takes ten times as long


def read_mutant(kind: str, path: Path, as_a_whole: bool, passed: Callable[[], None]) -> None:
    """Read a file as the library does; `passed` is called where a process of its own would have ended."""
    if kind == "models":
        _read_model(path)
    elif kind == "checkpoints":
        import chainrule as cr

        metrics = ["r2"] if b"history.r2" in path.read_bytes() else []
        cr.resume(path, *rows(), metrics=metrics, callbacks=[lambda run: True], progress=False)
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
            target.decode(model.predict(encoding.transform(frames()[0])))
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
