"""What every engine is given: the settings of a run, which stay, and its state, which moves."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from typing import Any

import numpy as np
import xxhash

from ..data import Data, Floats, RowNumbers
from ..errors import InputError, quoted, unknown_name
from ..named import JSON, Own, construct, dtype_name, keep, number, whole
from ..network import Network
from ..optimizers import OPTIMIZERS, Optimizer
from ..parameters import Parameters
from ..randomness import Purpose, permutation
from ..regularization import Penalty
from ..schedules import SCHEDULES, Schedule, checked_factors
from ..schema import typed
from .shuffling import Shuffling

MAX_EPOCHS = 100_000_000
ENGINES = ("native", "reference")


@dataclass(frozen=True)
class Watch:
    """Who looks on while an engine executes a run.

    Attributes
    ----------
    after_epochs : callable
        Called after one or more epochs with the first learning rate of each, and their validation losses (None without
        validation data); tells whether to go on.
    interrupted : callable
        Asked every 50 ms or so whether to stop; a step that takes longer is given up.
    sees_state : bool
        Whether `after_epochs` needs the parameters as they are after every single epoch. Otherwise an engine may make
        many epochs before it tells of them.
    planned : callable
        Told in words how the engine goes about the run.
    """

    after_epochs: Callable[[list[float], list[float] | None], bool]
    interrupted: Callable[[], bool]
    sees_state: bool
    planned: Callable[[str], None]


@dataclass(frozen=True)
class Settings:
    """How a network is trained. :func:`chainrule.train` documents every setting but the last.

    Attributes
    ----------
    like_scikit_learn : bool
        Whether patience ends the run by :class:`Plateau`, with the last parameters and not the best, and a batch counts
        in the loss of an epoch by its rows and not by their weights.

    Raises
    ------
    InputError
        When a setting is out of range.
    """

    optimizer: Optimizer
    schedule: Schedule
    epochs: int
    batch_size: int
    penalty: Penalty
    clip_norm: float | None
    shuffle: bool
    seed: int
    dtype: str
    validation_fraction: float | None
    patience: int | None
    tolerance: float
    checkpoint_every: int | None
    engine: str
    like_scikit_learn: bool = False

    def __post_init__(self) -> None:
        keep(self, epochs=whole("epochs", self.epochs, 1, MAX_EPOCHS))
        keep(self, batch_size=whole("batch_size", self.batch_size, 1))
        keep(self, seed=whole("seed", self.seed))
        keep(self, tolerance=number("tolerance", self.tolerance, 0.0))
        if self.clip_norm is not None:
            keep(self, clip_norm=number("clip_norm", self.clip_norm, 0.0, above=True))
        if self.validation_fraction is not None:
            fraction = number("validation", self.validation_fraction, 0.0, 1.0, above=True, below=True)
            keep(self, validation_fraction=fraction)
        if self.patience is not None:
            keep(self, patience=whole("patience", self.patience, 1))
        if self.checkpoint_every is not None:
            keep(self, checkpoint_every=whole("checkpoint_every", self.checkpoint_every, 1))
        if self.engine not in ENGINES:
            raise unknown_name("engine", self.engine, ENGINES)
        if not isinstance(self.shuffle, bool):
            raise InputError(f"shuffle must be True or False, but is {quoted(self.shuffle)}")
        keep(self, dtype=dtype_name(self.dtype))

    def to_json(self) -> JSON:
        """Return the settings as a JSON object, which :meth:`from_json` reads."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {
            "optimizer": self.optimizer.to_json(),
            "schedule": self.schedule.to_json(),
            "penalty": asdict(self.penalty),
        }

    @classmethod
    def from_json(cls, description: JSON, own: Own = ()) -> Settings:
        """Return the settings that a JSON object describes.

        Parameters
        ----------
        description : dict
            As :meth:`to_json` returns it.
        own : Optimizer or Schedule, or an iterable of these
            Your own definitions that the description names.

        Raises
        ------
        InputError
            When one is missing, unknown or out of range.
        """
        what = "settings of a run"
        parts: dict[str, Callable[[JSON], object]] = {
            "optimizer": partial(OPTIMIZERS.find, own=own),
            "schedule": partial(SCHEDULES.find, own=own),
            "penalty": partial(construct, "penalty", Penalty),
        }
        given = typed(what, description, dict[str, Any])
        return construct(what, cls, given | {name: find(given[name]) for name, find in parts.items() if name in given})


@dataclass(frozen=True)
class Best:
    """The last epoch whose loss was lower than the best before it by more than the tolerance, and its parameters."""

    epoch: int
    loss: float
    theta: Floats


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


@dataclass(frozen=True)
class Task:
    """All that an engine needs for a run.

    Attributes
    ----------
    net : Network
    settings : Settings
    data, validation : Data
        `validation` may be None.
    state : State
    watch : Watch
    training_rows, validation_rows : array of int, or None
        Numbers of rows of `data` and of `validation` to take, in this order; None stands for all as they are.
    """

    net: Network
    settings: Settings
    data: Data
    validation: Data | None
    state: State
    watch: Watch
    training_rows: RowNumbers | None = None
    validation_rows: RowNumbers | None = None


def batches(
    settings: Settings, rows: int, epoch: int, shuffling: Shuffling | None = None
) -> Iterator[np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Yield the row numbers of every batch of an epoch (counted from 0); the last batch may be smaller."""
    if shuffling is not None:
        order = shuffling.next()
    else:
        order = permutation(rows, settings.seed, Purpose.SHUFFLE, epoch=epoch) if settings.shuffle else np.arange(rows)
    for start in range(0, rows, settings.batch_size):
        yield order[start : start + settings.batch_size]


def rates(settings: Settings, rows: int, state: State, epochs: int = 1) -> Floats:
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


def shares(data: Data) -> Floats:
    """Return the part of each row in the objective, its weight over their sum, shape (n,); 0 if all weigh 0."""
    total = data.weights.sum()
    return data.weights / total if total > 0 else data.weights
