"""``chainrule train``: a network trained on a table and saved, with a report on the held-out rows."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError, unknown_name
from .options import check_can_be_written, hidden_widths

if TYPE_CHECKING:
    from ..network import Network
    from ..tables import Prepared
    from ..training import Run

# Defaults of `chainrule train`: a moderate network, a validation split to stop at the best epoch, and enough patience
# to find that epoch. Regression tables are noisy, so their network is smaller and its weights are kept small.
VALIDATION = 0.15
BUNDLED = "penguins, iris, wine, digits, breast_cancer or diabetes"
DEFAULTS: dict[str, dict[str, Any]] = {
    "classification": {"hidden": "100", "dropout": 0.2, "l2": 1e-4, "learning_rate": 2e-3},
    "regression": {"hidden": "32", "dropout": 0.0, "l2": 0.02, "learning_rate": 2e-3},
}


def _default(setting: str) -> str:
    """Return how --help shows a default that depends on the task."""
    return f"{DEFAULTS['classification'][setting]}; for regression {DEFAULTS['regression'][setting]}"


def train(
    data: Annotated[str, typer.Argument(help=f"A CSV, TSV, Parquet or Arrow file, or bundled data: {BUNDLED}.")],
    target: Annotated[str, typer.Option(help="The column to predict.")],
    task: Annotated[
        str | None, typer.Option(help="classification or regression.", show_default="told from the column")
    ] = None,
    ignore: Annotated[list[str] | None, typer.Option(help="A column not to use; may be repeated.")] = None,
    hidden: Annotated[
        str | None,
        typer.Option(help="Units of the hidden layers, as in 100,50; 0 for none.", show_default=_default("hidden")),
    ] = None,
    activation: Annotated[str, typer.Option(help="Activation of the hidden layers.")] = "relu",
    dropout: Annotated[
        float | None, typer.Option(help="Dropout of the hidden layers.", show_default=_default("dropout"))
    ] = None,
    optimizer: Annotated[str, typer.Option(help="sgd, adam, adamw, rmsprop, adagrad, rprop or lbfgs.")] = "adam",
    learning_rate: Annotated[
        float | None, typer.Option(help="How far a step goes.", show_default="0.002 for adam, else the optimizer's own")
    ] = None,
    clip_norm: Annotated[
        float | None, typer.Option(help="The greatest length of a gradient.", show_default="none")
    ] = None,
    l2: Annotated[
        float | None, typer.Option(help="Strength of the penalty ½ l2 Σw².", show_default=_default("l2"))
    ] = None,
    epochs: Annotated[int, typer.Option(help="Maximum number of passes over the data.")] = 200,
    batch_size: Annotated[int | None, typer.Option(help="Rows in a step.", show_default="32")] = None,
    patience: Annotated[int, typer.Option(help="Stop after this many epochs without improvement.")] = 20,
    held_out: Annotated[float, typer.Option(help="The part of the rows kept for the score.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Decides every random number.")] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The model's file.", show_default="DATA-TARGET.safetensors")
    ] = None,
    plot: Annotated[Path | None, typer.Option(help="Draw the loss curves to this file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train a network on a table and save it."""
    # Imported here, since they take longer to load than --help should take to answer.
    from .. import training
    from ..model import Model
    from ..tables import prepare, read_table
    from ..tables.report import print_report, report_of

    path = output or Path(f"{Path(data).stem}-{target}.safetensors".replace("/", "-"))
    check_can_be_written(path)
    if plot is not None:
        check_can_be_written(plot)
        _plot_format(plot)
    prepared = prepare(read_table(data), target, task, ignore or (), held_out, seed)
    defaults = DEFAULTS[prepared.target.task]
    net = _network(
        prepared,
        hidden_widths(defaults["hidden"] if hidden is None else hidden),
        activation,
        _dropout(defaults["dropout"] if dropout is None else dropout, optimizer, dropout is not None),
    )
    run = training.train(
        net,
        prepared.x,
        prepared.y,
        optimizer=_optimizer(optimizer, learning_rate, defaults["learning_rate"]),
        l2=defaults["l2"] if l2 is None else l2,
        clip_norm=clip_norm,
        epochs=epochs,
        batch_size=batch_size,
        validation=VALIDATION,
        patience=patience,
        seed=seed,
        progress=False if as_json else None,
    )
    if run.epoch == 0:  # Ctrl-C
        raise InputError("interrupted before the first epoch was done: nothing was learnt, and nothing is saved")
    preprocessing = {"encoding": prepared.encoding.to_json(), "target": prepared.target.to_json()}
    Model(net, run.parameters, preprocessing).save(path)
    if plot is not None:
        _plot(run, plot)
    report = report_of(prepared, run, path)
    if as_json:
        print(json.dumps({key: _finite(value) for key, value in report.items()}, allow_nan=False))
    else:
        print_report(report, run)


def _network(prepared: Prepared, hidden: list[int], activation: str, dropout: float) -> Network:
    from ..network import Dense, Network

    classes = prepared.target.task == "classification"
    layers = [Dense(units, activation, dropout=dropout) for units in hidden]
    layers.append(Dense(prepared.target.outputs, "softmax" if classes else "identity"))
    return Network(prepared.x.shape[1], layers, "cross_entropy" if classes else "squared_error")


def _dropout(rate: float, optimizer: str, is_set: bool) -> float:
    """Return the dropout; by default none for L-BFGS, which cannot use it."""
    return 0.0 if optimizer == "lbfgs" and not is_set else rate


def _optimizer(name: str, rate: float | None, default: float) -> Any:
    from ..optimizers import OPTIMIZERS

    if rate is None and name == "adam":
        rate = default
    return OPTIMIZERS.find(name if rate is None else {"name": name, "learning_rate": rate})


def _plot_format(path: Path) -> str:
    """Return the format that the ending of a file asks for; PNG where it has none."""
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    ending = path.suffix[1:].lower() or "png"
    if ending not in known:
        raise unknown_name("ending of a plot", path.suffix, [f".{name}" for name in known])
    return ending


def _plot(run: Run, path: Path) -> None:
    from io import BytesIO

    from matplotlib.figure import Figure

    from ..files import write_atomically

    figure = Figure(layout="constrained")
    run.history.plot(figure.add_subplot())
    drawing = BytesIO()
    figure.savefig(drawing, format=_plot_format(path))
    write_atomically(path, drawing.getvalue())


def _finite(value: Any) -> Any:
    """Return null for a number that JSON cannot hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
