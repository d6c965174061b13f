"""L-BFGS by SciPy, on the objective and gradient of whichever engine executes the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ..data import Floats
from ..optimizers import LBFGS
from ..regularization import weight_positions
from .stopping import stopping_check
from .task import Task
from .threads import one_blas_thread

if TYPE_CHECKING:
    from scipy.optimize import OptimizeResult

LossAndGradient: TypeAlias = Callable[[Floats], tuple[float, Floats] | None]
"""θ → the loss of all rows without penalty, and the gradient with it; None if interrupted; raises DivergenceError where
one overflows."""

ValidationLoss: TypeAlias = Callable[[Floats], float | None]
"""θ → the loss of the validation rows; None if interrupted."""

NO_STEP = "converged: no step finds a lower loss in"
TOO_OFTEN = "the objective was evaluated as often as allowed"


class _InterruptedError(Exception):
    """Ends SciPy's work where it is."""


def run(task: Task, objective: LossAndGradient, validation_loss: ValidationLoss | None) -> str | None:
    """Run SciPy's L-BFGS-B on all training rows; an iteration is an epoch.

    Its memory cannot be saved. So it starts anew at every checkpoint, in a run that is never stopped as in one
    that is: both then take the same steps. What an interrupted iteration has done is lost.

    Returns
    -------
    str or None
        As an engine does.
    """
    minimisation, settings, state = _Minimisation(task, objective, validation_loss), task.settings, task.state
    while state.epoch < settings.epochs and not minimisation.is_over:
        every = settings.checkpoint_every or settings.epochs
        iterations = min(every - state.epoch % every, settings.epochs - state.epoch)
        try:
            result = minimisation.advance(iterations)
        except _InterruptedError:
            return None
        if not minimisation.is_over and (why := _reason(result, iterations, minimisation.optimizer, settings.dtype)):
            return why
    return minimisation.why


class _Minimisation:
    """A minimisation by SciPy, and the state that follows it.

    Attributes
    ----------
    why : str or None
        Why the stopping rule ends the run.
    is_over : bool
        Whether the stopping rule or a hook ends the run.
    """

    def __init__(self, task: Task, objective: LossAndGradient, validation_loss: ValidationLoss | None) -> None:
        assert isinstance(task.settings.optimizer, LBFGS)  # noqa: S101 - for the type checker; the engines see to it
        self.task, self.objective, self.validation_loss = task, objective, validation_loss
        self.optimizer, self.is_weight = task.settings.optimizer, weight_positions(task.net)
        self.penalty = task.settings.penalty.of_batch(float(task.split.training.weights.sum()))
        self.check = stopping_check(task.settings.stopping, task.state.losses)
        self.why: str | None = None
        self.is_over = False
        self._evaluations = 0
        self._stopped: StopIteration | None = None

    def advance(self, iterations: int) -> OptimizeResult:
        """Make up to this many iterations."""
        from scipy.optimize import minimize  # which takes longer to import than all else

        with one_blas_thread:
            result = minimize(
                self._penalised,
                self.task.state.theta.astype(np.float64),
                jac=True,
                method="L-BFGS-B",
                callback=self._after_iteration,
                options={
                    "maxiter": iterations,
                    "maxcor": self.optimizer.history,
                    "gtol": self.optimizer.tolerance,
                    "ftol": self.optimizer.relative_tolerance,
                    "maxfun": self.optimizer.evaluations - self._evaluations,
                },
            )
        if self._stopped is not None:
            raise self._stopped
        self._evaluations += result.nfev
        return result

    def _penalised(self, theta: Floats) -> tuple[float, Floats]:
        theta = theta.astype(self.task.settings.dtype, copy=False)
        if self.task.hooks.interrupted() or (result := self.objective(theta)) is None:
            raise _InterruptedError
        loss, gradient = result
        return loss + self.penalty.value(theta, self.is_weight), gradient.astype(np.float64, copy=False)

    def _after_iteration(self, intermediate_result: OptimizeResult) -> None:
        try:
            self._note_iteration(intermediate_result)
        except StopIteration as error:  # from a callback; SciPy would take it for its own signal
            self._stopped = error
        if self.is_over or self._stopped is not None:
            raise StopIteration

    def _note_iteration(self, result: OptimizeResult) -> None:
        state, hooks = self.task.state, self.task.hooks
        theta = result.x.astype(self.task.settings.dtype)
        validated = None if self.validation_loss is None else self.validation_loss(theta)
        if self.validation_loss is not None and validated is None:
            raise _InterruptedError
        state.theta = theta
        state.step += 1
        state.epoch += 1
        beside_loss = 0.0 if self.penalty.in_loss else self.penalty.value(theta, self.is_weight)
        state.losses.append(float(result.fun) - beside_loss)
        self.why = self.check(state, validated)
        continues = hooks.after_epochs([self.optimizer.learning_rate], None if validated is None else [validated])
        self.is_over = not continues or self.why is not None or hooks.interrupted()


def _reason(result: OptimizeResult, iterations: int, optimizer: LBFGS, dtype: str) -> str | None:
    """Return why SciPy ended a minimisation before its last iteration; None if it did not."""
    if result.status == 1:  # as many iterations or evaluations as it was given
        return TOO_OFTEN if result.nit < iterations else None
    if np.abs(result.jac).max() <= optimizer.tolerance:
        return "converged: the gradient is zero within the tolerance"
    if optimizer.relative_tolerance and result.status == 0:
        return f"converged: the objective fell by less than {optimizer.relative_tolerance:g} of itself"
    return f"{NO_STEP} {dtype}"
