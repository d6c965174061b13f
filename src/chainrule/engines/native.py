"""The native engine: prediction and training in C++, by the instruction set that this machine runs fastest.

The extension is built when chainrule is installed; where there was no compiler, the reference engine does
everything. ``CHAINRULE_ISA`` chooses an instruction set by name.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from typing import Any, NoReturn

import numpy as np

from ..activations import ACTIVATIONS
from ..data import Data, Floats
from ..errors import DivergenceError, InputError, unknown_name
from ..losses import LOSSES
from ..network import Network
from ..optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSProp, Rprop
from ..parameters import Parameters
from ..regularization import weight_positions
from . import reference
from .task import AfterEpoch, Settings, State, batches, rates

try:
    from . import _native
except ImportError:
    _native = None  # type: ignore[assignment]

VARIABLE = "CHAINRULE_ISA"
_OPTIMIZERS = (SGD, Adam, AdamW, RMSProp, Adagrad, Rprop)
_ALL = -1  # steps
_SLICE = 0.05  # seconds after which a long epoch gives control back, so that Ctrl-C is heard


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


def predicts(net: Network) -> bool:
    """Tell whether the native engine is there and knows every activation of a network."""
    if not is_built():
        _say_once()
        return False
    return all(ACTIVATIONS.made(layer.activation) for layer in net.layers)


def trains(net: Network, optimizer: Optimizer) -> bool:
    """Tell whether the native engine is there and knows all that a run needs."""
    return predicts(net) and LOSSES.made(net.loss) and type(optimizer) in _OPTIMIZERS


def predictor(net: Network, params: Parameters) -> Callable[[Floats], Floats]:
    """Return a function from x, (n, d₀), to the outputs f_L, (n, d_L), in the dtype of the parameters.

    Parameters
    ----------
    net : Network
        One that :func:`predicts`.
    params : Parameters
        Copied: later changes do not reach the function.
    """
    vector: Any = np.ascontiguousarray(params.vector)
    kind = _native.Predictor32 if vector.dtype == np.float32 else _native.Predictor64
    return kind(_description(net), vector, instruction_set()).predict


def run(
    net: Network,
    settings: Settings,
    data: Data,
    state: State,
    after_epoch: AfterEpoch,
    interrupted: Callable[[], bool],
) -> None:
    """Train as :func:`chainrule.engines.reference.run` does, but for L-BFGS; an epoch is one call of the extension."""
    trainer = _trainer(net, settings, data)
    trainer.set(state.theta, list(state.memory.values()), state.step, state.epoch)
    while state.epoch < settings.epochs and not interrupted():
        learning_rates = rates(settings, len(data), state)
        while (outcome := trainer.advance(learning_rates, _ALL, _SLICE)) == "time is up":
            if interrupted():
                _move(state, trainer)
                return
        if outcome == "diverged":
            _report_divergence(net, settings, data, state, learning_rates, trainer.batch)
        _move(state, trainer)
        state.epoch += 1
        state.losses.append(trainer.loss)
        if not after_epoch(float(learning_rates[0])):
            return


def _description(net: Network) -> Any:
    parameters = [next((value for _, value in layer.activation.parameters), 0.0) for layer in net.layers]
    names = [layer.activation.name for layer in net.layers]
    return _native.Description(net.widths, list(zip(names, parameters, strict=True)), [b.bias for b in net.layers])


def _trainer(net: Network, settings: Settings, data: Data) -> Any:
    optimizer = settings.optimizer
    described = _native.Settings(
        loss=net.loss.name,
        loss_parameter=next((value for _, value in net.loss.parameters), 0.0),
        divisor=float(net.outputs if net.loss.over_outputs == "mean" else 1),
        optimizer=optimizer.name,
        constants=[float(getattr(optimizer, f.name)) for f in fields(optimizer) if f.name != "learning_rate"],
        remembers=len(optimizer.start(np.zeros(0))),
        dropout=[layer.dropout for layer in net.layers],
        l1=settings.penalty.l1,
        l2=settings.penalty.l2,
        clip_norm=settings.clip_norm or 0.0,
        batch_size=settings.batch_size,
        shuffle=settings.shuffle,
        seed=settings.seed,
    )
    kind = _native.Trainer32 if settings.dtype == "float32" else _native.Trainer64
    return kind(_description(net), described, data.x, data.y, data.weights, instruction_set())


def _move(state: State, trainer: Any) -> None:
    """Take over where the extension is."""
    state.theta, *memory = trainer.get()
    state.memory = dict(zip(state.memory, memory, strict=True))
    state.step = trainer.step


def _report_divergence(
    net: Network, settings: Settings, data: Data, state: State, learning_rates: Floats, batch: int
) -> NoReturn:
    """Go again from the start of the epoch to the step before, and let the reference engine say what goes wrong.

    The extension only knows that a number is not finite. The state is still that of the start of the epoch.

    Raises
    ------
    DivergenceError
        Always; the state is that before the step.
    """
    trainer = _trainer(net, settings, data)
    trainer.set(state.theta, list(state.memory.values()), state.step, state.epoch)
    trainer.advance(learning_rates, batch, np.inf)
    _move(state, trainer)
    rows = list(batches(settings, len(data), state.epoch))[batch]
    with np.errstate(all="ignore"):
        reference.step(
            net, settings, data.take(rows), state.copy(), weight_positions(net), learning_rates[batch], batch
        )
    # Only where the two engines round to different sides of the greatest number.
    raise DivergenceError(state.epoch + 1, batch + 1, len(net.layers), "parameter update")


@cache
def _say_once() -> None:
    warnings.warn(
        "chainrule was installed without its native engine, as there was no C++ compiler: "
        "the reference engine is used, which is slower. `chainrule doctor` tells more",
        RuntimeWarning,
        stacklevel=4,
    )
