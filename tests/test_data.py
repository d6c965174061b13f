"""Arrays at the door: what is taken, and what is refused with its name, shape and place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.data import prepare

NET = cr.Network(2, [cr.Dense(1)])
CLASSES = cr.Network(2, [cr.Dense(3, "softmax")], "cross_entropy")
X = [[1.0, 2.0], [3.0, 4.0]]


def test_lists_and_flat_targets_become_arrays_of_the_networks_shapes() -> None:
    data = prepare(NET, X, [5, 6])
    assert (data.x.shape, data.y.shape, data.weights.tolist()) == ((2, 2), (2, 1), [1.0, 1.0])


def test_class_numbers_become_one_hot_rows() -> None:
    assert prepare(CLASSES, X, [2, 0]).y.tolist() == [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]


def test_a_plain_number_will_do_for_a_chain() -> None:
    assert prepare(cr.chain(3), 0.5, 0.8).x.tolist() == [[0.5]]


@pytest.mark.parametrize(
    ("net", "x", "y", "weights", "message"),
    [
        (NET, [[1.0]], [1.0], None, r"x has the shape \(1, 1\), but must be \(n, 2\): the network has 2 inputs"),
        (NET, np.zeros((0, 2)), [], None, "x has no rows"),
        (NET, [[1.0, np.nan]], [1.0], None, "x contains NaN in row 1 in column 2"),
        (NET, X, [1.0, -np.inf], None, "y contains infinity in row 2"),
        (NET, X, [1.0], None, "y has 1 rows, but x has 2"),
        (NET, X, [[1.0, 2.0], [3.0, 4.0]], None, r"y has the shape \(2, 2\), but must be \(n, 1\)"),
        (NET, [["a", "b"]], [1.0], None, "x cannot be read as numbers"),
        (NET, [[1j, 0.0]], [1.0], None, "x cannot be read as numbers: complex128 is not supported"),
        (NET, np.array([["2024-01-01", "NaT"]], "datetime64[D]"), [1.0], None, "datetime64.* is not supported"),
        (NET, np.ma.masked_array([[1.0, 2.0]], [[True, False]]), [1.0], None, "masked numbers are missing"),
        (NET, [[1.0, 2.0], [3.0]], [1.0, 2.0], None, "x cannot be read as numbers"),
        (NET, X, [1.0, 2.0], [[1.0], [1.0]], r"sample_weight has the shape \(2, 1\), but must be \(2,\)"),
        (NET, X, [1.0, 2.0], [0.0, 0.0], "sample_weight must not be negative, nor zero for every row"),
        (NET, X, [1.0, 2.0], [1e308, 1e308], "sample_weight is too large"),
        (CLASSES, X, [[0], [1]], None, r"class numbers must have the shape \(n,\)"),
        (NET, X, [1.0, 2.0], [1.0, np.nan], "sample_weight contains NaN in row 2"),
        (CLASSES, X, [0, 3], None, "3 in row 2 is no class number from 0 to 2"),
        (CLASSES, X, [0, 0.5], None, "0.5 in row 2 is no class number"),
        (CLASSES, X, [[0.0, 1.0, 2.0]] * 2, None, "2 in row 1 is no target of cross_entropy"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(net: cr.Network, x: Any, y: Any, weights: Any, message: str) -> None:
    with pytest.raises(cr.InputError, match=message) as caught:
        prepare(net, x, y, weights)
    assert "\n" not in str(caught.value)


def test_a_number_too_large_for_float32_is_reported_where_it_is() -> None:
    with pytest.raises(cr.InputError, match="x contains infinity in row 2 in column 1"):
        prepare(NET, [[1.0, 1.0], [1e300, 1.0]], [1.0, 1.0], dtype="float32")


def test_the_fingerprint_differs_when_any_number_differs() -> None:
    first, same, other = (prepare(NET, X, y).fingerprint() for y in ([1.0, 2.0], [1.0, 2.0], [1.0, 2.5]))
    assert first == same != other
