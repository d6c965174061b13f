"""Is the gradient right? Back-propagation against finite differences, and on a chain against the closed form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backpropagation import forward, losses, passed_on
from ..data import Data, Floats, prepare
from ..engines import reference
from ..errors import InputError
from ..network import Network
from ..parameters import Parameters
from ..randomness import Purpose, permutation
from ..regularization import weight_positions
from .factors import NOISE, SMALLEST, TOLERANCE, check_factors
from .trace import Trace, backprop

# The step h of the quotient, times |θ| where that is above 1: small, so that few quotients reach over a kink,
# and of fourth order h⁴ is still nothing beside the rounding.
STEP = 1e-4
MAX_CHECKED = 200
# Numbers that networks which go forward together have, at most: so they stay in a cache.
_TOGETHER = 2**17
RIGHT, WRONG, NOT_JUDGED = "right", "wrong", "not judged"


@dataclass(frozen=True)
class Verification:
    """What :func:`verify` found; true when the gradient is right.

    Attributes
    ----------
    verdict : {"right", "wrong", "not judged"}
        "right" when every parameter that was chosen could be judged, by its quotient or by the factors of its gradient,
        and nothing differs; "wrong" when something differs where the functions are smooth.
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
        difference quotient can be trusted, or because quotients with two steps differ.
    too_small : int
        How many of the checked lie in a Wᵢ or bᵢ whose gradient is so small that the rounding of a difference
        quotient is above the tolerance.
    unjudged : int
        How many parameters neither their quotient nor the factors of their gradient can judge.
    faults : tuple of str
        The factors of the gradient that are wrong, such as "layer 1: the derivative is 2.00 times the quotient".
    kinks : tuple of str
        Where a kink is possible that is not listed in ``kinks=``.
    terms : str
        What of dropout and penalty is included.
    gradient : Parameters
        The gradient that was checked.
    quotients, h : Parameters
        The difference quotients and their steps, in the shapes of the gradient; NaN where no quotient was computed.
    rounding : Parameters
        The rounding error that each quotient may have.
    """

    verdict: str
    checked: int
    error: float
    closed_form_error: float | None
    worst: str
    near_kink: int
    too_small: int
    unjudged: int
    faults: tuple[str, ...]
    kinks: tuple[str, ...]
    terms: str
    gradient: Parameters = field(compare=False)
    quotients: Parameters = field(compare=False)
    h: Parameters = field(compare=False)
    rounding: Parameters = field(compare=False)

    def __bool__(self) -> bool:
        return self.verdict == RIGHT

    def __repr__(self) -> str:
        lines = [f"gradient {self.verdict if self else self.verdict.upper()}: {self.checked} parameters checked"]
        if self.checked:
            lines[0] += f", greatest relative difference {self.error:.1e} at {self.worst}"
        lines += self.faults
        if self.closed_form_error is not None:
            lines.append(f"closed form of the chain: greatest relative difference {self.closed_form_error:.1e}")
        if self.kinks:
            lines.append(f"a kink that is not listed in kinks= is possible: {'; '.join(self.kinks)}")
        if self.near_kink:
            lines.append(f"{self.near_kink} parameters left out: a finite difference would cross a kink there")
        if self.too_small:
            lines.append(f"{self.too_small} parameters checked by their factors: their gradient nearly vanishes")
        if self.unjudged:
            lines.append(f"{self.unjudged} parameters not judged: on a kink, or hidden by rounding; try other data")
        return "\n".join([*lines, *self.terms.splitlines()])


def verify(
    net: Network,
    params: Parameters,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    seed: int = 0,
    most: int = MAX_CHECKED,
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    dropout: int | None = None,
) -> Verification:
    """Compare the gradient of back-propagation with difference quotients, in float64.

    Parameters are moved one by one, and the quotient of the objective is
    (8 (J(θ+h) − J(θ−h)) − (J(θ+2h) − J(θ−2h))) / 12h, of fourth order, where J is the objective that a run reports: so
    a loss and a gradient that do not belong together are found as well. h is
    10⁻⁴ max(1, |θ|) / max(1, |fᵢ₋₁|), by the largest fᵢ₋₁ that the parameter multiplies. Of more than `most`
    parameters a random choice is checked. A parameter is left out when its quotient would reach over a kink.

    Each factor of the gradient is also checked on its own, relative to its own size: f′(zᵢ), δᵢ from δᵢ₊₁, and the
    gradient of Wᵢ and bᵢ from fᵢ₋₁ and δᵢ. So a wrong derivative is found even where the gradient vanishes.

    Parameters
    ----------
    net, params, x, y, sample_weight
        As for :func:`chainrule.backprop`.
    seed : int
        Decides which parameters are checked where there are many.
    most : int
        How many of them.
    l1, l2, dropout
        As for :func:`chainrule.backprop`.

    Raises
    ------
    InputError
        When a shape does not fit or a number is NaN or infinite.
    """
    net.check(params)
    data = prepare(net, x, y, sample_weight, feature_names=params.feature_names)
    theta = np.array(params.vector, dtype=np.float64)
    trace = backprop(net, net.parameters(theta), data.x, data.y, data.weights, l1=l1, l2=l2, dropout=dropout)
    gradient = trace.gradient.vector
    if not np.isfinite(gradient).all():
        raise InputError("the gradient is not finite at these parameters: there is nothing to compare with")
    places = permutation(len(theta), seed, Purpose.INITIAL)[:most]
    factors = check_factors(trace, seed)
    found = _compare(trace, data, places, factors.rounding)
    sizes = _gradient_sizes(trace)
    judged_by_factors = _layers(net) > factors.unjudged
    unjudged = places[~(found.is_decisive | judged_by_factors)[places]]
    closed = None
    if _has_closed_form(net) and not trace.penalty:
        expected = _closed_form(trace)
        closed = float((np.abs(expected - gradient) / np.maximum(sizes, SMALLEST)).max())
        closed = closed if np.isfinite(closed) else None
    if found.is_wrong.any() or factors.faults or (closed or 0.0) > TOLERANCE:
        verdict = WRONG
    else:
        verdict = NOT_JUDGED if factors.kinks or len(unjudged) else RIGHT
    trusted = places[found.is_trusted[places]]
    worst = int(trusted[int(np.argmax(found.errors[trusted]))]) if len(trusted) else 0
    return Verification(
        verdict=verdict,
        checked=len(trusted),
        error=float(found.errors[trusted].max(initial=0.0)),
        closed_form_error=closed,
        worst=_name(net, worst),
        near_kink=len(places) - len(trusted),
        too_small=int((~found.is_decisive)[trusted].sum()),
        unjudged=len(unjudged),
        faults=tuple(factors.faults),
        kinks=tuple(factors.kinks),
        terms=trace.terms,
        gradient=trace.gradient,
        quotients=net.parameters(found.quotients),
        h=net.parameters(found.h),
        rounding=net.parameters(rounding(trace, found.h)),
    )


@dataclass(frozen=True)
class _Found:
    """The quotients of the objective, one for each parameter; those that were not moved are not trusted.

    Decisive are the quotients whose rounding is so far below the gradient that they alone show it to be right.
    """

    quotients: Floats
    h: Floats
    errors: Floats
    is_trusted: NDArray[np.bool_]
    is_decisive: NDArray[np.bool_]
    is_wrong: NDArray[np.bool_]


def _compare(trace: Trace, data: Data, places: NDArray[np.integer], unit: float) -> _Found:
    """Move parameters one by one; where the quotient differs, again with a tenth of the step.

    Only a quotient that differs with both steps alike, and from both sides alike, shows that the gradient is wrong.
    `unit` is what rounding makes of a number of size 1.
    """
    gradient, h = trace.gradient.vector, steps(trace)
    sizes = _gradient_sizes(trace)
    quotients, jumps = _in_pieces(trace, data, places, h)
    wide = np.abs(quotients - gradient) > np.maximum(TOLERANCE * sizes, rounding(trace, h, unit))
    again = places[wide[places]]
    theta = trace.parameters.vector
    narrow = h.copy()
    narrow[again] = ((theta + h / 10.0) - theta)[again]
    second, jumps = _in_pieces(trace, data, again, narrow)
    noise = rounding(trace, narrow, unit)
    difference = np.abs(second - gradient)
    differs = wide & ~(difference <= np.maximum(TOLERANCE * sizes, noise))
    of_loss = unit * max(1.0, abs(trace.loss)) / narrow  # not `rounding`, which grows with the gradient in question
    smooth = np.minimum(difference / 2.0, 1e-3 * np.abs(second) + of_loss)
    is_small = np.abs(gradient) * narrow <= max(1.0, abs(trace.loss))  # else the step leaves where J is linear
    is_smooth = is_small & (np.abs(second - quotients) <= smooth) & (jumps <= smooth)
    final = np.where(wide, second, quotients)
    final[differs & ~is_smooth] = np.nan
    is_trusted = np.isfinite(final)
    return _Found(
        quotients=final,
        h=narrow,
        errors=np.abs(final - gradient) / np.maximum(sizes, noise / TOLERANCE),
        is_trusted=is_trusted,
        is_decisive=is_trusted & (sizes * TOLERANCE >= noise),
        is_wrong=differs & is_smooth,
    )


def rounding(trace: Trace, h: Floats, unit: float = NOISE) -> Floats:
    """Return what rounding makes of a quotient of the objective with the step h, for each parameter: ε|J|/h, ε = unit.

    |J| is at least 1, and at least |z_L| where the loss is computed from it. Each product in fᵢ₋₁Wᵢ + bᵢ is right for
    weights that are off by some ε, so |J| is at least the sum of |fᵢ₋₁||Wᵢ||δᵢ|, too. There a hidden fᵢ₋₁ counts as
    at least 1, because it may be a difference of such numbers, as in z(1 + erf(z/√2))/2. See Nocedal and Wright,
    Numerical Optimization, section 8.1, and Higham, Accuracy and Stability of Numerical Algorithms, section 3.1.
    """
    net, params, size = trace.network, trace.parameters, max(1.0, abs(trace.loss))
    with np.errstate(all="ignore"):
        for i, (weights, bias) in enumerate(zip(params.weights, params.biases, strict=True), start=1):
            inputs = np.abs(passed_on(trace.f, trace.masks, i - 1))
            terms = (inputs if i == 1 else np.maximum(1.0, inputs)) @ np.abs(weights)
            terms = terms if bias is None else terms + np.abs(bias)
            size += float(trace.shares @ (terms * np.abs(trace.delta[i])).sum(axis=1))
        if net.loss.linked(net.layers[-1].activation.name):
            size = max(size, float(np.abs(trace.z[-1]).max()))
        return np.asarray(unit * size / h)


def steps(trace: Trace) -> Floats:
    """Return for each parameter the step h of its difference quotient.

    A parameter that multiplies a large number, such as a column in its raw unit, moves a weighted input by more than
    itself. So its step is smaller: divided by the largest |fᵢ₋₁| that it multiplies, where that is above 1, up to 10⁸:
    beyond that a step would be lost in the rounding of the parameter.
    """
    theta = trace.parameters.vector
    reach = trace.network.parameters(np.ones_like(theta))
    for i, weights in enumerate(reach.weights):
        weights *= np.clip(np.abs(passed_on(trace.f, trace.masks, i)).max(axis=0), 1.0, 1e8)[:, np.newaxis]
    h = STEP * np.maximum(1.0, np.abs(theta)) / reach.vector
    return np.asarray((theta + h) - theta)  # as far as the parameter is moved when that is rounded


def _gradient_sizes(trace: Trace) -> Floats:
    """Return for each parameter the greatest number of the gradient in its Wᵢ or bᵢ."""
    net, gradient = trace.network, trace.gradient
    sizes = net.parameters(np.zeros(net.parameter_count))
    for part, size in zip((*gradient.weights, *gradient.biases), (*sizes.weights, *sizes.biases), strict=True):
        if part is not None:
            size[...] = np.abs(part).max()
    return np.asarray(sizes.vector)


def _layers(net: Network) -> NDArray[np.integer]:
    """Return for each parameter the number of its layer."""
    layers = net.parameters(np.zeros(net.parameter_count, dtype=np.int64))
    for i, parts in enumerate(zip(layers.weights, layers.biases, strict=True), start=1):
        for part in parts:
            if part is not None:
                part[...] = i
    return np.asarray(layers.vector)


def _in_pieces(trace: Trace, data: Data, places: NDArray[np.integer], h: Floats) -> tuple[Floats, Floats]:
    """Return :func:`_quotients` for each parameter, NaN where there is none, in batches that fit into the cache."""
    net = trace.network
    found = np.full((2, net.parameter_count), np.nan)
    together = max(1, _TOGETHER // (net.parameter_count + len(data) * max(net.widths)))
    for start in range(0, len(places), together):
        some = places[start : start + together]
        found[:, some] = _quotients(trace, data, some, h[some])
    return found[0], found[1]


def _quotients(trace: Trace, data: Data, places: NDArray[np.integer], h: Floats) -> Floats:
    """Return ∂J/∂θ_k for some k by central difference quotients of fourth order, and how far both sides differ.

    Both are NaN where a quotient would reach over a listed kink. The two sides are quotients of second order.
    """
    with np.errstate(all="ignore"):
        moved = [_moved(trace, data, places, times * h) for times in (-2, -1, 1, 2)]
        (lowest, below), (low, _), (high, _), (highest, above) = moved
        quotients = (8.0 * (high - low) - (highest - lowest)) / (12.0 * h)
        jumps = np.abs(4.0 * (high + low) - (highest + lowest) - 6.0 * trace.loss) / (2.0 * h)
    crossed = np.zeros(len(places), dtype=bool)
    for one, other in zip(below, above, strict=True):
        crossed |= (one != other).reshape(len(places), -1).any(axis=1)
    return np.where(crossed, np.nan, [quotients, jumps])


def _moved(trace: Trace, data: Data, places: NDArray[np.integer], by: Floats) -> tuple[Floats, list[NDArray[np.bool_]]]:
    """Return J of K networks, in each of which one parameter is moved, and on which side of every kink they are.

    All go forward together: their Wᵢ (K, dᵢ₋₁, dᵢ) and bᵢ (K, 1, dᵢ) make zᵢ and fᵢ of the shape (K, n, dᵢ).
    """
    net, theta = trace.network, trace.parameters.vector
    thetas = np.tile(theta, (len(places), 1))
    thetas[np.arange(len(places)), places] += by

    def stacked(part: Floats) -> Floats:  # as net.parameters, views
        return thetas[:, part.flat[0] : part.flat[-1] + 1].reshape(len(places), *np.atleast_2d(part).shape)

    at = net.parameters(np.arange(len(theta)))
    weights, biases = map(stacked, at.weights), [None if part is None else stacked(part) for part in at.biases]
    moved = Parameters(tuple(weights), biases)
    of_rows, sides = [], []
    for start in range(0, len(data), reference.CHUNK):
        rows = slice(start, start + reference.CHUNK)
        y = data.y[rows]
        z, f = forward(net, moved, data.x[rows], {i: mask[rows] for i, mask in trace.masks.items()})
        ends = [one[-1].reshape(-1, one[-1].shape[-1]) for one in (z, f)]  # (K n, d_L), as losses are defined for
        of_rows.append(losses(net, np.tile(y, (len(places), 1)), ends[:1], ends[1:]).reshape(len(places), -1))
        sides += [z[i] > kink for i, layer in enumerate(net.layers, start=1) for kink in layer.activation.kinks]
        sides += [f[-1] - y > kink for kink in net.loss.kinks]
    objective = np.concatenate(of_rows, axis=-1) @ trace.shares
    if trace.penalty:
        is_weight = weight_positions(net)
        objective = objective + [trace.penalty.value(one, is_weight) for one in thetas]
        if trace.penalty.l1:
            sides.append(thetas[:, is_weight] > 0.0)
    return objective, sides


def _has_closed_form(net: Network) -> bool:
    return net.is_chain and not any(layer.bias for layer in net.layers) and net.loss.name == "squared_error"


def _closed_form(trace: Trace) -> Floats:
    """Return ∂J/∂wᵢ = mean of fᵢ₋₁ · f′(zᵢ)⋯f′(z_L) · wᵢ₊₁⋯w_L · 2(f_L − y), each product written out."""
    net, last = trace.network, len(trace.network.layers)
    weights = [float(w[0, 0]) for w in trace.parameters.weights]
    masks = [trace.masks.get(i, 1.0) for i in range(last)]  # by each fᵢ on its way to the next layer
    expected = []
    with np.errstate(all="ignore"):
        slopes = [net.layers[i - 1].activation.slope(trace.z[i], trace.f[i]) for i in range(1, last + 1)]
        for i in range(1, last + 1):
            product = 2.0 * (trace.f[last] - trace.y) * slopes[last - 1]
            for k in range(last - 1, i - 1, -1):
                product = product * (weights[k] * masks[k]) * slopes[k - 1]
            expected.append(float(np.dot(trace.shares, (trace.f[i - 1] * masks[i - 1] * product)[:, 0])))
    return np.array(expected)


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
