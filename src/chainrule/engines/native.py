"""The native engine: prediction and training in C++, with the fastest instruction set of this machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NoReturn

import numpy as np

from ..activations import ACTIVATIONS
from ..data import Floats
from ..errors import DivergenceError
from ..losses import LOSSES
from ..network import Network
from ..optimizers import LBFGS, SGD, Adagrad, Adam, AdamW, Optimizer, RMSProp, Rprop
from ..parameters import Parameters
from ..regularization import weight_positions
from . import extension, lbfgs, reference
from .batching import batches, learning_rates
from .engine import Objective, Predictor, execute_one_by_one
from .extension import keep_best, set_state, trainer_of, update_state
from .settings import Settings
from .state import State
from .stopping import Plateau
from .task import Task

if TYPE_CHECKING:
    from ._native import Ahead, Table64, Trainer64

_OPTIMIZERS = (SGD, Adam, AdamW, RMSProp, Adagrad, Rprop, LBFGS)
_ALL = 1 << 62  # steps
_RATES = 1 << 16  # learning rates that are computed at a time
_SLICE = 0.15  # seconds after which a call returns control; Ctrl-C is noticed in between
_WORKING_MEMORY = 1 << 28  # bytes for all runs in the extension at a time; each needs about:
_OF_A_RUN, _OF_A_ROW, _OF_A_PARAMETER = 1 << 22, 40, 80


class NativeEngine:
    """The engine in C++; see :class:`chainrule.engines.engine.Engine`."""

    limits = "it must be built (see `chainrule doctor`), and knows no definitions of your own"

    def can_run(self, net: Network, optimizer: Optimizer) -> bool:
        """Tell whether the extension is built and knows every definition of a run."""
        return self.can_predict(net) and LOSSES.made(net.loss) and type(optimizer) in _OPTIMIZERS

    def can_predict(self, net: Network) -> bool:
        """Tell whether the extension is built and knows every activation of a network."""
        if not extension.is_built():
            extension.warn_of_absence()
            return False
        return all(ACTIVATIONS.made(layer.activation) for layer in net.layers)

    def runs_in_batch(self, settings: Settings) -> bool:
        """Tell whether :meth:`execute_many` executes such a run beside others; SciPy executes L-BFGS, in Python."""
        return not settings.optimizer.is_full_batch

    def execute(self, task: Task, threads: int) -> str | None:
        """Execute a run; many epochs are one call of the extension."""
        if task.settings.optimizer.is_full_batch:
            task = replace(task, split=task.split.taken())
            objective = self.objective(task, threads)
            validation_loss = None if task.split.validation is None else objective.validation_loss
            return lbfgs.run(task, objective, validation_loss)
        trainer = trainer_of(task, threads)
        task.hooks.planned(extension.plan_of(trainer, task.settings, threads))
        run = _NativeRun(task, trainer)
        while not run.ended and not task.hooks.interrupted():
            run.follow(trainer.advance(run.ahead, _ALL, _SLICE, task.hooks.interrupted))
        run.stop()
        return run.why

    def execute_many(
        self, tasks: Sequence[Task], threads: int, interrupted: Callable[[], bool]
    ) -> list[str | DivergenceError | None]:
        """Execute runs side by side, each by one thread, and those of L-BFGS one after the other.

        All runs of a batch have the same dtype; those on the same data share one table.
        """
        outcomes: list[str | DivergenceError | None] = [None] * len(tasks)
        batched = [k for k, task in enumerate(tasks) if self.runs_in_batch(task.settings)]
        sequential = [k for k, task in enumerate(tasks) if not self.runs_in_batch(task.settings)]
        for numbers, execute in ((batched, _execute_batch), (sequential, partial(execute_one_by_one, self))):
            for k, outcome in zip(numbers, execute([tasks[k] for k in numbers], threads, interrupted), strict=True):
                outcomes[k] = outcome
        return outcomes

    def objective(self, task: Task, threads: int) -> Objective:
        """Return the objective of a task, computed by the extension."""
        trainer = trainer_of(task, threads)
        task.hooks.planned(extension.plan_of(trainer, task.settings, threads))
        return _NativeObjective(task, trainer)

    def predictor(self, net: Network, params: Parameters) -> Predictor:
        """Return the outputs as a function of the inputs."""
        return extension.NativePredictor(net, params.vector)


def _execute_batch(
    tasks: Sequence[Task], threads: int, interrupted: Callable[[], bool]
) -> list[str | DivergenceError | None]:
    """Execute runs side by side, as many at a time as fit into the working memory; as one ends, the next begins."""
    needed = max((_memory_of(task) for task in tasks), default=1)
    at_once = max(threads, _WORKING_MEMORY // needed)
    tables: dict[int, Table64] = {}  # one for all runs that take all rows of the same data
    outcomes: list[str | DivergenceError | None] = [None] * len(tasks)
    running: dict[int, _NativeRun] = {}
    begun = 0
    while not interrupted():
        while begun < len(tasks) and len(running) < at_once:
            trainer = trainer_of(tasks[begun], 1, tables)
            tasks[begun].hooks.planned(extension.plan_of(trainer, tasks[begun].settings, 1))
            running[begun] = _NativeRun(tasks[begun], trainer)
            begun += 1
        if not running:
            break
        trainers, ahead = [run.trainer for run in running.values()], [run.ahead for run in running.values()]
        results = extension.advance_many(trainers, ahead, _SLICE, threads, interrupted)
        for (k, run), result in zip(list(running.items()), results, strict=True):
            try:
                run.follow(result)
            except DivergenceError as error:
                outcomes[k] = error
            if run.ended:
                run.stop()
                outcomes[k] = outcomes[k] or run.why
                del running[k]
    for run in running.values():
        run.stop()
    return outcomes


def _memory_of(task: Task) -> int:
    """Return about how many bytes the extension needs for a run beside its data."""
    return _OF_A_RUN + _OF_A_ROW * len(task.split.training) + _OF_A_PARAMETER * task.net.parameter_count


class _NativeRun:
    """A run that the extension executes, call by call, and the state that follows it."""

    def __init__(self, task: Task, trainer: Trainer64) -> None:
        self.task, self.trainer = task, trainer
        self.ended = False
        self.why: str | None = None
        self._is_ahead = False  # of the state's parameters
        set_state(trainer, task.state)
        if (best := task.state.best) is not None:
            trainer.set_best(best.epoch, best.loss)
        if isinstance(stopping := task.settings.stopping, Plateau):
            counter = stopping.counter(task.state.losses)
            trainer.set_plateau(counter.waited, counter.lowest)
        self._look_ahead()

    def _look_ahead(self) -> None:
        """Compute the learning rates of the epochs before a hook or a schedule needs the state."""
        task, rows = self.task, self.trainer.rows
        settings, state = task.settings, task.state
        count = min(settings.epochs - state.epoch, max(1, _RATES // -(-rows // settings.batch_size)))
        if task.hooks.sees_state or settings.schedule.follows_losses:
            count = min(count, 1)
        self.first = state.epoch
        self.rates = learning_rates(settings, rows, state, count)
        self.ahead = extension.ahead_of(self.rates, self.first)
        self.ended = self.ended or count == 0

    def follow(self, result: str | None) -> None:
        """Bring the state up to a call of the extension; None if the call did not reach this run.

        Raises
        ------
        DivergenceError
            When a number was not finite; the state is that before the step.
        """
        if result is None:
            return
        task, trainer = self.task, self.trainer
        self._is_ahead = True
        if result == "diverged":
            self.ended, self._is_ahead = True, False
            steps = (trainer.epoch - self.first) * self.rates.shape[1] + trainer.batch
            at_start = task.state.copy()
            at_start.epoch = self.first
            self._report()
            keep_best(task.state, trainer)
            _report_divergence(task, at_start, self.rates, self.ahead, steps, trainer.plan.threads)
        if result != "time is up":
            self._catch_up()
        validation_losses = trainer.validation_losses
        if not self._report():
            self.ended = True
        elif result == "no longer better":
            assert task.settings.stopping is not None  # noqa: S101 - for the type checker
            self.ended = True
            self.why = task.settings.stopping.reason(task.state, validation_losses[-1] if validation_losses else None)
        elif result == "done":
            self._look_ahead()

    def stop(self) -> None:
        """Leave the state where the extension is, if need be in the middle of an epoch."""
        if self._is_ahead:
            self._catch_up()

    def _catch_up(self) -> None:
        update_state(self.task, self.trainer)
        keep_best(self.task.state, self.trainer)
        self._is_ahead = False

    def _report(self) -> bool:
        """Report the epochs that the last call completed, and return whether to continue."""
        trainer, state = self.trainer, self.task.state
        if not (losses := trainer.losses):
            return True
        first = state.epoch - self.first
        of_epochs = [float(rate) for rate in self.rates[first : first + len(losses), 0]]
        state.epoch += len(losses)
        state.losses.extend(losses)
        return self.task.hooks.after_epochs(of_epochs, trainer.validation_losses or None)


class _NativeObjective:
    """The objective of a run, as :class:`chainrule.engines.engine.Objective`."""

    def __init__(self, task: Task, trainer: Trainer64) -> None:
        self.task, self.trainer = task, trainer

    def __call__(self, theta: Floats) -> tuple[float, Floats] | None:
        task = self.task
        result = self.trainer.objective(theta, task.hooks.interrupted)
        if result is not None and not (np.isfinite(result[0]) and np.isfinite(result[1]).all()):
            reference.ReferenceObjective(task)(theta)  # says where
            raise DivergenceError(task.state.epoch + 1, 1, len(task.net.layers), "gradient")
        return result

    def validation_loss(self, theta: Floats) -> float | None:
        return self.trainer.validation_loss(theta, self.task.hooks.interrupted)


def _report_divergence(task: Task, at_start: State, rates: Floats, ahead: Ahead, steps: int, threads: int) -> NoReturn:
    """Repeat `steps` steps from where the call began, and let the reference engine say what the next one meets.

    The extension only knows that a number is not finite. Ctrl-C ends the repetition; then less is known.

    Raises
    ------
    DivergenceError
        Always; the state is that before the step.
    """
    net, state = task.net, task.state
    settings = replace(task.settings, stopping=None)  # no early stopping on the way there
    split = replace(task.split, validation=None, validation_rows=None)
    data = split.taken().training
    trainer = trainer_of(replace(task, settings=settings, split=split), threads)
    set_state(trainer, at_start)
    while (left := steps - (trainer.step - at_start.step)) > 0 and not task.hooks.interrupted():
        trainer.advance(ahead, left, _SLICE, task.hooks.interrupted)
    update_state(task, trainer)
    batch = steps % rates.shape[1]
    if (shuffling := at_start.shuffling) is not None:
        for _ in range(steps // rates.shape[1]):
            shuffling.next()
    rows = list(batches(settings, len(data), state.epoch, shuffling))[batch]
    rate = float(rates.ravel()[steps])
    if not left:
        with np.errstate(all="ignore"):
            reference.step(net, settings, data.take(rows), state.copy(), weight_positions(net), rate, batch)
    # Interrupted, or the two engines round to different sides of the greatest number.
    raise DivergenceError(state.epoch + 1, batch + 1, len(net.layers), "parameter update")
