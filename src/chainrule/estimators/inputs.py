"""What goes into an estimator: arrays, sparse matrices, and any data frame."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import sparse
from sklearn.utils._missing import is_pandas_na, is_scalar_nan
from sklearn.utils.validation import _check_sample_weight, validate_data

from ..data import Floats

# Bytes that a sparse matrix may take as an array, on which the native engine works.
_MOST_DENSE = 1 << 28
# Below this share of nonzeros, products with the sparse matrix are faster than the native engine on the array,
# unless it has so few elements that calls take longer than products.
_SPARSE_SHARE = 1 / 32
_FEW_ELEMENTS = 1 << 14
_DTYPES = (np.float64, np.float32)


def known_to_scikit_learn(given: Any) -> Any:
    """Return data as they are where scikit-learn can read them with their names; other frames and series as Polars.

    Frames are what narwhals knows: PyArrow, Modin, cuDF, DuckDB, lazy ones and so on.
    """
    if isinstance(given, (np.ndarray, list, tuple)) or sparse.issparse(given):
        return given
    module = type(given).__module__.partition(".")[0]
    if module == "pandas":
        return given
    import narwhals

    native = narwhals.from_native(given, allow_series=True, pass_through=True)
    if isinstance(native, narwhals.LazyFrame):
        native = native.collect()
    if isinstance(native, narwhals.DataFrame):
        return native.to_polars()
    if isinstance(native, narwhals.Series):
        return native.to_numpy()
    return given


def checked(estimator: Any, x: Any, y: Any, numbers: bool, reset: bool) -> tuple[Any, Any]:
    """Return x and y as scikit-learn checks them, in float64 or float32.

    Parameters
    ----------
    estimator : estimator
        Learns the number and the names of the features where `reset`, and else compares them.
    numbers : bool
        Whether y has to be numbers.
    """
    if reset and is_plain(x, None, *_DTYPES) and is_whole(y) and x.shape[0] == len(y):
        estimator.n_features_in_ = x.shape[1]  # nothing is left to check, which takes longer than some fits
        estimator.__dict__.pop("feature_names_in_", None)
        return x, y
    y = known_to_scikit_learn(y)
    check_none_missing(y)
    pair: tuple[Any, Any] = validate_data(
        estimator,
        known_to_scikit_learn(x),
        y,
        accept_sparse=["csr", "csc"],
        multi_output=True,
        y_numeric=numbers,
        dtype=_DTYPES,
        reset=reset,
    )
    return pair


def check_none_missing(y: Any, name: str = "y") -> None:
    """Check that no target is missing, which scikit-learn's own check may overlook or not name.

    Raises
    ------
    ValueError
        When one is None, NA, NaN or NaT.
    """
    try:
        array = np.asarray(y)
        if array.dtype.kind == "U" and not isinstance(y, np.ndarray):  # in which NaN would be "nan"
            array = np.asarray(y, dtype=object)
    except ValueError:  # ragged: scikit-learn says so
        return
    if array.dtype.kind in "mM":
        missing = np.isnat(array)
    elif array.dtype.kind == "O":
        missing = np.array([v is None or is_pandas_na(v) or is_scalar_nan(v) for v in array.flat], dtype=bool)
    else:
        return
    if array.ndim and missing.any():
        row = int(missing.argmax())
        value = array.flat[row]
        place = row if array.ndim < 2 else ", ".join(map(str, np.unravel_index(row, array.shape)))
        advice = "Fill it in, or leave out its row" if name == "y" else "Leave it out"
        raise ValueError(f"Input {name} contains a missing value: {name}[{place}] is {value}. {advice}.")


def checked_weights(sample_weight: Any, rows: int, dtype: Any) -> Floats:
    """Return the weights of rows, (rows,); 1 for each where none are given.

    Raises
    ------
    ValueError
        When their number is another, one is negative or not finite, or their sum is not positive and finite.
    """
    sample_weight = known_to_scikit_learn(sample_weight)
    numbers = np.asarray(sample_weight)
    if numbers.ndim and numbers.size and numbers.dtype.kind in "biuf" and not numbers.any():
        raise ValueError(f"The {len(numbers)} rows all have weight zero: at least one sample_weight must be positive.")
    weights: Floats = _check_sample_weight(sample_weight, np.empty((rows, 0)), dtype=dtype, ensure_non_negative=True)
    check_weights(weights, "rows", "change sample_weight")
    return weights


def check_weights(weights: Floats, rows: str, advice: str) -> None:
    """Check that the weights of rows have a positive, finite sum.

    Parameters
    ----------
    rows, advice : str
        For the message: the name of these rows, and what to do.

    Raises
    ------
    ValueError
        When they have not.
    """
    if not weights.any():
        raise ValueError(f"The {len(weights)} {rows} all have weight 0: {advice}.")
    with np.errstate(over="ignore"):
        total = float(weights.sum())
    if not np.finfo(weights.dtype).tiny <= total < np.inf:
        number = "not a positive, finite number" if not 0.0 < total < np.inf else "too small a number to divide by"
        raise ValueError(f"The weights of the {len(weights)} {rows} sum to {total:g}, which is {number}: {advice}.")


def checked_rows(estimator: Any, x: Any) -> Any:
    """Return rows to predict as scikit-learn checks them."""
    return validate_data(estimator, known_to_scikit_learn(x), accept_sparse=["csr", "csc"], reset=False)


def dense_if_small(x: Any) -> Any:
    """Return a matrix as a C-ordered array where that is faster and not too large, else as compressed sparse rows."""
    if isinstance(x, np.ndarray):
        return np.ascontiguousarray(x)
    elements = x.shape[0] * x.shape[1]
    is_faster = elements <= _FEW_ELEMENTS or x.nnz >= _SPARSE_SHARE * elements
    if is_faster and elements * x.dtype.itemsize <= _MOST_DENSE:
        return np.ascontiguousarray(x.toarray())
    return x.tocsr()


def is_whole(y: Any) -> bool:
    """Tell whether y is an array of whole numbers, (n,)."""
    return type(y) is np.ndarray and y.ndim == 1 and y.dtype.kind in "iu"


def is_plain(x: Any, columns: int | None, *dtypes: Any) -> bool:
    """Tell whether x needs no check: an array or CSR matrix, (n, columns), of finite numbers of one of these dtypes."""
    numbers = x.data if getattr(x, "format", None) == "csr" else x
    if type(numbers) is not np.ndarray or x.ndim != 2 or x.dtype not in dtypes or 0 in x.shape:
        return False
    if columns is not None and x.shape[1] != columns:
        return False
    with np.errstate(over="ignore", invalid="ignore"):
        return bool(np.isfinite(numbers.sum()))
