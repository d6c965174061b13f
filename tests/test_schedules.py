"""Schedules against their formulae and optax, and their trip through JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import optax
import pytest

import chainrule as cr
from chainrule import schedules


@pytest.mark.parametrize("name", schedules.SCHEDULES)
def test_a_schedule_is_the_same_after_json(name: str) -> None:
    made = schedules.SCHEDULES.find(name)
    assert schedules.SCHEDULES.find(json.loads(json.dumps(made.to_json()))) == made


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


def test_a_schedule_inside_warm_up_is_found_by_name_and_by_description() -> None:
    expected = schedules.WarmUp(3, then=schedules.Step(5, 0.1))
    description = {"name": "warm_up", "epochs": 3, "then": {"name": "step", "every": 5, "factor": 0.1}}
    assert schedules.SCHEDULES.find(description) == expected
    assert schedules.WarmUp(5, then="cosine").then == schedules.Cosine()  # type: ignore[arg-type]
    with pytest.raises(cr.InputError, match="did you mean 'cosine'"):
        schedules.SCHEDULES.find({"name": "warm_up", "then": "cosin"})


def test_a_setting_out_of_range_is_refused() -> None:
    for make, message in (
        (lambda: schedules.Step(0), "every must be a whole number of at least 1"),
        (lambda: schedules.OneCycle(peak=1.0), "peak must be"),
        (lambda: schedules.Adaptive(factor=2.0), "factor must be"),
    ):
        with pytest.raises(cr.InputError, match=message):
            make()
