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
    settings, state, hooks = task.settings, task.state, task.hooks
    assert isinstance(settings.optimizer, LBFGS)  # noqa: S101 - for the type checker; the engines see to it
    from scipy.optimize import minimize  # which takes longer to import than all else

    optimizer, is_weight = settings.optimizer, weight_positions(task.net)
    penalty = settings.penalty.of_batch(float(task.split.training.weights.sum()))
    check = stopping_check(settings.stopping, state.losses)
    why, enough, evaluations = None, False, 0
    stopped: StopIteration | None = None

    def penalised(theta: Floats) -> tuple[float, Floats]:
        theta = theta.astype(settings.dtype, copy=False)
        if hooks.interrupted() or (result := objective(theta)) is None:
            raise _InterruptedError
        loss, gradient = result
        return loss + penalty.value(theta, is_weight), gradient.astype(np.float64, copy=False)

    def after_iteration(intermediate_result: OptimizeResult) -> None:
        nonlocal stopped
        try:
            note_iteration(intermediate_result)
        except StopIteration as error:  # from a callback; SciPy would take it for its own signal
            stopped = error
        if enough or stopped is not None:
            raise StopIteration

    def note_iteration(result: OptimizeResult) -> None:
        nonlocal why, enough
        theta = result.x.astype(settings.dtype)
        validated = None if validation_loss is None else validation_loss(theta)
        if validation_loss is not None and validated is None:
            raise _InterruptedError
        state.theta = theta
        state.step += 1
        state.epoch += 1
        beside_loss = 0.0 if penalty.in_loss else penalty.value(theta, is_weight)
        state.losses.append(float(result.fun) - beside_loss)
        why = check(state, validated)
        continues = hooks.after_epochs([optimizer.learning_rate], None if validated is None else [validated])
        enough = not continues or why is not None or hooks.interrupted()

    while state.epoch < settings.epochs and not enough:
        every = settings.checkpoint_every or settings.epochs
        iterations = min(every - state.epoch % every, settings.epochs - state.epoch)
        try:
            with one_blas_thread:
                result = minimize(
                    penalised,
                    state.theta.astype(np.float64),
                    jac=True,
                    method="L-BFGS-B",
                    callback=after_iteration,
                    options={
                        "maxiter": iterations,
                        "maxcor": optimizer.history,
                        "gtol": optimizer.tolerance,
                        "ftol": optimizer.relative_tolerance,
                        "maxfun": optimizer.evaluations - evaluations,
                    },
                )
        except _InterruptedError:
            return None
        if stopped is not None:
            raise stopped
        evaluations += result.nfev
        if not enough and result.status == 1 and result.nit < iterations:
            return TOO_OFTEN
        if not enough and result.status != 1:  # 1: as many iterations as it was given
            if np.abs(result.jac).max() <= optimizer.tolerance:
                return "converged: the gradient is zero within the tolerance"
            if optimizer.relative_tolerance and result.status == 0:
                return f"converged: the objective fell by less than {optimizer.relative_tolerance:g} of itself"
            return f"{NO_STEP} {settings.dtype}"
    return why
