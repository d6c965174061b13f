"""The batches of an epoch, and the learning rate of each."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from ..data import Floats
from ..randomness import Purpose, permutation
from ..schedules import SCHEDULES, checked_factors
from .settings import Settings
from .shuffling import LegacyShuffle
from .state import State


def batches(
    settings: Settings, rows: int, epoch: int, shuffling: LegacyShuffle | None = None
) -> Iterator[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Yield the row numbers of every batch of an epoch (counted from 0); the last batch may be smaller."""
    if shuffling is not None:
        order = shuffling.next()
    else:
        order = permutation(rows, settings.seed, Purpose.SHUFFLE, epoch=epoch) if settings.shuffle else np.arange(rows)
    for start in range(0, rows, settings.batch_size):
        yield order[start : start + settings.batch_size]


def learning_rates(settings: Settings, rows: int, state: State, epochs: int = 1) -> Floats:
    """Return the learning rate of every step of the epochs that come next, shape (epochs, steps of an epoch).

    More than one epoch is for schedules that do not follow the losses.

    Raises
    ------
    InputError
        When a schedule of your own fails, or a factor is negative or not finite.
    """
    steps = -(-rows // settings.batch_size)
    times = (state.epoch + np.arange(epochs))[:, None] + np.arange(steps) / steps
    schedule = settings.schedule
    is_own = not all(SCHEDULES.made(part) for part in schedule.parts())
    compute = partial(checked_factors, schedule) if is_own else schedule.factors
    return settings.optimizer.learning_rate * compute(times.ravel(), settings.epochs, state.losses).reshape(times.shape)
