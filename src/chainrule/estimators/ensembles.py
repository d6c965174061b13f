"""Several networks that differ in their random state: their mean, their spread, and intervals that keep their word."""

from __future__ import annotations

import warnings
from collections import Counter
from math import ceil, inf
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d

from ..data import Floats
from ..engines.threads import allowed
from ..training.many import execute_runs
from ..training.run import INTERRUPTED
from .atomic import unchanged_on_error
from .classifier import MLPClassifier
from .contract import BaseMLP
from .fitting import Fit, execute, finish, give_up, prepare
from .inputs import checked, checked_rows, dense_if_small
from .regressor import MLPRegressor
from .scoring import AccuracyMixin

_SAMPLES = np.iinfo(np.int32).max


class _Ensemble(BaseEstimator):  # type: ignore[misc]
    """What both ensembles share."""

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "bootstrap": ["boolean"],
        "random_state": ["random_state"],
        "threads": [None, Interval(Integral, 1, None, closed="left")],
    }

    estimators_: list[Any]
    _calibrated: Floats | None  # the scores of calibrated rows, in ascending order
    _needs_numbers: ClassVar[bool] = False  # as targets

    def __init__(
        self,
        estimator: Any = None,
        n_estimators: int = 10,
        *,
        bootstrap: bool = False,
        random_state: Any = None,
        threads: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.bootstrap = bootstrap
        self.random_state = random_state
        self.threads = threads

    _network: ClassVar[type[BaseMLP]]  # of which there are several

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the networks, side by side where the native engine can.

        Parameters
        ----------
        X, y, sample_weight
            As for :meth:`MLPClassifier.fit`.

        Raises
        ------
        ValueError
            When data or parameters do not fit, or a network diverges.
        """
        with unchanged_on_error(self):
            return self._fit(X, y, sample_weight)

    def _fit(self, X: Any, y: Any, sample_weight: Any) -> Self:
        self._validate_params()
        X, y = checked(self, X, y, self._needs_numbers, reset=True)
        if isinstance(y, np.ndarray) and y.shape[1:] == (1,):
            y = column_or_1d(y, warn=True)
        X = dense_if_small(X)
        random = check_random_state(self.random_state)
        model = self._network() if self.estimator is None else self.estimator
        members = [clone(model).set_params(random_state=random.randint(_SAMPLES)) for _ in range(self.n_estimators)]
        if self.threads is not None:
            members = [member.set_params(threads=self.threads) for member in members]
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            fits = [self._prepared(member, random, X, y, sample_weight) for member in members]
            beside = [fit for fit in fits if fit.can_run_in_batch]
            runs = execute_runs([fit.member for fit in beside], allowed(self.threads), progress=False)
            if any(run.stopped == INTERRUPTED for run in runs):
                raise KeyboardInterrupt
            for member, fit in zip(members, fits, strict=True):
                if not fit.can_run_in_batch:
                    execute(member, fit)
                elif fit.run.error is not None:
                    give_up(fit, fit.run.error)
                else:
                    finish(member, fit)
        for message, count in Counter(str(one.message) for one in told).items():
            category = next(one.category for one in told if str(one.message) == message)
            warnings.warn(f"{count} of {len(members)} networks: {message}", category, stacklevel=3)
        self.estimators_ = members
        self._calibrated = None
        return self

    def _prepared(self, member: BaseMLP, random: np.random.RandomState, X: Any, y: Any, sample_weight: Any) -> Fit:
        member._validate_params()
        if not self.bootstrap:
            return prepare(member, X, y, sample_weight)
        rows = y.shape[0]
        drawn = np.bincount(random.randint(rows, size=rows), minlength=rows).astype(float)
        return prepare(member, X, y, drawn * _check_sample_weight(sample_weight, X, ensure_non_negative=True))

    def _mean(self, X: Any, of: str, return_std: bool) -> Any:
        """Return the mean of what the networks say, and on demand the standard deviation."""
        check_is_fitted(self)
        X = checked_rows(self, X)
        said = np.array([getattr(member, of)(X) for member in self.estimators_])
        with np.errstate(over="ignore", invalid="ignore"):  # of huge inputs, whose predictions are not finite
            mean = said.mean(axis=0)
            return (mean, said.std(axis=0)) if return_std else mean

    def _conformal_quantile(self, confidence: float) -> float:
        """Return the score that a new row exceeds with a probability of at most 1 − confidence.

        Of n calibrated scores it is the ⌈confidence (n + 1)⌉-th smallest, and infinity where that is more than n.
        """
        check_is_fitted(self)
        if self._calibrated is None:
            raise ValueError("Call calibrate with rows that were not fitted to before asking for intervals or sets.")
        if not isinstance(confidence, Real) or not 0 < confidence < 1:
            raise ValueError(f"confidence must be a number above 0 and below 1, got {confidence!r}.")
        rank = ceil(round(confidence * (len(self._calibrated) + 1), 9))  # 0.07 × 100 is 7.000000000000001
        if rank <= len(self._calibrated):
            return float(self._calibrated[rank - 1])
        warnings.warn(
            f"{len(self._calibrated)} calibrated rows are too few for confidence={confidence}: intervals are infinite "
            "and sets contain every class. Calibrate with at least "
            f"{ceil(round(confidence / (1 - confidence), 9))} rows.",
            stacklevel=3,
        )
        return inf

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "estimators_")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class MLPEnsembleRegressor(RegressorMixin, _Ensemble):  # type: ignore[misc]
    """The mean of several :class:`~chainrule.MLPRegressor`, with its spread and intervals of a chosen confidence.

    Parameters
    ----------
    estimator : MLPRegressor, optional
        What each network is.
    n_estimators : int
        How many there are.
    bootstrap : bool
        Whether each sees a sample of the rows, drawn with replacement, and not all of them.
    random_state : int, RandomState or None
        Decides the random state of each network, and the samples.
    threads : int, optional
        As for :class:`~chainrule.MLPClassifier`.

    Attributes
    ----------
    estimators_ : list of MLPRegressor
    n_features_in_, feature_names_in_

    Examples
    --------
    >>> from chainrule import MLPEnsembleRegressor, MLPRegressor
    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> ensemble = MLPEnsembleRegressor(MLPRegressor(solver="lbfgs", max_iter=500, alpha=100.0), 5, random_state=0)
    >>> ensemble = ensemble.fit(X[:300], y[:300]).calibrate(X[300:400], y[300:400])
    >>> ensemble.predict_interval(X[400:], confidence=0.9).shape
    (42, 2)
    """

    _parameter_constraints = _Ensemble._parameter_constraints | {"estimator": [MLPRegressor, None]}
    _network = MLPRegressor
    _needs_numbers = True

    def predict(self, X: Any, return_std: bool = False) -> Any:
        """Return the mean of the networks' predictions, (n,) or (n, outputs), and on demand their standard deviation.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
        return_std : bool
            Whether to return a pair: the mean, and the standard deviation over the networks.
        """
        return self._mean(X, "predict", return_std)

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """Return the score of the mean predictions by the networks' loss; see :meth:`MLPRegressor.score`."""
        mean = self.predict(X)
        return self.estimators_[0]._score(mean.reshape(len(mean), -1), y, sample_weight)  # type: ignore[no-any-return]

    def calibrate(self, X: Any, y: Any) -> Self:
        """Learn from held-out rows how wide an interval must be.

        By split conformal prediction (Vovk et al. 2005): residuals are divided by the spread of the networks, so that
        an interval is wider where these disagree.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
            Rows that were not fitted to.
        y : array-like, shape (n,)

        Raises
        ------
        ValueError
            When the data do not fit, there are several outputs, or a prediction is not finite.
        """
        check_is_fitted(self)
        X, y = checked(self, X, y, numbers=True, reset=False)
        mean, spread = self._mean_and_spread(X)
        _check_finite(mean, spread)
        floor = float(spread.mean()) or 1.0  # so that no spread of nearly 0 makes an interval of nearly none
        self._calibrated = np.sort(np.abs(column_or_1d(y) - mean) / (spread + floor))
        self._floor = floor
        return self

    def predict_interval(self, X: Any, confidence: float = 0.9) -> Floats:
        """Return for every row an interval, (n, 2), in which y lies so often, for rows like the calibrated ones.

        Where the calibrated rows are too few for the confidence, intervals are infinite.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
        confidence : float
            Above 0 and below 1.

        Raises
        ------
        ValueError
            When nothing was calibrated, or the confidence is out of range.
        """
        quantile = self._conformal_quantile(confidence)
        mean, spread = self._mean_and_spread(X)
        half_width = quantile * (spread + self._floor)
        return np.column_stack([mean - half_width, mean + half_width])

    def _mean_and_spread(self, X: Any) -> tuple[Floats, Floats]:
        mean, spread = self.predict(X, return_std=True)
        if mean.ndim > 1:
            raise ValueError(f"Intervals are for a single output, but there are {mean.shape[1]}.")
        return mean, spread


class MLPEnsembleClassifier(AccuracyMixin, _Ensemble):
    """The mean probability of several :class:`~chainrule.MLPClassifier`, its spread, and sets of a chosen confidence.

    Parameters
    ----------
    estimator : MLPClassifier, optional
        What each network is.
    n_estimators, bootstrap, random_state, threads
        As for :class:`~chainrule.MLPEnsembleRegressor`.

    Attributes
    ----------
    estimators_ : list of MLPClassifier
    classes_ : array, shape (classes,)
    n_features_in_, feature_names_in_

    Examples
    --------
    >>> from chainrule import MLPClassifier, MLPEnsembleClassifier
    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> ensemble = MLPEnsembleClassifier(MLPClassifier(solver="lbfgs", max_iter=500), 5, random_state=0)
    >>> ensemble = ensemble.fit(X[::2], y[::2]).calibrate(X[1::2], y[1::2])
    >>> ensemble.predict_set(X[:4], confidence=0.9).shape
    (4, 3)
    """

    _parameter_constraints = _Ensemble._parameter_constraints | {"estimator": [MLPClassifier, None]}
    _network = MLPClassifier

    @property
    def classes_(self) -> Any:
        """The classes, in the order of the probabilities."""
        check_is_fitted(self)
        return self.estimators_[0].classes_

    def predict_proba(self, X: Any, return_std: bool = False) -> Any:
        """Return the mean of the networks' probabilities, (n, classes), and on demand their standard deviation.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
        return_std : bool
            Whether to return a pair: the mean, and the standard deviation over the networks.
        """
        return self._mean(X, "predict_proba", return_std)

    def predict(self, X: Any) -> Any:
        """Return the likeliest class of every row, (n,), or its labels, (n, labels), 0 or 1."""
        probabilities = self.predict_proba(X)
        if self.estimators_[0]._kind.startswith("multilabel"):
            return (probabilities > 0.5).astype(int)
        return self.classes_[probabilities[:, : len(self.classes_)].argmax(axis=1)]

    def calibrate(self, X: Any, y: Any) -> Self:
        """Learn from held-out rows how unlikely a class may be and still be right.

        By split conformal prediction (Vovk et al. 2005), with one minus the probability of the right class.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
            Rows that were not fitted to.
        y : array-like, shape (n,)

        Raises
        ------
        ValueError
            When the data do not fit, a probability is not finite, or there are labels and not classes.
        """
        check_is_fitted(self)
        if self.estimators_[0]._kind.startswith("multilabel"):
            raise ValueError("Sets of classes are for rows of one class, but these have labels.")
        X, y = checked(self, X, y, numbers=False, reset=False)
        y = column_or_1d(y)
        probabilities = self.predict_proba(X)
        _check_finite(probabilities)
        if len(unknown := np.setdiff1d(y, self.classes_)):
            raise ValueError(f"y has classes that were not fitted to: {unknown}.")
        of_right = probabilities[np.arange(len(y)), np.searchsorted(self.classes_, y)]
        self._calibrated = np.sort(1.0 - of_right)
        return self

    def predict_set(self, X: Any, confidence: float = 0.9) -> Any:
        """Tell for every row and class, (n, classes), whether it is in a set that has the right class so often.

        Parameters
        ----------
        X : array, sparse matrix or data frame, shape (n, features)
        confidence : float
            Above 0 and below 1.

        Raises
        ------
        ValueError
            When nothing was calibrated, or the confidence is out of range.
        """
        quantile = self._conformal_quantile(confidence)
        return 1.0 - self.predict_proba(X) <= quantile

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


def _check_finite(*predictions: Floats) -> None:
    """Check predictions of the rows to calibrate with, (n,) or (n, outputs).

    Raises
    ------
    ValueError
        When one is not finite.
    """
    for numbers in predictions:
        finite = np.isfinite(numbers.reshape(len(numbers), -1)).all(axis=1)
        if not finite.all():
            raise ValueError(
                f"The prediction for row {int(finite.argmin())} of the rows to calibrate with is not finite: "
                "leave it out, or scale the columns of X."
            )
