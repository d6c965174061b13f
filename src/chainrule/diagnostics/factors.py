"""Check every factor of the gradient on its own, relative to its own size.

A difference quotient of the whole loss says nothing about a gradient that nearly vanishes: rounding hides it. But each
factor of such a gradient can be checked where it enters:

- ∂ℒ/∂f_L, or ∂ℒ/∂z_L of a canonical link, against difference quotients of the loss;
- f′(zᵢ) against difference quotients of f at zᵢ. Softmax and your own subclasses have a ``back`` of their own, which is
  compared as a whole. It is linear in ∂ℒ/∂fᵢ, so it is compared for a ∂ℒ/∂fᵢ of size 1, however small the real one is,
  and in another direction where that is 0;
- δᵢ against the product of δᵢ₊₁, Wᵢ₊₁ and f′(zᵢ). The map zᵢ₊₁ = fᵢ Wᵢ₊₁ + bᵢ₊₁ is affine, so its derivative is exact;
- ∂/∂Wᵢ and ∂/∂bᵢ against the products of fᵢ₋₁ and δᵢ, summed over the rows with their shares.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from ..activations import Activation
from ..data import Floats
from ..randomness import Purpose, permutation
from .trace import Trace

Function: TypeAlias = Callable[[Floats], Floats]

TOLERANCE = 1e-6
# What rounding alone makes of a difference of numbers of size 1.
NOISE = 10 * np.finfo(np.float64).eps
# The same in single precision, and the measured rounding above which a function computes in it.
_NOISE_OF_SINGLE, _COARSE = 16 * float(np.finfo(np.float32).eps), 1e3 * NOISE
# Steps of the quotients go from this size, and from this part of z, downwards, each an eighth of the one before.
_LARGEST, _LARGEST_PART, _RATIO, _RUNGS = 0.1, 1e-6, 8.0, 10
# A quotient is evidence of an error when its relative uncertainty is below this, which is more in single precision.
_KNOWN, _KNOWN_COARSELY = 1e-4, 3e-3
# Products are recomputed in another order: they differ by rounding only.
_ROUNDING = 1e-9
# Numbers below this lose digits to underflow.
SMALLEST = 1e-280
# The step within which a kink that is not listed is looked for: that of the quotients of the whole loss.
_REACH = 1e-4
# Numbers of a layer, and of softmax (whose columns are moved one by one), that are compared at most.
_COMPARED, _COMPARED_JOINTLY = 2**15, 2**20


@dataclass
class Factors:
    """What the factors of a gradient show.

    Attributes
    ----------
    faults : list of str
        Factors that differ from their difference quotients or products, the last layer first.
    kinks : list of str
        Where a kink is possible that is not listed in ``kinks=``.
    unjudged : int
        The highest layer with a factor that no quotient can judge: the gradients of this layer and of those below it
        depend on it. 0 where every factor was judged.
    rounding : float
        The largest measured rounding of the functions, for numbers of size 1; at least ``NOISE``.
    """

    faults: list[str] = field(default_factory=list)
    kinks: list[str] = field(default_factory=list)
    unjudged: int = 0
    rounding: float = NOISE


@dataclass(frozen=True)
class _Comparison:
    """A derivative beside its difference quotients, number by number: is it wrong, and by how much at most."""

    wrong: NDArray[np.bool_]
    bound: Floats
    quotient: Floats
    rounding: float  # of the function, for numbers of size 1


def check_factors(trace: Trace, seed: int) -> Factors:
    """Check every factor of the gradient of a trace in float64.

    Of many rows, a random choice is compared with difference quotients.
    """
    with np.errstate(all="ignore"):
        return _Checker(trace, seed).check()


class _Checker:
    def __init__(self, trace: Trace, seed: int) -> None:
        net = trace.network
        self.trace, self.y, self.net = trace, trace.y, net
        self.last = len(net.layers)
        self.link = net.loss.linked(net.layers[-1].activation.name)
        self.divisor = net.loss_divisor
        count = _COMPARED // max(net.widths)
        joint = max((layer.units for layer in net.layers if _is_joint(layer.activation)), default=0)
        if joint:
            count = min(count, _COMPARED_JOINTLY // joint**2)
        self.rows = permutation(len(trace.y), seed, Purpose.INITIAL)[: max(1, count)]
        self.share = trace.shares[self.rows, np.newaxis]
        self.factors = Factors()

    def check(self) -> Factors:
        self.check_output()
        for i in range(self.last - 1, 0, -1):
            self.check_recursion(i)
        for i in range(1, self.last + 1):
            self.check_gradient(i)
        return self.factors

    def check_output(self) -> None:
        """Check δ_L: by the canonical link, or by the derivatives of the loss and of the output activation."""
        trace, rows, last = self.trace, self.rows, self.last
        activation = self.net.layers[-1].activation
        z, f, y = trace.z[last], trace.f[last], self.y
        delta = trace.delta[last] * self.divisor
        is_joint = _is_joint(activation)
        if self.link:
            value = self.link.value
            if is_joint:
                compared = _Columns(lambda z: value(y[rows], z), z[rows]).compare(delta[rows])
            else:
                compared = compare(lambda z: value(y[rows], z), z[rows], delta[rows])
                self.look_for_kinks("loss", lambda z: value(y[rows], z), z[rows], compared.rounding)
            self.judge(compared, delta[rows], self.share, "loss", last)
            return
        loss, slope = self.net.loss, self.net.loss.slope(y, f)
        distance = _distance((f - y)[rows], loss.kinks)
        of_loss = compare(lambda f: loss.value(y[rows], f), f[rows], slope[rows], distance)
        known = 1.0 if is_joint else activation.slope(z, f)[rows]
        near = self.look_for_kinks("loss", lambda f: loss.value(y[rows], f), f[rows], of_loss.rounding, distance)
        self.judge(of_loss, slope[rows], self.share * np.abs(known), "loss", last, near)
        self.check_layer(last, slope / self.divisor, np.abs(slope) / self.divisor)

    def check_recursion(self, i: int) -> None:
        """Check δᵢ, as the product of δᵢ₊₁, Wᵢ₊₁ and f′(zᵢ)."""
        weights, mask = self.trace.parameters.weights[i], self.trace.masks.get(i, 1.0)
        delta = self.trace.delta[i + 1]
        arriving = np.einsum("rk,jk->rj", delta, weights) * mask
        self.check_layer(i, arriving, np.einsum("rk,jk->rj", np.abs(delta), np.abs(weights)) * mask)

    def check_layer(self, i: int, arriving: Floats, size: Floats) -> None:
        """Check f′(zᵢ), and δᵢ from ∂ℒ/∂fᵢ, which is a sum of terms of this size."""
        activation, rows = self.net.layers[i - 1].activation, self.rows
        if _is_joint(activation):
            self.check_back(i, arriving)
            return
        z, f, delta = self.trace.z[i], self.trace.f[i], self.trace.delta[i]
        slope = activation.slope(z, f)
        self.check_equal(f"layer {i}: δ", delta, arriving * slope, size * np.abs(slope))
        z, slope, distance = z[rows], slope[rows], _distance(z[rows], activation.kinks)
        compared = compare(activation.value, z, slope, distance)
        where = f"layer {i}, {activation.name}"
        near = self.look_for_kinks(where, activation.value, z, compared.rounding, distance)
        self.judge(compared, slope, self.share * np.abs(arriving[rows]), f"layer {i}", i, near)

    def check_back(self, i: int, arriving: Floats) -> None:
        """Check ``back`` for a ∂ℒ/∂fᵢ of size 1 in every row, and δᵢ as the multiple of it that it must be."""
        activation, rows = self.net.layers[i - 1].activation, self.rows
        largest = np.abs(arriving).max(axis=1, keepdims=True)
        scale = np.ldexp(1.0, np.frexp(largest)[1] - 1)  # a power of 2, so that both are rounded alike
        scale[largest == 0.0] = 0.0
        direction = np.cos(np.arange(1.0, 1.0 + arriving.shape[1]))  # no multiple of 1, of which softmax makes 0
        arriving = np.where(scale > 0.0, arriving / scale, direction)
        derivative = activation.back(arriving, self.trace.z[i], self.trace.f[i])
        delta = self.trace.delta[i]
        self.check_equal(f"layer {i}: δ", delta, scale * derivative, np.abs(delta))
        arriving, derivative = arriving[rows], derivative[rows]
        columns = _Columns(lambda z: arriving * activation.value(z), self.trace.z[i][rows], activation.kinks)
        compared = columns.compare(derivative)
        bent = columns.bends(compared.rounding)
        near = self.note_kinks(f"layer {i}, {activation.name}", columns.z, bent, columns.distance)
        importance = self.share * scale[rows]
        self.judge(compared, derivative, importance, f"layer {i}", i, near, columns.sizes())

    def check_gradient(self, i: int) -> None:
        """Check ∂/∂Wᵢ and ∂/∂bᵢ: the products of fᵢ₋₁ and δᵢ, summed over the rows, and the penalty."""
        trace = self.trace
        shared = trace.shares[:, np.newaxis] * trace.delta[i]
        f = trace.f[i - 1] * trace.masks.get(i - 1, 1.0)
        weights, bias = trace.parameters.weights[i - 1], trace.gradient.biases[i - 1]
        penalty = trace.penalty.l1 * np.sign(weights) + trace.penalty.l2 * weights
        size = np.abs(f).T @ np.abs(shared) + np.abs(penalty)
        self.check_equal(f"W_{i}: the gradient", trace.gradient.weights[i - 1], f.T @ shared + penalty, size)
        if bias is not None:
            self.check_equal(f"b_{i}: the gradient", bias, shared.sum(axis=0), np.abs(shared).sum(axis=0))

    def check_equal(self, what: str, number: Floats, product: Floats, size: Floats) -> None:
        difference = np.abs(number - product)
        wrong = difference > _ROUNDING * size + SMALLEST
        if wrong.any():
            place = np.unravel_index(int(np.argmax(np.where(wrong, difference, 0.0))), wrong.shape)
            ratio = _ratio(number[place], product[place], "the product of its factors")
            self.factors.faults.append(f"{what} is {ratio}")

    def look_for_kinks(
        self, where: str, value: Function, at: Floats, rounding: float, distance: Floats | float = np.inf
    ) -> NDArray[np.bool_]:
        return self.note_kinks(where, at, bends(value, at, rounding), distance)

    def note_kinks(
        self, where: str, at: Floats, bent: NDArray[np.bool_], distance: Floats | float
    ) -> NDArray[np.bool_]:
        near = bent & (distance > 3.0 * _REACH)
        if near.any():
            self.factors.kinks.append(f"{where} at {at[near][0]:.4g}")
        return near

    def judge(
        self,
        compared: _Comparison,
        derivative: Floats,
        importance: Floats,
        where: str,
        layer: int,
        near: NDArray[np.bool_] | bool = False,
        size: Floats | None = None,
    ) -> None:
        """Note a fault where a derivative is wrong, and the layer where it cannot be told for those that matter."""
        self.factors.rounding = max(self.factors.rounding, compared.rounding)
        importance = np.broadcast_to(importance, derivative.shape)
        wrong = compared.wrong & (self.share > 0.0) & ~np.asarray(near)
        if wrong.any():
            weight = np.where(wrong, importance * np.abs(derivative - compared.quotient), -1.0)
            place = np.unravel_index(int(np.argmax(weight)), wrong.shape)
            ratio = _ratio(derivative[place], compared.quotient[place], "the quotient")
            self.factors.faults.append(f"{where}: the derivative is {ratio}")
            return
        doubt = np.where(importance > 0.0, importance * compared.bound, 0.0).max()
        if not doubt <= 10 * TOLERANCE * (importance * (np.abs(derivative) if size is None else size)).max():
            self.factors.unjudged = max(self.factors.unjudged, layer)


def compare(
    value: Function,
    at: Floats,
    derivative: Floats,
    distance: Floats | float = np.inf,
    total: Floats | float = 0.0,
) -> _Comparison:
    """Compare a derivative with central difference quotients of fourth order, with steps of many sizes.

    Two quotients next to each other bound the truncation, and the step the rounding. A quotient is known well when
    three in a row agree, so that chance does not decide where the function oscillates faster than the steps. A
    derivative is wrong when such a quotient exists and none agrees with it.

    With smaller steps than the best, a quotient differs from it by rounding. That measures how a function rounds that
    computes in single precision.

    Parameters
    ----------
    value : callable
        The function, number by number.
    at, derivative : array
        Where, and the derivative there, of one shape.
    distance : array or float
        How far the nearest listed kink is: no quotient reaches over it.
    total : array or float
        The sum of the sizes of the terms, where the function is a sum.
    """
    size = np.maximum(1.0, np.abs(at))
    largest = np.minimum(np.maximum(_LARGEST, _LARGEST_PART * size), distance / 2.5)
    h = np.stack([(at + largest * _RATIO**-k) - at for k in range(_RUNGS)])
    quotients, scales, constant = [], [], np.zeros(at.shape, dtype=bool)
    for k, step in enumerate(h):
        lowest, low, high, highest = (value(at + times * step) for times in (-2.0, -1.0, 1.0, 2.0))
        quotients.append((8.0 * (high - low) - (highest - lowest)) / (12.0 * step))
        greatest = np.maximum(np.maximum(np.abs(lowest), np.abs(highest)), size * np.maximum(1.0, np.abs(derivative)))
        scales.append(np.maximum(greatest, total) / step)
        if k < 3:
            constant |= (lowest == low) & (low == high) & (high == highest) & (step > 0.0)
    q = np.stack(quotients)
    spread, q, scale, steps = np.abs(np.diff(q, axis=0)), q[1:], np.stack(scales)[1:], h[1:]
    spread[np.isnan(spread)] = np.inf  # where a step leaves the domain of the function
    each, rounding = _measured_rounding(q, spread, scale)
    noise = np.maximum(each, rounding) * scale
    part = _KNOWN if rounding < _COARSE else _KNOWN_COARSELY
    error = np.where(np.isfinite(q), spread + noise, np.inf)
    difference = np.where(np.isfinite(q), np.abs(derivative - q), np.inf)
    is_large = np.arange(1, _RUNGS).reshape(-1, *[1] * at.ndim) < 3
    settled = np.concatenate([np.zeros_like(spread[:1], dtype=bool), spread[:-1] <= 10.0 * _KNOWN * np.abs(q[1:])])
    known = (settled & (error <= part * np.abs(q))) | (is_large & (q == 0.0) & (spread == 0.0))
    agrees = difference <= TOLERANCE * np.maximum(np.abs(derivative), np.abs(q)) + error
    wrong = known.any(axis=0) & ~(known & agrees).any(axis=0)
    usable = known | (steps <= _LARGEST)
    bound = np.where(usable, difference + error, np.inf).min(axis=0)
    best = np.argmin(np.where(known, error, np.inf), axis=0)[np.newaxis]
    return _Comparison(
        wrong,
        np.where(constant & (derivative == 0.0), 0.0, bound),
        np.take_along_axis(q, best, axis=0)[0],
        rounding,
    )


def _measured_rounding(q: Floats, spread: Floats, scale: Floats) -> tuple[Floats, float]:
    """Return how a function rounds at each number, and in general, in units of its scale.

    Chance may hide the rounding at one number, and what is constant there does not round; but a function that rounds
    more than double precision does so by at least two units of single precision.
    """
    error = np.where(np.isfinite(q), spread + NOISE * scale, np.inf)
    best = np.argmin(error, axis=0)[np.newaxis]
    is_smaller = np.arange(len(q)).reshape(-1, *[1] * (q.ndim - 1)) > best
    difference = np.abs(q - np.take_along_axis(q, best, axis=0)) / scale
    each = np.where(is_smaller & np.isfinite(difference), difference, 0.0).max(axis=0)
    coarse = each[each > NOISE]
    rounding = max(NOISE, 8.0 * float(np.median(coarse))) if coarse.size else NOISE
    return 2.0 * each, rounding if rounding < _COARSE else max(rounding, _NOISE_OF_SINGLE / 8.0)


class _Columns:
    """A function of whole rows that is a sum of terms, (n, d) → (n, d), as a function of each column of z alone."""

    def __init__(self, terms: Function, z: Floats, kinks: tuple[float, ...] = ()) -> None:
        self.terms, self.z, self.distance = terms, z, _distance(z, kinks)
        self.total = np.abs(terms(z)).sum(axis=1)  # the rounding of the sum is relative to this

    def compare(self, derivative: Floats) -> _Comparison:
        """Compare ∂/∂z_j of the sum with its quotients."""
        columns = [
            compare(self.of_column(j), self.z[:, j], derivative[:, j], self.distance[:, j], self.total)
            for j in range(self.z.shape[1])
        ]
        return _Comparison(
            np.stack([column.wrong for column in columns], axis=1),
            np.stack([column.bound for column in columns], axis=1),
            np.stack([column.quotient for column in columns], axis=1),
            max(column.rounding for column in columns),
        )

    def bends(self, rounding: float) -> NDArray[np.bool_]:
        """Tell where the sum may have a kink."""
        columns = range(self.z.shape[1])
        return np.stack([bends(self.of_column(j), self.z[:, j], rounding, self.total) for j in columns], axis=1)

    def sizes(self) -> Floats:
        """Return the sum of the sizes of the terms of ∂/∂z_j, roughly."""
        h = np.maximum(_REACH, _LARGEST_PART * np.abs(self.z))
        high, low = self.z + h, self.z - h
        differences = [self.moved(j, high[:, j]) - self.moved(j, low[:, j]) for j in range(self.z.shape[1])]
        return np.stack([np.abs(one).sum(axis=1) for one in differences], axis=1) / (high - low)

    def of_column(self, j: int) -> Function:
        return lambda column: self.moved(j, column).sum(axis=1)

    def moved(self, j: int, column: Floats) -> Floats:
        """Return the terms with another column j."""
        matrix = self.z.copy()
        matrix[:, j] = column
        return self.terms(matrix)


def bends(value: Function, at: Floats, rounding: float = NOISE, total: Floats | float = 0.0) -> NDArray[np.bool_]:
    """Tell where a function may have a kink: where quotients from the left and from the right differ.

    Those of a smooth function differ a thousand times less with a tenth of the step. For `total` see :func:`compare`.
    """

    def jump(h: float) -> tuple[Floats, Floats]:
        left, right = (
            (-3.0 * here + 4.0 * value(at + s * h) - value(at + 2.0 * s * h)) / (2.0 * s * h) for s in (-1, 1)
        )
        return np.abs(right - left), np.maximum(np.maximum(np.abs(left), np.abs(right)), h)

    here = value(at)
    noise = (
        (NOISE if rounding < _COARSE else _NOISE_OF_SINGLE)
        * np.maximum(np.maximum(np.maximum(1.0, np.abs(at)), np.abs(here)), total)
        / _REACH
    )
    (wide, size), (narrow, _) = jump(_REACH), jump(_REACH / 10.0)
    is_smooth = (wide / 1e4 < narrow) & (narrow < wide / 30.0 + 40.0 * noise)
    found: NDArray[np.bool_] = (wide > 1e-3 * size + 4.0 * noise) & ~is_smooth & np.isfinite(narrow)
    return found


def _is_joint(activation: Activation) -> bool:
    """Tell whether ``back`` may be more than a product with f′(z), as for softmax."""
    return type(activation).back is not Activation.back


def _distance(at: Floats, kinks: tuple[float, ...]) -> Floats:
    """Return how far each number is from the nearest kink."""
    return np.asarray(np.min([np.full_like(at, np.inf), *(np.abs(at - kink) for kink in kinks)], axis=0))


def _ratio(number: float, expected: float, what: str) -> str:
    if expected == 0.0:
        return f"{number:.3g}, but {what} is 0"
    ratio = number / expected
    return f"{ratio:.6g} times {what}" if f"{ratio:.2f}" == "1.00" else f"{ratio:.2f} times {what}"
