"""The contract of both estimators: what scikit-learn's users call, and what a subclass defines."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import signature
from typing import Any, ClassVar, Self, cast

import numpy as np
from sklearn.base import BaseEstimator

from ..backpropagation import forward
from ..data import Data, Floats
from ..engines import reference
from ..network import Network
from .atomic import unchanged_on_error
from .fitted import parameters_and_outputs
from .fitting import Fit, execute, finish, prepare
from .inputs import checked, checked_rows, dense_if_small, is_plain


class BaseMLP(BaseEstimator):  # type: ignore[misc]
    """A multi-layer perceptron with scikit-learn's contract; see :class:`MLPClassifier` and :class:`MLPRegressor`."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]]

    coefs_: list[Floats]
    intercepts_: list[Floats]
    out_activation_: str
    validation_scores_: Any  # a list of float, or None without early stopping
    best_validation_score_: Any

    def _targets(self, y: Any, dtype: Any, anew: bool, for_validation: bool) -> Floats:
        """Return checked targets, (n, outputs); `anew` where what was learnt of them before is forgotten."""
        raise NotImplementedError

    def _trained_on(self, targets: Floats) -> Floats:
        """Return the targets to train on, from those of the validation rows."""
        return targets

    def _network_of(self, inputs: int, outputs: int) -> Network:
        """Return the network for this many inputs and outputs."""
        raise NotImplementedError

    def _weights_of_classes(self, y: Any) -> Floats | None:
        """Return the class weight of each row; None if all are 1."""
        return None

    def _score_of(self, targets: Floats, outputs: Floats, weights: Floats) -> float:
        """Return the score of held-out rows, without early_stopping_scoring."""
        raise NotImplementedError

    def _scores_for(self, targets: Floats, weights: Floats) -> Callable[[Floats], float]:
        """Return :meth:`_score_of` as a function of the outputs, for one fit."""
        return lambda outputs: self._score_of(targets, outputs, weights)

    def _decoded(self, outputs: Floats) -> Any:
        """Return predictions from outputs, or y from targets, both (n, outputs)."""
        raise NotImplementedError

    def _warn_of_misleading_scores(self, data: Data) -> None:
        """Warn where the score of early stopping says little about a fit to these rows."""

    def _check_scorable(self, held_out: Data) -> None:
        """Check that held-out rows have a score.

        Raises
        ------
        ValueError
            When they have none, whatever the predictions.
        """

    def _default_out_activation(self) -> str:
        """Return the activation of the output where `out_activation_` is missing, as in attributes from elsewhere."""
        raise NotImplementedError

    _fitted_attributes: ClassVar[tuple[str, ...]] = ("coefs_", "intercepts_")  # which predictions need

    def _strata(self, targets: Floats) -> Any:
        """Return the strata for the held-out split, or None."""
        return None

    # Fitting

    def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Self:
        """Fit to data.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
            Any frame that narwhals knows, with numbers in its columns.
        y : array-like, shape (n,) or (n, outputs)
            Classes or labels, or numbers.
        sample_weight : array-like, shape (n,), optional
            How much each row counts in the mean: a whole number k does what k copies of the row do. None is negative,
            and their sum is above 0 and finite.
        validation_data : (X, y) or (X, y, sample_weight), optional
            Validation rows, evaluated after every epoch: ``history_["validation_loss"]``. With early stopping they
            take the place of the part that would be held out.

        Raises
        ------
        ValueError
            When data or parameters do not fit, or the fit diverges. The estimator is then as it was before.
        """
        claim_fit = self.__dict__.pop("_claim_fit", None)  # set by GridSearch on its own clones, for one fit
        with unchanged_on_error(self):
            if claim_fit is not None and (fit := claim_fit(self)) is not None:
                return cast("Self", finish(self, fit))
            self._validate_params()
            return cast("Self", execute(self, prepare(self, X, y, sample_weight, validation_data)))

    _claim_fit: Callable[[BaseMLP], Fit | None]

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any, validation_data: Any) -> Self:
        """Go through data once more."""
        self._validate_params()
        if self.early_stopping and validation_data is None:
            raise ValueError(
                "partial_fit does not support early_stopping=True without validation_data: "
                "pass the rows by which the best parameters are chosen."
            )
        if self.early_stopping and getattr(self, "early_stopped_", False):
            return self
        fit = prepare(self, X, y, sample_weight, validation_data, incremental=True)
        return cast("Self", execute(self, fit, incremental=True))

    def _checked_pair(
        self, X: Any, y: Any, first: bool, anew: bool, for_validation: bool = False
    ) -> tuple[Any, Any, Floats]:
        """Return X as scikit-learn checks it and as an engine can have it, y as it was checked, and the targets.

        Validation rows need not have every class.
        """
        X, y = checked(self, X, y, self._needs_numbers, reset=first)
        return dense_if_small(X), y, self._targets(y, X.dtype, anew, for_validation)

    _needs_numbers: ClassVar[bool] = False  # as targets

    @classmethod
    @cache  # finding out takes a tenth of a millisecond, and every check of the parameters asks
    def _get_param_names(cls) -> list[str]:
        names: list[str] = super()._get_param_names()
        return names

    def _why_not_split(self, data: Data, count: int, error: ValueError) -> str:
        """Return why ``train_test_split`` cannot hold out this many rows."""
        return f"no rows would be {'held out' if count == 0 else 'left to train on'}"

    # Predicting

    def _outputs_of(self, X: Any) -> Floats:
        """Return the outputs f_L of every row, (n, outputs), by the attributes as they are now."""
        theta, outputs = parameters_and_outputs(self)
        inputs = outputs.net.inputs
        named = "feature_names_in_" in self.__dict__ or self.__dict__.get("n_features_in_", inputs) != inputs
        if named or not is_plain(X, inputs, theta.dtype):
            X = self._checked_rows(X, inputs)
        return outputs(theta, dense_if_small(X).astype(theta.dtype, copy=False), self.threads)

    def _checked_rows(self, X: Any, inputs: int) -> Any:
        X = checked_rows(self, X)
        if X.shape[1] != inputs:  # after n_features_in_, which may be missing or differ
            raise ValueError(f"X has {X.shape[1]} features, but coefs_[0] has {inputs} rows.")
        return X

    def activations(self, X: Any, layer: int) -> Floats:
        """Return the activations fᵢ of a layer, (n, dᵢ).

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
        layer : int
            0 for the inputs, 1 for the first hidden layer, …; -1 for the output, -2 for the last hidden layer.

        Raises
        ------
        ValueError
            When there is no such layer, or X does not fit.
        """
        theta, outputs = parameters_and_outputs(self)
        net = outputs.net
        if not isinstance(layer, (int, np.integer)) or not -len(net.layers) - 1 <= layer <= len(net.layers):
            raise ValueError(
                f"layer must be a whole number from 0 to {len(net.layers)}, or from the end: got {layer!r}."
            )
        X = dense_if_small(self._checked_rows(X, net.inputs)).astype(theta.dtype, copy=False)
        params = net.parameters(theta)
        pieces = (
            forward(net, params, X[i : i + reference.CHUNK])[1][layer] for i in range(0, X.shape[0], reference.CHUNK)
        )
        return np.concatenate([piece if isinstance(piece, np.ndarray) else piece.toarray() for piece in pieces])

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = super().__getstate__()
        return state | {"_fitted": state["_fitted"].for_copy()} if "_fitted" in state else state

    def __getattr__(self, name: str) -> Any:
        # Attributes from scikit-learn's network, or from an earlier version, lack some parameters.
        defaults = self._defaults()
        return defaults[name] if name in defaults else object.__getattribute__(self, name)  # raises the usual error

    @classmethod
    @cache  # pre-fit checks ask for attributes that are missing, and a signature takes a third of a millisecond
    def _defaults(cls) -> dict[str, Any]:
        parameters = signature(cls).parameters.items()
        return {name: parameter.default for name, parameter in parameters if parameter.default is not parameter.empty}

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags
