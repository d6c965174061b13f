"""The engines, and which of them executes a run."""

from __future__ import annotations

from ..errors import InputError, unknown_name
from ..network import Network
from ..optimizers import Optimizer
from ..parameters import Parameters
from .engine import Engine, Predictor
from .native import NativeEngine
from .reference import ReferenceEngine

ENGINES: dict[str, Engine] = {"native": NativeEngine(), "reference": ReferenceEngine()}
"""Every engine by its name, in order of preference."""


def choose(net: Network, optimizer: Optimizer, name: str = "auto") -> str:
    """Return the name of the engine for a run; "auto" selects the first that can execute it.

    Raises
    ------
    InputError
        When the name is unknown, or the engine cannot execute the run.
    """
    if name == "auto":
        return next(name for name, engine in ENGINES.items() if engine.can_run(net, optimizer))
    if name not in ENGINES:
        raise unknown_name("engine", name, ("auto", *ENGINES))
    if not ENGINES[name].can_run(net, optimizer):
        raise InputError(
            f"the {name} engine cannot execute this run: {ENGINES[name].limits}; engine='reference' executes any run"
        )
    return name


def engine_named(name: str) -> Engine:
    """Return the engine of this name.

    Raises
    ------
    InputError
        When there is none.
    """
    if name not in ENGINES:
        raise unknown_name("engine", name, ENGINES)
    return ENGINES[name]


def predictor_of(net: Network, params: Parameters, name: str = "auto") -> Predictor:
    """Return x → f_L by an engine, or by the first that can predict if that one cannot or is unknown.

    So a fitted estimator whose ``engine`` was set to an invalid name still predicts; only its next fit is refused.

    Raises
    ------
    InputError
        When a definition of your own is invalid.
    """
    preferred = [engine for known, engine in ENGINES.items() if known == name]
    return next(engine for engine in (*preferred, *ENGINES.values()) if engine.can_predict(net)).predictor(net, params)
