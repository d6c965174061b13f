"""One column of a table → numbers, or text.

A column is of one of six kinds, which its type decides:

=========  ========================  ========================================================
kind       types                     becomes
=========  ========================  ========================================================
number     integers, floats          itself
boolean    booleans                  0 or 1
moment     dates, dates with a time  days since 1970, and sin and cos of the time of the year
                                     and of the day of the week
time       times of day              seconds
duration   durations                 seconds
category   text, categorical, enum   its text
=========  ========================  ========================================================

A column that is given later may have another type than the one that was trained on, because a file says
nothing about types: what means the same is taken, and anything else is an error that names column, row and
value.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, get_args

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars import selectors

from ..errors import InputError

Kind = Literal["number", "boolean", "moment", "time", "duration", "category"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# What a kind becomes; each entry ends the name of a feature.
MEASURES: dict[Kind, tuple[str, ...]] = {
    "number": ("",),
    "boolean": ("",),
    "moment": ("_days", "_year_sin", "_year_cos", "_weekday_sin", "_weekday_cos"),
    "time": ("_seconds",),
    "duration": ("_seconds",),
    "category": (),
}

# Beyond this a number is a slip, and squares and quotients might overflow.
MAX_NUMBER = 1e100
# The smallest standard deviation: with it, and numbers up to MAX_NUMBER, nothing can overflow.
MIN_SCALE = 1e-200

_WORDS = {"true": 1.0, "false": 0.0, "1": 1.0, "0": 0.0, "1.0": 1.0, "0.0": 0.0}
_DATES = ("%Y-%m-%d", "%Y/%m/%d", "%d-%m-%Y", "%d/%m/%Y")
_TIMES = ("T%H:%M:%S%.f", " %H:%M:%S%.f", "T%H:%M", " %H:%M")
# The years 1 to 9999 in days since 1970: beyond them a date is a slip, and the calendar ends.
_YEARS = (-719_162, 2_932_897)


def kind_of(series: pl.Series) -> Kind:
    """Return the kind of a column.

    Raises
    ------
    InputError
        When its type is none that a network can be given, such as a list.
    """
    dtype = series.dtype
    if dtype.is_numeric():
        return "number"
    kinds: dict[type[pl.DataType], Kind] = {
        pl.Boolean: "boolean",
        pl.Date: "moment",
        pl.Datetime: "moment",
        pl.Time: "time",
        pl.Duration: "duration",
        pl.String: "category",
        pl.Categorical: "category",
        pl.Enum: "category",
    }
    if dtype.base_type() not in kinds:
        raise InputError(
            f"column {series.name!r:.80} has the type {dtype}, which cannot be converted to numbers; "
            f"split it into several columns, or leave it out with --ignore {series.name:.80}"
        )
    return kinds[dtype.base_type()]


def without_nan(frame: pl.DataFrame, where: str = "") -> pl.DataFrame:
    """Return the frame with NaN as missing.

    Parameters
    ----------
    where : str
        Put before the message of an error.

    Raises
    ------
    InputError
        When a number is infinite or beyond ±`MAX_NUMBER`.
    """
    floats = frame.select(selectors.float().fill_nan(None))
    for series in floats:
        row = _first(series.abs() > MAX_NUMBER)
        if row is not None:
            size = "infinite" if np.isinf(series[row]) else "too large"
            raise InputError(
                f"{where}column {series.name!r:.80}, row {row + 1}: {series[row]} is {size}; "
                "correct it, or leave the field empty"
            )
    return frame.with_columns(floats)


def measures(series: pl.Series, kind: Kind) -> NDArray[np.float64]:
    """Return a column that is not a category as numbers; NaN where it is missing.

    Parameters
    ----------
    series : Series, length n
        Without NaN, as :func:`without_nan` leaves it. Text is taken where it says what `kind` needs.

    Returns
    -------
    array, shape (n, len(MEASURES[kind]))

    Raises
    ------
    InputError
        When a value is not of this kind.
    """
    plain = series.cast(pl.String) if is_text(series) else series
    if kind == "moment":
        return _moments(plain)
    read = {"number": _numbers, "boolean": _booleans, "time": _times, "duration": _durations}[kind]
    return read(plain).to_numpy().reshape(-1, 1)


def is_text(series: pl.Series) -> bool:
    """Return whether a column holds text in some form, or nothing at all."""
    return series.dtype.base_type() in (pl.String, pl.Categorical, pl.Enum, pl.Null)


def stray_text(series: pl.Series) -> str:
    """Return what kept a column from being numbers, as "row 17 holds 'n/a'"; nothing where most of it is no number."""
    if series.dtype != pl.String:
        return ""
    points = series.str.replace(",", ".", literal=True).cast(pl.Float64, strict=False)
    if 2 * points.count() <= series.count():
        return ""
    # Where all are numbers with a comma, that comma is what did.
    numbers = points if points.count() < series.count() else series.cast(pl.Float64, strict=False)
    row = _first(numbers.is_null() & series.is_not_null())
    return "" if row is None else f"row {row + 1} holds {str(series[row])!r:.80}"


def texts(series: pl.Series, known: Collection[str] = ()) -> pl.Series:
    """Return a column as text: 1 and 1.0 are both "1", unless "1.0" is among the `known`."""
    text = series.cast(pl.String)
    if not series.dtype.is_float():
        return text
    whole = series.cast(pl.Int64, strict=False)
    use_whole = (whole.cast(pl.Float64) == series) & ~text.is_in(list(known))
    return whole.cast(pl.String).zip_with(use_whole.fill_null(False), text)


def columns_of(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    """Return the columns of these names; Polars' own ways to select take a name like "*" or "^x.*$" for a pattern."""
    return pl.DataFrame({name: frame.get_column(name) for name in names})


def check_fits(before: pl.Series, after: pl.Series, expected: str) -> pl.Series:
    """Return `after`, when it has a value wherever `before` has.

    Raises
    ------
    InputError
        Otherwise, naming column, row and value.
    """
    row = _first(after.is_null() & before.is_not_null())
    if row is not None:
        raise InputError(
            f"column {before.name!r:.80}, row {row + 1}: expected {expected}, but found {str(before[row])!r:.80}"
        )
    return after


def _numbers(series: pl.Series) -> pl.Series:
    readable = series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.String)
    numbers = series.cast(pl.Float64, strict=False) if readable else _nothing(series, pl.Float64)
    numbers = check_fits(series, numbers, "a number")
    return without_nan(numbers.to_frame()).to_series()


def _booleans(series: pl.Series) -> pl.Series:
    words = series.cast(pl.String).str.to_lowercase()
    return check_fits(series, words.replace_strict(_WORDS, default=None, return_dtype=pl.Float64), "true or false")


def _times(series: pl.Series) -> pl.Series:
    if series.dtype == pl.String:
        times = series.str.to_time("%H:%M:%S%.f", strict=False)
    else:
        times = series if series.dtype == pl.Time else _nothing(series, pl.Time)
    return check_fits(series, times, "a time of day").cast(pl.Int64) / 1e9


def _durations(series: pl.Series) -> pl.Series:
    durations = series if series.dtype == pl.Duration else _nothing(series, pl.Duration("us"))
    return check_fits(series, durations, "a duration").cast(pl.Int64) / _ticks(durations.dtype)


def _moments(series: pl.Series) -> NDArray[np.float64]:
    """Return days since 1970-01-01 UTC, and where in the year and in the week that is, on the unit circle."""
    moments = check_fits(series, _datetimes(series), "a date")
    days = moments.cast(pl.Int64) / (1 if moments.dtype == pl.Date else _ticks(moments.dtype) * 86_400)
    row = _first(~days.is_between(*_YEARS))
    if row is not None:
        raise InputError(f"column {series.name!r:.80}, row {row + 1}: a date outside the years 1 to 9999")
    dates = days.floor().cast(pl.Int32).cast(pl.Date)
    year = 2 * np.pi / 365.25 * (dates.dt.ordinal_day() - 1 + (days - days.floor()))
    weekday = 2 * np.pi / 7 * (dates.dt.weekday().cast(pl.Float64) - 1)
    return np.column_stack([days, year.sin(), year.cos(), weekday.sin(), weekday.cos()])


def _datetimes(series: pl.Series) -> pl.Series:
    """Return dates as they are, texts that are dates as datetimes, and nothing for anything else."""
    if series.dtype == pl.String:
        formats = [date + time for date in _DATES for time in ("", *_TIMES)]
        text = pl.lit(series)  # not pl.col(name), which takes a name like "*" for a pattern
        tries = [text.str.to_datetime(form, time_unit="us", strict=False) for form in formats]
        return pl.select(pl.coalesce(tries)).to_series().alias(series.name)
    dated = series.dtype.base_type() in (pl.Date, pl.Datetime)
    return series if dated else _nothing(series, pl.Datetime("us"))


def _ticks(dtype: pl.DataType) -> float:
    """Return how many of its units a datetime or a duration counts in a second."""
    assert isinstance(dtype, pl.Datetime | pl.Duration)  # noqa: S101 - tells the type checker what callers know
    return {"ms": 1e3, "us": 1e6, "ns": 1e9}[dtype.time_unit]


def _nothing(series: pl.Series, dtype: pl.DataType | type[pl.DataType]) -> pl.Series:
    return pl.Series(series.name, [None], dtype=dtype).new_from_index(0, len(series))


def _first(mask: pl.Series) -> int | None:
    """Return the number of the first row where the mask is true, counted from 0."""
    rows = mask.fill_null(False).arg_true()
    return int(rows[0]) if len(rows) else None
