"""Rules that end a run before its last epoch."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from .settings import Settings
from .state import Best, State


@dataclass
class Plateau:
    """When scikit-learn ends a run: more than `patience` epochs in a row without progress in the training loss.

    An epoch is progress when its loss is lower than the lowest before it by `tolerance` or more.
    """

    patience: int
    tolerance: float
    waited: int = 0
    lowest: float = math.inf

    def ends(self, loss: float) -> bool:
        """Take in the loss of an epoch, and tell whether it is the end."""
        self.waited = self.waited + 1 if loss > self.lowest - self.tolerance else 0
        self.lowest = min(self.lowest, loss)
        return self.waited > self.patience

    def __str__(self) -> str:
        return f"the loss has not fallen by {self.tolerance:g} for {self.waited} epochs"

    @classmethod
    def after(cls, settings: Settings, losses: Iterable[float]) -> Plateau | None:
        """Return where a run is after epochs with these losses; None where another rule ends it."""
        if not settings.like_scikit_learn or settings.patience is None:
            return None
        plateau = cls(settings.patience, settings.tolerance)
        for loss in losses:
            plateau.ends(loss)
        return plateau


def note_best(settings: Settings, state: State, validation_loss: float | None) -> str | None:
    """Keep the parameters of the epoch just completed if it is the best so far.

    Returns
    -------
    str or None
        Why to stop, if the best epoch lies `patience` epochs back.
    """
    if settings.patience is None or settings.like_scikit_learn:
        return None
    loss, best = state.losses[-1] if validation_loss is None else validation_loss, state.best
    if best is None or math.isnan(best.loss) or loss < best.loss - settings.tolerance:
        state.best = Best(state.epoch, loss, state.theta.copy())
    elif state.epoch - best.epoch >= settings.patience:
        return no_longer_better(best, validation_loss)
    return None


def no_longer_better(best: Best, validation_loss: float | None) -> str:
    """Return in words why early stopping ends a run."""
    return f"no lower {'loss' if validation_loss is None else 'validation loss'} since epoch {best.epoch}"
