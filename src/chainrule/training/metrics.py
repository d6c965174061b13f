"""Metrics: what a reader wants to know of the outputs, besides the loss."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

import numpy as np

from ..data import Floats
from ..errors import InputError, unknown_name

Metric: TypeAlias = Callable[[Floats, Floats], float]
"""Called with targets and outputs, both (n, d_L)."""


def accuracy(y: Floats, outputs: Floats) -> float:
    """Return the share that is right: of the rows' likeliest classes, or of all labels with f > ½.

    Targets whose rows each sum to 1 are taken for classes, others for labels that hold or do not.
    """
    if y.shape[1] > 1 and np.allclose(y.sum(axis=1), 1.0):
        return float(np.mean(np.argmax(outputs, axis=1) == np.argmax(y, axis=1)))
    return float(np.mean((outputs > 0.5) == (y > 0.5)))


def r2(y: Floats, outputs: Floats) -> float:
    """Return 1 − Σ(y − f)² / Σ(y − ȳ)², the mean over the outputs; NaN where y does not vary."""
    residual = np.sum((y - outputs) ** 2, axis=0)
    with np.errstate(all="ignore"):
        return float(np.mean(1.0 - residual / np.sum((y - y.mean(axis=0)) ** 2, axis=0)))


def mean_absolute_error(y: Floats, outputs: Floats) -> float:
    """Return the mean of |y − f| over rows and outputs."""
    return float(np.mean(np.abs(y - outputs)))


METRICS: dict[str, Metric] = {
    "accuracy": accuracy,
    "r2": r2,
    "mean_absolute_error": mean_absolute_error,
}
"""Every metric by its name."""


def named_metrics(given: str | Metric | Iterable[str | Metric]) -> dict[str, Metric]:
    """Return metrics by name, of one or of several; a function of your own goes by its ``__name__``.

    Raises
    ------
    InputError
        When a name is unknown, taken or not a usable one, or something is neither a name nor a function.
    """
    chosen: dict[str, Metric] = {}
    for metric in [given] if isinstance(given, str) or callable(given) else given:
        if isinstance(metric, str):
            if metric not in METRICS:
                raise unknown_name("metric", metric, METRICS)
            name, function = metric, METRICS[metric]
        elif callable(metric):
            name, function = getattr(metric, "__name__", type(metric).__name__), metric
        else:
            raise InputError(f"a metric must be a name or a function, but is {metric!r:.60}")
        if name in chosen:
            raise InputError(f"two metrics are called {name!r}: give each a name of its own, with def or __name__")
        if name in ("loss", "learning_rate") or name.startswith("validation_"):
            raise InputError(f"a metric cannot be called {name!r}, as a column of the history is")
        chosen[name] = function
    return chosen
