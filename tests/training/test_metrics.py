"""Metrics against scikit-learn's."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

import chainrule as cr
from chainrule.training.metrics import METRICS, named_metrics

RANDOM = np.random.default_rng(0)
Y, F = RANDOM.normal(size=(2, 40, 3))


def test_r2_and_mean_absolute_error_are_those_of_scikit_learn() -> None:
    assert METRICS["r2"](Y, F) == pytest.approx(sklearn_metrics.r2_score(Y, F))
    assert METRICS["mean_absolute_error"](Y, F) == pytest.approx(sklearn_metrics.mean_absolute_error(Y, F))


def test_accuracy_is_of_the_likeliest_class_or_of_one_probability() -> None:
    classes = np.eye(3)[RANDOM.integers(0, 3, 40)]
    assert METRICS["accuracy"](classes, F) == pytest.approx(
        sklearn_metrics.accuracy_score(classes.argmax(axis=1), F.argmax(axis=1))
    )
    assert METRICS["accuracy"](np.array([[1.0], [0.0], [1.0]]), np.array([[0.9], [0.2], [0.4]])) == pytest.approx(2 / 3)


def test_accuracy_of_several_labels_counts_each() -> None:
    y = np.array([[1.0, 1.0, 0.0], [0.0, 0.0, 0.0]])
    assert METRICS["accuracy"](y, np.array([[0.9, 0.8, 0.1], [0.2, 0.6, 0.3]])) == pytest.approx(5 / 6)


def test_one_metric_need_not_be_in_a_list() -> None:
    assert list(named_metrics("r2")) == ["r2"]


@pytest.mark.parametrize(
    ("names", "message"),
    [(["<lambda>", "<lambda>"], "two metrics are called '<lambda>'"), (["loss"], "a metric cannot be called 'loss'")],
)
def test_each_metric_needs_a_name_of_its_own(names: list[str], message: str) -> None:
    def metric(name: str) -> Any:
        def constant(y: Any, outputs: Any) -> float:
            return 0.0

        constant.__name__ = name
        return constant

    with pytest.raises(cr.InputError, match=message):
        named_metrics([metric(name) for name in names])


def test_r2_of_a_target_that_does_not_vary_is_no_number() -> None:
    for outputs in (0.0, 0.8, 1.0):
        assert np.isnan(METRICS["r2"](np.full((2, 1), 0.8), np.full((2, 1), outputs)))
    assert np.isnan(METRICS["r2"](np.array([[1.0, 2.0], [3.0, 2.0]]), np.zeros((2, 2))))
    assert np.isnan(METRICS["r2"](np.full((3, 1), 0.1), np.zeros((3, 1))))  # whose mean is not exactly 0.1


def test_a_function_of_your_own_goes_by_its_name() -> None:
    def worst(y: Any, outputs: Any) -> float:
        return float(np.abs(y - outputs).max())

    assert list(named_metrics(["r2", worst])) == ["r2", "worst"]
    with pytest.raises(cr.InputError, match="did you mean 'accuracy'"):
        named_metrics(["acuracy"])
    with pytest.raises(cr.InputError, match="a metric must be a name or a function, but is 5"):
        named_metrics([5])  # type: ignore[list-item]


CLASSES = RANDOM.integers(0, 3, 40)
X, W = RANDOM.normal(size=(40, 2)), RANDOM.uniform(size=40)
CLASSIFIER = cr.Network(2, [cr.Dense(3, "softmax")], "cross_entropy")
REGRESSION = cr.Network(2, [cr.Dense(1)])


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("outputs", [1, 3])
def test_weighted_metrics_are_those_of_scikit_learn(name: str, outputs: int) -> None:
    y, f = (np.eye(3)[CLASSES], F) if name == "accuracy" else (Y[:, :outputs], F[:, :outputs])
    theirs: Any = {
        "accuracy": lambda: sklearn_metrics.accuracy_score(CLASSES, F.argmax(axis=1), sample_weight=W),
        "r2": lambda: sklearn_metrics.r2_score(y, f, sample_weight=W),
        "mean_absolute_error": lambda: sklearn_metrics.mean_absolute_error(y, f, sample_weight=W),
    }
    assert METRICS[name](y, f, sample_weight=W) == pytest.approx(theirs[name]())


def test_a_metric_of_your_own_gets_y_as_it_was_passed_and_the_outputs() -> None:
    seen: list[Any] = []

    def look(y: Any, outputs: Any) -> float:
        seen.append((y, outputs.shape))
        return 0.0

    cr.train(CLASSIFIER, X, CLASSES.tolist(), epochs=1, metrics=look)
    assert (seen[-1][0] == CLASSES).all()
    assert seen[-1][0].dtype.kind == "i"
    assert seen[-1][1] == (40, 3)
    for y, shape in ((X[:, 0], (40,)), (X[:, :1], (40, 1))):
        cr.train(REGRESSION, X, y, epochs=1, metrics=look)
        assert seen[-1][0].shape == seen[-1][1] == shape


def test_weights_go_to_a_metric_that_takes_them_of_each_part() -> None:
    seen: list[Any] = []

    def look(y: Any, outputs: Any, sample_weight: Any = None) -> float:
        seen.append(sample_weight)
        return 0.0

    cr.train(CLASSIFIER, X, CLASSES, sample_weight=W, epochs=1, metrics=look, validation=(X[:9], CLASSES[:9], W[:9]))
    assert (seen[-2] == W).all()
    assert (seen[-1] == W[:9]).all()
    cr.train(CLASSIFIER, X, CLASSES, epochs=1, metrics=look)
    assert seen[-1] is None


def test_metrics_of_scikit_learn_are_taken_as_they_are() -> None:
    auc = partial(sklearn_metrics.roc_auc_score, multi_class="ovr")
    metrics = [sklearn_metrics.log_loss, auc, "accuracy"]
    run = cr.train(CLASSIFIER, X, CLASSES, sample_weight=W, epochs=2, metrics=metrics)
    outputs = run.predict(X)
    assert list(run.history) == ["loss", "learning_rate", "log_loss", "roc_auc_score", "accuracy"]
    assert run.history["log_loss"][-1] == sklearn_metrics.log_loss(CLASSES, outputs, sample_weight=W)
    assert run.history["roc_auc_score"][-1] == auc(CLASSES, outputs, sample_weight=W)


@pytest.mark.parametrize(
    ("metric", "message"),
    [
        (sklearn_metrics.accuracy_score, r"'accuracy_score' failed with ValueError.*y, outputs.argmax\(axis=1\)"),
        (lambda y: 0.0, r"the metric '<lambda>' is called with the arguments \(y, outputs\)"),
        (lambda y, outputs: outputs, "the metric '<lambda>' must return a number, but returned"),
    ],
)
def test_a_metric_that_does_not_fit_is_named_before_the_first_epoch(metric: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(cr.InputError, match=message) as caught:
        cr.train(CLASSIFIER, X, CLASSES, metrics=metric, checkpoint=tmp_path / "run")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())
