"""scikit-learn's scores, messages and stopping rules, for fits that need a Python hook after every epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..engines.state import Best
from ..engines.stopping import PlateauCounter
from ..schedules import Factors, Schedule
from ..training import Run

_LOWEST_RATE = 1e-6  # below which learning_rate="adaptive" does not go
_DIVISOR = 5.0


@dataclass
class EpochHook:
    """The hook after every epoch of a fit: messages, the score of held-out rows, the end.

    Attributes
    ----------
    plateau : PlateauCounter or None
        Counts the epochs without progress: in the training loss, or with `score` in its negative. None where the fit
        ends by itself, as with L-BFGS.
    score : callable or None
        From a run to the score of held-out rows by its parameters; those with the best finite score are kept.
    adaptive_from : float or None
        With ``learning_rate="adaptive"``, the rate to begin with; it is divided by 5 where another fit would end.
    verbose : bool
    callbacks : sequence of callable
        The user's own, each called with the run.
    begin : int
        The number of epochs that the run had before this fit.
    scoring : str or None
        Identifies the score; None without one. The progress of an earlier fit counts only if its score was the same.
    factor : float
        The current factor of the learning rate.
    scores : list of float
        Of every epoch.
    ended : bool
        Whether there was no progress for too long.
    scored : bool
        Whether there is, or was, a `score`.
    """

    plateau: PlateauCounter | None
    score: Callable[[Run], float] | None
    adaptive_from: float | None
    verbose: bool
    callbacks: Sequence[Callable[[Run], object]]
    begin: int
    scoring: str | None = None
    factor: float = 1.0
    scores: list[float] = field(default_factory=list)
    ended: bool = False
    scored: bool = field(init=False)

    def __post_init__(self) -> None:
        self.scored = self.score is not None

    def follow(self, earlier: EpochHook | None, losses: Sequence[float]) -> None:
        """Continue where an earlier fit ended, after epochs with these losses."""
        if earlier is not None:
            self.factor = earlier.factor
            self.scores = list(earlier.scores) if earlier.scoring == self.scoring else []
        if self.plateau is None:
            return
        if earlier is not None and earlier.plateau is not None and earlier.scoring == self.scoring:
            self.plateau.waited, self.plateau.lowest = earlier.plateau.waited, earlier.plateau.lowest
        elif not self.scored:
            for loss in losses:
                self.plateau.ends(loss)

    def __call__(self, run: Run) -> bool:
        """Process the epoch just completed; return whether to end the run."""
        self._say("Iteration %d, loss = %.8f", run.epoch - self.begin, run.state.losses[-1])
        if self.score is not None:
            self._note_score(run)
        loss = run.state.losses[-1] if self.score is None else -self.scores[-1]
        if self.plateau is not None and self.plateau.ends(loss if np.isfinite(loss) else np.inf):
            self._no_progress(self.plateau)
        answers = [callback(run) for callback in self.callbacks]
        return self.ended or any(isinstance(answer, (bool, np.bool_)) and bool(answer) for answer in answers)

    def release(self) -> None:
        """Drop the functions, which cannot go to another process."""
        self.score, self.callbacks = None, ()

    def _note_score(self, run: Run) -> None:
        assert self.score is not None  # noqa: S101 - for the type checker
        state = run.state
        score = self.score(run)
        self.scores.append(score)
        self._say("Validation score: %f", score)
        if np.isfinite(score) and (state.best is None or score > -state.best.loss):
            state.best = Best(run.epoch, -score, state.theta.copy())

    def _no_progress(self, plateau: PlateauCounter) -> None:
        what = "Training loss" if self.score is None else "Validation score"
        message = f"{what} did not improve more than tol={plateau.tolerance:f} for {plateau.epochs} consecutive epochs."
        if self.adaptive_from is None:
            self.ended = True
            self._say("%s Stopping.", message)
        elif self.adaptive_from * self.factor <= _LOWEST_RATE:
            self.ended = True
            self._say("%s Learning rate too small. Stopping.", message)
        else:
            self.factor /= _DIVISOR
            plateau.waited = 0
            self._say("%s Setting learning rate to %f", message, self.adaptive_from * self.factor)

    def _say(self, message: str, *values: object) -> None:
        if self.verbose:
            print(message % values)


@dataclass(frozen=True)
class AdaptiveByHook(Schedule):
    """The factor of a hook."""

    name = "adaptive by hook"

    hook: EpochHook

    @property
    def follows_losses(self) -> bool:
        return True

    def factors(self, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
        return np.full_like(times, self.hook.factor)


@dataclass(frozen=True)
class InverseScalingByRows(Schedule):
    """1 / (t + 1)^power, with t the rows seen before the epoch; 1 in the first of all."""

    name = "invscaling"

    power: float
    rows: int
    seen: int
    epoch: int  # how many epochs they were

    def factors(self, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
        seen = self.seen + self.rows * (np.floor(times) - self.epoch)
        return np.where(seen > 0, (seen + 1.0) ** -self.power, 1.0)
