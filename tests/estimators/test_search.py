"""A grid search gives what scikit-learn's gives, to the bit."""

from __future__ import annotations

import os
import pickle
import signal
import threading
from typing import Any

import joblib
import numpy as np
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.model_selection import GridSearchCV, GroupKFold, KFold, StratifiedKFold, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import chainrule as cr
from chainrule.engines import native
from chainrule.estimators import search
from tests.helpers.marking import slow_except

IRIS = load_iris(return_X_y=True)
DIGITS = (load_digits().data[:300] / 16, load_digits().target[:300])
pytestmark = pytest.mark.usefixtures("few_epochs")


def assert_same_search(ours: Any, theirs: Any, X: Any) -> None:
    assert {*ours.cv_results_} == {*theirs.cv_results_}
    for name, column in theirs.cv_results_.items():
        if "time" not in name:
            np.testing.assert_array_equal(ours.cv_results_[name], column, err_msg=name)
    if hasattr(theirs, "best_params_"):
        assert (ours.best_params_, ours.best_score_) == (theirs.best_params_, theirs.best_score_)
    if hasattr(theirs, "best_estimator_"):
        np.testing.assert_array_equal(ours.best_estimator_.predict(X), theirs.best_estimator_.predict(X))


SMALL: dict[str, Any] = {"max_iter": 6, "random_state": 0}
SEARCHES: dict[str, tuple[Any, Any, Any, dict[str, Any]]] = {
    "settings of all kinds": (
        cr.MLPClassifier(**SMALL),
        {"hidden_layer_sizes": [(5,), (8, 4)], "activation": ["relu", "tanh"], "solver": ["adam", "sgd", "lbfgs"]},
        DIGITS,
        {},
    ),
    "some that go alone": (
        cr.MLPClassifier(**SMALL),
        {"early_stopping": [False, True], "alpha": [1e-4, 1.0], "engine": ["native", "reference"]},
        DIGITS,
        {"return_train_score": True},
    ),
    "several grids": (
        cr.MLPClassifier((5,), **SMALL),
        [{"solver": ["sgd"], "momentum": [0.5, 0.9]}, {"batch_size": [10, 50]}],
        DIGITS,
        {"cv": KFold(3, shuffle=True, random_state=1)},
    ),
    "regression": (cr.MLPRegressor(**SMALL), {"alpha": [0.1, 1.0], "loss": ["huber", "squared_error"]}, IRIS, {}),
    "several scores": (
        cr.MLPClassifier((5,), **SMALL),
        {"alpha": [0.1, 1.0]},
        IRIS,
        {"scoring": ["accuracy", "neg_log_loss"], "refit": "accuracy"},
    ),
    "no refit": (cr.MLPClassifier((5,), **SMALL), {"alpha": [0.1, 1.0]}, IRIS, {"refit": False}),
    "an older random state": (
        cr.MLPClassifier((5,), max_iter=6, random_state=np.random.RandomState(3)),
        {"alpha": [0.1, 1.0]},
        IRIS,
        {},
    ),
    "another estimator": (
        make_pipeline(StandardScaler(), cr.MLPClassifier((5,), **SMALL)),
        {"mlpclassifier__alpha": [0.1, 1.0]},
        IRIS,
        {"n_jobs": 2},
    ),
}


@pytest.mark.parametrize("name", slow_except(set(SEARCHES) - {"another estimator"}, SEARCHES))
def test_a_search_is_scikit_learns(name: str) -> None:
    estimator, grid, data, more = SEARCHES[name]
    settings = {"cv": 3, **more}
    ours, theirs = (kind(estimator, grid, **settings).fit(*data) for kind in (cr.GridSearch, GridSearchCV))
    assert_same_search(ours, theirs, data[0])


def test_weights_and_groups_go_where_they_go_there() -> None:
    X, y = IRIS
    model, grid = cr.MLPClassifier((5,), **SMALL), {"alpha": [0.1, 1.0]}
    weights, groups = np.random.default_rng(0).uniform(size=150), np.arange(150) % 5
    both = [
        kind(model, grid, cv=GroupKFold(3)).fit(X, y, sample_weight=weights, groups=groups)
        for kind in (cr.GridSearch, GridSearchCV)
    ]
    assert_same_search(both[0], both[1], IRIS[0])


def test_no_seed_and_splits_that_change_are_drawn_once() -> None:
    model, grid = cr.MLPClassifier((5,), max_iter=4), {"alpha": [0.1, 1.0]}
    both = []
    for kind in (cr.GridSearch, GridSearchCV):
        np.random.seed(7)  # noqa: NPY002 - what random_state=None draws from
        both.append(kind(model, grid, cv=StratifiedKFold(3, shuffle=True)).fit(*IRIS))
    assert_same_search(both[0], both[1], IRIS[0])


@pytest.mark.parametrize("memory", [0, 1 << 15, 1 << 40])
def test_how_many_are_made_at_a_time_changes_nothing(memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    estimator, grid, data, _ = SEARCHES["settings of all kinds"]
    plain = GridSearchCV(estimator, grid, cv=2).fit(*data)
    monkeypatch.setattr(search, "_MEMORY", memory)
    monkeypatch.setattr(native, "_WORKING_MEMORY", memory)
    assert_same_search(cr.GridSearch(estimator, grid, cv=2, n_jobs=3).fit(*data), plain, data[0])


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_a_setting_that_fails_is_scored_as_there() -> None:
    """One that is out of range, and one that diverges."""
    X, y = IRIS[0], scale(IRIS[1])
    model = cr.MLPRegressor(activation="identity", solver="sgd", **SMALL)
    grid = {"learning_rate_init": [0.01, 1e9], "alpha": [1.0, -1.0]}
    both = []
    for kind in (cr.GridSearch, GridSearchCV):
        with pytest.warns(Warning, match="fits failed"):
            both.append(kind(model, grid, cv=2).fit(X, y))
    assert_same_search(both[0], both[1], X)
    assert np.isnan(both[0].cv_results_["mean_test_score"]).sum() == 3


def test_fit_times_are_those_of_the_fits() -> None:
    found = cr.GridSearch(cr.MLPClassifier(max_iter=50, random_state=0), {"alpha": [0.1, 1.0]}, cv=2).fit(*DIGITS)
    times = found.cv_results_["mean_fit_time"]
    assert 0.001 < times.min() <= times.max() < 1.5 * times.min()
    assert found.n_jobs is None


def test_a_subclass_may_change_its_data_first() -> None:
    class Halved(cr.MLPClassifier):
        def fit(self, X: Any, y: Any, sample_weight: Any = None, validation_data: Any = None) -> Any:
            return super().fit(X[::2], y[::2])

    grid = {"alpha": [0.1, 1.0]}
    both = [kind(Halved((5,), **SMALL), grid, cv=3).fit(*IRIS) for kind in (cr.GridSearch, GridSearchCV)]
    assert_same_search(both[0], both[1], IRIS[0])


def test_any_frame_is_searched() -> None:
    X, y = IRIS
    frame = pl.DataFrame(X, schema=list("abcd"))
    grid, model = {"alpha": [0.1, 1.0]}, cr.MLPClassifier((5,), **SMALL)
    for given in (frame, frame.lazy(), frame.to_arrow(), frame.to_pandas()):
        assert cr.GridSearch(model, grid, cv=3).fit(given, y).best_estimator_.n_features_in_ == 4


def test_fits_are_made_ahead_and_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise all would be as it is, but no faster."""
    taken: list[bool] = []
    take = search._Ahead._take

    def note(*given: Any) -> Any:
        fit = take(*given)
        taken.append(fit is not None)
        return fit

    monkeypatch.setattr(search._Ahead, "_take", note)
    cr.GridSearch(cr.MLPClassifier((5,), **SMALL), {"alpha": [0.1, 1.0]}, cv=3).fit(*IRIS)
    assert taken == [True] * 6


def on_two_columns(model: Any, X: Any, y: Any) -> float:
    """Fit a fresh copy of the estimator to two of the columns."""
    return float(clone(model).fit(X[:, :2], y).score(X[:, :2], y))


def twice_alike(model: Any, X: Any, y: Any) -> float:
    """Fit two copies to the rows that are scored."""
    one, other = clone(model).fit(X, y), clone(model).fit(X, y)
    np.testing.assert_array_equal(one.coefs_[0], other.coefs_[0])
    return float(one.predict_proba(X)[:, 0].mean())


def the_model_again(model: Any, X: Any, y: Any) -> float:
    """Fit the model itself to something else."""
    return float(model.fit(X[:, :2], y).score(X[:, :2], y))


def nested(model: Any, X: Any, y: Any) -> float:
    """Search within the score of a search."""
    return float(cr.GridSearch(model, {"alpha": [1e-4, 9.0]}, cv=2).fit(X, y).cv_results_["mean_test_score"].sum())


@pytest.mark.parametrize("scoring", [on_two_columns, twice_alike, the_model_again, nested])
@pytest.mark.parametrize("grid", [{"alpha": [1e-4, 1e-4]}, {"alpha": [1e-4, 1.0], "early_stopping": [False, True]}])
def test_what_was_made_ahead_reaches_no_fit_but_the_searchs_own(scoring: Any, grid: Any) -> None:
    model = cr.MLPClassifier((5,), max_iter=20, learning_rate_init=0.1, random_state=0)
    halves = (
        np.arange(0, 150, 2),
        np.arange(1, 150, 2),
    )  # with equal y: what one fit is scored by, the next is fitted to
    cv = [halves, halves[::-1]]
    ours, theirs = (kind(model, grid, scoring=scoring, cv=cv).fit(*IRIS) for kind in (cr.GridSearch, GridSearchCV))
    assert_same_search(ours, theirs, IRIS[0])
    assert ours.estimator is model
    assert {*vars(ours)} == {*vars(theirs)}
    assert {*vars(clone(ours.best_estimator_))} == {*model.get_params()}


def test_a_scorer_and_a_splitter_that_know_the_search_get_nothing_of_it() -> None:
    """Nor does what they clone of its estimator change which fit gets what."""
    model, grid = cr.MLPClassifier((5,), max_iter=20, learning_rate_init=0.1, random_state=0), {"alpha": [1e-4, 1.0]}
    searches: dict[Any, Any] = {}

    class Splitter(KFold):  # type: ignore[misc]  # scikit-learn has no types
        def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> Any:
            searches["early clone"] = clone(self.search.estimator)
            return super().get_n_splits(X, y, groups)

        def split(self, X: Any, y: Any = None, groups: Any = None) -> Any:
            clone(self.search.estimator).fit(*IRIS)
            return super().split(X, y, groups)

        search: Any

    def score(fitted: Any, X: Any, y: Any) -> float:
        clone(searches["early clone"]).fit(X[:, :2], y)
        for known in (searches[kind] for kind in (cr.GridSearch, GridSearchCV) if kind in searches):
            clone(known.estimator).fit(X[:, :2], y)
        return float(fitted.score(X, y))

    for kind in (cr.GridSearch, GridSearchCV):
        splitter = Splitter(3, shuffle=True, random_state=0)
        searches[kind] = splitter.search = kind(model, grid, scoring=score, cv=splitter)
        splitter.search.fit(*IRIS)
    assert_same_search(searches[cr.GridSearch], searches[GridSearchCV], IRIS[0])


@pytest.mark.parametrize("settings", [{"n_jobs": 2}, {"n_jobs": 2, "backend": "threading"}], ids=str)
def test_a_search_stays_in_its_process_whatever_joblib_is_set_to(settings: dict[str, Any]) -> None:
    model, grid = cr.MLPClassifier((5,), **SMALL), {"alpha": [0.1, 1.0]}
    with joblib.parallel_config(**settings):
        ours = cr.GridSearch(model, grid, cv=3).fit(*IRIS)
    assert_same_search(ours, GridSearchCV(model, grid, cv=3).fit(*IRIS), IRIS[0])


@pytest.mark.parametrize("scoring", [None, "accuracy", ["accuracy", "neg_log_loss"]], ids=str)
def test_a_fitted_search_goes_to_another_process_and_keeps_nothing_of_its_data(scoring: Any) -> None:
    search = cr.GridSearch(cr.MLPClassifier((4,), max_iter=5, random_state=0), {"alpha": [1e-4, 1.0]}, cv=2)
    search.set_params(scoring=scoring, refit="accuracy" if isinstance(scoring, list) else True).fit(*IRIS)
    loaded = pickle.loads(pickle.dumps(search))  # noqa: S301 - what was just dumped
    np.testing.assert_array_equal(loaded.predict(IRIS[0]), search.predict(IRIS[0]))
    assert loaded.score(*IRIS) == search.score(*IRIS)
    assert clone(loaded.best_estimator_).get_params() == search.best_estimator_.get_params()


@pytest.mark.slow
def test_searches_of_a_cross_validation_in_processes_are_returned() -> None:
    search = cr.GridSearch(cr.MLPClassifier((4,), max_iter=5, random_state=0), {"alpha": [1e-4, 1.0]}, cv=2)
    result = cross_validate(search, *IRIS, cv=2, return_estimator=True, n_jobs=2)
    assert [len(fitted.cv_results_["params"]) for fitted in result["estimator"]] == [2, 2]


def test_ctrl_c_ends_a_search() -> None:
    model = cr.MLPClassifier((300, 300), max_iter=10_000, tol=0.0, n_iter_no_change=10_000, random_state=0)
    timer = threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        cr.GridSearch(model, {"alpha": [0.1, 1.0]}, cv=2).fit(*DIGITS)
