"""JSON values of a known form: what does not fit is told with its place."""

from __future__ import annotations

import pytest
from msgspec import Struct

import chainrule as cr
from chainrule.schema import explain, typed


class Pair(Struct, forbid_unknown_fields=True):
    first: int
    second: list[float]


def test_a_value_of_the_right_form_comes_back_as_that_form() -> None:
    assert typed("the pair", {"first": 1, "second": [2]}, Pair) == Pair(1, [2.0])


def test_a_value_of_another_form_is_refused_with_its_place() -> None:
    with pytest.raises(cr.InputError, match=r"^second\[1\] must be a number, not a string$"):
        typed("the pair", {"first": 1, "second": [2, "3"]}, Pair)
    with pytest.raises(cr.InputError, match=r"^the pair must be an object, not null$"):
        typed("the pair", None, Pair)


@pytest.mark.parametrize(
    ("complaint", "words"),
    [
        ("Expected `int`, got `str` - at `$.layers[0].units`", "layers[0].units must be a whole number, not a string"),
        ("Expected `int` >= 1 - at `$.layers[0].units`", "layers[0].units must be a whole number, at least 1"),
        ("Expected `float` <= 1000000.0 - at `$.x[3]`", "x[3] must be a number, at most 1,000,000"),
        ("Expected `float` > 0.0 - at `$.learning_rate`", "learning_rate must be a number, greater than 0"),
        ("Expected `str` of length <= 40 - at `$.loss`", "loss must have at most 40 characters"),
        ("Expected `array` of length >= 1 - at `$.layers`", "layers must have at least 1 entry"),
        ("Expected `array` of length 2 - at `$.pair`", "pair must have 2 entries"),
        ("Expected `array | null`, got `int` - at `$.weights`", "weights must be a list or null, not a whole number"),
        ("Expected `str` of length <= 40 - at `key` in `$.names`", "a name in names must have at most 40 characters"),
        ("Expected `int | str`, got `null` - at `$.ids[...]`", "ids[…] must be a whole number or a string, not null"),
        ("Invalid enum value 'z-y' - at `$.sign`", "sign cannot be 'z-y'"),
        ("Object missing required field `id` - at `$.tried`", "id is missing in tried"),
        ("Object missing required field `id`", "id is missing in the request"),
        ("Something new", "the request: something new"),
    ],
)  # fmt: skip
def test_complaints_of_msgspec_are_said_in_words(complaint: str, words: str) -> None:
    assert explain(complaint, "the request") == words
