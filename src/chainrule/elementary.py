"""The elementary functions that activations and losses are written in.

Each works on whatever it is given: NumPy arrays and Python numbers, JAX arrays (traced or not), and anything
else that answers to ``__array_namespace__`` (the Python array API standard), as a formula tree does. So one
definition of an activation serves to compute, to compile and to derive.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

# A NumPy array, a JAX array or a tree of symbols: what the definitions are generic over.
Array: TypeAlias = Any


def namespace(array: Array) -> Any:
    """Return the module whose functions work on `array`: ``numpy``, ``jax.numpy``, …"""
    found = getattr(array, "__array_namespace__", None)
    return found() if found else np


def like(array: Array, model: Array) -> Array:
    """Return a NumPy array in the dtype of `model`; where `model` is something else, return `array` itself."""
    return array.astype(model.dtype, copy=False) if type(model) is np.ndarray else array


def exp(x: Array) -> Array:
    """Return eˣ; far below zero it is 0 and far above it is infinity, as a limit and not as a warning."""
    xp = namespace(x)
    if xp is np:
        with np.errstate(over="ignore", under="ignore"):
            return np.exp(x)
    return xp.exp(x)


def expm1(x: Array) -> Array:
    """Return eˣ − 1 without losing digits near 0."""
    return namespace(x).expm1(x)


def log(x: Array) -> Array:
    """Return the natural logarithm; log 0 is −infinity without a warning."""
    xp = namespace(x)
    if xp is np:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.log(x)
    return xp.log(x)


def softplus(x: Array) -> Array:
    """Return log(1 + eˣ), stable however large |x| is."""
    return namespace(x).logaddexp(x, 0.0)


def tanh(x: Array) -> Array:
    """Return the hyperbolic tangent."""
    return namespace(x).tanh(x)


def sin(x: Array) -> Array:
    """Return the sine of x in radians."""
    return namespace(x).sin(x)


def cos(x: Array) -> Array:
    """Return the cosine of x in radians."""
    return namespace(x).cos(x)


def erf(x: Array) -> Array:
    """Return the error function (2/√π) ∫₀ˣ exp(−t²) dt."""
    xp = namespace(x)
    if xp is np:
        from scipy.special import erf as scipy_erf

        return scipy_erf(x)
    if xp.__name__ == "jax.numpy":
        from jax.scipy.special import erf as jax_erf

        return jax_erf(x)
    return xp.erf(x)


def absolute(x: Array) -> Array:
    """Return |x|."""
    return namespace(x).abs(x)


def sign(x: Array) -> Array:
    """Return −1, 0 or 1."""
    return namespace(x).sign(x)


def step(x: Array) -> Array:
    """Return 1 where x > 0 and 0 elsewhere, in the dtype of `x` (NaN gives NaN)."""
    xp = namespace(x)
    return xp.sign(xp.maximum(x, 0.0))


def maximum(x: Array, y: Array | float) -> Array:
    """Return the larger of the two, number by number."""
    return namespace(x).maximum(x, y)


def minimum(x: Array, y: Array | float) -> Array:
    """Return the smaller of the two, number by number."""
    return namespace(x).minimum(x, y)


def where(condition: Array, x: Array | float, y: Array | float) -> Array:
    """Return `x` where the condition holds and `y` elsewhere."""
    return namespace(condition).where(condition, x, y)


def finite(x: Array, high: bool = True) -> Array:
    """Return `x` with the largest finite numbers in place of ±∞; without `high`, +∞ stays.

    So a formula that would be ∞/∞ or 0·∞ has its limit. Symbols are finite already, and are returned unchanged.
    """
    xp = namespace(x)
    if not hasattr(xp, "finfo"):
        return x
    largest = float(xp.finfo(xp.result_type(x, 0.0)).max)
    return xp.clip(x, -largest, largest if high else None)


def row_sum(x: Array) -> Array:
    """Return the sum over the last axis, which stays as an axis of length one: (n, d) → (n, 1)."""
    return namespace(x).sum(x, axis=-1, keepdims=True)


def row_mean(x: Array) -> Array:
    """Return the mean over the last axis, which stays as an axis of length one: (n, d) → (n, 1)."""
    return namespace(x).mean(x, axis=-1, keepdims=True)


def row_max(x: Array) -> Array:
    """Return the maximum over the last axis, which stays as an axis of length one: (n, d) → (n, 1)."""
    return namespace(x).max(x, axis=-1, keepdims=True)


def log_softmax(x: Array) -> Array:
    """Return x − log Σ eˣ over the last axis, (n, d) → (n, d), accurate relative to its own size for any |x|."""
    of_symbols = getattr(namespace(x), "log_sum_exp", None)
    if of_symbols is not None:  # which have no largest
        return x - of_symbols(x)
    x = x - row_max(x)
    return x - log(row_sum(exp(x)))
