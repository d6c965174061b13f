"""The state of a run: all that training changes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import xxhash

from ..data import Floats
from ..errors import InputError
from ..network import Network
from ..optimizers import Optimizer
from ..parameters import Parameters
from .shuffling import LegacyShuffle


@dataclass(frozen=True)
class Best:
    """The best epoch of a run so far, with its loss and its parameters."""

    epoch: int
    loss: float
    theta: Floats


@dataclass
class State:
    """The state of a run.

    Attributes
    ----------
    theta : array, shape (number of parameters,)
        The parameters.
    memory : dict of array
        The state of the optimiser.
    step : int
        The number of completed steps.
    epoch : int
        The number of completed epochs.
    losses : list of float
        The training loss of each epoch: the mean over its batches as they were trained, with penalty where the
        settings say so.
    best : Best or None
        With early stopping, the best epoch so far.
    shuffling : LegacyShuffle or None
        Draws the order of the rows in place of `Settings.shuffle`; a checkpoint does not have it.
    """

    theta: Floats
    memory: dict[str, Floats]
    step: int = 0
    epoch: int = 0
    losses: list[float] = field(default_factory=list)
    best: Best | None = None
    shuffling: LegacyShuffle | None = None

    @classmethod
    def start(cls, net: Network, optimizer: Optimizer, initial: Parameters | None, seed: int, dtype: str) -> State:
        """Return the state before the first step, from initial parameters or else from the seed.

        Raises
        ------
        InputError
            When the initial parameters are not those of the network, or not finite.
        """
        if initial is None:
            theta = net.initial(seed, dtype).vector
        else:
            net.check(initial)
            theta = net.parameters(np.array(initial.vector, dtype=dtype)).vector
            if not np.isfinite(theta).all():
                raise InputError("the initial parameters contain NaN or infinity")
        return cls(theta, optimizer.start(theta))

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
        """Return an independent copy."""
        memory = {name: vector.copy() for name, vector in self.memory.items()}
        shuffling = None if self.shuffling is None else self.shuffling.copy()
        return State(self.theta.copy(), memory, self.step, self.epoch, list(self.losses), self.best, shuffling)
