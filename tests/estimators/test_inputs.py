"""Any frame goes in as it is, sparse matrices too, and weights are what repetition is."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from sklearn.datasets import load_iris

import chainrule as cr
from chainrule.estimators import inputs

IRIS = load_iris(as_frame=True)
X, Y = IRIS.data, IRIS.target
RANDOM = np.random.default_rng(0)
pytestmark = pytest.mark.usefixtures("few_epochs")


FRAMES: dict[str, tuple[Any, Any]] = {
    "pandas": (X, Y),
    "pandas, nullable": (X.convert_dtypes(), Y.convert_dtypes()),
    "Polars": (pl.from_pandas(X), pl.from_pandas(Y)),
    "Polars, lazy": (pl.from_pandas(X).lazy(), pl.from_pandas(Y)),
    "PyArrow": (pa.Table.from_pandas(X), pa.chunked_array([pa.array(Y)])),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_is_what_its_numbers_are_and_its_names_are_kept(name: str) -> None:
    frame, target = FRAMES[name]
    model = cr.MLPClassifier(max_iter=3, random_state=0).fit(frame, target)
    plain = cr.MLPClassifier(max_iter=3, random_state=0).fit(X.to_numpy(), Y.to_numpy())
    np.testing.assert_array_equal(model.coefs_[0], plain.coefs_[0])
    assert [*model.feature_names_in_] == [*X.columns]
    np.testing.assert_array_equal(model.predict(frame), plain.predict(X.to_numpy()))
    np.testing.assert_array_equal(model.activations(frame, 1), plain.activations(X.to_numpy(), 1))


def test_other_names_than_those_of_the_fit_are_told() -> None:
    model = cr.MLPClassifier(max_iter=3, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="The feature names should match those that were passed during fit"):
        model.predict(X.rename(columns={X.columns[0]: "other"}))
    with pytest.warns(UserWarning, match="X does not have valid feature names"):
        model.predict(X.to_numpy())


@pytest.mark.parametrize("form", [sparse.csr_matrix, sparse.csc_matrix, sparse.csr_array, sparse.coo_array])
@pytest.mark.parametrize("most_dense", [1 << 28, 0], ids=["has room as an array", "stays sparse"])
def test_a_sparse_matrix_is_what_its_array_is(form: Any, most_dense: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inputs, "_MOST_DENSE", most_dense)
    x = X.to_numpy() * (RANDOM.uniform(size=X.shape) < 0.5)
    settings: dict[str, Any] = {"batch_size": 40, "max_iter": 5, "random_state": 0}
    dense = cr.MLPClassifier(**settings).fit(x, Y)
    found = cr.MLPClassifier(early_stopping=False, **settings).fit(form(x), Y)
    np.testing.assert_allclose(found.coefs_[0], dense.coefs_[0], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.predict_proba(form(x)), dense.predict_proba(x), rtol=1e-9)
    np.testing.assert_allclose(found.activations(form(x), 1), dense.activations(x, 1), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.activations(form(x), 0), x)
    stopped = cr.MLPClassifier(early_stopping=True, **settings).fit(form(x), Y)
    assert len(stopped.validation_scores_) == 5


def few_nonzeros(dtype: str = "float64") -> Any:
    return sparse.random(300, 100, 0.02, "csr", dtype, random_state=0)


def test_a_matrix_stays_sparse_where_that_is_faster() -> None:
    few: Any
    many: Any
    few, many = (sparse.random(200, 500, density, "csc", random_state=0) for density in (0.01, 0.1))
    assert sparse.issparse(inputs.dense_if_small(few))
    assert not sparse.issparse(inputs.dense_if_small(many))
    assert not sparse.issparse(inputs.dense_if_small(few[:3]))


SPARSE_FITS: dict[str, tuple[Any, dict[str, Any]]] = {
    "adam": (cr.MLPClassifier, {}),
    "two hidden layers": (cr.MLPClassifier, {"hidden_layer_sizes": (9, 8), "activation": "tanh", "alpha": 0.1}),
    "no hidden layer": (cr.MLPClassifier, {"hidden_layer_sizes": ()}),
    "early stopping": (cr.MLPClassifier, {"early_stopping": True, "early_stopping_scoring": "accuracy"}),
    "dropout": (cr.MLPClassifier, {"dropout": 0.3}),
    "clipped gradients": (cr.MLPClassifier, {"clip_norm": 0.1}),
    "sgd": (cr.MLPClassifier, {"solver": "sgd", "learning_rate": "adaptive"}),
    "lbfgs": (cr.MLPClassifier, {"solver": "lbfgs", "activation": "logistic"}),
    "numbers": (cr.MLPRegressor, {}),
    "numbers, early stopping": (cr.MLPRegressor, {"early_stopping": True}),
}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csc_matrix])
@pytest.mark.parametrize("name", SPARSE_FITS)
def test_a_fit_to_sparse_rows_equals_the_fit_to_their_array(name: str, form: Any, dtype: str) -> None:
    """By products with the sparse matrix, to rounding: fits with weights, predictions of all rows and of each row."""
    kind, settings = SPARSE_FITS[name]
    X, weights = few_nonzeros(dtype), RANDOM.uniform(0.5, 2, 300)
    y = (np.asarray(X.sum(axis=1)).ravel() * 3).astype(int)
    common = {"hidden_layer_sizes": (12,), "batch_size": 64, "max_iter": 12, "random_state": 0, **settings}
    of_array, of_sparse = (kind(**common).fit(x, y, weights) for x in (X.toarray(), form(X)))
    tolerance: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-9} if dtype == "float64" else {"rtol": 1e-3, "atol": 2e-4}
    for a, b in zip(of_array.coefs_, of_sparse.coefs_, strict=True):
        assert a.dtype == b.dtype == dtype
        np.testing.assert_allclose(a, b, **tolerance)
    if settings.get("early_stopping"):
        assert of_array.validation_scores_ == pytest.approx(of_sparse.validation_scores_, rel=1e-3)
    outputs = "predict" if kind is cr.MLPRegressor else "predict_proba"
    at_once = getattr(of_sparse, outputs)(form(X))
    np.testing.assert_allclose(getattr(of_sparse, outputs)(X.toarray()), at_once, **tolerance)
    row_by_row = np.concatenate([getattr(of_sparse, outputs)(X[i : i + 1]) for i in range(300)])
    np.testing.assert_allclose(row_by_row, at_once, rtol=1e-12 if dtype == "float64" else 2e-6, atol=1e-6)
    assert of_sparse.score(form(X), y) == pytest.approx(of_sparse.score(X.toarray(), y), rel=1e-4)


def test_calls_of_partial_fit_take_sparse_and_dense_rows_in_turn() -> None:
    X = few_nonzeros()
    y = (np.asarray(X.sum(axis=1)).ravel() * 3).astype(int)
    mixed, dense = (cr.MLPClassifier((12,), random_state=0) for _ in range(2))
    for call in range(6):
        mixed.partial_fit(X.toarray() if call % 2 else X, y, classes=np.unique(y))
        dense.partial_fit(X.toarray(), y, classes=np.unique(y))
    np.testing.assert_allclose(mixed.coefs_[0], dense.coefs_[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_number_of_a_sparse_matrix_that_is_not_finite_is_an_error(value: float) -> None:
    X = few_nonzeros()
    model = cr.MLPRegressor(max_iter=1).fit(X, np.arange(300))
    X.data[7] = value
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        model.predict(X)
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)"):
        model.fit(X, np.arange(300))


def test_a_sparse_matrix_of_many_columns_takes_no_room_for_its_zeros() -> None:
    """As texts give it: as an array it would have 20 GB."""
    rows, columns = np.repeat(np.arange(20_000), 13), RANDOM.integers(0, 130_000, 260_000)
    x = sparse.csr_array((np.ones(260_000), (rows, columns)), (20_000, 130_000))
    y = (x[:, :65_000].sum(axis=1) > x[:, 65_000:].sum(axis=1)).astype(int)
    model = cr.MLPClassifier((2,), max_iter=1, random_state=0, batch_size=5000).fit(x, y)
    assert model.predict(x[:5]).shape == (5,)


@settings(max_examples=15, deadline=None)
@given(
    counts=st.lists(st.integers(0, 3), min_size=12, max_size=12).filter(lambda counts: sum(counts) > 1),
    solver=st.sampled_from(["adam", "sgd", "lbfgs"]),
    data=st.sampled_from(["classes", "two classes", "labels", "numbers", "several numbers"]),
)
def test_a_whole_weight_is_as_many_copies_of_the_row(counts: list[int], solver: str, data: str) -> None:
    """In one batch, to 1e-9."""
    random = np.random.default_rng(1)
    x = random.normal(size=(12, 3))
    y: Any = {
        "classes": np.arange(12) % 3,
        "two classes": np.arange(12) % 2,
        "labels": random.integers(0, 2, (12, 2)),
        "numbers": random.normal(size=12),
        "several numbers": random.normal(size=(12, 2)),
    }[data]
    kind: Any = cr.MLPRegressor if data.endswith("numbers") else cr.MLPClassifier
    settings: dict[str, Any] = {"hidden_layer_sizes": (5,), "activation": "tanh", "random_state": 0, "max_iter": 10}
    if data == "classes":  # all of them must be there
        counts = [max(counts[0], 1), max(counts[1], 1), max(counts[2], 1), *counts[3:]]
    elif data == "two classes":
        counts = [max(counts[0], 1), max(counts[1], 1), *counts[2:]]
    weighed = kind(solver=solver, **settings).fit(x, y, sample_weight=counts)
    repeated = kind(solver=solver, **settings).fit(np.repeat(x, counts, axis=0), np.repeat(y, counts, axis=0))
    for one, other in zip(weighed.coefs_ + weighed.intercepts_, repeated.coefs_ + repeated.intercepts_, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(weighed.predict(x), repeated.predict(x), rtol=1e-9, atol=1e-9)


MISSING: dict[str, Any] = {
    "None among text": ["a", None, "b", "a"],
    "None among numbers": [1, None, 2, 2],
    "NaN in a list of text": ["a", float("nan"), "b", "a"],
    "NaN among text": np.array(["a", np.nan, "b", "a"], dtype=object),
    "NA": pd.Series(["a", pd.NA, "b", "a"]),
    "NA of a string column": pd.Series(["a", None, "b", "a"], dtype="string"),
    "NA of a category": pd.Series(["a", None, "b", "a"], dtype="category"),
    "NaT": np.array(["2020", "NaT", "2021", "2020"], dtype="datetime64[Y]"),
    "null of Polars": pl.Series(["a", None, "b", "a"]),
}


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_target_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=r"Input y contains a missing value: y\[1\] is .*leave out its row"):
        cr.MLPClassifier().fit(np.eye(4), MISSING[name])


@pytest.mark.parametrize("name", MISSING)
def test_a_missing_target_of_the_first_partial_fit_is_named(name: str) -> None:
    model = cr.MLPClassifier()
    with pytest.raises(ValueError, match=r"Input y contains a missing value: y\[1\] is .*leave out its row"):
        model.partial_fit(np.eye(4), MISSING[name], classes=["a", "b"])
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize("classes", [["a", None, "b"], ["a", float("nan")], pd.Series(["a", None], dtype="string")])
def test_a_missing_class_is_named(classes: Any) -> None:
    with pytest.raises(ValueError, match=r"Input classes contains a missing value: classes\[1\] is .*Leave it out"):
        cr.MLPClassifier().partial_fit(np.eye(2), ["a", "b"], classes=classes)


def test_a_missing_target_of_a_regression_is_named() -> None:
    with pytest.raises(ValueError, match=r"Input y contains a missing value: y\[1\] is None"):
        cr.MLPRegressor().fit(np.eye(3), [1.0, None, 2.0])
    with pytest.raises(ValueError, match=r"Input y contains a missing value: y\[1, 0\] is None"):
        cr.MLPRegressor().fit(np.eye(2), [[1.0, 2.0], [None, 2.0]])
