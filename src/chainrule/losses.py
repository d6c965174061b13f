"""Losses: each defined once, as a value ℒ(y, f) and a slope ∂ℒ/∂f for one output.

The loss of a row is the *mean* over its outputs (a sum over classes for cross entropy, and where ``over_outputs`` is
"sum"), and the objective is the weighted mean over rows. Value and slope are divided alike, so that the gradient is
always that of the loss that is reported.

Three losses have a canonical link: an output activation with which they are computed from z_L, stable at any
size of z_L, and with which δ_L is simply (f_L − y) — over d_L where the row's loss is a mean.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .elementary import (
    Array,
    absolute,
    exp,
    log,
    log_softmax,
    maximum,
    minimum,
    row_mean,
    row_sum,
    sign,
    softplus,
    step,
    tanh,
    where,
)
from .errors import InputError, quoted
from .named import (
    JSON,
    Catalogue,
    as_call,
    check_function,
    check_methods,
    describe,
    keep,
    listed,
    number,
    numbers,
    pairs,
    text,
)


@dataclass(frozen=True)
class CanonicalLink:
    """How a loss is computed from z_L when the output activation is the one made for it.

    Parameters
    ----------
    activation : str
        The output activation's name.
    value : callable
        ℒ(y, z) of every output, (n, d) → (n, d).
    delta : callable
        ∂ℒ/∂z of every output, called with y, z and f, all (n, d).
    """

    activation: str
    value: Callable[[Array, Array], Array]
    delta: Callable[[Array, Array, Array], Array]

    def __post_init__(self) -> None:
        text("activation of a CanonicalLink", self.activation)
        check_function("value of a CanonicalLink", self.value)
        check_function("delta of a CanonicalLink", self.delta)


@dataclass(frozen=True, repr=False)
class Loss:
    """What training makes small: how far the output f is from the target y.

    Two losses are equal when name and parameters are.

    Parameters
    ----------
    name : str
        What messages and model files call it.
    value : callable
        ℒ(y, f) of every output, (n, d) → (n, d).
    slope : callable
        ∂ℒ/∂f of every output, called with y and f, both (n, d).
    parameters : tuple of (str, float or str)
        What the definition was made with.
    over_outputs : {"mean", "sum"}
        How the outputs of a row make the loss of the row.
    targets : tuple of two float
        The least and the greatest y that make sense.
    outputs : tuple of str
        The output activations that the loss is defined with; empty means any.
    link : CanonicalLink or None
        The output activation with which the loss is computed from z_L.
    kinks : tuple of float
        At which f − y the slope, or the slope of the slope, jumps.

    The functions return NumPy arrays, which are converted to the dtype of f.

    Raises
    ------
    InputError
        When a field is of another kind, such as a slope that is not a function.
    """

    name: str
    value: Callable[[Array, Array], Array] = field(compare=False)
    slope: Callable[[Array, Array], Array] = field(compare=False)
    parameters: tuple[tuple[str, Any], ...] = ()
    over_outputs: str = field(default="mean", compare=False)
    targets: tuple[float, float] = field(default=(-math.inf, math.inf), compare=False)
    outputs: tuple[str, ...] = field(default=(), compare=False)
    link: CanonicalLink | None = field(default=None, compare=False)
    kinks: tuple[float, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        what = f"loss {text('the name of a loss', self.name)!r}"
        check_function(f"{what}: value", self.value)
        check_function(f"{what}: slope", self.slope)
        check_methods(self, Loss)
        if self.over_outputs not in ("mean", "sum"):
            raise InputError(f"over_outputs must be 'mean' or 'sum', but is {self.over_outputs!r:.60}")
        if not isinstance(self.link, (CanonicalLink, type(None))):
            raise InputError(f"{what}: link must be a CanonicalLink or None, but is {quoted(self.link)}")
        keep(self, targets=_interval(f"{what}: targets", self.targets))
        keep(self, outputs=tuple(text(f"{what}: an activation in outputs", name) for name in listed(self.outputs)))
        keep(self, parameters=pairs(f"{what}: parameters", self.parameters))
        keep(self, kinks=numbers(f"{what}: kinks", self.kinks))

    @property
    def targets_are_classes(self) -> bool:
        """Whether y is a distribution over classes, so that class numbers can be passed instead."""
        return self.name == "cross_entropy"

    def linked(self, activation: str) -> CanonicalLink | None:
        """Return the canonical link if `activation` is its activation."""
        return self.link if self.link and self.link.activation == activation else None

    def accepts(self, activation: str) -> bool:
        """Tell whether the loss is defined for outputs of this activation."""
        return not self.outputs or activation in self.outputs

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Ours go to another process by name, since functions without one cannot; yours need functions with names.
        return (_find, (self.to_json(),)) if LOSSES.made(self) else super().__reduce_ex__(protocol)

    def to_json(self) -> JSON:
        """Return the name, or the name with the parameters."""
        return describe(self.name, dict(self.parameters))

    def __repr__(self) -> str:
        return as_call(self.name, dict(self.parameters))


def squared_error() -> Loss:
    """ℒ = (y − f)², ∂ℒ/∂f = 2 (f − y): the lecture's loss."""
    return Loss("squared_error", value=lambda y, f: (y - f) ** 2, slope=lambda y, f: 2.0 * (f - y))


def half_squared_error() -> Loss:
    """ℒ = ½ (y − f)², ∂ℒ/∂f = f − y: scikit-learn's squared error."""
    return Loss("half_squared_error", value=lambda y, f: 0.5 * (y - f) ** 2, slope=lambda y, f: f - y)


def absolute_error() -> Loss:
    """ℒ = |f − y|, ∂ℒ/∂f = sign(f − y): its minimiser is the median."""
    return Loss(
        "absolute_error",
        value=lambda y, f: absolute(f - y),
        slope=lambda y, f: sign(f - y),
        kinks=(0.0,),
    )


def huber(threshold: float = 1.0) -> Loss:
    """ℒ = ½ e² where |e| ≤ t, else t (|e| − ½ t), with e = f − y; ∂ℒ/∂f = e cut to [−t, t] (Huber 1964)."""
    t = number("threshold of huber", threshold, 0.0, above=True)

    def slope(y: Array, f: Array) -> Array:
        return maximum(minimum(f - y, t), -t)

    return Loss(
        "huber",
        # With c the cut error, c (e − ½ c) is both branches at once.
        value=lambda y, f: slope(y, f) * ((f - y) - 0.5 * slope(y, f)),
        slope=slope,
        parameters=(("threshold", t),),
        kinks=(-t, t),
    )


def log_cosh() -> Loss:
    """ℒ = log cosh e, ∂ℒ/∂f = tanh e, with e = f − y: squared near 0, absolute far away."""
    return Loss(
        "log_cosh",
        # cosh overflows; e + log(1 + e^{−2e}) − log 2 is the same and does not.
        value=lambda y, f: absolute(f - y) + softplus(-2.0 * absolute(f - y)) - math.log(2.0),
        slope=lambda y, f: tanh(f - y),
    )


def quantile(level: float = 0.5) -> Loss:
    """ℒ = τ e where e > 0, else (τ − 1) e, with e = y − f: its minimiser is the τ-quantile (Koenker 1978)."""
    tau = number("level of quantile", level, 0.0, 1.0, above=True, below=True)
    return Loss(
        "quantile",
        value=lambda y, f: tau * maximum(y - f, 0.0) + (1.0 - tau) * maximum(f - y, 0.0),
        slope=lambda y, f: (1.0 - tau) * step(f - y) - tau * step(y - f),
        parameters=(("level", tau),),
        kinks=(0.0,),
    )


def poisson(over_outputs: str = "mean") -> Loss:
    """ℒ = f − y + y log(y / f), half the Poisson deviance; ∂ℒ/∂f = 1 − y / f. f is the rate of the count y.

    With the exponential output it is computed from z_L, and ∂ℒ/∂z = f − y. The loss of a row is the mean over its
    outputs, or the sum.
    """

    def count_log_count(y: Array) -> Array:
        return y * log(where(y > 0.0, y, 1.0))  # 0 log 0 is 0

    return Loss(
        "poisson",
        value=lambda y, f: f - y + count_log_count(y) - y * log(f),
        slope=lambda y, f: 1.0 - y / f,
        **_over(over_outputs),
        targets=(0.0, math.inf),
        outputs=("exponential", "softplus"),
        link=CanonicalLink(
            "exponential",
            value=lambda y, z: exp(z) - y + count_log_count(y) - y * z,
            delta=lambda y, z, f: f - y,
        ),
    )


def cross_entropy(label_smoothing: float = 0.0) -> Loss:
    """ℒ = −Σ_k y_k log f_k over the classes, from z_L: −Σ_k y_k (z_k − log Σ_j e^{z_j}); ∂ℒ/∂z = f Σ_k y_k − y.

    y is one-hot, or a distribution over the classes. Label smoothing ε puts (1 − ε) y + ε/K in its place
    (Szegedy et al. 2016).
    """
    epsilon = number("label_smoothing of cross_entropy", label_smoothing, 0.0, 1.0, below=True)

    def smooth(y: Array) -> Array:
        return (1.0 - epsilon) * y + epsilon * row_mean(y) if epsilon else y

    return Loss(
        "cross_entropy",
        value=lambda y, f: -smooth(y) * log(f),
        slope=lambda y, f: -smooth(y) / f,
        parameters=(("label_smoothing", epsilon),) if epsilon else (),
        over_outputs="sum",
        targets=(0.0, 1.0),
        outputs=("softmax",),
        link=CanonicalLink(
            "softmax",
            value=lambda y, z: -smooth(y) * log_softmax(z),
            delta=lambda y, z, f: f * row_sum(smooth(y)) - smooth(y),
        ),
    )


def binary_cross_entropy(over_outputs: str = "mean") -> Loss:
    """ℒ = −y log f − (1 − y) log(1 − f), from z_L: log(1 + eᶻ) − y z; ∂ℒ/∂z = f − y.

    Each output is a label of its own that holds or does not. The loss of a row is the mean over its outputs, or the
    sum.
    """
    return Loss(
        "binary_cross_entropy",
        value=lambda y, f: -y * log(f) - (1.0 - y) * log(1.0 - f),
        slope=lambda y, f: (f - y) / (f * (1.0 - f)),
        **_over(over_outputs),
        targets=(0.0, 1.0),
        outputs=("logistic",),
        link=CanonicalLink(
            "logistic",
            value=lambda y, z: softplus(z) - y * z,
            delta=lambda y, z, f: f - y,
        ),
    )


def _interval(what: str, bounds: Any) -> tuple[float, float]:
    """Return two bounds, the lower first, which may be infinite."""
    try:
        low, high = map(float, bounds)
    except (TypeError, ValueError):
        low, high = math.nan, math.nan
    if not low <= high:
        raise InputError(f"{what} must be two numbers, the smaller one first, but are {quoted(bounds)}")
    return low, high


def _over(outputs: str) -> dict[str, Any]:
    """Return the fields of a loss whose rows are the mean over their outputs, as is the rule, or the sum."""
    return {"over_outputs": outputs, "parameters": (("over_outputs", outputs),) if outputs != "mean" else ()}


LOSSES = Catalogue(
    "loss",
    Loss,
    {
        "squared_error": squared_error,
        "absolute_error": absolute_error,
        "huber": huber,
        "log_cosh": log_cosh,
        "quantile": quantile,
        "poisson": poisson,
        "cross_entropy": cross_entropy,
        "binary_cross_entropy": binary_cross_entropy,
        "half_squared_error": half_squared_error,
    },
)
"""Every loss by its name."""


def _find(description: JSON) -> Loss:
    return LOSSES.find(description)
