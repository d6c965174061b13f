"""A trained model: a network with its parameters, saved to and loaded from one safe file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .data import Floats, Names, inputs
from .definitions import check_handed_in, check_probes, probes
from .engines.choice import predictor_of
from .errors import InputError
from .files import path_of, read_tensors, write_tensors
from .named import JSON, Own, keep
from .network import Network
from .parameters import Parameters

KIND = "chainrule model 1"
_NEEDED, _OPTIONAL = {"network", "preprocessing"}, {"feature_names", "own"}  # the latter only where there are any


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
    feature_names : tuple of str or None
        The columns of the data frame that it was trained on, in the order of the inputs; None where that was an array.
    """

    network: Network
    parameters: Parameters
    preprocessing: JSON = None
    feature_names: Names | None = None

    def __post_init__(self) -> None:
        self.network.check(self.parameters)
        vector = np.array(self.parameters.vector)
        vector.setflags(write=False)
        if self.feature_names is not None:
            keep(self, feature_names=checked_names(self.network, self.feature_names))
        keep(self, parameters=self.network.parameters(vector).named(self.feature_names))

    @cached_property
    def _outputs(self) -> Callable[[Floats], Floats]:
        return predictor_of(self.network, self.parameters)

    def __reduce__(self) -> tuple[Any, ...]:
        # What _outputs holds cannot go to another process; it is made anew there.
        return Model, (self.network, self.parameters, self.preprocessing, self.feature_names)

    def predict(self, x: Any) -> Floats:
        """Return the outputs f_L, (n, d₀) → (n, d_L).

        Parameters
        ----------
        x : array-like or data frame, shape (n, d₀)
            Where the model was trained on a data frame, the columns of another one are found by their names, in any
            order, and columns that it was not trained on do not count. The columns of an array are matched by position.

        Raises
        ------
        InputError
            When x has another shape, lacks a column, or holds NaN or infinity, or when a definition of your own fails.
        """
        dtype = str(self.parameters.vector.dtype)
        return self._outputs(inputs(self.network, x, dtype, feature_names=self.feature_names))

    def save(self, path: str | Path) -> None:
        """Write the model to a safetensors file, at once or not at all.

        Raises
        ------
        InputError
            When the file cannot be written, or a definition of your own cannot be stored in it.
        """
        path = path_of("path", path)
        document = {"network": self.network.to_json(), "preprocessing": self.preprocessing}
        if self.feature_names is not None:
            document["feature_names"] = self.feature_names
        if records := probes(self.network):
            document["own"] = records
        write_tensors(path, KIND, {"parameters": self.parameters.vector}, document)


def load(path: str | Path, own: Own | None = ()) -> Model:
    """Read a model that :meth:`Model.save` wrote.

    Nothing in the file is executed, and nothing is trusted: it may come from a stranger.

    Parameters
    ----------
    path : str or Path
    own : Activation, Loss or Initializer, or an iterable of these; None where nobody can pass any
        Your own definitions that the network was made with. A file holds their names and parameters, and a few values
        of their functions (but not of initialisers), by which a different function is detected.

    Raises
    ------
    InputError
        When the file does not exist, is corrupt or is not a model, or when a definition is missing from `own` or is not
        the one that the network was trained with.
    """
    path = path_of("path", path)
    tensors, document = read_tensors(path, KIND)
    try:
        if not isinstance(document, dict) or not _NEEDED <= set(document) <= _NEEDED | _OPTIONAL:
            raise InputError("it does not describe a network")
        records = document.get("own", [])
        check_handed_in(records, own)
        network = Network.from_json(document["network"], own)
        check_probes(records, probes(network))
        names = document.get("feature_names")
        return Model(network, checked_parameters(network, tensors), document["preprocessing"], names)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def checked_names(net: Network, names: Any) -> Names:
    """Return the names of the network's inputs as a tuple.

    Raises
    ------
    InputError
        When they are not one string for each input, all different.
    """
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise InputError("feature_names must be strings")
    if len(set(names)) != len(names) or len(names) != net.inputs:
        raise InputError(
            f"feature_names must be {net.inputs} different names, one for each input, but are {len(names)}"
        )
    return tuple(names)


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
