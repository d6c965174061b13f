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
from sklearn.metrics import d2_pinball_score, r2_score
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


@pytest.mark.may_skip
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


def crepes() -> Any:
    with warnings.catch_warnings():  # it changes the filters of all warnings
        import crepes

    return crepes


@pytest.mark.parametrize("confidence", [0.5, 0.83, 0.9, 0.99])
def test_intervals_are_those_of_crepes(confidence: float) -> None:
    model = cr.MLPRegressor("squared_error", (5,), "tanh", solver="lbfgs", max_iter=50)
    ensemble = cr.MLPEnsembleRegressor(model, 4, random_state=0).fit(*noisy(100))
    (x, y), rows = noisy(150), noisy(40)[0]
    mean, spread = ensemble.predict(x, return_std=True)
    floor = spread.mean()
    oracle = crepes().ConformalRegressor().fit(residuals=y - mean, sigmas=spread + floor)
    predicted, sigmas = ensemble.predict(rows, return_std=True)
    np.testing.assert_allclose(
        ensemble.calibrate(x, y).predict_interval(rows, confidence),
        oracle.predict_int(predicted, sigmas=sigmas + floor, confidence=confidence),
    )


@pytest.mark.parametrize("confidence", [0.5, 0.83, 0.95])
def test_sets_are_those_of_crepes(confidence: float) -> None:
    X, y = DIGITS
    ensemble = cr.MLPEnsembleClassifier(cr.MLPClassifier((8,), max_iter=10), 3, random_state=0).fit(X[:300], y[:300])
    of_right = ensemble.predict_proba(X[300:500])[np.arange(200), y[300:500]]
    oracle = crepes().ConformalClassifier().fit(alphas=1 - of_right)
    np.testing.assert_array_equal(
        ensemble.calibrate(X[300:500], y[300:500]).predict_set(X[500:], confidence),
        oracle.predict_set(1 - ensemble.predict_proba(X[500:]), confidence=confidence, smoothing=False),
    )


def test_nine_calibrated_rows_are_enough_for_a_confidence_of_nine_tenths() -> None:
    """The largest of nine exchangeable scores exceeds a tenth with a probability of 0.9; eight are too few."""
    X, y = noisy(60)
    ensemble = cr.MLPEnsembleRegressor(cr.MLPRegressor(max_iter=2), 2, random_state=0).fit(X, y)
    assert np.isfinite(ensemble.calibrate(X[:9], y[:9]).predict_interval(X, 0.9)).all()
    with pytest.warns(UserWarning, match=r"8 calibrated rows are too few for confidence=0\.9.*with at least 9 rows\."):
        low, high = ensemble.calibrate(X[:8], y[:8]).predict_interval(X, 0.9).T
    assert (low == -np.inf).all()
    assert (high == np.inf).all()


def test_a_calibrated_ensemble_is_pickled_and_loaded_without_crepes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "crepes", None)  # importing it is an error
    X, y = noisy(80)
    ensemble = cr.MLPEnsembleRegressor(cr.MLPRegressor(max_iter=2), 2, random_state=0).fit(X, y).calibrate(X, y)
    data = pickle.dumps(ensemble)
    assert b"crepes" not in data
    copy = pickle.loads(data)  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(copy.predict_interval(X), ensemble.predict_interval(X))


def test_a_failed_calibration_keeps_the_one_before() -> None:
    X, y = noisy(80)
    ensemble = cr.MLPEnsembleRegressor(cr.MLPRegressor(max_iter=2), 3, random_state=0).fit(X, y).calibrate(X, y)
    before = ensemble.predict_interval(X)
    with pytest.raises(ValueError, match="The prediction for row 3 of the rows to calibrate with is not finite"):
        ensemble.calibrate(np.where(np.arange(80)[:, None] == 3, 1e308, 100 * X), y)
    np.testing.assert_array_equal(ensemble.predict_interval(X), before)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_predictions_row_by_row_equal_those_of_all_rows(dtype: str) -> None:
    X, y = IRIS[0].astype(dtype), IRIS[1]
    tolerance = 1e-12 if dtype == "float64" else 2e-6
    of_classes = cr.MLPEnsembleClassifier(cr.MLPClassifier((8,), max_iter=20), 9, random_state=0).fit(X, y)
    of_numbers = cr.MLPEnsembleRegressor(cr.MLPRegressor(max_iter=20), 9, random_state=0).fit(X, X[:, 0])
    for predict in (of_classes.predict_proba, of_numbers.predict):
        for at_once, by_row in zip(
            predict(X, return_std=True),
            zip(*(predict(X[i : i + 1], return_std=True) for i in range(len(X))), strict=True),
            strict=True,
        ):
            atol = tolerance * np.abs(predict(X)).max()
            np.testing.assert_allclose(np.concatenate(by_row), at_once, rtol=0, atol=atol)


def test_the_score_of_an_ensemble_is_by_the_loss_of_its_networks() -> None:
    X, y = noisy(200)
    model = cr.MLPRegressor(cr.losses.quantile(0.9), (10,), max_iter=30)
    ensemble = cr.MLPEnsembleRegressor(model, 3, random_state=0).fit(X, y)
    assert ensemble.score(X, y) == pytest.approx(d2_pinball_score(y, ensemble.predict(X), alpha=0.9))
    squared = cr.MLPEnsembleRegressor(cr.MLPRegressor(max_iter=5), 2, random_state=0).fit(X, np.column_stack([y, X]))
    assert squared.score(X, np.column_stack([y, X])) == pytest.approx(
        r2_score(np.column_stack([y, X]), squared.predict(X))
    )


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


def test_what_does_not_fit_is_told() -> None:
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


def test_classes_need_a_fit() -> None:
    ensemble = cr.MLPEnsembleClassifier()
    assert not hasattr(ensemble, "classes_")
    with pytest.raises(NotFittedError, match="This MLPEnsembleClassifier instance is not fitted yet"):
        ensemble.classes_  # noqa: B018 - the access is what is tested
