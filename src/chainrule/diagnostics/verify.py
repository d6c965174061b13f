"""Is the gradient right? Back-propagation against finite differences, and on a chain against the closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backpropagation import forward, losses
from ..data import Data, Floats, prepare
from ..engines import reference
from ..engines.task import shares
from ..errors import InputError
from ..network import Network
from ..parameters import Parameters
from ..randomness import Purpose, permutation
from .trace import Trace, backprop

# The step h of the quotient, times |θ| where that is above 1: small, so that few quotients reach over a kink,
# and of fourth order h⁴ is still nothing beside the rounding.
STEP = 1e-4
TOLERANCE = 1e-6
MAX_CHECKED = 200
# Numbers that networks which go forward together have, at most: so they stay in a cache.
_TOGETHER = 2**17
# What rounding alone makes of a difference of losses of size 1.
NOISE = 10 * np.finfo(np.float64).eps


@dataclass(frozen=True)
class Verification:
    """What :func:`verify` found; true when something could be checked and the gradient is right.

    Attributes
    ----------
    checked : int
        How many of the parameters were moved.
    error : float
        The greatest difference between back-propagation and finite differences, each over the greatest number
        of the gradient in the same Wᵢ or bᵢ.
    closed_form_error : float or None
        The same against the closed form of the chain; None where the network is not a chain.
    worst : str
        The parameter with the greatest difference.
    near_kink : int
        How many parameters were left out, because a weighted input or error lies so near a kink that no
        difference quotient can be trusted.
    too_small : int
        How many of the checked lie in a Wᵢ or bᵢ whose gradient is so small that the rounding of a difference
        quotient is above the tolerance: there only an error of more than that rounding is found.
    quotients : Parameters
        The difference quotients, in the shapes of the gradient; NaN where none was made.
    """

    checked: int
    error: float
    closed_form_error: float | None
    worst: str
    near_kink: int
    too_small: int
    quotients: Parameters = field(compare=False)

    def __bool__(self) -> bool:
        return self.checked > 0 and self.error <= TOLERANCE and (self.closed_form_error or 0.0) <= TOLERANCE

    def __repr__(self) -> str:
        lines = [
            f"gradient {'right' if self else 'WRONG'}: {self.checked} parameters checked, "
            f"greatest relative difference {self.error:.1e} at {self.worst}"
            if self.checked
            else "gradient NOT CHECKED: no difference quotient can be trusted here; try other data"
        ]
        if self.closed_form_error is not None:
            lines.append(f"closed form of the chain: greatest relative difference {self.closed_form_error:.1e}")
        if self.near_kink:
            lines.append(f"{self.near_kink} parameters left out: a finite difference would cross a kink there")
        if self.too_small:
            lines.append(f"{self.too_small} parameters checked to rounding only: their gradient nearly vanishes")
        return "\n".join(lines)


def verify(
    net: Network,
    params: Parameters,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    seed: int = 0,
    most: int = MAX_CHECKED,
) -> Verification:
    """Compare the gradient of back-propagation with difference quotients of the loss, in float64.

    The quotient is (8 (J(θ+h) − J(θ−h)) − (J(θ+2h) − J(θ−2h))) / 12h, of fourth order, where J is the objective
    that a run reports: so a loss and a gradient that do not belong together are found as well. h is
    10⁻⁴ max(1, |θ|) / max(1, |fᵢ₋₁|), by the largest fᵢ₋₁ that the parameter multiplies. Of more than `most`
    parameters a random choice is checked. A parameter is left out when its quotient would reach over a kink.

    Parameters
    ----------
    net, params, x, y, sample_weight
        As for :func:`chainrule.backprop`.
    seed : int
        Decides which parameters are checked where there are many.
    most : int
        How many of them.

    Raises
    ------
    InputError
        When a shape does not fit or a number is NaN or infinite.
    """
    net.check(params)
    data = prepare(net, x, y, sample_weight)
    theta = np.array(params.vector, dtype=np.float64)
    trace = backprop(net, net.parameters(theta), data.x, data.y, data.weights)
    gradient, h = trace.gradient.vector, steps(trace)
    if not np.isfinite(gradient).all():
        raise InputError("the gradient is not finite at these parameters: there is nothing to compare with")
    noise = NOISE * max(1.0, abs(reference.evaluate(net, net.parameters(theta), data))) / h
    sizes = _sizes(net, gradient)
    judged = np.maximum(sizes, noise / TOLERANCE)
    places = permutation(len(theta), seed, Purpose.INITIAL)[:most]
    quotients, crossed = np.full_like(theta, np.nan), np.zeros(len(theta), dtype=bool)
    together = max(1, _TOGETHER // (len(theta) + len(data) * max(net.widths)))
    for some in np.split(places, range(together, len(places), together)):
        quotients[some], crossed[some] = _quotients(net, theta, data, some, h[some])
    quotients[crossed] = np.nan
    trusted = places[~crossed[places]]
    errors = (np.abs(quotients - gradient) / judged)[trusted]
    worst = int(trusted[int(np.argmax(errors))]) if len(trusted) else 0  # argmax takes NaN for the greatest
    closed = None
    if _is_chain(net):
        expected = _closed_form(net, net.parameters(theta), data)
        closed = float((np.abs(expected - gradient) / sizes).max())
    return Verification(
        checked=len(trusted),
        error=float(errors.max(initial=0.0)),
        closed_form_error=closed,
        worst=_name(net, worst),
        near_kink=len(places) - len(trusted),
        too_small=int((sizes < judged)[trusted].sum()),
        quotients=net.parameters(quotients),
    )


def steps(trace: Trace) -> Floats:
    """Return for each parameter the step h of its difference quotient.

    A parameter that multiplies a large number, such as a column in its raw unit, moves a weighted input by more than
    itself. So its step is smaller: divided by the largest |fᵢ₋₁| that it multiplies, where that is above 1, up to 10⁸:
    beyond that a step would be lost in the rounding of the parameter.
    """
    theta = trace.parameters.vector
    reach = trace.network.parameters(np.ones_like(theta))
    for weights, f in zip(reach.weights, trace.f, strict=False):
        weights *= np.clip(np.abs(f).max(axis=0), 1.0, 1e8)[:, np.newaxis]
    h = STEP * np.maximum(1.0, np.abs(theta)) / reach.vector
    return np.asarray((theta + h) - theta)  # as far as the parameter is moved when that is rounded


def _sizes(net: Network, gradient: Floats) -> Floats:
    """Return for each parameter the greatest number of the gradient in its Wᵢ or bᵢ, or 1 where all are zero."""
    parts, sizes = net.parameters(gradient), net.parameters(np.ones_like(gradient))
    for part, size in zip((*parts.weights, *parts.biases), (*sizes.weights, *sizes.biases), strict=True):
        if part is not None and part.any():
            size[...] = np.abs(part).max()
    return np.asarray(sizes.vector)


def _quotients(
    net: Network, theta: Floats, data: Data, places: NDArray[np.integer], h: Floats
) -> tuple[Floats, Floats]:
    """Return ∂J/∂θ_k for some k by central difference quotients of fourth order, and which would reach over a kink."""
    with np.errstate(all="ignore"):
        moved = [_moved(net, theta, data, places, times * h) for times in (-2, -1, 1, 2)]
        (lowest, below), (low, _), (high, _), (highest, above) = moved
        quotients = (8.0 * (high - low) - (highest - lowest)) / (12.0 * h)
    crossed = np.zeros(len(places), dtype=bool)
    for one, other in zip(below, above, strict=True):
        crossed |= (one != other).any(axis=(1, 2))
    return quotients, crossed


def _moved(
    net: Network, theta: Floats, data: Data, places: NDArray[np.integer], by: Floats
) -> tuple[Floats, list[Floats]]:
    """Return J of K networks, in each of which one parameter is moved, and on which side of every kink they are.

    All go forward together: their Wᵢ (K, dᵢ₋₁, dᵢ) and bᵢ (K, 1, dᵢ) make zᵢ and fᵢ of the shape (K, n, dᵢ).
    """
    thetas = np.tile(theta, (len(places), 1))
    thetas[np.arange(len(places)), places] += by

    def stacked(part: Floats) -> Floats:  # as net.parameters, views
        return thetas[:, part.flat[0] : part.flat[-1] + 1].reshape(len(places), *np.atleast_2d(part).shape)

    at = net.parameters(np.arange(len(theta)))
    weights, biases = map(stacked, at.weights), [None if part is None else stacked(part) for part in at.biases]
    moved = Parameters(tuple(weights), biases)
    of_rows, sides = [], []
    for start in range(0, len(data), reference.CHUNK):
        x, y = (some[start : start + reference.CHUNK] for some in (data.x, data.y))
        z, f = forward(net, moved, x)
        ends = [one[-1].reshape(-1, one[-1].shape[-1]) for one in (z, f)]  # (K n, d_L), as losses are defined for
        of_rows.append(losses(net, np.tile(y, (len(places), 1)), ends[:1], ends[1:]).reshape(len(places), -1))
        sides += [z[i] > kink for i, layer in enumerate(net.layers, start=1) for kink in layer.activation.kinks]
        sides += [f[-1] - y > kink for kink in net.loss.kinks]
    return np.concatenate(of_rows, axis=-1) @ shares(data), sides


def _is_chain(net: Network) -> bool:
    return set(net.widths) == {1} and not any(layer.bias for layer in net.layers) and net.loss.name == "squared_error"


def _closed_form(net: Network, params: Parameters, data: Data) -> Floats:
    """Return ∂J/∂wᵢ = mean of fᵢ₋₁ · f′(zᵢ)⋯f′(z_L) · wᵢ₊₁⋯w_L · 2(f_L − y), each product written out."""
    trace = backprop(net, params, data.x, data.y, data.weights)
    last = len(net.layers)
    slopes = [net.layers[i - 1].activation.slope(trace.z[i], trace.f[i]) for i in range(1, last + 1)]
    w = [float(weights[0, 0]) for weights in params.weights]
    share = data.weights / data.weights.sum()
    of_rows = [
        trace.f[i - 1] * math.prod(slopes[i - 1 :]) * math.prod(w[i:]) * 2.0 * (trace.f[last] - data.y)
        for i in range(1, last + 1)
    ]
    return np.array([float(np.dot(share, rows[:, 0])) for rows in of_rows])


def _name(net: Network, k: int) -> str:
    """Return the symbol of the k-th parameter: W_2[3,1] or b_2[1], units counted from 1."""
    numbered = net.parameters(np.arange(net.parameter_count))
    for i, (weights, bias) in enumerate(zip(numbered.weights, numbered.biases, strict=True), start=1):
        if k in weights:
            row, column = np.argwhere(weights == k)[0] + 1
            return f"W_{i}[{row},{column}]"
        if bias is not None and k in bias:
            return f"b_{i}[{int(np.argmax(bias == k)) + 1}]"
    raise IndexError(k)
