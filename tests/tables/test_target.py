"""The target: classes or numbers, and back."""

from __future__ import annotations

import json
import math
from datetime import date
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from chainrule import InputError
from chainrule.tables import Target


def column(values: Any, dtype: Any = None) -> pl.Series:
    return pl.Series("y", values, dtype=dtype)


# Which task it is


@pytest.mark.parametrize(
    ("values", "task", "classes"),
    [
        (["b", "a"] * 5, "classification", ("a", "b")),
        ([True, False] * 5, "classification", (False, True)),
        ([2, 1, 0] * 5, "classification", (0, 1, 2)),
        (list(range(20)) * 3, "classification", tuple(range(20))),
        (list(range(21)) * 3, "regression", ()),
        ([1, 2, 3, 4, 5] * 2, "regression", ()),
        ([0.0, 1.0] * 5, "regression", ()),
    ],
    ids=["text", "boolean", "few whole", "20 whole", "21 whole", "half the rows", "not whole"],
)
def test_the_task_is_told_from_the_column(values: list[Any], task: str, classes: tuple[Any, ...]) -> None:
    target = Target.fit(column(values))
    assert (target.task, target.classes) == (task, classes)


def test_categorical_types_are_classes() -> None:
    assert Target.fit(column(["b", "a"] * 5, pl.Categorical())).classes == ("a", "b")


def test_the_task_can_be_given() -> None:
    assert Target.fit(column([2, 1, 0] * 5), "regression").task == "regression"
    # Whole numbers that are floats because of a gap, as other libraries make them, are whole again.
    assert Target.fit(column([1.0, 0.0, None] * 5), "classification").classes == (0, 1)


# There and back


@pytest.mark.parametrize("values", [["b", "a", "a"] * 3, [True, False, False] * 3, [7, -1, -1] * 3])
def test_classes_are_numbered_in_sorted_order_and_come_back_with_their_type(values: list[Any]) -> None:
    target = Target.fit(column(values))
    encoded = target.encode(column(values))
    assert encoded.dtype == np.int64
    assert_array_equal(encoded, [1, 0, 0] * 3)
    assert target.outputs == 2
    assert target.decode(np.eye(2)[encoded]).tolist() == values


def test_numbers_are_standardised_and_come_back_in_their_unit() -> None:
    target = Target.fit(column([10.0, 20.0, 30.0, 40.0]))
    encoded = target.encode(column([10.0, 20.0, 30.0, 40.0]))
    assert encoded.shape == (4, 1)
    assert_allclose([encoded.mean(), encoded.std()], [0, 1], atol=1e-15)
    assert target.outputs == 1
    assert_allclose(target.decode(np.asarray(encoded, float)), [10, 20, 30, 40])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1e50, 1e50), min_size=2, max_size=20).filter(lambda values: len(set(values)) > 1))
def test_a_regression_target_comes_back_for_any_numbers(values: list[float]) -> None:
    target = Target.fit(column(values), "regression")
    size = max(map(abs, values))
    assert_allclose(
        target.decode(np.asarray(target.encode(column(values)), float)), values, rtol=1e-9, atol=1e-9 * size
    )


label_lists = st.one_of(
    st.lists(st.text(max_size=5), min_size=2, max_size=6, unique=True),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=2, max_size=6, unique=True),
    st.just([True, False]),
)


@settings(max_examples=60, deadline=None)
@given(label_lists)
def test_any_labels_survive_json(labels: list[Any]) -> None:
    values = column(labels * 2)
    target = Target.fit(values, "classification")
    again = Target.from_json(json.loads(json.dumps(target.to_json())))
    assert again == target
    assert again.decode(np.eye(len(labels))[again.encode(values)]).tolist() == labels * 2


def test_regression_survives_json() -> None:
    target = Target.fit(column([0.1, 0.2, 0.7]))
    assert Target.from_json(json.loads(json.dumps(target.to_json()))) == target


def test_labels_may_be_of_another_type_that_means_the_same() -> None:
    whole = Target.fit(column([0, 1] * 5))
    for same in (["0", "1"], [0.0, 1.0]):
        assert_array_equal(whole.encode(column(same)), [0, 1])
    texts = Target.fit(column(["1", "A"] * 5))
    assert_array_equal(texts.encode(column([1.0])), [0])
    truth = Target.fit(column([True, False] * 5))
    assert_array_equal(truth.encode(column(["TRUE", "false"])), [1, 0])


# What is refused


@pytest.mark.parametrize(
    ("values", "task", "says"),
    [
        (["a"] * 10, None, "target 'y' has one value only, 'a'"),
        ([1.5, None] * 10, None, "target 'y' has one value only, '1.5'"),
        (["1", None, "a"] * 5, "regression", "column 'y', row 3: expected a number, but found 'a'"),
        (
            [None, 0.5, 1.0] * 5,
            "classification",
            "column 'y', row 2: expected a whole number as class, but found '0.5'",
        ),
        (
            [str(i) for i in range(20)],
            None,
            "20 distinct values in 20 rows, too many for classes; predict another column$",
        ),
        (
            [*map(str, range(20)), "n/a"],
            None,
            "too many for classes; predict another column, or numbers only: row 21 holds 'n/a'$",
        ),
        ([date(2024, 1, 1), date(2024, 1, 2)] * 5, None, "type Date, but only classes and numbers"),
        ([[1], [2]] * 5, None, r"type List\(Int64\)"),
        (["a", "b" * 1001] * 5, None, "at most 1,000 signs"),
        ([1.0, math.inf] * 5, None, "column 'y', row 2: inf is infinite"),
        ([1, 2] * 5, "classify", "unknown task 'classify': did you mean 'classification'"),
    ],
)
def test_a_column_that_cannot_be_learnt_is_refused(values: list[Any], task: str | None, says: str) -> None:
    with pytest.raises(InputError, match=says):
        Target.fit(column(values), task)


def test_a_label_of_no_class_and_a_missing_one_are_named() -> None:
    target = Target.fit(column(["a", "b"] * 5))
    with pytest.raises(InputError, match="column 'y', row 2: expected one of the 2 classes, but found 'c'"):
        target.encode(column(["a", "c"]))
    with pytest.raises(InputError, match="target 'y': row 3 has no value"):
        target.encode(column(["a", "b", None]))


def test_outputs_of_another_shape_are_refused() -> None:
    with pytest.raises(InputError, match=r"\(3, 1\), but must be \(n, 2\)"):
        Target("y", "classification", ("a", "b")).decode(np.zeros((3, 1)))


CLASSES = {"name": "y", "task": "classification", "classes": ["a", "b"]}
NUMBERS = {"name": "y", "task": "regression", "mean": 0.0, "scale": 1.0}


@pytest.mark.parametrize(
    "description",
    [
        None,
        {},
        CLASSES | {"name": 1},
        CLASSES | {"task": "other"},
        CLASSES | {"task": ["classification"]},
        CLASSES | {"mean": 0.0},
        CLASSES | {"classes": "ab"},
        CLASSES | {"classes": ["a"]},
        CLASSES | {"classes": ["b", "a"]},
        CLASSES | {"classes": ["a", "a"]},
        CLASSES | {"classes": ["a", 1]},
        CLASSES | {"classes": [0, True]},
        CLASSES | {"classes": [0.0, 1.0]},
        CLASSES | {"classes": [0, 2**63]},
        CLASSES | {"classes": ["a", "\ud800"]},
        CLASSES | {"classes": list(range(10_001))},
        NUMBERS | {"mean": math.nan},
        NUMBERS | {"scale": 0},
        NUMBERS | {"scale": "1"},
    ],
)
def test_a_wrong_description_is_refused(description: Any) -> None:
    with pytest.raises(InputError) as caught:
        Target.from_json(description)
    assert "\n" not in str(caught.value)
