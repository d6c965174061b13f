"""Classes, their weights, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sklearn.neural_network as theirs
from sklearn.datasets import load_iris

import chainrule as cr

X, Y = load_iris(return_X_y=True)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({1: np.nan}, "class_weight gives rows of the class 1 the weight nan"),
        ({0: np.inf}, "class_weight gives rows of the class 0 the weight inf"),
        ({2: -1.0}, "class_weight gives rows of the class 2 the weight -1"),
        ({0: None}, "class_weight gives rows of the class 0 the weight nan"),
        ({0: "heavy"}, "class_weight: could not convert string to float: 'heavy'"),
        ({7: 1.0}, "class_weight: The classes, .* are not in class_weight"),
    ],
    ids=str,
)
@pytest.mark.parametrize("ensemble", [False, True])
def test_a_class_weight_must_be_a_finite_number(weights: Any, message: str, ensemble: bool) -> None:
    model = cr.MLPClassifier(class_weight=weights)
    with pytest.raises(ValueError, match=message):
        (cr.MLPEnsembleClassifier(model, 2) if ensemble else model).fit(X, Y)


def test_a_class_of_a_single_row_is_named() -> None:
    model = cr.MLPClassifier(early_stopping=True)
    with pytest.raises(ValueError, match="the class rare has a single row, but needs two"):
        model.fit(X[:40], np.where(np.arange(40) == 7, "rare", "usual"))


def test_early_stopping_with_a_single_class_is_that_of_scikit_learn() -> None:
    settings: dict[str, Any] = {"early_stopping": True, "max_iter": 30, "n_iter_no_change": 3, "random_state": 0}
    models = [kind(**settings).fit(X[:40], np.full(40, 7)) for kind in (cr.MLPClassifier, theirs.MLPClassifier)]
    assert models[0].validation_scores_ == models[1].validation_scores_ == [1.0] * 5
    np.testing.assert_allclose(models[0].coefs_[0], models[1].coefs_[0], rtol=1e-9)


def test_labels_of_several_types_are_refused() -> None:
    with pytest.raises(ValueError, match="y has labels that cannot be classes"):
        cr.MLPClassifier().fit(X[:4], np.array(["a", 1, "b", "a"], dtype=object))
