"""Metrics: what a reader wants to know of the outputs, besides the loss."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable
from functools import partial
from typing import Any, TypeAlias

import numpy as np

from ..data import Data, Floats
from ..errors import InputError, quoted, unknown_name
from ..named import listed

Metric: TypeAlias = Callable[..., float]
"""Called with targets and outputs, and with ``sample_weight`` where it has such a parameter."""


def accuracy(y: Floats, outputs: Floats, sample_weight: Floats | None = None) -> float:
    """Return the share that is right: of the rows' likeliest classes, or of all labels with f > ½.

    Targets whose rows each sum to 1 are taken for classes, others for labels that hold or do not.
    """
    if y.shape[1] > 1 and np.allclose(y.sum(axis=1), 1.0):
        right = np.argmax(outputs, axis=1) == np.argmax(y, axis=1)
    else:
        right = np.mean((outputs > 0.5) == (y > 0.5), axis=1)
    return float(np.average(right, weights=sample_weight))


def r2(y: Floats, outputs: Floats, sample_weight: Floats | None = None) -> float:
    """Return 1 − Σ(y − f)² / Σ(y − ȳ)², the mean over the outputs; NaN where y does not vary."""
    w = np.ones((len(y), 1)) if sample_weight is None else sample_weight[:, np.newaxis]
    residual = np.sum(w * (y - outputs) ** 2, axis=0)
    with np.errstate(all="ignore"):
        mean = np.sum(w * y, axis=0) / np.sum(w)
        variation = np.sum(w * (y - mean) ** 2, axis=0)
        counted = y[w[:, 0] > 0.0]  # compared, as the mean of equal numbers may be rounded
        varies = (counted != counted[:1]).any(axis=0) & (variation > 0.0)
        return float(np.mean(1.0 - residual / np.where(varies, variation, np.nan)))


def mean_absolute_error(y: Floats, outputs: Floats, sample_weight: Floats | None = None) -> float:
    """Return the mean of |y − f| over rows and outputs."""
    return float(np.average(np.mean(np.abs(y - outputs), axis=1), weights=sample_weight))


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
        When a name is unknown, taken or not a usable one, or something is neither a name nor a function that can be
        called with y and outputs.
    """
    chosen: dict[str, Metric] = {}
    for metric in listed(given):
        if isinstance(metric, str):
            if metric not in METRICS:
                raise unknown_name("metric", metric, METRICS)
            name, function = metric, METRICS[metric]
        elif callable(metric):
            inner = metric.func if isinstance(metric, partial) else metric
            name, function = getattr(inner, "__name__", type(inner).__name__), metric
            check_arguments(f"the metric {name!r}", metric, "y", "outputs")
        else:
            raise InputError(f"a metric must be a name or a function, but is {metric!r:.60}")
        if name in chosen:
            raise InputError(f"two metrics are called {name!r}: give each a name of its own, with def or __name__")
        if name in ("loss", "learning_rate") or name.startswith("validation_"):
            raise InputError(f"a metric cannot be called {name!r}, as a column of the history is")
        chosen[name] = function
    return chosen


def measure(name: str, metric: Metric, data: Data, outputs: Floats) -> float:
    """Return the value of a metric.

    One of chainrule's is called with the targets as the network needs them, (n, d_L). One of your own is called with y
    as it was passed, so class numbers stay class numbers, and with the outputs f_L: (n, d_L), or (n,) where y is (n,)
    and there is one output. Weights are passed on where rows have them and the metric has the parameter
    ``sample_weight``.

    Raises
    ------
    InputError
        When a metric of your own fails, or returns something other than a number.
    """
    weighted = (data.weights != 1).any() and "sample_weight" in _parameters(metric)
    weights = {"sample_weight": data.weights} if weighted else {}
    if METRICS.get(name) is metric:
        return metric(data.y, outputs, **weights)
    y = data.y if data.labels is None else data.labels
    outputs = outputs[:, 0] if y.ndim == 1 and outputs.shape[1] == 1 else outputs
    try:
        value = metric(y, outputs, **weights)
    except Exception as error:
        reason = f"{type(error).__name__}: {' '.join(str(error).split()):.200}"
        classes = "outputs.argmax(axis=1)" if outputs.ndim > 1 else "outputs > 0.5"
        raise InputError(
            f"the metric {name!r} failed with {reason}. It was called with y as it was passed, {y.dtype} with shape "
            f"{y.shape}, and the network's outputs, {outputs.dtype} with shape {outputs.shape}; if it needs classes "
            f"rather than probabilities, pass lambda y, outputs: {name}(y, {classes})"
        ) from error
    try:
        if np.ndim(value) == 0:
            return float(value)
    except (TypeError, ValueError):
        pass
    raise InputError(f"the metric {name!r} must return a number, but returned {quoted(value)}")


def check_arguments(what: str, function: Callable[..., Any], *names: str) -> None:
    """Check that a function accepts these arguments, if its signature is known.

    Raises
    ------
    InputError
        When it does not.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # many functions written in C have none
        return
    try:
        signature.bind(*names)
    except TypeError as error:
        raise InputError(
            f"{what} is called with the arguments ({', '.join(names)}), but does not accept them: {error}"
        ) from error


def _parameters(function: Callable[..., Any]) -> Collection[str]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return ()
