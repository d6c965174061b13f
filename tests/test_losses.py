"""Losses: slopes against JAX, and cross entropy from z_L at any size."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.backpropagation import deltas, forward, losses
from chainrule.losses import LOSSES, cross_entropy

Y = np.array([[0.2, 0.7, 0.1], [0.5, 0.25, 0.25]])
F = np.array([[0.3, 0.1, 0.6], [0.9, 0.05, 0.05]])


@pytest.mark.parametrize("name", LOSSES)
def test_the_slope_is_the_derivative_of_the_value(name: str) -> None:
    import jax

    loss = LOSSES[name]()
    theirs = jax.grad(lambda f: loss.value(Y, f).sum())(jax.numpy.asarray(F))
    np.testing.assert_allclose(loss.slope(Y, F), theirs, rtol=1e-12)


@pytest.mark.parametrize("name", [name for name in LOSSES if LOSSES[name]().link])
def test_the_canonical_link_is_the_same_loss_computed_from_z(name: str) -> None:
    loss = LOSSES[name]()
    assert loss.link is not None
    activation = cr.activations.ACTIVATIONS.find(loss.link.activation)
    z = np.array([[0.5, -1.0, 0.3], [2.0, 0.1, -0.4]])
    f = activation.value(z)
    np.testing.assert_allclose(loss.link.value(Y, z), loss.value(Y, f), rtol=1e-12)
    np.testing.assert_allclose(loss.link.delta(Y, z, f), activation.back(loss.slope(Y, f), z, f), rtol=1e-11)


@pytest.mark.parametrize(("name", "activation"), [("cross_entropy", "softmax"), ("binary_cross_entropy", "logistic")])
@pytest.mark.parametrize("size", [1e4, -1e4])
def test_cross_entropy_is_stable_at_huge_z(name: str, activation: str, size: float) -> None:
    net = cr.Network(1, [cr.Dense(2, activation)], name)
    x, y = np.array([[1.0]]), np.array([[0.0, 1.0]])
    params = net.pack([[[size, 0.0]]])
    z, f = forward(net, params, x)
    assert np.isfinite(losses(net, y, z, f)).all()
    assert np.isfinite(deltas(net, params, y, z, f)[1]).all()
    if name == "cross_entropy":
        assert losses(net, y, z, f)[0] == pytest.approx(max(size, 0.0), abs=1e-9)


def test_the_loss_of_a_row_is_the_mean_over_its_outputs() -> None:
    net = cr.Network(1, [cr.Dense(2)])
    trace = cr.backprop(net, net.pack([[[1.0, 2.0]]]), x=1.0, y=[[0.0, 0.0]])
    assert trace.loss == (1.0 + 4.0) / 2
    assert trace.delta[1].tolist() == [[1.0, 2.0]]  # 2 (f − y) / 2


@pytest.mark.parametrize(("name", "activation"), [("binary_cross_entropy", "logistic"), ("poisson", "exponential")])
def test_the_loss_of_a_row_is_the_sum_over_its_outputs_on_demand(name: str, activation: str) -> None:
    summed = LOSSES.find({"name": name, "over_outputs": "sum"})
    assert LOSSES.find(summed.to_json()) == summed
    traces = []
    for loss in (name, summed):
        net = cr.Network(1, [cr.Dense(3, activation)], loss)
        traces.append(cr.backprop(net, net.initial(0), x=1.0, y=[[0.0, 1.0, 1.0]]))
    assert traces[1].loss == pytest.approx(3 * traces[0].loss)
    np.testing.assert_allclose(traces[1].delta[1], 3 * traces[0].delta[1])


def test_label_smoothing_mixes_the_target_with_the_uniform_distribution() -> None:
    z, y = np.array([[1.0, 2.0, 0.5]]), np.array([[0.0, 1.0, 0.0]])
    smooth, plain = cross_entropy(0.3).link, cross_entropy().link
    assert smooth is not None
    assert plain is not None
    np.testing.assert_allclose(smooth.value(y, z), plain.value(0.7 * y + 0.1, z), rtol=1e-14)


def test_a_count_of_zero_has_a_poisson_loss() -> None:
    net = cr.Network(1, [cr.Dense(1, "exponential")], "poisson")
    assert cr.backprop(net, net.pack([0.0]), x=1.0, y=0.0).loss == 1.0
