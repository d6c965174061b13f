"""What a network is: plain data that describes inputs, layers and loss.

>>> net = Network(64, [Dense(100, "relu", dropout=0.1), Dense(10, "softmax")], loss="cross_entropy")
>>> net.parameter_count
7510
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .activations import ACTIVATIONS, Activation, JointActivation
from .elementary import Array
from .errors import InputError, quoted
from .initializers import INITIALIZERS, Initializer
from .losses import LOSSES, Loss
from .named import JSON, Own, call_for_array, definitions, dtype_name, fields, keep, listed, number, whole
from .parameters import Parameters
from .randomness import Purpose, bits

# Far above any dense network that fits a machine; a description from outside may claim anything.
MAX_LAYERS = 1_000
MAX_UNITS = 10_000_000
MAX_PARAMETERS = 2**31


@dataclass(frozen=True, init=False)
class Dense:
    """A layer in which every unit sees every unit of the layer before: z = f W + b, then the activation.

    Parameters
    ----------
    units : int
        How many units the layer has, dᵢ.
    activation : Activation or str
        The activation or its name.
    bias : bool
        Whether the layer has a bias bᵢ.
    dropout : float
        The probability, in [0, 1), with which an activation is dropped on its way to the next layer while
        training; those that stay are divided by 1 − dropout (Srivastava et al. 2014).
    initializer : Initializer or str or None
        How the first weights are drawn; None takes what suits the activation.

    Raises
    ------
    InputError
        When a name is unknown or a number out of range.
    """

    units: int
    activation: Activation
    bias: bool
    dropout: float
    initializer: Initializer

    def __init__(
        self,
        units: int,
        activation: Activation | str = "identity",
        bias: bool = True,
        dropout: float = 0.0,
        initializer: Initializer | str | None = None,
    ) -> None:
        chosen = ACTIVATIONS.find(activation)
        if not isinstance(bias, bool):
            raise InputError(f"bias must be True or False, but is {quoted(bias)}")
        keep(
            self,
            units=whole("units", units, 1, MAX_UNITS),
            activation=chosen,
            bias=bias,
            dropout=number("dropout", dropout, 0.0, 1.0, below=True),
            initializer=INITIALIZERS.find(chosen.initializer if initializer is None else initializer),
        )

    def to_json(self) -> JSON:
        """Return the layer as a JSON object."""
        return {
            "units": self.units,
            "activation": self.activation.to_json(),
            "bias": self.bias,
            "dropout": self.dropout,
            "initializer": self.initializer.to_json(),
        }


@dataclass(frozen=True, init=False)
class Network:
    """A feed-forward network of L dense layers and the loss that it is trained on.

    Parameters
    ----------
    inputs : int
        How many numbers a row of x has, d₀.
    layers : sequence of Dense
        Layers 1 to L; the last one is the output.
    loss : Loss or str
        The loss or its name.

    Raises
    ------
    InputError
        When the output activation and the loss are not defined together, softmax is not on the output,
        or the output has dropout.
    """

    inputs: int
    layers: tuple[Dense, ...]
    loss: Loss

    def __init__(self, inputs: int, layers: Iterable[Dense], loss: Loss | str = "squared_error") -> None:
        layers = tuple(listed(layers))
        if not 1 <= len(layers) <= MAX_LAYERS or not all(isinstance(layer, Dense) for layer in layers):
            raise InputError(f"layers must be 1 to {MAX_LAYERS} Dense layers, but is {layers!r:.200}")
        for kind, expected in ((type(self), Network), *((type(layer), Dense) for layer in layers)):
            if kind is not expected:
                raise InputError(
                    f"{kind.__name__} is a subclass of {expected.__name__}, whose own methods would be ignored: a "
                    f"{expected.__name__} only holds data; define an Activation, a Loss or an "
                    "Optimizer of your own instead"
                )
        keep(self, inputs=whole("inputs", inputs, 1, MAX_UNITS), layers=layers, loss=LOSSES.find(loss))
        for i, layer in enumerate(layers[:-1], start=1):
            if isinstance(layer.activation, JointActivation):
                raise InputError(f"layer {i}: {layer.activation.name} can only be the activation of the output")
        output = layers[-1]
        if output.dropout:
            raise InputError("the output layer cannot have dropout: set it on a layer before")
        if isinstance(output.activation, JointActivation) and output.units < 2:
            raise InputError(
                f"{output.activation.name} needs 2 or more units: with one, its output is always 1; "
                "for two classes use one logistic unit and binary_cross_entropy, or two units"
            )
        if not self.loss.accepts(output.activation.name):
            raise InputError(
                f"the loss {self.loss.name} needs an output with activation {' or '.join(self.loss.outputs)}, "
                f"but the output's activation is {output.activation.name}"
            )
        if self.parameter_count > MAX_PARAMETERS:
            raise InputError(
                f"the network would have {self.parameter_count:,} parameters, but the maximum is {MAX_PARAMETERS:,}"
            )

    @cached_property
    def widths(self) -> tuple[int, ...]:
        """The number of units of each layer, the input first: (d₀, d₁, …, d_L)."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def outputs(self) -> int:
        """The number of outputs, d_L."""
        return self.layers[-1].units

    @property
    def is_chain(self) -> bool:
        """Whether every layer, the input included, has one unit."""
        return set(self.widths) == {1}

    @property
    def loss_divisor(self) -> int:
        """The divisor of the sum over the outputs of a row: d_L, or 1 where the loss is that sum."""
        return self.outputs if self.loss.over_outputs == "mean" else 1

    @cached_property
    def parameter_count(self) -> int:
        """How many numbers the weights and biases are, together."""
        return sum(
            (before + layer.bias) * layer.units for before, layer in zip(self.widths[:-1], self.layers, strict=True)
        )

    def initial(self, seed: int = 0, dtype: DTypeLike = "float64") -> Parameters:
        """Return first parameters: weights as each layer's initialiser draws them, biases 0.

        The numbers are drawn in float64 and then rounded, so that float32 starts where float64 does.

        Raises
        ------
        InputError
            When the seed is negative or not whole, the dtype is neither float64 nor float32, or an initialiser of your
            own fails or draws something other than finite numbers of the shape (dᵢ₋₁, dᵢ).
        """
        params = self.parameters(np.zeros(self.parameter_count, dtype=dtype_name(dtype)))
        for i, layer in enumerate(self.layers, start=1):
            random = np.random.Generator(bits(seed, Purpose.INITIAL, layer=i))
            shape = params.weights[i - 1].shape
            if INITIALIZERS.made(layer.initializer):
                params.weights[i - 1][...] = layer.initializer.draw(random, *shape)
                continue
            what = f"initializer {layer.initializer.name!r} of layer {i}: draw(random, fan_in, fan_out)"
            drawn = call_for_array(what, _as_array(layer.initializer), [random, *shape], shape)
            if not np.isfinite(drawn).all():
                raise InputError(f"{what} drew NaN or infinity")
            params.weights[i - 1][...] = drawn
        return params

    def parameters(self, vector: Array) -> Parameters:
        """Return the weights and biases that a flat vector holds, as views into it.

        Parameters
        ----------
        vector : array, shape (parameter_count,)
            NumPy or JAX.

        Raises
        ------
        InputError
            When the vector has another shape.
        """
        if tuple(vector.shape) != (self.parameter_count,):
            raise InputError(
                f"the parameter vector has the shape {tuple(vector.shape)}, but this network needs "
                f"({self.parameter_count},)"
            )
        weights: list[Array] = []
        biases: list[Array | None] = []
        start = 0
        for before, layer in zip(self.widths[:-1], self.layers, strict=True):
            stop = start + before * layer.units
            weights.append(vector[start:stop].reshape(before, layer.units))
            start = stop + layer.units * layer.bias
            biases.append(vector[stop:start] if layer.bias else None)
        return Parameters(weights, biases, vector)

    def check(self, params: Parameters) -> None:
        """Check that parameters are this network's.

        Raises
        ------
        InputError
            When they are not Parameters, or of other shapes.
        """
        if not isinstance(params, Parameters):
            raise InputError(
                f"expected Parameters, but got {type(params).__name__}: network.parameters(vector) makes them"
            )
        wanted = self.parameters(np.empty(self.parameter_count, dtype=np.bool_))
        for symbol, given, needed in (("W", params.weights, wanted.weights), ("b", params.biases, wanted.biases)):
            shapes, expected = ([None if a is None else tuple(a.shape) for a in arrays] for arrays in (given, needed))
            if shapes != expected:
                raise InputError(f"the parameters are not this network's: {symbol} {shapes}, but needed {expected}")

    def pack(self, weights: Sequence[Any], biases: Sequence[Any] | None = None) -> Parameters:
        """Return parameters with the given numbers.

        Parameters
        ----------
        weights : sequence
            W₁ … W_L, each (dᵢ₋₁, dᵢ), or a plain number where that is (1, 1).
        biases : sequence, optional
            b₁ … b_L, each (dᵢ,) or a plain number; what is left out or None is 0.

        Raises
        ------
        InputError
            When an array has another shape than its layer needs.
        """
        params = self.parameters(np.zeros(self.parameter_count))
        for what, symbol, given, wanted in (
            ("weights", "W", weights, params.weights),
            ("biases", "b", [None] * len(self.layers) if biases is None else biases, params.biases),
        ):
            if len(given) != len(wanted):
                raise InputError(f"{what}: {len(given)} given for {len(wanted)} layers")
            for i, (values, target) in enumerate(zip(given, wanted, strict=True), start=1):
                if values is None and what == "biases":
                    continue
                if target is None:
                    raise InputError(f"b_{i} is given, but layer {i} has no bias")
                try:
                    array = np.asarray(values, dtype=np.float64)
                except (TypeError, ValueError) as error:
                    raise InputError(f"{symbol}_{i} is no array of numbers of the shape {target.shape}") from error
                if array.shape != target.shape and not (array.ndim == 0 and target.size == 1):
                    raise InputError(f"{symbol}_{i} has the shape {array.shape}, but must be {target.shape}")
                target[...] = array
        return params

    def to_json(self) -> JSON:
        """Return the network as a JSON object, which :meth:`from_json` reads."""
        return {
            "inputs": self.inputs,
            "layers": [layer.to_json() for layer in self.layers],
            "loss": self.loss.to_json(),
        }

    @classmethod
    def from_json(cls, description: JSON, own: Own | None = ()) -> Network:
        """Return the network that a JSON object describes.

        Parameters
        ----------
        description : dict
            As :meth:`to_json` returns it. It may come from a stranger: every part is checked.
        own : Activation, Loss or Initializer, or an iterable of these
            Your own definitions that the description names; None where nobody can pass any.

        Raises
        ------
        InputError
            When a part is missing, unknown or does not fit.
        """
        own = None if own is None else definitions(own)
        inputs, layers, loss = fields("network", description, ("inputs", "layers", "loss"))
        if not isinstance(layers, list) or len(layers) > MAX_LAYERS:
            raise InputError(f"network: layers must be a list of at most {MAX_LAYERS}")
        return cls(
            inputs,
            [_layer_from_json(layer, i, own) for i, layer in enumerate(layers, start=1)],
            LOSSES.find(loss, own),
        )


def chain(layers: int, activation: Activation | str = "tanh", loss: Loss | str = "squared_error") -> Network:
    """Return the lecture's network: `layers` layers of one unit, no biases, zᵢ = fᵢ₋₁wᵢ, ℒ = (y − f_L)².

    Raises
    ------
    InputError
        When the number of layers or a name does not fit.
    """
    return Network(1, [Dense(1, activation, bias=False)] * whole("layers", layers, 1, MAX_LAYERS), loss)


def _as_array(initializer: Initializer) -> Callable[..., NDArray[Any]]:
    """Return the initialiser's function, of which nested lists will do: they are drawn only once."""
    return lambda *arguments: np.asarray(initializer.draw(*arguments))


def _layer_from_json(description: JSON, i: int, own: Own | None) -> Dense:
    names = ("units", "activation", "bias", "dropout", "initializer")
    units, activation, bias, dropout, initializer = fields(f"layer {i}", description, names)
    return Dense(
        units,
        ACTIVATIONS.find(activation, own),
        bias,
        dropout,
        INITIALIZERS.find(initializer, own),
    )
