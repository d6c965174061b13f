"""A training run: from data to an engine, a history, early stopping, checkpoints and back again."""

from __future__ import annotations

from .history import History
from .loop import resume, train
from .many import train_many
from .run import Run

__all__ = ["History", "Run", "resume", "train", "train_many"]
