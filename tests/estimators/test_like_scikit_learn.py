"""The same random state gives the same network as scikit-learn: its fits are the oracle of ours."""

from __future__ import annotations

import pickle
import warnings
from io import BytesIO
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.model_selection import GridSearchCV, cross_val_score, learning_curve
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

import chainrule as cr

IRIS = load_iris(return_X_y=True)
CANCER = (scale(load_breast_cancer().data), load_breast_cancer().target)
DIGITS = (load_digits().data[:600] / 16, load_digits().target[:600])
DIABETES = (load_diabetes().data, scale(load_diabetes().target))
COUNTS = (DIABETES[0], np.round(np.exp(DIABETES[1])))
LABELS = make_multilabel_classification(150, random_state=0)
WEIGHTS = np.random.default_rng(0).uniform(0, 2, 2000)
ENGINES = pytest.mark.parametrize("engine", ["native", "reference"])

CLASSIFIERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "defaults": (CANCER, {}),
    "one batch": (IRIS, {}),
    "several classes": (DIGITS, {"hidden_layer_sizes": (20, 10)}),
    "no hidden layer": (IRIS, {"hidden_layer_sizes": (), "activation": "logistic"}),
    "identity": (CANCER, {"activation": "identity", "batch_size": 64}),
    "logistic": (CANCER, {"activation": "logistic", "batch_size": 50}),
    "tanh": (DIGITS, {"activation": "tanh", "alpha": 1.0}),
    "labels": (LABELS, {"solver": "sgd", "learning_rate_init": 0.1}),
    "in their order": (CANCER, {"shuffle": False}),
    "sgd": (CANCER, {"solver": "sgd"}),
    "sgd, plain": (CANCER, {"solver": "sgd", "momentum": 0.0}),
    "sgd, no Nesterov": (CANCER, {"solver": "sgd", "nesterovs_momentum": False}),
    "invscaling": (CANCER, {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1, "power_t": 0.2}),
    "adaptive": (CANCER, {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 1e-2}),
    "Adam's constants": (CANCER, {"beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-3}),
    "ends early": (CANCER, {"tol": 1e-2, "n_iter_no_change": 2}),
    "held-out rows": (CANCER, {"early_stopping": True, "n_iter_no_change": 3}),
    "held-out rows, several classes": (DIGITS, {"early_stopping": True, "validation_fraction": 0.3}),
    "held-out rows, labels": (LABELS, {"early_stopping": True}),
    "adaptive, by held-out rows": (
        CANCER,
        {"solver": "sgd", "learning_rate": "adaptive", "early_stopping": True, "n_iter_no_change": 1},
    ),
    "lbfgs": (CANCER, {"solver": "lbfgs", "max_iter": 15}),
    "lbfgs converges": (IRIS, {"solver": "lbfgs", "activation": "tanh", "max_iter": 100, "alpha": 9.0, "tol": 0.1}),
}
REGRESSORS: dict[str, tuple[Any, dict[str, Any]]] = {
    "defaults": (DIABETES, {}),
    "sgd": (DIABETES, {"solver": "sgd", "learning_rate": "invscaling", "learning_rate_init": 0.1}),
    "held-out rows": (DIABETES, {"early_stopping": True}),
    "poisson": (COUNTS, {"loss": "poisson", "activation": "tanh"}),
    "lbfgs": (DIABETES, {"solver": "lbfgs", "max_iter": 15, "alpha": 1.0}),
}


def fitted(estimator: Any, X: Any, y: Any, **fit: Any) -> tuple[Any, list[Any]]:
    """Return the estimator, and of what it warned."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        estimator.fit(X, y, **fit)
    return estimator, [(w.category, str(w.message)) for w in told]


def assert_same_fit(ours: Any, their: Any, X: Any, tolerance: float = 1e-9) -> None:
    for mine, yours in zip(ours.coefs_ + ours.intercepts_, their.coefs_ + their.intercepts_, strict=True):
        assert mine.dtype == yours.dtype
        np.testing.assert_allclose(mine, yours, rtol=tolerance, atol=tolerance)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(their, name), name
    for name in ("loss_", "loss_curve_", "best_loss_", "validation_scores_", "best_validation_score_"):
        assert hasattr(ours, name) == hasattr(their, name), name
        if getattr(their, name, None) is not None:
            np.testing.assert_allclose(getattr(ours, name), getattr(their, name), rtol=tolerance, err_msg=name)
        else:
            assert getattr(ours, name, None) is None, name
    np.testing.assert_allclose(ours.predict(X), their.predict(X), rtol=tolerance)


def fitted_alike(kind: str, case: tuple[Any, dict[str, Any]], engine: str) -> tuple[Any, Any, Any]:
    """Return X and the fits of both classes of this name, which warned alike and are the same."""
    (X, y), given = case
    settings = {"random_state": 3, "max_iter": 40} | given
    ours, told = fitted(getattr(cr, kind)(engine=engine, **settings), X, y)
    their, wanted = fitted(getattr(theirs, kind)(**settings), X, y)
    assert_same_fit(ours, their, X)
    assert told == wanted
    return X, ours, their


@ENGINES
@pytest.mark.parametrize("name", CLASSIFIERS)
def test_a_classifier_is_scikit_learns(name: str, engine: str) -> None:
    X, ours, their = fitted_alike("MLPClassifier", CLASSIFIERS[name], engine)
    np.testing.assert_allclose(ours.predict_proba(X), their.predict_proba(X), rtol=1e-8, atol=1e-12)
    np.testing.assert_array_equal(ours.classes_, their.classes_)


@ENGINES
@pytest.mark.parametrize("name", REGRESSORS)
def test_a_regressor_is_scikit_learns(name: str, engine: str) -> None:
    fitted_alike("MLPRegressor", REGRESSORS[name], engine)


@ENGINES
@pytest.mark.parametrize("more", [{}, {"early_stopping": True}, {"solver": "lbfgs"}], ids=str)
def test_sample_weights_count_as_they_do_there(more: dict[str, Any], engine: str) -> None:
    X, y = CANCER
    settings = {"random_state": 3, "max_iter": 20} | more
    ours, _ = fitted(cr.MLPClassifier(engine=engine, **settings), X, y, sample_weight=WEIGHTS[: len(y)])
    their, _ = fitted(theirs.MLPClassifier(**settings), X, y, sample_weight=WEIGHTS[: len(y)])
    assert_same_fit(ours, their, X)


def test_float32_stays_float32() -> None:
    X, y = CANCER
    ours, _ = fitted(cr.MLPClassifier(random_state=0, max_iter=5), X.astype("f"), y)
    their, _ = fitted(theirs.MLPClassifier(random_state=0, max_iter=5), X.astype("f"), y)
    assert_same_fit(ours, their, X.astype("f"), tolerance=1e-3)
    assert ours.predict_proba(X.astype("f")).dtype == np.float32


def test_names_of_classes_may_be_text() -> None:
    X, y = IRIS
    names = np.array(["setosa", "versicolor", "virginica"])
    model, _ = fitted(cr.MLPClassifier(random_state=0), X, names[y])
    assert set(model.predict(X)) <= set(names)
    assert model.score(X, names[y]) > 0.9


@pytest.mark.parametrize(
    "settings",
    [{}, {"early_stopping": True}, {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 1e-5}],
    ids=str,
)
def test_verbose_prints_what_scikit_learn_prints(settings: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    settings = {"random_state": 0, "verbose": True, "tol": 1e-2, "n_iter_no_change": 1, "max_iter": 60} | settings
    printed = []
    for kind in (cr.MLPClassifier, theirs.MLPClassifier):
        fitted(kind(**settings), *CANCER)
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1]


@ENGINES
@pytest.mark.parametrize("solver", ["adam", "sgd"])
def test_partial_fit_goes_on_as_there(solver: str, engine: str) -> None:
    X, y = DIGITS
    both = []
    settings: dict[str, Any] = {"solver": solver, "random_state": 0, "hidden_layer_sizes": 20}
    for model in (cr.MLPClassifier(engine=engine, **settings), theirs.MLPClassifier(**settings)):
        for begin in range(0, 600, 150):
            rows = slice(begin, begin + 150)
            model.partial_fit(X[rows], y[rows], classes=np.arange(10) if begin == 0 else None)
        both.append(model)
    assert_same_fit(both[0], both[1], X)


def test_a_regressor_goes_on_as_there() -> None:
    X, y = DIABETES
    ours, their = (kind(random_state=0).partial_fit(X, y) for kind in (cr.MLPRegressor, theirs.MLPRegressor))
    for model in (ours, their):
        model.partial_fit(X[:100], y[:100])
    assert_same_fit(ours, their, X)


@pytest.mark.parametrize("batch_size", [100, "auto"])
def test_a_random_state_moves_on_as_there(batch_size: Any) -> None:
    """One of your own, over several estimators, and the global one; in one batch too."""
    X, y = DIGITS[0][:150], DIGITS[1][:150]
    of_both = []
    for kind in (cr.MLPClassifier, theirs.MLPClassifier):
        random = np.random.RandomState(5)
        settings: dict[str, Any] = {"batch_size": batch_size, "max_iter": 3, "random_state": random}
        models: list[Any] = [fitted(kind((9,), **settings), X, y)[0] for _ in range(2)]
        np.random.seed(6)  # noqa: NPY002 - what random_state=None draws from
        model: Any = kind((9,), batch_size=batch_size)
        for _ in range(3):
            model.partial_fit(X, y, classes=range(10))
        of_both.append([*models, model, random.uniform(), np.random.uniform()])  # noqa: NPY002
    for ours, their in zip(*(models[:3] for models in of_both), strict=True):
        np.testing.assert_allclose(ours.coefs_[0], their.coefs_[0], rtol=1e-9, atol=1e-12)
    assert of_both[0][3:] == of_both[1][3:]


def test_lbfgs_has_no_partial_fit() -> None:
    assert not hasattr(cr.MLPClassifier(solver="lbfgs"), "partial_fit")
    with pytest.raises(AttributeError, match="has no attribute 'partial_fit'"):
        _ = cr.MLPRegressor(solver="lbfgs").partial_fit


BAD: dict[str, tuple[Any, dict[str, Any], str]] = {
    "alpha": (IRIS, {"alpha": -1}, ""),
    "activation": (IRIS, {"activation": 3}, "activation"),
    "momentum": (IRIS, {"momentum": 2}, ""),
    "n_iter_no_change": (IRIS, {"n_iter_no_change": -1}, ""),
    "a width": (IRIS, {"hidden_layer_sizes": (4, -1)}, ""),
    "NaN": ((np.full((4, 2), np.nan), [0, 1, 0, 1]), {}, ""),
    "unequal lengths": ((np.ones((4, 2)), [0, 1, 0]), {}, ""),
    "numbers for classes": ((np.ones((4, 2)), [0.1, 0.2, 0.3, 0.4]), {}, "Unknown label type"),
    "two targets of classes": ((np.ones((4, 2)), [[0, 1], [1, 2], [2, 1], [0, 0]]), {}, ""),
    "too few held out": (
        (np.ones((9, 2)), [0, 1, 2] * 3),
        {"early_stopping": True, "validation_fraction": 0.01},
        "",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_in_scikit_learns_words(name: str) -> None:
    """Where it has words, and else with the name of the parameter, what it got and what it may be."""
    (X, y), settings, wanted = BAD[name]
    told = []
    for kind in (cr.MLPClassifier, theirs.MLPClassifier):
        with pytest.raises(ValueError, match=wanted or None) as error:
            kind(**settings).fit(X, y)
        told.append((type(error.value), str(error.value)))
    if not wanted:
        assert told[0] == told[1]


def test_a_fit_that_diverges_says_so_in_scikit_learns_words_and_where() -> None:
    model = cr.MLPRegressor(solver="sgd", learning_rate_init=1e6, activation="identity", random_state=0)
    with pytest.raises(ValueError, match=r"Solver produced non-finite parameter weights.*epoch \d+, batch \d+.*layer"):
        model.fit(*DIABETES)


def test_a_batch_larger_than_the_data_is_told() -> None:
    _, told = fitted(cr.MLPClassifier(batch_size=1000, max_iter=1), *IRIS)
    assert (UserWarning, told[0][1]) == told[0]
    assert "larger than sample size. It is going to be clipped" in told[0][1]


def test_classes_that_were_not_announced_are_told() -> None:
    model = cr.MLPClassifier(random_state=0)
    with pytest.raises(ValueError, match="classes must be passed on the first call to partial_fit"):
        model.partial_fit(*IRIS)
    model.partial_fit(*IRIS, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"`y` has classes not in `self.classes_`"):
        model.partial_fit(IRIS[0], IRIS[1] + 1)


def test_the_parameters_are_those_of_scikit_learn_with_the_same_defaults() -> None:
    for ours, their in (
        (cr.MLPClassifier(), theirs.MLPClassifier()),
        (cr.MLPRegressor(), theirs.MLPRegressor()),
    ):
        wanted = their.get_params()
        assert {name: value for name, value in ours.get_params().items() if name in wanted} == wanted


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_it_works_wherever_an_estimator_does() -> None:
    X, y = CANCER
    model = cr.MLPClassifier((10,), max_iter=30, random_state=0)
    pipeline = make_pipeline(StandardScaler().set_output(transform="pandas"), model)
    assert cross_val_score(pipeline, X, y, cv=3).min() > 0.8
    search = GridSearchCV(model, {"alpha": [1e-4, 1.0]}, cv=3, n_jobs=2).fit(X, y)
    assert search.best_score_ > 0.8
    model.fit(X, y)
    assert permutation_importance(model, X[:50], y[:50], n_repeats=2, random_state=0).importances.shape == (30, 2)
    assert partial_dependence(model, X[:50], [0])["average"].shape[0] == 1
    sizes, scores, _ = learning_curve(model, X, y, cv=3, train_sizes=[0.5, 1.0])
    assert len(sizes) == 2
    assert scores.shape == (2, 3)
    assert "MLPClassifier" in model._repr_html_()


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
@pytest.mark.parametrize("way", ["pickle", "joblib"])
def test_it_goes_to_another_process(way: str) -> None:
    X, y = CANCER
    settings: dict[str, Any] = {"solver": "sgd", "learning_rate": "adaptive", "early_stopping": True, "max_iter": 5}
    model = cr.MLPClassifier(random_state=0, warm_start=True, callbacks=print_nothing, **settings).fit(X, y)
    if way == "pickle":
        copy = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    else:
        joblib.dump(model, file := BytesIO())
        copy = joblib.load(BytesIO(file.getvalue()))
    np.testing.assert_array_equal(copy.predict_proba(X), model.predict_proba(X))
    again, there = model.fit(X, y), copy.fit(X, y)
    np.testing.assert_array_equal(again.coefs_[0], there.coefs_[0])
    assert not hasattr(clone(model), "coefs_")


def print_nothing(run: cr.Run) -> None:
    """Look at a run and say nothing."""


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_predictions_follow_coefs_whoever_changes_them() -> None:
    """In place, by another array, and after a pickle."""
    X, y = IRIS
    model = cr.MLPClassifier(random_state=0, max_iter=5).fit(X, y)
    before = model.predict_proba(X)
    model.coefs_[0][:] = 0.0
    changed = model.predict_proba(X)
    assert not np.array_equal(changed, before)
    copy = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(copy.predict_proba(X), changed)
    copy.intercepts_[1] = copy.intercepts_[1] + [9.0, 0.0, 0.0]
    assert (copy.predict(X) == 0).all()
    turned = model.predict_proba(X)
    model.coefs_[0] = model.coefs_[0][:, ::-1]
    assert (model.predict_proba(X) == turned).all()  # as all were 0
    model.coefs_[1] = model.coefs_[1][:, ::-1]
    assert not np.array_equal(model.predict_proba(X), turned)
    model.coefs_[0] = np.zeros((3, 3))
    with pytest.raises(ValueError, match=r"coefs_ and intercepts_ have the shapes \[\(3, 3\)"):
        model.predict(X)


def test_a_warning_says_that_it_has_not_converged() -> None:
    with pytest.warns(ConvergenceWarning, match=r"Maximum iterations \(2\) reached"):
        cr.MLPClassifier(max_iter=2).fit(*IRIS)
    with pytest.warns(ConvergenceWarning, match="lbfgs failed to converge after 2 iteration"):
        cr.MLPClassifier(max_iter=2, solver="lbfgs").fit(*IRIS)
    with pytest.warns(ConvergenceWarning, match="EVALUATIONS EXCEEDS LIMIT"):
        cr.MLPClassifier(max_fun=3, solver="lbfgs").fit(*IRIS)
