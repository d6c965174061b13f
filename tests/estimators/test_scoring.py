"""Regressors are scored by the loss that they minimise, and early stopping by what you choose."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.base import is_regressor
from sklearn.datasets import load_iris, make_multilabel_classification
from sklearn.metrics import (
    average_precision_score,
    d2_absolute_error_score,
    d2_pinball_score,
    d2_tweedie_score,
    log_loss,
    make_scorer,
    max_error,
    mean_squared_error,
    r2_score,
)
from sklearn.model_selection import cross_val_score

import chainrule as cr
from chainrule.estimators import scoring
from chainrule.estimators.scoring import d2_scorer

RANDOM = np.random.default_rng(0)
IRIS = load_iris(return_X_y=True)
pytestmark = pytest.mark.usefixtures("few_epochs")

ORACLES: dict[str, tuple[cr.Loss, Callable[..., float]]] = {
    "squared_error": (cr.losses.squared_error(), r2_score),
    "half_squared_error": (cr.losses.half_squared_error(), r2_score),
    "absolute_error": (cr.losses.absolute_error(), d2_absolute_error_score),
    "quantile": (cr.losses.quantile(0.95), lambda *y, **more: d2_pinball_score(*y, alpha=0.95, **more)),
    "poisson": (cr.losses.poisson(), lambda *y, **more: d2_tweedie_score(*y, power=1, **more)),
}


def noisy(rows: int) -> tuple[Any, Any]:
    """Return points of a curve whose noise grows to the right."""
    random = np.random.default_rng(rows)
    x = random.uniform(-2, 2, (rows, 1))
    return x, np.sin(2 * x[:, 0]) + random.normal(size=rows) * (0.1 + 0.2 * (x[:, 0] + 2))


def rare(rows: int) -> tuple[Any, Any]:
    """Return two overlapping classes, the second with 3% of the rows."""
    random = np.random.default_rng(rows)
    y = (random.uniform(size=rows) < 0.03).astype(int)
    return random.normal(size=(rows, 4)) + 1.5 * y[:, None], y


# D²


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("name", ORACLES)
def test_d2_is_that_of_scikit_learn(name: str, weighted: bool) -> None:
    loss, oracle = ORACLES[name]
    for rows in (2, 7, 20, 333):
        y, outputs = RANDOM.gamma(3.0, size=rows), RANDOM.uniform(0.5, 6.0, rows)
        weights = RANDOM.integers(1, 4, rows).astype(float) if weighted else np.ones(rows)
        found = d2_scorer(loss, y[:, None], weights)(outputs[:, None])
        assert found == pytest.approx(oracle(y, outputs, sample_weight=weights), rel=1e-9)


@pytest.mark.parametrize("loss", [cr.losses.huber(0.5), cr.losses.log_cosh()], ids=str)
@settings(max_examples=25, deadline=None)
@given(y=st.lists(st.floats(-100, 100), min_size=2, max_size=30))
def test_no_constant_scores_above_0(loss: cr.Loss, y: list[float]) -> None:
    targets = np.array(y)[:, None]
    constants = np.linspace(targets.min(), targets.max(), 50)
    best = max(d2_scorer(loss, targets, np.ones(len(y)))(np.full_like(targets, c)) for c in constants)
    assert best <= 1e-6 or np.ptp(targets) < 1e-6


def test_d2_of_targets_without_variation_and_of_one_row() -> None:
    loss, ones = cr.losses.absolute_error(), np.ones((3, 1))
    assert d2_scorer(loss, ones, np.ones(3))(ones) == 1.0
    assert d2_scorer(loss, ones, np.ones(3))(2 * ones) == 0.0
    assert d2_scorer(cr.losses.poisson(), 0 * ones, np.ones(3))(ones) == 0.0
    with pytest.warns(UserWarning, match="D² is not defined for fewer than two rows"):
        assert np.isnan(d2_scorer(loss, ones[:1], np.ones(1))(ones[:1]))


def test_d2_is_nan_where_the_loss_of_the_best_constant_is_not_finite() -> None:
    huge = np.array([[1e300], [-1e300]])
    assert np.isnan(d2_scorer(cr.losses.squared_error(), huge, np.ones(2))(0.0 * huge + 1e300))


def log_likelihood(shift: float) -> cr.Loss:
    """Return half the squared error less a constant, so that the least loss is negative, as of a density above 1."""
    return cr.Loss("log_likelihood", value=lambda y, f: 0.5 * (f - y) ** 2 - shift, slope=lambda y, f: f - y)


@pytest.mark.parametrize("over_outputs", ["mean", "sum"])
def test_a_loss_of_your_own_is_scored_by_its_negative_mean(over_outputs: str) -> None:
    loss = replace(log_likelihood(5.0), over_outputs=over_outputs)
    X = RANDOM.normal(size=(60, 2))
    Y, weights = X @ [[1.0, 2.0], [0.5, -1.0]], RANDOM.uniform(0.5, 2, 60)
    model = cr.MLPRegressor(loss, max_iter=20, random_state=0).fit(X, Y)
    squares = 0.5 * mean_squared_error(Y, model.predict(X), sample_weight=weights, multioutput="raw_values") - 5.0
    assert model.score(X, Y, weights) == pytest.approx(-getattr(np, over_outputs)(squares))


@pytest.mark.filterwarnings("ignore:Stochastic")
@pytest.mark.parametrize("shift", [0.0, 5.0, np.nan], ids=["positive", "negative", "not finite"])
def test_early_stopping_by_a_loss_of_your_own_is_that_by_loss(shift: float) -> None:
    common: dict[str, Any] = {"early_stopping": True, "max_iter": 60, "learning_rate_init": 0.01, "random_state": 0}
    by_default, by_loss = (
        cr.MLPRegressor(log_likelihood(shift), early_stopping_scoring=scoring, **common) for scoring in (None, "loss")
    )
    if np.isnan(shift):
        with pytest.raises(ValueError, match=r"not finite|no epoch has a finite validation score"):
            by_default.fit(*noisy(200))
        return
    by_default.fit(*noisy(200))
    by_loss.fit(*noisy(200))
    np.testing.assert_allclose(by_default.validation_scores_, by_loss.validation_scores_, rtol=1e-9)
    assert by_default.n_iter_ == by_loss.n_iter_ > 20


def test_a_search_picks_the_setting_with_the_lower_loss_though_it_is_negative() -> None:
    model = cr.MLPRegressor(log_likelihood(5.0), (8,), max_iter=30, tol=0.0, random_state=0)
    search = cr.GridSearch(model, {"learning_rate_init": [1e-6, 1e-2]}, cv=3).fit(*noisy(100))
    assert search.best_params_ == {"learning_rate_init": 1e-2}


def test_the_best_constant_is_found_once_per_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[int] = []

    def counted(*given: Any) -> float:
        found.append(1)
        return best_constant(*given)

    best_constant = scoring._best_constant
    monkeypatch.setattr(scoring, "_best_constant", counted)
    cr.MLPRegressor("huber", early_stopping=True, max_iter=5, random_state=0).fit(*noisy(100))
    assert len(found) == 1


@pytest.mark.parametrize("name", ORACLES)
def test_a_regressor_is_scored_by_its_loss(name: str) -> None:
    loss, oracle = ORACLES[name]
    X, y = RANDOM.uniform(size=(80, 2)), RANDOM.poisson(3.0, 80) + 0.5
    weights = RANDOM.uniform(0.5, 2, 80)
    model = cr.MLPRegressor(loss, max_iter=20, random_state=0).fit(X, y)
    assert model.score(X, y) == pytest.approx(oracle(y, model.predict(X)))
    assert model.score(X, list(y), weights) == pytest.approx(oracle(y, model.predict(X), sample_weight=weights))


def test_several_outputs_count_alike() -> None:
    X = RANDOM.normal(size=(60, 2))
    Y = X @ [[1.0, 100.0], [2.0, 5.0]]
    model = cr.MLPRegressor("absolute_error", max_iter=20, random_state=0).fit(X, Y)
    assert model.score(X, Y) == pytest.approx(d2_absolute_error_score(Y, model.predict(X)))


def test_what_cannot_be_scored_is_an_error() -> None:
    X, y = noisy(30)
    model = cr.MLPRegressor("absolute_error", max_iter=2).fit(X, y)
    with pytest.raises(ValueError, match="y contains NaN"):
        model.score(X, np.full(30, np.nan))
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.score(X, y[:3])
    with pytest.raises(ValueError, match="y has 2 outputs, but the predictions have 1"):
        model.score(X, np.column_stack([y, y]))
    with pytest.raises(ValueError, match=r"loss='poisson' takes targets from 0 to inf, but y\[1\] is -1"):
        cr.MLPRegressor("poisson", max_iter=2).fit(X, abs(y)).score(X[:2], [2, -1])


WEIGHTS_THAT_DO_NOT_FIT: dict[str, tuple[Any, str]] = {
    "zeros": (np.zeros(30), "The 30 rows all have weight zero: at least one sample_weight"),
    "negative": (-np.ones(30), "Negative values in data passed to `sample_weight`"),
    "sum of 0": (np.tile([1.0, -1.0], 15), "Negative values in data passed to `sample_weight`"),
    "infinite sum": (np.full(30, 1e308), "sum to inf, which is not a positive, finite number"),
}


@pytest.mark.parametrize("name", WEIGHTS_THAT_DO_NOT_FIT)
@pytest.mark.parametrize(
    "model",
    [
        cr.MLPRegressor(max_iter=2),
        cr.MLPRegressor("quantile", max_iter=2),
        cr.MLPClassifier(max_iter=2),
        cr.MLPEnsembleRegressor(cr.MLPRegressor(max_iter=2), 2),
        cr.MLPEnsembleClassifier(cr.MLPClassifier(max_iter=2), 2),
    ],
    ids=str,
)
def test_weights_by_which_nothing_can_be_scored_are_an_error(model: Any, name: str) -> None:
    X, y = noisy(30)
    targets = y if is_regressor(model) else y > 0
    weights, message = WEIGHTS_THAT_DO_NOT_FIT[name]
    with pytest.raises(ValueError, match=message):
        model.fit(X, targets).score(X, targets, weights)


def test_a_search_ranks_settings_by_their_loss() -> None:
    """By R², the network that predicts the mean would win over the one that predicts the quantile."""
    X, y = np.zeros((400, 1)), np.random.default_rng(0).exponential(size=400)
    search = cr.GridSearch(
        cr.MLPRegressor(cr.losses.quantile(0.95), (), learning_rate_init=0.05, tol=0.0, random_state=0),
        {"max_iter": [9, 200]},
    ).fit(X, y)
    by_loss = [
        cross_val_score(model, X, y, scoring=make_scorer(d2_pinball_score, alpha=0.95)).mean()
        for model in (search.estimator.set_params(max_iter=epochs) for epochs in (9, 200))
    ]
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], by_loss)
    assert search.best_params_ == {"max_iter": 200}


# Early stopping


def test_a_regressor_is_validated_by_its_loss() -> None:
    held_out = noisy(100)
    model = cr.MLPRegressor(cr.losses.quantile(0.95), early_stopping=True, random_state=0)
    model.fit(*noisy(300), validation_data=held_out)
    assert model.score(*held_out) == pytest.approx(model.best_validation_score_)
    assert model.best_validation_score_ == max(model.validation_scores_)
    losses = np.array(model.history_["validation_loss"])
    slope, constant = np.polyfit(losses, model.validation_scores_, 1)
    np.testing.assert_allclose(slope * losses + constant, model.validation_scores_, atol=1e-9)
    assert slope < 0


def test_an_interval_of_quantiles_covers_as_much_with_early_stopping() -> None:
    common: dict[str, Any] = {"hidden_layer_sizes": (30,), "max_iter": 500, "learning_rate_init": 0.01}
    (X, y), (new, truth) = noisy(1500), noisy(3000)

    def coverage(**more: Any) -> float:
        low, high = (
            cr.MLPRegressor(cr.losses.quantile(level), random_state=0, **common, **more).fit(X, y).predict(new)
            for level in (0.05, 0.95)
        )
        return float(((low <= truth) & (truth <= high)).mean())

    assert coverage(early_stopping=True) == pytest.approx(coverage(), abs=0.04)
    assert coverage(early_stopping=True) == pytest.approx(0.9, abs=0.04)


@pytest.mark.parametrize("scoring", ["loss", "average_precision"])
def test_a_rare_class_is_learnt_with_another_score_than_accuracy(scoring: str) -> None:
    X, y = rare(2000)
    common: dict[str, Any] = {"random_state": 0, "max_iter": 200, "n_iter_no_change": 40, "validation_fraction": 0.3}
    plain = cr.MLPClassifier(**common).fit(X, y)
    stopped = cr.MLPClassifier(early_stopping=True, early_stopping_scoring=scoring, **common).fit(X, y)
    new, truth = rare(3000)
    found, wanted = (average_precision_score(truth, model.predict_proba(new)[:, 1]) for model in (stopped, plain))
    assert found > wanted - 0.05 > 0.4


def test_accuracy_on_a_rare_class_is_warned_of_once() -> None:
    X, y = rare(600)
    names = np.where(y == 1, "fraud", "fair")
    message = "barely affected by the class fraud: fewer than 5% of the rows belong to it. Set early_stopping_scoring"
    model = cr.MLPClassifier(early_stopping=True, max_iter=300, random_state=0)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        model.fit(X, names)
    assert [message in str(warning.message) for warning in told] == [True]
    assert told[0].filename == __file__
    with pytest.warns(UserWarning, match=f"^3 of 3 networks: .*{message}"):
        cr.MLPEnsembleClassifier(model, 3).fit(X, names)


def test_accuracy_on_a_rare_class_is_warned_of_in_the_first_partial_fit() -> None:
    X, y = rare(600)
    model = cr.MLPClassifier(early_stopping=True, random_state=0)
    with pytest.warns(UserWarning, match="barely affected by the class 1: fewer than 5% of the rows belong to it"):
        model.partial_fit(X[y == 0], y[y == 0], classes=[0, 1], validation_data=(X, y))
    model.partial_fit(X, y, validation_data=(X, y))  # which would be an error if it warned again


@pytest.mark.parametrize(("value", "few"), [(1, "have"), (0, "lack")])
def test_accuracy_on_a_rare_label_is_warned_of(value: int, few: str) -> None:
    X, y = rare(600)
    labels = np.column_stack([np.arange(600) % 2, np.where(y == 1, value, 1 - value)])
    with pytest.warns(UserWarning, match=f"barely affected by the label 1: fewer than 5% of the rows {few} it"):
        cr.MLPClassifier(early_stopping=True, max_iter=2).fit(X, labels)


@pytest.mark.filterwarnings("ignore:Stochastic")
@pytest.mark.parametrize(
    "more",
    [{"early_stopping_scoring": "loss"}, {"early_stopping": False}, {"solver": "lbfgs"}],
    ids=str,
)
def test_no_other_fit_warns_of_a_rare_class(more: dict[str, Any]) -> None:
    cr.MLPClassifier(**{"early_stopping": True, "max_iter": 2, **more}).fit(*rare(600))


@pytest.mark.filterwarnings("ignore:Stochastic")
def test_many_equal_classes_are_not_rare() -> None:
    y = np.arange(1000) % 50
    cr.MLPClassifier(early_stopping=True, max_iter=2).fit(RANDOM.normal(size=(1000, 3)), y)
    X, few = rare(600)
    cr.MLPClassifier(early_stopping=True, max_iter=2).fit(X, few, sample_weight=np.where(few == 1, 30.0, 1.0))


def test_loss_is_the_negative_mean_loss_of_held_out_rows() -> None:
    X, y = IRIS
    weights = RANDOM.uniform(0.5, 2, 50)
    model = cr.MLPClassifier(early_stopping=True, early_stopping_scoring="loss", max_iter=30, random_state=0)
    model.fit(X[::2], y[::2], validation_data=(X[1::3], y[1::3], weights))
    wanted = -log_loss(y[1::3], model.predict_proba(X[1::3]), sample_weight=weights)
    assert model.best_validation_score_ == pytest.approx(wanted)


SCORERS: dict[str, Any] = {
    "a name": "neg_log_loss",
    "a scorer": make_scorer(log_loss, greater_is_better=False, response_method="predict_proba"),
    "a function": lambda model, X, y: -log_loss(y, model.predict_proba(X)),
}


@pytest.mark.parametrize("engine", ["native", "reference"])
@pytest.mark.parametrize("name", SCORERS)
@pytest.mark.parametrize("labels", [np.array(["a", "b", "c"]), np.array(["a", "b", "b"])], ids=["three", "two"])
def test_a_scorer_sees_a_fitted_estimator_and_targets_as_they_were_passed(labels: Any, name: str, engine: str) -> None:
    X, y = IRIS[0], labels[IRIS[1]]
    common: dict[str, Any] = {"early_stopping": True, "max_iter": 20, "random_state": 0, "engine": engine}
    by_scorer, by_loss = (
        cr.MLPClassifier(early_stopping_scoring=scoring, **common).fit(X, y) for scoring in (SCORERS[name], "loss")
    )
    assert by_scorer.validation_scores_ == pytest.approx(by_loss.validation_scores_)
    np.testing.assert_array_equal(by_scorer.coefs_[0], by_loss.coefs_[0])


def test_the_estimator_that_a_scorer_sees_keeps_its_parameters() -> None:
    seen: list[Any] = []

    def score(model: Any, X: Any, y: Any) -> float:
        seen.append((model, model.predict(X)))
        assert y.tolist() == pytest.approx(held_out[1].tolist())
        return float(len(seen))

    held_out = noisy(20)
    model = cr.MLPRegressor(max_iter=3, early_stopping=True, early_stopping_scoring=score, random_state=0)
    model.fit(*noisy(100), validation_data=held_out)
    assert model.validation_scores_ == [1.0, 2.0, 3.0]
    for view, predicted in seen:
        np.testing.assert_array_equal(view.predict(held_out[0]), predicted)
    assert not np.array_equal(seen[0][1], seen[1][1])
    np.testing.assert_array_equal(model.predict(held_out[0]), seen[-1][1])
    with pytest.raises(AttributeError):
        pickle.dumps(model)  # a function within a function
    pickle.dumps(model.set_params(early_stopping_scoring=None))


def test_scorers_of_labels_numbers_frames_and_sparse_rows() -> None:
    common: dict[str, Any] = {"early_stopping": True, "max_iter": 3, "random_state": 0}
    X, labels = make_multilabel_classification(100, random_state=0)
    cr.MLPClassifier(early_stopping_scoring="f1_micro", **common).fit(sparse.csr_array(X), labels)
    cr.MLPRegressor(early_stopping_scoring=make_scorer(max_error, greater_is_better=False), **common).fit(X, X[:, 0])
    cr.MLPRegressor("poisson", early_stopping_scoring="r2", **common).fit(X, X[:, 0])
    frame = load_iris(as_frame=True)
    model = cr.MLPClassifier(early_stopping_scoring="roc_auc_ovr", **common).fit(frame.data, frame.target)
    assert [*model.feature_names_in_] == [*frame.data]


def test_scorers_receive_weights_where_they_take_them() -> None:
    X, y = noisy(60)
    weights = RANDOM.uniform(0.5, 2, 60)
    model = cr.MLPRegressor(early_stopping=True, early_stopping_scoring="r2", max_iter=5, random_state=0)
    model.fit(X, y, validation_data=(X, y, weights))
    assert model.best_validation_score_ == pytest.approx(r2_score(y, model.predict(X), sample_weight=weights))


def test_scores_of_another_kind_are_not_compared() -> None:
    """A warm start that scores in another way begins to look for the best anew."""
    X, y = IRIS
    model = cr.MLPClassifier(early_stopping=True, warm_start=True, max_iter=4, random_state=0).fit(X, y)
    model.set_params(early_stopping_scoring="loss").fit(X, y)
    assert len(model.validation_scores_) == 4
    assert model.best_validation_score_ == max(model.validation_scores_) < 0.0


@pytest.mark.parametrize(
    ("scoring", "message"),
    [
        ("acuracy", "The 'early_stopping_scoring' parameter of MLPClassifier must be"),
        (3, "The 'early_stopping_scoring' parameter of MLPClassifier must be"),
        (lambda model, X, y: "good", "must return a number for each call, but returned 'good'"),
    ],
)
def test_an_invalid_scoring_is_refused(scoring: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cr.MLPClassifier(early_stopping=True, early_stopping_scoring=scoring).fit(*IRIS)


UNDEFINED: dict[str, Any] = {
    "roc_auc": "roc_auc",  # of rows of one class
    "a function": lambda model, X, y: np.inf,
}


@pytest.mark.parametrize("name", UNDEFINED)
@pytest.mark.filterwarnings("ignore:Only one class is present")
def test_a_score_that_is_not_finite_ends_a_fit_in_its_first_epoch(name: str) -> None:
    X, y = IRIS[0][:100], IRIS[1][:100]
    epochs: list[int] = []
    model = cr.MLPClassifier(early_stopping=True, early_stopping_scoring=UNDEFINED[name])
    model.set_params(callbacks=lambda run: epochs.append(run.epoch))
    for fit in (model.fit, model.partial_fit):
        more: dict[str, Any] = {"classes": [0, 1]} if fit == model.partial_fit else {}
        with pytest.raises(ValueError, match=r"early_stopping_scoring=.* is (nan|inf) for the 5 held-out rows"):
            fit(X, y, validation_data=(X[:5], y[:5]), **more)
    assert epochs == []


def test_a_score_that_fails_for_the_held_out_rows_says_what_to_change() -> None:
    x, y = IRIS
    held_out = x[:100], y[:100]  # which lack a class
    message = r"early_stopping_scoring='neg_log_loss' fails for the 100 held-out rows: .* validation_fraction"
    with pytest.raises(ValueError, match=message):
        cr.MLPClassifier(early_stopping=True, early_stopping_scoring="neg_log_loss").fit(x, y, validation_data=held_out)


def test_a_score_may_be_undefined_after_it_was_defined() -> None:
    scores = iter([0.5, np.nan, 0.7, np.inf])
    model = cr.MLPClassifier(early_stopping=True, early_stopping_scoring=lambda *given: next(scores), max_iter=4)
    assert model.fit(*IRIS).best_validation_score_ == 0.7


# The factors 2 and d


def test_squared_error_by_name_is_half_of_the_squared_error() -> None:
    """As in scikit-learn; our own squared error is (y − f)², and a penalty is then half as strong beside it."""
    X, y = noisy(100)
    common: dict[str, Any] = {"max_iter": 5, "random_state": 0, "alpha": 0.0, "solver": "sgd", "momentum": 0.0}
    their = theirs.MLPRegressor(**common).fit(X, y)
    for loss in ("squared_error", "half_squared_error", cr.losses.half_squared_error()):
        model = cr.MLPRegressor(loss, **common).fit(X, y)
        np.testing.assert_allclose(model.coefs_[0], their.coefs_[0], rtol=1e-9)
    whole = cr.MLPRegressor(cr.losses.squared_error(), learning_rate_init=0.0005, **common).fit(X, y)
    np.testing.assert_allclose(whole.coefs_[0], their.coefs_[0], rtol=1e-9)
    assert whole.loss_ == pytest.approx(2 * their.loss_)


FIRST: dict[str, Any] = {"max_iter": 1, "random_state": 0, "alpha": 0.0, "solver": "sgd", "batch_size": 100}


def test_poisson_by_name_is_the_sum_over_the_targets() -> None:
    """As in scikit-learn; our own is the mean, a third of it for three targets."""
    X, _ = noisy(100)
    counts = np.random.default_rng(0).poisson(2.0, (100, 3)).astype(float)
    their = theirs.MLPRegressor("poisson", **FIRST).fit(X, counts)
    for loss, times in (("poisson", 1.0), (cr.losses.poisson(over_outputs="sum"), 1.0), (cr.losses.poisson(), 1 / 3)):
        assert cr.MLPRegressor(loss, **FIRST).fit(X, counts).loss_ == pytest.approx(times * their.loss_)
    single = [cr.MLPRegressor(loss, **FIRST).fit(X, counts[:, 0]).loss_ for loss in ("poisson", cr.losses.poisson())]
    assert single[0] == single[1]


def test_log_loss_by_name_is_the_sum_over_the_labels() -> None:
    """As in scikit-learn; our own binary cross entropy is the mean, half of it for two labels."""
    X, y = noisy(100)
    labels = np.column_stack([y > 0, y > 1]).astype(int)
    their = theirs.MLPClassifier(**FIRST).fit(X, labels)
    ours, our_sum = cr.losses.binary_cross_entropy(), cr.losses.binary_cross_entropy(over_outputs="sum")
    for loss, times in (("log_loss", 1.0), (our_sum, 1.0), (ours, 0.5)):
        assert cr.MLPClassifier(loss=loss, **FIRST).fit(X, labels).loss_ == pytest.approx(times * their.loss_)


@pytest.mark.parametrize("name", ["absolute_error", "huber", "log_cosh", "quantile", "half_squared_error"])
def test_every_other_loss_is_the_same_by_name_and_by_its_constructor(name: str) -> None:
    X, y = noisy(100)
    targets = np.column_stack([y, -y, y**2])
    losses = [cr.MLPRegressor(loss, **FIRST).fit(X, targets).loss_ for loss in (name, getattr(cr.losses, name)())]
    assert losses[0] == losses[1]
