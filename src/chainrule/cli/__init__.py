"""The command line: ``chainrule train``, ``predict``, ``derive``, ``lab``, ``lesson`` and ``doctor``."""

from __future__ import annotations

import json
import math
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from .. import __version__
from ..errors import ChainruleError, DivergenceError, InputError, unknown_name
from .lab import lab
from .lesson import app as lessons

if TYPE_CHECKING:
    import polars as pl

    from ..network import Network
    from ..tables import Prepared, Target
    from ..training import Run

# What `chainrule train` does when nothing is said: a moderate network, a part of the training rows set aside to
# stop at the best epoch, and enough patience that this epoch is found. Regression tables are noisy, so their
# network is smaller and its weights are kept small.
VALIDATION = 0.15
# File systems take 255 bytes, of which a temporary file needs some.
MAX_FILE_NAME = 240
BUNDLED = "penguins, iris, wine, digits, breast_cancer or diabetes"
DEFAULTS: dict[str, dict[str, Any]] = {
    "classification": {"hidden": "100", "dropout": 0.2, "l2": 1e-4, "learning_rate": 2e-3},
    "regression": {"hidden": "32", "dropout": 0.0, "l2": 0.02, "learning_rate": 2e-3},
}


def _default(setting: str) -> str:
    """Return how --help shows a default that depends on the task."""
    return f"{DEFAULTS['classification'][setting]}; for regression {DEFAULTS['regression'][setting]}"


# Typer carries its own copy of Click, and shows only the most special of its errors.
_CLICK_ERROR: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

app = typer.Typer(add_completion=False, no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)


app.command()(lab)
app.add_typer(lessons, name="lesson")


def main() -> None:
    """Run the command; a bad input ends it with one line on standard error and status 2."""
    warnings.showwarning = _note
    for stream in ("stdout", "stderr"):
        if getattr(sys, stream) is None:  # closed, as `>&-` does
            setattr(sys, stream, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - until the end
    try:
        status = app(standalone_mode=False)
        sys.stdout.flush()
        sys.exit(status)
    except ChainruleError as error:
        status, message = 1 if isinstance(error, DivergenceError) else 2, str(error)
    except _CLICK_ERROR as error:  # an option that is unknown, missing or of the wrong type
        if type(error).__name__ == "NoArgsIsHelpError":  # which is no error, but the help
            error.show()
            sys.exit(error.exit_code)
        status, message = error.exit_code, error.format_message()
    except OSError as error:  # of standard output; what is wrong with a file is an InputError
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python writes what is left once more
        if isinstance(error, BrokenPipeError):  # nobody reads on, as after `| head`
            sys.exit(1)
        status, message = 1, str(error)
    except (KeyboardInterrupt, typer.Abort):
        status, message = 130, "interrupted"
    print(f"error: {message}", file=sys.stderr)
    sys.exit(status)


def _note(message: Warning | str, *_: Any, **__: Any) -> None:
    print(f"note: {message}", file=sys.stderr)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"chainrule {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Train neural networks on tables, predict with them, derive their gradients, and practise that."""


@app.command()
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
    epochs: Annotated[int, typer.Option(help="At most so many times through the data.")] = 200,
    batch_size: Annotated[int | None, typer.Option(help="Rows in a step.", show_default="32")] = None,
    patience: Annotated[int, typer.Option(help="Stop when so many epochs brought nothing better.")] = 20,
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

    path = output or Path(f"{Path(data).stem}-{target}.safetensors".replace("/", "-"))
    _check_can_be_written(path)
    if plot is not None:
        _check_can_be_written(plot)
        _plot_format(plot)
    prepared = prepare(read_table(data), target, task, ignore or (), held_out, seed)
    kind = prepared.target.task
    chosen = DEFAULTS[kind]
    net = _network(
        prepared,
        _units(chosen["hidden"] if hidden is None else hidden),
        activation,
        _dropout(chosen["dropout"] if dropout is None else dropout, optimizer, dropout is not None),
    )
    run = training.train(
        net,
        prepared.x,
        prepared.y,
        optimizer=_optimizer(optimizer, learning_rate, chosen["learning_rate"]),
        l2=chosen["l2"] if l2 is None else l2,
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
    report = _report(prepared, run, path)
    if as_json:
        finite = {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in report.items()}
        print(json.dumps(finite, allow_nan=False))
    else:
        _print_report(report, run)


@app.command()
def derive(
    model: Annotated[
        Path | None, typer.Argument(help="A model's file; without it, the network of the options.", show_default=False)
    ] = None,
    chain: Annotated[
        int | None, typer.Option(help="A chain of so many layers of one unit, without biases.", show_default="2")
    ] = None,
    widths: Annotated[
        str | None, typer.Option(help="Units of each layer, the inputs first, as in 2,3,1.", show_default=False)
    ] = None,
    activation: Annotated[
        str | None, typer.Option(help="Activation of the hidden layers; of a chain, of all.", show_default="tanh")
    ] = None,
    output_activation: Annotated[
        str | None, typer.Option(help="Activation of the output.", show_default="the loss's own")
    ] = None,
    loss: Annotated[str | None, typer.Option(help="The loss.", show_default="squared_error")] = None,
    bias: Annotated[bool, typer.Option("--bias", help="Give a chain biases.")] = False,
    x: Annotated[
        str | None, typer.Option(help="A row of inputs, as in 0.5,1: shows numbers.", show_default=False)
    ] = None,
    y: Annotated[str | None, typer.Option(help="Its target, a number for each output.", show_default=False)] = None,
    seed: Annotated[int, typer.Option(help="Draws the parameters for the numbers.")] = 0,
    sign: Annotated[str, typer.Option(help="Write 2(f−y) or −2(y−f): f-y or y-f.")] = "f-y",
    notation: Annotated[
        str, typer.Option(help="Write f₂ and w₂, or a⁽²⁾ and w⁽²⁾: lecture or superscript.")
    ] = "lecture",
    matrices: Annotated[
        bool, typer.Option("--matrices", help="Derive in matrices, however small the network is.")
    ] = False,
    form: Annotated[
        str, typer.Option("--format", help="text, markdown (with LaTeX), html, or mermaid (what depends on what).")
    ] = "text",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file to write to.", show_default="the terminal")
    ] = None,
) -> None:
    """Derive the gradient of a network, step by step."""
    from ..derivation import derive as derive_network
    from ..files import write_atomically
    from ..model import load

    forms = {"text": "to_text", "markdown": "to_markdown", "html": "to_html", "mermaid": "to_mermaid"}
    if form not in forms:
        raise unknown_name("format", form, forms)
    if output is not None:
        _check_can_be_written(output)
    if sum(one is not None for one in (model, chain, widths)) > 1:
        raise InputError("a model's file, --chain and --widths each name a network: give one of them")
    if (x is None) != (y is None):
        raise InputError("for numbers, --x and --y are both needed")
    described = {"--activation": activation, "--output-activation": output_activation, "--loss": loss, "--bias": bias}
    if model is not None:
        _refuse(described, "a model's file")
        loaded = load(model, own=None)
        net, params = loaded.network, loaded.parameters
    else:
        net = _described_network(chain, widths, described)
        params = net.initial(seed)
    sample: dict[str, Any] = {}
    if x is not None and y is not None:
        target = _numbers("--y", y)
        sample = {"params": params, "x": [_numbers("--x", x)], "y": target if len(target) == 1 else [target]}
    found = derive_network(net, **sample, matrices=matrices or None, sign=cast(Any, sign), notation=cast(Any, notation))
    written = getattr(found, forms[form])()
    if output is None:
        print(written)
    else:
        head = '<!doctype html><html lang="en"><meta charset="utf-8"><title>Derivation</title>'
        write_atomically(output, (f"{head}{written}</html>" if form == "html" else f"{written}\n").encode())


@app.command()
def doctor() -> None:
    """Print versions, the engine in use, and what is missing."""
    from ..doctor import findings

    told = findings()
    width = max(map(len, told))
    print("\n".join(f"{name.ljust(width)}  {what}" for name, what in told.items()))


@app.command()
def predict(
    model: Annotated[Path, typer.Argument(help="A model that `chainrule train` saved.")],
    data: Annotated[str, typer.Argument(help="A table with the columns that the model was trained on.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A CSV file for the predictions, instead of the screen.")
    ] = None,
) -> None:
    """Write a prediction for every row of a table, as CSV."""
    import polars as pl

    from ..files import write_atomically
    from ..model import load
    from ..tables import Encoding, Target, read_table

    trained = load(model, own=None)
    if not isinstance(trained.preprocessing, dict) or set(trained.preprocessing) != {"encoding", "target"}:
        raise InputError(f"{model} was not trained on a table: use chainrule.load(...).predict on arrays")
    encoding = Encoding.from_json(trained.preprocessing["encoding"])
    target = Target.from_json(trained.preprocessing["target"])
    if len(encoding.feature_names) != trained.network.inputs or target.outputs != trained.network.outputs:
        raise InputError(f"{model}: its preprocessing does not fit its network")
    frame = read_table(data, text=encoding.text_columns)
    outputs = trained.predict(encoding.transform(frame))
    for column, count in encoding.unseen(frame).items():
        print(f"note: {count} values of {column} had no part in training", file=sys.stderr)
    columns: dict[str, Any] = {target.name: target.decode(outputs)}
    if target.task == "classification":
        columns |= {f"probability_{label}": outputs[:, k] for k, label in enumerate(target.classes)}
    table: pl.DataFrame = pl.DataFrame(columns)
    if output is None:
        sys.stdout.write(table.write_csv())
    else:
        write_atomically(output, table.write_csv().encode())
        print(f"{len(table)} predictions in {output}", file=sys.stderr)


def _network(prepared: Prepared, hidden: list[int], activation: str, dropout: float) -> Network:
    from ..network import Dense, Network

    classes = prepared.target.task == "classification"
    layers = [Dense(units, activation, dropout=dropout) for units in hidden]
    layers.append(Dense(prepared.target.outputs, "softmax" if classes else "identity"))
    return Network(prepared.x.shape[1], layers, "cross_entropy" if classes else "squared_error")


def _described_network(chain: int | None, widths: str | None, described: dict[str, Any]) -> Network:
    """Return the network that the options of `derive` describe: a chain, or layers of some widths."""
    from ..losses import LOSSES
    from ..network import Dense, Network
    from ..network import chain as chain_of

    activation, loss = described["--activation"] or "tanh", described["--loss"] or "squared_error"
    if widths is not None:
        _refuse({"--bias": described["--bias"]}, "--widths, whose layers have biases")
        inputs, *hidden, outputs = _widths("--widths", widths, at_least=2)
        link = LOSSES.find(loss).link
        last = described["--output-activation"] or (link.activation if link else "identity")
        return Network(inputs, [*(Dense(units, activation) for units in hidden), Dense(outputs, last)], loss)
    _refuse({"--output-activation": described["--output-activation"]}, "a chain, whose activations are all the same")
    net = chain_of(2 if chain is None else chain, activation, loss)
    return Network(1, [Dense(1, activation) for _ in net.layers], loss) if described["--bias"] else net


def _refuse(options: dict[str, Any], with_what: str) -> None:
    """Refuse options that say nothing where a network is described in another way."""
    for option, given in options.items():
        if given:
            raise InputError(f"{option} does not go with {with_what}")


def _units(text: str) -> list[int]:
    """Return the widths that --hidden lists; "0" means no hidden layer."""
    return [] if text.strip() == "0" else _widths("--hidden", text, hint=", or 0 for no hidden layer")


def _widths(option: str, text: str, at_least: int = 1, hint: str = "") -> list[int]:
    """Return the widths that an option lists; fewer than `at_least` are an error."""
    from ..network import MAX_UNITS

    try:
        widths = [int(part) for part in text.split(",")]
    except ValueError:
        widths = []
    if len(widths) < at_least or not all(1 <= width <= MAX_UNITS for width in widths):
        expected = f"whole numbers as in 100,50, each from 1 to {MAX_UNITS}{hint}"
        raise InputError(f"{option} takes {expected}, but is {text!r}")
    return widths


def _numbers(option: str, text: str) -> list[float]:
    """Return the numbers that an option lists."""
    try:
        return [float(part) for part in text.split(",")]
    except ValueError:
        raise InputError(f"{option} takes numbers as in 0.5,1, but is {text!r}") from None


def _dropout(rate: float, optimizer: str, asked: bool) -> float:
    """Return the dropout; by default none for L-BFGS, which cannot use it."""
    return 0.0 if optimizer == "lbfgs" and not asked else rate


def _optimizer(name: str, rate: float | None, default: float) -> Any:
    from ..optimizers import OPTIMIZERS

    if rate is None and name == "adam":
        rate = default
    return OPTIMIZERS.find(name if rate is None else {"name": name, "learning_rate": rate})


def _check_can_be_written(path: Path) -> None:
    """Refuse a file that could not be written at the end, before there is anything to lose."""
    from ..files import check_is_file_or_free

    check_is_file_or_free(path)
    if len(os.fsencode(path.name)) > MAX_FILE_NAME:
        raise InputError(f"cannot write {path.name[:50]}…: the name is too long; choose one with --output")
    if not path.parent.is_dir():
        raise InputError(f"cannot write {path}: there is no folder {path.parent}")


def _plot_format(path: Path) -> str:
    """Return the format that the ending of a file asks for; PNG where it has none."""
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    wanted = path.suffix[1:].lower() or "png"
    if wanted not in known:
        raise unknown_name("ending of a plot", path.suffix, [f".{ending}" for ending in known])
    return wanted


def _plot(run: Run, path: Path) -> None:
    from io import BytesIO

    from matplotlib.figure import Figure

    from ..files import write_atomically

    figure = Figure(layout="constrained")
    run.history.plot(figure.add_subplot())
    drawing = BytesIO()
    figure.savefig(drawing, format=_plot_format(path))
    write_atomically(path, drawing.getvalue())


def _score(target: Target, y: Any, outputs: Any) -> float:
    """Return the accuracy, or R²."""
    from ..training.metrics import r2

    if target.task == "classification":
        return float((outputs.argmax(axis=1) == y).mean())
    return r2(y, outputs)


def _report(prepared: Prepared, run: Run, path: Path) -> dict[str, Any]:
    """Return what the command has to say, as JSON."""
    import numpy as np

    target = prepared.target
    report: dict[str, Any] = {
        "task": target.task,
        "target": target.name,
        "rows": {"trained on": len(prepared.x)},
        "network": run.network.to_json(),
        "epochs": run.epoch,
        "best_epoch": None if run.best is None else run.best.epoch,
        "stopped": run.stopped,
        "notes": prepared.notes,
        "model": str(path),
    }
    if prepared.held_out is not None:
        x, y = prepared.held_out
        report["rows"]["held out"] = len(x)
        report["metric"] = "accuracy" if target.task == "classification" else "R²"
        report["score"] = _score(target, y, run.predict(x))
        # Always guessing the commonest class, or the mean, of the rows that were trained on.
        if target.task == "classification":
            report["guessing"] = float((y == np.bincount(prepared.y.ravel().astype(np.int64)).argmax()).mean())
        else:
            report["guessing"] = _score(target, y, np.full_like(y, prepared.y.mean()))
    return report


def _print_report(report: dict[str, Any], run: Run) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, emoji=False, markup=False)
    for note in report["notes"]:
        console.print(f"note: {note}", soft_wrap=True)
    rows = ", ".join(f"{count} {what}" for what, count in report["rows"].items())
    console.print(f"{report['task']} of {report['target']}: {rows}; {run.network.inputs} inputs", soft_wrap=True)
    table = Table("layer", "units", "activation", "parameters", "rms weight")
    for i, (layer, weights, before) in enumerate(
        zip(run.network.layers, run.parameters.weights, run.network.widths[:-1], strict=True), start=1
    ):
        count = (before + layer.bias) * layer.units
        rms = float((weights**2).mean()) ** 0.5
        table.add_row(str(i), str(layer.units), layer.activation.name, f"{count:,}", f"{rms:.3g}")
    console.print(table)
    best = f"; the best was {report['best_epoch']}" if report["best_epoch"] else ""
    console.print(f"{report['epochs']} epochs{best} ({report['stopped']})", soft_wrap=True)
    if "score" in report:
        console.print(
            f"held-out {report['metric']} {report['score']:z.3f} (always guessing: {report['guessing']:z.3f})",
            soft_wrap=True,
        )
    console.print(f"model saved in {report['model']}", soft_wrap=True)
