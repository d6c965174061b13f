"""What an engine executes: a network, its settings and state, the rows, and hooks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..data import Data, RowNumbers
from ..network import Network
from .settings import Settings
from .state import State


@dataclass(frozen=True)
class Hooks:
    """The functions by which an engine reports progress, and asks whether to stop.

    Attributes
    ----------
    after_epochs : callable
        Called after one or more epochs with the first learning rate of each, and their validation losses (None without
        validation rows); returns whether to continue.
    interrupted : callable
        Called every 50 ms or so; returns whether to stop. A step that takes longer is abandoned.
    sees_state : bool
        Whether `after_epochs` needs the parameters as they are after every single epoch. Otherwise an engine may
        execute many epochs before it reports them.
    planned : callable
        Called with a description of how the engine executes the run.
    """

    after_epochs: Callable[[list[float], list[float] | None], bool]
    interrupted: Callable[[], bool]
    sees_state: bool
    planned: Callable[[str], None]


@dataclass(frozen=True)
class Split:
    """The training rows and the validation rows of a run.

    Attributes
    ----------
    training : Data
    validation : Data or None
    training_rows, validation_rows : array of int, or None
        The numbers of the rows to take of `training` and `validation`, in this order; None stands for all. So runs on
        different rows can share data without copies.
    """

    training: Data
    validation: Data | None = None
    training_rows: RowNumbers | None = None
    validation_rows: RowNumbers | None = None

    @property
    def row_count(self) -> int:
        """The number of training rows."""
        return len(self.training) if self.training_rows is None else len(self.training_rows)

    def taken(self) -> Split:
        """Return a split with copies of the rows that the row numbers name."""
        training, validation = self.training, self.validation
        if self.training_rows is not None:
            training = training.take(self.training_rows)
        if validation is not None and self.validation_rows is not None:
            validation = validation.take(self.validation_rows)
        return Split(training, validation)

    def fingerprint(self) -> str:
        """Return a string that differs when any number of the rows differs."""
        rows = self.taken()
        return rows.training.fingerprint() + (rows.validation.fingerprint() if rows.validation else "")


@dataclass(frozen=True)
class Task:
    """All that an engine needs for a run; it changes the state only."""

    net: Network
    settings: Settings
    state: State
    split: Split
    hooks: Hooks
