"""A report on a network that was trained on a table: rows, epochs, and the held-out score beside a baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .preparation import Prepared
from .target import Target

if TYPE_CHECKING:
    from ..training import Run


def report_of(prepared: Prepared, run: Run, model: Path | str) -> dict[str, Any]:
    """Return a report on a run, ready for JSON but for numbers that are not finite.

    Parameters
    ----------
    prepared : Prepared
        The table that the run was trained on.
    run : Run
    model : path
        The file of the model.
    """
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
        "model": str(model),
    }
    if prepared.held_out is not None:
        x, y = prepared.held_out
        report["rows"]["held out"] = len(x)
        report["metric"] = "accuracy" if target.task == "classification" else "R²"
        report["score"] = _score(target, y, run.predict(x))
        report["guessing"] = _baseline(target, prepared.y, y)
    return report


def _score(target: Target, y: Any, outputs: Any) -> float:
    """Return the accuracy of outputs, or for regression their R²."""
    from ..training.metrics import r2

    if target.task == "classification":
        return float((outputs.argmax(axis=1) == y).mean())
    return r2(y, outputs)


def _baseline(target: Target, trained: Any, y: Any) -> float:
    """Return the score of always predicting the commonest class, or the mean, of the training rows."""
    if target.task == "classification":
        return float((y == np.bincount(trained.ravel().astype(np.int64)).argmax()).mean())
    return _score(target, y, np.full_like(y, trained.mean()))


def print_report(report: dict[str, Any], run: Run) -> None:
    """Print a report on a run, with a table of its layers."""
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
