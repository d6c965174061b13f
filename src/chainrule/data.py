"""What a network is given: rows of numbers, checked once at the door, so that nothing behind it has to.

Every message says which array it is, what it is and what was expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import xxhash
from numpy.typing import NDArray

from .definitions import check_definitions
from .errors import InputError
from .network import Network

Floats = NDArray[np.floating]
Names: TypeAlias = tuple[str, ...]
RowNumbers = NDArray[np.int64]


@dataclass(frozen=True)
class Data:
    """Rows that a network can be trained or judged on.

    Attributes
    ----------
    x : array, shape (n, d₀)
    y : array, shape (n, d_L)
    weights : array, shape (n,)
        The weight of each row in the objective.
    labels : array, shape (n,) or (n, d_L), or None
        y as it was passed, for metrics: class numbers are not one-hot. None stands for `y`.
    feature_names : tuple of str or None
        The columns of x, in this order; None where they have no names.
    """

    x: Floats
    y: Floats
    weights: Floats
    labels: NDArray[Any] | None = field(default=None, compare=False, kw_only=True)
    feature_names: Names | None = field(default=None, compare=False, kw_only=True)

    def __len__(self) -> int:
        return int(self.x.shape[0])

    @property
    def shares(self) -> Floats:
        """The part of each row in the objective, its weight over their sum, shape (n,); 0 if all weigh 0."""
        total = self.weights.sum()
        return self.weights / total if total > 0 else self.weights

    def take(self, rows: RowNumbers) -> Data:
        """Return the rows of these numbers, in their order."""
        labels = None if self.labels is None else self.labels[rows]
        return Data(self.x[rows], self.y[rows], self.weights[rows], labels=labels, feature_names=self.feature_names)

    def fingerprint(self) -> str:
        """Return a string that differs when any number differs.

        The hash is so fast that it hardly delays a run; it does not protect against forgery.
        """
        digest = xxhash.xxh3_128()
        for array in (self.x, self.y, self.weights):
            digest.update(f"{array.shape}{array.dtype}".encode())
            digest.update(np.ascontiguousarray(array).data)
        return digest.hexdigest()


def prepare(
    net: Network,
    x: Any,
    y: Any,
    weights: Any = None,
    dtype: str = "float64",
    prefix: str = "",
    feature_names: Names | None = None,
) -> Data:
    """Return checked data in the network's shapes.

    Parameters
    ----------
    net : Network
        d₀ inputs and d_L outputs.
    x : array-like or data frame, shape (n, d₀)
        (n,) will do where d₀ is 1.
    y : array-like, shape (n, d_L)
        (n,) will do where d_L is 1. With cross entropy, class numbers 0 … d_L − 1 of shape (n,) too.
    weights : array-like, shape (n,), optional
        Not negative and not all zero; 1 for each row when left out.
    dtype : {"float64", "float32"}
        Of the arrays returned.
    prefix : str
        Put before x, y and sample_weight in messages, as in "validation ".
    feature_names : tuple of str, optional
        The columns to take of a data frame, in this order; all of them as they are when left out. Those of an array
        have these names.

    Raises
    ------
    InputError
        When a shape does not fit, a number is NaN or infinite, or a target is not one the loss can take.
    """
    check_definitions(net)
    x, names = columns_of(x, f"{prefix}x", feature_names)
    features = inputs(net, x, dtype, prefix)
    labels = _array(y, f"{prefix}y")
    targets = _targets(net, labels, dtype, f"{prefix}y")
    _check_rows(f"{prefix}y", targets, len(features))
    labels = labels.reshape(targets.shape) if labels.ndim == 0 else labels
    if weights is None:
        return Data(features, targets, np.ones(len(features), dtype), labels=labels, feature_names=names)
    checked = _numbers(weights, dtype, f"{prefix}sample_weight")
    if checked.ndim != 1:
        raise InputError(f"{prefix}sample_weight has the shape {checked.shape}, but must be ({len(features)},)")
    _check_rows(f"{prefix}sample_weight", checked, len(features))
    if (checked < 0).any() or not checked.any():
        raise InputError(f"{prefix}sample_weight must not be negative, nor zero for every row")
    with np.errstate(over="ignore"):
        total = checked.sum()
    if not np.isfinite(total):
        raise InputError(f"{prefix}sample_weight is too large: the sum of its numbers is not finite")
    if total < np.finfo(dtype).tiny:
        raise InputError(f"{prefix}sample_weight is too small: its numbers sum to {total:g}; scale them up")
    return Data(features, targets, checked, labels=labels, feature_names=names)


def inputs(net: Network, x: Any, dtype: str, prefix: str = "", feature_names: Names | None = None) -> Floats:
    """Return x as an (n, d₀) array; the other parameters are those of :func:`prepare`.

    Raises
    ------
    InputError
        When its shape does not fit, it has no rows, a number is NaN or infinite, or a column is missing.
    """
    x, _ = columns_of(x, f"{prefix}x", feature_names)
    return _matrix(_numbers(x, dtype, f"{prefix}x"), net.inputs, f"{prefix}x", "inputs")


def columns_of(x: Any, what: str, feature_names: Names | None = None) -> tuple[Any, Names | None]:
    """Return a data frame as an array, and the names of its columns; anything else as it is, and `feature_names`.

    Frames are what narwhals knows: pandas, Polars, PyArrow, Modin, cuDF, DuckDB, lazy ones and so on. A name that is
    not a string counts as the string that it is shown as.

    Parameters
    ----------
    feature_names : tuple of str, optional
        The columns to take, in this order; others are left out.

    Raises
    ------
    InputError
        When a column is missing, or two have the same name.
    """
    if isinstance(x, (np.ndarray, list, tuple, float, int)):
        return x, feature_names
    import narwhals

    try:
        frame: Any = narwhals.from_native(x, pass_through=True)
        frame = frame.collect() if isinstance(frame, narwhals.LazyFrame) else frame
        if not isinstance(frame, narwhals.DataFrame):
            return x, feature_names
        names = tuple(map(str, frame.columns))
    except narwhals.exceptions.DuplicateError as error:
        raise InputError(f"{what} has duplicate column names: {' '.join(str(error).split()):.150}") from error
    if len(set(names)) < len(names):  # such as 1 and "1"
        raise InputError(f"{what} has duplicate column names: {_some(names)}")
    array = frame.to_numpy()
    if feature_names is None or feature_names == names:
        return array, names
    missing = [name for name in feature_names if name not in names]
    if missing:
        raise InputError(
            f"{what} has no column {missing[0]!r:.80}{_and_more(missing)}, which was trained on; its columns are "
            f"{_some(names)}. The columns of an array are matched by position instead"
        )
    places = {name: place for place, name in enumerate(names)}
    return array[:, [places[name] for name in feature_names]], feature_names


def _and_more(names: Sequence[str]) -> str:
    return f" and {len(names) - 1} more" if len(names) > 1 else ""


def _some(names: Sequence[str]) -> str:
    shown = ", ".join(f"{name:.40}" for name in names[:10])
    return f"{shown} and {len(names) - 10} more" if len(names) > 10 else shown


def _array(values: Any, what: str) -> NDArray[Any]:
    """Return an array of whatever it is.

    Raises
    ------
    InputError
        When it is a sparse matrix or holds some, or cannot be an array.
    """
    if hasattr(values, "nnz"):
        estimators = (
            ", or use MLPClassifier or MLPRegressor, which accept sparse matrices" if what.endswith("x") else ""
        )
        raise InputError(f"{what} is a sparse matrix: pass its .toarray(){estimators}")
    try:
        array = np.asarray(values)
    except (TypeError, ValueError) as error:
        raise InputError(f"{what} cannot be read as numbers: {' '.join(str(error).split()):.150}") from error
    if array.dtype == object and any(hasattr(one, "nnz") for one in array.flat):
        dense = "scipy.sparse.vstack(rows).toarray()"
        raise InputError(
            f"{what} contains sparse matrices: pass a dense array, such as {dense} for a list of sparse rows"
        )
    return array


def _targets(net: Network, raw: NDArray[Any], dtype: str, what: str) -> Floats:
    """Return y as (n, d_L): class numbers become one-hot rows where the loss is a sum over classes."""
    if net.loss.targets_are_classes and raw.ndim == 1 and net.outputs > 1:
        return _one_hot(raw, net.outputs, dtype, what)
    classes = "; class numbers must have the shape (n,)" if net.loss.targets_are_classes else ""
    targets = _matrix(_numbers(raw, dtype, what), net.outputs, what, f"outputs{classes}")
    low, high = net.loss.targets
    outside = (targets < low) | (targets > high)
    if outside.any():
        row, column = np.argwhere(outside)[0]
        bounds = f"at least {low:g}" if high == np.inf else f"from {low:g} to {high:g}"
        raise InputError(
            f"{what}: {targets[row, column]:g} in row {row + 1} is no target of {net.loss.name}, "
            f"which takes numbers {bounds}"
        )
    return targets


def _one_hot(classes: NDArray[Any], count: int, dtype: str, what: str) -> Floats:
    numbers = _numbers(classes, "float64", what)
    wrong = (numbers != np.floor(numbers)) | (numbers < 0) | (numbers >= count)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"{what}: {numbers[row]:g} in row {row + 1} is no class number from 0 to {count - 1}, "
            f"as this network's {count} outputs need"
        )
    return np.eye(count, dtype=dtype)[numbers.astype(np.int64)]


def _numbers(values: Any, dtype: str, what: str) -> Floats:
    """Return an array of finite floats."""
    try:
        # A cast that overflows gives infinity, which is reported below, where it is.
        with np.errstate(over="ignore"):
            if isinstance(values, np.ma.MaskedArray) and values.mask.any():
                raise TypeError("masked numbers are missing: fill them in, or leave their rows out")
            array = _array(values, what)
            if array.dtype.kind in "cmM":
                raise TypeError(f"{array.dtype.name} is not supported")
            array = np.ascontiguousarray(array, dtype=dtype) if array.ndim else array.astype(dtype)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{what} cannot be read as numbers: {' '.join(str(error).split()):.150}") from error
    finite = np.isfinite(array)
    if not finite.all():
        place = np.argwhere(~finite)[0]
        where = "".join(f" in {axis} {i + 1}" for axis, i in zip(("row", "column"), place, strict=False))
        raise InputError(f"{what} contains {'NaN' if np.isnan(array[tuple(place)]) else 'infinity'}{where}")
    return array


def _matrix(array: Floats, columns: int, what: str, of: str) -> Floats:
    """Return the array as (n, columns)."""
    matrix = array.reshape(-1, 1) if array.ndim < 2 and columns == 1 else array
    if matrix.ndim != 2 or matrix.shape[1] != columns:
        raise InputError(
            f"{what} has the shape {array.shape}, but must be (n, {columns}): the network has {columns} {of}"
        )
    if not len(matrix):
        raise InputError(f"{what} has no rows")
    return matrix


def _check_rows(what: str, array: Floats, rows: int) -> None:
    if len(array) != rows:
        raise InputError(f"{what} has {len(array)} rows, but x has {rows}")
