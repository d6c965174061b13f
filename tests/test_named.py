"""Things found by name, numbers checked: and every refusal is one clear line."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import named
from chainrule.named import as_call, describe, number, whole

ACTIVATIONS = cr.activations.ACTIVATIONS


def test_a_thing_is_found_by_itself_its_name_or_its_description() -> None:
    leaky = ACTIVATIONS.find({"name": "leaky_relu", "negative_slope": 0.2})
    assert leaky == cr.activations.leaky_relu(0.2)
    assert ACTIVATIONS.find(leaky) is leaky
    assert ACTIVATIONS.find("tanh") == ACTIVATIONS["tanh"]()


def test_a_thing_is_compared_with_what_the_catalogue_makes_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Comparing takes longer than predicting a row."""
    leaky = cr.activations.leaky_relu(0.2)
    altered = replace(leaky, slope=lambda z, f: f)
    assert ACTIVATIONS.made(leaky)
    assert not ACTIVATIONS.made(altered)
    monkeypatch.setattr(named, "_same", lambda one, other: pytest.fail("compared again"))
    assert ACTIVATIONS.made(leaky)


def test_a_number_of_numpy_counts_as_the_number_that_it_is() -> None:
    assert cr.optimizers.OPTIMIZERS.find({"name": "sgd", "momentum": np.float32(0.5)}) == cr.SGD(momentum=0.5)


def test_every_parameter_of_every_thing_with_a_name_has_a_type() -> None:
    """A value that a file gives for it is checked against that type."""
    for catalogue in (ACTIVATIONS, cr.losses.LOSSES, cr.optimizers.OPTIMIZERS, cr.schedules.SCHEDULES):
        for name, factory in catalogue.items():
            for parameter in inspect.signature(factory).parameters:
                with pytest.raises(cr.InputError, match=r"must be|expected"):
                    catalogue.find({"name": name, parameter: []})


@pytest.mark.parametrize(
    "value",
    ["9" * 100_000, ["x"] * 100_000, {"x" * 100_000: 1}, 10**5000, "a\nb"],
    ids=["text", "list", "object", "number", "line break"],
)
def test_a_message_is_one_short_line_whatever_value_it_shows(value: Any) -> None:
    layer = {"units": value, "activation": value, "bias": value, "dropout": value, "initializer": value}
    network = {"inputs": value, "layers": [layer], "loss": value}
    calls: list[Callable[[], object]] = [
        lambda: whole("units", value),
        lambda: number("rate", value),
        lambda: ACTIVATIONS.find(value),
        lambda: ACTIVATIONS.find({"name": "elu", "alpha": value}),
        lambda: cr.Dense(1, bias=value),
        lambda: cr.Network.from_json(value),
        lambda: cr.Network.from_json(network),
        lambda: cr.Network.from_json({value if isinstance(value, str) else "x": 1}),
    ]
    for call in calls:
        with pytest.raises(cr.InputError) as caught:
            call()
        assert len(str(caught.value)) < 500
        assert str(caught.value).isprintable()


def test_a_thing_of_your_own_is_found_where_its_kind_is_asked_for() -> None:
    mine = cr.Activation("bent", value=lambda z: z, slope=lambda z, f: 1.0)
    assert ACTIVATIONS.find("bent", own=[cr.losses.huber(), mine]) is mine
    assert cr.losses.LOSSES.find("huber", own=[mine]) == cr.losses.huber()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("rleu", "unknown activation 'rleu': did you mean 'relu'?"),
        ("qqqq", "unknown activation 'qqqq': Known: elu"),
        ({"name": "leaky_relu", "negative_slop": 1}, "did you mean 'negative_slope'"),
        ({"name": "leaky_relu", "negative_slope": "a"}, "'leaky_relu' must be a number, not a string"),
        ({"name": "leaky_relu", "negative_slope": float("inf")}, "leaky_relu must be a finite number, but is inf"),
        ({"negative_slope": 1}, "expected a name, an object with a name, or an Activation"),
        (5, "but got 5"),
        (None, "but got None"),
    ],
)
def test_what_is_not_known_is_refused(given: Any, message: str) -> None:
    with pytest.raises(cr.InputError) as caught:
        ACTIVATIONS.find(given)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_name_of_ours_cannot_be_given_to_a_definition_of_your_own() -> None:
    """A file would hold the name alone, and be read back as ours."""
    with pytest.raises(cr.InputError, match="an activation of your own cannot be called 'tanh'"):
        cr.Dense(1, cr.Activation("tanh", value=lambda z: z, slope=lambda z, f: 1.0))


def test_the_text_and_the_json_of_a_thing_show_its_parameters() -> None:
    assert describe("tanh", {}) == "tanh"
    assert describe("elu", {"alpha": 2.0}) == {"name": "elu", "alpha": 2.0}
    assert as_call("elu", {"alpha": 2.0}) == "elu(alpha=2.0)"


@pytest.mark.parametrize("value", [math.nan, math.inf, "1", True, None, 10**400, [1.0]])
def test_a_number_is_finite_and_neither_text_nor_boolean(value: Any) -> None:
    with pytest.raises(cr.InputError, match="rate must be a finite number"):
        number("rate", value)


def test_a_number_lies_between_its_bounds() -> None:
    assert number("rate", 0, 0.0) == 0.0
    with pytest.raises(cr.InputError, match="rate must be a finite number above 0 and below 1, but is 0"):
        number("rate", 0, 0.0, 1.0, above=True, below=True)
    assert whole("units", 3, 1) == 3
    with pytest.raises(cr.InputError, match="units must be a whole number of at least 1 and at most 5, but is 6"):
        whole("units", 6, 1, 5)
