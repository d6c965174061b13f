"""A scene is made one whose parts go together, and keeps what fits."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule.activations import ACTIVATIONS
from chainrule.errors import InputError
from chainrule.lab.endpoints import Lab
from chainrule.lab.fitting import Fit, fit
from chainrule.lab.scene import Layer, Scene
from chainrule.losses import LOSSES


def fitted(keep: str = "loss", **scene: Any) -> Any:
    """Return what the page is told of a scene."""
    body = msgspec.convert({"scene": scene, "keep": keep}, Fit)
    return msgspec.json.decode(msgspec.json.encode(fit(Lab(pytest.fail), body)))


def layers(*units: int, **others: Any) -> list[dict[str, Any]]:
    return [{"units": count, **others} for count in units]


def test_a_scene_that_fits_stays_as_it_is() -> None:
    told = fitted()
    assert told["scene"] == msgspec.to_builtins(Scene(), str_keys=True) | {
        "layers": layers(1, 1, 1, activation="tanh", bias=False),
        "x": [0.5],
        "y": [0.8],
    }
    assert told["changed"] == []


def test_weights_that_are_not_given_are_the_seeds() -> None:
    told = fitted(seed=5)
    drawn = Scene(seed=5).network().initial(5)
    assert told["scene"]["weights"] is None
    assert told["weights"] == [array.tolist() for array in drawn.weights]
    assert told["biases"] == [None, None, None]


def test_weights_between_units_that_stay_keep_their_numbers() -> None:
    told = fitted(inputs=2, layers=layers(3, 1, bias=True), weights=[[[0.1, 0.2]], [[0.3], [0.4]]], biases=[[9], None])
    first, second = told["weights"]
    assert first[0][:2] == [0.1, 0.2]
    assert second[:2] == [[0.3], [0.4]]
    assert [len(first), len(first[0]), len(second)] == [2, 3, 3]
    assert told["biases"] == [[9, 0, 0], [0]]
    assert told["scene"]["weights"] == told["weights"]


def test_a_layer_between_others_gets_weights_of_its_own() -> None:
    told = fitted(layers=layers(1, 1, 1), weights=[[[0.1]], [], [[0.3]]], biases=[None, None, None])
    assert [told["weights"][0], told["weights"][2]] == [[[0.1]], [[0.3]]]
    assert told["weights"][1] == [[float(Scene().network().initial(0).weights[1][0, 0])]]


def test_x_and_y_are_cut_or_filled_up() -> None:
    told = fitted(inputs=3, layers=layers(2), x=[0.1], y=[0.2, 0.3, 0.4])
    assert told["scene"]["x"] == [0.1, 0.5, 0.5]
    assert told["scene"]["y"] == [0.2, 0.3]


def test_a_loss_brings_its_output_along() -> None:
    told = fitted(loss="cross_entropy")
    assert told["scene"]["layers"][-1] == {"units": 2, "activation": "softmax", "bias": False}
    assert told["changed"] == [
        "The loss cross entropy needs an output with softmax, so it has softmax now.",
        "With one unit, softmax would always be 1, so the output has two now.",
    ]


def test_an_output_that_is_to_stay_brings_a_loss_along() -> None:
    told = fitted("output", loss="binary_cross_entropy")
    assert told["scene"]["loss"] == "squared_error"
    assert told["scene"]["layers"][-1]["activation"] == "tanh"


def test_softmax_gives_way_where_it_is_no_longer_the_output() -> None:
    told = fitted(layers=[*layers(2, activation="softmax"), *layers(2)])
    assert told["scene"]["layers"][0]["activation"] == "tanh"
    assert told["changed"] == ["Only the output can have softmax, so layer 1 has tanh now."]


@pytest.mark.parametrize(("y", "chosen"), [([0.8], 1), ([7], 2), ([-1], 0), ([0.2, 0.5, 0.3], 1)])
def test_a_class_is_a_whole_number(y: list[float], chosen: int) -> None:
    assert fitted(layers=layers(3, activation="softmax"), loss="cross_entropy", y=y)["scene"]["y"] == [chosen]


def test_targets_lie_where_the_loss_is_defined() -> None:
    assert fitted(layers=layers(1, activation="logistic"), loss="binary_cross_entropy", y=[3])["scene"]["y"] == [1]


def test_numbers_are_called_as_in_the_formulae() -> None:
    assert fitted()["names"] == {
        "x": ["x"],
        "f": [["x"], ["f₁"], ["f₂"]],
        "z": [["z₁"], ["z₂"], ["z₃"]],
        "y": ["y"],
        "weights": [[["w₁"]], [["w₂"]], [["w₃"]]],
        "biases": [None] * 3,
    }
    many = fitted(inputs=2, layers=layers(2, bias=True), y=[0, 0])["names"]
    assert many["x"] == ["x₁", "x₂"]
    assert many["weights"] == [[["w₁,₁,₁", "w₁,₁,₂"], ["w₁,₂,₁", "w₁,₂,₂"]]]
    assert many["biases"] == [["b₁,₁", "b₁,₂"]]


def test_names_in_the_other_notation() -> None:
    assert fitted(notation="superscript")["names"]["weights"][1] == [["w⁽²⁾"]]
    many = fitted(notation="superscript", layers=layers(2, bias=True), y=[0, 0])["names"]
    assert many["z"] == [["z⁽¹⁾₁", "z⁽¹⁾₂"]]
    assert many["weights"] == [[["w⁽¹⁾₁,₁", "w⁽¹⁾₁,₂"]]]


def test_what_is_unknown_is_refused() -> None:
    with pytest.raises(InputError, match="tahn"):
        fitted(layers=layers(1, activation="tahn"))


@given(
    inputs=st.integers(1, 4),
    of_layers=st.lists(
        st.builds(Layer, st.integers(1, 4), st.sampled_from(list(ACTIVATIONS)), st.booleans()), min_size=1, max_size=4
    ),
    loss=st.sampled_from(list(LOSSES)),
    keep=st.sampled_from(["loss", "output"]),
    numbers=st.none() | st.lists(st.lists(st.lists(st.floats(-2, 2), max_size=5), max_size=5), max_size=4),
    y=st.lists(st.floats(-3, 3), min_size=1, max_size=5),
)
def test_whatever_is_asked_for_is_made_a_scene(
    inputs: int, of_layers: list[Layer], loss: str, keep: Any, numbers: Any, y: Any
) -> None:
    weights = None if numbers is None else tuple(tuple(map(tuple, matrix)) for matrix in numbers)
    scene = Scene(inputs=inputs, layers=tuple(of_layers), loss=loss, weights=weights, y=tuple(y))
    made = fit(Lab(pytest.fail), Fit(scene, keep))["scene"]
    net = made.network()
    made.parameters(net)
    assert len(made.x) == net.inputs
    assert made == fit(Lab(pytest.fail), Fit(made, keep))["scene"]
