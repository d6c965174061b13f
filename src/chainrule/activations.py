r"""Activations: each defined once, as a value f(z) and a slope f′(z).

The definitions are written over :mod:`chainrule.elementary`, so that the same text computes with NumPy, is
traced by JAX and writes a derivation. A slope may use f as well as z, because often that is how the formula
reads: tanh′ = 1 − f².

An activation of your own is a value and a slope:

>>> cubic = Activation("cubic", value=lambda z: z**3, slope=lambda z, f: 3 * z**2)
>>> cubic.slope(2.0, 8.0)
12.0
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .elementary import (
    Array,
    absolute,
    cos,
    erf,
    exp,
    expm1,
    finite,
    log_softmax,
    maximum,
    minimum,
    row_sum,
    sin,
    step,
    tanh,
)
from .elementary import softplus as log_one_plus_exp
from .named import JSON, Catalogue, as_call, check_function, check_methods, describe, keep, number, numbers, pairs, text


@dataclass(frozen=True, repr=False)
class Activation:
    """A function applied to every weighted input of a layer.

    Two activations are equal when name and parameters are.

    Parameters
    ----------
    name : str
        What messages, model files and formulae call it.
    value : callable
        f(z), for a NumPy array of any shape; returns an array of the same shape.
    slope : callable
        f′(z) = ∂f/∂z, called with z and f = value(z), both of one shape; returns an array of that shape.
    parameters : tuple of (str, float or str)
        The values that the definition was made with, such as the slope of leaky relu.
    initializer : str
        Which initialiser a layer with this activation takes when it names none.
    kinks : tuple of float
        Where the slope, or the slope of the slope, jumps. No finite difference can be trusted across one.

    A subclass may override :meth:`back`, which back-propagation calls in every layer; the reference engine then
    executes the run. What the functions return is converted to the dtype of z.

    Raises
    ------
    InputError
        When a field is of another kind, such as a slope that is not a function.
    """

    name: str
    value: Callable[[Array], Array] = field(compare=False)
    slope: Callable[[Array, Array], Array] = field(compare=False)
    parameters: tuple[tuple[str, Any], ...] = ()
    initializer: str = field(default="glorot_uniform", compare=False)
    kinks: tuple[float, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        what = f"activation {text('the name of an activation', self.name)!r}"
        check_function(f"{what}: value", self.value)
        check_function(f"{what}: slope", self.slope)
        check_methods(self, Activation)
        text(f"{what}: initializer", self.initializer)
        keep(self, parameters=pairs(f"{what}: parameters", self.parameters))
        keep(self, kinks=numbers(f"{what}: kinks", self.kinks))

    def back(self, slope_of_loss: Array, z: Array, f: Array) -> Array:
        """Return ∂ℒ/∂z from ∂ℒ/∂f, all of shape (n, d): ∂ℒ/∂f ⊙ f′(z)."""
        return slope_of_loss * self.slope(z, f)

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Ours go to another process by name, since functions without one cannot; yours need functions with names.
        return (_find, (self.to_json(),)) if ACTIVATIONS.made(self) else super().__reduce_ex__(protocol)

    def to_json(self) -> JSON:
        """Return the name, or the name with the parameters."""
        return describe(self.name, dict(self.parameters))

    def __repr__(self) -> str:
        return as_call(self.name, dict(self.parameters))


class JointActivation(Activation):
    """An activation in which every output of a row depends on every weighted input: softmax."""

    def back(self, slope_of_loss: Array, z: Array, f: Array) -> Array:
        """Return ∂ℒ/∂z from ∂ℒ/∂f: with ∂f_k/∂z_j = f_k (1[j=k] − f_j), it is f ⊙ (g − Σ_k g_k f_k)."""
        return f * (slope_of_loss - row_sum(slope_of_loss * f))


def identity() -> Activation:
    """f = z. Also called linear."""
    return Activation("identity", value=lambda z: 1.0 * z, slope=lambda z, f: 0.0 * finite(z) + 1.0)


def hyperbolic_tangent() -> Activation:
    """f = tanh z, f′ = 1 − f²."""
    return Activation("tanh", value=tanh, slope=lambda z, f: 1.0 - f**2)


def logistic() -> Activation:
    """f = 1 / (1 + e⁻ᶻ), f′ = f (1 − f). Also called sigmoid."""
    return Activation("logistic", value=_logistic, slope=lambda z, f: f * (1.0 - f))


def relu() -> Activation:
    """f = max(z, 0), f′ = 1 where z > 0, else 0 (Nair and Hinton 2010)."""
    return Activation(
        "relu",
        value=lambda z: maximum(z, 0.0),
        slope=lambda z, f: step(z),
        initializer="he_uniform",
        kinks=(0.0,),
    )


def leaky_relu(negative_slope: float = 0.01) -> Activation:
    """f = z where z > 0, else a z; f′ = 1 or a (Maas et al. 2013)."""
    a = number("negative_slope of leaky_relu", negative_slope)
    return Activation(
        "leaky_relu",
        value=lambda z: maximum(z, 0.0) + a * minimum(z, 0.0),
        slope=lambda z, f: a + (1.0 - a) * step(z),
        parameters=(("negative_slope", a),),
        initializer="he_uniform",
        kinks=(0.0,),
    )


def elu(alpha: float = 1.0) -> Activation:
    """f = z where z > 0, else α (eᶻ − 1); f′ = 1 or f + α (Clevert et al. 2016)."""
    a = number("alpha of elu", alpha)
    return Activation(
        "elu",
        value=lambda z: maximum(z, 0.0) + a * expm1(minimum(z, 0.0)),
        slope=lambda z, f: step(z) + a * exp(minimum(z, 0.0)) * (1.0 - step(z)),
        parameters=(("alpha", a),),
        initializer="he_uniform",
        kinks=(0.0,),
    )


def selu() -> Activation:
    """f = λ z where z > 0, else λ α (eᶻ − 1); keeps mean 0 and variance 1 (Klambauer et al. 2017)."""
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    return Activation(
        "selu",
        value=lambda z: scale * (maximum(z, 0.0) + alpha * expm1(minimum(z, 0.0))),
        slope=lambda z, f: scale * (step(z) + alpha * exp(minimum(z, 0.0)) * (1.0 - step(z))),
        initializer="lecun_normal",
        kinks=(0.0,),
    )


def gelu() -> Activation:
    """f = z Φ(z), f′ = Φ(z) + z φ(z), with the normal distribution Φ and density φ (Hendrycks, Gimpel 2016)."""
    return Activation(
        "gelu",
        value=lambda z: finite(z, high=False) * _normal_distribution(z),
        slope=lambda z, f: _normal_distribution(z) + finite(z) * exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi),
        initializer="he_uniform",
    )


def gelu_tanh() -> Activation:
    """f = ½ z (1 + tanh u), u = √(2/π) (z + 0.044715 z³): GELU without erf (Hendrycks and Gimpel 2016)."""
    c = math.sqrt(2.0 / math.pi)

    def bend(z: Array) -> Array:
        return tanh(c * (z + 0.044715 * z**3))

    def slope(z: Array) -> Array:
        bent = bend(z)
        rest = 1.0 - bent**2  # 0 far from 0, where z² may be infinite: so it comes first in the products
        z = finite(z)
        return 0.5 * (1.0 + bent) + 0.5 * c * (rest * z + 3.0 * 0.044715 * rest * z * z * z)

    return Activation(
        "gelu_tanh",
        value=lambda z: 0.5 * finite(z, high=False) * (1.0 + bend(z)),
        slope=lambda z, f: slope(z),
        initializer="he_uniform",
    )


def silu() -> Activation:
    """f = z σ(z), f′ = σ(z) (1 + z (1 − σ(z))), σ the logistic function. Also called swish."""
    return Activation(
        "silu",
        value=lambda z: finite(z, high=False) * _logistic(z),
        slope=lambda z, f: _logistic(z) * (1.0 + finite(z) * (1.0 - _logistic(z))),
        initializer="he_uniform",
    )


def softplus() -> Activation:
    """f = log(1 + eᶻ), f′ = 1 / (1 + e⁻ᶻ) (Dugas et al. 2001)."""
    return Activation("softplus", value=log_one_plus_exp, slope=lambda z, f: _logistic(z), initializer="he_uniform")


def softsign() -> Activation:
    """f = z / (1 + |z|), f′ = 1 / (1 + |z|)²."""
    return Activation(
        "softsign",
        value=_softsign,
        slope=lambda z, f: 1.0 / (1.0 + absolute(z)) ** 2,
        kinks=(0.0,),
    )


def sine() -> Activation:
    """f = sin z, f′ = cos z (Sitzmann et al. 2020)."""
    return Activation("sin", value=sin, slope=lambda z, f: cos(z))


def exponential() -> Activation:
    """f = eᶻ, f′ = f: the rate of a count, with the Poisson loss."""
    return Activation("exponential", value=exp, slope=lambda z, f: f)


def softmax() -> Activation:
    """f_k = e^{z_k} / Σ_j e^{z_j}: probabilities of classes. For the output layer only.

    Its slope is the diagonal ∂f_k/∂z_k = f_k (1 − f_k); :meth:`JointActivation.back` has the rest.
    """
    return JointActivation("softmax", value=lambda z: exp(log_softmax(z)), slope=lambda z, f: f * (1.0 - f))


def _logistic(z: Array) -> Array:
    return 1.0 / (1.0 + exp(-z))


def _softsign(z: Array) -> Array:
    z = finite(z)
    return z / (1.0 + absolute(z))


def _normal_distribution(z: Array) -> Array:
    return 0.5 * (1.0 + erf(z / math.sqrt(2.0)))


ACTIVATIONS = Catalogue(
    "activation",
    Activation,
    {
        "identity": identity,
        "tanh": hyperbolic_tangent,
        "logistic": logistic,
        "relu": relu,
        "leaky_relu": leaky_relu,
        "elu": elu,
        "selu": selu,
        "gelu": gelu,
        "gelu_tanh": gelu_tanh,
        "silu": silu,
        "softplus": softplus,
        "softsign": softsign,
        "sin": sine,
        "exponential": exponential,
        "softmax": softmax,
    },
)
"""Every activation by its name."""


def _find(description: JSON) -> Activation:
    return ACTIVATIONS.find(description)
