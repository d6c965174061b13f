"""Sharing: a scene as a program, as a model file, and back from a model file."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from ..activations import ACTIVATIONS
from ..errors import InputError
from ..losses import LOSSES
from ..model import Model, load
from ..network import Network
from .data import Data
from .downloads import download
from .endpoints import LARGE, Endpoint, File, Lab
from .scene import MAX_INPUTS, MAX_LAYERS, MAX_SIZE, MAX_UNITS, Scene
from .snippet import snippet
from .timeline import Asked
from .training import Training

MAX_FILE = 1_000_000
"""Bytes of a model file: the largest network of the page has 20 KB."""
_MAX_BASE64 = 4 * (MAX_FILE // 3 + 1)
_USUAL_X, _USUAL_Y = 0.5, 0.8  # of the lecture's sample


class Shared(Struct, frozen=True, forbid_unknown_fields=True):
    """A scene, and how it is trained, if it is."""

    scene: Scene = Scene()
    data: Data | None = None
    training: Training | None = None


class Opened(Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a model file, in base64."""

    content: Annotated[str, Meta(max_length=_MAX_BASE64)]


def program(_: Lab, body: Shared) -> dict[str, str]:
    """Return a program in Python that makes what the page shows."""
    return {"python": snippet(body.scene, body.data, body.training)}


def model(_: Lab, body: Asked) -> File:
    """Return the network of a scene and its parameters as a model file, which :func:`chainrule.load` reads.

    Raises
    ------
    InputError
        When the parameters do not fit the network.
    """
    net = body.scene.network()
    trained = Model(net, body.scene.parameters(net))
    return download("network", ".safetensors", trained.save)


def open_model(_: Lab, body: Opened) -> dict[str, Any]:
    """Return the scene of a model file, with the lecture's sample; nothing in the file is executed.

    Raises
    ------
    InputError
        When it is no model file, or its network is none that the page can show; it says why.
    """
    try:
        content = base64.b64decode(body.content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"the content of the file must be sent in base64: {error}") from error
    if len(content) > MAX_FILE:
        raise InputError(f"the file has {len(content):,} bytes, and the lab takes {MAX_FILE:,}")
    opened = _load(content)
    problem = next(_unfit(opened.network, opened.parameters.vector), None)
    if problem is not None:
        raise InputError(f"this model cannot be shown here: {problem}")
    return {"scene": _scene(opened)}


def _load(content: bytes) -> Model:
    with TemporaryDirectory(prefix="chainrule-", ignore_cleanup_errors=True) as folder:
        path = Path(folder) / "model.safetensors"
        path.write_bytes(content)
        try:
            return load(path, own=None)
        except InputError as error:
            raise InputError(str(error).replace(str(path), "the file")) from error


def _unfit(net: Network, theta: Any) -> Iterator[str]:
    """Yield why a network cannot be a scene."""
    if len(net.layers) > MAX_LAYERS:
        yield f"it has {len(net.layers)} layers, and the page has room for {MAX_LAYERS}"
    if net.inputs > MAX_INPUTS:
        yield f"it has {net.inputs} inputs, and the page has room for {MAX_INPUTS}"
    for i, layer in enumerate(net.layers, start=1):
        if layer.units > MAX_UNITS:
            yield f"layer {i} has {layer.units} units, and the page has room for {MAX_UNITS}"
        if layer.dropout:
            yield f"layer {i} has dropout, which leaves out other units in each step; make it without"
        activation = layer.activation
        if ACTIVATIONS.find(activation.name) != activation:
            yield f"layer {i} has {activation!r}, and the page knows {activation.name} only as it usually is"
    if LOSSES.find(net.loss.name) != net.loss:
        yield f"its loss is {net.loss!r}, and the page knows {net.loss.name} only as it usually is"
    largest = float(np.abs(theta).max())
    if largest > MAX_SIZE:
        yield f"it has a parameter of size {largest:.3g}, and here they go up to {MAX_SIZE:,.0f}"


def _scene(opened: Model) -> Scene:
    net, params = opened.network, opened.parameters
    low, high = net.loss.targets
    is_class = net.loss.targets_are_classes and net.outputs > 1
    y = [0.0] if is_class else [float(np.clip(_USUAL_Y, low, high))] * net.outputs
    return Scene.of(params, net, [_USUAL_X] * net.inputs, y)


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("/api/snippet", Shared, program, "A program in Python that makes what the page shows", LARGE),
    Endpoint("/api/model", Asked, model, "The network of a scene as a model file"),
    Endpoint("/api/open-model", Opened, open_model, "The scene of a model file", LARGE),
)
