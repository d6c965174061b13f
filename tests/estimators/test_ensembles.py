"""Several networks: their mean is better, their spread tells, and intervals hold what they promise."""

from __future__ import annotations

import pickle
import sys
import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_digits, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

import chainrule as cr

RANDOM = np.random.default_rng(0)
IRIS = load_iris(return_X_y=True)
DIGITS = (load_digits().data / 16, load_digits().target)
pytestmark = pytest.mark.usefixtures("few_epochs")


def noisy(rows: int) -> tuple[Any, Any]:
    """Return points of a curve whose noise grows to the right."""
    x = RANDOM.uniform(-2, 2, (rows, 1))
    return x, np.sin(2 * x[:, 0]) + RANDOM.normal(size=rows) * (0.1 + 0.1 * (x[:, 0] + 2))


@pytest.mark.filterwarnings("ignore")
@parametrize_with_checks(  # type: ignore[untyped-decorator]
    [cr.MLPEnsembleClassifier(n_estimators=2), cr.MLPEnsembleRegressor(n_estimators=2)]
)
def test_is_an_estimator(estimator: Any, check: Any) -> None:
    check(estimator)


def test_the_mean_of_the_networks_is_better_than_most_of_them() -> None:
    X, y = DIGITS
    ensemble = cr.MLPEnsembleClassifier(cr.MLPClassifier((15,), max_iter=30), 8, random_state=0).fit(X[:600], y[:600])
    single = [member.score(X[600:], y[600:]) for member in ensemble.estimators_]
    assert ensemble.score(X[600:], y[600:]) > np.mean(single) + 0.01
    mean, spread = ensemble.predict_proba(X[600:], return_std=True)
    np.testing.assert_allclose(mean.sum(axis=1), 1.0)
    right = ensemble.predict(X[600:]) == y[600:]
    assert mean.max(axis=1)[right].mean() > mean.max(axis=1)[~right].mean()
    assert spread.shape == mean.shape


def test_the_networks_differ_far_from_the_data() -> None:
    x, y = noisy(300)
    model = cr.MLPRegressor("squared_error", (20,), "tanh", solver="lbfgs", max_iter=200)
    ensemble = cr.MLPEnsembleRegressor(model, 6, random_state=0).fit(x, y)
    mean, spread = ensemble.predict([[0.0], [6.0]], return_std=True)
    assert spread[1] > 3 * spread[0]
    np.testing.assert_array_equal(ensemble.predict([[0.0], [6.0]]), mean)


@pytest.mark.parametrize("more", [{}, {"early_stopping": True}, {"solver": "lbfgs"}, {"engine": "reference"}], ids=str)
@pytest.mark.parametrize("bootstrap", [False, True])
def test_each_network_is_that_of_its_random_state(more: dict[str, Any], bootstrap: bool) -> None:
    """However it was made, side by side with others or alone; and the same random state gives the same ensemble."""
    X, y = IRIS
    settings: dict[str, Any] = {"n_estimators": 3, "bootstrap": bootstrap, "random_state": 5}
    ensemble, again = (
        cr.MLPEnsembleClassifier(cr.MLPClassifier((6,), max_iter=9, **more), **settings).fit(X, y) for _ in range(2)
    )
    np.testing.assert_array_equal(ensemble.predict_proba(X), again.predict_proba(X))
    states = {member.random_state for member in ensemble.estimators_}
    assert len(states) == 3
    if not bootstrap:
        for member in ensemble.estimators_:
            alone = cr.MLPClassifier((6,), max_iter=9, random_state=member.random_state, **more).fit(X, y)
            np.testing.assert_array_equal(alone.coefs_[0], member.coefs_[0])
            assert alone.n_iter_ == member.n_iter_


@pytest.mark.parametrize("confidence", [0.5, 0.9])
def test_an_interval_holds_the_truth_as_often_as_it_says(confidence: float) -> None:
    model = cr.MLPRegressor("squared_error", (20,), "tanh", solver="lbfgs", max_iter=100)
    ensemble = cr.MLPEnsembleRegressor(model, 5, random_state=0).fit(*noisy(300)).calibrate(*noisy(1000))
    x, y = noisy(4000)
    low, high = ensemble.predict_interval(x, confidence).T
    assert ((low <= y) & (y <= high)).mean() == pytest.approx(confidence, abs=0.04)
    assert (low < ensemble.predict(x)).all()


@pytest.mark.parametrize("confidence", [0.5, 0.95])
def test_a_set_has_the_right_class_as_often_as_it_says(confidence: float) -> None:
    X, y = DIGITS
    order = RANDOM.permutation(len(y))
    fitted, calibrated, rest = order[:200], order[200:900], order[900:]
    ensemble = cr.MLPEnsembleClassifier(cr.MLPClassifier((10,), max_iter=20), 4, random_state=0)
    ensemble.fit(X[fitted], y[fitted]).calibrate(X[calibrated], y[calibrated])
    sets = ensemble.predict_set(X[rest], confidence)
    assert sets.shape == (len(rest), 10)
    assert sets[np.arange(len(rest)), y[rest]].mean() == pytest.approx(confidence, abs=0.05)


def test_two_classes_labels_and_frames() -> None:
    X, y = IRIS
    frame = pd.DataFrame(X, columns=list("abcd"))
    two = cr.MLPEnsembleClassifier(n_estimators=2, random_state=0).fit(frame, np.where(y == 0, "this", "that"))
    assert [*two.feature_names_in_] == [*"abcd"]
    assert set(two.predict(frame)) == {"this", "that"}
    copy = pickle.loads(pickle.dumps(two))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(copy.predict_proba(frame), two.predict_proba(frame))
    X, labels = make_multilabel_classification(80, random_state=0)
    of_labels = cr.MLPEnsembleClassifier(n_estimators=2, random_state=0).fit(X, labels)
    assert of_labels.predict(X).shape == labels.shape
    with pytest.raises(ValueError, match="Sets of classes are for rows of one class"):
        of_labels.calibrate(X, labels)


def test_a_warning_is_told_once_for_all_networks_and_none_is_switched_on() -> None:
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", ConvergenceWarning)
        ensemble = cr.MLPEnsembleClassifier(cr.MLPClassifier(max_iter=2), 3, random_state=0).fit(*IRIS)
    assert [str(one.message).split(":")[0] for one in told] == ["3 of 3 networks"]
    before = list(warnings.filters)
    ensemble.calibrate(*IRIS)
    assert list(warnings.filters) == before


def test_what_does_not_fit_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    X, y = IRIS
    with pytest.raises(ValueError, match="The 'n_estimators' parameter of MLPEnsembleClassifier must be"):
        cr.MLPEnsembleClassifier(n_estimators=0).fit(X, y)
    with pytest.raises(ValueError, match="The 'estimator' parameter of MLPEnsembleRegressor must be"):
        cr.MLPEnsembleRegressor("mlp").fit(X, y)
    ensemble = cr.MLPEnsembleClassifier(n_estimators=2, random_state=0)
    with pytest.raises(NotFittedError):
        ensemble.predict_set(X)
    ensemble.fit(X, y)
    with pytest.raises(ValueError, match="Call calibrate with rows that were not fitted to"):
        ensemble.predict_set(X)
    with pytest.raises(ValueError, match="Found input variables with inconsistent numbers of samples"):
        ensemble.calibrate(X, y[:3])
    with pytest.raises(ValueError, match="Input y contains NaN"):
        cr.MLPEnsembleRegressor(n_estimators=2, random_state=0).fit(X, y).calibrate(X, np.full(150, np.nan))
    with pytest.raises(ValueError, match=r"y has classes that were not fitted to: \[7\]"):
        ensemble.calibrate(X[:3], [0, 1, 7])
    with pytest.raises(ValueError, match=r"confidence must be a number above 0 and below 1, got 1\.0"):
        ensemble.calibrate(X, y).predict_set(X, confidence=1.0)
    several = cr.MLPEnsembleRegressor(n_estimators=2, random_state=0).fit(X, X[:, :2])
    with pytest.raises(ValueError, match="Intervals are for a single output, but there are 2"):
        several.calibrate(X, X[:, :2])
    diverging = cr.MLPRegressor(activation="identity", solver="sgd", learning_rate_init=1e9, batch_size=9)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        cr.MLPEnsembleRegressor(diverging, n_estimators=2).fit(X, y)
    monkeypatch.setitem(sys.modules, "crepes", None)
    with pytest.raises(cr.InputError, match=r"pip install 'chainrule\[conformal\]'"):
        ensemble.calibrate(X, y)
