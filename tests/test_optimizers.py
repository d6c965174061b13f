"""Optimisers against optax, and their trip through JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import optax
import pytest

import chainrule as cr
from chainrule import optimizers

CASES = [
    (cr.SGD(0.1), optax.sgd(0.1)),
    (cr.SGD(0.1, momentum=0.9), optax.sgd(0.1, momentum=0.9)),
    (cr.SGD(0.1, momentum=0.9, nesterov=True), optax.sgd(0.1, momentum=0.9, nesterov=True)),
    (cr.SGD(0.1, momentum=1.0), optax.sgd(0.1, momentum=1.0)),
    (cr.Adam(0.01), optax.adam(0.01)),
    (cr.AdamW(0.01, weight_decay=0.1), optax.adamw(0.01, weight_decay=0.1)),
    (cr.RMSProp(0.01), optax.rmsprop(0.01, decay=0.9, eps=1e-8, eps_in_sqrt=False)),
    (cr.Adagrad(0.1), optax.adagrad(0.1, initial_accumulator_value=0.0, eps=1e-20)),
]


@pytest.mark.parametrize(("ours", "theirs"), CASES, ids=lambda case: getattr(case, "name", ""))
def test_an_optimiser_takes_the_steps_of_optax(ours: Any, theirs: Any) -> None:
    random = np.random.default_rng(0)
    theta = random.normal(size=6)
    memory = ours.start(theta)
    their_theta, state = optax.apply_updates(theta, 0.0 * theta), theirs.init(theta)
    for step in range(1, 21):
        g = random.normal(size=6)
        theta, memory = ours.update(theta, g, memory, ours.learning_rate, step)
        updates, state = theirs.update(g, state, their_theta)
        their_theta = optax.apply_updates(their_theta, updates)
    np.testing.assert_allclose(theta, their_theta, rtol=1e-6)


def test_epsilon_hat_is_added_to_the_root_of_the_biased_mean() -> None:
    """θ ← θ − η √(1 − β₂ᵗ)/(1 − β₁ᵗ) m / (√v + ε̂), the paper's quicker form."""
    adam, g = cr.Adam(0.1, epsilon=0.5, epsilon_hat=True), np.array([2.0])
    theta, _ = adam.update(np.zeros(1), g, adam.start(np.zeros(1)), 0.1, 1)
    m, v = 0.1 * g, 0.001 * g**2
    np.testing.assert_allclose(theta, -0.1 * np.sqrt(0.001) / 0.1 * m / (np.sqrt(v) + 0.5))


def test_rprop_grows_its_step_while_the_sign_stays_and_halves_it_when_it_turns() -> None:
    rprop = cr.Rprop(0.1)
    theta = np.zeros(1)
    memory = rprop.start(theta)
    moves = []
    for step, g in enumerate([2.0, 3.0, -1.0, -5.0], start=1):
        new, memory = rprop.update(theta, np.array([g]), memory, 0.1, step)
        moves.append(float((new - theta)[0]))
        theta = new
    assert moves == pytest.approx([-0.1, -0.12, 0.0, 0.06])


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_an_optimiser_is_the_same_after_json(name: str) -> None:
    made = optimizers.OPTIMIZERS.find(name)
    assert optimizers.OPTIMIZERS.find(json.loads(json.dumps(made.to_json()))) == made


@pytest.mark.parametrize("name", [name for name in optimizers.OPTIMIZERS if name != "lbfgs"])
def test_float32_stays_float32(name: str) -> None:
    made = optimizers.OPTIMIZERS.find(name)
    theta = np.ones(3, dtype=np.float32)
    new, memory = made.update(theta, theta, made.start(theta), 0.1, 1)
    assert {new.dtype, *(v.dtype for v in memory.values())} == {np.dtype(np.float32)}
