"""Schedules: by what factor the learning rate is multiplied as training goes on.

Time t is counted in epochs from the start, with a fraction inside an epoch; T is the number of epochs of the
whole run. A schedule is a pure function of the time and of the losses so far, so a resumed run has the rates
that it would have had.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from .errors import InputError
from .named import JSON, Catalogue, call_for_array, keep, number, whole

Factors = NDArray[np.float64]


@dataclass(frozen=True)
class Schedule:
    """The base of all schedules."""

    name: ClassVar[str]

    @property
    def follows_losses(self) -> bool:
        """Whether the factors depend on the losses, and not on the time alone."""
        return False

    def factors(self, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
        """Return the factors of the steps of one epoch, or of several where the losses are not followed.

        Parameters
        ----------
        times : array, shape (steps,)
            The time t at the start of each step, in epochs; evenly spaced.
        epochs : float
            T, how many epochs the whole run has.
        losses : sequence of float
            The training loss of every epoch before this one.

        Returns
        -------
        array, shape (steps,)
            Finite numbers of at least 0.
        """
        raise NotImplementedError

    def parts(self) -> Iterator[Schedule]:
        """Yield this schedule, and those that are fields of it."""
        yield self
        for value in vars(self).values():
            if isinstance(value, Schedule):
                yield from value.parts()

    def to_json(self) -> JSON:
        """Return the name and the settings."""
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            "name": self.name,
            **{key: value.to_json() if isinstance(value, Schedule) else value for key, value in values.items()},
        }


@dataclass(frozen=True)
class Constant(Schedule):
    """1 throughout."""

    name = "constant"

    def factors(self, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
        return np.ones_like(times)


@dataclass(frozen=True)
class Step(Schedule):
    """factor^⌊t / every⌋: a jump down every few epochs."""

    name = "step"

    every: int = 10
    factor: float = 0.5

    def __post_init__(self) -> None:
        keep(self, every=whole("every", self.every, 1))
        keep(self, factor=number("factor", self.factor, 0.0, above=True))

    def factors(self, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
        return np.float64(self.factor) ** np.floor(times / self.every)


@dataclass(frozen=True)
class Exponential(Schedule):
    """decayᵗ."""

    name = "exponential"

    decay: float = 0.95

    def __post_init__(self) -> None:
        keep(self, decay=number("decay", self.decay, 0.0, above=True))

    def factors(self, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
        return np.float64(self.decay) ** times


@dataclass(frozen=True)
class InverseScaling(Schedule):
    """1 / (1 + t)^power."""

    name = "inverse_scaling"

    power: float = 0.5

    def __post_init__(self) -> None:
        keep(self, power=number("power", self.power, 0.0))

    def factors(self, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
        return (1.0 + times) ** -self.power


@dataclass(frozen=True)
class Cosine(Schedule):
    """From 1 down to `final` along half a cosine: final + ½ (1 − final)(1 + cos πt/T) (Loshchilov 2017)."""

    name = "cosine"

    final: float = 0.0

    def __post_init__(self) -> None:
        keep(self, final=number("final", self.final, 0.0, 1.0))

    def factors(self, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
        return _half_cosine(times / epochs, 1.0, self.final)


@dataclass(frozen=True)
class OneCycle(Schedule):
    """From `start` up to 1 and down to `final`, each along half a cosine (Smith and Topin 2018).

    Parameters
    ----------
    peak : float
        The part of the run, in (0, 1), after which the factor is 1.
    """

    name = "one_cycle"

    start: float = 0.04
    peak: float = 0.3
    final: float = 0.0001

    def __post_init__(self) -> None:
        keep(self, start=number("start", self.start, 0.0, 1.0))
        keep(self, peak=number("peak", self.peak, 0.0, 1.0, above=True, below=True))
        keep(self, final=number("final", self.final, 0.0, 1.0))

    def factors(self, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
        part = times / epochs
        up = _half_cosine(part / self.peak, self.start, 1.0)
        down = _half_cosine((part - self.peak) / (1.0 - self.peak), 1.0, self.final)
        return np.where(part < self.peak, up, down)


@dataclass(frozen=True)
class WarmUp(Schedule):
    """Rises in a straight line over the first `epochs` epochs; `then` goes on from its own time 0 with the rest."""

    name = "warm_up"

    epochs: float = 5.0
    then: Schedule = field(default_factory=Constant)

    def __post_init__(self) -> None:
        keep(self, epochs=number("epochs", self.epochs, 0.0, above=True), then=SCHEDULES.find(self.then))

    @property
    def follows_losses(self) -> bool:
        return self.then.follows_losses

    def factors(self, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
        rest = max(epochs - self.epochs, 1.0)
        then = self.then.factors(np.maximum(times - self.epochs, 0.0), rest, losses)
        # A first step at rate 0 would be lost, so the line starts one step up.
        step = times[1] - times[0] if len(times) > 1 else 1.0
        return np.where(times < self.epochs, np.minimum((times + step) / self.epochs, 1.0) * then, then)


@dataclass(frozen=True)
class Adaptive(Schedule):
    """Multiplied by `factor` whenever the training loss has not fallen by `tolerance` for `patience` epochs."""

    name = "adaptive"

    factor: float = 0.2
    patience: int = 2
    tolerance: float = 1e-4

    def __post_init__(self) -> None:
        keep(self, factor=number("factor", self.factor, 0.0, 1.0, above=True, below=True))
        keep(self, patience=whole("patience", self.patience, 1))
        keep(self, tolerance=number("tolerance", self.tolerance, 0.0))

    @property
    def follows_losses(self) -> bool:
        return True

    def factors(self, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
        best, waited, divisions = float("inf"), 0, 0
        for loss in losses:
            waited = 0 if loss < best - self.tolerance else waited + 1
            best = min(best, loss)
            if waited == self.patience:
                waited, divisions = 0, divisions + 1
        return np.full_like(times, self.factor**divisions)


def checked_factors(schedule: Schedule, times: Factors, epochs: float, losses: Sequence[float]) -> Factors:
    """Return the factors of a schedule of your own, as :meth:`Schedule.factors` does.

    Raises
    ------
    InputError
        When it fails, or returns something other than a finite factor of at least 0 for each time.
    """
    what = f"schedule {schedule.name!r}: factors(times, epochs, losses)"
    factors = call_for_array(what, schedule.factors, [times, epochs, losses], times.shape)
    wrong = ~((factors >= 0) & np.isfinite(factors))
    if wrong.any():
        first = int(wrong.argmax())
        found = f"{factors[first]:g} at {times[first]:g}"
        raise InputError(f"{what} must return finite factors of at least 0, but returned {found}")
    return factors


def _half_cosine(part: Factors, start: float, stop: float) -> Factors:
    """Return the way from `start` to `stop` as `part` goes from 0 to 1, along half a cosine."""
    return stop + 0.5 * (start - stop) * (1.0 + np.cos(np.pi * np.clip(part, 0.0, 1.0)))


SCHEDULES = Catalogue(
    "schedule",
    Schedule,
    {
        **{kind.name: kind for kind in (Constant, Step, Exponential, InverseScaling, Cosine, OneCycle, Adaptive)},
        WarmUp.name: WarmUp,
    },
)
"""Every schedule by its name."""
