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
from ..optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, Optimizer, RMSProp, Rprop
from ..parameters import Parameters
from ..regularization import weight_positions
from . import lbfgs, reference, threads
from .task import Best, Settings, State, Watch, batches, no_longer_better, rates

try:
    from . import _native
except ImportError:
    _native = None  # type: ignore[assignment]

VARIABLE = "CHAINRULE_ISA"
_OPTIMIZERS = (SGD, Adam, AdamW, RMSProp, Adagrad, Rprop, LBFGS)
_ALL = 1 << 62  # steps
_RATES = 1 << 16  # learning rates that are worked out at a time
_FEW = 512  # rows that are predicted at once
_SLICE = 0.05  # seconds after which a call gives control back, so that Ctrl-C is heard


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
    predict = kind(_description(net), vector, instruction_set()).predict
    return lambda x: predict(x, 1 if len(x) <= _FEW else threads.allowed())


def run(
    net: Network,
    settings: Settings,
    data: Data,
    validation: Data | None,
    state: State,
    watch: Watch,
    allowed_threads: int,
) -> str | None:
    """Train as :func:`chainrule.engines.reference.run` does; many epochs are one call of the extension."""
    trainer = _trainer(net, settings, data, validation, allowed_threads)
    watch.planned(_plan(trainer, settings, allowed_threads))
    if isinstance(settings.optimizer, LBFGS):
        objective = _objective(net, settings, data, state, trainer)
        return lbfgs.run(net, settings, objective, validation, state, watch, reference.evaluate)
    _place(trainer, state)
    while state.epoch < settings.epochs and not watch.interrupted():
        first, count = state.epoch, _epochs_at_once(settings, data, state, watch)
        learning_rates = rates(settings, len(data), state, count)
        while True:
            outcome = trainer.advance(learning_rates.ravel(), first, _ALL, _SLICE)
            if outcome != "time is up":
                break
            if not _tell(trainer, state, watch, learning_rates, first) or watch.interrupted():
                _move(state, trainer)
                return None
        if outcome == "diverged":
            done = (trainer.epoch - first) * learning_rates.shape[1] + trainer.batch
            at_start = state.copy()
            at_start.epoch = first
            _tell(trainer, state, watch, learning_rates, first)
            _report_divergence(net, settings, data, at_start, state, learning_rates, done)
        _move(state, trainer)
        judged = trainer.validation_losses
        if not _tell(trainer, state, watch, learning_rates, first):
            return None
        if outcome == "no longer better" and state.best is not None:
            return no_longer_better(state.best, judged[-1] if judged else None)
    return None


def _plan(trainer: Any, settings: Settings, allowed_threads: int) -> str:
    shared = "which the threads share" if trainer.groups == 1 else "each with a gradient of its own"
    return (
        f"native engine, {settings.dtype}, {instruction_set()}, {trainer.threads} of {allowed_threads} threads; "
        f"a batch is {trainer.groups} group{'s' * (trainer.groups > 1)} of rows, {shared}; of a group, "
        f"{trainer.panel_rows} rows at a time go through all layers and back, and at most {trainer.chunk_rows} of them "
        "then make their gradient"
    )


def _epochs_at_once(settings: Settings, data: Data, state: State, watch: Watch) -> int:
    """Return how many epochs the extension may make before anyone has to see the state."""
    if watch.sees_state or settings.schedule.follows_losses:
        return 1
    steps = -(-len(data) // settings.batch_size)
    return min(settings.epochs - state.epoch, max(1, _RATES // steps))


def _tell(trainer: Any, state: State, watch: Watch, learning_rates: Floats, first: int) -> bool:
    """Tell of the epochs that the last call of the extension completed, and return whether to go on."""
    judged = trainer.validation_losses or [None] * len(trainer.losses)
    going_on = True
    for loss, validation_loss in zip(trainer.losses, judged, strict=True):
        rate = float(learning_rates[state.epoch - first, 0])
        state.epoch += 1
        state.losses.append(loss)
        going_on = watch.after_epoch(rate, validation_loss)
    return going_on


def _description(net: Network) -> Any:
    parameters = [next((value for _, value in layer.activation.parameters), 0.0) for layer in net.layers]
    names = [layer.activation.name for layer in net.layers]
    return _native.Description(net.widths, list(zip(names, parameters, strict=True)), [b.bias for b in net.layers])


def _trainer(net: Network, settings: Settings, data: Data, validation: Data | None, allowed_threads: int) -> Any:
    optimizer = settings.optimizer
    described = _native.Settings(
        loss=net.loss.name,
        loss_parameter=next((value for _, value in net.loss.parameters), 0.0),
        divisor=float(net.outputs if net.loss.over_outputs == "mean" else 1),
        optimizer="" if isinstance(optimizer, LBFGS) else optimizer.name,
        constants=[float(getattr(optimizer, f.name)) for f in fields(optimizer) if f.name != "learning_rate"],
        remembers=0 if isinstance(optimizer, LBFGS) else len(optimizer.start(np.zeros(0))),
        dropout=[layer.dropout for layer in net.layers],
        l1=settings.penalty.l1,
        l2=settings.penalty.l2,
        clip_norm=settings.clip_norm or 0.0,
        batch_size=settings.batch_size,
        shuffle=settings.shuffle,
        seed=settings.seed,
        patience=settings.patience or 0,
        tolerance=settings.tolerance,
    )
    kind = _native.Trainer32 if settings.dtype == "float32" else _native.Trainer64
    judged = data.take(np.arange(0)) if validation is None else validation
    return kind(
        _description(net),
        described,
        *(data.x, data.y, data.weights),
        *(judged.x, judged.y, judged.weights),
        allowed_threads,
        instruction_set(),
    )


def _place(trainer: Any, state: State) -> None:
    """Put the extension where the state is."""
    trainer.set(state.theta, list(state.memory.values()), state.step, state.epoch)
    if state.best is not None:
        trainer.set_best(state.best.theta, state.best.epoch, state.best.loss)


def _move(state: State, trainer: Any) -> None:
    """Take over where the extension is, but for the epochs, of which it tells."""
    state.theta = trainer.theta
    state.memory = dict(zip(state.memory, trainer.memory, strict=True))
    state.step = trainer.step
    if trainer.best_epoch:
        state.best = Best(trainer.best_epoch, trainer.best_loss, trainer.best_theta)


def _objective(net: Network, settings: Settings, data: Data, state: State, trainer: Any) -> lbfgs.Objective:
    def objective(theta: Floats) -> tuple[float, Floats]:
        loss, gradient = trainer.objective(theta)
        if not (np.isfinite(loss) and np.isfinite(gradient).all()):
            reference.objective_of(net, settings, data, state)(theta)  # says where
            raise DivergenceError(state.epoch + 1, 1, len(net.layers), "gradient")
        return loss, gradient

    return objective


def _report_divergence(
    net: Network, settings: Settings, data: Data, at_start: State, state: State, learning_rates: Floats, steps: int
) -> NoReturn:
    """Make `steps` steps again from the start of an epoch, and let the reference engine say what the next one meets.

    The extension only knows that a number is not finite.

    Raises
    ------
    DivergenceError
        Always; the state is that before the step.
    """
    trainer = _trainer(net, settings, data, None, 1)
    _place(trainer, at_start)
    trainer.advance(learning_rates.ravel(), at_start.epoch, steps, np.inf)
    _move(state, trainer)
    batch = steps % learning_rates.shape[1]
    rows = list(batches(settings, len(data), state.epoch))[batch]
    rate = float(learning_rates.ravel()[steps])
    with np.errstate(all="ignore"):
        reference.step(net, settings, data.take(rows), state.copy(), weight_positions(net), rate, batch)
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
