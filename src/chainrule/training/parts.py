"""Which rows a run trains on, and which it is judged by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..data import Data, Names, RowNumbers, prepare
from ..errors import InputError
from ..network import Network
from ..randomness import Purpose, permutation


@dataclass(frozen=True)
class Parts:
    """The data of a run, in its two parts.

    Attributes
    ----------
    training : Data
        The rows to train on.
    validation : Data or None
        The rows to judge by after every epoch.
    """

    training: Data
    validation: Data | None

    @classmethod
    def of(
        cls,
        net: Network,
        given: Data,
        validation: Sequence[Any] | None,
        fraction: float | None,
        seed: int,
        dtype: str,
    ) -> Parts:
        """Return the parts: `given` and `validation` as they are, or a `fraction` of `given` set aside.

        Raises
        ------
        InputError
            When the validation data do not fit, or the fraction leaves a part without rows.
        """
        if fraction is not None:
            rows = split(given, fraction, seed)
            check_weights(given, *rows)
            return cls(given.take(rows[0]), given.take(rows[1]))
        return cls(given, None if validation is None else judged_by(net, validation, dtype, given.feature_names))

    def fingerprint(self) -> str:
        """Return a text that differs when any number of either part differs."""
        return self.training.fingerprint() + (self.validation.fingerprint() if self.validation else "")


def judged_by(net: Network, validation: Sequence[Any], dtype: str, feature_names: Names | None) -> Data:
    """Return validation data that were given as (x, y) or (x, y, sample_weight), a frame's columns by their names.

    Raises
    ------
    InputError
        When they do not fit.
    """
    if not isinstance(validation, (tuple, list)) or len(validation) not in (2, 3):
        raise InputError("validation must be a fraction, (x, y) or (x, y, sample_weight)")
    x, y, *weights = validation
    return prepare(net, x, y, weights[0] if weights else None, dtype, "validation ", feature_names)


def check_weights(data: Data, training: RowNumbers, validation: RowNumbers) -> None:
    """Check that each part of the rows weighs something.

    Raises
    ------
    InputError
        When all of a part have the weight 0.
    """
    for what, rows in (("train on", training), ("judge by", validation)):
        if not data.weights[rows].any():
            raise InputError(f"sample_weight is zero for all {len(rows)} rows to {what}")


def split(given: Data, fraction: float, seed: int) -> tuple[RowNumbers, RowNumbers]:
    """Return the numbers of the rows to train on, and of a part set aside, at random but evenly over the targets.

    The shuffled rows are sorted by target (class, or number where there is one output), and rows at equal
    distances go to validation. So each class has its share there to within one row, but no class its last row.
    """
    if not 0.0 < fraction < 1.0:
        raise InputError(f"a validation fraction must be above 0 and below 1, but is {fraction:g}")
    rows = len(given)
    count = max(1, round(fraction * rows))
    if count >= rows:
        raise InputError(f"a validation fraction of {fraction:g} leaves none of the {rows} rows to train on")
    order = permutation(rows, seed, Purpose.VALIDATION)
    key = given.y[order].argmax(axis=1) if given.y.shape[1] > 1 else given.y[order, 0]
    sorting = np.argsort(key, kind="stable")
    order, key = order[sorting], key[sorting]
    aside = np.zeros(rows, dtype=np.bool_)
    aside[order[((np.arange(count) + 0.5) * rows / count).astype(np.int64)]] = True
    if given.y.shape[1] > 1:
        for label in np.setdiff1d(key, key[~aside[order]]):
            aside[order[np.argmax(key == label)]] = False
        if not aside.any():
            raise InputError(f"a validation fraction of {fraction:g} of {rows} rows would take a class's only row")
    return np.flatnonzero(~aside), np.flatnonzero(aside)
