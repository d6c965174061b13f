"""The state of a run: all that training changes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xxhash

from ..data import Floats
from ..errors import InputError
from ..network import Network
from ..parameters import Parameters
from .settings import Settings
from .shuffling import Shuffling


@dataclass(frozen=True)
class Best:
    """The last epoch whose loss was lower than the best before it by more than the tolerance, and its parameters."""

    epoch: int
    loss: float
    theta: Floats


@dataclass
class State:
    """Where a run is.

    Attributes
    ----------
    theta : array, shape (number of parameters,)
        The parameters.
    memory : dict of array
        What the optimiser remembers.
    step : int
        How many steps have been made.
    epoch : int
        How many epochs have been completed.
    losses : list of float
        The training loss of each of them: the mean over its batches as they were trained, with penalty where the
        settings say so.
    best : Best or None
        With early stopping, the best epoch so far.
    shuffling : Shuffling or None
        Who decides the order of the rows, in place of `Settings.shuffle`; a checkpoint does not have it.
    """

    theta: Floats
    memory: dict[str, Floats]
    step: int = 0
    epoch: int = 0
    losses: list[float] = field(default_factory=list)
    best: Best | None = None
    shuffling: Shuffling | None = None

    @classmethod
    def start(cls, net: Network, settings: Settings, initial: Parameters | None) -> State:
        """Return the state before the first step, from the given parameters or else from the seed."""
        if initial is None:
            theta = net.initial(settings.seed, settings.dtype).vector
        else:
            net.check(initial)
            theta = net.parameters(np.array(initial.vector, dtype=settings.dtype)).vector
            if not np.isfinite(theta).all():
                raise InputError("the initial parameters contain NaN or infinity")
        return cls(theta, settings.optimizer.start(theta))

    def fingerprint(self) -> str:
        """Return a string that differs when any number of the state differs."""
        vectors = {"theta": self.theta, "losses": np.array(self.losses), **self.memory}
        numbers: tuple[float, ...] = (self.step, self.epoch)
        if self.best is not None:
            vectors["best"], numbers = self.best.theta, (*numbers, self.best.epoch, self.best.loss)
        digest = xxhash.xxh3_128(repr(numbers).encode())
        for name, vector in vectors.items():
            digest.update(f"{name} {vector.dtype.char} ".encode())
            digest.update(np.ascontiguousarray(vector).data)
        return digest.hexdigest()

    def copy(self) -> State:
        """Return a state that does not move with this one."""
        memory = {name: vector.copy() for name, vector in self.memory.items()}
        shuffling = None if self.shuffling is None else self.shuffling.copy()
        return State(self.theta.copy(), memory, self.step, self.epoch, list(self.losses), self.best, shuffling)
