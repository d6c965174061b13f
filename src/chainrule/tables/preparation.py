"""A table → arrays to train on and arrays that are held out, with all that is needed to predict later."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.model_selection import train_test_split

from ..errors import InputError, unknown_name
from ..named import number
from ..randomness import Purpose, bits
from .checks import check_no_pattern
from .encoding import Encoding
from .target import Target
from .values import columns_of, stray_text, without_nan

# With fewer rows there is nothing to learn, let alone to hold out.
MIN_ROWS = 10

Floats = NDArray[np.float64]
Targets = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True)
class Prepared:
    """A table that is ready for training.

    Attributes
    ----------
    x : array, shape (n, d₀)
        The training rows.
    y : array, shape (n,) or (n, 1)
        Class numbers, or standardised numbers.
    held_out : (x, y) or None
        The rows that training does not see; None when none were to be held out.
    encoding : Encoding
        How the columns became x; fitted on the training rows only.
    target : Target
        How the target became y; mean and standard deviation are those of the training rows.
    notes : list of str
        What a user should know: rows and columns that were left out, and columns of numbers that became categories.
    """

    x: Floats
    y: Targets
    held_out: tuple[Floats, Targets] | None
    encoding: Encoding
    target: Target
    notes: list[str]


def prepare(
    frame: pl.DataFrame,
    target: str,
    task: str | None = None,
    ignore: Collection[str] = (),
    held_out: float = 0.2,
    seed: int = 0,
) -> Prepared:
    """Make a table ready for training.

    Parameters
    ----------
    frame : DataFrame
    target : str
        The column to be predicted. Rows without a value in it are left out.
    task : {"classification", "regression"}, optional
        Told from the column when left out, see :meth:`Target.fit`.
    ignore : collection of str
        Columns that are not to be used.
    held_out : float
        The fraction of the rows that training does not see, see :func:`split`.
    seed : int
        Which rows those are.

    Raises
    ------
    InputError
        When a column does not exist or cannot be used, fewer than 10 rows have a target, or the target cannot
        be learnt.
    """
    check_no_pattern(frame.columns)
    _check_columns(frame, target, ignore)
    frame = without_nan(columns_of(frame, [name for name in frame.columns if name not in ignore]))
    if frame.width == 1:
        raise InputError("no column is left to learn from: there is only the target")
    notes = _check_enough_rows(frame[target]) + _notes_on_stray_texts(frame)
    whole = Target.fit(frame[target], task)
    rows = frame.filter(frame[target].is_not_null())
    features, column = columns_of(rows, [name for name in rows.columns if name != target]), rows[target]
    classes = whole.encode(column) if whole.task == "classification" else None
    train, test = split(len(column), classes, held_out, seed)
    if len(test):
        notes += _notes_on_single_rows(whole, classes)
    learnt = Target.fit(column[train], whole.task) if whole.task == "regression" else whole
    encoding, more_notes = Encoding.fit(features[train])
    return Prepared(
        encoding.transform(features[train]),
        learnt.encode(column[train]),
        (encoding.transform(features[test]), learnt.encode(column[test])) if len(test) else None,
        encoding,
        learnt,
        notes + more_notes,
    )


def split(
    rows: int, classes: NDArray[np.generic] | None = None, held_out: float = 0.2, seed: int = 0
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Choose the rows to train on and the rows to hold out.

    Parameters
    ----------
    rows : int
        How many there are, at least 2.
    classes : array, shape (rows,), optional
        The class of each row. Each class is then divided in about the same proportion, has a row at least to
        train on, and has one held out when it has more than one (for which more rows may be held out).
    held_out : float
        The fraction to be held out, in [0, 0.5]; rounded up to a whole row.
    seed : int
        The same seed gives the same rows.

    Returns
    -------
    train, held_out : arrays of int
        Row numbers from 0, in ascending order.

    Raises
    ------
    InputError
        When the fraction or the seed is out of range.
    """
    fraction = number("held_out", held_out, 0.0, 0.5)
    everything = np.arange(rows)
    if not fraction:
        return everything, everything[:0]
    single = np.zeros(rows, dtype=bool) if classes is None else _only_of_their_class(classes)
    divisible = everything[~single]
    labels = None if classes is None else classes[divisible]
    least = 1 if labels is None else len(np.unique(labels))
    count = min(max(math.ceil(rows * fraction), least), len(divisible) // 2)
    random = np.random.RandomState(bits(seed, Purpose.HELD_OUT))
    train, test = train_test_split(divisible, test_size=count, stratify=labels, random_state=random)
    return np.sort(np.concatenate([train, everything[single]])), np.sort(test)


def _only_of_their_class(classes: NDArray[np.generic]) -> NDArray[np.bool_]:
    _, which, counts = np.unique(classes, return_inverse=True, return_counts=True)
    return np.asarray(counts[which] == 1)


def _check_columns(frame: pl.DataFrame, target: str, ignore: Collection[str]) -> None:
    for name in (target, *ignore):
        if name not in frame.columns:
            raise unknown_name("column", name, frame.columns)
    if target in ignore:
        raise InputError(f"column {target!r:.80} is the target, so it cannot be ignored")


def _check_enough_rows(target: pl.Series) -> list[str]:
    """Return a note on how many rows have no target, when enough have one."""
    present, missing = target.count(), target.null_count()
    if not present:
        raise InputError(f"target {target.name!r:.80} has no value in any of {len(target):,} rows")
    if present < MIN_ROWS:
        rows = "row has" if present == 1 else "rows have"
        raise InputError(f"only {present} {rows} a value in {target.name!r:.80}, but at least {MIN_ROWS} are needed")
    note = f"left out {missing:,} row{'s' * (missing > 1)} without a value in {target.name!r:.80}"
    return [note] * (missing > 0)


def _notes_on_stray_texts(frame: pl.DataFrame) -> list[str]:
    """Return a note on each column of numbers that a few texts have made one of categories."""
    strays = {series.name: stray_text(series) for series in frame}
    return [
        f"column {name!r:.80} is read as categories, since {stray}: write a number there, or leave the field empty"
        for name, stray in strays.items()
        if stray
    ]


def _notes_on_single_rows(target: Target, classes: Targets | None) -> list[str]:
    if classes is None:
        return []
    single = [str(target.classes[i]) for i in classes[_only_of_their_class(classes)]]
    return [f"class {label!r:.80} has a single row, which is trained on and not held out" for label in single]
