"""The algorithm against the lecture's closed form, difference quotients and JAX's autodiff."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.activations import ACTIVATIONS
from chainrule.backpropagation import deltas, forward, gradients, losses
from chainrule.losses import LOSSES
from tests.helpers.marking import with_most_slow

# The smooth activations and their slopes, written out here on their own.
SMOOTH: dict[str, tuple[Callable[[float], float], Callable[[float], float]]] = {
    "identity": (lambda z: z, lambda z: 1.0),
    "tanh": (math.tanh, lambda z: 1.0 - math.tanh(z) ** 2),
    "logistic": (
        lambda z: 1.0 / (1.0 + math.exp(-z)),
        lambda z: math.exp(-z) / (1.0 + math.exp(-z)) ** 2,
    ),
    "softplus": (lambda z: math.log1p(math.exp(z)), lambda z: 1.0 / (1.0 + math.exp(-z))),
    "softsign": (lambda z: z / (1.0 + abs(z)), lambda z: 1.0 / (1.0 + abs(z)) ** 2),
    "sin": (math.sin, math.cos),
    "exponential": (math.exp, math.exp),
    "silu": (
        lambda z: z / (1.0 + math.exp(-z)),
        lambda z: (1.0 + math.exp(-z) + z * math.exp(-z)) / (1.0 + math.exp(-z)) ** 2,
    ),
    "gelu": (
        lambda z: z * 0.5 * math.erfc(-z / math.sqrt(2.0)),
        lambda z: 0.5 * math.erfc(-z / math.sqrt(2.0)) + z * math.exp(-z * z / 2.0) / math.sqrt(2.0 * math.pi),
    ),
    "elu": (lambda z: z if z > 0 else math.expm1(z), lambda z: 1.0 if z > 0 else math.exp(z)),
}

PAIRS = [
    (activation, loss)
    for activation in ACTIVATIONS
    for loss, make in LOSSES.items()
    if make().accepts(activation) and not (loss == "poisson" and activation == "softplus")
] + [("softplus", "poisson")]


@pytest.mark.parametrize("layers", range(1, 13))
@pytest.mark.parametrize("activation", SMOOTH)
def test_a_chain_has_the_gradient_of_the_closed_form(activation: str, layers: int) -> None:
    random = np.random.default_rng(layers)
    bound = 0.3 if activation == "exponential" else 1.5  # e^e^e^… is soon infinite
    x, y, *w = random.uniform(-bound, bound, layers + 2).tolist()
    net = cr.chain(layers, activation)
    trace = cr.backprop(net, net.pack(w), x, y)

    f, z = [x], [math.nan]
    for weight in w:
        z.append(f[-1] * weight)
        f.append(SMOOTH[activation][0](z[-1]))
    slopes = [SMOOTH[activation][1](value) for value in z[1:]]
    closed_form = x * math.prod(slopes) * math.prod(w[1:]) * 2.0 * (f[-1] - y)
    assert float(trace.gradient.weights[0][0, 0]) == pytest.approx(closed_form, rel=1e-12)

    delta = [float(value[0, 0]) for value in trace.delta[1:]]
    assert delta[-1] == pytest.approx(2.0 * (f[-1] - y) * slopes[-1], rel=1e-12)
    for i in range(layers - 1):
        assert delta[i] == pytest.approx(delta[i + 1] * w[i + 1] * slopes[i], rel=1e-12)


def test_one_step_of_sgd_moves_w1_by_the_learning_rate_times_the_gradient() -> None:
    net = cr.chain(3)
    start = net.pack([0.4, -1.1, 0.7])
    gradient = cr.backprop(net, start, 0.5, 0.8).gradient.weights[0]
    run = cr.train(net, 0.5, 0.8, initial=start, optimizer=cr.SGD(0.1), epochs=1)
    assert run.parameters.weights[0] == start.weights[0] - 0.1 * gradient


def problem(activation: str, loss: str, seed: int) -> tuple[cr.Network, cr.Parameters, Any, Any, Any]:
    """Return a random network with this output, its parameters, and data with weights."""
    random = np.random.default_rng(seed)
    depth, rows = int(random.integers(1, 6)), int(random.integers(1, 8))
    hidden = [name for name in ACTIVATIONS if name not in ("softmax", "exponential")]
    layers = [
        cr.Dense(int(random.integers(1, 21)), str(random.choice(hidden)), bias=bool(random.integers(2)))
        for _ in range(depth - 1)
    ]
    outputs = int(random.integers(2, 6)) if activation == "softmax" else int(random.integers(1, 6))
    net = cr.Network(int(random.integers(1, 21)), [*layers, cr.Dense(outputs, activation)], loss)
    params = net.parameters(0.5 * net.initial(seed).vector + 0.05 * random.normal(size=net.parameter_count))
    x = random.normal(size=(rows, net.inputs))
    y = random.normal(size=(rows, outputs))
    if loss in ("cross_entropy", "binary_cross_entropy", "poisson"):
        y = random.uniform(0.1, 0.9, size=(rows, outputs))
    weights = random.uniform(0.1, 2.0, size=rows)
    return net, params, x, y, weights / weights.sum()


def gradient_of(net: cr.Network, params: cr.Parameters, x: Any, y: Any, shares: Any, masks: Any = None) -> Any:
    masks = masks or {}
    z, f = forward(net, params, x, masks)
    return gradients(net, f, deltas(net, params, y, z, f, masks), shares, masks).vector


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2))])
@pytest.mark.parametrize(("activation", "loss"), with_most_slow(PAIRS))
def test_the_gradient_is_that_of_jax_autodiff_and_of_difference_quotients(
    activation: str, loss: str, seed: int
) -> None:
    import jax

    net, params, x, y, shares = problem(activation, loss, seed)

    def objective(vector: Any) -> Any:
        z, f = forward(net, net.parameters(vector), x)
        return (shares * losses(net, y, z, f)).sum()

    ours = gradient_of(net, params, x, y, shares)
    theirs = np.asarray(jax.jit(jax.grad(objective))(jax.numpy.asarray(params.vector)))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10 * np.abs(ours).max() + 1e-16)

    check = cr.verify(net, params, x, y, shares)
    assert check or not check.checked, check


@settings(max_examples=4)
@given(seed=st.integers(0, 10_000))
def test_dropout_masks_enter_the_gradient_as_they_enter_the_loss(seed: int) -> None:
    import jax

    net, params, x, y, shares = problem("tanh", "squared_error", seed)
    assume(len(net.layers) > 1)
    random = np.random.default_rng(seed)
    masks = {i: random.integers(0, 2, (len(x), layer.units)) / 0.5 for i, layer in enumerate(net.layers[:-1], start=1)}

    def objective(vector: Any) -> Any:
        z, f = forward(net, net.parameters(vector), x, masks)
        return (shares * losses(net, y, z, f)).sum()

    ours = gradient_of(net, params, x, y, shares, masks)
    theirs = np.asarray(jax.jit(jax.grad(objective))(jax.numpy.asarray(params.vector)))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10 * np.abs(ours).max() + 1e-16)


def test_the_same_text_is_traced_by_jax() -> None:
    import jax

    net, params, x, y, shares = problem("softmax", "cross_entropy", 5)
    traced = jax.jit(lambda vector: gradient_of(net, net.parameters(vector), x, y, shares))
    np.testing.assert_allclose(
        traced(jax.numpy.asarray(params.vector)), gradient_of(net, params, x, y, shares), rtol=1e-12, atol=1e-14
    )


def test_the_text_of_the_algorithm_stays_short() -> None:
    from pathlib import Path

    import chainrule.backpropagation as text

    assert len(Path(str(text.__file__)).read_text(encoding="utf-8").splitlines()) < 150
