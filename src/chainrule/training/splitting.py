"""The split of data into training rows and validation rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..data import Data, Names, RowNumbers, prepare
from ..engines.task import Split
from ..errors import InputError
from ..network import Network
from ..randomness import Purpose, permutation


def split_of(
    net: Network, data: Data, validation: Sequence[Any] | None, fraction: float | None, seed: int, dtype: str
) -> Split:
    """Return a split: `data` and `validation` as they are, or a `fraction` of `data` held out.

    Raises
    ------
    InputError
        When the validation data are invalid, or the fraction leaves no training or no validation rows.
    """
    if fraction is not None:
        rows = split_rows(data, fraction, seed)
        check_weights(data, *rows)
        return Split(data.take(rows[0]), data.take(rows[1]))
    return Split(data, None if validation is None else validation_data(net, validation, dtype, data.feature_names))


def validation_data(net: Network, validation: Sequence[Any], dtype: str, feature_names: Names | None) -> Data:
    """Return validation data from (x, y) or (x, y, sample_weight), a frame's columns by their names.

    Raises
    ------
    InputError
        When they are invalid.
    """
    if not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3):
        raise InputError("validation must be a fraction, (x, y) or (x, y, sample_weight)")
    x, y, *weights = validation
    return prepare(net, x, y, weights[0] if weights else None, dtype, "validation ", feature_names)


def check_weights(data: Data, training: RowNumbers, validation: RowNumbers) -> None:
    """Check that training rows and validation rows have weights above 0.

    Raises
    ------
    InputError
        When all training rows, or all validation rows, have the weight 0.
    """
    for what, rows in (("train on", training), ("judge by", validation)):
        if not data.weights[rows].any():
            raise InputError(f"sample_weight is zero for all {len(rows)} rows to {what}")


def split_rows(data: Data, fraction: float, seed: int) -> tuple[RowNumbers, RowNumbers]:
    """Return the numbers of the training rows and of held-out rows, drawn evenly over the targets.

    The shuffled rows are sorted by target (class, or number where there is one output), and rows at equal
    distances go to validation. So each class has its share there to within one row, but no class its last row.
    """
    if not 0.0 < fraction < 1.0:
        raise InputError(f"a validation fraction must be above 0 and below 1, but is {fraction:g}")
    rows = len(data)
    count = max(1, round(fraction * rows))
    if count >= rows:
        raise InputError(f"a validation fraction of {fraction:g} leaves none of the {rows} rows to train on")
    order = permutation(rows, seed, Purpose.VALIDATION)
    key = data.y[order].argmax(axis=1) if data.y.shape[1] > 1 else data.y[order, 0]
    sorting = np.argsort(key, kind="stable")
    order, key = order[sorting], key[sorting]
    held_out = np.zeros(rows, dtype=np.bool_)
    held_out[order[((np.arange(count) + 0.5) * rows / count).astype(np.int64)]] = True
    if data.y.shape[1] > 1:
        for label in np.setdiff1d(key, key[~held_out[order]]):
            held_out[order[np.argmax(key == label)]] = False
        if not held_out.any():
            raise InputError(f"a validation fraction of {fraction:g} of {rows} rows would take a class's only row")
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)
