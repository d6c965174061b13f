"""The steps of a fit: prepare a run, execute it, and set an estimator's attributes from it."""

from __future__ import annotations

import warnings
from copy import deepcopy
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils import check_random_state

from ..data import Data, Floats
from ..engines import reference
from ..engines.choice import ENGINES
from ..engines.settings import Settings
from ..engines.shuffling import LegacyShuffle
from ..engines.state import State
from ..engines.stopping import PlateauCounter
from ..engines.task import Split
from ..errors import DivergenceError
from ..network import Network
from ..regularization import weight_positions
from ..training import History, Run
from ..training.loop import run_training
from ..training.many import RunOfMany
from .constraints import LARGEST_BATCH, callbacks_of, first_parameters, is_stochastic, settings_of
from .convergence import warn_if_not_converged
from .epoch_hook import EpochHook
from .fitted import Fitted, Outputs, fitted_of, set_parameters, theta_of_attributes
from .held_out_score import held_out_score
from .inputs import checked_weights
from .splitting import split_for_fit

_TOO_LARGE = (
    "Solver produced non-finite parameter weights. The input data may contain large values and need to be preprocessed."
)


@dataclass
class Fit:
    """A fit between its preparation and its end.

    Attributes
    ----------
    run : Run
    split : Split
    hook : EpochHook or None
        Called after every epoch; None where the engine needs no hook.
    begin : int
        The number of epochs that the run had before.
    random : RandomState or None
        The user's own, which the fit advances.
    """

    run: Run
    split: Split
    hook: EpochHook | None
    begin: int
    random: np.random.RandomState | None = None

    @property
    def can_run_in_batch(self) -> bool:
        """Whether the engine can execute it at the same time as others, without a hook after every epoch."""
        return self.hook is None and ENGINES[self.run.settings.engine].runs_in_batch(self.run.settings)

    @property
    def member(self) -> RunOfMany:
        """What :func:`chainrule.training.many.execute_runs` needs for it."""
        return RunOfMany(self.run, self.split)


def prepare(
    estimator: Any,
    X: Any,
    y: Any,
    sample_weight: Any = None,
    validation_data: Any = None,
    incremental: bool = False,
) -> Fit:
    """Return all that a fit needs, from data and parameters.

    Raises
    ------
    ValueError
        When data or parameters are invalid.
    """
    first = not hasattr(estimator, "coefs_") or not (estimator.warm_start or incremental)
    if first:
        for name in ("coefs_", "intercepts_", "_label_binarizer"):  # the last, of a scikit-learn network
            estimator.__dict__.pop(name, None)
    X, y, targets = estimator._checked_pair(X, y, first, anew=not (estimator.warm_start or incremental))
    weights: Floats = np.ones(X.shape[0], X.dtype)
    if sample_weight is not None:
        weights = checked_weights(sample_weight, X.shape[0], X.dtype)
    random = check_random_state(estimator.random_state)
    net = estimator._network_of(X.shape[1], targets.shape[1])
    if first:
        estimator.n_iter_ = estimator.t_ = 0
        estimator.n_layers_, estimator.n_outputs_ = len(net.layers) + 1, targets.shape[1]
        theta, before = first_parameters(estimator, net, random, X.dtype).vector, None
    else:
        theta, before = _theta_to_continue(estimator, net, X.dtype, incremental), fitted_of(estimator).run
    data = Data(X, targets, weights)
    split = split_for_fit(estimator, data, estimator._weights_of_classes(y), random, validation_data)
    hook = _hook_of(estimator, net, split, incremental, before)
    if estimator.early_stopping and estimator.early_stopping_scoring is None and is_stochastic(estimator):
        if not incremental:
            estimator._warn_of_misleading_scores(data)
        elif first and split.validation is not None:  # the rows of one call need not have all classes
            estimator._warn_of_misleading_scores(split.validation)
    begin = before.epoch if before else 0
    seed = before.settings.seed if before else _seed_of_dropout(estimator, random)
    settings = settings_of(estimator, net, split, begin, seed, hook, incremental)
    state = _first_state(net, settings, theta, before, hook)
    state.shuffling = _shuffling_of(estimator, split, state.shuffling, random, incremental)
    run = Run(net, settings, state, History(before.history if before else None))
    return Fit(run, split, hook, begin, None if isinstance(estimator.random_state, Integral) else random)


def _theta_to_continue(estimator: Any, net: Network, dtype: Any, incremental: bool) -> Floats:
    """Return the parameters from which a further fit continues."""
    theta, before = theta_of_attributes(estimator, net, dtype), fitted_of(estimator).run
    if incremental and before is not None and before.best is not None and (theta == before.best.theta).all():
        return before.state.theta.astype(dtype)  # coefs_ are the best, but training continues from the last
    return theta


def _first_state(net: Network, settings: Settings, theta: Floats, before: Run | None, hook: EpochHook | None) -> State:
    """Return the state in which a fit begins; the optimiser continues where it can."""
    same_shapes = before is not None and before.network.widths == net.widths
    if before is not None and same_shapes and before.can_continue_with(settings.optimizer):
        state = before.state.copy()
        state.theta = theta
        state.memory = {name: vector.astype(theta.dtype) for name, vector in state.memory.items()}
        state.best = state.best if hook is not None and hook.scores else None
        return state
    losses = list(before.state.losses) if before else []
    return State(theta, settings.optimizer.start(theta), epoch=before.epoch if before else 0, losses=losses)


def _seed_of_dropout(estimator: Any, random: np.random.RandomState) -> int:
    """Return a seed, without a draw that scikit-learn does not make."""
    return int(deepcopy(random).randint(2**31)) if np.any(estimator.dropout) else 0


def _shuffling_of(
    estimator: Any, split: Split, before: LegacyShuffle | None, random: np.random.RandomState, incremental: bool
) -> LegacyShuffle | None:
    """Return the order of the rows; None where all are one batch, and it does not matter how far `random` advances."""
    rows = len(split.training)
    in_one_batch = rows <= (LARGEST_BATCH if estimator.batch_size == "auto" else estimator.batch_size)
    if not (estimator.shuffle and is_stochastic(estimator)):
        return None
    if in_one_batch and not np.any(estimator.dropout) and isinstance(estimator.random_state, Integral):
        return None
    if before is not None and len(before.order) == rows and not incremental:
        return before
    return LegacyShuffle.of(random, rows)


def _hook_of(estimator: Any, net: Network, split: Split, incremental: bool, before: Run | None) -> EpochHook | None:
    """Return the hook to call after every epoch, where one is needed."""
    stochastic = is_stochastic(estimator)
    adaptive = estimator.solver == "sgd" and estimator.learning_rate == "adaptive"
    scored = bool(estimator.early_stopping and stochastic)
    callbacks = callbacks_of(estimator)
    if not (scored or adaptive or estimator.verbose or callbacks):
        return None
    ends = stochastic and (scored or adaptive or not incremental)
    if scored and split.validation is not None:
        estimator._check_scorable(split.validation)
    hook = EpochHook(
        PlateauCounter(estimator.n_iter_no_change, estimator.tol) if ends else None,
        held_out_score(estimator, net, split.validation) if scored and split.validation is not None else None,
        estimator.learning_rate_init if adaptive else None,
        bool(estimator.verbose),
        callbacks,
        before.epoch if before else 0,
        repr((estimator.early_stopping_scoring, estimator.loss)) if scored else None,
    )
    if before is not None:
        hook.follow(fitted_of(estimator).hook, before.state.losses)
    return hook


def execute(estimator: Any, fit: Fit, incremental: bool = False) -> Any:
    """Execute the run of a fit by itself, and return the fitted estimator."""
    callbacks = [] if fit.hook is None else [fit.hook]
    try:
        run_training(fit.run, fit.split, callbacks=callbacks, threads=estimator.threads)
    except DivergenceError as error:
        give_up(fit, error)
    return finish(estimator, fit, incremental)


def give_up(fit: Fit, error: DivergenceError) -> None:
    """End a fit that diverged: with the best parameters where these are kept.

    Raises
    ------
    ValueError
        When they are not.
    """
    hook = fit.hook
    if hook is None or not hook.scored or fit.run.best is None:
        raise ValueError(f"{_TOO_LARGE} In detail: {error}.") from error
    hook.ended = True
    warnings.warn(f"The best parameters before are kept: {error}.", ConvergenceWarning, stacklevel=4)


def finish(estimator: Any, fit: Fit, incremental: bool = False) -> Any:
    """Set the attributes that scikit-learn's users expect from a run that has ended, and return the estimator.

    Raises
    ------
    ValueError
        When the final parameters or their outputs are not finite.
    """
    run, hook = fit.run, fit.hook
    state, settings = run.state, run.settings
    outputs = Outputs(run.network, settings.engine)
    _check_finite(estimator, fit, outputs)
    estimator.n_iter_ = run.epoch - fit.begin
    estimator.history_ = run.history
    estimator.loss_ = state.losses[-1] if state.losses else _objective(run, fit.split.training)
    if is_stochastic(estimator):
        _set_stochastic_attributes(estimator, fit)
    estimator.early_stopped_ = incremental and hook is not None and hook.scored and hook.ended
    theta = np.array(run.parameters.vector)
    if hook is not None:
        hook.release()
    if fit.random is not None and state.shuffling is not None:
        state.shuffling.give_back(fit.random)
    last = theta if state.best is None else state.theta
    kept = replace(state, theta=last, shuffling=state.shuffling if estimator.warm_start else None)
    fitted = Fitted(Run(run.network, settings, kept, run.history, run.stopped, run.plan), hook)
    set_parameters(estimator, fitted, run.network, theta, outputs)
    warn_if_not_converged(estimator, run, hook, incremental)
    return estimator


def _set_stochastic_attributes(estimator: Any, fit: Fit) -> None:
    """Set the attributes of a fit by another solver than L-BFGS."""
    state, hook = fit.run.state, fit.hook
    scored = hook is not None and hook.scored
    estimator.t_ = estimator.__dict__.get("t_", 0) + estimator.n_iter_ * len(fit.split.training)
    estimator.loss_curve_ = state.losses
    estimator.best_loss_ = None if scored else min(state.losses, default=np.inf)
    estimator.validation_scores_ = hook.scores if hook is not None and scored else None
    estimator.best_validation_score_ = (-state.best.loss if state.best else -np.inf) if scored else None


def _check_finite(estimator: Any, fit: Fit, outputs: Outputs) -> None:
    """Check that the final parameters are finite, and their outputs for a batch: no later step would notice.

    L-BFGS has already evaluated the objective, and so the outputs, at its final parameters.
    """
    run, scores = fit.run, [] if fit.hook is None else fit.hook.scores
    theta = run.parameters.vector
    rows = fit.split.training.x[:LARGEST_BATCH]
    if scores and run.best is None:
        problem = "no epoch has a finite validation score"
    elif not np.isfinite(theta).all() or (
        is_stochastic(estimator) and not np.isfinite(outputs(theta, rows, estimator.threads)).all()
    ):
        problem = "the outputs after the last step are not finite"
    else:
        return
    raise ValueError(f"{_TOO_LARGE} In detail: {problem}. Try a smaller learning rate.")


def _objective(run: Run, data: Data) -> float:
    """Return the loss with penalty, of a run that L-BFGS found to be at its end when it began."""
    penalty = run.settings.penalty.of_batch(float(data.weights.sum()))
    loss = reference.evaluate(run.network, run.parameters, data)
    return loss + penalty.value(run.parameters.vector, weight_positions(run.network))
