"""Which engine executes a run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ..data import Data
from ..errors import InputError, unknown_name
from ..network import Network
from ..optimizers import Optimizer
from . import native, reference
from .task import ENGINES, AfterEpoch, Settings, State

Engine: TypeAlias = Callable[[Network, Settings, Data, State, AfterEpoch, Callable[[], bool]], str | None]


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
            "definitions of your own and no lbfgs; engine='reference' executes any run"
        )
    return wanted


def engine_of(net: Network, settings: Settings) -> Engine:
    """Return the engine that the settings of a run name.

    Raises
    ------
    InputError
        As :func:`chosen` does.
    """
    return native.run if chosen(net, settings.optimizer, settings.engine) == "native" else reference.run
