"""What is drawn of a network that learns: its layers in figures, and what it makes of the data."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from ..activations import Activation, JointActivation
from ..data import Floats
from ..diagnostics.trace import backprop
from ..model import Model
from ..network import Network
from ..parameters import Parameters
from ..training.metrics import accuracy, r2
from .data import Ready, Rows, signs

SATURATED = 0.05
"""A unit is saturated for a row where its slope is below this part of its activation's greatest slope."""

COLUMNS = 50  # of a picture over the plane, and rows
_POINTS_OF_LINE = 101
_MEASURED_ROWS = 500  # by which layers are measured
_MOST_DOTS = 300
_DIGITS = 4


def measured(net: Network, params: Parameters, x: Floats, y: Any) -> list[dict[str, float | None]]:
    """Return of each layer the root mean square of δ and gradient, and how much saturates.

    Parameters
    ----------
    x, y : arrays
        The first 500 rows are taken.
    """
    trace = backprop(net, params, x[:_MEASURED_ROWS], y[:_MEASURED_ROWS])
    layers = []
    for i, layer in enumerate(net.layers, start=1):
        parts = [trace.gradient.weights[i - 1], trace.gradient.biases[i - 1]]
        gradient = np.concatenate([part.ravel() for part in parts if part is not None])
        layers.append(
            {
                "delta": _rms(trace.delta[i]),
                "gradient": _rms(gradient),
                "saturated": _saturated(layer.activation, trace.z[i], trace.f[i]),
            }
        )
    return layers


def _rms(numbers: Floats) -> float:
    with np.errstate(over="ignore"):
        return float(np.sqrt(np.mean(np.square(numbers, dtype=np.float64))))


def _saturated(activation: Activation, z: Floats, f: Floats) -> float | None:
    """Return the share of units and rows; None where a unit's slope is not its own."""
    if isinstance(activation, JointActivation):
        return None
    with np.errstate(all="ignore"):
        slope = np.abs(activation.slope(z, f)) * np.ones_like(z)
    return float(np.mean(slope < SATURATED * _greatest_slope(activation)))


@cache
def _greatest_slope(activation: Activation) -> float:
    """Return the greatest |f′(z)| for z from −5 to 5."""
    z = np.linspace(-5.0, 5.0, 1_001)
    return float(np.max(np.abs(activation.slope(z, activation.value(z)))))


class Pictures:
    """Draws the outputs of one network for one set of data, whatever its parameters are.

    Parameters
    ----------
    net : Network
    data : Ready
    """

    def __init__(self, net: Network, data: Ready) -> None:
        self._net, self._data = net, data
        self._judged: Rows = data.held_out if len(data.held_out) else data.training
        self._of = "held_out" if len(data.held_out) else "training"
        self._grid: Floats | None = None
        if data.inputs == 2:
            across, up = np.meshgrid(*(np.linspace(low, high, COLUMNS) for low, high in data.range))
            self._grid = np.column_stack([across.ravel(), up.ravel()])

    def drawn(self, params: Parameters) -> dict[str, Any]:
        """Return "score" and "fit" as the page draws them."""
        model = Model(self._net, params)
        outputs = model.predict(self._judged.x)
        if self._data.classes is None:
            score = {"name": "R²", "value": r2(self._judged.y[:, None], outputs), "of": self._of}
        else:
            y = self._judged.y.astype(np.int64)
            score = {"name": "accuracy", "value": self._accuracy(outputs), "of": self._of}
        if self._grid is not None:
            fit = self._boundary(model.predict(self._grid))
        elif self._data.classes is not None:
            counts = np.zeros((len(self._data.classes),) * 2, dtype=np.int64)
            np.add.at(counts, (y, self._chosen(outputs)), 1)
            fit = {"kind": "confusion", "classes": self._data.classes, "counts": counts, "of": self._of}
        elif self._data.inputs == 1:
            low, high = self._data.range[0]
            x = np.linspace(low, high, _POINTS_OF_LINE)
            fit = {"kind": "line", "x": x, "y": _rounded(model.predict(x[:, None])[:, 0])}
        else:
            wanted, predicted = self._judged.y[:_MOST_DOTS], outputs[:_MOST_DOTS, 0]
            fit = {"kind": "scatter", "wanted": _rounded(wanted), "predicted": _rounded(predicted), "of": self._of}
        return {"score": score, "fit": fit}

    def _chosen(self, outputs: Floats) -> Any:
        """Return the number of the class that each row's outputs speak for."""
        if outputs.shape[1] > 1:
            return outputs.argmax(axis=1)
        return (outputs[:, 0] > sum(signs(self._net)) / 2).astype(np.int64)

    def _accuracy(self, outputs: Floats) -> float:
        count = len(self._data.classes or ())
        right, chosen = np.eye(count)[self._judged.y.astype(np.int64)], np.eye(count)[self._chosen(outputs)]
        return accuracy(right, chosen)

    def _boundary(self, outputs: Floats) -> dict[str, Any]:
        """Return the output, or with several classes the likeliest and its output, from the lowest x₂ up."""
        fit: dict[str, Any] = {"kind": "boundary", "columns": COLUMNS, "rows": COLUMNS, "range": self._data.range}
        if outputs.shape[1] == 1:
            low, high = (-1.0, 1.0) if self._data.classes is None else signs(self._net)
            return {**fit, "values": _rounded(outputs[:, 0]), "low": low, "high": high}
        return {**fit, "values": _rounded(outputs.max(axis=1)), "classes": outputs.argmax(axis=1)}


def _rounded(numbers: Floats) -> Floats:
    return np.round(numbers.astype(np.float64), _DIGITS)
