"""Every number of one forward and one backward pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from ..backpropagation import deltas, forward, gradients, losses
from ..data import Floats, prepare
from ..engines.reference import dropout_masks
from ..named import whole
from ..network import Network
from ..parameters import Parameters
from ..regularization import Penalty, weight_positions

# What a table shows of an array with more numbers than this is its root mean square.
_SHOWN_NUMBERS = 4


@dataclass(frozen=True)
class Trace:
    """z, f, δ and the gradient of every layer; shown as a table.

    Lists count as in the formulae, from 0 to L: f[0] is x, z[0] and delta[0] are None.

    Attributes
    ----------
    network : Network
    parameters : Parameters
    y : array, shape (n, d_L)
        The targets: one-hot rows where class numbers were passed.
    z, f, delta : list of array
        z[i], f[i] and delta[i] = ∂ℒ/∂zᵢ of each row, shape (n, dᵢ).
    gradient : Parameters
        The gradient of the objective: ``weights[i-1]`` is ∂/∂Wᵢ, ``biases[i-1]`` ∂/∂bᵢ.
    row_losses : array, shape (n,)
        The loss ℒ of each row.
    loss : float
        The objective: their weighted mean, plus the penalty.
    shares : array, shape (n,)
        The weight of each row in that mean.
    masks : mapping from i to array, shape (n, dᵢ)
        The dropout masks; empty without dropout.
    penalty : Penalty
        The penalty that the objective and the gradient include.
    """

    network: Network
    parameters: Parameters
    y: Floats
    z: list[Any]
    f: list[Any]
    delta: list[Any]
    gradient: Parameters
    row_losses: Floats
    loss: float
    shares: Floats
    masks: Mapping[int, Floats] = field(default_factory=dict)
    penalty: Penalty = field(default_factory=Penalty)

    @property
    def terms(self) -> str:
        """Whether the numbers include dropout and the penalty, in words."""
        terms = []
        if layers := dropout_layers(self.network):
            hint = "" if self.masks else "; pass dropout=seed to include it"
            terms.append(f"{'with' if self.masks else 'without'} dropout ({layers}){hint}")
        strengths = [f"{name}={value:g}" for name, value in (("l1", self.penalty.l1), ("l2", self.penalty.l2)) if value]
        if strengths:
            terms.append(f"with penalty ({', '.join(strengths)})")
        else:
            terms.append("without penalty; pass l1= or l2= to include it")
        return "\n".join(terms)

    def table(self) -> list[list[str]]:
        """Return the table as rows of text: a heading, x, each layer, and the loss."""
        rows = [["layer", "activation", "z", "f", "δ", "∂ℒ/∂W"]]
        rows.append(["0", "x", "", _shown(self.f[0]), "", ""])
        for i, layer in enumerate(self.network.layers, start=1):
            numbers = (self.z[i], self.f[i], self.delta[i], self.gradient.weights[i - 1])
            rows.append([str(i), layer.activation.name, *map(_shown, numbers)])
        loss = f"{self.loss:.6g}" if self._lines_below else f"{self.loss:.6g} (without penalty)"
        rows.append(["ℒ", self.network.loss.name, "", loss, "", ""])
        return rows

    @property
    def _lines_below(self) -> list[str]:
        """The lines below the table; none for a network without dropout where there is no penalty."""
        return self.terms.splitlines() if self.penalty or dropout_layers(self.network) else []

    def __repr__(self) -> str:
        rows = self.table()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        return "\n".join([*lines, *self._lines_below])

    def _repr_html_(self) -> str:
        heading, *body = self.table()

        def line(row: list[str], tag: str) -> str:
            return "<tr>" + "".join(f"<{tag}>{escape(text)}</{tag}>" for text in row) + "</tr>"

        return (
            f"<table><thead>{line(heading, 'th')}</thead>"
            f"<tbody>{''.join(line(row, 'td') for row in body)}</tbody></table>"
            + "".join(f"<p>{escape(term)}</p>" for term in self._lines_below)
        )


def backprop(
    net: Network,
    params: Parameters,
    x: Any,
    y: Any,
    sample_weight: Any = None,
    *,
    l1: float = 0.0,
    l2: float = 0.0,
    dropout: int | None = None,
) -> Trace:
    """Go forward and back once, and return every number on the way.

    Parameters
    ----------
    net : Network
    params : Parameters
    x : array-like or data frame, shape (n, d₀)
        A plain number will do where d₀ is 1, as for a chain. The columns of a data frame are found by their names where
        the parameters are those of a run or a model that was trained on one.
    y : array-like, shape (n, d_L)
        Targets, as for :func:`chainrule.train`.
    sample_weight : array-like, shape (n,), optional
        How much each row counts in the mean.
    l1, l2 : float
        Strengths of the penalty, as for :func:`chainrule.train`; 0 leaves it out.
    dropout : int, optional
        A seed. The dropout masks are those that a run with this seed draws for its first batch, whose rows are taken
        to be those of `x`, in this order. None leaves dropout out, as in prediction.

    Raises
    ------
    InputError
        When a shape does not fit, a number is NaN or infinite, or a strength or the seed is out of range.
    """
    net.check(params)
    if dropout is not None:
        whole("dropout, the seed of the dropout masks,", dropout)
    penalty, dtype = Penalty(l1, l2), str(params.vector.dtype)
    data = prepare(net, x, y, sample_weight, dtype, feature_names=params.feature_names)
    share = data.shares
    masks = {} if dropout is None else dropout_masks(net, len(data), dropout, dtype, epoch=0, batch=0)
    with np.errstate(all="ignore"):  # a diverging network is to be looked at, not refused
        z, f = forward(net, params, data.x, masks)
        delta = deltas(net, params, data.y, z, f, masks)
        row_losses = losses(net, data.y, z, f)
        gradient = gradients(net, f, delta, share, masks)
        loss = float(np.dot(share, row_losses))
        if penalty:
            is_weight = weight_positions(net)
            gradient = net.parameters(gradient.vector + penalty.gradient(params.vector, is_weight))
            loss += penalty.value(params.vector, is_weight)
    return Trace(net, params, data.y, z, f, delta, gradient, row_losses, loss, share, masks, penalty)


def dropout_layers(net: Network) -> str:
    """Return the layers with dropout in words, such as "layers 1, 2"; empty where there are none."""
    numbers = [str(i) for i, layer in enumerate(net.layers, start=1) if layer.dropout]
    return f"layer{'s' * (len(numbers) > 1)} {', '.join(numbers)}" if numbers else ""


def _shown(array: Floats) -> str:
    """Return an array in a few signs: its numbers if they are few, else its shape and root mean square."""
    if array.size <= _SHOWN_NUMBERS:
        return " ".join(f"{value:.6g}" for value in array.ravel())
    return f"{'×'.join(map(str, array.shape))}, rms {np.sqrt(np.mean(array**2)):.3g}"
