"""A fit that fails leaves an estimator as it was: the whole of the old fit, or none."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_diabetes, load_iris
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.validation import check_is_fitted

import chainrule as cr

pytestmark = pytest.mark.usefixtures("few_epochs")

X, Y = load_iris(return_X_y=True)
NAMES = np.where(Y == 1, "cat", "dog")


def fails(run: cr.Run) -> None:
    """Raise an error in the second epoch."""
    if run.epoch % 5 == 2:
        raise KeyboardInterrupt


def fitted(model: Any) -> bytes:
    """Return all that a fit leaves in a model, down to the last value."""
    parameters = model.get_params()
    return pickle.dumps({name: value for name, value in vars(model).items() if name not in parameters})


FAILURES: dict[str, Callable[[Any], Any]] = {
    "it diverges": lambda model: model.set_params(solver="sgd", learning_rate_init=1e9).fit(X[:, :3] * 1e200, NAMES),
    "a bad number": lambda model: model.fit(np.where(X[3, 2] == X, np.nan, X)[:, :3], NAMES),
    "weights of zero": lambda model: model.set_params(class_weight={"cat": 0, "dog": 0}).fit(X[:, :3], NAMES),
    "bad validation data": lambda model: model.fit(X[:, :3], NAMES, validation_data=(X[:, :2], NAMES)),
    "a callback raises": lambda model: model.set_params(callbacks=fails).fit(X[:, :3], NAMES),
    "a warm start raises": lambda model: model.set_params(callbacks=fails, warm_start=True).fit(X, Y),
    "partial_fit": lambda model: model.partial_fit(X, Y + 5, classes=None if hasattr(model, "classes_") else [0, 1, 2]),
}


@pytest.mark.parametrize("name", FAILURES)
def test_after_a_failed_first_fit_an_estimator_is_not_fitted(name: str) -> None:
    model = cr.MLPClassifier(max_iter=5, random_state=0)
    with pytest.raises((ValueError, KeyboardInterrupt)):
        FAILURES[name](model)
    assert {*vars(model)} == {*vars(clone(model))}
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("name", FAILURES)
def test_a_failed_further_fit_changes_nothing(name: str) -> None:
    model = cr.MLPClassifier(max_iter=5, random_state=0).fit(X, Y)
    before, predicted = fitted(model), model.predict_proba(X)
    with pytest.raises((ValueError, KeyboardInterrupt)):
        FAILURES[name](model)
    np.testing.assert_array_equal(model.predict_proba(X), predicted)
    assert fitted(model) == before


def test_a_warm_start_goes_on_after_a_failure_as_if_there_had_been_none() -> None:
    settings: dict[str, Any] = {"max_iter": 5, "warm_start": True, "batch_size": 20, "random_state": 0}
    failed, plain = cr.MLPClassifier(**settings).fit(X, Y), cr.MLPClassifier(**settings).fit(X, Y)
    with pytest.raises(KeyboardInterrupt):
        failed.set_params(callbacks=fails).fit(X, Y)
    failed.set_params(callbacks=None).fit(X, Y)
    plain.fit(X, Y)
    np.testing.assert_array_equal(failed.coefs_[0], plain.coefs_[0])


def test_a_warning_that_is_made_an_error_fails_a_fit() -> None:
    model = cr.MLPRegressor(max_iter=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        with pytest.raises(ConvergenceWarning):
            model.fit(*load_diabetes(return_X_y=True))
    assert {*vars(model)} == {*model.get_params()}


def test_a_failed_fit_of_an_ensemble_changes_nothing() -> None:
    ensemble = cr.MLPEnsembleClassifier(cr.MLPClassifier((5,), max_iter=5), 2, random_state=0).fit(X, Y)
    predicted = ensemble.predict_proba(X)
    with pytest.raises(ValueError, match="class_weight"):
        ensemble.set_params(estimator__class_weight={0: np.nan}).fit(X[:, :2], NAMES)
    np.testing.assert_array_equal(ensemble.predict_proba(X), predicted)


def test_a_failed_search_changes_nothing() -> None:
    search = cr.GridSearch(cr.MLPClassifier((5,), max_iter=5, random_state=0), {"alpha": [0.1, 1.0]}, cv=2).fit(X, Y)
    before = dict(vars(search))

    def no_score(model: Any, x: Any, y: Any) -> float:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search.set_params(scoring=no_score, cv=3).fit(X[:, :2], NAMES)
    search.set_params(scoring=None, cv=2)
    assert vars(search) == before
