"""Scores: of held-out rows for early stopping, and of regressors by the loss that they minimise."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.base import ClassifierMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer
from sklearn.utils.validation import _num_samples

from ..data import Data, Floats
from ..losses import Loss
from .inputs import checked_weights

_MEAN_MINIMISES = ("squared_error", "half_squared_error", "poisson")  # losses by name


def d2_scorer(loss: Loss, y: Floats, weights: Floats) -> Callable[[Floats], float]:
    """Return a function from predictions to D² = 1 − L / L₀, the share of a loss that they remove.

    L is the weighted mean loss of the predictions, and L₀ that of the best constant. D² is R² for the squared
    error.

    Parameters
    ----------
    loss : Loss
        One of chainrule's, which are never negative; D² means nothing where L₀ is.
    y : array, shape (n, outputs)
    weights : array, shape (n,)

    Returns
    -------
    callable
        From predictions, (n, outputs), to a number of at most 1, the mean over the outputs. An output without any loss
        counts 1; else it counts 0 where L₀ is 0. NaN for a single row, and where L₀ is not finite.
    """
    with np.errstate(all="ignore"):
        constant = np.array([_best_constant(loss, column, weights) for column in y.T])
        baseline = np.average(loss.value(y, np.broadcast_to(constant, y.shape)), axis=0, weights=weights)
    # The Poisson deviance of targets that are all 0 is 0, but computed as 0 · log 0.
    is_zero = (baseline == 0.0) | (np.isnan(baseline) & (y == y[0]).all(axis=0))
    divisor = np.where(is_zero | ~np.isfinite(baseline), np.nan, baseline)

    def score(outputs: Floats) -> float:
        if len(y) < 2:
            warnings.warn("D² is not defined for fewer than two rows.", UndefinedMetricWarning, stacklevel=2)
            return np.nan
        with np.errstate(all="ignore"):
            achieved = np.average(loss.value(y, outputs), axis=0, weights=weights)
            return float(np.where(is_zero, achieved == 0.0, 1.0 - achieved / divisor).mean())

    return score


def negative_loss(loss: Loss, y: Floats, outputs: Floats, weights: Floats) -> float:
    """Return minus the weighted mean loss of predictions, (n, outputs): the score by a loss of the user's own."""
    with np.errstate(all="ignore"):
        of_outputs = loss.value(y, outputs)
        of_rows = of_outputs.mean(axis=1) if loss.over_outputs == "mean" else of_outputs.sum(axis=1)
        return -float(np.average(of_rows, weights=weights))


def _best_constant(loss: Loss, y: Floats, weights: Floats) -> float:
    """Return the constant with the lowest mean loss for targets of shape (n,)."""
    if loss.name in _MEAN_MINIMISES:
        return float(np.average(y, weights=weights))
    if loss.name in ("quantile", "absolute_error"):
        return _quantile(y, weights, float(dict(loss.parameters).get("level", 0.5)))
    low, high = float(y.min()), float(y.max())
    if low == high:
        return low

    def mean_loss(constant: float) -> float:
        return float(np.average(loss.value(y, np.full_like(y, constant)), weights=weights))

    return float(minimize_scalar(mean_loss, bounds=(low, high), options={"xatol": 1e-9 * (high - low)}).x)


def _quantile(y: Floats, weights: Floats, level: float) -> float:
    """Return the smallest number at or below which lie at least `level` of the weights."""
    order = np.argsort(y)
    total = np.cumsum(weights[order], dtype=float)
    return float(y[order][min(np.searchsorted(total, level * total[-1]), len(y) - 1)])


def scorer_of(scoring: Any) -> Callable[[Any, Data, Any], float]:
    """Return a function that scores a fitted estimator on held-out rows.

    Parameters
    ----------
    scoring : str or callable
        A name that scikit-learn's ``get_scorer`` knows, or a function of estimator, X and y. It receives the rows'
        weights where it takes `sample_weight`.

    Returns
    -------
    callable
        Called with an estimator, the held-out rows, and their targets as the user has them.
    """
    scorer = get_scorer(scoring)
    takes_weights = "sample_weight" in inspect.signature(getattr(scorer, "_score_func", scorer)).parameters

    def score(estimator: Any, held_out: Data, y: Any) -> float:
        call = partial(scorer, sample_weight=held_out.weights) if takes_weights else scorer
        try:
            result = call(estimator, held_out.x, y)
        except ValueError as error:
            if not isinstance(scoring, str):  # an error of the user's own function, which is best as it is
                raise
            raise ValueError(
                f"early_stopping_scoring={scoring!r} fails for the {len(held_out)} held-out rows: {error} Choose "
                "another score, or hold out other rows with validation_data, validation_fraction or random_state."
            ) from error
        try:
            return float(result)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"early_stopping_scoring={scoring!r} must return a number for each call, but returned {result!r:.80}."
            ) from error

    return score


class AccuracyMixin(ClassifierMixin):  # type: ignore[misc]
    """A classifier's score, for weights that define one."""

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the share of the rows whose prediction is right, of classes or of all labels.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
        y : array-like, shape (n,) or (n, labels)
        sample_weight : array-like, shape (n,), optional
            None is negative, and their sum is above 0 and finite.

        Raises
        ------
        ValueError
            When X, y or sample_weight do not fit, or there was no fit yet (NotFittedError).
        """
        if sample_weight is not None:
            sample_weight = checked_weights(sample_weight, _num_samples(y), np.float64)
        return float(super().score(X, y, sample_weight))
