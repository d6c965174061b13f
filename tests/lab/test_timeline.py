"""The timeline: its numbers are the library's, and what can be pointed at is the same in symbols, numbers and words."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.formula import text
from chainrule.lab.figures import figure, matrix, number
from tests.helpers.asking import ask

OUTPUTS = {
    "squared_error": "tanh identity logistic softmax exponential",
    "absolute_error": "sin softplus",
    "half_squared_error": "identity silu",
    "huber": "identity elu",
    "cross_entropy": "softmax",
    "binary_cross_entropy": "logistic",
}
HIDDEN = "tanh logistic relu leaky_relu identity sin softsign gelu"
LARGE = {"inputs": 64, "layers": [{"units": 12, "bias": True}] * 8, "x": [0.1] * 64, "y": [0.5] * 12}


def timeline(scene: dict[str, Any]) -> Any:
    return ask(None, "/api/timeline", {"scene": scene})  # type: ignore[arg-type]


def step(answer: Any, name: str) -> Any:
    return next(one for one in answer["steps"] if one["name"] == name)


@st.composite
def scenes(draw: st.DrawFn) -> dict[str, Any]:
    """Return a chain, a network that is small enough to be written unit by unit, or a larger one."""
    widths = draw(st.sampled_from([[1, 1], [1, 1, 1, 1], [2, 2, 2], [1, 3, 1], [2, 3, 2], [3, 8, 4]]))
    loss = draw(st.sampled_from(sorted(OUTPUTS)))
    output = draw(st.sampled_from(OUTPUTS[loss].split()))
    assume(output != "softmax" or widths[-1] > 1)
    names = [*(draw(st.sampled_from(HIDDEN.split())) for _ in widths[2:]), output]
    biased = [draw(st.booleans()) for _ in names]
    random = np.random.default_rng(draw(st.integers(0, 1000)))

    def numbers(*shape: int) -> Any:
        return np.round(random.uniform(-2, 2, shape), 3).tolist()

    y = [abs(one) / 2 for one in numbers(widths[-1])]
    return {
        "inputs": widths[0],
        "layers": [
            {"units": units, "activation": name, "bias": bias}
            for units, name, bias in zip(widths[1:], names, biased, strict=True)
        ],
        "loss": loss,
        "weights": [numbers(*shape) for shape in pairwise(widths)],
        "biases": [numbers(units) if bias else None for units, bias in zip(widths[1:], biased, strict=True)],
        "x": numbers(widths[0]),
        "y": [float(draw(st.integers(0, widths[-1] - 1)))] if loss == "cross_entropy" else y,
        "learning_rate": draw(st.sampled_from([0.01, 0.5, 3.0])),
        "sign": draw(st.sampled_from(["f-y", "y-f"])),
        "notation": draw(st.sampled_from(["lecture", "superscript"])),
    }


def library(scene: dict[str, Any]) -> tuple[cr.Network, cr.Parameters, Any, Any]:
    layers = [cr.Dense(one["units"], one["activation"], one["bias"]) for one in scene["layers"]]
    net = cr.Network(scene["inputs"], layers, scene["loss"])
    y = scene["y"] if scene["loss"] == "cross_entropy" else [scene["y"]]
    return net, net.pack(scene["weights"], scene["biases"]), [scene["x"]], y


def same(numbers: Any, arrays: Any) -> bool:
    return all(
        (one is None and array is None) or np.array_equal(one, np.reshape(array, np.shape(one)))
        for one, array in zip(numbers, arrays, strict=True)
    )


@given(scenes())
def test_every_number_is_that_of_backprop_and_the_step_that_of_sgd(scene: dict[str, Any]) -> None:
    answer = timeline(scene)
    net, params, x, y = library(scene)
    trace = cr.backprop(net, params, x, y)
    for name in ("z", "f", "delta"):
        assert same(answer[name], getattr(trace, name))
    assert answer["loss"] == trace.loss
    assert answer["output"] == answer["f"][-1]
    for what in ("weights", "biases"):
        gradient = getattr(trace.gradient, what)
        assert same(answer["gradient"][what], gradient)
        for before, slope, after in zip(answer[what], gradient, answer["updated"][what], strict=True):
            if before is not None:
                np.testing.assert_array_equal(after, np.subtract(before, scene["learning_rate"] * slope))


@given(scenes())
def test_the_value_of_a_step_is_the_number_that_stands_elsewhere(scene: dict[str, Any]) -> None:
    answer = timeline(scene)
    for one in answer["steps"]:
        if answer["in_matrices"]:
            assert one["numbers"] is None
            assert (one["value"] is None) == one["result"].startswith("<math>")
            continue
        layer, unit, before = one["layer"], one["unit"], one["from"]
        match one["kind"]:
            case "loss":
                wanted = answer["loss"]
            case "z" | "f" | "delta" as kind:
                wanted = answer[kind][layer][unit - 1]
            case "gradient" | "update" as kind:
                of = answer["gradient" if kind == "gradient" else "updated"]
                biases, weights = of["biases"][layer - 1], of["weights"][layer - 1]
                wanted = weights[before - 1][unit - 1] if before else biases[unit - 1]
        assert one["value"] == wanted
        assert one["result"] == figure(wanted)
        assert one["announcement"].endswith(f" = {one['result']}")


@given(scenes())
def test_what_can_be_pointed_at_is_the_same_in_symbols_numbers_and_words(scene: dict[str, Any]) -> None:
    for one in timeline(scene)["steps"]:
        symbols = named(one["symbols"])
        assert list(dict.fromkeys(symbols)) == [part["symbol"] for part in one["parts"]]
        assert all(part["word"] and part["label"] for part in one["parts"])
        if one["numbers"] is not None:
            assert named(one["numbers"]) == symbols
        if one["unrolled"] is not None:
            assert list(dict.fromkeys(named(one["unrolled"]))) == [part["symbol"] for part in one["unrolled_parts"]]
            assert not any(name.startswith("delta") for name in named(one["unrolled"]))


def named(formula: str) -> list[str]:
    """Return what is named on the right side of a formula, in order."""
    left, _, right = ElementTree.fromstring(formula)
    assert left.get("class") == "left"
    assert right.get("class") == "right"
    return [name for element in right.iter() if (name := element.get("data-symbol"))]


def shown(formula: str) -> str:
    return "".join(ElementTree.fromstring(formula).itertext()).replace("\u2062", "").replace("\u2061", "")


def test_steps_come_in_the_order_of_the_lecture() -> None:
    names = [one["name"] for one in timeline({"layers": [{}, {}]})["steps"]]
    assert names == [
        "z_1", "f_1", "z_2", "f_2", "loss", "delta_2", "delta_1",
        "gradient w_1", "gradient w_2", "update w_1", "update w_2",
    ]  # fmt: skip


def test_a_step_of_the_chain_in_words_symbols_and_numbers() -> None:
    weights = [[[1.0]], [[-2.0]], [[0.5]]]
    answer = timeline({"weights": weights})
    one = step(answer, "delta_1")
    assert (one["kind"], one["layer"], one["unit"], one["from"], one["title"]) == ("delta", 1, 1, None, "δ₁")
    assert one["words"].startswith("z₁ acts on the loss only through z₂: so δ₁ is δ₂, times the weight")
    assert shown(one["symbols"]) == "δ1=δ2w2(1−f12)"
    assert shown(one["numbers"]) == "δ1=(−0.4744)·(−2)(1−0.46212)"
    assert (one["result"], one["announcement"]) == ("0.7462", "delta 1 = 0.7462")
    assert shown(one["unrolled"]) == "δ1=(1−f12)(1−f22)(1−f32)·w2w3·2(f3−y)"
    assert [(part["label"], part["word"], part["kind"], part["layer"]) for part in one["parts"]] == [
        ("δ₂", "the error of layer 2", "delta", 2),
        ("w₂", "the weight of layer 2", "w", 2),
        ("f′(z₁)", "the slope of tanh at layer 1", "slope", 1),
        ("f₁", "the activation of layer 1", "f", 1),
    ]
    update = step(answer, "update w_1")
    assert shown(update["symbols"]).startswith("w1←w1−η")
    assert [part["word"] for part in update["parts"]] == [
        "the weight of layer 1", "the learning rate", "the gradient for the weight of layer 1",
    ]  # fmt: skip


def test_a_step_of_a_small_network_says_which_unit_is_meant() -> None:
    answer = timeline({"inputs": 2, "layers": [{"units": 2, "activation": "logistic", "bias": True}, {}], "x": [1, 2]})
    one = step(answer, "gradient w_{1,2,1}")
    assert (one["layer"], one["unit"], one["from"]) == (1, 1, 2)
    assert [part["word"] for part in one["parts"]] == ["input 2", "the error of unit 1 of layer 1"]
    assert step(answer, "gradient b_{1,2}")["from"] == 0
    assert [part["symbol"] for part in step(answer, "delta_{1,2}")["parts"]] == [
        "delta_{2,1}", "w_{2,2,1}", "slope_{1,2}", "f_{1,2}",
    ]  # fmt: skip
    assert step(answer, "z_{1,1}")["parts"][1]["word"] == "the weight from input 1 to unit 1 of layer 1"


def test_the_difference_is_written_as_it_is_asked_for() -> None:
    assert shown(step(timeline({"sign": "f-y"}), "delta_3")["symbols"]) == "δ3=2(f3−y)(1−f32)"
    turned = step(timeline({"sign": "y-f"}), "delta_3")
    assert shown(turned["symbols"]) == "δ3=−2(y−f3)(1−f32)"
    assert turned["parts"][0]["symbol"] == "loss_slope"


def test_layers_may_stand_above_while_names_stay_the_lectures() -> None:
    lecture, books = (timeline({"notation": notation}) for notation in ("lecture", "superscript"))
    one = step(books, "delta_1")
    assert one["title"] == "δ⁽¹⁾"
    assert one["words"].startswith("z⁽¹⁾ acts on the loss only through z⁽²⁾: so δ⁽¹⁾ is δ⁽²⁾")
    assert shown(one["symbols"]) == "δ(1)=δ(2)w(2)(1−(a(1))2)"
    assert [part["label"] for part in one["parts"]] == ["δ⁽²⁾", "w⁽²⁾", "f′(z⁽¹⁾)", "a⁽¹⁾"]
    for ours, theirs in zip(lecture["steps"], books["steps"], strict=True):
        assert ours["name"] == theirs["name"]
        assert named(ours["symbols"]) == named(theirs["symbols"])


def test_a_large_network_is_written_in_matrices_and_all_its_numbers_are_there() -> None:
    answer = timeline(LARGE)
    assert answer["in_matrices"]
    assert np.shape(answer["gradient"]["weights"][0]) == (64, 12)
    one = step(answer, "delta_1")
    assert (one["unit"], one["numbers"], one["value"], one["unrolled"]) == (None, None, None, None)
    assert [part["word"] for part in one["parts"]] == [
        "the errors of layer 2",
        "the weights of layer 2",
        "the slopes of tanh at layer 1",
        "the activations of layer 1",
    ]
    assert len(re.findall("<mtd>", one["result"])) == 12
    assert shown(step(answer, "gradient W_1")["result"]) == "64 × 12 numbers"
    assert one["announcement"] == "delta 1 = 1 × 12 numbers"
    assert len(json.dumps(answer)) < 400_000


def test_an_unrolled_formula_that_nobody_would_read_is_left_out() -> None:
    answer = timeline({"inputs": 3, "layers": [{"units": 3}] * 5, "x": [1, 2, 3], "y": [1, 2, 3]})
    assert not answer["in_matrices"]
    first, last = (step(answer, f"gradient w_{{{layer},1,1}}") for layer in (1, 5))
    assert (first["unrolled"], first["unrolled_parts"]) == (None, [])
    assert last["unrolled"] is not None


def test_numbers_without_bounds_are_null_and_shown_as_what_they_are() -> None:
    scene = {"layers": [{"activation": "exponential"}] * 3, "weights": [[[5]], [[3]], [[1]]], "x": [30]}
    answer = timeline(scene)
    assert answer["f"][2] == [None]
    assert answer["loss"] is None
    one = step(answer, "f_2")
    assert (one["value"], one["result"]) == (None, "∞")
    assert shown(step(answer, "z_3")["numbers"]) == "z3=∞·1"
    assert answer["updated"]["weights"][0] == [[None]]


@pytest.mark.parametrize(
    ("scene", "message"),
    [
        ({"x": [1, 2]}, "x has 2 numbers, but the network has 1 input: give one number for each"),
        ({"y": [1, 2]}, "y has 2 numbers, but the network has 1 output: give one number for each"),
        (
            {"layers": [{"units": 3, "activation": "softmax"}], "loss": "cross_entropy", "y": [1, 0]},
            "give one number for each or one class number",
        ),
        (
            {"layers": [{"units": 3, "activation": "softmax"}], "loss": "cross_entropy", "y": [3]},
            "3 in row 1 is no class number from 0 to 2",
        ),
        ({"weights": [[[1]]]}, "weights: 1 given for 3 layers"),
        ({"weights": [[[1, 2]], [[1]], [[1]]]}, r"W_1 has the shape \(1, 2\), but must be \(1, 1\)"),
        ({"inputs": 2, "x": [1, 2], "weights": [[[1], []], [[1]], [[1]]]}, "W_1 is no array of numbers"),
        ({"layers": [{"activation": "tanch"}]}, "did you mean 'tanh'"),
        ({"layers": [{"activation": "softmax"}]}, "softmax needs 2 or more units"),
    ],
)
def test_what_does_not_fit_is_said_with_what_to_do(scene: dict[str, Any], message: str) -> None:
    for path in ("/api/timeline", "/api/check"):
        with pytest.raises(cr.InputError, match=message):
            ask(None, path, {"scene": scene})  # type: ignore[arg-type]


@settings(max_examples=10)
@given(scenes())
def test_difference_quotients_stand_beside_the_gradient(scene: dict[str, Any]) -> None:
    answer, found = timeline(scene), ask(None, "/api/check", {"scene": scene})  # type: ignore[arg-type]
    pairs = [
        (quotient, slope, agrees)
        for what in ("weights", "biases")
        for of in zip(found[what], answer["gradient"][what], found["agreement"][what], strict=True)
        if of[0] is not None
        for quotient, slope, agrees in zip(*map(np.ravel, of), strict=True)
    ]
    assert found["verdict"] != "wrong"
    for quotient, slope, agrees in pairs:
        assert agrees in ((None,) if quotient is None else (True, None))  # None: rounding hides it
        assert quotient is None or quotient == pytest.approx(slope, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize(("error", "agrees"), [(2e-5, False), (1e-8, True)])
def test_each_gradient_is_judged_by_its_own_size(monkeypatch: pytest.MonkeyPatch, error: float, agrees: bool) -> None:
    net = cr.Network(2, [cr.Dense(1, "identity", bias=False)])
    right = cr.verify(net, net.pack([[[0.0], [1.0]]]), [[1e-3, 1]], [0])
    wrong = replace(right, quotients=net.pack([[[2e-3 * (1 + error)], [2.0]]]))
    monkeypatch.setattr("chainrule.lab.timeline.verify", lambda *_, **__: wrong)
    scene = {"inputs": 2, "layers": [{"activation": "identity"}], "weights": [[[0], [1]]], "x": [1e-3, 1], "y": [0]}
    found = ask(None, "/api/check", {"scene": scene})  # type: ignore[arg-type]
    assert found["agreement"]["weights"] == [[[agrees], [True]]]  # of 0.002 and of 2, by which verify judges both


@pytest.mark.parametrize("size", [1.0, 400.0, 1e6])
def test_a_gradient_agrees_however_large_its_input_is(size: float) -> None:
    """A step of 10⁻⁴ would move z by a hundred."""
    scene = {"layers": [{}], "weights": [[[1 / size]]], "x": [size], "y": [0.8]}
    found = ask(None, "/api/check", {"scene": scene})  # type: ignore[arg-type]
    assert found["agreement"]["weights"] == [[[True]]]
    assert found["h"]["weights"][0][0][0] == pytest.approx(1e-4 / size)


def test_where_numbers_overflow_there_is_no_verdict() -> None:
    scene = {"layers": [{"activation": "exponential"}], "weights": [[[354]]], "x": [1], "y": [0]}
    found = ask(None, "/api/check", {"scene": scene})  # type: ignore[arg-type]
    assert found["agreement"]["weights"] == [[[None]]]


def test_a_gradient_that_rounding_hides_is_not_judged() -> None:
    scene = {"layers": [{"activation": "logistic"}] * 2, "weights": [[[30]], [[1]]], "x": [1], "y": [0]}
    found = ask(None, "/api/check", {"scene": scene})  # type: ignore[arg-type]
    assert found["agreement"]["weights"] == [[[None]], [[True]]]
    assert found["weights"][0][0][0] is not None


def test_a_quotient_that_would_cross_a_kink_is_null() -> None:
    scene = {"layers": [{"activation": "relu"}], "weights": [[[1e-5]]], "x": [1]}
    found = ask(None, "/api/check", {"scene": scene})  # type: ignore[arg-type]
    assert found["weights"] == [[[None]]]
    assert found["agreement"] == {"weights": [[[None]]], "biases": [None]}


@given(st.floats())
def test_a_figure_is_the_number_that_formulae_show(value: float) -> None:
    assert figure(value) == text(number(value))


def test_figures_have_four_digits_and_far_from_1_a_power_of_ten() -> None:
    assert [figure(one) for one in (0.0421, -3.0, 12345.6, 7.3672e-6, -1.2e9, 0.015625, -0.0)] == [
        "0.0421", "−3", "12350", "7.367·10⁻⁶", "−1.2·10⁹", "0.01563", "0",
    ]  # fmt: skip
    assert shown(matrix([[1, 2], [3, -4]])) == "[123−4]"


def test_biases_are_not_given_without_weights() -> None:
    with pytest.raises(cr.InputError, match="biases without weights"):
        timeline({"layers": [{"bias": True}], "biases": [[5.0]]})
