"""What scikit-learn's users have asked for over the years, each by the number of the issue."""

from __future__ import annotations

import warnings
from typing import Any

import joblib
import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, make_multilabel_classification, make_regression
from sklearn.metrics import balanced_accuracy_score
from sklearn.preprocessing import scale

import chainrule as cr
from chainrule.engines import extension

IRIS = load_iris(return_X_y=True)
CANCER = (scale(load_breast_cancer().data), load_breast_cancer().target)
DIGITS = (load_digits().data[:600] / 16, load_digits().target[:600])
LABELS = make_multilabel_classification(150, random_state=0)
RANDOM = np.random.default_rng(0)
pytestmark = pytest.mark.usefixtures("few_epochs")


def test_9113_class_weights() -> None:
    """Of a class that is rare, more is found; and a weight is what the same sample weights are."""
    y = (RANDOM.uniform(size=600) < 0.05).astype(int)
    X = RANDOM.normal(size=(600, 3)) + 1.2 * y[:, None]
    settings: dict[str, Any] = {"random_state": 0, "max_iter": 100}
    plain = cr.MLPClassifier(**settings).fit(X, y)
    balanced = cr.MLPClassifier(class_weight="balanced", **settings).fit(X, y)
    assert balanced_accuracy_score(y, balanced.predict(X)) > balanced_accuracy_score(y, plain.predict(X)) + 0.1

    given = cr.MLPClassifier(class_weight={0: 1.0, 1: 7.0}, **settings).fit(X, y)
    by_rows = cr.MLPClassifier(**settings).fit(X, y, sample_weight=np.where(y == 1, 7.0, 1.0))
    np.testing.assert_array_equal(given.coefs_[0], by_rows.coefs_[0])
    with pytest.raises(ValueError, match="'balanced' is not supported for partial_fit"):
        cr.MLPClassifier(class_weight="balanced").partial_fit(X, y, classes=[0, 1])


@pytest.mark.parametrize("loss", ["absolute_error", "huber", "log_cosh", "quantile", cr.losses.quantile(0.9)], ids=str)
def test_14571_losses(loss: Any) -> None:
    """Regression that outliers do not pull away, and quantiles."""
    x = np.linspace(-1, 1, 400)[:, None]
    y = x[:, 0] + np.where(np.arange(400) % 10 == 0, 30.0, RANDOM.normal(0, 0.1, 400))
    model = cr.MLPRegressor(loss, (), alpha=0.0, learning_rate_init=0.05, max_iter=400, tol=0.0, random_state=0)
    slope = float(model.fit(x, y).coefs_[0][0, 0])
    bias = float(model.intercepts_[0][0])
    if loss == cr.losses.quantile(0.9):
        assert (y <= model.predict(x)).mean() == pytest.approx(0.9, abs=0.03)
    else:
        assert slope == pytest.approx(1.0, abs=0.5)
        assert abs(bias) < 1.5  # the mean is pulled to 3


def test_14571_losses_of_classifiers() -> None:
    model = cr.MLPClassifier(loss=cr.losses.squared_error(), max_iter=200, random_state=0).fit(*IRIS)
    assert model.score(*IRIS) > 0.9


@pytest.mark.parametrize("activation", sorted({*cr.activations.ACTIVATIONS} - {"softmax", "exponential"}))
def test_11952_more_activations(activation: str) -> None:
    model = cr.MLPClassifier((20,), activation, max_iter=60, learning_rate_init=0.02, random_state=0).fit(*IRIS)
    assert model.score(*IRIS) > 0.9


def test_10097_an_activation_for_each_layer() -> None:
    model = cr.MLPClassifier((8, 6), ["tanh", cr.activations.leaky_relu(0.2)], max_iter=3, random_state=0).fit(*IRIS)
    hidden = model.activations(IRIS[0], 1)
    assert np.abs(hidden).max() <= 1.0
    assert model.activations(IRIS[0], 2).min() < 0.0
    with pytest.raises(ValueError, match=r"activation must be one for all hidden layers, or a list.*got 1 for 2"):
        cr.MLPClassifier((8, 6), ["tanh"]).fit(*IRIS)


def test_6175_dropout() -> None:
    """Units drop out in training only, one rate for all layers or one for each; the random state decides which."""
    settings: dict[str, Any] = {"hidden_layer_sizes": (30, 20), "max_iter": 20, "random_state": 0}
    plain, dropped, again, first = (
        cr.MLPClassifier(dropout=rate, **settings).fit(*CANCER) for rate in (0.0, 0.5, 0.5, [0.5, 0.0])
    )
    assert dropped.loss_ > plain.loss_
    np.testing.assert_array_equal(dropped.coefs_[0], again.coefs_[0])
    assert not np.array_equal(dropped.coefs_[0], first.coefs_[0])
    np.testing.assert_array_equal(dropped.predict_proba(CANCER[0]), dropped.predict_proba(CANCER[0]))
    assert dropped.score(*CANCER) > 0.9
    with pytest.raises(ValueError, match="dropout must be one for all hidden layers"):
        cr.MLPClassifier(dropout=[0.1]).set_params(hidden_layer_sizes=(3, 3)).fit(*IRIS)


def test_9468_the_hidden_activations_themselves() -> None:
    model = cr.MLPClassifier((12, 7), "tanh", max_iter=5, random_state=0).fit(*CANCER)
    X = CANCER[0][:9]
    first = np.tanh(X @ model.coefs_[0] + model.intercepts_[0])
    np.testing.assert_allclose(model.activations(X, 1), first)
    np.testing.assert_allclose(model.activations(X, -2), np.tanh(first @ model.coefs_[1] + model.intercepts_[1]))
    np.testing.assert_allclose(model.activations(X, -1)[:, 0], model.predict_proba(X)[:, 1])
    np.testing.assert_array_equal(model.activations(X, 0), X)
    assert cr.MLPClassifier(max_iter=5).fit(X.astype(np.float32), CANCER[1][:9]).activations(X, 0).dtype == np.float32
    with pytest.raises(ValueError, match=r"layer must be a whole number from 0 to 3, or from the end: got 4\."):
        model.activations(X, 4)


def test_18507_validation_curves_and_callbacks() -> None:
    """Held-out data are judged after every epoch, and so may you; who returns True ends the fit."""
    X, y = DIGITS
    seen: list[tuple[int, float]] = []

    def look(run: cr.Run) -> bool:
        seen.append((run.epoch, run.history["validation_loss"][-1]))
        return run.epoch == 7

    model = cr.MLPClassifier((20,), random_state=0, callbacks=look)
    model.fit(X[:400], y[:400], validation_data=(X[400:], y[400:]))
    assert [epoch for epoch, _ in seen] == [*range(1, 8)]
    assert model.n_iter_ == model.history_.epochs == 7
    curve = model.history_["validation_loss"]
    assert curve == [loss for _, loss in seen]
    p = model.predict_proba(X[400:])[np.arange(200), y[400:]]
    assert curve[-1] == pytest.approx(-np.log(p).mean())
    with pytest.raises(ValueError, match="validation_data: y has 2 outputs, but there are 3 to train on"):
        cr.MLPRegressor().fit(X, X[:, :3], validation_data=(X, X[:, :2]))
    with pytest.raises(ValueError, match="validation_data: X has 2 features"):
        model.fit(X, y, validation_data=(X[:, :2], y))
    few = X[y < 3], y[y < 3]
    cr.MLPClassifier((5,), max_iter=2, warm_start=True, random_state=0).fit(X, y, validation_data=few)
    with pytest.raises(ValueError, match=r"validation_data must be \(X, y\) or \(X, y, sample_weight\)"):
        model.fit(X, y, validation_data=X)
    with pytest.raises(ValueError, match="a callback must be a function"):
        cr.MLPClassifier(callbacks=[3]).fit(X, y)


def test_18507_early_stopping_by_data_of_your_own() -> None:
    X, y = DIGITS
    model = cr.MLPClassifier(random_state=0, early_stopping=True, n_iter_no_change=2)
    model.fit(X[:400], y[:400], validation_data=(X[400:], y[400:]))
    assert model.best_validation_score_ == max(model.validation_scores_)
    assert model.score(X[400:], y[400:]) == pytest.approx(model.best_validation_score_)
    assert model.t_ == model.n_iter_ * 400


def test_12505_partial_fit_of_labels() -> None:
    X, y = LABELS
    model = cr.MLPClassifier(random_state=0, learning_rate_init=0.02)
    for begin in (0, 50, 100) * 20:
        model.partial_fit(X[begin : begin + 50], y[begin : begin + 50], classes=np.arange(y.shape[1]))
    assert model.predict(X).shape == y.shape
    assert model.score(X, y) > 0.5


def test_25693_early_stopping_with_partial_fit() -> None:
    """By data that are handed in; the best parameters stay, and calls after the end do nothing."""
    X, y = DIGITS
    model = cr.MLPClassifier((20,), random_state=0, early_stopping=True, n_iter_no_change=2, learning_rate_init=0.01)
    calls = 0
    while not getattr(model, "early_stopped_", False):
        model.partial_fit(X[:400], y[:400], classes=range(10), validation_data=(X[400:], y[400:]))
        calls += 1
    scores = model.validation_scores_
    assert 3 < calls == len(scores)
    assert model.score(X[400:], y[400:]) == pytest.approx(max(scores))
    kept = model.coefs_[0].copy()
    model.partial_fit(X[:400], y[:400], validation_data=(X[400:], y[400:]))
    np.testing.assert_array_equal(model.coefs_[0], kept)
    model.set_params(early_stopping=False).partial_fit(X, y)
    assert not np.array_equal(model.coefs_[0], kept)
    with pytest.raises(ValueError, match="partial_fit does not support early_stopping=True without validation_data"):
        cr.MLPClassifier(early_stopping=True).partial_fit(X, y, classes=range(10))


@pytest.mark.parametrize(
    "settings", [{}, {"solver": "sgd"}, {"dropout": 0.3}, {"solver": "sgd", "learning_rate": "invscaling"}], ids=str
)
@pytest.mark.parametrize("engine", ["native", "reference"])
def test_13656_a_warm_start_is_one_long_fit(settings: dict[str, Any], engine: str) -> None:
    """The optimiser remembers, and rows come in the order in which they would have come: to the same bits."""
    common: dict[str, Any] = {"hidden_layer_sizes": 12, "random_state": 0, "engine": engine, **settings}
    long = cr.MLPClassifier(max_iter=10, **common).fit(*CANCER)
    short = cr.MLPClassifier(max_iter=5, warm_start=True, **common).fit(*CANCER).fit(*CANCER)
    for one, other in zip(long.coefs_ + long.intercepts_, short.coefs_ + short.intercepts_, strict=True):
        np.testing.assert_array_equal(one, other)
    assert long.loss_curve_ == short.loss_curve_
    assert (long.t_, 10, 5) == (short.t_, long.n_iter_, short.n_iter_)


def test_13656_a_warm_start_with_other_settings() -> None:
    model = cr.MLPClassifier((5,), random_state=0, max_iter=3, warm_start=True).fit(*CANCER)
    model.set_params(solver="lbfgs").fit(*CANCER)
    model.set_params(solver="sgd").fit(*CANCER)
    assert model.score(*CANCER) > 0.9
    with pytest.raises(ValueError, match=r"coefs_ and intercepts_ have the shapes .*but parameters and data need"):
        model.set_params(hidden_layer_sizes=(6,)).fit(*CANCER)
    with pytest.raises(ValueError, match="warm_start can only be used where `y` has the same classes"):
        model.set_params(hidden_layer_sizes=(5,)).fit(CANCER[0], CANCER[1] + 1)


def test_25693_calls_go_on_from_the_last_parameters_and_not_from_the_best() -> None:
    X, y = DIGITS
    stopped, plain = (
        cr.MLPClassifier((9,), random_state=0, early_stopping=early, learning_rate_init=0.05) for early in (True, False)
    )
    for _ in range(8):
        stopped.partial_fit(X, y, classes=range(10), validation_data=(X[:60], y[:60]))
        plain.partial_fit(X, y, classes=range(10))
    assert stopped.loss_curve_ == plain.loss_curve_
    assert stopped.score(X[:60], y[:60]) == pytest.approx(max(stopped.validation_scores_))


@pytest.mark.parametrize("engine", ["native", "reference"])
def test_13656_momentum_may_come_and_go(engine: str) -> None:
    model = cr.MLPClassifier((5,), solver="sgd", momentum=0.0, random_state=0, engine=engine)
    for momentum in (0.0, 0.9, 0.0):
        model.set_params(momentum=momentum).partial_fit(*CANCER, classes=[0, 1])
    assert model.history_.epochs == 3
    assert "0.9" not in repr(model)


def test_histories_of_several_fits_have_columns_of_one_length() -> None:
    model = cr.MLPClassifier((5,), random_state=0, max_iter=3, warm_start=True).fit(*CANCER)
    model.fit(*CANCER, validation_data=CANCER).fit(*CANCER)
    assert {len(column) for column in model.history_.values()} == {9}
    assert np.isnan(model.history_["validation_loss"]).tolist() == [True] * 3 + [False] * 3 + [True] * 3
    assert "validation_loss" in repr(model.history_)


def test_22151_a_penalty_that_does_not_depend_on_the_batch_size() -> None:
    """With alpha / n over all rows, a small batch shrinks the weights no more than a large one does."""
    X, y = CANCER

    def size(batch_size: int, scaling: str) -> float:
        model = cr.MLPClassifier(
            (10,), solver="sgd", alpha=50.0, batch_size=batch_size, alpha_scaling=scaling, random_state=0, tol=0.0
        )
        return float(np.linalg.norm(model.set_params(learning_rate_init=0.01, max_iter=150).fit(X, y).coefs_[0]))

    assert size(16, "data") == pytest.approx(size(128, "data"), rel=0.1)
    assert size(16, "batch") < 0.6 * size(128, "batch")
    same = [
        cr.MLPClassifier(batch_size=569, alpha_scaling=how, random_state=0, max_iter=9) for how in ("data", "batch")
    ]
    np.testing.assert_allclose(same[0].fit(X, y).coefs_[0], same[1].fit(X, y).coefs_[0], rtol=1e-7)


def test_7280_threads_that_behave() -> None:
    """As many as wanted, the same bits for any number, and one in a worker of joblib."""
    fits = [cr.MLPClassifier(random_state=0, max_iter=5, threads=threads).fit(*DIGITS) for threads in (1, 2, 3)]
    for other in fits[1:]:
        np.testing.assert_array_equal(fits[0].coefs_[0], other.coefs_[0])
    plans = joblib.Parallel(n_jobs=2)(joblib.delayed(_plan)() for _ in range(2))
    assert all("1 of 1 threads" in plan for plan in plans)


def _plan() -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return str(cr.MLPClassifier(max_iter=1).fit(*DIGITS)._fitted.run.plan)


def test_20516_the_same_on_every_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instruction sets differ by rounding alone; and what every machine can run has the same bits wherever it runs."""
    fits = {}
    for isa in ("baseline", "avx2", "avx512"):
        if isa in extension.instruction_sets():
            monkeypatch.setenv("CHAINRULE_ISA", isa)
            fits[isa] = cr.MLPClassifier((10,), "tanh", random_state=0, max_iter=10).fit(*CANCER).coefs_[0]
    for coefs in fits.values():
        np.testing.assert_allclose(coefs, fits["baseline"], rtol=1e-9, atol=1e-12)
    monkeypatch.setenv("CHAINRULE_ISA", "baseline")
    again = cr.MLPClassifier((10,), "tanh", random_state=0, max_iter=10, threads=1).fit(*CANCER).coefs_[0]
    np.testing.assert_array_equal(again, fits["baseline"])


def test_8349_the_gradient_of_several_outputs_is_that_of_the_loss() -> None:
    """A step of plain descent lowers the loss by η |g|²; scikit-learn's g is too large, by the number of outputs."""
    X, Y = make_regression(40, 5, n_targets=4, random_state=0)
    Y = scale(Y)
    settings: dict[str, Any] = {
        "hidden_layer_sizes": (6,),
        "activation": "tanh",
        "solver": "sgd",
        "momentum": 0.0,
        "learning_rate_init": 1e-6,
        "alpha": 0.0,
        "max_iter": 2,
        "random_state": 0,
        "shuffle": False,
    }
    ratios = []
    for kind in (cr.MLPRegressor, theirs.MLPRegressor):
        model: Any = kind(**settings)
        start: Any = kind(**{**settings, "learning_rate_init": 1e-300})
        first, second = (fit.fit(X, Y) for fit in (start, model))
        moved = np.concatenate([(a - b).ravel() for a, b in zip(first.coefs_, second.coefs_, strict=True)])
        moved = np.concatenate([moved, *(a - b for a, b in zip(first.intercepts_, second.intercepts_, strict=True))])
        fallen = second.loss_curve_[0] - second.loss_curve_[1]  # by one of the two steps, each η g long
        ratios.append(np.sum((moved / 2) ** 2) / 1e-6 / fallen)
    np.testing.assert_allclose(ratios, [1.0, 4.0], rtol=1e-3)


@pytest.mark.parametrize("solver", ["adamw", "rmsprop", "adagrad", "rprop", cr.Adam(0.01, beta1=0.8)], ids=str)
def test_more_solvers(solver: Any) -> None:
    rate = 0.1 if solver == "adagrad" else 0.01
    batch = len(CANCER[1]) if solver == "rprop" else 64
    model = cr.MLPClassifier(
        (10,), solver=solver, learning_rate_init=rate, batch_size=batch, max_iter=40, random_state=0, tol=0.0
    )
    assert model.fit(*CANCER).score(*CANCER) > 0.95
    assert hasattr(model, "partial_fit")


@pytest.mark.parametrize("schedule", ["step", "exponential", "cosine", "one_cycle", "warm_up"])
def test_more_schedules(schedule: str) -> None:
    """Of every solver, where scikit-learn's three are heeded by sgd alone."""
    model = cr.MLPClassifier((10,), learning_rate=schedule, max_iter=20, random_state=0, tol=0.0).fit(*CANCER)
    assert len({*model.history_["learning_rate"]}) > 1
    named = cr.schedules.SCHEDULES.find(schedule)
    other = cr.MLPClassifier((10,), learning_rate=named, max_iter=20, random_state=0, tol=0.0).fit(*CANCER)
    np.testing.assert_array_equal(model.coefs_[0], other.coefs_[0])


@pytest.mark.parametrize("data", [IRIS, CANCER, LABELS], ids=["classes", "two classes", "labels"])
def test_label_smoothing(data: Any) -> None:
    """The probabilities stay away from 0 and 1."""
    settings: dict[str, Any] = {"random_state": 0, "max_iter": 300, "learning_rate_init": 0.01, "alpha": 0.0}
    plain = cr.MLPClassifier(**settings).fit(*data)
    smooth = cr.MLPClassifier(label_smoothing=0.2, **settings).fit(*data)
    assert smooth.predict_proba(data[0]).max(axis=1).mean() < plain.predict_proba(data[0]).max(axis=1).mean()
    assert smooth.loss_ > plain.loss_
    assert smooth.score(*data) > plain.score(*data) - 0.1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"dropout": 1.0}, "The 'dropout' parameter of MLPClassifier must be"),
        ({"engine": "gpu"}, "The 'engine' parameter of MLPClassifier must be a str among"),
        ({"threads": 0}, "The 'threads' parameter of MLPClassifier must be"),
        ({"solver": "newton"}, "The 'solver' parameter of MLPClassifier must be"),
        ({"loss": "hinge"}, "The 'loss' parameter of MLPClassifier must be"),
        ({"alpha_scaling": "rows"}, "The 'alpha_scaling' parameter of MLPClassifier must be"),
        ({"label_smoothing": 1.0}, "The 'label_smoothing' parameter of MLPClassifier must be"),
        ({"clip_norm": 0.0}, "The 'clip_norm' parameter of MLPClassifier must be"),
        ({"activation": ["softmax"]}, "softmax can only be the activation of the output"),
        ({"activation": ["rleu"]}, "unknown activation 'rleu': did you mean 'relu'"),
        ({"solver": "lbfgs", "dropout": 0.1}, "lbfgs searches along a line and cannot use dropout"),
        ({"loss": cr.losses.poisson()}, "the loss poisson needs an output with activation"),
    ],
    ids=str,
)
def test_what_goes_beyond_scikit_learn_is_told_as_clearly(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cr.MLPClassifier(**wrong).fit(*IRIS)


def test_a_negative_count_is_told() -> None:
    with pytest.raises(ValueError, match=r"loss='poisson' takes targets from 0 to inf, but y\[1\] is -1"):
        cr.MLPRegressor("poisson").fit([[0.0], [1.0]], [2, -1])
