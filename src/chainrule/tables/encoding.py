"""The feature columns of a table → the inputs of a network, as fitted on the training rows.

- numbers, elapsed days and seconds are standardised to mean 0 and standard deviation 1;
- what is missing becomes 0 (the mean of a standardised column, and "no" of a boolean one), and a column that had
  missing values in training also gets a 0/1 feature that says where;
- categories become one 0/1 feature each (one-hot); a category that is not known is all zeros.

scikit-learn's transformers do the work. What they learnt is kept as plain numbers and texts, so that it can
be written as JSON, and they are rebuilt from that: no pickle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from ..errors import InputError
from ..named import JSON, fields, number
from .checks import check_label, is_label, listed
from .values import KINDS, MAX_NUMBER, MEASURES, MIN_SCALE, Kind, columns_of, kind_of, measures, texts, without_nan

MAX_COLUMNS = 100_000
# The most frequent categories of a column that get a feature of their own.
MAX_CATEGORIES = 50
# A text column with more categories than fit is left out when nearly every row has its own.
NEARLY_EVERY = 0.9


@dataclass(frozen=True)
class Column:
    """What is known about one feature column.

    Attributes
    ----------
    name : str
    kind : str
        "number", "boolean", "moment", "time", "duration" or "category".
    flagged : bool
        Whether a 0/1 feature says where it is missing.
    mean, scale : float
        What its first measure is standardised with: (value − mean) / scale.
    categories : tuple of str
        The categories that get a feature each, in this order.

    Raises
    ------
    InputError
        When a part is of the wrong type or out of range.
    """

    name: str
    kind: Kind
    flagged: bool = False
    mean: float = 0.0
    scale: float = 1.0
    categories: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_label("encoding: the name of a column", self.name)
        where = f"encoding of column {self.name!r:.80}"
        if self.kind not in KINDS:
            raise InputError(f"{where}: kind must be one of {', '.join(KINDS)}, but is {self.kind!r:.80}")
        if not isinstance(self.flagged, bool):
            raise InputError(f"{where}: flagged must be true or false, but is {self.flagged!r:.80}")
        object.__setattr__(self, "mean", number(f"{where}: mean", self.mean, -MAX_NUMBER, MAX_NUMBER))
        object.__setattr__(self, "scale", number(f"{where}: scale", self.scale, MIN_SCALE, MAX_NUMBER))
        for category in self.categories:
            check_label(f"{where}: a category", category)
        least = 1 if self.kind == "category" else 0
        count = len(self.categories)
        if not least <= count <= least * MAX_CATEGORIES or len(set(self.categories)) < count:
            raise InputError(f"{where}: {count} categories, or one of them twice, do not fit a {self.kind}")

    @property
    def measure_names(self) -> list[str]:
        """The names of the numbers that it becomes."""
        return [self.name + ending for ending in MEASURES[self.kind]]


@dataclass(frozen=True)
class Encoding:
    """How a table becomes the inputs of a network: data, without behaviour of its own beyond applying it.

    Attributes
    ----------
    columns : tuple of Column
        The columns that are used, in the order of the training table.

    Raises
    ------
    InputError
        When there are no columns, too many, or two of one name.
    """

    columns: tuple[Column, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.columns) <= MAX_COLUMNS:
            raise InputError(f"encoding: {len(self.columns):,} columns, but there must be 1 to {MAX_COLUMNS:,}")
        if len({column.name for column in self.columns}) < len(self.columns):
            raise InputError("encoding: two columns have the same name")

    @classmethod
    def fit(cls, frame: pl.DataFrame) -> tuple[Encoding, list[str]]:
        """Learn the encoding from training rows.

        Parameters
        ----------
        frame : DataFrame, n rows
            Feature columns only, and training rows only.

        Returns
        -------
        Encoding
        list of str
            Notes on columns that were left out or cut short.

        Raises
        ------
        InputError
            When there are no rows, a column has no value or a type that cannot be made numbers, a number is
            infinite, or no column is left.
        """
        frame = without_nan(_with_rows(frame))
        kinds = {series.name: _kind(series) for series in frame}
        reasons = {series.name: _why_useless(series, kinds[series.name]) for series in frame}
        notes = _notes_on_left_out(reasons)
        useful = [series for series in frame if not reasons[series.name]]
        if not useful:
            raise InputError(f"no column is left to learn from: {'; '.join(notes)}")
        columns = []
        for series in useful:
            column, note = _fit_column(series, kinds[series.name])
            columns.append(column)
            notes += note
        return cls(tuple(columns)), notes

    @property
    def feature_names(self) -> list[str]:
        """The names of the inputs, in order: numbers, then categories, then what is missing."""
        return [
            *(name for column in self.columns for name in column.measure_names),
            *(f"{column.name}={category}" for column in self.columns for category in column.categories),
            *(f"{column.name}_missing" for column in self.columns if column.flagged),
        ]

    @property
    def text_columns(self) -> list[str]:
        """The columns that a CSV file must not be read as numbers from: those of categories."""
        return [column.name for column in self._categorical]

    def transform(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """Return the inputs of a network.

        Parameters
        ----------
        frame : DataFrame, n rows
            With the columns of this encoding, in any order; others are ignored.

        Returns
        -------
        array, shape (n, len(feature_names))

        Raises
        ------
        InputError
            When there are no rows, columns are missing, or a value is not of its column's kind.
        """
        frame = self._columns_of(frame)
        return np.hstack([self._numbers(frame), self._one_hot(frame), self._flags(frame)])

    def unseen(self, frame: pl.DataFrame) -> dict[str, int]:
        """Return how many rows hold a category that has no feature, for each column where there are any.

        That is a category that training never saw, or that was not among its column's most frequent ones.

        Raises
        ------
        InputError
            When there are no rows, or columns are missing.
        """
        frame = self._columns_of(frame)
        counts = {
            column.name: int((~text.is_in(column.categories) & text.is_not_null()).sum())
            for column, text in zip(self._categorical, self._texts(frame), strict=True)
        }
        return {name: count for name, count in counts.items() if count}

    def to_json(self) -> JSON:
        """Return the encoding as a JSON object, which :meth:`from_json` reads."""
        return {"columns": [_column_to_json(column) for column in self.columns]}

    @classmethod
    def from_json(cls, description: JSON) -> Encoding:
        """Return the encoding that a JSON object describes, which may come from a stranger.

        Raises
        ------
        InputError
            When a part is missing, unknown or does not fit.
        """
        (columns,) = fields("encoding", description, ("columns",))
        if not isinstance(columns, list) or len(columns) > MAX_COLUMNS:
            raise InputError(f"encoding: columns must be a list of at most {MAX_COLUMNS:,}")
        return cls(tuple(_column_from_json(column) for column in columns))

    @property
    def _categorical(self) -> list[Column]:
        return [column for column in self.columns if column.kind == "category"]

    @property
    def _measured(self) -> list[Column]:
        return [column for column in self.columns if column.kind != "category"]

    def _columns_of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Return the columns of this encoding, in its order."""
        missing = [column.name for column in self.columns if column.name not in frame.columns]
        if missing:
            raise InputError(f"the table lacks {listed(missing)}, which the model was trained on")
        return without_nan(_with_rows(columns_of(frame, [column.name for column in self.columns])))

    def _numbers(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """Return the standardised measures, 0 where they are missing."""
        if not self._measured:
            return np.empty((frame.height, 0))
        raw = np.hstack([measures(frame[column.name], column.kind) for column in self._measured])
        return _filled(_scaler(self._measured).transform(raw))

    def _one_hot(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        if not self._categorical:
            return np.empty((frame.height, 0))
        table = np.column_stack([text.to_numpy() for text in self._texts(frame)]).astype(object)
        return np.asarray(_one_hot_encoder(self._categorical).transform(table))

    def _flags(self, frame: pl.DataFrame) -> NDArray[np.float64]:
        """Return 1 where a column that had missing values in training is missing."""
        flags = [frame[column.name].is_null().to_numpy() for column in self.columns if column.flagged]
        return np.array(flags, dtype=np.float64).reshape(len(flags), frame.height).T

    def _texts(self, frame: pl.DataFrame) -> list[pl.Series]:
        return [texts(frame[column.name], column.categories) for column in self._categorical]


def _scaler(columns: list[Column]) -> StandardScaler:
    """Return a fitted StandardScaler; all but the first measure of a column stay as they are."""
    scaler = StandardScaler()
    rest = [len(MEASURES[column.kind]) - 1 for column in columns]
    scaler.mean_ = np.hstack([[column.mean, *[0.0] * more] for column, more in zip(columns, rest, strict=True)])
    scaler.scale_ = np.hstack([[column.scale, *[1.0] * more] for column, more in zip(columns, rest, strict=True)])
    scaler.var_ = scaler.scale_**2
    scaler.n_features_in_ = len(scaler.mean_)
    scaler.n_samples_seen_ = 1
    return scaler


def _filled(numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    imputer = SimpleImputer(strategy="constant", fill_value=0.0, keep_empty_features=True)
    return np.asarray(imputer.fit_transform(numbers))


def _one_hot_encoder(columns: list[Column]) -> OneHotEncoder:
    encoder = OneHotEncoder(
        categories=[np.array(column.categories, dtype=object) for column in columns],
        handle_unknown="ignore",
        sparse_output=False,
    )
    return encoder.fit(np.array([[column.categories[0] for column in columns]], dtype=object))


def _with_rows(frame: pl.DataFrame) -> pl.DataFrame:
    if not frame.height:
        raise InputError("the table has no rows")
    return frame


def _kind(series: pl.Series) -> Kind:
    """Return the kind of a training column, which must have a value to learn from."""
    if not series.count():
        raise InputError(
            f"column {series.name!r:.80} has no value in any training row; leave it out with --ignore {series.name:.80}"
        )
    return kind_of(series)


def _why_useless(series: pl.Series, kind: Kind) -> str:
    """Return why nothing can be learnt from a column; nothing when it is of use."""
    present = series.drop_nulls()
    distinct = present.n_unique()
    if distinct == 1 and len(present) == len(series):
        return "has the same value in every row"
    if kind == "category":
        if distinct > max(MAX_CATEGORIES, NEARLY_EVERY * len(present)):
            return "has another text in nearly every row"
        if any(not is_label(category) for category in texts(present).unique()):
            return "has texts too long for categories"
    return ""


def _notes_on_left_out(reasons: dict[str, str]) -> list[str]:
    """Return one note for each reason."""
    notes = []
    for reason in sorted(set(reasons.values()) - {""}):
        names = [name for name, why in reasons.items() if why == reason]
        verb = reason if len(names) == 1 else reason.replace("has", "have", 1)
        notes.append(f"left out {listed(names)}, which {verb}")
    return notes


def _fit_column(series: pl.Series, kind: Kind) -> tuple[Column, list[str]]:
    flagged = bool(series.null_count())
    if kind == "category":
        counts = texts(series.drop_nulls()).rename("category").value_counts(name="count")
        # The most frequent first; where two are as frequent, by the alphabet.
        kept = counts.sort("count", "category", descending=[True, False])["category"][:MAX_CATEGORIES]
        cut = [f"column {series.name!r:.80}: only the {MAX_CATEGORIES} most frequent of {len(counts):,} categories"]
        return Column(series.name, kind, flagged, categories=tuple(sorted(kept))), cut * (len(counts) > len(kept))
    if kind == "boolean":
        return Column(series.name, kind, flagged), []
    scaler = StandardScaler().fit(measures(series, kind)[:, :1])
    return Column(series.name, kind, flagged, float(scaler.mean_[0]), float(scaler.scale_[0])), []


def _column_to_json(column: Column) -> JSON:
    common: dict[str, JSON] = {"name": column.name, "kind": column.kind, "flagged": column.flagged}
    if column.kind == "category":
        return {**common, "categories": list(column.categories)}
    return {**common, "mean": column.mean, "scale": column.scale}


def _column_from_json(description: JSON) -> Column:
    kind = description.get("kind") if isinstance(description, dict) else None
    if kind == "category":
        name, _, flagged, categories = fields("column", description, ("name", "kind", "flagged", "categories"))
        if not isinstance(categories, list) or len(categories) > MAX_CATEGORIES:
            raise InputError(f"encoding: categories must be a list of at most {MAX_CATEGORIES}")
        if not all(isinstance(category, str) for category in categories):
            raise InputError("encoding: every category must be a text")
        return Column(name, "category", flagged, categories=tuple(categories))
    return Column(*fields("column", description, ("name", "kind", "flagged", "mean", "scale")))
