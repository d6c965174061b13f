"""Stopping rules: when a run ends before its last epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from typing import ClassVar, TypeAlias

from ..named import JSON, Catalogue, keep, number, whole
from .state import Best, State

Check: TypeAlias = Callable[[State, float | None], str | None]
"""Called after every epoch with the state and the validation loss, if there is one; returns why to stop, or None."""


@dataclass(frozen=True)
class StoppingRule:
    """The base of all stopping rules.

    Parameters
    ----------
    epochs : int
        The number of epochs without progress that ends the run.
    tolerance : float
        The decrease of the loss that counts as progress.

    Raises
    ------
    InputError
        When a number is out of range.
    """

    name: ClassVar[str]

    epochs: int
    tolerance: float = 0.0

    def __post_init__(self) -> None:
        keep(self, epochs=whole("patience", self.epochs, 1), tolerance=number("tolerance", self.tolerance, 0.0))

    @property
    def restores_best(self) -> bool:
        """Whether the run has the parameters of its best epoch, where there is one, and not the last."""
        return True

    def begin(self, losses: Iterable[float]) -> Check:
        """Return the check of a run, whose epochs so far have these training losses."""
        raise NotImplementedError

    def reason(self, state: State, validation_loss: float | None) -> str:
        """Return in words why the rule ends a run after its last epoch."""
        raise NotImplementedError

    def to_json(self) -> JSON:
        """Return the name and the settings."""
        return {"name": self.name, **{f.name: getattr(self, f.name) for f in fields(self)}}


@dataclass(frozen=True)
class Patience(StoppingRule):
    """Ends a run this many epochs after the best one, by validation loss or else by training loss.

    Parameters
    ----------
    epochs : int
    tolerance : float
        The best epoch is the last whose loss was lower than the best before it by more than this.
    restore_best : bool
        Whether the run has the parameters of the best epoch, and not the last.
    """

    name = "patience"

    restore_best: bool = True

    @property
    def restores_best(self) -> bool:  # noqa: D102 - see StoppingRule
        return self.restore_best

    def begin(self, losses: Iterable[float]) -> Check:  # noqa: D102 - see StoppingRule
        return self.check

    def check(self, state: State, validation_loss: float | None) -> str | None:
        """Keep the parameters of the epoch just completed if it is the best so far; return why to stop, or None."""
        loss, best = state.losses[-1] if validation_loss is None else validation_loss, state.best
        if best is None or math.isnan(best.loss) or loss < best.loss - self.tolerance:
            state.best = Best(state.epoch, loss, state.theta.copy())
        elif state.epoch - best.epoch >= self.epochs:
            return self.reason(state, validation_loss)
        return None

    def reason(self, state: State, validation_loss: float | None) -> str:  # noqa: D102 - see StoppingRule
        since = "" if state.best is None else f" since epoch {state.best.epoch}"
        return f"no lower {'loss' if validation_loss is None else 'validation loss'}{since}"


@dataclass(frozen=True)
class Plateau(StoppingRule):
    """Ends a run after more than this many epochs in a row without progress in the training loss.

    An epoch is progress when its loss is lower than the lowest before it by `tolerance` or more. The run has the last
    parameters.
    """

    name = "plateau"

    def begin(self, losses: Iterable[float]) -> Check:  # noqa: D102 - see StoppingRule
        counter = self.counter(losses)
        return lambda state, _: str(counter) if counter.ends(state.losses[-1]) else None

    def counter(self, losses: Iterable[float]) -> PlateauCounter:
        """Return the counter after epochs with these losses."""
        counter = PlateauCounter(self.epochs, self.tolerance)
        for loss in losses:
            counter.ends(loss)
        return counter

    def reason(self, state: State, validation_loss: float | None) -> str:  # noqa: D102 - see StoppingRule
        return str(self.counter(state.losses))


@dataclass
class PlateauCounter:
    """The epochs without progress, as :class:`Plateau` counts them.

    Attributes
    ----------
    epochs, tolerance : float
        As those of the rule; infinitely many epochs never end a run.
    waited : int
        The number of epochs in a row without progress.
    lowest : float
        The lowest loss.
    """

    epochs: float
    tolerance: float
    waited: int = 0
    lowest: float = math.inf

    @property
    def is_over(self) -> bool:
        """Whether there were too many epochs without progress."""
        return self.waited > self.epochs

    def ends(self, loss: float) -> bool:
        """Count an epoch with this loss, and tell whether it ends the run."""
        self.waited = self.waited + 1 if loss > self.lowest - self.tolerance else 0
        self.lowest = min(self.lowest, loss)
        return self.is_over

    def __str__(self) -> str:
        return f"the loss has not fallen by {self.tolerance:g} for {self.waited} epochs"


STOPPING_RULES = Catalogue("stopping rule", StoppingRule, {rule.name: rule for rule in (Patience, Plateau)})
"""Every stopping rule by its name."""


def stopping_check(rule: StoppingRule | None, losses: Iterable[float]) -> Check:
    """Return the check of a rule after epochs with these losses; without a rule it never ends a run."""
    return (lambda state, validation_loss: None) if rule is None else rule.begin(losses)
