"""What is wrong with a parameter is told by its name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_iris

import chainrule as cr

X, Y = load_iris(return_X_y=True)
WRONG_SIZES = [
    (5, "a"),
    [[5, 5]],
    np.array([[5, 5]]),
    (20.0,),
    (np.nan,),
    (None,),
    (True,),
    np.array(5),
    np.array([5.0]),
    np.array([[5], [5]]),
    (10**9,),
    (2**70,),
    (10**6, 10**6),
    "ab",
    5.5,
    (4, 0),
]


@pytest.mark.parametrize("sizes", WRONG_SIZES, ids=repr)
def test_hidden_layer_sizes_are_whole_numbers_and_named_where_they_are_not(sizes: Any) -> None:
    with pytest.raises(ValueError, match="hidden_layer_sizes") as error:
        cr.MLPClassifier(sizes).fit(X, Y)
    assert "units" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("sizes", [6, np.int64(6), [6], (6,), np.array([6]), range(6, 7)], ids=repr)
@pytest.mark.usefixtures("few_epochs")
def test_hidden_layer_sizes_may_come_in_any_sequence(sizes: Any) -> None:
    assert cr.MLPClassifier(sizes, max_iter=1).fit(X, Y).coefs_[1].shape == (6, 3)
