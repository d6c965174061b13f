"""The settings of a run, which do not change while it trains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import partial
from typing import Any

from ..errors import InputError, quoted
from ..named import JSON, Own, construct, dtype_name, keep, number, whole
from ..optimizers import OPTIMIZERS, Optimizer
from ..regularization import Penalty
from ..schedules import SCHEDULES, Schedule
from ..schema import typed

MAX_EPOCHS = 100_000_000


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
