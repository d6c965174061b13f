"""The algorithm: forward, the recursion for δ, the gradient.

    z₁ = x W₁ + b₁            zᵢ = fᵢ₋₁ Wᵢ + bᵢ            fᵢ = f(zᵢ)
    δ_L = ∂ℒ/∂f_L ⊙ f′(z_L)   δᵢ = (δᵢ₊₁ Wᵢ₊₁ᵀ) ⊙ f′(zᵢ)
    ∂ℒ/∂Wᵢ = fᵢ₋₁ᵀ δᵢ         ∂ℒ/∂bᵢ = Σ δᵢ over the rows

Here every δᵢ = ∂ℒ/∂zᵢ belongs to one row, n of them in a batch. The objective is the weighted mean of the
rows' losses, so each row enters the gradient with its share of the batch.

The text runs on NumPy arrays, on JAX arrays and on trees of symbols alike: it uses operators and
:mod:`chainrule.elementary` only, and changes nothing in place. `z`, `f` and `delta` are lists counted as in
the formulae, from 0 to L; f[0] is x, and z[0] and delta[0] are None. With NumPy all of them have the dtype of z,
whatever dtype a definition of your own returns.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .elementary import Array, like, namespace
from .network import Network
from .parameters import Parameters

NO_DROPOUT: Mapping[int, Array] = {}


def forward(
    net: Network, params: Parameters, x: Array, masks: Mapping[int, Array] = NO_DROPOUT
) -> tuple[list[Array], list[Array]]:
    """Return z and f of every layer.

    Parameters
    ----------
    net : Network
        L layers of widths d₀, …, d_L.
    params : Parameters
        Wᵢ (dᵢ₋₁, dᵢ) and bᵢ (dᵢ,).
    x : array, shape (n, d₀)
        A batch of n rows.
    masks : mapping from i to array, shape (n, dᵢ)
        By what fᵢ is multiplied on its way to layer i + 1: 0 where dropout takes a unit, 1/(1 − rate) where not.

    Returns
    -------
    z, f : lists of arrays
        z[i] and f[i] have the shape (n, dᵢ).
    """
    z: list[Any] = [None]
    f: list[Any] = [x]
    for i, layer in enumerate(net.layers, start=1):
        weights, bias = params.weights[i - 1], params.biases[i - 1]
        weighted = passed_on(f, masks, i - 1) @ weights  # (n, dᵢ₋₁) @ (dᵢ₋₁, dᵢ)
        z.append(weighted if bias is None else weighted + bias)
        f.append(like(layer.activation.value(z[i]), z[i]))
    return z, f


def losses(net: Network, y: Array, z: list[Array], f: list[Array]) -> Array:
    """Return the loss of each row, shape (n,); y is (n, d_L)."""
    link = net.loss.linked(net.layers[-1].activation.name)
    of_outputs = like(link.value(y, z[-1]) if link else net.loss.value(y, f[-1]), z[-1])  # (n, d_L)
    return namespace(of_outputs).sum(of_outputs, axis=-1) / net.loss_divisor


def deltas(
    net: Network,
    params: Parameters,
    y: Array,
    z: list[Array],
    f: list[Array],
    masks: Mapping[int, Array] = NO_DROPOUT,
) -> list[Array]:
    """Return δ of every layer: delta[i] = ∂ℒ/∂zᵢ of each row, shape (n, dᵢ)."""
    last = len(net.layers)
    delta: list[Any] = [None] * (last + 1)
    delta[last] = last_delta(net, y, z, f)
    for i in range(last - 1, 0, -1):
        delta[i] = previous_delta(net, params, i, delta[i + 1], z, f, masks)
    return delta


def last_delta(net: Network, y: Array, z: list[Array], f: list[Array]) -> Array:
    """Return δ_L = ∂ℒ/∂f_L ⊙ f′(z_L), shape (n, d_L), with which the recursion starts."""
    activation = net.layers[-1].activation
    slope_of_loss = output_slope(net, y, z, f)
    if net.loss.linked(activation.name):
        return slope_of_loss
    return like(activation.back(slope_of_loss, z[-1], f[-1]), z[-1])


def output_slope(net: Network, y: Array, z: list[Array], f: list[Array]) -> Array:
    """Return ∂ℒ/∂f_L, or ∂ℒ/∂z_L where the loss is computed from z_L; shape (n, d_L)."""
    link = net.loss.linked(net.layers[-1].activation.name)
    slope = link.delta(y, z[-1], f[-1]) if link else net.loss.slope(y, f[-1])
    return like(slope, z[-1]) / net.loss_divisor


def previous_delta(
    net: Network,
    params: Parameters,
    i: int,
    next_delta: Array,
    z: list[Array],
    f: list[Array],
    masks: Mapping[int, Array] = NO_DROPOUT,
) -> Array:
    """Return δᵢ = (δᵢ₊₁ Wᵢ₊₁ᵀ) ⊙ f′(zᵢ), shape (n, dᵢ): one step of the recursion, from δᵢ₊₁."""
    slope_of_loss = next_delta @ params.weights[i].T  # ∂ℒ/∂fᵢ
    slope_of_loss = slope_of_loss * masks[i] if i in masks else slope_of_loss
    return like(net.layers[i - 1].activation.back(slope_of_loss, z[i], f[i]), z[i])  # ⊙ f′(zᵢ)


def gradients(
    net: Network,
    f: list[Array],
    delta: list[Array],
    shares: Array,
    masks: Mapping[int, Array] = NO_DROPOUT,
) -> Parameters:
    """Return the gradient of the objective: ∂/∂Wᵢ of the shape of Wᵢ and ∂/∂bᵢ of the shape of bᵢ.

    Parameters
    ----------
    shares : array, shape (n,)
        The part of each row in the objective Σ_r shares_r ℒ_r: 1/n, or its weight over the sum of weights.
    """
    weights: list[Array] = []
    biases: list[Array | None] = []
    for i, layer in enumerate(net.layers, start=1):
        shared = shares[:, None] * delta[i]  # (n, dᵢ)
        weights.append(passed_on(f, masks, i - 1).T @ shared)  # (dᵢ₋₁, n) @ (n, dᵢ)
        biases.append(namespace(shared).sum(shared, axis=0) if layer.bias else None)
    return Parameters(weights, biases)


def passed_on(f: list[Array], masks: Mapping[int, Array], i: int) -> Array:
    """Return what layer i + 1 sees of fᵢ: all of it, or what dropout leaves."""
    return f[i] * masks[i] if i in masks else f[i]
