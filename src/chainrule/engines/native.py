"""The native engine: the forward pass in C++, by the instruction set that this machine runs fastest.

The extension is built when chainrule is installed; where there was no compiler, the reference engine does
everything. ``CHAINRULE_ISA`` chooses an instruction set by name.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..activations import ACTIVATIONS
from ..data import Floats
from ..errors import InputError, unknown_name
from ..network import Network
from ..parameters import Parameters

try:
    from . import _native
except ImportError:
    _native = None  # type: ignore[assignment]

VARIABLE = "CHAINRULE_ISA"


def is_built() -> bool:
    """Tell whether the extension was built when chainrule was installed."""
    return _native is not None


def compiler() -> str:
    """Return what the extension was built with."""
    return _native.compiler


def instruction_sets() -> list[str]:
    """Return the instruction sets that this machine can run, the fastest first."""
    return _native.instruction_sets()


def instruction_set() -> str:
    """Return the instruction set in use: that of ``CHAINRULE_ISA``, or else the fastest.

    Raises
    ------
    InputError
        When ``CHAINRULE_ISA`` is not the name of one that this machine can run.
    """
    known = instruction_sets()
    wanted = os.environ.get(VARIABLE) or known[0]
    if wanted not in known:
        raise InputError(f"{VARIABLE}: {unknown_name('instruction set', wanted, known)}")
    return wanted


def runs(net: Network) -> bool:
    """Tell whether the native engine is there and knows every activation of a network."""
    if not is_built():
        _say_once()
        return False
    return all(ACTIVATIONS.made(layer.activation) for layer in net.layers)


def predictor(net: Network, params: Parameters) -> Callable[[Floats], Floats]:
    """Return a function from x, (n, d₀), to the outputs f_L, (n, d_L), in the dtype of the parameters.

    Parameters
    ----------
    net : Network
        One that :func:`runs`.
    params : Parameters
        Copied: later changes do not reach the function.
    """
    vector: Any = np.ascontiguousarray(params.vector)
    kind: Any = _native.Predictor32 if vector.dtype == np.float32 else _native.Predictor64
    activations = [(layer.activation.name, dict(layer.activation.parameters)) for layer in net.layers]
    made = kind(
        net.widths,
        [(name, next(iter(parameters.values()), 0.0)) for name, parameters in activations],
        [layer.bias for layer in net.layers],
        vector,
        instruction_set(),
    )
    predict: Callable[[Floats], Floats] = made.predict
    return predict


@cache
def _say_once() -> None:
    warnings.warn(
        "chainrule was installed without its native engine, as there was no C++ compiler: "
        "the reference engine is used, which is slower. `chainrule doctor` tells more",
        RuntimeWarning,
        stacklevel=4,
    )
