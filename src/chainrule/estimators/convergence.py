"""Warnings in scikit-learn's words about fits that ended without converging."""

from __future__ import annotations

import warnings
from typing import Any

from sklearn.exceptions import ConvergenceWarning

from ..engines.lbfgs import NO_STEP, TOO_OFTEN
from ..engines.stopping import Plateau
from ..optimizers import LBFGS
from ..training import Run
from ..training.run import ALL_DONE, INTERRUPTED
from .constraints import is_stochastic
from .epoch_hook import EpochHook

_ABNORMAL = "(status=2):\nABNORMAL: "
_STATUS = {
    ALL_DONE: "(status=1):\nSTOP: TOTAL NO. OF ITERATIONS REACHED LIMIT",
    TOO_OFTEN: "(status=1):\nSTOP: TOTAL NO. OF F,G EVALUATIONS EXCEEDS LIMIT",
}


def warn_if_not_converged(estimator: Any, run: Run, hook: EpochHook | None, incremental: bool) -> None:
    """Warn where a fit was interrupted, or ended with its last iteration.

    The stacklevel assumes a call from `finish`.
    """
    if run.stopped == INTERRUPTED:
        warnings.warn("Training interrupted by user.", stacklevel=5)
    if incremental:
        return
    if not is_stochastic(estimator):
        if run.stopped in (ALL_DONE, TOO_OFTEN) or str(run.stopped).startswith(NO_STEP):
            warnings.warn(_message_of_lbfgs(estimator, str(run.stopped)), ConvergenceWarning, stacklevel=5)
        return
    stopping = run.settings.stopping
    if isinstance(stopping, Plateau):
        ended = stopping.counter(run.state.losses).is_over
    else:
        ended = hook is not None and hook.ended
    if run.stopped == ALL_DONE and not ended:
        warnings.warn(
            f"Stochastic Optimizer: Maximum iterations ({estimator.max_iter}) reached and the optimization hasn't "
            "converged yet.",
            ConvergenceWarning,
            stacklevel=5,
        )


def _message_of_lbfgs(estimator: Any, stopped: str) -> str:
    """Return in SciPy's and scikit-learn's words why L-BFGS ended."""
    advice = ""
    if stopped == TOO_OFTEN:
        is_own = isinstance(estimator.solver, LBFGS)
        limit = f"solver.evaluations={estimator.solver.evaluations}" if is_own else f"max_fun={estimator.max_fun}"
        advice = f"\nIncrease the number of evaluations to improve the convergence ({limit})."
    elif estimator.n_iter_ == estimator.max_iter:
        advice = f"\nIncrease the number of iterations to improve the convergence (max_iter={estimator.max_iter})."
    return (
        f"lbfgs failed to converge after {estimator.n_iter_} iteration(s) "
        f"{_STATUS.get(stopped, _ABNORMAL)}\n"
        f"{advice}\nYou might also want to scale the data as shown in:\n"
        "    https://scikit-learn.org/stable/modules/preprocessing.html"
    )
