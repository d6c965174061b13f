"""Penalties and clipping."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as cr
from chainrule.regularization import Penalty, clip, weight_positions


def test_the_penalty_spares_biases_and_clipping_keeps_the_direction() -> None:
    theta, is_weight = np.array([2.0, -3.0, 5.0]), np.array([True, True, False])
    assert Penalty(l1=0.1, l2=0.5).gradient(theta, is_weight).tolist() == pytest.approx([1.1, -1.6, 0.0])
    assert Penalty(l1=0.1, l2=0.5).value(theta, is_weight) == pytest.approx(0.5 + 0.25 * 13.0)
    assert clip(np.array([3.0, 4.0]), 1.0).tolist() == pytest.approx([0.6, 0.8])
    assert clip(np.array([3.0, 4.0]), 6.0).tolist() == [3.0, 4.0]


def test_a_penalty_may_be_divided_by_the_weights_of_the_batch() -> None:
    """As in scikit-learn, whose fits the tests of the estimators compare with; of rows without weight there is none."""
    penalty = Penalty(l1=0.1, l2=0.5, by_weight=True, in_loss=True)
    assert penalty.of_batch(5.0) == Penalty(l1=0.02, l2=0.1, in_loss=True)
    assert not penalty.of_batch(0.0)
    assert Penalty(l2=0.5).of_batch(5.0) == Penalty(l2=0.5)


def test_weights_are_told_from_biases() -> None:
    net = cr.Network(2, [cr.Dense(1), cr.Dense(2, bias=False)])
    assert weight_positions(net).tolist() == [True, True, False, True, True]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_clipping_neither_overflows_nor_vanishes(dtype: str) -> None:
    for size in (np.finfo(dtype).max / 2, np.finfo(dtype).tiny):
        clipped = clip(np.full(4, size, dtype), float(size) / 8)
        np.testing.assert_allclose(np.linalg.norm(clipped.astype("longdouble")), size / 8, rtol=1e-5)
        assert clipped.dtype == dtype


@given(gradient=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=5), norm=st.floats(1e-3, 1e3))
def test_a_clipped_gradient_is_never_longer_than_the_norm(gradient: list[float], norm: float) -> None:
    clipped = clip(np.array(gradient), norm)
    assert np.linalg.norm(clipped) <= norm * (1 + 1e-12)
    assert (np.sign(clipped) * np.sign(gradient) >= 0).all()


def test_the_penalty_of_a_run_enters_every_step() -> None:
    net = cr.chain(1, "identity")
    run = cr.train(net, 0.0, 0.0, initial=net.pack([2.0]), optimizer=cr.SGD(0.1), l1=0.5, l2=1.0, epochs=1)
    assert float(run.parameters.weights[0][0, 0]) == pytest.approx(2.0 - 0.1 * (0.5 + 1.0 * 2.0))
