"""Data to train on: points in the plane, bundled tables, and a table that was dropped on the page.

A table is made ready as ``chainrule train`` makes it. What was dropped on the page is never written down or kept: it
comes again with every request that needs it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct
from numpy.typing import NDArray

from ..datasets import DEFAULT_TARGET, load_dataset
from ..datasets.points import POINTS, REACH, points
from ..errors import InputError, unknown_name
from ..network import Dense, Network
from ..randomness import Purpose, permutation
from .endpoints import LARGE, Endpoint, Lab
from .scene import MAX_INPUTS, MAX_UNITS, Name, Scene, Seed

OWN = "own"
MAX_CSV = 2_000_000  # characters
MAX_ROWS = 50_000  # of a table: an epoch of more would keep a job from ending at once
MAX_COLUMNS = 100
_SHOWN_ROWS = 1_000
_DIGITS = 4  # after the point, of what is drawn and of the sample that Build and Step begin with

Floats = NDArray[np.float64]


class Data(Struct, frozen=True, forbid_unknown_fields=True):
    """Which data.

    Attributes
    ----------
    name : str
        A set of points, a bundled table, or "own".
    noise : float
        Of points: how far they are from where their class says.
    rows : int
        Of points: how many.
    seed : int
        Draws points, and the rows that are held out.
    target : str or None
        The column of a table that is to be predicted; None for the usual one, or an own table's last that can be.
    csv : str or None
        An own table.
    held_out : float
        The part of the rows that training does not see.
    """

    name: Name = "circles"
    noise: Annotated[float, Meta(ge=0, le=1)] = 0.1
    rows: Annotated[int, Meta(ge=20, le=1_000)] = 200
    seed: Seed = 0
    target: Annotated[str, Meta(max_length=1_000)] | None = None
    csv: Annotated[str, Meta(max_length=MAX_CSV)] | None = None
    held_out: Annotated[float, Meta(ge=0, le=0.5)] = 0.25


class Asked(Struct, frozen=True, forbid_unknown_fields=True):
    """Data, and the scene whose network is to learn them."""

    data: Data
    scene: Scene | None = None


@dataclass(frozen=True)
class Rows:
    """Inputs and what belongs to them.

    Attributes
    ----------
    x : array, shape (n, d₀)
    y : array, shape (n,)
        Numbers of classes, or numbers.
    """

    x: Floats
    y: Floats

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Ready:
    """Data, ready for any network that fits.

    Attributes
    ----------
    training, held_out : Rows
        The latter may have no rows.
    names : list of str
        Of the inputs.
    classes : list of str, or None
        None where numbers are predicted.
    range : list of two float for each input
        What is worth drawing.
    target : str or None
        The column that is predicted, of a table.
    targets : list of str
        The columns that could be.
    notes : list of str
        What was left out, or read otherwise than it looks.
    """

    training: Rows
    held_out: Rows
    names: list[str]
    classes: list[str] | None
    range: list[list[float]]
    target: str | None = None
    targets: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def inputs(self) -> int:
        """d₀."""
        return len(self.names)

    @property
    def is_table(self) -> bool:
        """Whether they are not points."""
        return self.target is not None

    def suggested(self) -> tuple[int, str, str]:
        """Return how many outputs suit, which loss, and which activation of the last layer."""
        if self.classes is None:
            return 1, "squared_error", "identity"
        return (len(self.classes), "cross_entropy", "softmax") if self.is_table else (1, "squared_error", "tanh")

    def fits(self, net: Network) -> bool:
        """Tell whether a network has as many inputs and outputs as these data need."""
        outputs = {1} if self.classes is None else {len(self.classes), 1 if len(self.classes) == 2 else 0}
        return net.inputs == self.inputs and net.outputs in outputs

    def y_for(self, net: Network, rows: Rows) -> Any:
        """Return the targets of rows as a network has to be given them.

        Raises
        ------
        InputError
            When the network's inputs or outputs are too many or too few.
        """
        if net.inputs != self.inputs:
            raise InputError(
                f"these data have {self.inputs} inputs, but the network has {net.inputs}: give it {self.inputs}"
            )
        count = 1 if self.classes is None else len(self.classes)
        if self.classes is None and net.outputs == 1:
            return rows.y
        if net.outputs == count > 1:
            numbers = rows.y.astype(np.int64)
            return numbers if net.loss.targets_are_classes else np.eye(count)[numbers]
        if net.outputs == 1 and count == 2:
            low, high = signs(net)
            return np.where(rows.y > 0, high, low)
        has, needs = ("1 unit" if net.outputs == 1 else f"{net.outputs} units"), f"{count}{' or 1' * (count == 2)}"
        raise InputError(f"the last layer has {has}, but for these data it needs {needs}: change it")


def signs(net: Network) -> tuple[float, float]:
    """Return by which numbers a single output tells two classes apart: −1 and 1, or 0 and 1 where it cannot be −1."""
    positive = net.loss.targets[0] >= 0 or net.layers[-1].activation.name in _POSITIVE
    return (0.0 if positive else -1.0), 1.0


_POSITIVE = ("logistic", "softmax", "exponential", "softplus", "relu")


def ready(data: Data) -> Ready:
    """Return the data.

    Raises
    ------
    InputError
        When there are none of this name, or a table cannot be used; it says where.
    """
    if data.name in POINTS:
        return _points(data)
    if data.name in DEFAULT_TARGET:
        return _table(load_dataset(data.name), data, DEFAULT_TARGET[data.name])
    if data.name != OWN:
        raise unknown_name("data set", data.name, (*POINTS, *DEFAULT_TARGET, OWN))
    if data.csv is None:
        raise InputError("the own table is missing: drop a CSV file on the page, or choose one")
    _check_width(data.csv)
    from ..tables import read_text  # with libraries that take a second to load, for which nothing else should wait

    frame = read_text(data.csv)
    if frame.height > MAX_ROWS:
        raise InputError(f"the table has {frame.height:,} rows, and the lab takes {MAX_ROWS:,}: use chainrule train")
    usual, notes = (frame.columns[-1], []) if data.target else _usual_target(frame)
    return _table(frame, data, usual, notes)


def _usual_target(frame: Any) -> tuple[str, list[str]]:
    """Return the last column that can be predicted, and why those after it cannot; the last where none can."""
    from ..tables import Target

    notes = []
    for series in reversed(frame.get_columns()):
        if not series.count():  # as where each line ends in a separator
            continue
        try:
            classes = len(Target.fit(series).classes)
        except InputError as error:
            notes.append(str(error))
            continue
        if classes <= MAX_UNITS:
            return series.name, notes
        notes.append(_too_many(series.name, classes))
    return frame.columns[-1], []


def _too_many(name: str, classes: int) -> str:
    return f"{name!r:.80} has {classes} classes, and the lab takes {MAX_UNITS}: choose another column"


def _check_width(text: str) -> None:
    """Refuse a table with very many columns, which would take minutes to read, and which the lab could not take."""
    begun = text.removeprefix("\ufeff")  # the mark by which some programs begin a file
    for separator in ",;\t":
        try:
            lines = csv.reader(io.StringIO(begun, newline=""), delimiter=separator)
            columns = len(next(filter(None, lines), ()))  # the header: blank lines before it do not count
        except csv.Error:  # which is told of where the table is read
            continue
        if columns > MAX_COLUMNS:
            raise InputError(f"the table has {columns:,} columns, and the lab takes {MAX_COLUMNS}: leave columns out")


def _points(data: Data) -> Ready:
    made = points(data.name, data.rows, data.noise, data.seed)
    order = permutation(data.rows, data.seed, Purpose.HELD_OUT)
    if made.are_classes:  # each class in the same proportion
        order = order[np.argsort(made.y[order], kind="stable")]
    aside = np.zeros(data.rows, dtype=bool)
    count = round(data.rows * data.held_out)
    aside[order[((np.arange(count) + 0.5) * data.rows / max(count, 1)).astype(np.int64)]] = True
    return Ready(
        Rows(made.x[~aside], made.y[~aside]),
        Rows(made.x[aside], made.y[aside]),
        ["x₁", "x₂"],
        ["−", "+"] if made.are_classes else None,
        [[-REACH, REACH]] * 2,
    )


def _table(frame: Any, data: Data, usual: str, notes: Sequence[str] = ()) -> Ready:
    from ..tables import prepare

    target = usual if data.target is None else data.target
    empty = [series.name for series in frame if series.name != target and not series.count()]
    prepared = prepare(frame, target, ignore=empty, held_out=data.held_out, seed=data.seed)
    notes = [*notes, *(f"left out column {name!r:.80}, which has no value" for name in empty), *prepared.notes]
    names = prepared.encoding.feature_names
    if len(names) > MAX_INPUTS:
        many = f"the columns of this table make {len(names)} inputs, and the lab takes {MAX_INPUTS}: leave columns out"
        raise InputError("; ".join([many, *notes]))
    classes = None
    if prepared.target.task == "classification":
        classes = [str(label) for label in prepared.target.classes]
        if len(classes) > MAX_UNITS:
            raise InputError(_too_many(target, len(classes)))
    x, y = prepared.x, np.asarray(prepared.y, dtype=np.float64)
    held_x, held_y = (x[:0], y[:0]) if prepared.held_out is None else prepared.held_out
    low, high = x.min(axis=0), x.max(axis=0)
    margin = 0.05 * np.maximum(high - low, 1e-3)
    return Ready(
        Rows(x, y.reshape(len(y))),
        Rows(held_x, np.asarray(held_y, dtype=np.float64).reshape(len(held_y))),
        names,
        classes,
        np.column_stack([low - margin, high + margin]).tolist(),
        target,
        frame.columns,
        notes,
    )


def told(_: Lab, body: Asked) -> dict[str, Any]:
    """Return the data, as far as they are drawn, and which network suits them."""
    found = ready(body.data)
    outputs, loss, activation = found.suggested()
    net = Network(found.inputs, [Dense(outputs, activation)], loss)
    if body.scene is not None and found.fits(wanted := body.scene.network()):
        net = wanted
    return {
        "inputs": found.inputs,
        "outputs": outputs,
        "names": found.names,
        "classes": found.classes,
        "rows": len(found.training),
        "held_out": len(found.held_out),
        **_shown(found, net, found.training),
        "held_out_rows": _shown(found, net, found.held_out),
        "suggests": {"inputs": found.inputs, "outputs": outputs, "loss": loss, "output_activation": activation},
        "notes": [f"{note[0].upper()}{note[1:]}." for note in found.notes],
        "targets": found.targets,
        "target": found.target,
        "range": found.range,
    }


def _shown(found: Ready, net: Network, rows: Rows) -> dict[str, Any]:
    """Return the first of some rows as lists."""
    first = Rows(rows.x[:_SHOWN_ROWS], rows.y[:_SHOWN_ROWS])
    return {"x": np.round(first.x, _DIGITS), "y": np.round(found.y_for(net, first), _DIGITS)}


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("/api/data", Asked, told, "Points or a table, ready to be learnt, and which network suits them", LARGE),
)
