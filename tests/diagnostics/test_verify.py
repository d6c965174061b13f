"""verify tells right gradients from wrong ones, and says when it cannot tell."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr

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
    found = cr.verify(net, net.pack([1e-5]), x=1.0, y=0.7)
    assert not found
    assert repr(found).startswith("gradient NOT CHECKED")


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
