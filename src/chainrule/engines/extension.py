"""The C++ extension: availability, instruction sets, and conversion of runs to its types.

The extension is built when chainrule is installed. ``CHAINRULE_ISA`` chooses an instruction set by name.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ..data import Data, Floats, RowNumbers
from ..errors import InputError, quoted
from ..network import Network
from .settings import Settings
from .state import Best, State
from .task import Task
from .threads import allowed

try:
    from . import _native
except ImportError:
    _native = None  # type: ignore[assignment]

if TYPE_CHECKING:
    from ._native import Ahead, Description, Table64, Trainer64

VARIABLE = "CHAINRULE_ISA"
_FEW = 512  # rows that one thread predicts
_NO_ROWS = np.arange(0)


def is_built() -> bool:
    """Tell whether the extension was built when chainrule was installed, and can be loaded."""
    return _native is not None


def compiler() -> str:
    """Return the compiler that built the extension."""
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
    name = os.environ.get(VARIABLE) or known[0]
    if name not in known:
        raise InputError(f"{VARIABLE}={quoted(name)}: this machine runs {', '.join(known)}")
    return name


@cache
def warn_of_absence() -> None:
    """Warn, once in a process, that there is no extension."""
    from . import native_build  # imports importlib.metadata, which takes long and is needed only here

    warnings.warn(
        f"chainrule has no native engine: {native_build.absence()}. The reference engine is used, which is slower; "
        "`chainrule doctor` says how to add the native one",
        RuntimeWarning,
        stacklevel=4,
    )


class NativePredictor:
    """A function from x, (n, d₀), to the outputs f_L, (n, d_L), in the dtype of the parameters.

    Parameters
    ----------
    net : Network
        One whose activations the extension knows.
    theta : array, shape (number of parameters,)
        Copied: later changes only reach the function by :meth:`follow`.
    """

    def __init__(self, net: Network, theta: Floats) -> None:
        self.dtype = theta.dtype
        kind = _native.Predictor32 if theta.dtype == np.float32 else _native.Predictor64
        predictor = kind(_description_of(net), aligned(np.ascontiguousarray(theta)), instruction_set())
        self._predict, self.follow = predictor.predict, predictor.follow

    def __call__(self, x: Floats, threads: int | None = None) -> Floats:
        """Return the outputs; one thread predicts a few rows."""
        return self._predict(aligned(x), 1 if len(x) <= _FEW else allowed(threads))


def ahead_of(rates: Floats, first_epoch: int) -> Ahead:
    """Return the learning rates of the epochs to come, (epochs, steps), as the extension takes them."""
    return _native.Ahead(rates.ravel().astype(np.float64, copy=False), first_epoch)


def advance_many(
    trainers: Sequence[Trainer64], ahead: Sequence[Ahead], seconds: float, threads: int, interrupted: Callable[[], bool]
) -> list[str | None]:
    """Advance runs side by side for this many seconds, and return how far each came; None for those not reached."""
    return _native.advance_many(trainers, ahead, seconds, threads, interrupted)


def trainer_of(task: Task, allowed_threads: int, tables: dict[int, Table64] | None = None) -> Trainer64:
    """Return the extension's trainer for a task; `tables` shares those of whole data between trainers."""
    net, settings, split = task.net, task.settings, task.split
    single = settings.dtype == "float32"
    table_type, trainer_type = (_native.Table32, _native.Trainer32) if single else (_native.Table64, _native.Trainer64)
    tables = {} if tables is None else tables

    def table(data: Data, rows: RowNumbers | None) -> Table64:
        x, y, weights = aligned(data.x), aligned(data.y), aligned(data.weights)
        if rows is not None:
            return table_type(x, y, weights, rows)
        if id(data) not in tables:
            tables[id(data)] = table_type(x, y, weights)
        return tables[id(data)]

    training = table(split.training, split.training_rows)
    if split.validation is None:
        validation = table(split.training, _NO_ROWS)
    else:
        validation = table(split.validation, split.validation_rows)
    described = _settings_of(net, settings)
    return trainer_type(_description_of(net), described, training, validation, allowed_threads, instruction_set())


def _description_of(net: Network) -> Description:
    parameters = [next((value for _, value in layer.activation.parameters), 0.0) for layer in net.layers]
    names = [layer.activation.name for layer in net.layers]
    return _native.Description(net.widths, list(zip(names, parameters, strict=True)), [b.bias for b in net.layers])


def _settings_of(net: Network, settings: Settings) -> Any:
    optimizer, stopping = settings.optimizer, settings.stopping
    return _native.Settings(
        loss=net.loss.name,
        loss_parameter=next((value for _, value in net.loss.parameters if isinstance(value, float)), 0.0),
        divisor=float(net.loss_divisor),
        optimizer="" if optimizer.is_full_batch else optimizer.name,
        constants=[float(getattr(optimizer, f.name)) for f in fields(optimizer) if f.name != "learning_rate"],
        remembers=len(optimizer.start(np.zeros(0))),
        dropout=[layer.dropout for layer in net.layers],
        l1=settings.penalty.l1,
        l2=settings.penalty.l2,
        penalty_by_weight=settings.penalty.by_weight,
        penalty_in_loss=settings.penalty.in_loss,
        clip_norm=settings.clip_norm or 0.0,
        batch_size=settings.batch_size,
        shuffle=settings.shuffle,
        seed=settings.seed,
        stopping="none" if stopping is None else stopping.name,
        patience=0 if stopping is None else stopping.epochs,
        tolerance=0.0 if stopping is None else stopping.tolerance,
        loss_weighting=settings.loss_weighting,
    )


def aligned(array: Floats) -> Floats:
    """Return an array whose numbers begin at multiples of their size, as C++ demands of them: a copy if need be."""
    return array if array.flags.aligned else array.copy()


def set_state(trainer: Trainer64, state: State) -> None:
    """Set the extension to a state."""
    trainer.set(state.theta, list(state.memory.values()), state.step, state.epoch)
    if state.shuffling is not None:
        trainer.set_shuffling(state.shuffling.key, state.shuffling.position, state.shuffling.order)


def update_state(task: Task, trainer: Trainer64) -> None:
    """Copy the extension's state into the task's arrays, except the number of epochs."""
    state = task.state
    if task.hooks.sees_state:  # a hook may have kept the old array
        state.theta = np.empty_like(state.theta)
    trainer.get(state.theta, list(state.memory.values()))
    state.step = trainer.step
    if state.shuffling is not None:
        state.shuffling.position = trainer.get_shuffling(state.shuffling.key, state.shuffling.order)


def keep_best(state: State, trainer: Trainer64) -> None:
    """Copy the best epoch into a state, if there is a new one."""
    if (theta := trainer.take_best()) is not None:
        state.best = Best(trainer.best_epoch, trainer.best_loss, theta)


def plan_of(trainer: Trainer64, settings: Settings, allowed_threads: int) -> str:
    """Return in words how the extension executes a run."""
    plan = trainer.plan
    start = f"native engine, {settings.dtype}, {instruction_set()}, {plan.threads} of {allowed_threads} threads; "
    if plan.path == "chain":
        return start + "a chain that learns row by row, in scalars"
    if plan.path == "narrow":
        return start + "a batch goes through all narrow layers and back, and makes their gradient, in one call"
    if plan.path == "layers":
        return start + (
            f"layer by layer: at most {plan.chunk_rows} rows go through a layer, in parts of it, before the next, "
            "and then make their gradient"
        )
    own = "with one gradient" if plan.groups == 1 else "each with a gradient of its own"
    return start + (
        f"a batch is {plan.groups} group{'s' * (plan.groups > 1)} of rows, {own}; of a group, "
        f"{plan.panel_rows} rows at a time go through all layers and back, and at most {plan.chunk_rows} of them "
        "then make their gradient"
    )
