"""Arrays at the door: what is taken, and what is refused with its name, shape and place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

import chainrule as cr
from chainrule.data import inputs, prepare

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
        (NET, X, [1.0, 2.0], [1e-320, 1e-320], "sample_weight is too small: its numbers sum to .*; scale them up"),
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


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_matrix", "coo_array"])
def test_a_sparse_matrix_is_refused_with_what_to_do(kind: str) -> None:
    matrix = getattr(sparse, kind)(np.array(X))
    uses: list[tuple[str, Callable[[], object]]] = [
        ("x", lambda: cr.train(NET, matrix, [1.0, 2.0])),
        ("validation x", lambda: cr.train(NET, X, [1.0, 2.0], validation=(matrix, [1.0, 2.0]))),
        ("x", lambda: cr.Model(NET, NET.initial()).predict(matrix)),
        ("x", lambda: cr.backprop(NET, NET.initial(), matrix, [1.0, 2.0])),
    ]
    for name, use in uses:
        with pytest.raises(cr.InputError, match=rf"^{name} is a sparse matrix: pass its .toarray\(\), or use MLPClass"):
            use()
    with pytest.raises(cr.InputError, match=r"^y is a sparse matrix: pass its .toarray\(\)$"):
        prepare(NET, X, getattr(sparse, kind)([[1.0], [2.0]]))


FRAME = pd.DataFrame({"a": [1.0, 3.0], "b": [2.0, 4.0]})
FRAMES = {
    "pandas": lambda frame: frame,
    "polars": pl.from_pandas,
    "lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "pyarrow": pa.Table.from_pandas,
}


@pytest.mark.parametrize("kind", FRAMES)
def test_the_columns_of_a_frame_are_found_by_their_names(kind: str) -> None:
    make = FRAMES[kind]
    data = prepare(NET, make(FRAME), [1.0, 2.0])
    assert (data.x.tolist(), data.feature_names) == (X, ("a", "b"))
    assert inputs(NET, make(FRAME[["b", "a"]]), "float64", feature_names=("a", "b")).tolist() == X
    assert inputs(NET, make(FRAME.assign(c=1.0)[["c", "b", "a"]]), "float64", feature_names=("a", "b")).tolist() == X
    with pytest.raises(cr.InputError, match="x has no column 'b', which was trained on; its columns are a, c"):
        inputs(NET, make(FRAME.rename(columns={"b": "c"})), "float64", feature_names=("a", "b"))


def test_columns_that_are_numbered_have_their_numbers_for_names() -> None:
    numbered = pd.DataFrame(X)
    assert prepare(NET, numbered, [1.0, 2.0]).feature_names == ("0", "1")
    assert inputs(NET, numbered[[1, 0]], "float64", feature_names=("0", "1")).tolist() == X


def test_columns_of_the_same_name_are_refused() -> None:
    for names in (["a", "a"], [1, "1"]):
        with pytest.raises(cr.InputError, match="x has duplicate column names"):
            prepare(NET, pd.DataFrame(X, columns=names), [1.0, 2.0])


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "coo_matrix"])
def test_sparse_rows_in_a_list_or_an_array_are_refused_with_what_to_do(kind: str) -> None:
    rows = [getattr(sparse, kind)(np.array([row])) for row in X]
    boxed = np.empty((), dtype=object)
    boxed[()] = rows[0]
    uses: list[tuple[str, Callable[[], object]]] = [
        ("x", lambda: prepare(NET, rows, [1.0, 2.0])),
        ("x", lambda: prepare(NET, boxed, [1.0, 2.0])),
        ("y", lambda: prepare(NET, X, rows)),
        ("x", lambda: cr.train(NET, tuple(rows), [1.0, 2.0])),
        ("validation x", lambda: cr.train(NET, X, [1.0, 2.0], validation=(rows, [1.0, 2.0]))),
        ("x", lambda: cr.Model(NET, NET.initial()).predict(rows)),
    ]
    for name, use in uses:
        with pytest.raises(
            cr.InputError, match=rf"^{name} contains sparse matrices: pass a dense array, such as .*vstack\(rows\)"
        ):
            use()
