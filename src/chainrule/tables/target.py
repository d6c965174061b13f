"""The column that is predicted ↔ what a network is trained on: class numbers, or standardised numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.preprocessing import StandardScaler

from ..errors import InputError, unknown_name
from ..named import JSON, fields, number, whole
from .checks import check_label
from .values import MAX_NUMBER, MIN_SCALE, check_fits, kind_of, measures, stray_text, texts, without_nan

Task = Literal["classification", "regression"]
TASKS: tuple[Task, ...] = get_args(Task)

# Whole numbers with at most this many distinct values are taken as classes.
MAX_WHOLE_CLASSES = 20
MAX_CLASSES = 10_000


@dataclass(frozen=True)
class Target:
    """What is predicted.

    Attributes
    ----------
    name : str
        The column.
    task : {"classification", "regression"}
    classes : tuple of str, int or bool
        The labels, sorted; label i is output i of the network. None for regression.
    mean, scale : float
        The network learns (value − mean) / scale. 0 and 1 for classification.

    Raises
    ------
    InputError
        When a part is of the wrong type or out of range.
    """

    name: str
    task: Task
    classes: tuple[str, ...] | tuple[int, ...] | tuple[bool, ...] = ()
    mean: float = 0.0
    scale: float = 1.0

    def __post_init__(self) -> None:
        check_label("target: the name of the column", self.name)
        if self.task not in TASKS:
            raise unknown_name("task", self.task, TASKS)
        if self.task == "classification":
            _check_classes(f"target {self.name!r:.80}", self.classes)
        object.__setattr__(self, "mean", number("target: mean", self.mean, -MAX_NUMBER, MAX_NUMBER))
        object.__setattr__(self, "scale", number("target: scale", self.scale, MIN_SCALE, MAX_NUMBER))

    @classmethod
    def fit(cls, column: pl.Series, task: str | None = None) -> Target:
        """Learn the classes, or the mean and the standard deviation.

        Parameters
        ----------
        column : Series
            Missing values do not count.
        task : {"classification", "regression"}, optional
            When left out, text, booleans and whole numbers with few distinct values (at most 20, and fewer
            than half the rows) are classes; other numbers are regression.

        Raises
        ------
        InputError
            When the column holds one value only, cannot be what `task` says, or is neither classes nor
            numbers.
        """
        column = without_nan(column.to_frame()).to_series()
        present = column.drop_nulls()
        chosen = _task(present, task)
        distinct = present.n_unique()
        if distinct < 2:
            only = f"one value only, {str(present[0])!r:.80}" if distinct else "no value"
            raise InputError(f"target {column.name!r:.80} has {only}: there is nothing to learn")
        if chosen == "regression":
            scaler = StandardScaler().fit(measures(column, "number"))
            return cls(column.name, chosen, (), float(scaler.mean_[0]), float(scaler.scale_[0]))
        # From the column with its gaps, so that a message names the row of the table.
        labels = _labels(column, _label_type(column)).drop_nulls()
        if distinct > min(len(present) / 2, MAX_CLASSES):
            stray = stray_text(column)
            raise InputError(
                f"target {column.name!r:.80} has {distinct:,} distinct values in {len(present):,} rows, "
                f"too many for classes; predict another column{stray and f', or numbers only: {stray}'}"
            )
        return cls(column.name, chosen, tuple(sorted(set(labels))))

    @property
    def outputs(self) -> int:
        """How many outputs the network needs: one for each class, or one."""
        return len(self.classes) or 1

    def encode(self, column: pl.Series) -> NDArray[np.int64] | NDArray[np.float64]:
        """Return what the network is trained on.

        Parameters
        ----------
        column : Series, length n
            Without missing values.

        Returns
        -------
        array
            Class numbers of shape (n,), or standardised numbers of shape (n, 1).

        Raises
        ------
        InputError
            When a value is missing, is none of the classes, or is not a number.
        """
        column = without_nan(column.to_frame()).to_series()
        if column.null_count():
            row = column.is_null().arg_max()
            raise InputError(f"target {self.name!r:.80}: row {(row or 0) + 1} has no value")
        if self.task == "regression":
            return (measures(column, "number") - self.mean) / self.scale
        numbers = {label: i for i, label in enumerate(self.classes)}
        labels = _labels(column, type(self.classes[0]), [str(label) for label in self.classes])
        encoded = labels.replace_strict(numbers, default=None, return_dtype=pl.Int64)
        return check_fits(column, encoded, f"one of the {len(numbers)} classes").to_numpy()

    def decode(self, outputs: NDArray[np.floating]) -> NDArray[Any]:
        """Return predictions in the column's own terms.

        Parameters
        ----------
        outputs : array, shape (n, outputs)
            What the network gives.

        Returns
        -------
        array, shape (n,)
            The label of the largest output (texts, whole numbers or booleans as in training), or numbers in
            the column's unit.

        Raises
        ------
        InputError
            When the outputs have another shape.
        """
        if outputs.ndim != 2 or outputs.shape[1] != self.outputs:
            raise InputError(f"outputs have the shape {outputs.shape}, but must be (n, {self.outputs})")
        if self.task == "classification":
            # As objects, because NumPy's own texts lose a zero byte at their end.
            dtype = object if isinstance(self.classes[0], str) else None
            return np.asarray(np.array(self.classes, dtype=dtype)[outputs.argmax(axis=1)])
        return outputs[:, 0].astype(np.float64) * self.scale + self.mean

    def to_json(self) -> JSON:
        """Return the target as a JSON object, which :meth:`from_json` reads."""
        common: dict[str, JSON] = {"name": self.name, "task": self.task}
        if self.task == "classification":
            return {**common, "classes": list(self.classes)}
        return {**common, "mean": self.mean, "scale": self.scale}

    @classmethod
    def from_json(cls, description: JSON) -> Target:
        """Return the target that a JSON object describes, which may come from a stranger.

        Raises
        ------
        InputError
            When a part is missing, unknown or does not fit.
        """
        if isinstance(description, dict) and description.get("task") == "regression":
            return cls(*_in_order(fields("target", description, ("name", "task", "mean", "scale"))))
        name, task, classes = fields("target", description, ("name", "task", "classes"))
        if not isinstance(classes, list):
            raise InputError("target: classes must be a list")
        return cls(name, task, tuple(classes))


def _in_order(found: list[Any]) -> list[Any]:
    name, task, mean, scale = found
    return [name, task, (), mean, scale]


def _check_classes(what: str, classes: tuple[Any, ...]) -> None:
    """Check for two or more sorted labels of one type."""
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise InputError(f"{what}: {len(classes):,} classes, but there must be 2 to {MAX_CLASSES:,}")
    label_type = type(classes[0])
    if label_type not in (str, int, bool) or any(type(label) is not label_type for label in classes):
        raise InputError(f"{what}: the classes must be all texts, all whole numbers or all booleans")
    for label in classes:
        if label_type is str:
            check_label(f"{what}: a class", label)
        elif label_type is int:
            whole(f"{what}: a class", label, -(2**63))
    if list(classes) != sorted(set(classes)):
        raise InputError(f"{what}: the classes must be sorted and differ")


def _task(column: pl.Series, given: str | None) -> Task:
    """Return the task that was given, or else the one that suits the column."""
    kind = kind_of(column)
    if kind not in ("number", "boolean", "category"):
        raise InputError(
            f"target {column.name!r:.80} is of type {column.dtype}, but only classes and numbers can be learnt"
        )
    for task in TASKS:
        if given == task:
            return task
    if given is not None:
        raise unknown_name("task", given, TASKS)
    few = min(MAX_WHOLE_CLASSES, (len(column) - 1) // 2)
    if kind != "number" or (column.dtype.is_integer() and column.n_unique() <= few):
        return "classification"
    return "regression"


def _label_type(column: pl.Series) -> type:
    return {"number": int, "boolean": bool}.get(kind_of(column), str)


def _labels(column: pl.Series, label_type: type, known: list[str] | None = None) -> pl.Series:
    """Return a column as labels of one type."""
    if label_type is str:
        return texts(column, known or ())
    if label_type is bool:
        return pl.Series(column.name, measures(column, "boolean")[:, 0]).cast(pl.Boolean)
    if column.dtype.is_integer():
        return check_fits(column, column.cast(pl.Int64, strict=False), "a whole number of 64 bits")
    numbers = pl.Series(column.name, measures(column, "number")[:, 0])
    is_whole = (numbers == numbers.floor()) & (numbers.abs() < 2.0**63)
    none = pl.Series([None], dtype=pl.Float64)
    return check_fits(column, numbers.zip_with(is_whole, none), "a whole number as class").cast(pl.Int64)
