"""What is added to the objective to keep weights small, and how a gradient is kept from being too large."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .named import keep, number
from .network import Network
from .parameters import blocks


@dataclass(frozen=True)
class Penalty:
    """l1 Σ|w| + ½ l2 Σw², over all weights and no biases; added to the mean loss.

    Parameters
    ----------
    l1, l2 : float
    by_weight : bool
        Whether it is divided by the sum of the weights of the batch's rows, as scikit-learn does.
    in_loss : bool
        Whether the training loss that is recorded contains it.

    Raises
    ------
    InputError
        When a strength is negative or not finite.
    """

    l1: float = 0.0
    l2: float = 0.0
    by_weight: bool = False
    in_loss: bool = False

    def __post_init__(self) -> None:
        keep(self, l1=number("l1", self.l1, 0.0))
        keep(self, l2=number("l2", self.l2, 0.0))

    def __bool__(self) -> bool:
        return bool(self.l1 or self.l2)

    def of_batch(self, weight: float) -> Penalty:
        """Return the penalty for a batch whose rows have this sum of weights.

        Raises
        ------
        InputError
            When the sum is so small that the penalty would be infinite.
        """
        if not self.by_weight:
            return self
        if not weight > 0:
            return Penalty()
        l1, l2 = self.l1 / weight, self.l2 / weight
        if not max(l1, l2) < math.inf:
            raise InputError(
                f"the sum of the weights of a batch, {weight:g}, is too small: scale up all sample weights"
            )
        return Penalty(l1, l2, in_loss=self.in_loss)

    def value(self, theta: NDArray[np.floating], is_weight: NDArray[np.bool_]) -> float:
        """Return the penalty of a parameter vector, of which `is_weight` marks the weights."""
        total = 0.0
        for block in blocks(theta):
            weights = theta[block] if is_weight[block].all() else theta[block][is_weight[block]]
            total += 0.5 * self.l2 * float((weights**2).sum())
            if self.l1:
                total += self.l1 * float(np.abs(weights).sum())
        return total

    def gradient(self, theta: NDArray[np.floating], is_weight: NDArray[np.bool_]) -> NDArray[np.floating]:
        """Return the gradient of the penalty: l1 sign(w) + l2 w at weights, 0 at biases."""
        slope: NDArray[np.floating] = self.l2 * theta
        if self.l1:
            slope += self.l1 * np.sign(theta)
        if not is_weight.all():
            slope *= is_weight
        return slope


def weight_positions(net: Network) -> NDArray[np.bool_]:
    """Return which numbers of the parameter vector are weights and not biases."""
    params = net.parameters(np.zeros(net.parameter_count, dtype=np.bool_))
    for weights in params.weights:
        weights[...] = True
    vector: NDArray[np.bool_] = params.vector
    return vector


def clip(gradient: NDArray[np.floating], norm: float | None) -> NDArray[np.floating]:
    """Return the gradient, shortened to the Euclidean length `norm` if it is longer (Pascanu et al. 2013)."""
    if norm is None:
        return gradient
    largest = float(np.abs(gradient).max())
    if not 0.0 < largest < math.inf:
        return gradient
    scaled = gradient / largest  # whose squares can neither overflow nor vanish all
    length = math.sqrt(float(np.dot(scaled, scaled)))
    return gradient if length * largest <= norm else scaled * (norm / length)
