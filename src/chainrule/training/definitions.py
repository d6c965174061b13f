"""Optimisers and schedules of your own: what they must return, and the values by which a checkpoint recognises them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..data import Floats
from ..definitions import probes, record
from ..engines.task import Settings
from ..errors import InputError, quoted
from ..named import JSON, call, call_for_array
from ..network import Network
from ..optimizers import OPTIMIZERS, Optimizer
from ..schedules import SCHEDULES, Schedule


def check_optimizer(optimizer: Optimizer, dtype: str) -> None:
    """Check that an optimiser of your own can be called, and returns vectors shaped like θ.

    Raises
    ------
    InputError
        When it cannot or does not.
    """
    if OPTIMIZERS.made(optimizer):
        return
    what, theta, g = f"optimizer {optimizer.name!r}", *np.array([[0.5, -0.25, 1.0], [0.1, 0.2, -0.3]], dtype)
    start, update = f"{what}: start(theta)", f"{what}: update(theta, g, memory, rate, step)"
    memory = call(start, optimizer.start, [theta], "a dictionary of arrays")
    _check_vectors(start, memory, theta)
    both = call(update, optimizer.update, [theta, g, memory, 0.1, 1], "the new theta and the new memory")
    if not isinstance(both, tuple) or len(both) != 2 or not isinstance(both[1], Mapping):
        raise InputError(f"{update} must return the new theta and the new memory, but returned {quoted(both)}")
    if both[1].keys() != memory.keys():
        raise InputError(f"{update} must return a memory with {[*memory]}, as start does, but it has {[*both[1]]}")
    _check_vectors(update, {"theta": both[0], **both[1]}, theta)


def check_schedule(schedule: Schedule, epochs: int) -> None:
    """Check that schedules of your own can be called, and return a factor for every step.

    Raises
    ------
    InputError
        When one cannot or does not.
    """
    for part in schedule.parts():
        if not SCHEDULES.made(part):
            what = f"schedule {part.name!r}: factors(times, epochs, losses)"
            factors = call_for_array(what, part.factors, [np.array([0.0, 0.5]), float(epochs), []], (2,))
            if not np.isfinite(factors).all() or (factors < 0).any():
                raise InputError(f"{what} must return finite factors of at least 0, but returned {factors}")


def described(net: Network, settings: Settings) -> list[JSON]:
    """Return a record of every own definition of a run, as :func:`chainrule.definitions.probes` does.

    Raises
    ------
    InputError
        When a definition cannot be stored, so that the run could not be resumed.
    """
    records = probes(net)
    if not OPTIMIZERS.made(settings.optimizer):
        records.append(record("optimizer", settings.optimizer, partial(_steps, settings.optimizer)))
    own = (part for part in settings.schedule.parts() if not SCHEDULES.made(part))
    return [*records, *(record("schedule", part, partial(_factors, part)) for part in own)]


def _steps(optimizer: Optimizer) -> Iterator[Floats]:
    """Yield θ after each of three steps."""
    theta, g = np.array([0.7, -0.3, 2.5, 0.0, -1.5]), np.array([0.2, -0.4, 0.0, 1.5, -0.01])
    memory = optimizer.start(theta)
    for step in (1, 2, 3):
        theta, memory = optimizer.update(theta, (-0.6) ** step * g, memory, 0.1, step)
        yield theta


def _factors(schedule: Schedule) -> Iterator[Floats]:
    """Yield the factors of the two steps in each of ten epochs."""
    losses = [1.0, 0.8, 0.9, 0.7, 0.7, 0.7, 0.7, 0.6, 0.65, 0.5]
    for epoch in range(len(losses)):
        yield schedule.factors(np.array([epoch, epoch + 0.5]), float(len(losses)), losses[:epoch])


def _check_vectors(what: str, vectors: Any, theta: Floats) -> None:
    if not isinstance(vectors, Mapping):
        raise InputError(f"{what} must return a dictionary of arrays, but returned {quoted(vectors)}")
    for name, vector in vectors.items():
        if not isinstance(vector, np.ndarray) or (vector.shape, vector.dtype) != (theta.shape, theta.dtype):
            found = f"{vector.dtype} of the shape {vector.shape}" if isinstance(vector, np.ndarray) else quoted(vector)
            raise InputError(
                f"{what} must return arrays in the shape and dtype of theta, here {theta.dtype} of the shape "
                f"{theta.shape}, but {name!r} is {found:.80}"
            )
