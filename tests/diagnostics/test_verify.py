"""verify tells right gradients from wrong ones, and says when it cannot tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.activations import ACTIVATIONS, Activation
from chainrule.losses import LOSSES, Loss

X, Y = [[0.3, -0.5]], [0.7]


def test_a_chain_is_held_to_its_closed_form_as_well() -> None:
    net = cr.chain(3)
    found = cr.verify(net, net.initial(seed=0), x=0.5, y=0.8)
    assert found
    assert found.checked == 3
    assert found.closed_form_error is not None
    assert found.closed_form_error < 1e-14
    assert "closed form of the chain" in repr(found)


def test_a_wrong_slope_is_found_and_the_worst_parameter_named() -> None:
    wrong = cr.Activation("wrong", value=lambda z: z**2, slope=lambda z, f: z)
    net = cr.Network(2, [cr.Dense(3, wrong), cr.Dense(1)])
    found = cr.verify(net, net.initial(), X, Y)
    assert not found
    assert repr(found).startswith("gradient WRONG: 13 parameters checked")
    assert found.worst.startswith(("W_1[", "b_1["))


def test_a_slope_that_is_wrong_by_a_part_in_a_hundred_thousand_is_found() -> None:
    wrong = cr.Activation("wrong", value=lambda z: z**2, slope=lambda z, f: 2.00002 * z)
    net = cr.Network(2, [cr.Dense(3, wrong), cr.Dense(1)])
    assert not cr.verify(net, net.initial(), X, Y)


def test_a_loss_whose_slope_forgets_the_number_of_outputs_is_found() -> None:
    """As in scikit-learn's multi-output squared error, whose gradient is the loss's times the outputs."""
    forgetful = cr.Loss("forgetful", value=lambda y, f: (y - f) ** 2, slope=lambda y, f: 2.0 * (f - y) * 2)
    net = cr.Network(2, [cr.Dense(3, "tanh"), cr.Dense(2)], forgetful)
    found = cr.verify(net, net.initial(), X, [[0.7, 0.1]])
    assert not found
    assert found.error == pytest.approx(0.5, rel=1e-6)


def test_a_right_gradient_is_found_right_with_a_column_in_its_raw_unit() -> None:
    net = cr.Network(2, [cr.Dense(3, "tanh"), cr.Dense(1)])
    params = net.pack([[[1e-3, -2e-3, 1e-4], [0.5, 0.1, -0.4]], np.ones((3, 1))])
    assert cr.verify(net, params, [[700.0, 0.3], [-900.0, 0.2]], [0.7, 0.1])


def test_a_step_is_never_lost_in_the_rounding_of_its_parameter() -> None:
    net = cr.chain(2, "identity")
    assert cr.verify(net, net.pack([1e10, 1.0]), x=1e10, y=0.0)  # w₂ multiplies 10²⁰


@pytest.mark.parametrize("name", ["relu", "elu", "softsign"])
def test_parameters_whose_quotient_would_cross_a_kink_are_left_out(name: str) -> None:
    net = cr.Network(1, [cr.Dense(1, name), cr.Dense(1)])
    found = cr.verify(net, net.pack([1e-5, 1.0]), x=1.0, y=0.7)  # z₁ = 1e-5
    assert found
    assert (found.checked, found.near_kink) == (2, 2)
    assert "2 parameters left out" in repr(found)


def test_a_network_that_lies_on_a_kink_is_neither_right_nor_wrong() -> None:
    net = cr.chain(1, "relu")
    found = cr.verify(net, net.pack([0.0]), x=1.0, y=0.7)
    assert not found
    assert found.verdict == "not judged"
    assert repr(found).startswith("gradient NOT JUDGED")


def test_beside_a_kink_the_factors_are_judged_with_smaller_steps() -> None:
    net = cr.chain(1, "relu")
    found = cr.verify(net, net.pack([1e-5]), x=1.0, y=0.7)
    assert (found.verdict, found.checked, found.near_kink) == ("right", 0, 1)


def test_a_wrong_slope_is_found_where_the_gradient_is_small_beside_that_of_later_layers() -> None:
    wrong = cr.Activation("wrong", value=lambda z: z**2, slope=lambda z, f: 5.0 * z)
    net = cr.Network(2, [cr.Dense(3, wrong), *[cr.Dense(3, "logistic")] * 5, cr.Dense(1)])
    params = net.initial()
    gradient = cr.backprop(net, params, X, Y).gradient
    assert np.abs(gradient.weights[0]).max() < 1e-2 * np.abs(gradient.weights[-1]).max()
    assert not cr.verify(net, params, X, Y)


def test_a_gradient_too_small_to_be_judged_is_said_to_be_so() -> None:
    net = cr.Network(2, [cr.Dense(3, "logistic") for _ in range(12)] + [cr.Dense(1)])
    found = cr.verify(net, net.initial(), X, Y)
    assert found
    assert found.too_small > 0
    assert "their gradient nearly vanishes" in repr(found)


def test_a_gradient_that_vanishes_is_not_called_wrong_for_its_rounding() -> None:
    net = cr.Network(2, [cr.Dense(2, "softmax")], "absolute_error")
    assert cr.verify(net, net.initial(), X, [[2.0, 2.0]])  # f₁ + f₂ = 1, so the loss is constant


def test_of_many_parameters_two_hundred_are_checked() -> None:
    net = cr.Network(30, [cr.Dense(20, "tanh"), cr.Dense(1)])
    assert cr.verify(net, net.initial(), np.ones((2, 30)), [1.0, 2.0]).checked == 200


def test_the_quotients_stand_where_the_gradient_does() -> None:
    net = cr.Network(2, [cr.Dense(3, "tanh"), cr.Dense(1, "relu", bias=False)])
    params = net.initial()
    found = cr.verify(net, params, X, Y)
    gradient = cr.backprop(net, params, X, Y).gradient
    np.testing.assert_allclose(found.quotients.vector, gradient.vector, atol=1e-9)
    assert found.quotients.biases[1] is None


def test_where_no_quotient_was_made_there_is_none() -> None:
    net = cr.Network(30, [cr.Dense(20, "tanh"), cr.Dense(1)])
    found = cr.verify(net, net.initial(), np.ones((2, 30)), [1.0, 2.0], most=50)
    assert (found.checked, np.isfinite(found.quotients.vector).sum()) == (50, 50)
    on_a_kink = cr.verify(cr.chain(1, "relu"), cr.chain(1, "relu").pack([1e-5]), x=1.0, y=0.7)
    assert np.isnan(on_a_kink.quotients.vector).all()


def test_a_gradient_that_is_not_finite_has_nothing_to_be_compared_with() -> None:
    net = cr.chain(2, "exponential")
    with pytest.raises(cr.InputError, match="the gradient is not finite at these parameters"):
        cr.verify(net, net.pack([1e3, 1.0]), x=1.0, y=0.0)


@pytest.mark.parametrize("layer", [1, 10, 19])
def test_a_doubled_derivative_is_found_though_its_gradient_vanishes(layer: int) -> None:
    doubled = scaled(ACTIVATIONS.find("logistic"), 2.0)
    layers = [cr.Dense(3, doubled if i == layer else "logistic") for i in range(1, 21)]
    net = cr.Network(2, [*layers, cr.Dense(1)])
    found = cr.verify(net, net.initial(), X, Y)
    assert found.verdict == "wrong"
    assert f"layer {layer}: the derivative is 2.00 times the quotient" in repr(found)


@pytest.mark.parametrize("depth", [3, 15, 20, 40])
@pytest.mark.parametrize("name", ["logistic", "softmax"])
def test_a_back_of_your_own_is_judged_however_small_the_gradient_that_arrives(name: str, depth: int) -> None:
    for factor, verdict in ((1.0, "right"), (2.0, "wrong")):
        own = with_own_back(ACTIVATIONS.find(name), factor)
        net = cr.Network(2, [cr.Dense(3, own), *[cr.Dense(3, "logistic")] * (depth - 2), cr.Dense(1)])
        found = cr.verify(net, net.initial(), X, Y)
        assert found.verdict == verdict
        assert found.faults == (() if factor == 1.0 else ("layer 1: the derivative is 2.00 times the quotient",))


@pytest.mark.parametrize(("last", "bias"), [("relu", -5.0), ("logistic", -800.0)])
def test_a_wrong_derivative_below_a_unit_that_passes_nothing_on_is_found(last: str, bias: float) -> None:
    """A dead relu makes δ of the layer below 0, whatever the derivative there; so does an underflow."""
    for factor, verdict in ((1.0, "right"), (2.0, "wrong")):
        for own in (scaled(ACTIVATIONS.find("tanh"), factor), with_own_back(ACTIVATIONS.find("softmax"), factor)):
            net = cr.Network(2, [cr.Dense(3, own), cr.Dense(1, last)])
            weights = [np.full((2, 3), 0.3) + np.eye(2, 3), np.full((3, 1), 0.5)]
            params = cr.Parameters(weights, [np.full(3, 0.1), np.array([bias])])
            assert cr.verify(net, params, X, Y).verdict == verdict


def test_rows_that_weigh_nothing_are_not_judged() -> None:
    wrong = cr.Activation("own", value=np.sin, slope=lambda z, f: np.where(z > 0.0, np.cos(z), 5.0))
    net = cr.Network(1, [cr.Dense(1, wrong, bias=False), cr.Dense(1)])
    params, x, y = net.pack([1.0, 1.0]), [[0.5], [-0.5]], [0.7, 0.7]
    assert cr.verify(net, params, x, y, [1.0, 0.0]).verdict == "right"
    assert cr.verify(net, params, x, y, [1.0, 1e-9]).verdict == "wrong"


def test_a_back_that_is_not_linear_in_what_arrives_is_wrong() -> None:
    class Clipped(Activation):
        def back(self, slope_of_loss: Any, z: Any, f: Any) -> Any:
            return super().back(np.clip(slope_of_loss, -0.1, 0.1), z, f)

    tanh = ACTIVATIONS.find("tanh")
    net = cr.Network(1, [cr.Dense(1, Clipped("clipped", tanh.value, tanh.slope)), cr.Dense(1)])
    found = cr.verify(net, net.pack([1.0, 1.0]), x=1.0, y=3.0)
    assert found.verdict == "wrong"
    assert "layer 1: δ is 0.25 times the product of its factors" in found.faults


def test_a_wrong_back_whose_derivative_rounding_hides_is_not_judged() -> None:
    for name, verdict in (("tanh", "wrong"), ("logistic", "not judged")):
        own = with_own_back(ACTIVATIONS.find(name), 2.0)
        net = cr.Network(1, [cr.Dense(1, own), cr.Dense(1)])
        assert cr.verify(net, net.pack([0.5 if name == "tanh" else 30.0, 1.0]), x=1.0, y=0.8).verdict == verdict


def test_a_derivative_that_rounding_hides_everywhere_is_not_judged() -> None:
    net = cr.chain(2, "logistic")
    found = cr.verify(
        net, net.pack([30.0, 1.0]), x=1.0, y=0.8
    )  # f(z) is 1 but for some hundred units in the last place
    assert (bool(found), found.verdict, found.unjudged) == (False, "not judged", 1)


@pytest.mark.parametrize("z", [0.0, 1e-12, 1e-5, 5e-5])
def test_a_kink_that_is_not_listed_is_named_as_possible(z: float) -> None:
    own = cr.Activation("own", value=lambda z: np.maximum(z, 0.0), slope=lambda z, f: 1.0 * (z > 0.0))
    net = cr.Network(1, [cr.Dense(1, own), cr.Dense(1)])
    found = cr.verify(net, net.pack([z, 1.0]), x=1.0, y=0.7)
    assert found.verdict == "not judged"
    assert "a kink that is not listed in kinks= is possible: layer 1, own at" in repr(found)


def test_a_kink_of_an_activation_with_its_own_back_is_named_as_possible() -> None:
    own = with_own_back(cr.Activation("own", value=lambda z: np.maximum(z, 0.0), slope=lambda z, f: 1.0 * (z > 0.0)))
    net = cr.Network(1, [cr.Dense(2, own), cr.Dense(1)])
    found = cr.verify(net, net.pack([[[1e-12, 1.0]], [[1.0], [1.0]]]), x=1.0, y=0.7)
    assert found.verdict == "not judged"
    assert found.kinks == ("layer 1, own at 1e-12",)


def test_a_kink_of_a_loss_that_is_not_listed_is_named_as_possible() -> None:
    own = cr.Loss("own", value=lambda y, f: np.abs(f - y), slope=lambda y, f: np.sign(f - y))
    net = cr.Network(1, [cr.Dense(1)], own)
    found = cr.verify(net, net.pack([0.7]), x=1.0, y=0.7)
    assert (found.verdict, found.kinks) == ("not judged", ("loss at 0.7",))


def test_beside_a_kink_that_is_not_listed_a_smooth_place_shows_what_is_wrong() -> None:
    own = cr.Activation("own", value=lambda z: np.maximum(z, 0.0), slope=lambda z, f: 1.1 * (z > 0.0))
    net = cr.Network(1, [cr.Dense(2, own), cr.Dense(1)])
    found = cr.verify(net, net.pack([[[0.0, 1.0]], [[1.0], [0.5]]]), x=1.0, y=0.7)
    assert found.verdict == "wrong"
    assert found.faults == ("layer 1: the derivative is 1.10 times the quotient",)
    assert found.kinks


def test_far_from_its_kinks_an_activation_need_not_list_them() -> None:
    own = cr.Activation("own", value=lambda z: np.maximum(z, 0.0), slope=lambda z, f: 1.0 * (z > 0.0))
    net = cr.Network(1, [cr.Dense(1, own), cr.Dense(1)])
    assert cr.verify(net, net.pack([0.5, 1.0]), x=1.0, y=0.7)


@pytest.mark.parametrize(
    ("function", "message"),
    [("deltas", "δ is 2.00 times the product of its factors"), ("gradients", "W_1: the gradient is 2.00 times")],
)
def test_a_wrong_product_is_found(monkeypatch: pytest.MonkeyPatch, function: str, message: str) -> None:
    import chainrule.diagnostics.trace as trace

    right = getattr(trace, function)

    def wrong(net: cr.Network, *rest: Any) -> Any:
        result = right(net, *rest)
        if function == "deltas":
            result[1] = 2.0 * result[1]
        else:
            result.weights[0][...] *= 2.0
        return result

    monkeypatch.setattr(trace, function, wrong)
    net = cr.Network(2, [*[cr.Dense(3, "logistic")] * 12, cr.Dense(1)])
    found = cr.verify(net, net.initial(), X, Y)
    assert found.verdict == "wrong"
    assert message in repr(found)


def test_dropout_and_penalty_are_included_on_request() -> None:
    net = cr.Network(2, [cr.Dense(8, "tanh", dropout=0.5), cr.Dense(1)])
    params = net.initial()
    found = cr.verify(net, params, X, Y, l1=0.1, l2=0.2, dropout=3)
    assert found
    assert repr(found).endswith("with dropout (layer 1)\nwith penalty (l1=0.1, l2=0.2)")
    assert "without dropout (layer 1)" in repr(cr.verify(net, params, X, Y))


ACTIVATION_NAMES = [name for name in ACTIVATIONS if name != "softmax"]


def problems(count: int, seed: int) -> Iterator[tuple[cr.Network, cr.Parameters, Any, Any]]:
    """Yield networks of 1 to 20 layers and widths 1 to 8, whose inputs are from 1e-6 to 1e6 in size."""
    random = np.random.default_rng(seed)
    for number in range(count):
        loss = LOSSES.find(str(random.choice(list(LOSSES))))
        output = str(random.choice(loss.outputs or [*ACTIVATION_NAMES, "softmax"]))
        widths = random.integers(1, 9, random.integers(1, random.choice([4, 21])) + 1).tolist()
        widths[-1] = max(widths[-1], 2 if output == "softmax" else 1)
        hidden = [ACTIVATIONS.find(str(random.choice(ACTIVATION_NAMES))) for _ in widths[2:]]
        hidden = [with_own_back(activation) if random.random() < 0.3 else activation for activation in hidden]
        layers = [
            cr.Dense(units, activation, bool(random.random() < 0.7))
            for units, activation in zip(widths[1:], [*hidden, ACTIVATIONS.find(output)], strict=True)
        ]
        net = cr.Network(widths[0], layers, loss)
        params = net.initial(number)
        params.vector[:] *= random.choice([0.1, 1.0, 3.0, 10.0])
        x = random.normal(size=(3, widths[0])) * 10.0 ** random.uniform(-6, 6)
        y = random.uniform(0.0, 1.0, (3, widths[-1]))
        yield net, params, x, y / y.sum(axis=1, keepdims=True) if output == "softmax" else y


def scaled(activation: Activation, factor: float) -> Activation:
    return replace(activation, name="own", slope=lambda z, f: factor * activation.slope(z, f))


def with_own_back(activation: Activation, factor: float = 1.0) -> Activation:
    """Return the activation as an instance of a subclass whose ``back`` is a factor times the right one."""

    class OwnBack(Activation):
        def back(self, slope_of_loss: Any, z: Any, f: Any) -> Any:
            return factor * activation.back(slope_of_loss, z, f)

    return OwnBack("own", activation.value, activation.slope, kinks=activation.kinks)


def scaled_loss(loss: Loss, factor: float) -> Loss:
    link = loss.link
    if link is not None:
        right = link.delta
        link = replace(link, delta=lambda y, z, f: factor * right(y, z, f))
    return replace(loss, name="own", outputs=(), slope=lambda y, f: factor * loss.slope(y, f), link=link)


def faulty(net: cr.Network, random: np.random.Generator) -> cr.Network:
    """Return the network with one derivative of a layer or of the loss times a factor."""
    factor = float(random.choice([1.001, 2.0, -1.0]))
    place = int(random.integers(len(net.layers)))
    if place == len(net.layers) - 1:
        return cr.Network(net.inputs, net.layers, scaled_loss(net.loss, factor))
    layers = list(net.layers)
    layer = layers[place]
    has_own_back = type(layer.activation).__name__ == "OwnBack"
    activation = (with_own_back if has_own_back else scaled)(layer.activation, factor)
    layers[place] = cr.Dense(layer.units, activation, layer.bias)
    return cr.Network(net.inputs, layers, net.loss)


def check_verdicts(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    verdicts = []
    for net, params, x, y in problems(count, seed):
        wrong = faulty(net, random)
        try:
            gradients = [cr.backprop(some, params, x, y).gradient.vector for some in (net, wrong)]
            right = cr.verify(net, params, x, y)
            injected = cr.verify(wrong, params, x, y)
        except cr.InputError:
            continue  # the gradient is not finite
        assert right.verdict != "wrong", (net, right)
        assert not right.kinks, (net, right)
        if not np.array_equal(*gradients):
            assert injected.verdict != "right", (wrong, injected)
        verdicts.append(right.verdict)
    assert verdicts.count("right") > 0.75 * len(verdicts)


@pytest.mark.slow
def test_no_right_gradient_is_called_wrong_and_no_wrong_one_right() -> None:
    check_verdicts(count=40, seed=0)


def in_single_precision(activation: Activation, factor: float = 1.0, only_inside: bool = False) -> Activation:
    """Return an activation that computes in float32, its slope times a factor, and may return float64."""

    def coarse(function: Any) -> Any:
        def computed(*arrays: Any) -> Any:
            result = function(*(np.asarray(array, np.float32) for array in arrays))
            return 0.3 * np.asarray(result, float) if only_inside else np.asarray(result, np.float32)

        return computed

    slope = coarse(activation.slope)
    if only_inside:  # f is 0.3 times what the slope takes
        slope = lambda z, f, right=slope: right(z, f / 0.3)  # noqa: E731
    value = coarse(activation.value)
    return Activation("own", value, lambda z, f: factor * slope(z, f), kinks=activation.kinks)


@pytest.mark.parametrize("only_inside", [False, True])
@pytest.mark.parametrize("name", ["tanh", "silu", "softplus", "gelu", "logistic", "sin", "elu", "relu", "identity"])
def test_a_function_in_single_precision_is_never_called_wrong_for_its_rounding(name: str, only_inside: bool) -> None:
    random = np.random.default_rng(0)
    for seed in range(20):
        x = random.normal(size=(20, 3)) * 10.0 ** random.uniform(-2, 2)
        y = random.normal(size=(20, 2))
        right, wrong = (
            cr.Network(3, [cr.Dense(5, in_single_precision(ACTIVATIONS.find(name), factor, only_inside)), cr.Dense(2)])
            for factor in (1.0, 1.01)
        )
        found = cr.verify(right, right.initial(seed), x, y)
        assert found.verdict != "wrong", found
        assert not found.kinks
        assert cr.verify(wrong, right.initial(seed), x, y).verdict != "right"


@pytest.mark.parametrize("only_inside", [False, True])
@pytest.mark.parametrize("name", ["tanh", "silu", "softplus", "gelu", "logistic", "sin"])
def test_a_slope_that_is_wrong_by_a_hundredth_is_found_in_single_precision(name: str, only_inside: bool) -> None:
    random = np.random.default_rng(0)
    own = in_single_precision(ACTIVATIONS.find(name), 1.01, only_inside)
    net = cr.Network(3, [cr.Dense(5, own), cr.Dense(2)])
    x, y = random.normal(size=(20, 3)), random.normal(size=(20, 2))
    assert [cr.verify(net, net.initial(seed), x, y).verdict for seed in range(5)] == ["wrong"] * 5


def test_a_loss_in_single_precision_is_never_called_wrong_for_its_rounding() -> None:
    def single(factor: float, power: int) -> Any:
        return lambda y, f: np.float32(factor) * (f - y).astype(np.float32) ** power

    for factor, verdicts in ((1.0, {"right", "not judged"}), (1.01, {"wrong", "not judged"})):
        own = cr.Loss("own", value=single(0.5, 2), slope=single(factor, 1))
        net = cr.Network(2, [cr.Dense(3, "tanh"), cr.Dense(2)], own)
        assert {cr.verify(net, net.initial(seed), X, [[0.7, 0.1]]).verdict for seed in range(10)} <= verdicts


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_no_right_gradient_is_called_wrong_and_no_wrong_one_right_in_many_networks(seed: int) -> None:
    check_verdicts(count=500, seed=seed)
