"""Training that can be watched: the native engine makes some epochs, and a frame says how far it is.

A run is one long run, however often it is paused: a frame says what the next request needs to go on, to the same bits.
But L-BFGS begins its memory anew in each part of a run, which for it are of a fixed length. From a run that has ended
another goes on, with the weights that it ended with and all patience.
"""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Generator
from typing import Any

import numpy as np

from ..data import Floats
from ..errors import ChainruleError, DivergenceError
from ..parameters import Parameters
from ..training import Run
from ..training.run import ALL_DONE
from .endpoints import LARGE, Endpoint, Lab, Stream
from .jobs import PAUSE, Frame, Job
from .pictures import Pictures
from .scene import MAX_SIZE
from .training import BestSoFar, Lesson, Memory, Trained

_ROWS = 20_000  # that any network goes through in 50 ms or so: the first part of a run, until its speed is known
_LBFGS_EPOCHS = 20
_CURVE = 60  # points of a curve in one frame
_ADVICE = "Try a smaller learning rate, or clip the gradient to length 1."  # of what the page has


def frames(lesson: Lesson) -> Generator[Frame]:
    """Train, and yield a frame every 50 ms or so; the last says why it ended, if it has and is not paused.

    What is over in one frame has only that, so that a single step is there at once.
    """
    watched = _Watched(lesson)
    epochs, pace = watched.until - lesson.run.epoch, lesson.training.epochs_a_frame
    is_short = pace is not None and 0 < epochs <= pace
    due = time.monotonic()
    if not is_short:
        yield watched.first()
    while watched.ended is None and watched.run.epoch < watched.until:
        due = max(due + PAUSE, now := time.monotonic())
        if pace is not None and not is_short:
            time.sleep(due - now)
        yield watched.next()


class _Watched:
    """A run on its way, part by part."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson, self.run = lesson, lesson.run
        self.pictures = Pictures(lesson.run.network, lesson.data)
        self.began = time.monotonic()
        self.epochs = max(1, _ROWS // len(lesson.x))  # in 50 ms
        self.is_full_batch = lesson.run.settings.optimizer.is_full_batch
        epochs, pause = lesson.training.epochs, lesson.training.pause_after
        self.until = self.run.epoch + (epochs if pause is None else min(epochs, pause))
        self.ended: str | None = None
        self.error: str | None = None

    def first(self) -> Frame:
        """Return the frame from before the first step."""
        return self._frame([[self.run.epoch, *self._losses(self._last())]])

    def next(self) -> Frame:
        """Go through the next part and return the frame after it."""
        before, began = self.run, time.monotonic()
        try:
            self._go_on()
        except DivergenceError as error:
            self.run, self.ended = error.run, "it diverged"
            where = f"In epoch {error.epoch}, batch {error.batch}, the {error.quantity} of layer {error.layer}"
            self.error = f"{where} is not finite any more. {_ADVICE}"
        except ChainruleError as error:
            self.ended, self.error = "it cannot go on", str(error)
        if np.abs(self.run.state.theta).max() > MAX_SIZE:  # which a scene could not have
            self.run, self.ended = before, "it diverged"
            self.error = self.error or f"A weight or bias has grown beyond {MAX_SIZE:,.0f}. {_ADVICE}"
        made, took = self.run.epoch - before.epoch, max(time.monotonic() - began, 1e-6)
        if self.ended and (best := self.run.best) and best.epoch < self.run.epoch:
            self.ended += f"; back at the weights of epoch {best.epoch}"
        if made and not self.is_full_batch:
            self.epochs = max(1, min(int(0.9 * PAUSE * made / took), 4 * self.epochs))
        curve = [] if self.run is before else _curve(self.run)
        if curve and curve[-1][-1] is None:
            curve[-1][-1] = self.lesson.held_out_loss(self._last())
        return self._frame(curve)

    def _go_on(self) -> None:
        lesson, asked, before = self.lesson, self.lesson.training, self.run
        most = _LBFGS_EPOCHS if self.is_full_batch else asked.epochs_a_frame or asked.epochs
        self.run = lesson.further(before, min(self.epochs, most, self.until - before.epoch))
        losses = self.run.history["loss"]
        low = next((k for k, loss in enumerate(losses, start=1) if loss < (asked.loss_below or 0.0)), None)
        if low is not None:
            self.ended = f"loss below {asked.loss_below:g}"
            if low < len(losses):  # once more, to exactly there
                self.run = lesson.further(before, low)
        elif asked.patience and (best := self.run.best) and self.run.epoch - best.epoch >= asked.patience:
            # Asked here, as the library calls all done what ends with its last epoch, which is a part's last.
            self.ended = f"no lower {'' if lesson.held_out is None else 'held-out '}loss for {asked.patience} epochs"
        elif self.run.epoch >= lesson.run.settings.epochs:
            self.ended = ALL_DONE
        elif time.monotonic() - self.began >= asked.seconds:
            self.ended = f"{asked.seconds:g} seconds have passed"

    def _last(self) -> Parameters:
        """Return the parameters to go on from, whichever were the best."""
        return self.run.network.parameters(self.run.state.theta)

    def _losses(self, params: Parameters) -> list[float | None]:
        return [self.lesson.training_loss(params), self.lesson.held_out_loss(params)]

    def _frame(self, curve: list[list[Any]]) -> Frame:
        run, lesson = self.run, self.lesson
        # In the end those of the best epoch, where patience looks for it; on the way those to go on from.
        goes_back = self.ended is not None and run.best is not None
        params = run.parameters if goes_back else self._last()
        loss, held_out_loss = curve[-1][1:] if curve and not goes_back else self._losses(params)
        seconds = max(time.monotonic() - self.began, 1e-6)
        rows = (run.epoch - lesson.run.epoch) * len(lesson.x)
        steps = run.state.step - lesson.run.state.step
        return {
            "epoch": run.epoch,
            "step": run.state.step,
            "rows": rows,
            "seconds": round(seconds, 3),
            "steps_per_second": round(steps / seconds),
            "rows_per_second": round(rows / seconds),
            "loss": loss,
            "held_out_loss": held_out_loss,
            "curve": curve,
            "layers": lesson.measured(params),
            **_written(params),
            "optimizer": lesson.training.optimizer,
            "memory": _memory(run),
            "best": None if self.ended else _best(run),
            **self.pictures.drawn(params),
            "ended": self.ended,
            "error": None if self.error is None else {"message": self.error},
        }


def _curve(run: Run) -> list[list[Any]]:
    """Return epoch, loss and held-out loss of the epochs in a run's history, or of some of them with the last."""
    losses = run.history.get("loss", [])  # of a run that diverged in its first epoch there are none
    held_out = run.history.get("validation_loss", [None] * len(losses))
    count, first = len(losses), run.state.epoch - len(losses) + 1
    places = sorted({round((k + 1) * count / min(count, _CURVE)) - 1 for k in range(min(count, _CURVE))})
    return [[first + k, losses[k], held_out[k]] for k in places]


def joined(old: Frame, new: Frame) -> Frame:
    """Return the new frame, with what the curves of both have, thinned."""
    curve = old["curve"] + new["curve"]
    while len(curve) > 2 * _CURVE:
        curve = curve[1::2] if len(curve) % 2 == 0 else curve[::2]
    return {**new, "curve": curve}


def _written(params: Parameters) -> dict[str, Any]:
    """Return weights and biases as a scene has them, in as few digits as give the same float32 numbers."""

    def short(numbers: Any) -> Any:
        return [short(one) for one in numbers] if np.ndim(numbers) else float(f"{numbers:.9g}")

    biases = [None if one is None else short(one) for one in params.biases]
    return {"weights": [short(one) for one in params.weights], "biases": biases}


def _memory(run: Run) -> Memory:
    """Return what the optimiser remembers."""
    return Memory(run.state.step, {name: _base64(vector) for name, vector in run.state.memory.items()})


def _best(run: Run) -> BestSoFar | None:
    """Return the best epoch; None without patience."""
    best = run.best
    if best is None:
        return None
    loss = best.loss if math.isfinite(best.loss) else str(best.loss)
    return BestSoFar(best.epoch, loss, _base64(best.theta))


def _base64(vector: Floats) -> str:
    return base64.b64encode(vector.tobytes()).decode()


def begun(_: Lab, body: Trained) -> Stream:
    """Begin to train, and return what is heard of it."""
    return Stream(Job(frames(Lesson.of(body)), joined))


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("/api/train", Trained, begun, "Train a scene's network, and tell how it goes", LARGE),
)
