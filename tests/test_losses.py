"""Losses: slopes against JAX, and cross entropy from z_L at any size."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule.backpropagation import deltas, forward, losses
from chainrule.errors import InputError
from chainrule.losses import LOSSES, CanonicalLink, Loss, cross_entropy

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


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": 5}, "the name of a loss must be a string"),
        ({"value": 1, "slope": "auto"}, "loss 'a': value must be a function, but is 1"),
        ({"slope": "auto"}, "loss 'a': slope must be a function, but is 'auto'"),
        ({"over_outputs": "max"}, "over_outputs must be 'mean' or 'sum', but is 'max'"),
        ({"targets": (1.0, 0.0)}, "loss 'a': targets must be two numbers, the smaller one first"),
        ({"targets": 3}, "loss 'a': targets must be two numbers, the smaller one first"),
        ({"outputs": (5,)}, "loss 'a': an activation in outputs must be a string"),
        ({"link": "softmax"}, "loss 'a': link must be a CanonicalLink or None"),
        ({"kinks": [None]}, "loss 'a': kinks must be a finite number"),
    ],
)
def test_a_field_of_another_kind_is_refused(fields: dict[str, Any], message: str) -> None:
    square = LOSSES["squared_error"]()
    with pytest.raises(InputError, match=message):
        Loss(**{"name": "a", "value": square.value, "slope": square.slope, **fields})
    with pytest.raises(InputError, match="delta of a CanonicalLink must be a function, but is 2"):
        CanonicalLink("softmax", square.value, 2)  # type: ignore[arg-type]


def test_one_output_activation_need_not_be_in_a_tuple() -> None:
    loss = replace(LOSSES["squared_error"](), name="own", outputs="logistic")  # type: ignore[arg-type]
    assert loss.accepts("logistic")
    assert not loss.accepts("log")


def test_an_altered_copy_is_not_taken_for_chainrules() -> None:
    """A file would hold the name alone, and the loss of a loaded network would be the mean again."""
    with pytest.raises(InputError, match="a loss of your own cannot be called 'squared_error'"):
        LOSSES.find(replace(LOSSES["squared_error"](), over_outputs="sum"))
