"""Which engine executes a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

from ..data import Data, Floats
from ..errors import InputError, unknown_name
from ..network import Network
from ..optimizers import Optimizer
from ..parameters import Parameters
from . import native, reference
from .task import ENGINES, Settings, State, Watch

Engine: TypeAlias = Callable[[Network, Settings, Data, Data | None, State, Watch], str | None]
"""As :func:`chainrule.engines.reference.run`."""


def chosen(net: Network, optimizer: Optimizer, wanted: str = "auto") -> str:
    """Return the name of the engine for a run: where `wanted` is "auto", the native one if it can execute it.

    Raises
    ------
    InputError
        When the name is unknown, or the native engine is wanted and cannot execute the run.
    """
    if wanted == "auto":
        return "native" if native.trains(net, optimizer) else "reference"
    if wanted not in ENGINES:
        raise unknown_name("engine", wanted, ("auto", *ENGINES))
    if wanted == "native" and not native.trains(net, optimizer):
        raise InputError(
            "the native engine cannot execute this run: it must be built (see `chainrule doctor`), and knows no "
            "definitions of your own; engine='reference' executes any run"
        )
    return wanted


def engine_of(net: Network, settings: Settings, threads: int) -> Engine:
    """Return the engine that the settings of a run name, with so many threads where it can use them.

    Raises
    ------
    InputError
        As :func:`chosen` does.
    """
    if chosen(net, settings.optimizer, settings.engine) == "native":
        return partial(native.run, allowed_threads=threads)
    return reference.run


def outputs_of(net: Network, params: Parameters, engine: str) -> Callable[[Floats], Floats]:
    """Return x → f_L by an engine that was chosen for a run."""
    return native.Predictor(net, params.vector) if engine == "native" else partial(reference.predict, net, params)
