"""The native engine against the reference engine and against mpmath, with every instruction set of this machine."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import chainrule as cr
from chainrule.activations import ACTIVATIONS
from chainrule.engines import _native, native, reference

SETS = native.instruction_sets()
RANDOM = np.random.default_rng(0)

# Each function of native/functions.hpp: the same in many digits, and the range on which it is asked for.
FUNCTIONS: dict[str, tuple[Any, tuple[float, float], tuple[float, float]]] = {
    "exp": (mpmath.exp, (-103.0, 88.7), (-745.0, 709.7)),
    "expm1": (mpmath.expm1, (-100.0, 40.0), (-100.0, 80.0)),
    "log": (mpmath.log, (1e-44, 3e38), (5e-324, 1e308)),
    "tanh": (mpmath.tanh, (-30.0, 30.0), (-50.0, 50.0)),
    "logistic": (lambda x: 1 / (1 + mpmath.exp(-x)), (-80.0, 80.0), (-600.0, 600.0)),
    "erf": (mpmath.erf, (-10.0, 10.0), (-10.0, 10.0)),
    "sin": (mpmath.sin, (-4000.0, 4000.0), (-9e4, 9e4)),
    "cos": (mpmath.cos, (-4000.0, 4000.0), (-9e4, 9e4)),
    "softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), (-80.0, 80.0), (-600.0, 600.0)),
}


def points(low: float, high: float, dtype: str) -> Any:
    """Return numbers all over a range, near 0 in it, and of every size of it."""
    evenly = np.linspace(low, high, 400)
    near = np.linspace(max(low, -3.0), min(high, 3.0), 600)
    sizes = np.geomspace(np.finfo(dtype).smallest_subnormal, high, 300)
    numbers = np.concatenate([evenly, near, sizes, -sizes if low < 0 else sizes]).astype(dtype)
    return numbers[(numbers >= low) & (numbers <= high)]


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_right_within_four_units_in_the_last_place(name: str, dtype: str, isa: str) -> None:
    exact, of_float, of_double = FUNCTIONS[name]
    x = points(*(of_float if dtype == "float32" else of_double), dtype)
    with mpmath.workdps(40):
        expected = [exact(mpmath.mpf(float(value))) for value in x]
        error = [abs(mpmath.mpf(float(a)) - b) for a, b in zip(_native.function(name, x, isa), expected, strict=True)]
    unit = np.spacing(np.abs(np.array([float(value) for value in expected]).astype(dtype)))
    assert max(float(e) / float(u) for e, u in zip(error, unit, strict=True)) <= 4.0


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_infinity_and_zero_come_out_as_they_should(dtype: str, isa: str) -> None:
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0], dtype)
    expected = {
        "exp": [np.nan, np.inf, 0.0, 1.0, 1.0],
        "log": [np.nan, np.inf, np.nan, -np.inf, -np.inf],
        "tanh": [np.nan, 1.0, -1.0, 0.0, -0.0],
        "logistic": [np.nan, 1.0, 0.0, 0.5, 0.5],
        "erf": [np.nan, 1.0, -1.0, 0.0, -0.0],
        "sin": [np.nan, np.nan, np.nan, 0.0, -0.0],
        "softplus": [np.nan, np.inf, 0.0, np.log(2.0), np.log(2.0)],
    }
    for name, values in expected.items():
        found = _native.function(name, x, isa)
        np.testing.assert_allclose(found, values, rtol=1e-6, err_msg=name)
        if name in ("tanh", "erf"):
            assert np.signbit(found[3:]).tolist() == [False, True], name


def test_the_native_engine_knows_every_activation() -> None:
    assert set(_native.activations) == set(ACTIVATIONS)


def network(activation: str, seed: int) -> cr.Network:
    """Return a random network with this activation on a hidden layer, or on the output where it belongs there."""
    random = np.random.default_rng(seed)
    widths = [int(random.integers(1, 40)) for _ in range(int(random.integers(1, 4)))]
    joint = activation == "softmax"
    layers = [cr.Dense(width, "tanh" if joint else activation, bias=bool(random.integers(2))) for width in widths]
    return cr.Network(int(random.integers(1, 40)), [*layers, cr.Dense(3, "softmax" if joint else "identity")])


@pytest.mark.parametrize("isa", SETS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@settings(max_examples=10)
@given(seed=st.integers(0, 10_000), rows=st.integers(1, 120))
def test_predictions_are_those_of_the_reference_engine(activation: str, isa: str, seed: int, rows: int) -> None:
    net = network(activation, seed)
    random = np.random.default_rng(seed)
    for dtype, tolerance in (("float64", 1e-12), ("float32", 1e-4)):
        params = net.parameters((0.5 * random.normal(size=net.parameter_count)).astype(dtype))
        x = random.normal(size=(rows, net.inputs)).astype(dtype)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CHAINRULE_ISA", isa)
            found = native.predictor(net, params)(x)
        expected = reference.predict(net, params, x)
        assert found.dtype == dtype
        if activation == "exponential":  # e^e^x: the least rounding grows without bound
            tolerance *= 1e3
        size = np.abs(expected).max()
        if np.isfinite(size):
            np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance * (size + 1e-30))


def test_a_prediction_of_one_row_is_that_of_the_row_among_others() -> None:
    net = cr.Network(7, [cr.Dense(33, "tanh"), cr.Dense(5, "softmax")])
    model, x = cr.Model(net, net.initial()), RANDOM.normal(size=(100, 7))
    many = model.predict(x)
    np.testing.assert_allclose([model.predict(row[None])[0] for row in x], many, rtol=1e-14)


def test_an_activation_of_your_own_is_left_to_the_reference_engine() -> None:
    cubic = cr.Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3.0 * z**2)
    net = cr.chain(2, cubic)
    assert not native.runs(net)
    assert cr.Model(net, net.pack([1.0, 1.0])).predict(2.0)[0, 0] == 512.0


def test_an_instruction_set_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAINRULE_ISA", "avx513")
    net = cr.chain(1)
    with pytest.raises(cr.InputError, match="CHAINRULE_ISA: unknown instruction set 'avx513'"):
        cr.Model(net, net.initial()).predict(1.0)


def test_without_the_extension_the_reference_engine_is_used_and_that_is_said_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(native, "_native", None)
    native._say_once.cache_clear()
    net = cr.chain(1)
    with pytest.warns(RuntimeWarning, match="installed without its native engine"):
        assert cr.Model(net, net.pack([1.0])).predict(1.0)[0, 0] == np.tanh(1.0)
    assert cr.Model(net, net.pack([1.0])).predict(1.0)[0, 0] == np.tanh(1.0)  # in tests, a warning is an error
