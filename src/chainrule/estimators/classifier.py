"""``MLPClassifier``: scikit-learn's, with what its users have asked for."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import numpy as np
from scipy import sparse
from sklearn.utils import column_or_1d
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import (
    _check_partial_fit_first_call,
    type_of_target,
    unique_labels,
)

from ..data import Data, Floats
from ..network import Network
from .atomic import unchanged_on_error
from .classes import kind_of_classes, kind_of_targets, warn_of_rare_classes, weights_of_classes
from .constraints import CLASSIFIER_CONSTRAINTS, classification_loss, has_partial_fit, network_of
from .contract import BaseMLP
from .inputs import check_none_missing, known_to_scikit_learn
from .scoring import AccuracyMixin


class MLPClassifier(AccuracyMixin, BaseMLP):
    """A multi-layer perceptron that tells classes or labels apart; takes scikit-learn's place by its import.

    Parameters, defaults, attributes, warnings and first weights are those of ``sklearn.neural_network.MLPClassifier``;
    what is listed under "Beyond scikit-learn" is new.

    Parameters
    ----------
    hidden_layer_sizes : array-like of int or int
        How many units each hidden layer has.
    activation : str, Activation or list of these
        Of the hidden layers: "identity", "logistic", "tanh", "relu"; beyond scikit-learn every other of
        ``chainrule.activations`` or your own, and a list for one of each layer.
    solver : {"lbfgs", "sgd", "adam"} or str or Optimizer
        Beyond scikit-learn "adamw", "rmsprop", "adagrad", "rprop", or an optimiser such as ``cr.Adam(1e-3)``.
    alpha : float
        Strength of the L2 penalty ½ alpha Σw² / n; see `alpha_scaling`.
    batch_size : int or "auto"
        "auto" is 200, or all rows if there are fewer. L-BFGS takes all rows.
    learning_rate : {"constant", "invscaling", "adaptive"} or str or Schedule
        For "sgd": constant; divided by (rows seen + 1)^power_t; or divided by 5 whenever there is no progress.
        Beyond scikit-learn, for every solver but L-BFGS: "step", "exponential", "cosine", "one_cycle", "warm_up", or a
        schedule of ``chainrule.schedules``.
    learning_rate_init : float
        The learning rate η.
    power_t : float
    max_iter : int
        How many times to go through the data; iterations of L-BFGS.
    shuffle : bool
        Whether each epoch takes the rows in a new random order.
    random_state : int, RandomState or None
        Decides first weights, held-out rows, order and dropout.
    tol : float
    n_iter_no_change : int
        The fit ends when for more than `n_iter_no_change` epochs the loss has not fallen by `tol`.
    verbose : bool
    warm_start : bool
        Whether a further call of fit goes on where the last one ended: to the same parameters as one long fit.
    momentum : float
    nesterovs_momentum : bool
    early_stopping : bool
        Whether to hold out `validation_fraction` of the rows, end by their score in place of the loss, and keep the
        parameters with the best score.
    validation_fraction : float
    beta_1, beta_2, epsilon : float
        Of Adam.
    max_fun : int
        How often L-BFGS may evaluate the loss.

    loss : "log_loss" or Loss
        "log_loss" is cross entropy; for labels, the sum over the labels of their binary cross entropies, as in
        scikit-learn. ``cr.losses.binary_cross_entropy()`` is the mean over the labels, so that `alpha` counts as many
        times as much beside it as there are labels; with ``over_outputs="sum"`` it is the same. Beyond scikit-learn: a
        loss of ``chainrule.losses`` or your own.
    class_weight : dict, "balanced" or None
        Beyond scikit-learn: by what the weight of each class's rows is multiplied in training.
    label_smoothing : float
        Beyond scikit-learn: ε of the targets (1 − ε) y + ε / K, for K classes (K = 2 for a label).
    dropout : float or list of float
        Beyond scikit-learn: the probability with which a hidden activation is dropped in training, or a list with one
        for each layer.
    alpha_scaling : {"batch", "data"}
        Beyond scikit-learn: which n the penalty is divided by: the rows of a batch, as scikit-learn does, or all that
        are trained on, so that it does not depend on the batch size.
    clip_norm : float or None
        Beyond scikit-learn: the greatest length of a gradient.
    early_stopping_scoring : None, "loss", str or callable
        Beyond scikit-learn: the score that early stopping validates by. None is accuracy (of
        :class:`~chainrule.MLPRegressor`, D² of its loss, or for one of your own the negative mean loss); "loss" is
        the negative mean loss of the held-out rows. Others are a name that ``sklearn.metrics.get_scorer`` knows, such
        as "average_precision", or a function of a fitted estimator, X and y, with `sample_weight` if it takes it.
        With accuracy, a warning is given where a class has fewer than 5% of the rows and fewer than a tenth of those
        of the most frequent class, or where fewer than 5% of the rows have, or lack, a label. A score that is not
        finite for finite predictions, and has never been, ends the fit with an error.
    callbacks : callable or list of callable
        Beyond scikit-learn: each is called with the :class:`~chainrule.Run` after every epoch; one that returns True
        ends the fit.
    threads : int or None
        Beyond scikit-learn: how many threads may be used; by default ``CHAINRULE_THREADS``, or all cores. The result
        has the same bits for any number.
    engine : {"auto", "native", "reference"}
        Beyond scikit-learn: what executes the fit.

    Attributes
    ----------
    classes_ : array, shape (classes,)
    coefs_, intercepts_ : list of array
        Wᵢ, (dᵢ₋₁, dᵢ), and bᵢ, (dᵢ,), of every layer.
    loss_, best_loss_ : float
        The loss of the last epoch, and the lowest.
    loss_curve_ : list of float
        The loss of every epoch, penalty included.
    validation_scores_, best_validation_score_
        With early stopping.
    n_iter_, t_, n_layers_, n_outputs_, n_features_in_ : int
        Epochs of the last fit, rows seen, layers with the input, outputs, features.
    out_activation_ : str
    feature_names_in_ : array of str
        Where X has names.
    history_ : History
        Beyond scikit-learn: loss, learning rate and validation loss of every epoch.
    early_stopped_ : bool
        Beyond scikit-learn: whether further calls of `partial_fit` do nothing, with early stopping.

    Examples
    --------
    >>> from chainrule import MLPClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> MLPClassifier(solver="lbfgs", max_iter=500, random_state=0).fit(X, y).score(X, y) > 0.95
    True
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = CLASSIFIER_CONSTRAINTS

    classes_: Any
    _fitted_attributes = ("coefs_", "intercepts_", "classes_")
    _gives_sparse = False  # predictions of labels

    def __init__(
        self,
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
        loss: Any = "log_loss",
        class_weight: Any = None,
        label_smoothing: float = 0.0,
        dropout: Any = 0.0,
        alpha_scaling: str = "batch",
        clip_norm: float | None = None,
        early_stopping_scoring: Any = None,
        callbacks: Any = None,
        threads: int | None = None,
        engine: str = "auto",
    ) -> None:
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
        self.loss = loss
        self.class_weight = class_weight
        self.label_smoothing = label_smoothing
        self.dropout = dropout
        self.alpha_scaling = alpha_scaling
        self.clip_norm = clip_norm
        self.early_stopping_scoring = early_stopping_scoring
        self.callbacks = callbacks
        self.threads = threads
        self.engine = engine

    @available_if(has_partial_fit)  # type: ignore[untyped-decorator]
    def partial_fit(
        self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None, validation_data: Any = None
    ) -> Self:
        """Go through data once, from where the parameters are.

        Parameters
        ----------
        X, y, sample_weight, validation_data
            As for :meth:`fit`. With early stopping, `validation_data` is needed: the parameters with the best score are
            kept, and once there was no better for more than `n_iter_no_change` calls, further calls do nothing and
            ``early_stopped_`` is True.
        classes : array-like, shape (classes,)
            All classes that will come; needed in the first call. For labels, their numbers 0 … K − 1.

        Raises
        ------
        ValueError
            When data or parameters do not fit, or classes are missing or unknown.
        """
        if isinstance(self.class_weight, str) and self.class_weight == "balanced":
            raise ValueError(
                "class_weight 'balanced' is not supported for partial_fit. In order to use 'balanced' weights, use "
                "compute_class_weight('balanced', classes=classes, y=y), with y of the whole data, and hand them in "
                "as a dict."
            )
        y, classes = known_to_scikit_learn(y), known_to_scikit_learn(classes)
        check_none_missing(y)
        if classes is not None:
            check_none_missing(classes, "classes")
        with unchanged_on_error(self):
            if _check_partial_fit_first_call(self, classes):
                kind = type_of_target(y)
                self._target_kind = kind if kind.startswith("multilabel") else kind_of_classes(self.classes_)
                self._gives_sparse = sparse.issparse(y)
            return self._partial_fit(X, y, sample_weight, validation_data)

    @property
    def _kind(self) -> str:
        """Scikit-learn's type of the targets: "binary", "multiclass" or "multilabel-indicator".

        Where attributes were copied from another network, it is that of the other's targets.
        """
        binarizer = self.__dict__.get("_label_binarizer")
        kind = self.__dict__.get("_target_kind") if binarizer is None else binarizer.y_type_
        outputs = len(self.intercepts_[-1]) if "intercepts_" in self.__dict__ else None
        if kind is not None and (outputs is None or (kind == "binary") == (outputs == 1)):
            return str(kind)
        if outputs == 1:
            return "binary"
        return "multilabel-indicator" if self.__dict__.get("out_activation_") == "logistic" else "multiclass"

    def _targets(self, y: Any, dtype: Any, anew: bool, for_validation: bool) -> Floats:
        is_sparse = not isinstance(y, np.ndarray)
        y = y if isinstance(y, np.ndarray) else y.toarray()
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        if anew or not hasattr(self, "classes_"):
            kind = kind_of_targets(y)
            self._target_kind, self.classes_ = kind, unique_labels(y) if kind.startswith("multilabel") else np.unique(y)
            self._gives_sparse = is_sparse
        else:
            self._check_known(unique_labels(y), for_validation)
        if self._kind.startswith("multilabel"):
            return np.ascontiguousarray(y.astype(bool), dtype=dtype)
        codes = np.searchsorted(self.classes_, y)
        if self._kind == "binary":
            return np.ascontiguousarray(codes.reshape(-1, 1), dtype=dtype)
        one_hot: Floats = np.eye(len(self.classes_), dtype=dtype)[codes]
        return one_hot

    def _check_known(self, classes: Any, for_validation: bool) -> None:
        if self.warm_start and not for_validation:
            if {*classes} != {*self.classes_}:
                raise ValueError(
                    "warm_start can only be used where `y` has the same classes as in the previous call to fit. "
                    f"Previously got {self.classes_}, `y` has {classes}"
                )
        elif len(np.setdiff1d(classes, self.classes_, assume_unique=True)):
            raise ValueError(
                f"`y` has classes not in `self.classes_`. `self.classes_` has {self.classes_}. 'y' has {classes}."
            )

    def _trained_on(self, targets: Floats) -> Floats:
        smoothing = self.label_smoothing
        if not smoothing:
            return targets
        share = smoothing / (targets.shape[1] if self._kind == "multiclass" else 2)
        smoothed: Floats = ((1.0 - smoothing) * targets + share).astype(targets.dtype)
        return smoothed

    def _weights_of_classes(self, y: Any) -> Floats | None:
        return weights_of_classes(self.class_weight, y)

    def _network_of(self, inputs: int, outputs: int) -> Network:
        self.out_activation_ = "softmax" if self._kind == "multiclass" else "logistic"
        return network_of(self, inputs, outputs, self.out_activation_, classification_loss(self, self._kind))

    def _default_out_activation(self) -> str:
        return "softmax" if self._kind == "multiclass" else "logistic"

    def _why_not_split(self, data: Data, count: int, error: ValueError) -> str:
        strata = self._strata(data.y)
        if strata is None or not 0 < count < len(data):
            return super()._why_not_split(data, count, error)
        lone = np.flatnonzero(np.bincount(strata[:, 0], minlength=2) == 1)
        if len(lone):
            return f"the class {self.classes_[lone[0]]} has a single row, but needs two ({error})"
        return "one part would be a single row, which cannot contain both classes"

    def _strata(self, targets: Floats) -> Any:
        return targets.astype(bool) if targets.shape[1] == 1 else None  # as scikit-learn has it

    def _score_of(self, targets: Floats, outputs: Floats, weights: Floats) -> float:
        if self._kind == "multiclass":
            right = outputs.argmax(axis=1) == targets.argmax(axis=1)
        elif self._kind == "binary" and len(self.classes_) == 1:
            right = np.ones(len(outputs), dtype=bool)
        else:
            right = ((outputs > 0.5) == (targets > 0.5)).all(axis=1)
        return float(np.average(right, weights=weights))

    def _warn_of_misleading_scores(self, data: Data) -> None:
        warn_of_rare_classes(data, self.classes_, multilabel=self._kind == "multilabel-indicator")

    def predict(self, X: Any) -> Any:
        """Return the class of every row, (n,), or its labels, (n, labels), 0 or 1.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)

        Raises
        ------
        ValueError
            When X does not fit, or there was no fit yet (NotFittedError).
        """
        return self._decoded(self._outputs_of(X))

    def _decoded(self, outputs: Floats) -> Any:
        if self._kind == "multiclass":
            return self.classes_[outputs.argmax(axis=1)]
        if self._kind.startswith("multilabel"):
            labels = (outputs > 0.5).astype(int)
            binarizer = self.__dict__.get("_label_binarizer")
            gives_sparse = self._gives_sparse if binarizer is None else binarizer.sparse_input_
            return sparse.csr_matrix(labels) if gives_sparse else labels
        if len(self.classes_) == 1:
            return np.repeat(self.classes_, len(outputs))
        return self.classes_[(outputs[:, 0] > 0.5).astype(int)]

    def predict_proba(self, X: Any) -> Floats:
        """Return the probability of every class, or of every label, (n, classes).

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)

        Raises
        ------
        ValueError
            As :meth:`predict`.
        """
        outputs = self._outputs_of(X)
        return np.column_stack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs

    def predict_log_proba(self, X: Any) -> Floats:
        """Return the logarithm of :meth:`predict_proba`."""
        with np.errstate(divide="ignore"):
            logarithms: Floats = np.log(self.predict_proba(X))
        return logarithms

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
