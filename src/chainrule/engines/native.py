"""The native engine: prediction and training in C++, by the instruction set that this machine runs fastest.

The extension is built when chainrule is installed; where that fails, the reference engine does everything.
``CHAINRULE_ISA`` chooses an instruction set by name.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from functools import cache, partial
from typing import Any, NoReturn

import numpy as np

from ..activations import ACTIVATIONS
from ..data import Data, Floats, RowNumbers
from ..errors import DivergenceError, InputError, quoted
from ..losses import LOSSES
from ..network import Network
from ..optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, Optimizer, RMSProp, Rprop
from ..regularization import weight_positions
from . import lbfgs, reference, threads
from .task import Best, Plateau, Settings, State, Task, Watch, batches, no_longer_better, rates

try:
    from . import _native
except ImportError:
    _native = None  # type: ignore[assignment]

VARIABLE = "CHAINRULE_ISA"
_OPTIMIZERS = (SGD, Adam, AdamW, RMSProp, Adagrad, Rprop, LBFGS)
_ALL = 1 << 62  # steps
_RATES = 1 << 16  # learning rates that are worked out at a time
_FEW = 512  # rows that one thread predicts
_NO_ROWS = np.arange(0)
_SLICE = 0.15  # seconds after which a call gives control back; Ctrl-C is heard in between


def is_built() -> bool:
    """Tell whether the extension was built when chainrule was installed, and can be loaded."""
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
        raise InputError(f"{VARIABLE}={quoted(wanted)}: this machine runs {', '.join(known)}")
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


class Predictor:
    """A function from x, (n, d₀), to the outputs f_L, (n, d_L), in the dtype of the parameters.

    Parameters
    ----------
    net : Network
        One that :func:`predicts`.
    theta : array, shape (number of parameters,)
        Copied: later changes only reach the function by :meth:`follow`.
    """

    def __init__(self, net: Network, theta: Floats) -> None:
        self.dtype = theta.dtype
        kind = _native.Predictor32 if theta.dtype == np.float32 else _native.Predictor64
        made = kind(_description(net), _aligned(np.ascontiguousarray(theta)), instruction_set())
        self._predict, self.follow = made.predict, made.follow

    def __call__(self, x: Floats, allowed_threads: int | None = None) -> Floats:
        """Return the outputs; no more than a few rows are left to one thread."""
        return self._predict(_aligned(x), 1 if len(x) <= _FEW else threads.allowed(allowed_threads))


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
    task = Task(net, settings, data, validation, state, watch)
    trainer = _trainer(task, allowed_threads)
    watch.planned(_plan(trainer, settings, allowed_threads))
    if settings.optimizer.is_full_batch:
        objective = _objective(task, trainer)
        judge = partial(trainer.validation_loss, interrupted=watch.interrupted)
        weight = float(data.weights.sum())
        return lbfgs.run(net, settings, objective, weight, None if validation is None else judge, state, watch)
    moving = _Moving(task, trainer)
    while not moving.ended and not watch.interrupted():
        moving.follow(trainer.advance(moving.ahead, _ALL, _SLICE, watch.interrupted))
    moving.stop()
    return moving.why


def run_many(
    tasks: Sequence[Task], at_once: int, allowed_threads: int, interrupted: Callable[[], bool]
) -> list[str | DivergenceError | None]:
    """Train independent networks side by side, each by one thread; their data are not copied.

    Parameters
    ----------
    tasks : sequence of Task
        All of one dtype, and none with L-BFGS, which SciPy makes.
    at_once : int
        How many the engine has in memory; as one ends, the next begins.
    allowed_threads : int
    interrupted : callable
        Asked every 50 ms or so whether to stop all of them.

    Returns
    -------
    list
        For each what :func:`run` returns, or the error that it would raise.
    """
    tables: dict[int, Any] = {}  # one for all runs that take all rows of the same data
    ended: list[str | DivergenceError | None] = [None] * len(tasks)
    going: dict[int, _Moving] = {}
    begun = 0
    while not interrupted():
        while begun < len(tasks) and len(going) < at_once:
            trainer = _trainer(tasks[begun], 1, tables)
            tasks[begun].watch.planned(_plan(trainer, tasks[begun].settings, 1))
            going[begun] = _Moving(tasks[begun], trainer)
            begun += 1
        if not going:
            break
        trainers, ahead = [m.trainer for m in going.values()], [m.ahead for m in going.values()]
        outcomes = _native.advance_many(trainers, ahead, _SLICE, allowed_threads, interrupted)
        for (k, moving), outcome in zip(list(going.items()), outcomes, strict=True):
            try:
                moving.follow(outcome)
            except DivergenceError as error:
                ended[k] = error
            if moving.ended:
                moving.stop()
                ended[k] = ended[k] or moving.why
                del going[k]
    for moving in going.values():
        moving.stop()
    return ended


class _Moving:
    """A run that the extension moves, call by call, and a state that follows."""

    def __init__(self, task: Task, trainer: Any) -> None:
        self.task, self.trainer = task, trainer
        self.ended = False
        self.why: str | None = None
        self._moved = False  # whether the extension is ahead of the state's parameters
        _set(trainer, task.state)
        if (best := task.state.best) is not None:
            trainer.set_best(best.epoch, best.loss)
        if (plateau := Plateau.after(task.settings, task.state.losses)) is not None:
            trainer.set_plateau(plateau.waited, plateau.lowest)
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Work out what the epochs need that can be made before anyone has to see the state."""
        task, rows = self.task, self.trainer.rows
        settings, state = task.settings, task.state
        count = min(settings.epochs - state.epoch, max(1, _RATES // -(-rows // settings.batch_size)))
        if task.watch.sees_state or settings.schedule.follows_losses:
            count = min(count, 1)
        self.first = state.epoch
        self.rates = rates(settings, rows, state, count)
        self.ahead = _native.Ahead(self.rates.ravel().astype(np.float64, copy=False), self.first)
        self.ended = self.ended or count == 0

    def follow(self, outcome: str | None) -> None:
        """Take in what a call of the extension has done; None if it did not come to this run.

        Raises
        ------
        DivergenceError
            When a number was not finite; the state is that before the step.
        """
        if outcome is None:
            return
        task, trainer = self.task, self.trainer
        self._moved = True
        if outcome == "diverged":
            self.ended, self._moved = True, False
            done = (trainer.epoch - self.first) * self.rates.shape[1] + trainer.batch
            at_start = task.state.copy()
            at_start.epoch = self.first
            self._tell()
            _keep_best(task.state, trainer)
            _report_divergence(task, at_start, self.rates, self.ahead, done, trainer.threads)
        if outcome != "time is up":
            self._take_over()
        judged = trainer.validation_losses
        if not self._tell():
            self.ended = True
        elif outcome == "no longer better":
            self.ended = True
            if task.state.best is not None:
                self.why = no_longer_better(task.state.best, judged[-1] if judged else None)
            else:
                self.why = str(Plateau.after(task.settings, task.state.losses))
        elif outcome == "done":
            self._look_ahead()

    def stop(self) -> None:
        """Leave the state where the extension is, if need be in the middle of an epoch."""
        if self._moved:
            self._take_over()

    def _take_over(self) -> None:
        _move(self.task, self.trainer)
        _keep_best(self.task.state, self.trainer)
        self._moved = False

    def _tell(self) -> bool:
        """Tell of the epochs that the last call completed, and return whether to go on."""
        trainer, state = self.trainer, self.task.state
        if not (made := trainer.losses):
            return True
        first = state.epoch - self.first
        of_epochs = [float(rate) for rate in self.rates[first : first + len(made), 0]]
        state.epoch += len(made)
        state.losses.extend(made)
        return self.task.watch.after_epochs(of_epochs, trainer.validation_losses or None)


def _plan(trainer: Any, settings: Settings, allowed_threads: int) -> str:
    start = f"native engine, {settings.dtype}, {instruction_set()}, {trainer.threads} of {allowed_threads} threads; "
    if trainer.goes_row_by_row:
        return start + "a chain that learns row by row, in scalars"
    if trainer.goes_at_once:
        return start + "a batch goes through all narrow layers and back, and makes their gradient, in one call"
    if trainer.goes_by_layers:
        return start + (
            f"layer by layer: at most {trainer.chunk_rows} rows go through a layer, in parts of it, before the next, "
            "and then make their gradient"
        )
    own = "with one gradient" if trainer.groups == 1 else "each with a gradient of its own"
    return start + (
        f"a batch is {trainer.groups} group{'s' * (trainer.groups > 1)} of rows, {own}; of a group, "
        f"{trainer.panel_rows} rows at a time go through all layers and back, and at most {trainer.chunk_rows} of them "
        "then make their gradient"
    )


def _description(net: Network) -> Any:
    parameters = [next((value for _, value in layer.activation.parameters), 0.0) for layer in net.layers]
    names = [layer.activation.name for layer in net.layers]
    return _native.Description(net.widths, list(zip(names, parameters, strict=True)), [b.bias for b in net.layers])


def _trainer(task: Task, allowed_threads: int, tables: dict[int, Any] | None = None) -> Any:
    net, settings, optimizer = task.net, task.settings, task.settings.optimizer
    described = _native.Settings(
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
        patience=settings.patience or 0,
        tolerance=settings.tolerance,
        like_scikit_learn=settings.like_scikit_learn,
    )
    single = settings.dtype == "float32"
    table_of, trainer_of = (_native.Table32, _native.Trainer32) if single else (_native.Table64, _native.Trainer64)
    tables = {} if tables is None else tables

    def table(data: Data, rows: RowNumbers | None) -> Any:
        x, y, weights = _aligned(data.x), _aligned(data.y), _aligned(data.weights)
        if rows is not None:
            return table_of(x, y, weights, rows)
        if id(data) not in tables:
            tables[id(data)] = table_of(x, y, weights)
        return tables[id(data)]

    training = table(task.data, task.training_rows)
    judged = table(task.data, _NO_ROWS) if task.validation is None else table(task.validation, task.validation_rows)
    return trainer_of(_description(net), described, training, judged, allowed_threads, instruction_set())


def _aligned(array: Floats) -> Floats:
    """Return an array whose numbers begin at multiples of their size, as C++ demands of them: a copy if need be."""
    return array if array.flags.aligned else array.copy()


def _set(trainer: Any, state: State) -> None:
    """Put the extension where a state is."""
    trainer.set(state.theta, list(state.memory.values()), state.step, state.epoch)
    if state.shuffling is not None:
        trainer.set_shuffling(state.shuffling.key, state.shuffling.position, state.shuffling.order)


def _move(task: Task, trainer: Any) -> None:
    """Take over where the extension is, into the state's arrays, but for the epochs, of which it tells."""
    state = task.state
    if task.watch.sees_state:  # who may have kept the parameters of an epoch
        state.theta = np.empty_like(state.theta)
    trainer.get(state.theta, list(state.memory.values()))
    state.step = trainer.step
    if state.shuffling is not None:
        state.shuffling.position = trainer.get_shuffling(state.shuffling.key, state.shuffling.order)


def _keep_best(state: State, trainer: Any) -> None:
    if (theta := trainer.take_best()) is not None:
        state.best = Best(trainer.best_epoch, trainer.best_loss, theta)


def _objective(task: Task, trainer: Any) -> lbfgs.Objective:
    net, state = task.net, task.state

    def objective(theta: Floats) -> tuple[float, Floats] | None:
        found: tuple[float, Floats] | None = trainer.objective(theta, task.watch.interrupted)
        if found is not None and not (np.isfinite(found[0]) and np.isfinite(found[1]).all()):
            reference.objective_of(net, task.settings, task.data, state)(theta)  # says where
            raise DivergenceError(state.epoch + 1, 1, len(net.layers), "gradient")
        return found

    return objective


def _report_divergence(
    task: Task, at_start: State, learning_rates: Floats, ahead: Any, steps: int, threads: int
) -> NoReturn:
    """Make `steps` steps again from where the call began, and let the reference engine say what the next one meets.

    The extension only knows that a number is not finite. Ctrl-C ends the way there, and then less is known.

    Raises
    ------
    DivergenceError
        Always; the state is that before the step.
    """
    net, state = task.net, task.state
    settings = replace(task.settings, patience=None)  # no early stopping on the way there
    data = task.data if task.training_rows is None else task.data.take(task.training_rows)
    trainer = _trainer(replace(task, settings=settings, validation=None), threads)
    _set(trainer, at_start)
    while (left := steps - (trainer.step - at_start.step)) > 0 and not task.watch.interrupted():
        trainer.advance(ahead, left, _SLICE, task.watch.interrupted)
    _move(task, trainer)
    batch = steps % learning_rates.shape[1]
    if (shuffling := at_start.shuffling) is not None:
        for _ in range(steps // learning_rates.shape[1]):
            shuffling.next()
    rows = list(batches(settings, len(data), state.epoch, shuffling))[batch]
    rate = float(learning_rates.ravel()[steps])
    if not left:
        with np.errstate(all="ignore"):
            reference.step(net, settings, data.take(rows), state.copy(), weight_positions(net), rate, batch)
    # Interrupted, or the two engines round to different sides of the greatest number.
    raise DivergenceError(state.epoch + 1, batch + 1, len(net.layers), "parameter update")


@cache
def _say_once() -> None:
    from . import native_build  # imports importlib.metadata, which takes long and is needed only here

    warnings.warn(
        f"chainrule has no native engine: {native_build.absence()}. The reference engine is used, which is slower; "
        "`chainrule doctor` says how to add the native one",
        RuntimeWarning,
        stacklevel=4,
    )
