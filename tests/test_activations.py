"""Activations: values against SciPy, slopes against JAX, extremes without a warning."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import special

from chainrule.activations import ACTIVATIONS, Activation, leaky_relu
from chainrule.errors import InputError

PER_UNIT = [name for name in ACTIVATIONS if name != "softmax"]
POINTS = np.concatenate([np.linspace(-6.0, 6.0, 97)[:48], np.linspace(0.01, 6.0, 48)])


@pytest.mark.parametrize("name", PER_UNIT)
def test_the_slope_is_the_derivative_of_the_value(name: str) -> None:
    import jax

    chosen = ACTIVATIONS[name]()
    theirs = jax.vmap(jax.grad(chosen.value))(jax.numpy.asarray(POINTS))
    np.testing.assert_allclose(chosen.slope(POINTS, chosen.value(POINTS)), theirs, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("logistic", special.expit),
        ("softplus", lambda z: np.logaddexp(0.0, z)),
        ("gelu", lambda z: z * special.ndtr(z)),
        ("silu", lambda z: z * special.expit(z)),
        ("elu", lambda z: np.where(z > 0, z, np.expm1(z))),
        ("relu", lambda z: np.where(z > 0, z, 0.0)),
    ],
)
def test_the_value_is_the_one_of_scipy(name: str, value: Any) -> None:
    np.testing.assert_allclose(ACTIVATIONS[name]().value(POINTS), value(POINTS), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", [name for name in ACTIVATIONS if name != "exponential"])
def test_huge_inputs_give_finite_values_and_no_warning(name: str) -> None:
    z = np.array([[-1e4, 0.0, 1e4]])
    chosen = ACTIVATIONS[name]()
    f = chosen.value(z)
    assert np.isfinite(f).all()
    assert np.isfinite(chosen.slope(z, f)).all()


INFINITE = {  # f(−∞), f′(−∞), f(∞) and f′(∞)
    "identity": (-np.inf, 1.0, np.inf, 1.0),
    "tanh": (-1.0, 0.0, 1.0, 0.0),
    "logistic": (0.0, 0.0, 1.0, 0.0),
    "relu": (0.0, 0.0, np.inf, 1.0),
    "leaky_relu": (-np.inf, 0.01, np.inf, 1.0),
    "elu": (-1.0, 0.0, np.inf, 1.0),
    "selu": (-1.0507009873554805 * 1.6732632423543772, 0.0, np.inf, 1.0507009873554805),
    "gelu": (0.0, 0.0, np.inf, 1.0),
    "gelu_tanh": (0.0, 0.0, np.inf, 1.0),
    "silu": (0.0, 0.0, np.inf, 1.0),
    "softplus": (0.0, 0.0, np.inf, 1.0),
    "softsign": (-1.0, 0.0, 1.0, 0.0),
    "exponential": (0.0, 0.0, np.inf, np.inf),
    "sin": (np.nan,) * 4,  # without a limit
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PER_UNIT)
def test_at_infinity_values_and_slopes_have_their_limits(name: str, dtype: str) -> None:
    z = np.array([-np.inf, np.inf], dtype)
    chosen = ACTIVATIONS[name]()
    with np.errstate(invalid="ignore"):
        f = chosen.value(z)
        found = np.stack([f, chosen.slope(z, f)], axis=1).ravel()
    np.testing.assert_array_equal(found, np.array(INFINITE[name], dtype))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_float32_stays_float32(name: str) -> None:
    z = np.array([[-1.0, 0.0, 2.0]], dtype=np.float32)
    chosen = ACTIVATIONS[name]()
    f = chosen.value(z)
    assert f.dtype == chosen.slope(z, f).dtype == np.float32


def test_softmax_goes_back_through_its_whole_jacobian() -> None:
    import jax

    softmax = ACTIVATIONS.find("softmax")
    z, g = np.random.default_rng(0).normal(size=(2, 4, 5))
    _, pull = jax.vjp(jax.nn.softmax, jax.numpy.asarray(z))
    np.testing.assert_allclose(softmax.back(g, z, softmax.value(z)), pull(jax.numpy.asarray(g))[0], atol=1e-14)


def test_activations_are_equal_when_name_and_parameters_are() -> None:
    assert leaky_relu(0.2) == leaky_relu(0.2) != leaky_relu(0.1)
    assert repr(leaky_relu(0.2)) == "leaky_relu(negative_slope=0.2)"


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'relu'"):
        ACTIVATIONS.find("rleu")


def test_your_own_activation_is_a_value_and_a_slope() -> None:
    import chainrule as cr

    cubic = Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3.0 * z**2)
    net = cr.Network(2, [cr.Dense(3, cubic), cr.Dense(1)])
    assert cr.verify(net, net.initial(), [[0.3, -0.5]], [0.7])


class Doubling(Activation):
    """Twice the gradient of tanh: no derivative, but what was asked for."""

    def back(self, slope_of_loss: Any, z: Any, f: Any) -> Any:
        return 2.0 * slope_of_loss * self.slope(z, f)


def test_back_propagation_calls_an_overridden_back_in_every_layer() -> None:
    import chainrule as cr

    tanh = ACTIVATIONS["tanh"]()
    doubling = Doubling("doubling", tanh.value, tanh.slope)
    net = cr.Network(2, [cr.Dense(3, doubling), cr.Dense(4, doubling), cr.Dense(1)])
    plain = cr.Network(2, [cr.Dense(3, tanh), cr.Dense(4, tanh), cr.Dense(1)])
    x, y = np.random.default_rng(0).normal(size=(6, 2)), np.ones(6)
    ours, theirs = (cr.backprop(one, net.initial(), x, y).gradient.weights for one in (net, plain))
    for layer, factor in enumerate((4.0, 2.0, 1.0)):
        np.testing.assert_allclose(ours[layer], factor * theirs[layer], rtol=1e-12)
    assert cr.train(net, x, y, epochs=1).settings.engine == "reference"
    assert not cr.verify(net, net.initial(), x, y)
    with pytest.raises(InputError, match="doubling"):
        cr.derive(cr.chain(2, doubling))


class Method(Activation):
    def value(self, z: Any) -> Any:
        return z


def test_a_subclass_or_an_altered_copy_is_not_taken_for_chainrules() -> None:
    tanh = ACTIVATIONS["tanh"]()
    assert ACTIVATIONS.made(tanh)
    assert ACTIVATIONS.made(replace(leaky_relu(0.2)))
    for other in (
        Doubling("tanh", tanh.value, tanh.slope),
        replace(tanh, value=ACTIVATIONS["sin"]().value),
        replace(leaky_relu(0.2), parameters=(("negative_slope", 0.3),)),
    ):
        with pytest.raises(InputError, match=f"an activation of your own cannot be called '{other.name}'"):
            ACTIVATIONS.find(other)
    with pytest.raises(InputError, match="Method has a method value, which the function passed as value would hide"):
        Method("method", tanh.value, tanh.slope)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"name": ""}, "the name of an activation must be a string that is not empty"),
        ({"value": 1}, "activation 'a': value must be a function, but is 1"),
        ({"slope": "auto"}, "activation 'a': slope must be a function, but is 'auto'"),
        ({"initializer": None}, "activation 'a': initializer must be a string"),
        ({"kinks": "0"}, "activation 'a': kinks must be a finite number"),
        ({"parameters": 5}, "activation 'a': parameters must be pairs of a name and a value"),
        ({"parameters": (("beta", np.ones(2)),)}, "beta in activation 'a': parameters must be a finite number"),
    ],
)
def test_a_field_of_another_kind_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Activation(**{"name": "a", "value": np.tanh, "slope": lambda z, f: 1.0 - f**2, **fields})


def test_one_kink_need_not_be_in_a_tuple() -> None:
    assert replace(ACTIVATIONS["relu"](), kinks=0).kinks == (0.0,)  # type: ignore[arg-type]
