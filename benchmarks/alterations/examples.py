"""Valid files and requests of every kind, which the campaign alters."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any


def examples(kind: str) -> list[bytes]:
    """Return valid files or requests of a kind."""
    return {
        "models": _models, "checkpoints": _checkpoints, "parquet": _tables, "arrow": _tables, "csv": _tables,
        "lessons": _lessons, "links": _links,
    }[kind](kind)  # fmt: skip


def frames() -> list[Any]:
    """Return tables with columns of all types."""
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
    for frame in frames():
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
    prepared = prepare(frames()[0], "class")
    table = cr.Network(prepared.x.shape[1], [cr.Dense(2, "softmax")], "cross_entropy")
    about = {"encoding": prepared.encoding.to_json(), "target": prepared.target.to_json()}
    with TemporaryDirectory() as folder:
        path = Path(folder) / "m"
        files = []
        for model in (cr.Model(net, net.initial()), cr.Model(table, table.initial(dtype="float32"), about)):
            model.save(path)
            files.append(path.read_bytes())
    return files


def rows() -> tuple[Any, Any]:
    """Return the inputs and targets on which the runs of the checkpoints train."""
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
                cr.train(net, *rows(), epochs=9, checkpoint=path, callbacks=[_interrupt_after(4)], **more)
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
