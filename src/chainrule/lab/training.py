"""Which run is asked for: a network, data, how it learns, and where an earlier part of the same run ended."""

from __future__ import annotations

import base64
import binascii
import sys
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
from msgspec import Meta, Struct

from ..data import Floats, prepare
from ..engines.reference import evaluate
from ..engines.state import Best, State
from ..engines.task import Split
from ..errors import InputError
from ..optimizers import OPTIMIZERS
from ..parameters import Parameters
from ..training import History, Run
from ..training.loop import run_training
from ..training.settings import settings_of
from .data import Data, Ready, ready
from .pictures import measured
from .scene import MAX_SIZE, Name, Scene, Seed

DTYPE = "float32"
MAX_EPOCHS = 1_000_000
_MAX_MEMORY = 40_000  # characters, of one vector of the largest network

Vector = Annotated[str, Meta(max_length=_MAX_MEMORY)]
Epoch = Annotated[int, Meta(ge=0, le=50_000_000)]
Loss = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)]
NotFinite = Annotated[str, Meta(pattern="^(inf|-inf|nan)$", max_length=4)]


class Memory(Struct, frozen=True, forbid_unknown_fields=True):
    """What an optimiser remembers, as a frame had it.

    Attributes
    ----------
    step : int
        How many steps were made.
    vectors : dict of str
        Each as base64 of its float32 numbers.
    """

    step: Annotated[int, Meta(ge=0, le=2**53)] = 0
    vectors: Annotated[dict[Name, Vector], Meta(max_length=4)] = {}


class BestSoFar(Struct, frozen=True, forbid_unknown_fields=True):
    """The best epoch of a run with patience, as a frame had it.

    Attributes
    ----------
    epoch : int
    loss : float or str
        As text where it is not finite, for which JSON has no number.
    parameters : str
        As base64 of float32 numbers.
    """

    epoch: Epoch
    loss: Loss | NotFinite
    parameters: Vector


class Training(Struct, frozen=True, forbid_unknown_fields=True):
    """How to train.

    Attributes
    ----------
    optimizer : str
    learning_rate : float
        L-BFGS has none.
    batch_size : int
        Or all rows, where there are fewer.
    epochs : int
        How many more, until all are done.
    pause_after : int or None
        Pauses after so many of them, as for a single step; 0 only shows the network as it is.
    l1, l2 : float
    clip_norm : float or None
        The greatest length of a gradient; L-BFGS takes none.
    loss_below : float or None
        Ends the run after the first epoch whose training loss is lower.
    patience : int or None
        Ends it when for so many epochs the held-out loss has not fallen, and goes back to the best.
    seconds : float
        Ends it after so long.
    seed : int
        Orders the rows.
    start_epoch : int
        How many epochs the weights of the scene have behind them.
    memory : Memory or None
        What the optimiser remembers of them.
    best : BestSoFar or None
        The best epoch of them, from which patience counts.
    epochs_a_frame : int or None
        Slows the run down to so many in 50 ms, so that one can watch; None for as many as it can make, where the
        held-out loss is told once in a frame and not of every epoch.
    """

    optimizer: Name = "sgd"
    learning_rate: Annotated[float, Meta(gt=0, le=MAX_SIZE)] = 0.03
    batch_size: Annotated[int, Meta(ge=1, le=1_000_000)] = 10
    epochs: Annotated[int, Meta(ge=1, le=MAX_EPOCHS)] = 1_000
    pause_after: Annotated[int, Meta(ge=0, le=MAX_EPOCHS)] | None = None
    l1: Annotated[float, Meta(ge=0, le=MAX_SIZE)] = 0.0
    l2: Annotated[float, Meta(ge=0, le=MAX_SIZE)] = 0.0
    clip_norm: Annotated[float, Meta(gt=0, le=MAX_SIZE)] | None = None
    loss_below: Annotated[float, Meta(ge=0, le=MAX_SIZE)] | None = None
    patience: Annotated[int, Meta(ge=1, le=MAX_EPOCHS)] | None = None
    seconds: Annotated[float, Meta(ge=1, le=600)] = 60.0
    seed: Seed = 0
    start_epoch: Epoch = 0
    memory: Memory | None = None
    best: BestSoFar | None = None
    epochs_a_frame: Annotated[int, Meta(ge=1, le=MAX_EPOCHS)] | None = 1


class Trained(Struct, frozen=True, forbid_unknown_fields=True):
    """A scene whose network is to learn data."""

    scene: Scene
    data: Data
    training: Training = Training()


@dataclass(frozen=True)
class Lesson:
    """All that a job needs: checked, and at hand.

    Attributes
    ----------
    data : Ready
    run : Run
        Where it begins.
    x, y : arrays
        To train on.
    held_out : (x, y) or None
    split : Split
        The same rows, checked.
    training : Training
    """

    data: Ready
    run: Run
    x: Any
    y: Any
    held_out: tuple[Any, Any] | None
    split: Split
    training: Training

    @classmethod
    def of(cls, body: Trained) -> Lesson:
        """Return what a request asks for.

        Raises
        ------
        InputError
            When something does not fit.
        """
        data, net, asked = ready(body.data), body.scene.network(), body.training
        x, y = data.training.x.astype(DTYPE), data.y_for(net, data.training)
        held_out = None
        if len(data.held_out):
            held_out = data.held_out.x.astype(DTYPE), data.y_for(net, data.held_out)
        settings = settings_of(
            net,
            len(x),
            DTYPE,
            optimizer=_optimizer(asked),
            epochs=asked.start_epoch + asked.epochs,
            batch_size=min(asked.batch_size, len(x)),
            l1=asked.l1,
            l2=asked.l2,
            clip_norm=asked.clip_norm,
            patience=asked.patience,
            seed=asked.seed,
        )
        run = Run.begin(net, settings, body.scene.parameters(net))
        state = run.state
        state.epoch = asked.start_epoch
        if asked.memory is not None:
            _remember(state, asked.memory)
        if asked.best is not None and asked.patience is not None:
            best, theta = asked.best, _numbers("best.parameters", asked.best.parameters, len(state.theta))
            state.best = Best(best.epoch, float(best.loss), theta)
        validation = None if held_out is None else prepare(net, *held_out, dtype=DTYPE)
        split = Split(prepare(net, x, y, dtype=DTYPE), validation)
        return cls(data, run, x, y, held_out, split, asked)

    def measured(self, params: Parameters) -> list[dict[str, float | None]]:
        """Return the layers in figures, see :func:`measured`."""
        return measured(self.run.network, params, self.x, self.y)

    def training_loss(self, params: Parameters) -> float:
        """Return the loss of all rows to train on."""
        return evaluate(self.run.network, params, self.split.training)

    def held_out_loss(self, params: Parameters) -> float | None:
        """Return the held-out loss; None without rows that are held out."""
        validation = self.split.validation
        return None if validation is None else evaluate(self.run.network, params, validation)

    def further(self, run: Run, epochs: int) -> Run:
        """Return a run that has so many epochs more behind it, and a history of only these.

        The held-out loss of every epoch is in it where patience needs it, or where not all speed is wanted.

        Raises
        ------
        DivergenceError
            When NaN or infinity comes up.
        """
        settings = replace(run.settings, epochs=run.epoch + epochs)
        is_validated = settings.stopping is not None or self.training.epochs_a_frame is not None
        split = self.split if is_validated else replace(self.split, validation=None)
        before = replace(run, state=replace(run.state, losses=[]), history=History())
        return run_training(before.extended(run.network, settings), split, threads=1)


def _optimizer(asked: Training) -> Any:
    plain = OPTIMIZERS.find(asked.optimizer)
    return replace(plain, learning_rate=asked.learning_rate) if plain.has_learning_rate else plain


def _remember(state: State, memory: Memory) -> None:
    """Put into a state what its optimiser remembers.

    Raises
    ------
    InputError
        When it does not fit network and optimiser.
    """
    if {*memory.vectors} != {*state.memory}:
        raise InputError("what the optimiser remembers is another optimiser's: leave memory out")
    for name, text in memory.vectors.items():
        state.memory[name] = _numbers(f"memory.vectors.{name}", text, len(state.theta))
    state.step = memory.step


def _numbers(name: str, text: str, count: int) -> Floats:
    """Return a vector that a frame had; `name` is for the complaint.

    Raises
    ------
    InputError
        When it is none, or has another length.
    """
    try:
        numbers = np.frombuffer(base64.b64decode(text, validate=True), dtype=DTYPE)
    except (binascii.Error, ValueError) as error:
        raise InputError(f"{name} is no base64 of float32 numbers: {error}") from error
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise InputError(f"{name} must hold {count} finite numbers: leave {name.partition('.')[0]} out")
    return numbers.copy()
