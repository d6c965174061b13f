"""The elementary functions: equal on NumPy and JAX arrays and to Python's own, quiet and finite at the extremes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from chainrule import elementary

POINTS = [-30.0, -2.5, -1e-9, 0.0, 1e-9, 0.7, 3.0, 30.0]

# Each function beside the same in plain Python.
SCALARS: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "expm1": math.expm1,
    "tanh": math.tanh,
    "sin": math.sin,
    "cos": math.cos,
    "erf": math.erf,
    "absolute": abs,
    "softplus": lambda x: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
    "sign": lambda x: float((x > 0) - (x < 0)),
    "step": lambda x: float(x > 0),
}


@pytest.mark.parametrize("name", SCALARS)
def test_a_function_is_the_same_in_python_numpy_and_jax(name: str) -> None:
    import jax

    function = getattr(elementary, name)
    expected = [SCALARS[name](x) for x in POINTS]
    np.testing.assert_allclose(function(np.array(POINTS)), expected, rtol=1e-14)
    np.testing.assert_allclose(function(jax.numpy.asarray(POINTS)), expected, rtol=1e-13)


@pytest.mark.parametrize("size", [0.0, 1e4, -1e4, 1e300])
def test_log_softmax_is_accurate_at_any_size(size: float) -> None:
    rows = np.array([[size, size, size]])
    np.testing.assert_allclose(elementary.log_softmax(rows), np.full((1, 3), -math.log(3.0)), rtol=1e-15)


def test_limits_come_without_a_warning() -> None:  # in tests, warnings are errors
    assert elementary.exp(np.array([1e4, -1e4])).tolist() == [math.inf, 0.0]
    assert elementary.log(np.array([0.0])).tolist() == [-math.inf]
    assert elementary.softplus(np.array([1e4, -1e4, math.inf])).tolist() == [1e4, 0.0, math.inf]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_finite_puts_the_largest_numbers_in_place_of_infinity(dtype: str) -> None:
    import jax

    largest = np.finfo(dtype).max
    x = np.array([-np.inf, -2.5, np.inf], dtype)
    for array in (x, jax.numpy.asarray(x)):
        np.testing.assert_array_equal(elementary.finite(array), np.array([-largest, -2.5, largest], dtype))
        np.testing.assert_array_equal(elementary.finite(array, high=False), np.array([-largest, -2.5, np.inf], dtype))
    assert elementary.finite(-math.inf) == -np.finfo("float64").max


def test_nan_is_passed_on() -> None:
    with np.errstate(invalid="ignore"):
        for name in [*SCALARS, "finite"]:
            assert np.isnan(getattr(elementary, name)(np.array([np.nan]))).all(), name


class Symbol:
    """A stand-in for a formula tree: it writes down what is done to it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __array_namespace__(self) -> Any:
        return Symbols


class Symbols:
    @staticmethod
    def tanh(x: Symbol) -> Symbol:
        return Symbol(f"tanh({x.text})")


def test_whatever_answers_to_the_array_standard_will_do() -> None:
    assert elementary.tanh(elementary.tanh(Symbol("z"))).text == "tanh(tanh(z))"
