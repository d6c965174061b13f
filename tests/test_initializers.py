"""Initialisers: the variances they promise, and the choice by activation."""

from __future__ import annotations

import numpy as np
import pytest

import chainrule as cr
from chainrule.errors import InputError
from chainrule.initializers import Initializer


@pytest.mark.parametrize("name", cr.initializers.INITIALIZERS)
def test_an_initialiser_has_the_variance_it_promises(name: str) -> None:
    weights = cr.initializers.INITIALIZERS[name]().draw(np.random.default_rng(0), 300, 200)
    expected = {"glorot": 2 / 500, "he": 2 / 300, "lecun": 1 / 300, "zeros": 0.0, "orthogonal": 1 / 300}
    assert weights.var() == pytest.approx(expected[name.split("_")[0]], rel=0.03)
    if name == "orthogonal":
        np.testing.assert_allclose(weights.T @ weights, np.eye(200), atol=1e-12)


def test_an_initialiser_is_chosen_by_the_activation_when_none_is_named() -> None:
    chosen = {name: str(cr.Dense(1, name).initializer) for name in ("tanh", "relu", "selu")}
    assert chosen == {"tanh": "glorot_uniform", "relu": "he_uniform", "selu": "lecun_normal"}
    assert str(cr.Dense(1, "relu", initializer="orthogonal").initializer) == "orthogonal"


def test_an_initialiser_of_your_own_is_a_function_of_the_fans() -> None:
    ones = cr.Initializer("ones", lambda random, fan_in, fan_out: np.ones((fan_in, fan_out)))
    params = cr.Network(2, [cr.Dense(3, initializer=ones)]).initial()
    assert params.vector.tolist() == [1.0] * 6 + [0.0] * 3


def test_float32_starts_where_float64_does() -> None:
    net = cr.chain(4)
    assert (net.initial(5, "float32").vector == net.initial(5).vector.astype(np.float32)).all()


def test_a_field_of_another_kind_is_refused() -> None:
    with pytest.raises(InputError, match="the name of an initializer must be a string"):
        Initializer(5, np.zeros)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="initializer 'a': draw must be a function, but is 5"):
        Initializer("a", 5)  # type: ignore[arg-type]


def test_an_initialiser_of_your_own_may_draw_nested_lists() -> None:
    fixed = Initializer("fixed", lambda random, fan_in, fan_out: [[1.0, 2.0]])  # type: ignore[arg-type,return-value]
    assert cr.Network(1, [cr.Dense(2, initializer=fixed)]).initial().weights[0].tolist() == [[1.0, 2.0]]
