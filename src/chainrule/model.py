"""What training leaves: a network with its parameters, as one safe file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np

from .data import Floats, inputs
from .engines import native, reference
from .errors import InputError
from .files import read_tensors, write_tensors
from .named import JSON, keep
from .network import Definition, Network
from .parameters import Parameters

KIND = "chainrule model 1"


@dataclass(frozen=True)
class Model:
    """A trained network: its parameters are a copy that cannot be written to.

    Attributes
    ----------
    network : Network
    parameters : Parameters
    preprocessing : JSON
        How the columns of a table become the inputs, and the outputs a prediction; None where the inputs are
        arrays. :mod:`chainrule.tables` writes and reads it.
    """

    network: Network
    parameters: Parameters
    preprocessing: JSON = None

    def __post_init__(self) -> None:
        self.network.check(self.parameters)
        vector = np.array(self.parameters.vector)
        vector.setflags(write=False)
        keep(self, parameters=self.network.parameters(vector))

    @cached_property
    def _outputs(self) -> Callable[[Floats], Floats]:
        if native.predicts(self.network):
            return native.Predictor(self.network, self.parameters.vector)
        return partial(reference.predict, self.network, self.parameters)

    def __reduce__(self) -> tuple[Any, ...]:
        # What _outputs holds cannot go to another process; it is made anew there.
        return Model, (self.network, self.parameters, self.preprocessing)

    def predict(self, x: Any) -> Floats:
        """Return the outputs f_L, (n, d₀) → (n, d_L).

        Raises
        ------
        InputError
            When x has another shape, or holds NaN or infinity.
        """
        dtype = str(self.parameters.vector.dtype)
        return self._outputs(inputs(self.network, x, dtype))

    def save(self, path: str | Path) -> None:
        """Write the model to a safetensors file, at once or not at all.

        Raises
        ------
        InputError
            When the file cannot be written.
        """
        document = {"network": self.network.to_json(), "preprocessing": self.preprocessing}
        write_tensors(Path(path), KIND, {"parameters": self.parameters.vector}, document)


def load(path: str | Path, own: Iterable[Definition] = ()) -> Model:
    """Read a model that :meth:`Model.save` wrote.

    Nothing in the file is executed, and nothing is trusted: it may come from a stranger.

    Parameters
    ----------
    path : str or Path
    own : iterable of Activation, Loss and Initializer
        Your own definitions that the network was made with; a file holds only their names.

    Raises
    ------
    InputError
        When the file does not exist, is corrupt or is not a model, or names what is not known.
    """
    tensors, document = read_tensors(Path(path), KIND)
    try:
        if not isinstance(document, dict) or set(document) != {"network", "preprocessing"}:
            raise InputError("it does not describe a network")
        network = Network.from_json(document["network"], own)
        return Model(network, checked_parameters(network, tensors), document["preprocessing"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def checked_parameters(net: Network, tensors: dict[str, Floats]) -> Parameters:
    """Return the tensor ``parameters`` as parameters of the network.

    Raises
    ------
    InputError
        When it is missing, does not fit the network, or holds NaN or infinity.
    """
    if "parameters" not in tensors:
        raise InputError("it holds no tensor named parameters")
    params = net.parameters(tensors["parameters"])
    if not np.isfinite(params.vector).all():
        raise InputError("its parameters contain NaN or infinity")
    return params
