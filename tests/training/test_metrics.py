"""Metrics against scikit-learn's."""

from __future__ import annotations

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
    assert not np.isfinite(METRICS["r2"](np.ones((3, 1)), np.zeros((3, 1))))


def test_a_function_of_your_own_goes_by_its_name() -> None:
    def worst(y: Any, outputs: Any) -> float:
        return float(np.abs(y - outputs).max())

    assert list(named_metrics(["r2", worst])) == ["r2", "worst"]
    with pytest.raises(cr.InputError, match="did you mean 'accuracy'"):
        named_metrics(["acuracy"])
    with pytest.raises(cr.InputError, match="a metric must be a name or a function, but is 5"):
        named_metrics([5])  # type: ignore[list-item]
