"""``MLPRegressor``: scikit-learn's, with what its users have asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score
from sklearn.utils import check_array, check_consistent_length, column_or_1d
from sklearn.utils.metaestimators import available_if

from ..data import Data, Floats
from ..losses import LOSSES
from ..network import Network
from .atomic import unchanged_on_error
from .constraints import REGRESSOR_CONSTRAINTS, has_partial_fit, network_of, regression_loss
from .contract import BaseMLP
from .inputs import checked_weights, known_to_scikit_learn
from .scoring import d2_scorer, negative_loss

_OUTPUTS = {"poisson": "exponential"}  # by the name of the loss
_SQUARED = ("squared_error", "half_squared_error")


class MLPRegressor(RegressorMixin, BaseMLP):  # type: ignore[misc]
    """A multi-layer perceptron that predicts numbers; takes scikit-learn's place by its import.

    Parameters, defaults, attributes, warnings and first weights are those of ``sklearn.neural_network.MLPRegressor``.
    With several outputs the gradient of the squared error is that of the loss, the mean over the outputs, where
    scikit-learn's is as many times as large as there are outputs.

    Parameters
    ----------
    loss : {"squared_error", "poisson"} or str or Loss
        "squared_error" is ½ (y − f)², as in scikit-learn. Elsewhere in chainrule that is called "half_squared_error",
        a name that is accepted here, too; ``cr.losses.squared_error()`` is (y − f)², which is twice as large, so that
        `alpha` counts half as much beside it. "poisson" is half the Poisson deviance, with exponential outputs, and
        the sum over the outputs, as in scikit-learn. ``cr.losses.poisson()`` is their mean, so that `alpha` counts as
        many times as much beside it as there are outputs; with ``over_outputs="sum"`` it is the same. Beyond
        scikit-learn "absolute_error", "huber", "log_cosh", "quantile", or a loss such as ``cr.losses.quantile(0.9)``:
        these are means over the outputs.
    hidden_layer_sizes, activation, solver and so on
        All others are those of :class:`~chainrule.MLPClassifier`, but for `class_weight` and `label_smoothing`.

    Attributes
    ----------
    coefs_, intercepts_, loss_curve_, history_ and so on
        As those of :class:`~chainrule.MLPClassifier`. A validation score is D² of the loss unless
        `early_stopping_scoring` is set; see :meth:`score`. For the squared error it is R²; for a loss of your own it
        is the negative mean loss.

    Examples
    --------
    >>> from chainrule import MLPRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> MLPRegressor(solver="lbfgs", max_iter=50, alpha=1.0, random_state=0).fit(X, y).predict(X[:2]).shape
    (2,)
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = REGRESSOR_CONSTRAINTS
    _needs_numbers = True

    def __init__(
        self,
        loss: Any = "squared_error",
        hidden_layer_sizes: Any = (100,),
        activation: Any = "relu",
        *,
        solver: Any = "adam",
        alpha: float = 0.0001,
        batch_size: Any = "auto",
        learning_rate: Any = "constant",
        learning_rate_init: float = 0.001,
        power_t: float = 0.5,
        max_iter: int = 200,
        shuffle: bool = True,
        random_state: Any = None,
        tol: float = 1e-4,
        verbose: bool = False,
        warm_start: bool = False,
        momentum: float = 0.9,
        nesterovs_momentum: bool = True,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        n_iter_no_change: float = 10,
        max_fun: int = 15000,
        dropout: Any = 0.0,
        alpha_scaling: str = "batch",
        clip_norm: float | None = None,
        early_stopping_scoring: Any = None,
        callbacks: Any = None,
        threads: int | None = None,
        engine: str = "auto",
    ) -> None:
        self.loss = loss
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.solver = solver
        self.alpha = alpha
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.learning_rate_init = learning_rate_init
        self.power_t = power_t
        self.max_iter = max_iter
        self.shuffle = shuffle
        self.random_state = random_state
        self.tol = tol
        self.verbose = verbose
        self.warm_start = warm_start
        self.momentum = momentum
        self.nesterovs_momentum = nesterovs_momentum
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.n_iter_no_change = n_iter_no_change
        self.max_fun = max_fun
        self.dropout = dropout
        self.alpha_scaling = alpha_scaling
        self.clip_norm = clip_norm
        self.early_stopping_scoring = early_stopping_scoring
        self.callbacks = callbacks
        self.threads = threads
        self.engine = engine

    @available_if(has_partial_fit)  # type: ignore[untyped-decorator]
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Go through data once, from where the parameters are.

        Parameters
        ----------
        X, y, sample_weight, validation_data
            As for :meth:`fit`. With early stopping, `validation_data` is needed: the parameters with the best score are
            kept, and once there was no better for more than `n_iter_no_change` calls, further calls do nothing and
            ``early_stopped_`` is True.

        Raises
        ------
        ValueError
            When data or parameters do not fit.
        """
        with unchanged_on_error(self):
            return self._partial_fit(X, y, sample_weight, validation_data)

    def _targets(self, y: Any, dtype: Any, anew: bool, for_validation: bool) -> Floats:
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        with np.errstate(over="ignore"):
            targets = np.ascontiguousarray(y.reshape(len(y), -1), dtype=dtype)
        if (infinite := ~np.isfinite(targets)).any():
            row = int(infinite.any(axis=1).argmax())
            raise ValueError(f"y[{row}] is {y[row]}, which is not finite in {dtype}, the dtype of X.")
        low, high = regression_loss(self).targets
        outside = (targets < low) | (targets > high)
        if outside.any():
            row = int(outside.any(axis=1).argmax())
            raise ValueError(f"loss={self.loss!r} takes targets from {low:g} to {high:g}, but y[{row}] is {y[row]}.")
        return targets

    def _network_of(self, inputs: int, outputs: int) -> Network:
        loss = regression_loss(self)
        output = _OUTPUTS.get(loss.name, "identity")
        self.out_activation_ = "exp" if output == "exponential" else output
        return network_of(self, inputs, outputs, output, loss)

    def _default_out_activation(self) -> str:
        return _OUTPUTS.get(regression_loss(self).name, "identity")

    def _check_scorable(self, held_out: Data) -> None:
        rows, scoring = int(np.count_nonzero(held_out.weights)), self.early_stopping_scoring
        if rows < 2 and (scoring == "r2" or (scoring is None and LOSSES.made(regression_loss(self)))):
            is_r2 = scoring == "r2" or regression_loss(self).name in _SQUARED
            given = "" if scoring is None else f" (early_stopping_scoring={scoring!r})"
            raise ValueError(
                f"Early stopping scores held-out rows by {'R²' if is_r2 else 'D²'}{given}, which needs at least two "
                f"rows with a weight above 0, but their number is {rows}: pass more rows as validation_data, increase "
                "validation_fraction, or set early_stopping_scoring='loss'."
            )

    def _score_of(self, targets: Floats, outputs: Floats, weights: Floats) -> float:
        return self._scores_for(targets, weights)(outputs)

    def _scores_for(self, targets: Floats, weights: Floats) -> Callable[[Floats], float]:
        loss = regression_loss(self)
        if not LOSSES.made(loss):
            return lambda outputs: negative_loss(loss, targets, outputs, weights)
        if loss.name in _SQUARED:
            return lambda outputs: float(r2_score(targets, outputs, sample_weight=weights))
        return d2_scorer(loss, targets, weights)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return how much better predictions are than the best constant, by the loss: 1 is best, 0 is the constant.

        The score is D² = 1 − L / L₀, with the mean loss L of the predictions and L₀ of the best constant, such as the
        median for the absolute error. For the squared error D² is R², as scikit-learn has it for every loss.
        For a loss of your own, which may be negative, the score is −L.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
        y : array-like, shape (n,) or (n, outputs)
        sample_weight : array-like, shape (n,), optional
            None is negative, and their sum is above 0 and finite.

        Raises
        ------
        ValueError
            When X, y or sample_weight do not fit, or there was no fit yet (NotFittedError).
        """
        return self._score(self._outputs_of(X), y, sample_weight)

    def _score(self, outputs: Floats, y: Any, sample_weight: Any) -> float:
        """Return the score of outputs, (n, outputs), for y as the user has it."""
        y = check_array(known_to_scikit_learn(y), ensure_2d=False, dtype=np.float64, input_name="y")
        check_consistent_length(outputs, y)
        targets = self._targets(y.ravel() if y.shape[1:] == (1,) else y, np.float64, anew=False, for_validation=True)
        if targets.shape != outputs.shape:
            raise ValueError(f"y has {targets.shape[1]} outputs, but the predictions have {outputs.shape[1]}.")
        weights = checked_weights(sample_weight, len(targets), np.float64)
        return self._score_of(targets, outputs.astype(np.float64, copy=False), weights)

    def predict(self, X: Any) -> Floats:
        """Return the prediction for every row, (n,), or (n, outputs) where there are several.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)

        Raises
        ------
        ValueError
            When X does not fit, or there was no fit yet (NotFittedError).
        """
        return self._decoded(self._outputs_of(X))

    def _decoded(self, outputs: Floats) -> Floats:
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs
