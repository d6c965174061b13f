"""The training rows and the validation rows of a fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from ..data import Data, Floats, RowNumbers
from ..engines.task import Split
from .constraints import is_stochastic
from .inputs import check_weights, checked_weights


def split_for_fit(
    estimator: Any, data: Data, of_classes: Floats | None, random: np.random.RandomState, validation_data: Any
) -> Split:
    """Return the training rows, and the validation rows, in which all classes count alike.

    Parameters
    ----------
    of_classes : array, shape (n,), or None
        The weight of the class of each row.

    Raises
    ------
    ValueError
        When the validation data are invalid, no row can be held out, or no row has a weight above 0.
    """
    weights = data.weights if of_classes is None else (data.weights * of_classes).astype(data.weights.dtype)
    training = Data(data.x, estimator._trained_on(data.y), weights)
    if of_classes is not None:
        check_weights(weights, "rows to train on", "change class_weight or sample_weight")
    if validation_data is not None:
        return Split(training, _checked_validation_data(estimator, data, validation_data))
    if not (estimator.early_stopping and is_stochastic(estimator)):
        return Split(training)
    rows, held_out = _hold_out(estimator, data, random)
    advice = "change random_state or validation_fraction, or pass validation_data"
    check_weights(weights[rows], "rows to train on", advice)
    check_weights(data.weights[held_out], "held-out rows", advice)
    return Split(training.take(rows), data.take(held_out))


def _checked_validation_data(estimator: Any, data: Data, validation_data: Any) -> Data:
    """Return validation data that were passed as (X, y) or (X, y, sample_weight)."""
    if not isinstance(validation_data, (tuple, list)) or len(validation_data) not in (2, 3):
        raise ValueError("validation_data must be (X, y) or (X, y, sample_weight).")
    X, y, *sample_weight = validation_data
    try:
        X, y, targets = estimator._checked_pair(X, y, first=False, anew=False, for_validation=True)
        if targets.shape[1] != data.y.shape[1]:
            raise ValueError(f"y has {targets.shape[1]} outputs, but there are {data.y.shape[1]} to train on.")
        weights = checked_weights(sample_weight[0] if sample_weight else None, X.shape[0], X.dtype)
    except ValueError as error:
        raise ValueError(f"validation_data: {error}") from error
    return Data(*(array.astype(data.x.dtype, copy=False) for array in (X, targets, weights)))


def _hold_out(estimator: Any, data: Data, random: np.random.RandomState) -> tuple[RowNumbers, RowNumbers]:
    """Return the numbers of the training rows, and of the rows that early stopping holds out."""
    try:
        rows, held_out = train_test_split(
            np.arange(len(data)),
            random_state=random,
            test_size=estimator.validation_fraction,
            stratify=estimator._strata(data.y),
        )
    except ValueError as error:
        count = int(np.ceil(estimator.validation_fraction * len(data)))
        raise ValueError(
            f"Early stopping cannot hold out validation_fraction={estimator.validation_fraction:g} of {len(data)} "
            f"rows: {estimator._why_not_split(data, count, error)}. Change validation_fraction, or pass "
            "validation_data."
        ) from error
    if len(held_out) < 2:
        raise ValueError("The validation set is too small. Increase 'validation_fraction' or the size of your dataset.")
    return rows, held_out
