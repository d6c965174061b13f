"""Optimisers and schedules against optax, and their trip through JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import optax
import pytest

import chainrule as cr
from chainrule import optimizers, schedules
from chainrule.regularization import Penalty, clip

CASES = [
    (cr.SGD(0.1), optax.sgd(0.1)),
    (cr.SGD(0.1, momentum=0.9), optax.sgd(0.1, momentum=0.9)),
    (cr.SGD(0.1, momentum=0.9, nesterov=True), optax.sgd(0.1, momentum=0.9, nesterov=True)),
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
    made = optimizers.optimizer(name)
    assert optimizers.from_json(json.loads(json.dumps(made.to_json()))) == made


@pytest.mark.parametrize("name", [name for name in optimizers.OPTIMIZERS if name != "lbfgs"])
def test_float32_stays_float32(name: str) -> None:
    made = optimizers.optimizer(name)
    theta = np.ones(3, dtype=np.float32)
    new, memory = made.update(theta, theta, made.start(theta), 0.1, 1)
    assert {new.dtype, *(v.dtype for v in memory.values())} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_a_schedule_is_the_same_after_json(name: str) -> None:
    made = schedules.schedule(name)
    assert schedules.from_json(json.loads(json.dumps(made.to_json()))) == made


TIMES = np.arange(0.0, 10.0, 0.25)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (schedules.Constant(), lambda t: 1.0),
        (schedules.Step(3, 0.5), lambda t: 0.5 ** (t // 3)),
        (schedules.Exponential(0.9), lambda t: 0.9**t),
        (schedules.InverseScaling(0.5), lambda t: (1 + t) ** -0.5),
        (schedules.Cosine(0.1), optax.cosine_decay_schedule(1.0, 10, alpha=0.1)),
    ],
)
def test_a_schedule_follows_its_formula(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours.factors(TIMES, 10, []), [float(theirs(t)) for t in TIMES], rtol=1e-6)


def test_one_cycle_goes_up_and_down() -> None:
    factors = schedules.OneCycle(start=0.1, peak=0.3, final=0.01).factors(np.array([0.0, 3.0, 10.0]), 10, [])
    np.testing.assert_allclose(factors, [0.1, 1.0, 0.01])


def test_warm_up_rises_and_hands_over() -> None:
    factors = schedules.WarmUp(2, then=schedules.Cosine()).factors(np.arange(0.0, 10.0, 0.5), 10, [])
    np.testing.assert_allclose(factors[:4], [0.25, 0.5, 0.75, 1.0])
    assert factors[-1] < 0.05


def test_adaptive_divides_when_the_loss_stops_falling() -> None:
    made = schedules.Adaptive(factor=0.2, patience=2)
    assert made.factors(TIMES[:1], 10, [3.0, 2.0, 1.0])[0] == 1.0
    assert made.factors(TIMES[:1], 10, [3.0, 2.0, 2.0, 2.0])[0] == 0.2


def test_the_penalty_spares_biases_and_clipping_keeps_the_direction() -> None:
    theta, is_weight = np.array([2.0, -3.0, 5.0]), np.array([True, True, False])
    assert Penalty(l1=0.1, l2=0.5).gradient(theta, is_weight).tolist() == pytest.approx([1.1, -1.6, 0.0])
    assert Penalty(l1=0.1, l2=0.5).value(theta, is_weight) == pytest.approx(0.5 + 0.25 * 13.0)
    assert clip(np.array([3.0, 4.0]), 1.0).tolist() == pytest.approx([0.6, 0.8])
    assert clip(np.array([3.0, 4.0]), 6.0).tolist() == [3.0, 4.0]
