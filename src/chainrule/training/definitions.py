"""Optimisers and schedules of your own: what they must return, and the values by which a checkpoint recognises them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np

from ..data import Floats
from ..definitions import Probe, arrays_at, probes, probes_of
from ..engines.settings import Settings
from ..errors import InputError, quoted
from ..named import JSON, call
from ..network import Network
from ..optimizers import OPTIMIZERS, Optimizer
from ..schedules import SCHEDULES, Schedule, checked_factors

# Schedules are probed at epochs of a short run and of a long one, after these losses, over and over.
_EPOCHS = ((10, range(10)), (2000, (10, 15, 20, 30, 50, 100, 150, 200, 300, 500, 1000, 1999)))
_LOSSES = [1.0, 0.8, 0.9, 0.7, 0.7, 0.7, 0.7, 0.6, 0.65, 0.5]
# Optimisers are probed at these steps, with the gradient times these factors.
_STEPS = (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 50, 100, 200, 500, 1000, 2000, 10_000, 100_000)
_FACTORS = (-0.6, 0.36, -0.216, 0.8, -1.0, 0.5, -0.1, 1.0, 0.3, -1.0, 1.5, -2.0, 0.7, -1.0, 5.0, -20.0, 1.0, -1.0)
_MOMENTS = 1000  # of a run at which they are checked


def check_optimizer(optimizer: Optimizer, parameters: int, dtype: str) -> None:
    """Check that an optimiser of your own can be called, and returns vectors shaped like θ.

    Parameters
    ----------
    parameters : int
        How many numbers θ has.

    Raises
    ------
    InputError
        When it cannot or does not.
    """
    if OPTIMIZERS.made(optimizer):
        return
    what = f"optimizer {optimizer.name!r}"
    theta, g = (np.resize(np.array(some, dtype), parameters) for some in ([0.5, -0.25, 1.0], [0.1, 0.2, -0.3]))
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
        When one cannot or does not, in the first epoch or, if it does not follow the losses, later in the run.
    """
    for part in schedule.parts():
        if not SCHEDULES.made(part):
            for steps in (2, 3):  # an epoch may have any number
                checked_factors(part, np.arange(steps) / steps, float(epochs), [])
            if not part.follows_losses:
                checked_factors(part, np.linspace(0.0, epochs, _MOMENTS, endpoint=False), float(epochs), [])


def own_definitions(net: Network, settings: Settings) -> Iterator[Probe]:
    """Yield a probe for every own definition of a run."""
    yield from probes_of(net)
    optimizer = settings.optimizer
    if not OPTIMIZERS.made(optimizer):
        yield Probe("optimizer", optimizer, partial(_at_gradients, optimizer, net.parameter_count))
    for part in settings.schedule.parts():
        if not SCHEDULES.made(part):
            moments = [(epoch, epochs) for epochs, probed in _EPOCHS for epoch in probed]
            yield Probe("schedule", part, partial(arrays_at, partial(_factors_in, part), moments))


def described(net: Network, settings: Settings) -> list[JSON]:
    """Return a record of every own definition of a run, as :func:`chainrule.definitions.probes` does.

    Raises
    ------
    InputError
        When a definition cannot be stored, so that the run could not be resumed.
    """
    others = (probe for probe in own_definitions(net, settings) if probe.kind in ("optimizer", "schedule"))
    return [*probes(net), *(probe.record() for probe in others)]


def _at_gradients(optimizer: Optimizer, count: int) -> list[Any]:
    """Return the learning rate and θ after several steps, of five parameters or, if it refuses five, of `count`."""
    try:
        return [optimizer.learning_rate, *_steps(optimizer, 5)]
    except Exception:
        return [optimizer.learning_rate, *arrays_at(partial(_steps, optimizer), [count])]


def _steps(optimizer: Optimizer, count: int) -> Iterator[Floats]:
    theta, g = np.resize([0.7, -0.3, 2.5, 0.0, -1.5], count), np.resize([0.2, -0.4, 0.0, 1.5, -0.01], count)
    memory = optimizer.start(theta)
    for step, factor in zip(_STEPS, _FACTORS, strict=True):
        theta, memory = optimizer.update(theta, factor * g, memory, 0.1, step)
        yield theta


def _factors_in(schedule: Schedule, moment: tuple[int, int]) -> Iterator[Floats]:
    """Yield the factors of the two steps of an epoch of so many."""
    epoch, epochs = moment
    yield schedule.factors(np.array([epoch, epoch + 0.5]), float(epochs), np.resize(_LOSSES, epoch).tolist())


def _check_vectors(what: str, vectors: Any, theta: Floats) -> None:
    if not isinstance(vectors, Mapping):
        raise InputError(f"{what} must return a dictionary of arrays, but returned {quoted(vectors)}")
    for name, vector in vectors.items():
        if not isinstance(vector, np.ndarray) or (vector.shape, vector.dtype) != (theta.shape, theta.dtype):
            found = f"{vector.dtype} with shape {vector.shape}" if isinstance(vector, np.ndarray) else quoted(vector)
            raise InputError(
                f"{what} must return arrays in the shape and dtype of theta, here {theta.dtype} with shape "
                f"{theta.shape}, but {name!r} is {found:.80}"
            )
