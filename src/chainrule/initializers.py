"""Initialisers: from how wide a distribution the first weights are drawn. Biases start at zero.

The aim of all of them is that z, f and δ keep their size from layer to layer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .named import JSON, Catalogue, check_function, check_methods, text


@dataclass(frozen=True, repr=False)
class Initializer:
    """A way to draw the first weights of a layer.

    Parameters
    ----------
    name : str
        What messages and model files call it.
    draw : callable
        Called with a :class:`numpy.random.Generator`, fan in dᵢ₋₁ and fan out dᵢ; returns (dᵢ₋₁, dᵢ).

    Raises
    ------
    InputError
        When the name is not a string or `draw` is not a function.
    """

    name: str
    draw: Callable[[np.random.Generator, int, int], NDArray[np.float64]] = field(compare=False)

    def __post_init__(self) -> None:
        check_function(f"initializer {text('the name of an initializer', self.name)!r}: draw", self.draw)
        check_methods(self, Initializer)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Ours go to another process by name, since functions without one cannot; yours need functions with names.
        return (_find, (self.to_json(),)) if INITIALIZERS.made(self) else super().__reduce_ex__(protocol)

    def to_json(self) -> JSON:
        """Return the name."""
        return self.name

    def __repr__(self) -> str:
        return self.name


def _uniform(name: str, variance: Callable[[int, int], float]) -> Initializer:
    def draw(random: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[np.float64]:
        limit = math.sqrt(3.0 * variance(fan_in, fan_out))  # U(−a, a) has the variance a²/3
        return random.uniform(-limit, limit, (fan_in, fan_out))

    return Initializer(name, draw)


def _normal(name: str, variance: Callable[[int, int], float]) -> Initializer:
    def draw(random: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[np.float64]:
        return random.normal(0.0, math.sqrt(variance(fan_in, fan_out)), (fan_in, fan_out))

    return Initializer(name, draw)


def glorot_uniform() -> Initializer:
    """Uniform with variance 2 / (fan in + fan out), for tanh-like activations (Glorot and Bengio 2010)."""
    return _uniform("glorot_uniform", lambda fan_in, fan_out: 2.0 / (fan_in + fan_out))


def glorot_normal() -> Initializer:
    """Normal with variance 2 / (fan in + fan out) (Glorot and Bengio 2010)."""
    return _normal("glorot_normal", lambda fan_in, fan_out: 2.0 / (fan_in + fan_out))


def he_uniform() -> Initializer:
    """Uniform with variance 2 / fan in, for relu-like activations (He et al. 2015)."""
    return _uniform("he_uniform", lambda fan_in, fan_out: 2.0 / fan_in)


def he_normal() -> Initializer:
    """Normal with variance 2 / fan in (He et al. 2015)."""
    return _normal("he_normal", lambda fan_in, fan_out: 2.0 / fan_in)


def lecun_uniform() -> Initializer:
    """Uniform with variance 1 / fan in (LeCun et al. 1998)."""
    return _uniform("lecun_uniform", lambda fan_in, fan_out: 1.0 / fan_in)


def lecun_normal() -> Initializer:
    """Normal with variance 1 / fan in, for selu (LeCun et al. 1998)."""
    return _normal("lecun_normal", lambda fan_in, fan_out: 1.0 / fan_in)


def orthogonal() -> Initializer:
    """Rows or columns, whichever are fewer, orthonormal; uniform over such matrices (Saxe et al. 2014).

    LAPACK computes them, so the last bits depend on the machine.
    """

    def draw(random: np.random.Generator, fan_in: int, fan_out: int) -> NDArray[np.float64]:
        q, r = np.linalg.qr(random.normal(size=(max(fan_in, fan_out), min(fan_in, fan_out))))
        q = q * np.where(np.diagonal(r) < 0.0, -1.0, 1.0)  # without the signs of R, Q is not uniform
        return q if fan_in >= fan_out else np.ascontiguousarray(q.T)

    return Initializer("orthogonal", draw)


def zeros() -> Initializer:
    """All weights 0: for demonstration, since units that start equal stay equal."""
    return Initializer("zeros", lambda random, fan_in, fan_out: np.zeros((fan_in, fan_out)))


INITIALIZERS = Catalogue(
    "initializer",
    Initializer,
    {
        make.__name__: make
        for make in (
            glorot_uniform,
            glorot_normal,
            he_uniform,
            he_normal,
            lecun_uniform,
            lecun_normal,
            orthogonal,
            zeros,
        )
    },
)
"""Every initialiser by its name."""


def _find(description: JSON) -> Initializer:
    return INITIALIZERS.find(description)
