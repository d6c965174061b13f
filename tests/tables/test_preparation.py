"""From a table to arrays: the rows that are held out, and what a user is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from chainrule import InputError
from chainrule.tables import prepare, read_table, split


def test_penguins_are_ready_for_training() -> None:
    data = prepare(read_table("penguins"), "species")
    assert data.target.classes == ("Adelie", "Chinstrap", "Gentoo")
    assert data.x.shape == (275, 15)
    assert data.y.shape == (275,)
    assert data.held_out is not None
    assert [array.shape for array in data.held_out] == [(69, 15), (69,)]
    assert data.notes == []


def test_the_encoding_is_learnt_from_the_training_rows_only() -> None:
    data = prepare(read_table("diabetes"), "target")
    assert_allclose(data.x.mean(axis=0), 0, atol=1e-12)
    assert_allclose([data.y.mean(), data.y.std()], [0, 1], atol=1e-12)
    assert data.held_out is not None
    assert abs(data.held_out[0].mean()) > 1e-6
    assert abs(data.held_out[1].mean()) > 1e-6


def test_a_prediction_is_made_with_the_parts_of_what_was_prepared() -> None:
    penguins = read_table("penguins")
    data = prepare(penguins, "species", held_out=0)
    assert data.held_out is None
    assert_array_equal(data.encoding.transform(penguins.drop("species")), data.x)
    assert data.target.decode(np.eye(3)[data.y]).tolist() == penguins["species"].to_list()


def test_the_same_seed_holds_out_the_same_rows() -> None:
    iris = read_table("iris")
    first, again, other = (prepare(iris, "target", seed=seed).x for seed in (1, 1, 2))
    assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_rows_without_a_target_are_left_out_with_a_note() -> None:
    data = prepare(read_table("penguins"), "sex")
    assert data.notes == ["left out 11 rows without a value in 'sex'"]
    assert len(data.y) == 266


@pytest.mark.parametrize(
    ("cells", "stray"),
    [
        (["1.5"] * 9 + ["n/a", "-", "2"], "row 10 holds 'n/a'"),
        (["1,5"] * 9 + ["n/a", "-", "2"], "row 10 holds 'n/a'"),
        (["2"] * 6 + ["1,5"] * 6, "row 7 holds '1,5'"),
    ],
)
def test_a_text_among_numbers_is_told_of_since_it_makes_categories(cells: list[str], stray: str) -> None:
    data = prepare(pl.DataFrame({"a": cells, "y": ["x", "z"] * 6}), "y")
    assert data.encoding.columns[0].kind == "category"
    assert data.notes == [
        f"column 'a' is read as categories, since {stray}: write a number there, or leave the field empty"
    ]


@pytest.mark.parametrize("cells", [["1", None] * 6, ["red", "1"] * 6])
def test_numbers_that_are_text_and_names_with_numbers_need_no_note(cells: list[str]) -> None:
    assert prepare(pl.DataFrame({"a": cells, "y": ["x", "z"] * 6}), "y").notes == []


def test_columns_can_be_ignored() -> None:
    data = prepare(read_table("penguins"), "species", ignore=["year", "island", "sex"])
    assert data.encoding.feature_names[:4] == [
        "bill_length_mm",
        "bill_depth_mm",
        "flipper_length_mm",
        "body_mass_g",
    ]


def test_a_class_with_one_row_is_trained_on_and_not_held_out() -> None:
    frame = pl.DataFrame({"a": range(21), "y": ["x"] * 10 + ["z"] * 10 + ["rare"]})
    data = prepare(frame, "y")
    assert data.notes == ["class 'rare' has a single row, which is trained on and not held out"]
    assert data.held_out is not None
    assert 0 in data.y
    assert 0 not in data.held_out[1]


FRAME = pl.DataFrame({"a": range(12), "y": ["x", "z"] * 6, "none": [None] * 12})


@pytest.mark.parametrize(
    ("frame", "settings_", "says"),
    [
        (FRAME, {"target": "z"}, "unknown column 'z'"),
        (FRAME, {"target": "y", "ignore": ["nonne"]}, "unknown column 'nonne': did you mean 'none'"),
        (FRAME, {"target": "y", "ignore": ["y"]}, "column 'y' is the target, so it cannot be ignored"),
        (
            FRAME,
            {"target": "y"},
            "column 'none' has no value in any training row; leave it out with --ignore none",
        ),
        (
            FRAME,
            {"target": "y", "ignore": ["a", "none"]},
            "no column is left to learn from: there is only the target",
        ),
        (FRAME, {"target": "none"}, "target 'none' has no value in any of 12 rows"),
        (FRAME[:9], {"target": "y"}, "only 9 rows have a value in 'y', but at least 10 are needed"),
        (FRAME, {"target": "y", "held_out": 0.6}, "held_out must be"),
        (FRAME, {"target": "y", "held_out": -0.1}, "held_out must be"),
        (FRAME, {"target": "y", "seed": -1}, "seed must be"),
    ],
)
def test_what_cannot_be_prepared_is_one_line(frame: pl.DataFrame, settings_: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        prepare(frame, **settings_)
    assert "\n" not in str(caught.value)


def test_a_message_counts_the_rows_of_the_table_and_not_those_that_are_left() -> None:
    frame = pl.DataFrame({"a": range(20), "y": [None, 0.5, 1, 2] * 5})
    with pytest.raises(InputError, match=r"row 2: expected a whole number as class, but found '0\.5'"):
        prepare(frame, "y", "classification")


# Splitting


def test_a_fifth_is_held_out() -> None:
    train, held_out = split(10)
    assert (len(train), len(held_out)) == (8, 2)


def test_classes_keep_their_proportions() -> None:
    classes = np.repeat([0, 1, 2], [50, 30, 20])
    train, held_out = split(100, classes)
    assert_array_equal(np.bincount(classes[train]), [40, 24, 16])
    assert_array_equal(np.bincount(classes[held_out]), [10, 6, 4])


def test_many_small_classes_have_one_row_each_held_out() -> None:
    classes = np.repeat(np.arange(6), 2)
    train, held_out = split(12, classes)
    assert_array_equal(classes[train], np.arange(6))
    assert_array_equal(classes[held_out], np.arange(6))


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=2, max_size=60).filter(lambda classes: len(set(classes)) < len(classes)),
    st.sampled_from([0.0, 0.01, 0.2, 0.5]),
    st.integers(0, 2**63 - 1),
)
def test_every_row_is_on_one_side_and_every_class_is_trained_on(values: list[int], held_out: float, seed: int) -> None:
    classes = np.array(values)
    train, test = split(len(classes), classes, held_out, seed)
    assert_array_equal(np.sort(np.concatenate([train, test])), np.arange(len(classes)))
    assert set(classes[train]) == set(values)
    assert bool(held_out) == bool(len(test))


@pytest.mark.parametrize("name", ["*", "", "a b", "x$", "^x"])
def test_no_name_of_a_column_is_taken_for_a_pattern(name: str) -> None:
    numbers = [float(i) for i in range(20)]
    dates = [f"2024-01-{i + 1:02d}" for i in range(20)]
    as_feature = pl.DataFrame({name: dates, "xyz": numbers, "y": ["a", "b"] * 10})
    as_target = as_feature.rename({name: "date", "y": name})
    assert prepare(as_feature, "y").encoding.columns[0].name == name
    assert prepare(as_target, name, ignore=["xyz"]).target.name == name


def test_a_name_that_polars_reads_as_a_pattern_is_refused() -> None:
    with pytest.raises(InputError, match=r"column '\^x\.\*\$': a name from \^ to \$ would be read as a pattern"):
        prepare(pl.DataFrame({"^x.*$": ["a"] * 20, "y": ["a", "b"] * 10}), "y")
