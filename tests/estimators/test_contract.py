"""Attributes decide predictions, scores that are not finite never count, and messages name what would help."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from copy import copy
from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.datasets import load_diabetes, load_iris, make_multilabel_classification
from sklearn.exceptions import ConvergenceWarning, NotFittedError

import chainrule as cr

X, Y = IRIS = load_iris(return_X_y=True)
DIABETES = load_diabetes(return_X_y=True)
LABELS = make_multilabel_classification(150, random_state=0)
pytestmark = pytest.mark.usefixtures("few_epochs")

# Attributes


def own(value: Any, slope: Any) -> cr.Activation:
    """Return an activation by the name "own", which is equal to any other of that name."""
    return cr.Activation("own", value=value, slope=slope)


@pytest.mark.parametrize("in_a_list", [False, True])
def test_another_activation_of_the_same_name_decides_predictions(in_a_list: bool) -> None:
    sine, square = own(np.sin, lambda z, f: np.cos(z)), own(np.square, lambda z, f: 2 * z)
    activation = [sine] if in_a_list else sine
    model = cr.MLPRegressor(hidden_layer_sizes=(5,), activation=activation, max_iter=5, random_state=0).fit(X, Y)
    model.predict(X)
    if in_a_list:
        model.activation[0] = square
    else:
        model.set_params(activation=square)
    hidden = np.square(X @ model.coefs_[0] + model.intercepts_[0])
    for _ in range(2):
        assert model.predict(X) == pytest.approx((hidden @ model.coefs_[1] + model.intercepts_[1])[:, 0])


def test_a_missing_attribute_costs_no_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    model = cr.MLPClassifier()
    del model.clip_norm
    assert model.clip_norm is None
    monkeypatch.setattr("chainrule.estimators.contract.signature", lambda kind: pytest.fail("asked again"))
    assert not hasattr(model, "coefs_")
    assert model.clip_norm is None


def test_the_engine_may_be_changed_after_a_fit() -> None:
    model = cr.MLPClassifier((5,), max_iter=5, random_state=0).fit(X, Y)
    by_native = model.predict_proba(X)
    assert model.set_params(engine="reference").predict_proba(X) == pytest.approx(by_native)
    assert model._fitted.outputs.engine == "reference"
    model.set_params(engine="native")
    np.testing.assert_array_equal(model.predict_proba(X), by_native)


def test_a_shallow_copy_has_a_predictor_of_its_own() -> None:
    """Two threads may then predict with an estimator and a copy of it whose parameters were changed."""
    model = cr.MLPClassifier((50,), max_iter=5, random_state=0).fit(X, Y)
    copied = copy(model)
    copied.coefs_ = [0.0 * weights for weights in model.coefs_]
    expected = [estimator.predict_proba(X) for estimator in (model, copied)]
    assert copied._fitted.outputs is not model._fitted.outputs
    with ThreadPoolExecutor(2) as pool:
        for _ in range(100):
            for found, right in zip(pool.map(lambda one: one.predict_proba(X), (model, copied)), expected, strict=True):
                np.testing.assert_array_equal(found, right)


CLASSES: dict[str, tuple[Any, Any]] = {
    "three classes": IRIS,
    "two classes": (X, np.where(Y == 1, "yes", "no")),
    "labels": LABELS,
}


@pytest.mark.parametrize("before", [None, *CLASSES])
@pytest.mark.parametrize("name", CLASSES)
def test_a_state_of_scikit_learns_network_predicts_what_it_predicted(name: str, before: str | None) -> None:
    """Set in a new estimator, or in one that was fitted to something else."""
    data = CLASSES[name]
    their = theirs.MLPClassifier(max_iter=20, random_state=0).fit(*data)
    ours = cr.MLPClassifier(max_iter=2)
    if before is not None:
        ours.fit(*CLASSES[before])
    ours.__setstate__(their.__getstate__())
    np.testing.assert_array_equal(ours.predict(data[0]), their.predict(data[0]))
    np.testing.assert_allclose(ours.predict_proba(data[0]), their.predict_proba(data[0]), atol=1e-12)
    assert ours.score(*data) == their.score(*data)
    copy = pickle.loads(pickle.dumps(ours))  # noqa: S301 - our own bytes
    np.testing.assert_array_equal(copy.predict(data[0]), their.predict(data[0]))


@pytest.mark.parametrize("way", ["an empty instance with their attributes", "their instance with our class"])
@pytest.mark.parametrize("kind", ["MLPClassifier", "MLPRegressor"])
def test_attributes_of_scikit_learns_network_suffice_though_some_parameters_are_missing(kind: str, way: str) -> None:
    data = IRIS if kind == "MLPClassifier" else DIABETES
    their = getattr(theirs, kind)(max_iter=20, random_state=0).fit(*data)
    expected, score = their.predict(data[0]), their.score(*data)
    ours: Any = their
    if way == "an empty instance with their attributes":
        ours = getattr(cr, kind).__new__(getattr(cr, kind))
        ours.__dict__.update(their.__dict__)
    else:
        ours.__class__ = getattr(cr, kind)
    np.testing.assert_allclose(ours.predict(data[0]), expected, rtol=1e-9)
    assert ours.score(*data) == pytest.approx(score)
    assert ours.get_params()["dropout"] == 0.0
    assert ours.set_params(max_iter=2).fit(*data).n_iter_ == 2
    with pytest.raises(AttributeError, match=f"'{kind}' object has no attribute 'layers_'"):
        ours.layers_  # noqa: B018 - the access is what is tested


@pytest.mark.parametrize("name", ["coefs_, intercepts_", "all"])
@pytest.mark.parametrize("loss", ["squared_error", "poisson"])
def test_a_regressor_predicts_by_attributes_alone(loss: str, name: str) -> None:
    X, y = DIABETES
    their = theirs.MLPRegressor(loss, max_iter=20, random_state=0).fit(X, y)
    ours = cr.MLPRegressor(loss)
    for attribute in vars(their) if name == "all" else name.split(", "):
        setattr(ours, attribute, getattr(their, attribute))
    np.testing.assert_allclose(ours.predict(X), their.predict(X), rtol=1e-9)


@pytest.mark.parametrize("way", ["warm start", "partial_fit", "other data"])
def test_copied_attributes_can_be_fitted_further(way: str) -> None:
    their = theirs.MLPClassifier(max_iter=20, random_state=0).fit(X, Y)
    ours = cr.MLPClassifier(max_iter=60, learning_rate_init=0.01, random_state=0)
    ours.__setstate__(their.__getstate__() | ours.get_params())
    if way == "partial_fit":
        for _ in range(60):
            ours.partial_fit(X, Y)
        assert ours.t_ == 150 * 80
    else:
        ours.set_params(warm_start=way == "warm start").fit(*(LABELS if way == "other data" else IRIS))
    if way == "other data":
        assert ours.predict(LABELS[0]).shape == LABELS[1].shape
    else:
        assert ours.score(X, Y) > their.score(X, Y)


def test_without_classes_a_classifier_is_not_fitted() -> None:
    model = cr.MLPClassifier()
    model.coefs_, model.intercepts_ = [np.eye(4, 3)], [np.zeros(3)]
    with pytest.raises(NotFittedError):
        model.predict(X)
    model.classes_ = np.array(["a", "b", "c"])
    np.testing.assert_array_equal(model.predict(X), model.classes_[X[:, :3].argmax(axis=1)])


@pytest.mark.parametrize("activation", ["tanh", "identity"])
@pytest.mark.parametrize("output", ["identity", "logistic", "tanh", "softmax", "relu"])
def test_activations_may_be_changed_after_a_fit(output: str, activation: str) -> None:
    """As in scikit-learn, before and after there were predictions."""
    models = [kind(max_iter=20, random_state=0).fit(X, Y) for kind in (cr.MLPClassifier, theirs.MLPClassifier)]
    for changes in ({"out_activation_": output}, {"activation": activation}, {"out_activation_": "softmax"}):
        for model in models:
            for name, value in changes.items():
                setattr(model, name, value)
        np.testing.assert_allclose(models[0].predict_proba(X), models[1].predict_proba(X), atol=1e-12)
        np.testing.assert_array_equal(models[0].predict(X), models[1].predict(X))


def test_activations_that_are_changed_to_something_unknown_are_refused() -> None:
    model = cr.MLPRegressor(hidden_layer_sizes=(5, 5), max_iter=2).fit(*DIABETES)
    model.out_activation_ = "relo"
    with pytest.raises(ValueError, match="out_activation_: unknown activation 'relo': did you mean 'relu'"):
        model.predict(DIABETES[0])
    model.set_params(activation=["tanh"]).out_activation_ = "relu"
    with pytest.raises(ValueError, match="activation must be one for all hidden layers, or a list with one for each"):
        model.predict(DIABETES[0])


def test_pruned_units_leave_a_network_that_predicts() -> None:
    """Units whose outgoing weights are 0 can be taken out, and change nothing."""
    model = cr.MLPClassifier((30,), "tanh", max_iter=20, random_state=0).fit(X, Y)
    model.coefs_[1][:18] = 0.0
    before = model.predict_proba(X)
    model.coefs_ = [model.coefs_[0][:, 18:], model.coefs_[1][18:]]
    model.intercepts_[0] = model.intercepts_[0][18:]
    np.testing.assert_allclose(model.predict_proba(X), before, rtol=1e-12)
    assert model.activations(X, 1).shape == (150, 12)

    model.set_params(warm_start=True)
    with pytest.raises(ValueError, match="change hidden_layer_sizes to continue with these"):
        model.fit(X, Y)
    model.set_params(hidden_layer_sizes=(12,), max_iter=100).fit(X, Y)
    assert model.score(X, Y) > 0.8


def test_a_layer_can_be_taken_out() -> None:
    model = cr.MLPRegressor(hidden_layer_sizes=(5, 5), max_iter=5, random_state=0).fit(*DIABETES)
    del model.coefs_[1], model.intercepts_[1]
    hidden = np.maximum(DIABETES[0] @ model.coefs_[0] + model.intercepts_[0], 0.0)
    np.testing.assert_allclose(
        model.predict(DIABETES[0]), (hidden @ model.coefs_[1] + model.intercepts_[1])[:, 0], rtol=1e-9
    )


def test_shapes_that_do_not_follow_one_another_are_refused() -> None:
    model = cr.MLPClassifier((5,), max_iter=2, random_state=0).fit(X, Y)
    model.coefs_[1] = model.coefs_[1][:4]
    with pytest.raises(ValueError, match=r"coefs_ and intercepts_ have the shapes \[.*\(4, 3\).*but each layer needs"):
        model.predict(X)
    del model.intercepts_[1]
    with pytest.raises(ValueError, match=r"coefs_ and intercepts_ have the shapes"):
        model.predict(X)
    model.coefs_, model.intercepts_ = [np.ones((4, 0)), np.ones((0, 3))], [np.ones(0), np.ones(3)]
    with pytest.raises(ValueError, match=r"the shapes \[\(4, 0\), .* but each layer needs at least one unit"):
        model.predict(X)


# Numbers that are not finite


@pytest.mark.parametrize("scale", [1e20, 1e30])
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_an_infinite_validation_score_is_never_the_best(scale: float) -> None:
    """The squares of the first epoch's errors overflow, or its outputs do, and the second epoch diverges."""
    model = cr.MLPRegressor(hidden_layer_sizes=50, solver="sgd", early_stopping=True, random_state=0)
    with pytest.raises(ValueError, match="Solver produced non-finite parameter weights"):
        model.fit(DIABETES[0] * scale, DIABETES[1])
    assert not hasattr(model, "coefs_")


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_a_fit_that_diverges_after_its_best_epoch_has_a_score_for_each_epoch() -> None:
    settings: dict[str, Any] = {"learning_rate_init": 3.0, "momentum": 0.0, "n_iter_no_change": 200}
    model = cr.MLPRegressor(hidden_layer_sizes=(), solver="sgd", early_stopping=True, random_state=0, **settings)
    with pytest.warns(ConvergenceWarning, match="The best parameters before are kept"):
        model.fit(30 * DIABETES[0], DIABETES[1])
    assert len(model.validation_scores_) == len(model.loss_curve_) == model.n_iter_
    assert model.best_validation_score_ == max(model.validation_scores_)


@pytest.mark.parametrize("seed", range(3))
def test_targets_of_a_million_are_fitted_with_finite_parameters_or_not_at_all(seed: int) -> None:
    """The first steps are so long that the squares of the errors may overflow."""
    model = cr.MLPRegressor(solver="sgd", early_stopping=True, random_state=seed)
    with suppress(ValueError):
        model.fit(DIABETES[0] * 1e3, DIABETES[1] * 1e6)
    if hasattr(model, "coefs_"):
        assert np.isfinite(model.predict(DIABETES[0] * 1e3)).all()
        assert np.isfinite(model.best_validation_score_)
    else:
        with pytest.raises(NotFittedError):
            model.predict(DIABETES[0])


def test_the_best_epoch_is_that_of_the_best_finite_score(monkeypatch: pytest.MonkeyPatch) -> None:
    scores = iter([-np.inf, np.nan, 0.2, 0.3, np.inf, np.nan])
    monkeypatch.setattr(cr.MLPClassifier, "_score_of", lambda *given: next(scores))
    parameters = []
    model = cr.MLPClassifier(early_stopping=True, max_iter=6, random_state=0)
    model.set_params(callbacks=lambda run: parameters.append(run.state.theta.copy())).fit(X, Y)
    assert model.best_validation_score_ == 0.3
    np.testing.assert_array_equal(model.coefs_[0].ravel(), parameters[3][: model.coefs_[0].size])


def test_a_fit_without_any_finite_score_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cr.MLPClassifier, "_score_of", lambda *given: -np.inf)
    model = cr.MLPClassifier(early_stopping=True, max_iter=30)
    with pytest.raises(ValueError, match=r"non-finite parameter weights.*no epoch has a finite validation score"):
        model.fit(X, Y)
    assert not hasattr(model, "coefs_")


def test_a_last_step_that_is_too_large_fails() -> None:
    """No step comes after it to notice that the outputs are not finite."""
    X, y = DIABETES
    model = cr.MLPRegressor(
        hidden_layer_sizes=(), solver="sgd", learning_rate_init=1e200, max_iter=1, momentum=0.0, batch_size=442
    )
    with pytest.raises(ValueError, match="the outputs after the last step are not finite"):
        model.fit(X * 1e55, y)


def test_r2_needs_two_held_out_rows() -> None:
    X, y = DIABETES
    model = cr.MLPRegressor(early_stopping=True, max_iter=3, random_state=0)
    with pytest.raises(
        ValueError, match="R², which needs at least two rows with a weight above 0, but their number is 1"
    ):
        model.fit(X, y, validation_data=(X[:1], y[:1]))
    with pytest.raises(
        ValueError, match="R², which needs at least two rows with a weight above 0, but their number is 1"
    ):
        model.partial_fit(X, y, validation_data=(X[:3], y[:3], [0, 1, 0]))
    assert model.fit(X, y, validation_data=(X[:2], y[:2])).n_iter_ == 3
    with pytest.raises(ValueError, match=r"R² \(early_stopping_scoring='r2'\), which needs at least two rows"):
        model.set_params(early_stopping_scoring="r2").fit(X, y, validation_data=(X[:1], y[:1]))
    with pytest.raises(ValueError, match="scores held-out rows by D², which needs at least two rows"):
        cr.MLPRegressor("absolute_error", early_stopping=True).fit(X, y, validation_data=(X[:1], y[:1]))
    plain = cr.MLPRegressor(max_iter=3).fit(X, y, validation_data=(X[:1], y[:1]))
    assert len(plain.history_["validation_loss"]) == 3


def test_targets_that_are_too_large_for_float32_are_named() -> None:
    with pytest.raises(ValueError, match=r"y\[1\] is 1e\+300, which is not finite in float32, the dtype of X"):
        cr.MLPRegressor().fit(np.eye(3, dtype=np.float32), [0.0, 1e300, 1.0])


# Weights


WEIGHTS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "held-out rows of weight 0": (
        {"early_stopping": True, "random_state": 0},
        {"sample_weight": (np.arange(150) < 3).astype(float)},
        "The 15 held-out rows all have weight 0: change random_state or validation_fraction, or pass validation",
    ),
    "validation data of weight 0": (
        {},
        {"validation_data": (X, Y, np.zeros(150))},
        "validation_data: The 150 rows all have weight zero: at least one sample_weight",
    ),
    "weight 0": ({}, {"sample_weight": [0] * 150}, "^The 150 rows all have weight zero: at least one sample_weight"),
    "negative validation data": ({}, {"validation_data": (X, Y, -np.ones(150))}, "validation_data: Negative values"),
    "negative": ({}, {"sample_weight": -np.ones(150)}, "Negative values in data passed to `sample_weight`"),
    "a sum of 0": ({}, {"sample_weight": np.tile([1.0, -1.0], 75)}, "Negative values in data passed"),
    "too large": ({}, {"sample_weight": np.full(150, 1e308)}, "The weights of the 150 rows sum to inf"),
    "classes of weight 0": ({"class_weight": {0: 0, 1: 0, 2: 0}}, {}, "The 150 rows to train on all have weight 0"),
    "weights and classes": (
        {"class_weight": {0: 0.0}},
        {"sample_weight": (Y == 0).astype(float)},
        "The 150 rows to train on all have weight 0: change class_weight or sample_weight",
    ),
    "classes that are too large": (
        {"class_weight": {0: 1e308}},
        {},
        "sum to inf, .*change class_weight or sample",
    ),
}


CASES = [(name, solver) for name in WEIGHTS for solver in ("adam", "lbfgs")]


@pytest.mark.parametrize(
    ("name", "solver"),
    [case for case in CASES if case != ("held-out rows of weight 0", "lbfgs")],  # L-BFGS holds no rows out
)
def test_weights_without_a_positive_finite_sum_are_refused(name: str, solver: str) -> None:
    settings, data, message = WEIGHTS[name]
    with pytest.raises(ValueError, match=message):
        cr.MLPClassifier(solver=solver, **settings).fit(X, Y, **data)


def test_held_out_rows_of_a_regressor_weigh_something() -> None:
    X, y = DIABETES
    with pytest.raises(ValueError, match="The 45 held-out rows all have weight 0"):
        cr.MLPRegressor(early_stopping=True, random_state=0).fit(X, y, sample_weight=np.arange(442) == 0)


# Messages


@pytest.mark.parametrize(
    ("fraction", "reason"),
    [
        (0, "no rows would be held out"),
        (0.999999, "no rows would be left to train on"),
        (0.01, "one part would be a single row, which cannot contain both classes"),
        (0.99, "one part would be a single row, which cannot contain both classes"),
    ],
)
def test_early_stopping_says_why_it_cannot_hold_out_rows(fraction: float, reason: str) -> None:
    model = cr.MLPClassifier(early_stopping=True, validation_fraction=fraction)
    with pytest.raises(ValueError, match=f"validation_fraction={fraction:g} of 100 rows: {reason}"):
        model.fit(X[:100], Y[:100])


def test_lbfgs_names_the_limit_that_it_reached() -> None:
    with pytest.warns(ConvergenceWarning, match=r"Increase the number of evaluations .*\(max_fun=3\)"):
        cr.MLPClassifier(solver="lbfgs", max_fun=3, max_iter=3, random_state=0).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match=r"Increase the number of evaluations .*\(solver.evaluations=4\)"):
        cr.MLPClassifier(solver=cr.LBFGS(evaluations=4), random_state=0).fit(X, Y)
    with pytest.warns(ConvergenceWarning, match=r"Increase the number of iterations .*\(max_iter=2\)"):
        cr.MLPClassifier(solver="lbfgs", max_iter=2, random_state=0).fit(X, Y)
