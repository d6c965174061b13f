"""The bundled data sets: what they are and what they hold."""

from __future__ import annotations

import re

import polars as pl
import pytest

from chainrule import InputError, datasets

SHAPES = {
    "penguins": (344, 8),
    "iris": (150, 5),
    "wine": (178, 14),
    "digits": (1797, 65),
    "breast_cancer": (569, 31),
    "diabetes": (442, 11),
}


def test_names_lists_what_is_bundled() -> None:
    assert datasets.names() == list(SHAPES)
    assert set(datasets.DEFAULT_TARGET) == set(SHAPES)


@pytest.mark.parametrize("name", SHAPES)
def test_every_data_set_has_its_shape_its_target_and_plain_column_names(name: str) -> None:
    frame = datasets.load_dataset(name)
    assert frame.shape == SHAPES[name]
    assert datasets.DEFAULT_TARGET[name] in frame.columns
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", column) for column in frame.columns)


def test_penguins_keeps_what_is_missing() -> None:
    penguins = datasets.load_dataset("penguins")
    assert penguins["body_mass_g"].dtype == pl.Int64
    assert penguins["body_mass_g"].null_count() == 2
    assert penguins["sex"].null_count() == 11
    assert penguins["species"].value_counts(sort=True).rows() == [
        ("Adelie", 152),
        ("Gentoo", 124),
        ("Chinstrap", 68),
    ]


def test_targets_are_names_digits_or_numbers() -> None:
    assert set(datasets.load_dataset("iris")["target"]) == {"setosa", "versicolor", "virginica"}
    assert set(datasets.load_dataset("digits")["target"]) == set(range(10))
    assert datasets.load_dataset("diabetes")["target"].dtype == pl.Float64


def test_iris_has_the_units_in_its_column_names() -> None:
    assert datasets.load_dataset("iris").columns[0] == "sepal_length_cm"


def test_diabetes_is_in_its_original_units() -> None:
    assert datasets.load_dataset("diabetes")["age"].max() == 79


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'penguins'"):
        datasets.load_dataset("pengiuns")
