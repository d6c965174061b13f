"""Feature columns → arrays: what each kind becomes, what is forgiven, and what is not."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from chainrule import InputError
from chainrule.tables import Encoding, read_table


def fitted(**columns: Any) -> Encoding:
    return Encoding.fit(pl.DataFrame(columns))[0]


def notes_of(**columns: Any) -> list[str]:
    return Encoding.fit(pl.DataFrame(columns))[1]


# What each kind becomes


def test_numbers_are_standardised() -> None:
    frame = pl.DataFrame({"a": [1, 2, 3], "b": [10.0, 20.0, 60.0]})
    x = Encoding.fit(frame)[0].transform(frame)
    assert_allclose(x.mean(axis=0), 0, atol=1e-15)
    assert_allclose(x.std(axis=0), 1)


def test_what_is_missing_becomes_the_mean_and_is_flagged() -> None:
    encoding = fitted(a=[1.0, None, 3.0, float("nan")])
    assert encoding.feature_names == ["a", "a_missing"]
    assert_array_equal(encoding.transform(pl.DataFrame({"a": [1.0, None]})), [[-1, 0], [0, 1]])


def test_what_is_missing_only_later_becomes_the_mean() -> None:
    encoding = fitted(a=[1.0, 3.0])
    assert_array_equal(encoding.transform(pl.DataFrame({"a": [None, 3.0]})), [[0], [1]])


def test_booleans_are_0_and_1() -> None:
    encoding = fitted(a=[True, False, None])
    assert_array_equal(encoding.transform(pl.DataFrame({"a": [True, False, None]})), [[1, 0], [0, 0], [0, 1]])


def test_categories_get_a_feature_each_and_unknown_ones_are_zeros() -> None:
    encoding = fitted(island=["Dream", "Biscoe", "Dream"])
    assert encoding.feature_names == ["island=Biscoe", "island=Dream"]
    later = pl.DataFrame({"island": ["Dream", "Biscoe", "Torgersen", None]})
    assert_array_equal(encoding.transform(later), [[0, 1], [1, 0], [0, 0], [0, 0]])
    assert encoding.unseen(later) == {"island": 1}
    assert encoding.unseen(later[:2]) == {}


@pytest.mark.parametrize("dtype", [pl.Categorical(), pl.Enum(["a", "b"])])
def test_categorical_types_are_categories(dtype: pl.DataType) -> None:
    frame = pl.DataFrame({"c": pl.Series(["a", "b", None], dtype=dtype)})
    encoding = Encoding.fit(frame)[0]
    assert encoding.feature_names == ["c=a", "c=b", "c_missing"]
    assert_array_equal(encoding.transform(frame), np.eye(3))


def test_dates_are_days_and_places_in_the_year_and_the_week() -> None:
    encoding = fitted(seen=[date(2024, 1, 1), date(2024, 1, 3)])
    assert encoding.feature_names == [
        "seen_days",
        "seen_year_sin",
        "seen_year_cos",
        "seen_weekday_sin",
        "seen_weekday_cos",
    ]
    monday, wednesday = encoding.transform(pl.DataFrame({"seen": [date(2024, 1, 1), date(2024, 1, 3)]}))
    assert_allclose(monday, [-1, 0, 1, 0, 1], atol=1e-12)
    year, week = 2 * math.tau / 365.25, 2 * math.tau / 7
    assert_allclose(wednesday, [1, math.sin(year), math.cos(year), math.sin(week), math.cos(week)], atol=1e-12)


def test_datetimes_of_any_time_zone_and_text_are_the_same_moment() -> None:
    noon = datetime(2024, 1, 3, 12)
    encoding = fitted(at=[datetime(2024, 1, 1), noon])
    expected = encoding.transform(pl.DataFrame({"at": [noon]}))
    elsewhere = pl.Series([noon.replace(tzinfo=UTC)]).dt.convert_time_zone("Asia/Tokyo")
    for same in (pl.Series([noon], dtype=pl.Datetime("ns")), elsewhere, pl.Series(["2024-01-03 12:00:00"])):
        assert_array_equal(encoding.transform(pl.DataFrame({"at": same})), expected)


def test_times_and_durations_are_seconds() -> None:
    encoding = fitted(t=[time(0, 0, 1), time(0, 0, 3)], d=[timedelta(minutes=1), timedelta(minutes=3)])
    assert encoding.feature_names == ["t_seconds", "d_seconds"]
    assert [(column.mean, column.scale) for column in encoding.columns] == [(2, 1), (120, 60)]
    later = pl.DataFrame({"t": ["00:00:03", None], "d": [timedelta(minutes=1), None]})
    assert_array_equal(encoding.transform(later), [[1, -1], [0, 0]])


# What is left out, with a note


def test_a_column_with_one_value_is_left_out() -> None:
    assert notes_of(a=[1, 2], b=[5, 5], c=["x", "x"]) == [
        "left out the columns 'b', 'c', which have the same value in every row"
    ]


def test_a_value_that_is_sometimes_missing_is_kept() -> None:
    assert fitted(a=["yes", None]).feature_names == ["a=yes", "a_missing"]


def test_text_that_is_nearly_always_different_is_left_out() -> None:
    names = [f"name {i}" for i in range(60)]
    assert notes_of(a=range(60), name=names) == ["left out column 'name', which has another text in nearly every row"]


def test_long_text_is_left_out() -> None:
    assert notes_of(a=[1, 2, 3], text=["b", "b", "a" * 1001]) == [
        "left out column 'text', which has texts too long for categories"
    ]


def test_only_the_50_most_frequent_categories_get_a_feature() -> None:
    words = [f"w{i:02}" for i in range(60) for _ in range(3 if i >= 20 else 2)]
    encoding, notes = Encoding.fit(pl.DataFrame({"w": words}))
    assert notes == ["column 'w': only the 50 most frequent of 60 categories"]
    # Forty occur three times; of those that occur twice, the first ten by the alphabet.
    assert encoding.columns[0].categories == tuple(f"w{i:02}" for i in [*range(10), *range(20, 60)])
    assert encoding.unseen(pl.DataFrame({"w": ["w15", "w15", "w20"]})) == {"w": 2}


# A later table may be of other types, as long as it means the same


def test_column_order_and_further_columns_do_not_matter() -> None:
    encoding = fitted(a=[1, 2], b=["x", "y"])
    frame = pl.DataFrame({"a": [1], "b": ["y"]})
    shuffled = pl.DataFrame({"more": [[1]], "b": ["y"], "a": [1]})
    assert_array_equal(encoding.transform(shuffled), encoding.transform(frame))


def test_numbers_may_be_whole_or_not_or_text_or_all_missing() -> None:
    encoding = fitted(a=[1, 3])
    for same in ([3], [3.0], ["3"], [" 3.0".strip()]):
        assert_array_equal(encoding.transform(pl.DataFrame({"a": same})), [[1]])
    for nothing in (pl.Series([None], dtype=pl.String), pl.Series([None], dtype=pl.Null)):
        assert_array_equal(encoding.transform(pl.DataFrame({"a": nothing})), [[0]])


def test_categories_that_look_like_numbers_are_the_same_text() -> None:
    encoding = fitted(code=["1", "A", "2.5"])
    for codes in (["1"], [1], [1.0]):
        assert_array_equal(encoding.transform(pl.DataFrame({"code": codes})), [[1, 0, 0]])
    assert_array_equal(encoding.transform(pl.DataFrame({"code": [2.5]})), [[0, 1, 0]])
    assert encoding.text_columns == ["code"]


def test_a_category_1_0_is_not_1() -> None:
    encoding = fitted(code=["1", "1.0"])
    assert_array_equal(encoding.transform(pl.DataFrame({"code": [1.0]})), [[0, 1]])
    assert_array_equal(encoding.transform(pl.DataFrame({"code": [1]})), [[1, 0]])


@pytest.mark.parametrize("values", [[True, False], [1, 0], [1.0, 0.0], ["true", "False"], ["1", "0"]])
def test_booleans_may_be_0_and_1_or_words(values: list[Any]) -> None:
    encoding = fitted(a=[True, False])
    assert_array_equal(encoding.transform(pl.DataFrame({"a": values})), [[1], [0]])


# What is not forgiven: the message names column, row and value


@pytest.mark.parametrize(
    ("trained", "later", "says"),
    [
        ([1, 2], ["1", "many"], "column 'a', row 2: expected a number, but found 'many'"),
        ([1, 2], ["1", "inf"], "column 'a', row 2: inf is infinite"),
        ([1, 2], [1.0, math.inf], "column 'a', row 2: inf is infinite"),
        ([1, 2], [None, date(2024, 1, 1)], "column 'a', row 2: expected a number, but found '2024-01-01'"),
        ([True, False], [1, 2], "column 'a', row 2: expected true or false, but found '2'"),
        ([True, False], ["yes", "no"], "column 'a', row 1: expected true or false, but found 'yes'"),
        (
            [date(2024, 1, 1), date(2024, 1, 2)],
            ["2024-01-01", "soon"],
            "row 2: expected a date, but found 'soon'",
        ),
        (
            [date(2024, 1, 1), date(2024, 1, 2)],
            pl.Series([0, 10**7], dtype=pl.Int32).cast(pl.Date),
            "column 'a', row 2: a date outside the years 1 to 9999",
        ),
        ([date(2024, 1, 1), date(2024, 1, 2)], [5], "column 'a', row 1: expected a date, but found '5'"),
        ([time(1), time(2)], ["01:00:00", "late"], "row 2: expected a time of day, but found 'late'"),
        ([timedelta(1), timedelta(2)], [1], "row 1: expected a duration, but found '1'"),
    ],
)
def test_a_value_of_another_kind_is_named(trained: list[Any], later: Any, says: str) -> None:
    with pytest.raises(InputError) as caught:
        fitted(a=trained).transform(pl.DataFrame({"a": later}))
    assert says in str(caught.value)


def test_all_missing_columns_are_named() -> None:
    with pytest.raises(InputError, match="the table lacks the columns 'a', 'c', which the model was trained on"):
        fitted(a=[1, 2], b=[1, 2], c=[1, 2]).transform(pl.DataFrame({"b": [1]}))


def test_a_table_needs_rows() -> None:
    frame = pl.DataFrame({"a": [1, 2]})
    with pytest.raises(InputError, match="the table has no rows"):
        Encoding.fit(frame)[0].transform(frame[:0])
    with pytest.raises(InputError, match="the table has no rows"):
        Encoding.fit(frame[:0])


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([None, None], "column 'a' has no value in any training row; leave it out with --ignore a"),
        ([[1], [2]], r"column 'a' has the type List\(Int64\).*--ignore a"),
        ([{"b": 1}, {"b": 2}], r"column 'a' has the type Struct.*--ignore a"),
        ([b"1", b"2"], "column 'a' has the type Binary.*--ignore a"),
        ([1.0, -math.inf], "column 'a', row 2: -inf is infinite"),
    ],
)
def test_a_column_that_cannot_be_learnt_from_is_named(values: list[Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        fitted(a=values)


def test_with_constant_columns_only_there_is_nothing_to_learn_from() -> None:
    with pytest.raises(
        InputError, match="no column is left to learn from: left out column 'a', which has the same value"
    ):
        fitted(a=[5, 5])


# Laws

numbers = st.none() | st.floats(-1e12, 1e12) | st.integers(-(10**9), 10**9)
words = st.none() | st.text(max_size=4).filter(lambda text: text.isprintable())
dates = st.none() | st.dates(date(1000, 1, 1), date(3000, 1, 1))
cells = st.fixed_dictionaries({"n": numbers, "b": st.none() | st.booleans(), "w": words, "d": dates})
SCHEMA = {"n": pl.Float64, "b": pl.Boolean, "w": pl.String, "d": pl.Date}
# Two rows that differ everywhere come first, so that every column has something to learn from.
FIRST = [
    {"n": 0.0, "b": True, "w": "a", "d": date(2000, 1, 1)},
    {"n": 1.0, "b": False, "w": "b", "d": date(2000, 2, 2)},
]
tables = st.lists(cells, max_size=8).map(lambda rows: pl.DataFrame(FIRST + rows, schema=SCHEMA))
laws = settings(max_examples=30, deadline=None)


@laws
@given(tables, tables)
def test_an_encoding_that_went_through_json_gives_the_same_bits(train: pl.DataFrame, later: pl.DataFrame) -> None:
    encoding, _ = Encoding.fit(train)
    again = Encoding.from_json(json.loads(json.dumps(encoding.to_json(), allow_nan=False)))
    assert again == encoding
    assert again.transform(later).tobytes() == encoding.transform(later).tobytes()


@laws
@given(tables, st.permutations(["n", "b", "w", "d"]))
def test_the_order_of_columns_does_not_matter(frame: pl.DataFrame, order: list[str]) -> None:
    encoding, _ = Encoding.fit(frame)
    assert_array_equal(encoding.transform(frame.select(order)), encoding.transform(frame))


@laws
@given(tables)
def test_the_array_is_finite_and_has_a_column_for_each_name(frame: pl.DataFrame) -> None:
    encoding, _ = Encoding.fit(frame)
    x = encoding.transform(frame)
    assert x.shape == (frame.height, len(encoding.feature_names))
    assert x.dtype == np.float64
    assert np.isfinite(x).all()


@laws
@given(tables)
def test_a_row_is_in_one_category_or_missing(frame: pl.DataFrame) -> None:
    encoding, _ = Encoding.fit(frame)
    belongs = [name.startswith("w=") or name == "w_missing" for name in encoding.feature_names]
    assert_array_equal(encoding.transform(frame)[:, belongs].sum(axis=1), 1)


@laws
@given(tables)
def test_the_present_numbers_have_mean_0_and_standard_deviation_1(frame: pl.DataFrame) -> None:
    encoding, _ = Encoding.fit(frame)
    present = encoding.transform(frame)[frame["n"].is_not_null(), encoding.feature_names.index("n")]
    assert_allclose(present.mean(), 0, atol=1e-6)
    assert_allclose(present.std(), 1, rtol=1e-6)


@laws
@given(tables)
def test_a_row_is_encoded_the_same_in_any_company(frame: pl.DataFrame) -> None:
    encoding, _ = Encoding.fit(frame)
    together = encoding.transform(frame)
    alone = np.vstack([encoding.transform(frame[i]) for i in range(frame.height)])
    assert_array_equal(alone, together)


def test_penguins_can_be_encoded() -> None:
    frame = read_table("penguins").drop("species")
    encoding, notes = Encoding.fit(frame)
    assert notes == []
    assert encoding.transform(frame).shape == (344, 15)


# A description from a stranger


NUMBER = {"name": "a", "kind": "number", "flagged": False, "mean": 0.0, "scale": 1.0}
CATEGORY = {"name": "c", "kind": "category", "flagged": True, "categories": ["x", "y"]}


def test_a_description_is_plain_data() -> None:
    described = {"columns": [NUMBER, CATEGORY]}
    encoding = Encoding.from_json(described)
    assert encoding.to_json() == described
    assert encoding.feature_names == ["a", "c=x", "c=y", "c_missing"]


@pytest.mark.parametrize(
    "description",
    [
        None,
        [],
        {},
        {"columns": None},
        {"columns": []},
        {"columns": [None]},
        {"columns": [NUMBER, NUMBER]},
        {"columns": [NUMBER], "more": 1},
        {"columns": [NUMBER] * 100_001},
        {"columns": [NUMBER | {"more": 1}]},
        {"columns": [NUMBER | {"name": 1}]},
        {"columns": [NUMBER | {"name": "a" * 1001}]},
        {"columns": [NUMBER | {"name": "\ud800"}]},
        {"columns": [NUMBER | {"kind": "vector"}]},
        {"columns": [NUMBER | {"kind": ["number"]}]},
        {"columns": [NUMBER | {"flagged": 1}]},
        {"columns": [NUMBER | {"mean": "0"}]},
        {"columns": [NUMBER | {"mean": math.nan}]},
        {"columns": [NUMBER | {"mean": 1e101}]},
        {"columns": [NUMBER | {"mean": 10**400}]},
        {"columns": [NUMBER | {"scale": 0.0}]},
        {"columns": [NUMBER | {"scale": -1.0}]},
        {"columns": [NUMBER | {"scale": math.inf}]},
        {"columns": [NUMBER | {"scale": True}]},
        {"columns": [CATEGORY | {"mean": 0.0}]},
        {"columns": [CATEGORY | {"categories": []}]},
        {"columns": [CATEGORY | {"categories": "xy"}]},
        {"columns": [CATEGORY | {"categories": ["x", 1]}]},
        {"columns": [CATEGORY | {"categories": ["x", "x"]}]},
        {"columns": [CATEGORY | {"categories": ["x" * 1001]}]},
        {"columns": [CATEGORY | {"categories": [str(i) for i in range(51)]}]},
    ],
)
def test_a_wrong_description_is_refused(description: Any) -> None:
    with pytest.raises(InputError) as caught:
        Encoding.from_json(description)
    assert "\n" not in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@laws
@given(
    st.sampled_from(sorted(NUMBER)),
    json_values | st.sampled_from([1e-200, 1e100, "moment", "time", "duration"]),
)
def test_any_description_is_either_refused_or_works(field: str, value: Any) -> None:
    try:
        encoding = Encoding.from_json({"columns": [NUMBER | {field: value}]})
    except InputError:
        return
    (column,) = encoding.columns
    largest = {
        "number": 1e100,
        "boolean": True,
        "moment": date.max,
        "time": time.max,
        "duration": timedelta.max,
    }
    frame = pl.DataFrame({column.name: [None, largest[column.kind]]})
    assert np.isfinite(encoding.transform(frame)).all()
