"""A scene whose parts may not go together, as while it is being built, made into one whose parts do.

Whatever still fits stays: a weight keeps its number as long as both of its units are there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from ..activations import ACTIVATIONS, JointActivation
from ..derivation.symbols import UnitSymbols
from ..formula import Symbol, text
from ..losses import LOSSES
from ..network import Network
from ..parameters import Parameters
from .endpoints import Endpoint, Lab
from .scene import Layer, Scene

_ACTIVATION, _LOSS = Layer().activation, Scene().loss  # what takes the place of one that cannot be


class Fit(Struct, frozen=True, forbid_unknown_fields=True):
    """A scene to be made one.

    Attributes
    ----------
    scene : Scene
    keep : {"loss", "output"}
        Which of the two stays where the loss and the activation of the output do not go together.
    """

    scene: Scene
    keep: Literal["loss", "output"] = "loss"


def fit(_: Lab, body: Fit) -> dict[str, Any]:
    """Return a scene whose parts go together, all its parameters, what they are called, and what was changed."""
    fitted, changed = mended(body.scene, body.keep)
    net = fitted.network()
    fitted = replace(fitted, x=_cut(fitted.x, net.inputs, Scene().x[0]), y=_targets(fitted, net))
    parameters = net.initial(fitted.seed)
    if fitted.weights is not None:
        _lay_over(parameters.weights, fitted.weights)
        _lay_over(parameters.biases, fitted.biases or ())
        fitted = replace(fitted, weights=_nested(parameters.weights), biases=_nested(parameters.biases))
    return {
        "scene": fitted,
        "weights": _nested(parameters.weights),
        "biases": _nested(parameters.biases),
        "names": _names(net, fitted),
        "changed": changed,
    }


def mended(scene: Scene, keep: str) -> tuple[Scene, list[str]]:
    """Return a scene that is a network, and what had to be changed for that, in words.

    Raises
    ------
    InputError
        When a name is unknown.
    """
    changed = []
    layers = list(scene.layers)
    loss = LOSSES.find(scene.loss)
    activations = [ACTIVATIONS.find(layer.activation) for layer in layers]
    for place, activation in enumerate(activations[:-1]):
        if isinstance(activation, JointActivation):
            layers[place] = replace(layers[place], activation=_ACTIVATION)
            changed.append(f"Only the output can have {activation.name}, so layer {place + 1} has {_ACTIVATION} now.")
    output = activations[-1]
    if not loss.accepts(output.name):
        needed = f"The loss {_words(loss.name)} needs an output with {' or '.join(map(_words, loss.outputs))}"
        if keep == "loss":
            output = ACTIVATIONS.find(loss.link.activation if loss.link else loss.outputs[0])
            layers[-1] = replace(layers[-1], activation=output.name)
            changed.append(f"{needed}, so it has {_words(output.name)} now.")
        else:
            scene = replace(scene, loss=_LOSS)
            changed.append(f"{needed}, so the loss is the {_words(_LOSS)} now.")
    if isinstance(output, JointActivation) and layers[-1].units < 2:
        layers[-1] = replace(layers[-1], units=2)
        changed.append(f"With one unit, {output.name} would always be 1, so the output has two now.")
    return replace(scene, layers=tuple(layers)), changed


def _targets(scene: Scene, net: Network) -> tuple[float, ...]:
    """Return the targets cut or filled up, within what the loss is defined for; a class where the output tells one."""
    units, loss = net.layers[-1].units, net.loss
    if loss.targets_are_classes:
        chosen = scene.y[0] if len(scene.y) == 1 else float(np.argmax(scene.y))
        return (float(np.clip(round(chosen), 0, units - 1)),)
    return tuple(float(np.clip(y, *loss.targets)) for y in _cut(scene.y, units, Scene().y[0]))


def _cut(numbers: tuple[float, ...], length: int, more: float) -> tuple[float, ...]:
    return (numbers + (more,) * length)[:length]


def _lay_over(arrays: Sequence[Any], given: Sequence[Any]) -> None:
    """Write the numbers that are given over those of arrays, where there is a place for them."""
    for array, numbers in zip(arrays, given, strict=False):
        if array is None or numbers is None:
            continue
        rows = [(array, numbers)] if array.ndim == 1 else zip(array, numbers, strict=False)
        for target, row in rows:
            target[: len(row)] = row[: len(target)]


def _nested(arrays: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(None if array is None else tuple(map(_row, array.tolist())) for array in arrays)


def _row(row: Any) -> Any:
    return tuple(row) if isinstance(row, list) else row


def _names(net: Network, scene: Scene) -> dict[str, Any]:
    """Return what each number is called, in the notation of the scene."""
    symbols = UnitSymbols(net)

    def named(arrays: Any) -> Any:
        if isinstance(arrays, Symbol):
            return text(arrays, scene.notation)
        return [named(one) for one in arrays]

    parameters: Parameters = symbols.params
    targets = ["y"] if len(scene.y) < net.layers[-1].units else named(symbols.y[0])
    return {
        "x": named(symbols.x[0]),
        "f": [named(one[0]) for one in symbols.f[:-1]],  # what a layer's weights come from
        "z": [named(one[0]) for one in symbols.z[1:]],  # and what they lead to
        "y": targets,
        "weights": [named(one) for one in parameters.weights],
        "biases": [None if one is None else named(one) for one in parameters.biases],
    }


def _words(name: str) -> str:
    return name.replace("_", " ")


ENDPOINTS = (Endpoint("/api/fit", Fit, fit, "Make a scene whose parts may not go together one whose parts do"),)
