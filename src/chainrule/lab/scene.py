"""What the page shows: a small network, its parameters and one sample, as they come from the page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, Struct

from ..errors import InputError
from ..network import Dense, Network
from ..parameters import Parameters

MAX_LAYERS, MAX_UNITS, MAX_INPUTS = 8, 12, 64
MAX_SIZE = 1e6  # of a number: beyond it every activation is saturated, and squares stay far from overflow
MAX_SEED = 2**31 - 1

Number: TypeAlias = Annotated[float, Meta(ge=-MAX_SIZE, le=MAX_SIZE)]
Seed: TypeAlias = Annotated[int, Meta(ge=0, le=MAX_SEED)]
Name: TypeAlias = Annotated[str, Meta(max_length=40)]


class Layer(Struct, frozen=True, forbid_unknown_fields=True):
    """A layer of dᵢ units that share an activation."""

    units: Annotated[int, Meta(ge=1, le=MAX_UNITS)] = 1
    activation: Name = "tanh"
    bias: bool = False


class Scene(Struct, frozen=True, forbid_unknown_fields=True):
    """A network, its parameters and one sample; what is left out is the lecture's chain of three layers.

    Attributes
    ----------
    inputs : int
        d₀.
    layers : tuple of Layer
    loss : str
    seed : int
        Draws the parameters where none are given.
    weights : list of d₀ × d₁, …, d_{L−1} × d_L numbers, or None
    biases : list with a list of dᵢ numbers, or None, for each layer; or None
    x, y : tuple of float
        d₀ numbers, and d_L numbers; y is one class number with cross entropy.
    learning_rate : float
        η of the update that follows.
    sign : {"f-y", "y-f"}
        Whether differences are written 2(f_L − y) or −2(y − f_L).
    notation : {"lecture", "superscript"}
        f₂ and w₂, or a⁽²⁾ and w⁽²⁾.
    """

    inputs: Annotated[int, Meta(ge=1, le=MAX_INPUTS)] = 1
    layers: Annotated[tuple[Layer, ...], Meta(min_length=1, max_length=MAX_LAYERS)] = (Layer(), Layer(), Layer())
    loss: Name = "squared_error"
    seed: Seed = 0
    weights: (
        Annotated[
            tuple[
                Annotated[
                    tuple[Annotated[tuple[Number, ...], Meta(max_length=MAX_UNITS)], ...], Meta(max_length=MAX_INPUTS)
                ],
                ...,
            ],
            Meta(max_length=MAX_LAYERS),
        ]
        | None
    ) = None
    biases: (
        Annotated[
            tuple[Annotated[tuple[Number, ...], Meta(max_length=MAX_UNITS)] | None, ...], Meta(max_length=MAX_LAYERS)
        ]
        | None
    ) = None
    x: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MAX_INPUTS)] = (0.5,)
    y: Annotated[tuple[Number, ...], Meta(min_length=1, max_length=MAX_UNITS)] = (0.8,)
    learning_rate: Annotated[float, Meta(gt=0, le=MAX_SIZE)] = 0.1
    sign: Literal["f-y", "y-f"] = "f-y"
    notation: Literal["lecture", "superscript"] = "lecture"

    @classmethod
    def of(cls, params: Parameters, net: Network, x: Sequence[float], y: Sequence[float], rate: float = 0.1) -> Scene:
        """Return a network with its parameters and one sample as a scene."""
        return cls(
            inputs=net.inputs,
            layers=tuple(Layer(one.units, one.activation.name, one.bias) for one in net.layers),
            loss=net.loss.name,
            weights=tuple(tuple(map(tuple, one.tolist())) for one in params.weights),
            biases=tuple(None if one is None else tuple(one.tolist()) for one in params.biases),
            x=tuple(x),
            y=tuple(y),
            learning_rate=rate,
        )

    def network(self) -> Network:
        """Return the network.

        Raises
        ------
        InputError
            When a name is unknown, or loss and output do not go together.
        """
        layers = [Dense(layer.units, layer.activation, bias=layer.bias) for layer in self.layers]
        return Network(self.inputs, layers, self.loss)

    def parameters(self, net: Network) -> Parameters:
        """Return the parameters, drawn by the seed where none are given.

        Raises
        ------
        InputError
            When they do not fit the network.
        """
        if self.weights is None:
            if self.biases is not None and any(self.biases):
                raise InputError("there are biases without weights: give both, or none, to have them drawn")
            return net.initial(self.seed)
        return net.pack(self.weights, self.biases)

    def sample(self) -> tuple[Any, Any]:
        """Return x and y as one row each."""
        return [list(self.x)], [list(self.y)] if len(self.y) > 1 else list(self.y)
