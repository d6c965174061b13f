"""The settings of a run, which do not change while it trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any

from ..data import Data
from ..errors import InputError, quoted, unknown_name
from ..named import JSON, Own, construct, dtype_name, keep, number, whole
from ..optimizers import OPTIMIZERS, Optimizer
from ..regularization import Penalty
from ..schedules import SCHEDULES, Schedule
from ..schema import typed
from .stopping import STOPPING_RULES, StoppingRule

MAX_EPOCHS = 100_000_000
LOSS_WEIGHTINGS = ("weights", "rows")


@dataclass(frozen=True)
class Settings:
    """How a network is trained. :func:`chainrule.train` documents the other settings.

    Attributes
    ----------
    stopping : StoppingRule or None
        The rule by which the run ends before its last epoch.
    loss_weighting : {"weights", "rows"}
        How much a batch counts in the loss of an epoch: by the weights of its rows, or by their number.

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
    stopping: StoppingRule | None
    checkpoint_every: int | None
    engine: str
    loss_weighting: str = "weights"

    def __post_init__(self) -> None:
        keep(self, epochs=whole("epochs", self.epochs, 1, MAX_EPOCHS))
        keep(self, batch_size=whole("batch_size", self.batch_size, 1))
        keep(self, seed=whole("seed", self.seed))
        if self.clip_norm is not None:
            keep(self, clip_norm=number("clip_norm", self.clip_norm, 0.0, above=True))
        if self.validation_fraction is not None:
            fraction = number("validation", self.validation_fraction, 0.0, 1.0, above=True, below=True)
            keep(self, validation_fraction=fraction)
        if self.checkpoint_every is not None:
            keep(self, checkpoint_every=whole("checkpoint_every", self.checkpoint_every, 1))
        if not isinstance(self.shuffle, bool):
            raise InputError(f"shuffle must be True or False, but is {quoted(self.shuffle)}")
        if self.loss_weighting not in LOSS_WEIGHTINGS:
            raise unknown_name("loss_weighting", self.loss_weighting, LOSS_WEIGHTINGS)
        keep(self, dtype=dtype_name(self.dtype))

    @property
    def restores_best(self) -> bool:
        """Whether a run has the parameters of its best epoch, where there is one, and not the last."""
        return self.stopping is None or self.stopping.restores_best

    def size_of(self, data: Data) -> float:
        """Return how much a batch counts in the loss of an epoch."""
        return len(data) if self.loss_weighting == "rows" else float(data.weights.sum())

    def to_json(self) -> JSON:
        """Return the settings as a JSON object, which :meth:`from_json` reads."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {
            "optimizer": self.optimizer.to_json(),
            "schedule": self.schedule.to_json(),
            "stopping": None if self.stopping is None else self.stopping.to_json(),
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
            "stopping": lambda rule: None if rule is None else STOPPING_RULES.find(rule, own=()),
            "penalty": partial(construct, "penalty", Penalty),
        }
        values = _current_form(what, typed(what, description, dict[str, Any]))
        return construct(
            what, cls, values | {name: find(values[name]) for name, find in parts.items() if name in values}
        )


def _current_form(what: str, values: dict[str, Any]) -> dict[str, Any]:
    """Convert settings written by an earlier version, which had no stopping rules."""
    if "stopping" in values or "patience" not in values:
        return values
    others = dict(values)
    patience, tolerance = others.pop("patience"), number("tolerance", others.pop("tolerance", 0.0), 0.0)
    is_plateau = typed(f"like_scikit_learn of {what}", others.pop("like_scikit_learn", False), bool)
    rule = {"name": "plateau" if is_plateau else "patience", "epochs": patience, "tolerance": tolerance}
    loss_weighting = "rows" if is_plateau else "weights"
    return {**others, "stopping": None if patience is None else rule, "loss_weighting": loss_weighting}
